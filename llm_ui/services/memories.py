"""What a person wants models to know, of them or in a project: facts they write, see, switch off and delete.

A project is a wall: its facts are told in its chats alone, and those about the person only where they let them in.
Of a project with several members each has facts of their own.
"""

from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Select, delete

from llm_ui.db import ReadSession, Session
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.kit.ids import MemoryId, ProjectId, uuid7
from llm_ui.kit.text import storable
from llm_ui.models import ProjectMember, User, UserMemory
from llm_ui.services import settings
from llm_ui.services.access import KEPT, Actor, Permission, readable, require
from llm_ui.services.holds import require_free
from llm_ui.services.projects import require_project
from llm_ui.services.settings import MEMORY

MAX_FACTS = 100
MAX_FACT_CHARS = 500


@dataclass(frozen=True, slots=True)
class Memory:
    """One fact."""

    id: MemoryId
    text: str
    is_on: bool


async def list_memories(session: ReadSession, actor: Actor, project_id: ProjectId | None = None) -> tuple[Memory, ...]:
    """Return the facts about the actor, or of a project, in the order they were written."""
    mine = readable(UserMemory, actor).where(UserMemory.project_id == project_id)
    rows = await session.scalars(mine.order_by(UserMemory.created_at, UserMemory.id))
    return tuple(Memory(row.id, row.text, row.is_on) for row in rows)


async def save(
    session: Session,
    actor: Actor,
    memory_id: MemoryId | None,
    text: str,
    *,
    is_on: bool = True,
    project_id: ProjectId | None = None,
) -> MemoryId:
    """Keep a fact about the actor or of a project, or change one there. Raises `InvalidInput` and `NotFound`."""
    require(actor, Permission.CHAT)
    await settings.require_on(session, MEMORY)
    await require_project(session, actor, project_id)
    text = " ".join(storable(text).split())
    if not text:
        raise InvalidInput("The fact is empty. Write one sentence, or cancel.")
    if len(text) > MAX_FACT_CHARS:
        raise InvalidInput(
            "The fact has {count} characters; {most} are the most. Make two of it.",
            count=len(text),
            most=MAX_FACT_CHARS,
        )
    kept = readable(UserMemory, actor).where(UserMemory.project_id == project_id)
    mine = {row.id: row for row in await session.scalars(kept)}
    if memory_id is None:
        if len(mine) >= MAX_FACTS:
            raise InvalidInput("You keep {most} facts, which is the most. Delete one first.", most=MAX_FACTS)
        row = UserMemory(id=MemoryId(uuid7()), user_id=actor.user_id, project_id=project_id)
        session.add(row)
    elif memory_id in mine:
        row = mine[memory_id]
    else:
        raise NotFound("This fact does not exist any more. Write it as a new one.")
    row.text, row.is_on = text, is_on
    await session.flush()
    return row.id


async def remove(session: Session, actor: Actor, memory_id: MemoryId) -> None:
    """Delete a fact. One that is gone already is no error. Raises `Conflict` while the actor is on hold."""
    await require_free(session, user_id=actor.user_id)
    # rights: only the actor's own
    own = UserMemory.id == memory_id, UserMemory.user_id == actor.user_id
    await session.execute(delete(UserMemory).where(*own))


async def is_used(session: ReadSession, actor: Actor) -> bool:
    """Return whether models are told the actor's facts."""
    query = readable(User, actor).where(User.id == actor.user_id).with_only_columns(User.uses_memory)
    return bool(await session.scalar(query))


async def set_used(session: Session, actor: Actor, *, is_used: bool) -> None:
    """Let models be told the actor's facts, or none of them."""
    row = await session.scalar(readable(User, actor).where(User.id == actor.user_id))
    if row is None:
        raise NotFound("Your account does not exist any more.")
    row.uses_memory = is_used


async def facts(session: ReadSession, actor: Actor, project_id: ProjectId | None = None) -> tuple[str, ...]:
    """Return what models are told of the actor, the newest first; in a project nothing unless it lets that in."""
    if not await settings.get(session, MEMORY):
        return ()
    if project_id is not None:
        mine = readable(ProjectMember, actor).where(ProjectMember.project_id == project_id)
        letting = mine.where(ProjectMember.user_id == actor.user_id, ProjectMember.lets_memory_in)
        if await session.scalar(letting.with_only_columns(ProjectMember.user_id)) is None:
            return ()
    return tuple(await session.scalars(_told_anywhere(actor)))


async def facts_of(session: ReadSession, actor: Actor, project_id: ProjectId) -> tuple[str, ...]:
    """Return what models are told in the chats of a project, the newest first."""
    if not await settings.get(session, MEMORY):
        return ()
    return tuple(await session.scalars(_told(actor, project_id).with_only_columns(UserMemory.text)))


@lru_cache(KEPT)
def _told_anywhere(actor: Actor) -> Select[str]:
    """Return what models are told of a person, as a query; put together once, as it is a part of each question."""
    told = _told(actor, None).join(User, User.id == UserMemory.user_id).where(User.uses_memory)
    return told.with_only_columns(UserMemory.text)


def _told(actor: Actor, project_id: ProjectId | None) -> Select[UserMemory]:
    mine = readable(UserMemory, actor).where(UserMemory.is_on, UserMemory.project_id == project_id)
    return mine.order_by(UserMemory.created_at.desc(), UserMemory.id.desc())
