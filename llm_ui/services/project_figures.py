"""What is in a project and what was used in it, in numbers."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import InstrumentedAttribute

from llm_ui.db import ReadSession
from llm_ui.kit.ids import ProjectId
from llm_ui.models import ChatHistory, ChatMessage, Document, MessageRole, UsageLog, UserMemory
from llm_ui.services.access import Actor, readable
from llm_ui.services.projects import require_project


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a project, of all its members: documents and facts go with it, chats stay."""

    documents: int
    size_bytes: int
    """Of the documents."""
    facts: int
    chats: int


@dataclass(frozen=True, slots=True)
class Used:
    """What all members wrote in a project, and what models used for it."""

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
    # rights: sums only, of a project of which the actor is a member
    said = select(func.count(ChatMessage.chat_id.distinct()), func.count()).join(
        ChatHistory, ChatHistory.id == ChatMessage.chat_id
    )
    is_there = ChatHistory.project_id == project_id, ChatHistory.deleted_at.is_(None), ChatMessage.deleted_at.is_(None)
    counts = said.where(*is_there, ChatMessage.role != MessageRole.NOTE, _since(ChatMessage.created_at, since))
    booked = UsageLog.project_id == project_id, _since(UsageLog.created_at, since)
    tokens = func.sum(UsageLog.input_tokens), func.sum(UsageLog.output_tokens)
    sums = select(*tokens, func.sum(UsageLog.cost_usd)).where(*booked)
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
    # rights: counts only, of a project of which the actor is a member
    facts = select(func.count()).where(UserMemory.project_id == project_id)
    chats = select(func.count()).where(ChatHistory.project_id == project_id, ChatHistory.deleted_at.is_(None))
    return Contents(
        documents=count,
        size_bytes=int(size or 0),
        facts=await session.scalar(facts) or 0,
        chats=await session.scalar(chats) or 0,
    )
