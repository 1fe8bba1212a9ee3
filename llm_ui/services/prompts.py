"""System prompts: the instructions a chat can start with."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Select, bindparam, update

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, InvalidInput, NotFound
from llm_ui.kit.ids import PromptId, uuid7
from llm_ui.kit.text import one_line, storable
from llm_ui.models import SystemPrompt
from llm_ui.services import audit, prompt_versions
from llm_ui.services.access import KEPT, Actor, Permission, readable, require

MAX_NAME_CHARS = 100
PERSONAL = "Your instructions"
MAX_TEXT_CHARS = 20_000
"""Some five thousand tokens, sent with every question: longer instructions leave small models no room to answer."""


@dataclass(frozen=True, slots=True)
class PromptInfo:
    """A system prompt."""

    id: PromptId
    name: str
    text: str
    is_default: bool
    updated_at: datetime


async def list_shared(session: ReadSession, actor: Actor) -> tuple[PromptInfo, ...]:
    """Return the platform's prompts, by name."""
    query = readable(SystemPrompt, actor).where(SystemPrompt.owner_id.is_(None)).order_by(SystemPrompt.name)
    return tuple(_info(row) for row in await session.scalars(query))


async def instructions(session: ReadSession, actor: Actor, prompt_id: PromptId | None) -> PromptInfo | None:
    """Return the prompt a chat uses: the chosen one while it exists, else the default, else none."""
    return (await standing(session, actor, prompt_id))[0]


async def standing(
    session: ReadSession, actor: Actor, prompt_id: PromptId | None
) -> tuple[PromptInfo | None, PromptInfo | None]:
    """Return the prompt a chat uses, as `instructions` does, and what models are told in all chats of the actor."""
    rows = list(await session.scalars(_standing(actor), {"prompt_id": prompt_id}))
    chosen = next((row for row in rows if row.id == prompt_id), None)
    default = next((row for row in rows if row.is_default and row.owner_id is None), None)
    own = next((row for row in rows if row.is_default and row.owner_id is not None and row.text), None)
    used = chosen or default
    return None if used is None else _info(used), None if own is None else _info(own)


@lru_cache(KEPT)
def _standing(actor: Actor) -> Select[SystemPrompt]:
    """Return the same as a query, put together once: it is a part of each question."""
    wanted = SystemPrompt.is_default | (SystemPrompt.id == bindparam("prompt_id"))
    return readable(SystemPrompt, actor).where(wanted).order_by(SystemPrompt.id)


async def set_default(session: Session, actor: Actor, prompt_id: PromptId | None) -> None:
    """Make the prompt the one new chats start with; None: they start without. Raises `NotFound`."""
    require(actor, Permission.MANAGE_SETTINGS)
    chosen = None if prompt_id is None else await _row(session, actor, prompt_id)
    was_default = SystemPrompt.owner_id.is_(None), SystemPrompt.is_default
    await session.execute(update(SystemPrompt).where(*was_default).values(is_default=False))
    if chosen is not None:
        chosen.is_default = True
    name, named = ("none", "") if chosen is None else (chosen.name, str(chosen.id))
    await audit.record(session, actor, "prompt.default_set", name, target_id=named)


async def change_text(
    session: Session, actor: Actor, prompt_id: PromptId, text: str, *, seen: datetime | None = None
) -> None:
    """Set the words of one of the platform's prompts; chats that use it send them from their next question on.

    `seen` is the `updated_at` the form was filled from; `Conflict` when somebody saved meanwhile.
    """
    require(actor, Permission.MANAGE_SETTINGS)
    row = await _row(session, actor, prompt_id)
    if seen is not None and row.updated_at != seen:
        raise Conflict(
            "{name} was changed by somebody else meanwhile. Open it again and repeat your change.", name=row.name
        )
    words = storable(text).strip()
    if not words:
        raise InvalidInput("The instructions are empty. Write them, or let new chats start without.")
    if len(words) > MAX_TEXT_CHARS:
        raise InvalidInput("The instructions are longer than {most} characters. Shorten them.", most=MAX_TEXT_CHARS)
    before, row.text = row.text, words
    await prompt_versions.note(session, actor, row, before)
    changes = audit.difference({"text": before}, {"text": words})
    await audit.record(
        session, actor, "prompt.changed", one_line(row.name, MAX_NAME_CHARS), target_id=row.id, changes=changes
    )


async def save_personal(session: Session, actor: Actor, text: str) -> None:
    """Have models told this in all chats of the actor; nothing, with an empty text. Raises `InvalidInput`."""
    require(actor, Permission.CHAT)
    words = storable(text).strip()
    if len(words) > MAX_TEXT_CHARS:
        raise InvalidInput("The instructions are longer than {most} characters. Shorten them.", most=MAX_TEXT_CHARS)
    row = await _personal(session, actor)
    if row is None:
        row = SystemPrompt(id=PromptId(uuid7()), owner_id=actor.user_id, name=PERSONAL, text="", is_default=True)
        session.add(row)
        await session.flush()
    before, row.text = row.text, words
    await prompt_versions.note(session, actor, row, before)


async def personal_id(session: ReadSession, actor: Actor) -> PromptId | None:
    """Return where the actor's own instructions are kept, with their versions; None: there never were any."""
    row = await _personal(session, actor)
    return None if row is None else row.id


async def _personal(session: ReadSession, actor: Actor) -> SystemPrompt | None:
    mine = readable(SystemPrompt, actor).where(SystemPrompt.owner_id == actor.user_id, SystemPrompt.is_default)
    return await session.scalar(mine.order_by(SystemPrompt.id).limit(1))


async def _row(session: Session, actor: Actor, prompt_id: PromptId) -> SystemPrompt:
    query = readable(SystemPrompt, actor).where(SystemPrompt.id == prompt_id, SystemPrompt.owner_id.is_(None))
    row = await session.scalar(query.with_for_update().execution_options(populate_existing=True))
    if row is None:
        raise NotFound("These instructions do not exist any more. Reload the page.")
    return row


def _info(row: SystemPrompt) -> PromptInfo:
    return PromptInfo(row.id, row.name, row.text, row.is_default, row.updated_at)
