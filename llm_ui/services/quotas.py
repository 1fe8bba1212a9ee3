"""What each person may use: room for documents and files, documents of a project, money, tokens, keys.

Of a quota of the person, of their teams, of their role and the setting for everybody the first one there is holds; of
several teams the one that leaves most.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import String, cast, delete, func, or_, select

from llm_ui.db import ReadSession, Session
from llm_ui.errors import BudgetSpent, InvalidInput, TooLarge
from llm_ui.kit.clock import now
from llm_ui.kit.i18n import later
from llm_ui.kit.ids import ProjectId, TeamId, UserId
from llm_ui.models import (
    ApiKey,
    Attachment,
    Document,
    Project,
    Quota,
    QuotaKind,
    QuotaScope,
    Role,
    Team,
    UsageLog,
    User,
)
from llm_ui.services import audit, settings
from llm_ui.services.access import SYSTEM, Actor, Permission, require
from llm_ui.services.settings import (
    PERSON_API_KEYS,
    PERSON_DAY_TOKENS,
    PERSON_DOCUMENTS_MB,
    PERSON_MONTH_TOKENS,
    PERSON_MONTH_USD,
    PROJECT_DOCUMENTS,
    PROJECT_DOCUMENTS_MB,
)
from llm_ui.services.teams import teams_of
from llm_ui.services.usage.figures import totals
from llm_ui.services.usage.slots import Period
from llm_ui.services.usage.statements import Filters

MB = 1_000_000
MOST = 10_000_000
"""Of a limit, in its unit."""
MOST_TOKENS = 1_000_000_000_000
TOKENS = (QuotaKind.DAY_TOKENS, QuotaKind.MONTH_TOKENS)
SETTINGS = {
    QuotaKind.STORAGE_MB: PERSON_DOCUMENTS_MB,
    QuotaKind.PROJECT_DOCUMENTS: PROJECT_DOCUMENTS,
    QuotaKind.MONTH_USD: PERSON_MONTH_USD,
    QuotaKind.DAY_TOKENS: PERSON_DAY_TOKENS,
    QuotaKind.MONTH_TOKENS: PERSON_MONTH_TOKENS,
    QuotaKind.API_KEYS: PERSON_API_KEYS,
}
"""What holds for everybody who has no quota."""
LABELS = {
    QuotaKind.MONTH_USD: later("Dollars a month, for models"),
    QuotaKind.DAY_TOKENS: later("Tokens a day"),
    QuotaKind.MONTH_TOKENS: later("Tokens a month"),
    QuotaKind.STORAGE_MB: later("Room for documents and files of chats, in MB"),
    QuotaKind.PROJECT_DOCUMENTS: later("Documents in each project"),
    QuotaKind.API_KEYS: later("API keys"),
}


async def most(session: ReadSession, teams: Collection[TeamId], user_id: UserId, kind: QuotaKind) -> int:
    """Return what somebody in these teams may use, in the unit of the kind; 0: as much as there is."""
    return (await most_of(session, teams, user_id, (kind,)))[kind]


async def most_of(
    session: ReadSession, teams: Collection[TeamId], user_id: UserId, kinds: Collection[QuotaKind]
) -> dict[QuotaKind, int]:
    """Return the same for several kinds."""
    return {kind: held.amount for kind, held in (await held_of(session, teams, user_id, kinds)).items()}


class Held(NamedTuple):
    """A limit that holds, in the unit of its kind, and whose it is."""

    amount: int
    """0: as much as there is."""
    scope: QuotaScope | None
    """None: the setting for everybody."""
    scope_id: str
    """Of the person or the team; of a role its name."""


async def held_of(
    session: ReadSession, teams: Collection[TeamId], user_id: UserId, kinds: Collection[QuotaKind]
) -> dict[QuotaKind, Held]:
    """Return the limits that hold for somebody in these teams, with whose they are."""
    # rights: limits only, of who is limited
    named = {QuotaScope.USER: [str(user_id)], QuotaScope.TEAM: [str(one) for one in teams]}
    its = [(Quota.scope == scope) & Quota.scope_id.in_(ids) for scope, ids in named.items()]
    role = select(cast(User.role, String)).where(User.id == user_id).scalar_subquery()
    its.append((Quota.scope == QuotaScope.ROLE) & (Quota.scope_id == role))
    query = select(Quota).where(Quota.kind.in_(kinds), or_(*its)).order_by(Quota.scope_id)
    found = (await session.scalars(query)).all()
    return {kind: await _nearest(session, kind, [row for row in found if row.kind is kind]) for kind in kinds}


async def _nearest(session: ReadSession, kind: QuotaKind, rows: Sequence[Quota]) -> Held:
    """Return the limit that holds of those there are."""
    for scope in (QuotaScope.USER, QuotaScope.TEAM, QuotaScope.ROLE):
        of_scope = [row for row in rows if row.scope is scope]
        if of_scope:
            most_generous = max(of_scope, key=lambda row: (not row.amount, row.amount))
            return Held(most_generous.amount, scope, most_generous.scope_id)
    return Held(await settings.get(session, SETTINGS[kind]), None, "")


@dataclass(frozen=True, slots=True)
class Room:
    """What documents and files take and may take, in bytes; a limit of 0 is none."""

    of_person: int
    """Documents and files of chats together."""
    of_files: int
    """Of these the files of chats."""
    most_of_person: int
    of_project: int
    most_of_project: int


async def room(session: ReadSession, actor: Actor, project_id: ProjectId) -> Room:
    """Return how much room there is for what the actor brings, and for the documents of a project."""
    # rights: sums only, of what the actor has brought and of a project that the caller has checked
    size = select(func.coalesce(func.sum(Document.size_bytes), 0)).where(Document.project_id == project_id)
    documents, files = await _stored(session, actor.user_id)
    return Room(
        documents + files,
        files,
        MB * await most(session, await teams_of(session, actor.user_id), actor.user_id, QuotaKind.STORAGE_MB),
        int((await session.execute(size)).scalar_one()),
        MB * await settings.get(session, PROJECT_DOCUMENTS_MB),
    )


async def _stored(session: ReadSession, user_id: UserId) -> tuple[int, int]:
    """Return the bytes of somebody's documents, and of the files of their chats: once each, however often it is there.

    Files of chats in the bin count until they are gone for good.
    """
    # rights: sums of what is the person's own, asked by the callers
    size = select(func.coalesce(func.sum(Document.size_bytes), 0)).where(Document.user_id == user_id)
    mine = select(Attachment.sha256, Attachment.size_bytes).where(Attachment.user_id == user_id)
    files = mine.distinct().subquery()
    held = select(func.coalesce(func.sum(files.c.size_bytes), 0))
    return int((await session.execute(size)).scalar_one()), int((await session.execute(held)).scalar_one())


@dataclass(slots=True)
class FileRoom:
    """The room there is for files of chats, in bytes; a limit of 0 is none."""

    limit: int = 0
    documents: int = 0
    files: int = 0
    known: set[str] = field(default_factory=set)
    """The SHA-256 of those that are there already and take no more room."""

    def put(self, name: str, sha256: str, size_bytes: int) -> None:
        """Count one more file. Raises `TooLarge` when it does not fit."""
        if not self.limit or sha256 in self.known:
            return
        if self.documents + self.files + size_bytes > self.limit:
            raise _no_room(name, self.documents + self.files, self.files, self.limit)
        self.files += size_bytes
        self.known.add(sha256)


async def room_for_files(session: ReadSession, actor: Actor, sha256s: Collection[str]) -> FileRoom:
    """Return the actor's room for files that hold this."""
    limit = await most(session, await teams_of(session, actor.user_id), actor.user_id, QuotaKind.STORAGE_MB)
    if not limit or not sha256s:
        return FileRoom()
    # rights: one's own
    known = select(Attachment.sha256).where(Attachment.user_id == actor.user_id, Attachment.sha256.in_(sha256s))
    return FileRoom(MB * limit, *await _stored(session, actor.user_id), set(await session.scalars(known)))


def _no_room(name: str, used: int, files: int, limit: int) -> TooLarge:
    return TooLarge(
        "{name} does not fit: you may store {most} MB, and your documents in all projects take {documents} MB, the "
        "files of your chats {files} MB. Delete documents, or chats with files from the bin too, or ask an "
        "administrator for more room.",
        name=name, most=limit // MB, documents=(used - files) // MB, files=files // MB,
    )  # fmt: skip


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
        raise _no_room(name, there_is.of_person, there_is.of_files, most)


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


async def require_tokens(session: ReadSession, user_id: UserId, limits: Mapping[QuotaKind, int]) -> None:
    """Raise `BudgetSpent` once somebody has used the tokens of their day or month, which `limits` holds.

    Whoever has some left may ask: how many a question will take is known when it is answered, and an answer that has
    begun is written to its end.
    """
    for kind in TOKENS:
        if limits[kind] and (used := await _tokens(session, user_id, kind)) >= limits[kind]:
            raise _all_used(kind, used, limits[kind])


def _all_used(kind: QuotaKind, used: int, limit: int) -> BudgetSpent:
    returns_at = _returns_at(kind)
    wait_s = (returns_at - now()).total_seconds()
    sums: dict[str, Any] = {"used": used, "most": limit, "date": f"{returns_at:%Y-%m-%d}"}
    if kind is QuotaKind.DAY_TOKENS:
        return BudgetSpent(
            "You have used {used} of your {most} tokens for today. From {date}, 00:00 UTC, on you have them all again; "
            "until then ask an administrator for more.",
            retry_after=wait_s,
            **sums,
        )
    return BudgetSpent(
        "You have used {used} of your {most} tokens for this month. From {date}, 00:00 UTC, on you have them all "
        "again; until then ask an administrator for more.",
        retry_after=wait_s,
        **sums,
    )


async def _tokens(session: ReadSession, user_id: UserId, kind: QuotaKind) -> int:
    """Return how many tokens somebody has used in this day or month."""
    # On the product's own behalf: a sum, of who asks.
    period = Period(_began_at(kind), _returns_at(kind))
    return (await totals(session, SYSTEM, Filters(user_id=user_id), period)).tokens


def _began_at(kind: QuotaKind) -> datetime:
    today = now().replace(hour=0, minute=0, second=0, microsecond=0)
    return today if kind is QuotaKind.DAY_TOKENS else today.replace(day=1)


def _returns_at(kind: QuotaKind) -> datetime:
    if kind is QuotaKind.DAY_TOKENS:
        return _began_at(kind) + timedelta(days=1)
    return (_began_at(kind) + timedelta(days=32)).replace(day=1)


@dataclass(frozen=True, slots=True)
class Left:
    """What somebody may use of one kind, and uses."""

    kind: QuotaKind
    most: int
    """0: as much as there is."""
    used: Decimal
    returns_at: datetime | None
    """When there is the whole of it again; None: what is used is used until it is deleted."""
    scope: QuotaScope | None
    """Whose limit it is; None: everybody's."""
    whose: str
    """The name of the team, or the role."""


async def list_left(session: ReadSession, actor: Actor) -> tuple[Left, ...]:
    """Return what limits the actor and how much of it is used, but for documents: those are of each project."""
    require(actor, Permission.CHAT)
    return await _left(session, actor.user_id)


async def list_left_of(session: ReadSession, actor: Actor, user_id: UserId) -> tuple[Left, ...]:
    """Return the same of somebody else. Raises `Forbidden`."""
    require(actor, Permission.MANAGE_USERS)
    return await _left(session, user_id)


async def _left(session: ReadSession, user_id: UserId) -> tuple[Left, ...]:
    # rights: sums and counts of what is the person's own, asked by the callers
    is_live = ApiKey.revoked_at.is_(None), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now())
    keys = select(func.count()).where(ApiKey.user_id == user_id, *is_live)
    month = _began_at(QuotaKind.MONTH_USD)
    spent = select(func.sum(UsageLog.cost_usd)).where(UsageLog.user_id == user_id, UsageLog.created_at >= month)
    used = {
        QuotaKind.MONTH_USD: await session.scalar(spent) or Decimal(0),
        **{kind: Decimal(await _tokens(session, user_id, kind)) for kind in TOKENS},
        QuotaKind.STORAGE_MB: Decimal(sum(await _stored(session, user_id))) / MB,
        QuotaKind.API_KEYS: Decimal(await session.scalar(keys) or 0),
    }
    limits = await held_of(session, await teams_of(session, user_id), user_id, tuple(used))
    return tuple([await _left_of(session, kind, limits[kind], value) for kind, value in used.items()])


async def _left_of(session: ReadSession, kind: QuotaKind, held: Held, used: Decimal) -> Left:
    whose = held.scope_id if held.scope is QuotaScope.ROLE else ""
    if held.scope is QuotaScope.TEAM:
        # rights: the name of a team that the person is in
        whose = await session.scalar(select(Team.name).where(Team.id == UUID(held.scope_id))) or ""
    returns_at = _returns_at(kind) if kind in (QuotaKind.MONTH_USD, *TOKENS) else None
    return Left(kind, held.amount, used, returns_at, held.scope, whose)


async def of_team(session: ReadSession, team_id: TeamId) -> dict[QuotaKind, int]:
    """Return what a team lets each of its members use. The caller has asked for rights."""
    # rights: limits only, asked by the caller
    found = await session.scalars(select(Quota).where(Quota.scope == QuotaScope.TEAM, Quota.scope_id == str(team_id)))
    return {row.kind: row.amount for row in found}


@dataclass(frozen=True, slots=True)
class RoleLimits:
    """What everybody may use, and what each role says of its own; 0 is no limit."""

    of_everybody: Mapping[QuotaKind, int]
    of_roles: Mapping[Role, Mapping[QuotaKind, int]]


async def list_of_roles(session: ReadSession, actor: Actor) -> RoleLimits:
    """Return the limits of all roles. Raises `Forbidden`."""
    require(actor, Permission.MANAGE_USERS)
    return RoleLimits(
        {kind: await settings.get(session, setting) for kind, setting in SETTINGS.items()},
        {role: await read_quotas(session, actor, QuotaScope.ROLE, role) for role in Role},
    )


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
    for kind, amount in after.items():
        most_there_is = MOST_TOKENS if kind in TOKENS else MOST
        if not 0 <= amount <= most_there_is:
            raise InvalidInput("A limit is a whole number from 0 to {most}; 0 is no limit.", most=most_there_is)
    await session.execute(delete(Quota).where(Quota.scope == scope, Quota.scope_id == scope_id))
    session.add_all(Quota(scope=scope, scope_id=scope_id, kind=kind, amount=amount) for kind, amount in after.items())
    await session.flush()
    if changes := audit.difference(_named(before), _named(after)):
        await audit.record(session, actor, f"{scope.value}.quotas_set", name, target_id=scope_id, changes=changes)


def _named(limits: Mapping[QuotaKind, int]) -> dict[str, object]:
    return {kind.value: amount for kind, amount in limits.items()}
