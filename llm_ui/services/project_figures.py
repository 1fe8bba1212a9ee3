"""What is in a project and what was used in it, in numbers."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, func, true
from sqlalchemy.orm import InstrumentedAttribute

from llm_ui.db import ReadSession
from llm_ui.kit.ids import ProjectId
from llm_ui.models import ChatHistory, ChatMessage, Document, MessageRole, UsageLog, UserMemory
from llm_ui.services.access import Actor, readable
from llm_ui.services.projects import require_project


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a project: documents and facts go with it, chats stay."""

    documents: int
    size_bytes: int
    """Of the documents."""
    facts: int
    chats: int


@dataclass(frozen=True, slots=True)
class Used:
    """What was written in a project, and what models used for it."""

    chats: int
    """In which something was written."""
    messages: int
    """Of people and models; in chats that are there now."""
    tokens: int
    """Sent and received, as it was booked: what chats used that are gone or elsewhere by now stays."""
    cost_usd: Decimal | None
    """None: no price is known for anything that was used."""


async def used(session: ReadSession, actor: Actor, project_id: ProjectId, since: datetime | None = None) -> Used:
    """Return what was used in a project, in all or since an instant. Raises `NotFound`."""
    await require_project(session, actor, project_id)
    kept_in = readable(ChatHistory, actor).where(ChatHistory.project_id == project_id)
    said = readable(ChatMessage, actor).where(ChatMessage.role != MessageRole.NOTE)
    said = said.where(ChatMessage.chat_id.in_(kept_in.with_only_columns(ChatHistory.id)))
    counts = said.where(_since(ChatMessage.created_at, since)).with_only_columns(
        func.count(ChatMessage.chat_id.distinct()), func.count()
    )
    booked = readable(UsageLog, actor).where(UsageLog.project_id == project_id, _since(UsageLog.created_at, since))
    sums = booked.with_only_columns(
        func.sum(UsageLog.input_tokens), func.sum(UsageLog.output_tokens), func.sum(UsageLog.cost_usd)
    )
    chats, messages = (await session.execute(counts)).one()
    sent, received, cost_usd = (await session.execute(sums)).one()
    return Used(chats, messages, int(sent or 0) + int(received or 0), cost_usd)


def _since(column: InstrumentedAttribute[datetime], since: datetime | None) -> ColumnElement[bool]:
    return true() if since is None else column >= since


async def contents(session: ReadSession, actor: Actor, project_id: ProjectId) -> Contents:
    """Return what is in a project; chats in the bin are not counted. Raises `NotFound`."""
    await require_project(session, actor, project_id)
    documents = readable(Document, actor).where(Document.project_id == project_id)
    figures = documents.with_only_columns(func.count(), func.sum(Document.size_bytes))
    count, size = (await session.execute(figures)).one()
    facts = readable(UserMemory, actor).where(UserMemory.project_id == project_id)
    chats = readable(ChatHistory, actor).where(ChatHistory.project_id == project_id)
    return Contents(
        documents=count,
        size_bytes=int(size or 0),
        facts=await session.scalar(facts.with_only_columns(func.count())) or 0,
        chats=await session.scalar(chats.with_only_columns(func.count())) or 0,
    )
