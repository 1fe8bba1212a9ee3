"""The library of prompts: texts that people keep to ask with, some of them for everybody."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select, update

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Forbidden, InvalidInput, NotFound
from llm_ui.kit.ids import SavedPromptId, uuid7
from llm_ui.kit.text import one_line, storable
from llm_ui.models import SavedPrompt
from llm_ui.services import audit, prompt_versions
from llm_ui.services.access import Actor, Permission, readable, require, require_within
from llm_ui.services.holds import require_free

NAME = re.compile(r"[\w-]{1,40}")
MAX_TEXT_CHARS = 20_000
MAX_TAGS = 10
MAX_TAG_CHARS = 40
MAX_PROMPTS = 500
"""Of one person."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A prompt of the library."""

    id: SavedPromptId
    name: str
    text: str
    is_shared: bool
    is_mine: bool
    tags: tuple[str, ...] = ()
    use_count: int = 0


async def list_prompts(session: ReadSession, actor: Actor) -> tuple[Saved, ...]:
    """Return the actor's own prompts and those for everybody, by name."""
    rows = await session.scalars(readable(SavedPrompt, actor).order_by(func.lower(SavedPrompt.name), SavedPrompt.id))
    return tuple(_saved(row, actor) for row in rows)


async def read(session: ReadSession, actor: Actor, prompt_id: SavedPromptId) -> Saved:
    """Return a prompt that the actor is offered. Raises `NotFound`."""
    row = await session.scalar(readable(SavedPrompt, actor).where(SavedPrompt.id == prompt_id))
    if row is None:
        raise NotFound("This prompt does not exist any more, or it is not yours. Pick one from the list.")
    return _saved(row, actor)


async def find_mine(session: ReadSession, actor: Actor, name: str) -> Saved | None:
    """Return the actor's own prompt of that name, None when there is none."""
    own = readable(SavedPrompt, actor).where(SavedPrompt.owner_id == actor.user_id, SavedPrompt.name == name)
    row = await session.scalar(own)
    return None if row is None else _saved(row, actor)


async def save(
    session: Session,
    actor: Actor,
    prompt_id: SavedPromptId | None,
    name: str,
    text: str,
    *,
    is_shared: bool,
    tags: Sequence[str] = (),
) -> SavedPromptId:
    """Keep a prompt, or change one of one's own; return its id. Raises `InvalidInput`, `Forbidden` and `NotFound`."""
    require(actor, Permission.CHAT)
    require_within(actor, None)
    name, text = name.strip().lstrip("/"), storable(text).strip()
    if NAME.fullmatch(name) is None:
        raise InvalidInput("A prompt's name has 1 to 40 letters, digits, - or _, such as translate-to-german.")
    if not text or len(text) > MAX_TEXT_CHARS:
        raise InvalidInput("A prompt has 1 to {most} characters.", most=MAX_TEXT_CHARS)
    if is_shared and not actor.may(Permission.MANAGE_SETTINGS):
        raise Forbidden("Only administrators offer prompts to everybody. Keep it for yourself, or ask one of them.")
    kept_tags = _tags(tags)
    mine = await _mine(session, actor)
    if any(row.name == name and row.id != prompt_id for row in mine):
        raise InvalidInput("You have a prompt named {name} already. Choose another name.", name=name)
    row = next((row for row in mine if row.id == prompt_id), None)
    if prompt_id is not None and row is None:
        raise NotFound("This prompt does not exist any more, or it is not yours. Keep it under a new name.")
    if row is None:
        if len(mine) >= MAX_PROMPTS:
            raise InvalidInput("You keep {most} prompts, which is the most. Delete some first.", most=MAX_PROMPTS)
        row = SavedPrompt(id=SavedPromptId(uuid7()), owner_id=actor.user_id, name=name, text="", is_shared=False)
        session.add(row)
    was_shared, before = row.is_shared, row.text
    if is_shared or was_shared:
        done = "saved_prompt.changed" if is_shared is was_shared else "saved_prompt.shared"
        changes = audit.difference(audit.fields(row, "name", "text"), {"name": name, "text": text})
        await audit.record(session, actor, done, name, target_id=row.id, changes=changes, is_shared=is_shared)
    row.name, row.text, row.is_shared, row.tags = name, text, is_shared, kept_tags
    await session.flush()
    await prompt_versions.note(session, actor, row, before)
    return row.id


async def change_text(session: Session, actor: Actor, prompt_id: SavedPromptId, text: str) -> None:
    """Set the words of a prompt of one's own. Raises what `save` does."""
    row = next((row for row in await _mine(session, actor) if row.id == prompt_id), None)
    if row is None:
        raise NotFound("This prompt does not exist any more, or it is not yours. Keep it under a new name.")
    await save(session, actor, prompt_id, row.name, text, is_shared=row.is_shared, tags=row.tags)


async def used(session: Session, actor: Actor, prompt_id: SavedPromptId) -> None:
    """Count that somebody has put a prompt into a message; one that is gone is no error."""
    require(actor, Permission.CHAT)
    offered = readable(SavedPrompt, actor).where(SavedPrompt.id == prompt_id).with_only_columns(SavedPrompt.id)
    more = {"use_count": SavedPrompt.use_count + 1, "updated_at": SavedPrompt.updated_at}
    await session.execute(update(SavedPrompt).where(SavedPrompt.id.in_(offered)).values(more))


async def remove(session: Session, actor: Actor, prompt_id: SavedPromptId) -> None:
    """Delete a prompt of one's own. One that is gone already is no error. Raises `Conflict` while on hold."""
    require_within(actor, None)
    await require_free(session, user_id=actor.user_id)
    # rights: only the actor's own
    own = SavedPrompt.id == prompt_id, SavedPrompt.owner_id == actor.user_id
    gone = delete(SavedPrompt).where(*own).returning(SavedPrompt.name, SavedPrompt.is_shared)
    row = (await session.execute(gone)).one_or_none()
    if row is not None and row.is_shared:
        await audit.record(session, actor, "saved_prompt.deleted", row.name, target_id=prompt_id)


def _saved(row: SavedPrompt, actor: Actor) -> Saved:
    is_mine = row.owner_id == actor.user_id
    return Saved(row.id, row.name, row.text, row.is_shared, is_mine, tuple(row.tags), row.use_count)


def _tags(tags: Sequence[str]) -> list[str]:
    """Return tags as they are stored: each once, in the order they were given."""
    words = dict.fromkeys(filter(None, (one_line(tag, MAX_TAG_CHARS) for tag in tags)))
    if len(words) > MAX_TAGS:
        raise InvalidInput("A prompt has {most} tags at most. Remove some.", most=MAX_TAGS)
    return list(words)


async def _mine(session: ReadSession, actor: Actor) -> list[SavedPrompt]:
    # rights: only the actor's own
    return list(await session.scalars(select(SavedPrompt).where(SavedPrompt.owner_id == actor.user_id)))
