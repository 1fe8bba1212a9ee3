"""Deleting accounts: what goes with one, and what becomes of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, delete, exists, func, select, update
from sqlalchemy.orm import aliased

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, InvalidInput
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ProjectId, UserId, uuid7
from llm_ui.models import (
    Agent,
    ApiKey,
    Attachment,
    ChatHistory,
    ChatMessage,
    Document,
    Project,
    ProjectMember,
    ProjectRole,
    SavedPrompt,
    UsageLog,
    User,
    UserMemory,
)
from llm_ui.services import audit, erased_rows, erasures, holds, team_members
from llm_ui.services.access import SYSTEM, Actor, Permission, require
from llm_ui.services.erasures import Erased
from llm_ui.services.project_members import leave_all
from llm_ui.services.teams import forget_limits
from llm_ui.services.usage import figures, rollups
from llm_ui.services.usage.slots import ever
from llm_ui.services.usage.statements import Filters
from llm_ui.services.users import require_admin_beside, require_another, user_row

NAMED = 5
"""Of the projects that would go, by their names."""


class Fate(StrEnum):
    """What becomes of a deleted person's data."""

    ERASE = "erase"
    """All of it goes, the figures of what it has cost too; the sums of everybody stay."""
    ANONYMISE = "anonymise"
    """What was written goes; the figures stay, without whose they are."""
    HAND_OVER = "hand_over"
    """As anonymised, but projects without another owner go on under somebody else."""


@dataclass(frozen=True, slots=True)
class Goes:
    """What goes with an account."""

    chats: int
    messages: int
    files: int
    memories: int
    prompts: int
    agents: int
    projects: int
    """Those without another owner."""
    project_names: Sequence[str]
    documents: int
    """Of those projects."""
    shared_projects: int
    """Those that go on under another owner of theirs."""
    calls: int
    """Booked calls of models."""


async def weigh(session: ReadSession, actor: Actor, user_id: UserId) -> Goes:
    """Return what would go with an account: one's own, or any for an administrator."""
    if user_id != actor.user_id:
        require(actor, Permission.MANAGE_USERS)
    await user_row(session, actor, user_id)

    async def count(query: Select[Any]) -> int:
        return await session.scalar(query.with_only_columns(func.count(), maintain_column_froms=True)) or 0

    # rights: counts only, for an administrator who is about to delete the account
    chats = select(ChatHistory).where(ChatHistory.user_id == user_id)
    alone = select(Project).where(Project.id.in_(_owned_alone(user_id)))
    owned = select(ProjectMember).where(ProjectMember.user_id == user_id, ProjectMember.role == ProjectRole.OWNER)
    projects = await count(alone)
    names = alone.with_only_columns(Project.name).order_by(Project.name).limit(NAMED)
    return Goes(
        chats=await count(chats),
        messages=await count(select(ChatMessage).join(ChatHistory).where(ChatHistory.user_id == user_id)),
        files=await count(select(Attachment).where(Attachment.user_id == user_id)),
        memories=await count(select(UserMemory).where(UserMemory.user_id == user_id)),
        prompts=await count(select(SavedPrompt).where(SavedPrompt.owner_id == user_id)),
        agents=await count(select(Agent).where(Agent.owner_id == user_id, Agent.deleted_at.is_(None))),
        projects=projects,
        project_names=tuple(await session.scalars(names)),
        documents=await count(select(Document).where(Document.project_id.in_(_owned_alone(user_id)))),
        shared_projects=await count(owned) - projects,
        calls=(await figures.totals(session, actor, Filters(user_id=user_id), ever())).requests,
    )


async def remove(
    session: Session, actor: Actor, user_id: UserId, fate: Fate = Fate.ANONYMISE, heir_id: UserId | None = None
) -> None:
    """Delete an account for good. Projects with another owner go on under that one, whatever becomes of the rest.

    Raises `Conflict` for one's own account, the only administrator's and one on hold, `InvalidInput` without an heir.
    """
    require(actor, Permission.MANAGE_USERS)
    user = await user_row(session, actor, user_id)
    await require_another(session, actor, user)
    await holds.require_free_account(session, user_id)
    heir = await _heir(session, actor, user_id, heir_id) if fate is Fate.HAND_OVER else None
    if heir is not None:
        await _hand_over(session, user_id, heir.id)
    await _erase(session, actor, user, fate, heir)


async def leave(session: Session, actor: Actor) -> None:
    """Delete the actor's own account for good; figures of what it used stay, without whose they are.

    Raises `Conflict` for the only administrator, and for who is on hold.
    """
    user = await user_row(session, actor, actor.user_id)
    await require_admin_beside(session, user)
    await holds.require_free_account(session, user.id)
    await _erase(session, actor, user, Fate.ANONYMISE, None)


async def repeat(session: Session, erased: Erased) -> bool:
    """Delete an account again that a restored copy has brought back; return whether there was one.

    Raises `Conflict` for one that is on hold there, or whose projects nobody there can take over.
    """
    # rights: whoever was allowed to has deleted it already
    user = await session.get(User, erased.user_id)
    if user is None:
        return False
    await holds.require_free_account(session, user.id)
    fate, heir = Fate(erased.data), None
    if fate is Fate.HAND_OVER:
        heir = None if erased.heir_id is None else await session.get(User, erased.heir_id)
        if heir is None:
            raise Conflict(
                "The copy brings back {name}, whose account was deleted, but not who took over the projects. Restore "
                "a newer one.",
                name=user.name,
            )
        await _hand_over(session, user.id, heir.id)
    await _erase(session, SYSTEM, user, fate, heir)
    return True


async def _erase(session: Session, actor: Actor, user: User, fate: Fate, heir: User | None) -> None:
    user_id = user.id
    await session.wait_turn(rollups.LOCK)
    going = (await session.scalars(_owned_alone(user_id))).all()
    has = await erased_rows.belongings(session, user_id, going)
    found = await erased_rows.count(session, has)
    # rights: asked above; of keys and projects that go with the account
    loose = [*going, *await session.scalars(select(ApiKey.series_id).where(ApiKey.user_id == user_id))]
    await leave_all(session, actor, user_id)
    await team_members.leave_all(session, actor, user_id)
    # rights: asked above; figures of somebody who is gone
    theirs = UsageLog.user_id == user_id
    # Another id that is nobody's: what one person used stays together, but not whose it was.
    nobody = None if fate is Fate.ERASE else UserId(uuid7())
    if nobody is None:
        await session.execute(delete(UsageLog).where(theirs))
    else:
        await session.execute(update(UsageLog).where(theirs).values(user_id=nobody))
    await rollups.leave(session, user_id, nobody)
    await session.execute(delete(User).where(User.id == user_id))
    for key in (user_id, *loose):
        # No foreign key takes along what limits a person, a key or a project.
        await forget_limits(session, key)
    heir_id = None if heir is None else heir.id
    receipt = await erasures.write(session, has, found, fate.value, heir_id, keeps_figures=nobody is not None)
    to = None if heir is None else heir.name
    told: dict[str, Any] = {"role": user.role.value, "data": fate.value, "to": to, "receipt": str(receipt)}
    await audit.record(session, actor, "user.deleted", user.name, target_id=user_id, **told)


async def _heir(session: ReadSession, actor: Actor, user_id: UserId, heir_id: UserId | None) -> User:
    if heir_id is None or heir_id == user_id:
        raise InvalidInput("Choose who takes over the projects.")
    heir = await user_row(session, actor, heir_id)
    if not heir.is_active:
        raise InvalidInput(
            "{name} cannot sign in, so nobody could use the projects. Choose somebody else.", name=heir.name
        )
    return heir


async def _hand_over(session: Session, user_id: UserId, heir_id: UserId) -> None:
    """Make the heir an owner of the projects that would be without one."""
    for project_id in (await session.scalars(_owned_alone(user_id))).all():
        # rights: the caller has asked for them
        member = await session.get(ProjectMember, (project_id, heir_id))
        if member is None:
            session.add(ProjectMember(project_id=project_id, user_id=heir_id, role=ProjectRole.OWNER, created_at=now()))
        else:
            member.role = ProjectRole.OWNER
    await session.flush()


def _owned_alone(user_id: UserId) -> Select[ProjectId]:
    """Return the ids of the projects of which a person is the only owner."""
    # rights: the callers have asked for them
    other = aliased(ProjectMember)
    has_another = exists().where(
        other.project_id == ProjectMember.project_id, other.user_id != user_id, other.role == ProjectRole.OWNER
    )
    owned = ProjectMember.user_id == user_id, ProjectMember.role == ProjectRole.OWNER
    return select(ProjectMember.project_id).where(*owned, ~has_another)
