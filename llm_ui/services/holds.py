"""Legal holds: while one lasts, nothing that is a person's, or a project's, is deleted for good, by anyone or anything.

What only goes to the bin stays there. What people write on goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, InvalidInput, NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.i18n import later
from llm_ui.kit.ids import ProjectId, UserId
from llm_ui.kit.text import one_line, storable
from llm_ui.models import ChatHistory, Document, HoldScope, LegalHold, Project, User
from llm_ui.services import audit
from llm_ui.services.access import Actor, Permission, require

LOCK = "holds"
MAX_REASON_CHARS = 2_000
MAX_NAME_CHARS = 128
SHOWN = 200
OF_PERSON = later("{name} is on legal hold: nothing of theirs is deleted until an administrator lifts it.")
OF_PROJECT = later("The project {name} is on legal hold: nothing in it is deleted until an administrator lifts it.")


@dataclass(frozen=True, slots=True)
class HoldInfo:
    """A hold."""

    id: UUID
    scope: HoldScope
    subject_id: UUID
    subject_name: str
    reason: str
    placed_by: str
    placed_at: datetime
    lifted_by: str | None
    lifted_at: datetime | None


async def list_holds(session: ReadSession, actor: Actor) -> Sequence[HoldInfo]:
    """Return those that last, then those that were lifted, the newest first. Raises `Forbidden`."""
    require(actor, Permission.MANAGE_USERS)
    newest = LegalHold.lifted_at.is_not(None), LegalHold.placed_at.desc()
    return tuple(_info(row) for row in await session.scalars(select(LegalHold).order_by(*newest).limit(SHOWN)))


async def on_person(session: ReadSession, actor: Actor, user_id: UserId) -> HoldInfo | None:
    """Return the hold that lasts on a person, None where there is none. Raises `Forbidden`."""
    require(actor, Permission.MANAGE_USERS)
    row = await _lasting(session, HoldScope.USER, user_id)
    return None if row is None else _info(row)


async def place_on_person(session: Session, actor: Actor, user_id: UserId, reason: str) -> None:
    """Put a person on hold. To be called under `LOCK`. Raises `InvalidInput`, `Conflict` and `NotFound`."""
    require(actor, Permission.MANAGE_USERS)
    user = await session.get(User, user_id)  # rights: asked above
    if user is None:
        raise NotFound("This account does not exist any more. Reload the list.")
    await _place(session, actor, HoldScope.USER, user_id, user.name, reason)


async def place_on_project(session: Session, actor: Actor, name: str, reason: str) -> None:
    """Put the project of that name, or id, on hold. To be called under `LOCK`. Raises as for a person."""
    require(actor, Permission.MANAGE_USERS)
    # rights: asked above; no content
    wanted = name.strip()
    is_it = Project.id == UUID(wanted) if _is_id(wanted) else Project.name == wanted
    found = (await session.scalars(select(Project).where(is_it).limit(2))).all()
    if not found:
        raise NotFound("There is no project of this name. Write it exactly as it is.")
    if len(found) > 1:
        raise InvalidInput("Several projects have this name. Write the id from the project's address instead.")
    await _place(session, actor, HoldScope.PROJECT, found[0].id, found[0].name, reason)


async def _place(session: Session, actor: Actor, scope: HoldScope, subject_id: UUID, name: str, reason: str) -> None:
    said = storable(reason).strip()
    if not said or len(said) > MAX_REASON_CHARS:
        raise InvalidInput("Say why, in {most} characters at most.", most=MAX_REASON_CHARS)
    if await _lasting(session, scope, subject_id) is not None:
        raise Conflict("This is on hold already.")
    row = LegalHold(
        scope=scope, subject_id=subject_id, subject_name=one_line(name, MAX_NAME_CHARS), reason=said,
        placed_by=actor.name, placed_at=now(),
    )  # fmt: skip
    session.add(row)
    await session.flush()
    await audit.record(session, actor, "hold.placed", name, target_id=subject_id, scope=scope.value, reason=said)


async def lift(session: Session, actor: Actor, hold_id: UUID) -> None:
    """End a hold; what was due to be deleted meanwhile goes from now on. One that has ended is no error."""
    require(actor, Permission.MANAGE_USERS)
    row = await session.get(LegalHold, hold_id)
    if row is None:
        raise NotFound("There is no such hold. Reload the page.")
    if row.lifted_at is None:
        row.lifted_by, row.lifted_at = actor.name, now()
        scope, reason = row.scope.value, row.reason
        await audit.record(
            session, actor, "hold.lifted", row.subject_name, target_id=row.subject_id, scope=scope, reason=reason
        )


async def require_free(
    session: ReadSession, *, user_id: UserId | None = None, project_id: ProjectId | None = None
) -> None:
    """Raise `Conflict` with a sentence while the person, or the project, is on hold."""
    on = [(HoldScope.USER, user_id, OF_PERSON), (HoldScope.PROJECT, project_id, OF_PROJECT)]
    for scope, subject_id, sentence in on:
        row = None if subject_id is None else await _lasting(session, scope, subject_id)
        if row is not None:
            raise Conflict(sentence, name=row.subject_name)


async def require_free_project(session: ReadSession, project_id: ProjectId) -> None:
    """Raise `Conflict` with a sentence while the project, its owner or somebody whose documents it has is on hold."""
    await require_free(session, project_id=project_id)
    # rights: the caller has asked for them; no content
    brought = exists().where(Document.project_id == project_id, Document.user_id.in_(held_people()))
    is_held = Project.id == project_id, or_(Project.owner_id.in_(held_people()), brought)
    if (name := await session.scalar(select(Project.name).where(*is_held))) is not None:
        raise Conflict(OF_PROJECT, name=name)


async def require_free_account(session: ReadSession, user_id: UserId) -> None:
    """Raise `Conflict` with a sentence while a person, or a project that they have written in, is on hold."""
    await require_free(session, user_id=user_id)
    # rights: the caller has asked for them; no content
    written = select(ChatHistory.project_id).where(ChatHistory.user_id == user_id)
    in_held = Project.id.in_(held_projects()), Project.id.in_(written)
    if (name := await session.scalar(select(Project.name).where(*in_held).limit(1))) is not None:
        raise Conflict(OF_PROJECT, name=name)


def held_people() -> Select[UUID]:
    """Return the ids of the people on hold."""
    return _held(HoldScope.USER)


def held_projects() -> Select[UUID]:
    """Return the ids of the projects on hold."""
    return _held(HoldScope.PROJECT)


def is_free_chat() -> ColumnElement[bool]:
    """Return the rule of chats that no hold is on."""
    is_outside = or_(ChatHistory.project_id.is_(None), ChatHistory.project_id.not_in(held_projects()))
    return and_(ChatHistory.user_id.not_in(held_people()), is_outside)


def _held(scope: HoldScope) -> Select[UUID]:
    return select(LegalHold.subject_id).where(LegalHold.scope == scope, LegalHold.lifted_at.is_(None))


async def _lasting(session: ReadSession, scope: HoldScope, subject_id: UUID) -> LegalHold | None:
    of_it = LegalHold.scope == scope, LegalHold.subject_id == subject_id, LegalHold.lifted_at.is_(None)
    return await session.scalar(select(LegalHold).where(*of_it).limit(1))


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _info(row: LegalHold) -> HoldInfo:
    return HoldInfo(
        row.id, row.scope, row.subject_id, row.subject_name, row.reason, row.placed_by, row.placed_at, row.lifted_by,
        row.lifted_at,
    )  # fmt: skip
