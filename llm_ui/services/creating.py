"""Making things once, however often somebody asks for it with the same id."""

from uuid import UUID

from sqlalchemy import select

from llm_ui.db import ReadSession
from llm_ui.errors import Conflict
from llm_ui.models import Agent, ChatHistory, Project
from llm_ui.services.access import Actor, readable

Made = type[Agent] | type[ChatHistory] | type[Project]


async def is_made(session: ReadSession, actor: Actor, table: Made, thing_id: UUID) -> bool:
    """Return whether this is there already. Raises `Conflict` when it was made and is gone, or out of reach."""
    if await session.scalar(readable(table, actor).where(table.id == thing_id)) is not None:
        return True
    # rights: whether an id is taken, and nothing of what has it
    if await session.scalar(select(table.id).where(table.id == thing_id)) is not None:
        raise Conflict("What was made with this idempotency key is gone. Send a new key.")
    return False
