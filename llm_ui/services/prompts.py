"""System prompts: the instructions a chat can start with."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, InvalidInput, NotFound
from llm_ui.kit.ids import PromptId
from llm_ui.kit.text import one_line, storable
from llm_ui.models import SystemPrompt
from llm_ui.services import audit
from llm_ui.services.access import Actor, Permission, readable, require

MAX_NAME_CHARS = 100
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
    query = readable(SystemPrompt, actor)
    chosen = await session.scalar(query.where(SystemPrompt.id == prompt_id)) if prompt_id else None
    if chosen is None:
        default = query.where(SystemPrompt.is_default, SystemPrompt.owner_id.is_(None)).order_by(SystemPrompt.id)
        chosen = await session.scalar(default.limit(1))
    return None if chosen is None else _info(chosen)


async def set_default(session: Session, actor: Actor, prompt_id: PromptId | None) -> None:
    """Make the prompt the one new chats start with; None: they start without. Raises `NotFound`."""
    require(actor, Permission.MANAGE_SETTINGS)
    chosen = None if prompt_id is None else await _row(session, actor, prompt_id)
    was_default = SystemPrompt.owner_id.is_(None), SystemPrompt.is_default
    await session.execute(update(SystemPrompt).where(*was_default).values(is_default=False))
    if chosen is not None:
        chosen.is_default = True
    await audit.record(session, actor, "prompt.default_set", "none" if chosen is None else chosen.name)


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
    row.text = words
    await audit.record(session, actor, "prompt.changed", one_line(row.name, MAX_NAME_CHARS))


async def _row(session: Session, actor: Actor, prompt_id: PromptId) -> SystemPrompt:
    query = readable(SystemPrompt, actor).where(SystemPrompt.id == prompt_id, SystemPrompt.owner_id.is_(None))
    row = await session.scalar(query.with_for_update().execution_options(populate_existing=True))
    if row is None:
        raise NotFound("These instructions do not exist any more. Reload the page.")
    return row


def _info(row: SystemPrompt) -> PromptInfo:
    return PromptInfo(row.id, row.name, row.text, row.is_default, row.updated_at)
