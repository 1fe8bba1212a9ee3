"""The library of prompts: texts that people keep to ask with, some of them for everybody."""

import re
from dataclasses import dataclass

from sqlalchemy import delete, func, select

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Forbidden, InvalidInput, NotFound
from llm_ui.kit.ids import SavedPromptId, uuid7
from llm_ui.kit.text import storable
from llm_ui.models import SavedPrompt
from llm_ui.services import audit
from llm_ui.services.access import Actor, Permission, readable, require

NAME = re.compile(r"[\w-]{1,40}")
MAX_TEXT_CHARS = 20_000
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


async def list_prompts(session: ReadSession, actor: Actor) -> tuple[Saved, ...]:
    """Return the actor's own prompts and those for everybody, by name."""
    rows = await session.scalars(readable(SavedPrompt, actor).order_by(func.lower(SavedPrompt.name), SavedPrompt.id))
    return tuple(Saved(row.id, row.name, row.text, row.is_shared, row.owner_id == actor.user_id) for row in rows)


async def save(
    session: Session, actor: Actor, prompt_id: SavedPromptId | None, name: str, text: str, *, is_shared: bool
) -> None:
    """Keep a prompt, or change one of one's own. Raises `InvalidInput`, `Forbidden` and `NotFound`."""
    require(actor, Permission.CHAT)
    name, text = name.strip().lstrip("/"), storable(text).strip()
    if NAME.fullmatch(name) is None:
        raise InvalidInput("A prompt's name has 1 to 40 letters, digits, - or _, such as translate-to-german.")
    if not text or len(text) > MAX_TEXT_CHARS:
        raise InvalidInput("A prompt has 1 to {most} characters.", most=MAX_TEXT_CHARS)
    if is_shared and not actor.may(Permission.MANAGE_SETTINGS):
        raise Forbidden("Only administrators offer prompts to everybody. Keep it for yourself, or ask one of them.")
    mine = await _mine(session, actor)
    if any(row.name == name and row.id != prompt_id for row in mine):
        raise InvalidInput("You have a prompt named {name} already. Choose another name.", name=name)
    row = next((row for row in mine if row.id == prompt_id), None)
    if prompt_id is not None and row is None:
        raise NotFound("This prompt does not exist any more, or it is not yours. Keep it under a new name.")
    if row is None:
        if len(mine) >= MAX_PROMPTS:
            raise InvalidInput("You keep {most} prompts, which is the most. Delete some first.", most=MAX_PROMPTS)
        row = SavedPrompt(id=SavedPromptId(uuid7()), owner_id=actor.user_id)
        session.add(row)
    if is_shared or row.is_shared:
        await audit.record(session, actor, "saved_prompt.shared", name, is_shared=is_shared)
    row.name, row.text, row.is_shared = name, text, is_shared
    await session.flush()


async def remove(session: Session, actor: Actor, prompt_id: SavedPromptId) -> None:
    """Delete a prompt of one's own. One that is gone already is no error."""
    # rights: only the actor's own
    own = SavedPrompt.id == prompt_id, SavedPrompt.owner_id == actor.user_id
    await session.execute(delete(SavedPrompt).where(*own))


async def _mine(session: ReadSession, actor: Actor) -> list[SavedPrompt]:
    # rights: only the actor's own
    return list(await session.scalars(select(SavedPrompt).where(SavedPrompt.owner_id == actor.user_id)))
