"""What each person may use: room for documents, documents of a project, money in a month, keys.

Of a quota of the person, of their teams, of their role and the setting for everybody the first one there is holds; of
several teams the one that leaves most.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import String, cast, delete, func, or_, select

from llm_ui.db import ReadSession, Session
from llm_ui.errors import InvalidInput, TooLarge
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ProjectId, TeamId, UserId
from llm_ui.models import ApiKey, Document, Project, Quota, QuotaKind, QuotaScope, UsageLog, User
from llm_ui.services import audit, settings
from llm_ui.services.access import Actor, Permission, require
from llm_ui.services.settings import (
    PERSON_API_KEYS,
    PERSON_DOCUMENTS_MB,
    PERSON_MONTH_USD,
    PROJECT_DOCUMENTS,
    PROJECT_DOCUMENTS_MB,
)
from llm_ui.services.teams import teams_of

MB = 1_000_000
MOST = 10_000_000
"""Of any limit, in its unit."""


SETTINGS = {
    QuotaKind.STORAGE_MB: PERSON_DOCUMENTS_MB,
    QuotaKind.PROJECT_DOCUMENTS: PROJECT_DOCUMENTS,
    QuotaKind.MONTH_USD: PERSON_MONTH_USD,
    QuotaKind.API_KEYS: PERSON_API_KEYS,
}
"""What holds for everybody who has no quota."""


async def most(session: ReadSession, teams: Collection[TeamId], user_id: UserId, kind: QuotaKind) -> int:
    """Return what somebody in these teams may use, in the unit of the kind; 0: as much as there is."""
    # rights: limits only, of who is limited
    named = {QuotaScope.USER: [str(user_id)], QuotaScope.TEAM: [str(one) for one in teams]}
    its = [(Quota.scope == scope) & Quota.scope_id.in_(ids) for scope, ids in named.items()]
    role = select(cast(User.role, String)).where(User.id == user_id).scalar_subquery()
    its.append((Quota.scope == QuotaScope.ROLE) & (Quota.scope_id == role))
    query = select(Quota).where(Quota.kind == kind, or_(*its))
    found = (await session.scalars(query)).all()
    for scope in (QuotaScope.USER, QuotaScope.TEAM, QuotaScope.ROLE):
        amounts = [row.amount for row in found if row.scope is scope]
        if amounts:
            return 0 if 0 in amounts else max(amounts)
    return await settings.get(session, SETTINGS[kind])


@dataclass(frozen=True, slots=True)
class Room:
    """What documents take and may take, in bytes; a limit of 0 is none."""

    of_person: int
    most_of_person: int
    of_project: int
    most_of_project: int


async def room(session: ReadSession, actor: Actor, project_id: ProjectId) -> Room:
    """Return how much room there is for the documents that the actor brings, and for those of a project."""
    # rights: sums only, of what the actor has brought and of a project that the caller has checked
    size = select(func.coalesce(func.sum(Document.size_bytes), 0))
    return Room(
        int((await session.execute(size.where(Document.user_id == actor.user_id))).scalar_one()),
        MB * await most(session, await teams_of(session, actor.user_id), actor.user_id, QuotaKind.STORAGE_MB),
        int((await session.execute(size.where(Document.project_id == project_id))).scalar_one()),
        MB * await settings.get(session, PROJECT_DOCUMENTS_MB),
    )


async def require_room(
    session: ReadSession,
    actor: Actor,
    project_id: ProjectId,
    name: str,
    size_bytes: int,
    replaced: Document | None = None,
) -> None:
    """Raise `TooLarge` unless there is room for so many bytes in the place of those of a document, if there is one."""
    more = size_bytes - (0 if replaced is None else replaced.size_bytes)
    # What somebody else brought gives the actor no room.
    more_of_actor = more if replaced is None or replaced.user_id == actor.user_id else size_bytes
    there_is = await room(session, actor, project_id)
    if more > 0 and there_is.most_of_project and there_is.of_project + more > there_is.most_of_project:
        raise TooLarge(
            "{name} does not fit: the documents of this project take {used} MB and may take {most} MB. Delete some of "
            "them, or ask an administrator for more room.",
            name=name,
            used=there_is.of_project // MB,
            most=there_is.most_of_project // MB,
        )
    most = there_is.most_of_person
    if more_of_actor > 0 and most and there_is.of_person + more_of_actor > most:
        raise TooLarge(
            "{name} does not fit: your documents in all projects take {used} MB and may take {most} MB. Delete some of "
            "them, or ask an administrator for more room.",
            name=name,
            used=there_is.of_person // MB,
            most=there_is.most_of_person // MB,
        )


async def require_documents(session: ReadSession, project_id: ProjectId) -> None:
    """Raise `TooLarge` unless the project may have one more document; what its owner may have counts."""
    # rights: counts only, of a project that the caller has checked
    owner_id = await session.scalar(select(Project.owner_id).where(Project.id == project_id))
    if owner_id is None:
        return
    limit = await most(session, await teams_of(session, owner_id), owner_id, QuotaKind.PROJECT_DOCUMENTS)
    there = await session.scalar(select(func.count()).where(Document.project_id == project_id)) or 0
    if limit and there >= limit:
        raise TooLarge(
            "The project has {most} documents, which is the most. Delete some, or ask an administrator for more.",
            most=limit,
        )


@dataclass(frozen=True, slots=True)
class Left:
    """What somebody may use of one kind, and uses."""

    kind: QuotaKind
    most: int
    """0: as much as there is."""
    used: Decimal


async def list_left(session: ReadSession, actor: Actor) -> tuple[Left, ...]:
    """Return what limits the actor and how much of it is used, but for documents: those are of each project."""
    teams = await teams_of(session, actor.user_id)
    # rights: sums and counts of what is the actor's own
    size = select(func.sum(Document.size_bytes)).where(Document.user_id == actor.user_id)
    is_live = ApiKey.revoked_at.is_(None), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now())
    keys = select(func.count()).where(ApiKey.user_id == actor.user_id, *is_live)
    month = now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    spent = select(func.sum(UsageLog.cost_usd)).where(UsageLog.user_id == actor.user_id, UsageLog.created_at >= month)
    used = {
        QuotaKind.MONTH_USD: await session.scalar(spent) or Decimal(0),
        QuotaKind.STORAGE_MB: Decimal(int(await session.scalar(size) or 0)) / MB,
        QuotaKind.API_KEYS: Decimal(await session.scalar(keys) or 0),
    }
    return tuple([Left(kind, await most(session, teams, actor.user_id, kind), value) for kind, value in used.items()])


async def read_quotas(session: ReadSession, actor: Actor, scope: QuotaScope, scope_id: str) -> dict[QuotaKind, int]:
    """Return the quotas of a role, a team or a person themselves."""
    require(actor, Permission.MANAGE_USERS)
    found = await session.scalars(select(Quota).where(Quota.scope == scope, Quota.scope_id == scope_id))
    return {row.kind: row.amount for row in found}


async def set_quotas(
    session: Session, actor: Actor, scope: QuotaScope, scope_id: str, name: str, wanted: Mapping[QuotaKind, int | None]
) -> None:
    """Set the quotas of a role, a team or a person; 0 is no limit, None what holds otherwise. Raises `InvalidInput`."""
    require(actor, Permission.MANAGE_USERS)
    before = await read_quotas(session, actor, scope, scope_id)
    after = {kind: amount for kind, amount in wanted.items() if amount is not None}
    if any(not 0 <= amount <= MOST for amount in after.values()):
        raise InvalidInput("A limit is a whole number from 0 to {most}; 0 is no limit.", most=MOST)
    await session.execute(delete(Quota).where(Quota.scope == scope, Quota.scope_id == scope_id))
    session.add_all(Quota(scope=scope, scope_id=scope_id, kind=kind, amount=amount) for kind, amount in after.items())
    await session.flush()
    if changes := audit.difference(_named(before), _named(after)):
        await audit.record(session, actor, f"{scope.value}.quotas_set", name, target_id=scope_id, changes=changes)


def _named(limits: Mapping[QuotaKind, int]) -> dict[str, object]:
    return {kind.value: amount for kind, amount in limits.items()}
