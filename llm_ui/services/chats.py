"""Chats of a person: list, open, rename, bin."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import get_args

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlalchemy import delete as sql_delete

from llm_ui.contract.steps import ToolName
from llm_ui.db import ReadSession, Session
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import AgentId, ChatId, ModelId, ProjectId, PromptId
from llm_ui.kit.text import one_line
from llm_ui.models import LIVE_STATUSES, ChatHistory, Project, Run
from llm_ui.services.access import Actor, readable
from llm_ui.services.holds import require_free

MAX_TITLE_CHARS = 200
PAGE_SIZE = 50
MAX_PINNED = 50
TOOL_NAMES: tuple[ToolName, ...] = get_args(ToolName)


class Shelf(StrEnum):
    """Where a chat lies."""

    OPEN = "open"
    ARCHIVE = "archive"
    BIN = "bin"


@dataclass(frozen=True, slots=True)
class ChatCursor:
    """Where a page of chats ended; the next one begins after it."""

    last_message_at: datetime
    id: ChatId


@dataclass(frozen=True, slots=True)
class ChatSummary:
    """A chat as the sidebar shows it."""

    id: ChatId
    title: str
    last_message_at: datetime
    is_answering: bool
    is_pinned: bool
    project_id: ProjectId | None


@dataclass(frozen=True, slots=True)
class ChatPage:
    """Some chats, newest first."""

    items: tuple[ChatSummary, ...]
    next: ChatCursor | None


@dataclass(frozen=True, slots=True)
class ChatInfo:
    """A chat as scripts are told of it."""

    id: ChatId
    title: str
    project_id: ProjectId | None
    model_id: ModelId | None
    agent_id: AgentId | None
    temperature: float | None
    max_tokens: int | None
    pinned_at: datetime | None
    archived_at: datetime | None
    created_at: datetime
    last_message_at: datetime


@dataclass(frozen=True, slots=True)
class ChatDetail:
    """An open chat without its messages."""

    id: ChatId
    title: str
    model_id: ModelId | None
    temperature: float | None
    max_tokens: int | None
    system_prompt_id: PromptId | None
    project_id: ProjectId | None
    agent_id: AgentId | None = None
    """Who answers in it; the agent may be gone."""
    tools_off: frozenset[ToolName] = frozenset()
    """Tools that models may not use in it."""


async def list_chats(
    session: ReadSession,
    actor: Actor,
    *,
    shelf: Shelf = Shelf.OPEN,
    project_id: ProjectId | None = None,
    after: ChatCursor | None = None,
    limit: int = PAGE_SIZE,
) -> ChatPage:
    """Return a page of the actor's chats on a shelf, the one written to last first; pinned ones lead the first page.

    With `project_id` only those of the project are listed. Without, those that are open and in a project are left out
    unless they are pinned; of an archived project those as well.
    """
    on_shelf = _on_shelf(actor, shelf)
    if project_id is not None:
        on_shelf = on_shelf.where(ChatHistory.project_id == project_id)
    found: list[ChatSummary] = []
    if shelf is Shelf.OPEN and after is None:
        pinned = _summaries(on_shelf.where(ChatHistory.pinned_at.is_not(None))).limit(MAX_PINNED)
        if project_id is None:
            archived = readable(Project, actor).where(Project.archived_at.is_not(None)).with_only_columns(Project.id)
            pinned = pinned.where(or_(ChatHistory.project_id.is_(None), ChatHistory.project_id.not_in(archived)))
        found = [ChatSummary(*row) for row in await session.execute(pinned)]
    query = _summaries(on_shelf.where(ChatHistory.pinned_at.is_(None))).limit(limit + 1)
    if shelf is Shelf.OPEN and project_id is None:
        query = query.where(ChatHistory.project_id.is_(None))
    if after is not None:
        query = query.where(_is_older(after))
    rows = [ChatSummary(*row) for row in await session.execute(query)]
    items = rows[:limit]
    more = ChatCursor(items[-1].last_message_at, items[-1].id) if len(rows) > limit else None
    return ChatPage((*found, *items), more)


async def list_everywhere(
    session: ReadSession,
    actor: Actor,
    *,
    project_id: ProjectId | None = None,
    is_archived: bool = False,
    after: ChatCursor | None = None,
    limit: int = PAGE_SIZE,
) -> tuple[tuple[ChatInfo, ...], ChatCursor | None]:
    """Return a page of the actor's chats, in projects or not, the one written to last first; and where it ends."""
    query = _on_shelf(actor, Shelf.ARCHIVE if is_archived else Shelf.OPEN)
    if project_id is not None:
        query = query.where(ChatHistory.project_id == project_id)
    if after is not None:
        query = query.where(_is_older(after))
    newest_first = query.order_by(ChatHistory.last_message_at.desc(), ChatHistory.id.desc())
    rows = (await session.scalars(newest_first.limit(limit + 1))).all()
    items = tuple(map(_info, rows[:limit]))
    return items, ChatCursor(items[-1].last_message_at, items[-1].id) if len(rows) > limit else None


async def read_info(session: ReadSession, actor: Actor, chat_id: ChatId) -> ChatInfo:
    """Return a chat of the actor. Raises `NotFound`."""
    return _info(await chat_row(session, actor, chat_id))


def _info(row: ChatHistory) -> ChatInfo:
    return ChatInfo(**{name: getattr(row, name) for name in ChatInfo.__dataclass_fields__})


def _is_older(after: ChatCursor) -> ColumnElement[bool]:
    is_same_instant = and_(ChatHistory.last_message_at == after.last_message_at, ChatHistory.id < after.id)
    return or_(ChatHistory.last_message_at < after.last_message_at, is_same_instant)


def _on_shelf(actor: Actor, shelf: Shelf) -> Select[ChatHistory]:
    if shelf is Shelf.BIN:
        # rights: the owner's own; what `readable()` leaves out is just what is asked for
        return select(ChatHistory).where(ChatHistory.user_id == actor.user_id, ChatHistory.deleted_at.is_not(None))
    is_archived = ChatHistory.archived_at.is_not(None)
    return readable(ChatHistory, actor).where(is_archived if shelf is Shelf.ARCHIVE else ~is_archived)


def _summaries(query: Select[ChatHistory]) -> Select[ChatId, str, datetime, bool, bool, ProjectId | None]:
    # rights: runs of the chats of a query that was asked for them
    is_answering = (
        select(Run.id).where(Run.chat_id == ChatHistory.id, Run.status.in_(LIVE_STATUSES)).exists().label("answering")
    )
    is_pinned = ChatHistory.pinned_at.is_not(None)
    columns = (ChatHistory.id, ChatHistory.title, ChatHistory.last_message_at, is_answering, is_pinned)
    return query.with_only_columns(*columns, ChatHistory.project_id).order_by(
        ChatHistory.last_message_at.desc(), ChatHistory.id.desc()
    )


async def open_chat(session: ReadSession, actor: Actor, chat_id: ChatId) -> ChatDetail:
    """Return a chat of the actor. Raises `NotFound`, for somebody else's chat too."""
    row = await chat_row(session, actor, chat_id)
    return ChatDetail(
        row.id,
        row.title,
        row.model_id,
        row.temperature,
        row.max_tokens,
        row.system_prompt_id,
        row.project_id,
        row.agent_id,
        frozenset(name for name in TOOL_NAMES if name in (row.tools_off or ())),
    )


async def choose_tools(session: Session, actor: Actor, chat_id: ChatId, off: Collection[ToolName]) -> None:
    """Let models use all tools but these in a chat. Raises `NotFound`."""
    row = await chat_row(session, actor, chat_id)
    row.tools_off = sorted(off)


async def rename(session: Session, actor: Actor, chat_id: ChatId, title: str) -> str:
    """Give a chat a title of the person's own; return it as stored."""
    row = await chat_row(session, actor, chat_id)
    title = one_line(title, MAX_TITLE_CHARS)
    if not title:
        raise InvalidInput("A chat needs a title of at least one character.")
    row.title, row.is_title_automatic = title, False
    return title


async def replace_title(session: Session, actor: Actor, chat_id: ChatId, old: str, title: str) -> bool:
    """Give a chat a better automatic title; return False when its person, or somebody before, gave it another one."""
    # Not read before: who renames it at the same moment wins.
    automatic = update(ChatHistory).where(
        ChatHistory.id == chat_id,
        ChatHistory.user_id == actor.user_id,
        ChatHistory.is_title_automatic,
        ChatHistory.title == old,
    )
    title = one_line(title, MAX_TITLE_CHARS)
    return await session.scalar(automatic.values(title=title).returning(ChatHistory.id)) is not None


async def pin(session: Session, actor: Actor, chat_id: ChatId, *, is_pinned: bool) -> None:
    """Keep a chat at the top of the list, or no longer. Raises `InvalidInput` when too many are there already."""
    row = await chat_row(session, actor, chat_id)
    pinned = readable(ChatHistory, actor).where(ChatHistory.pinned_at.is_not(None), ChatHistory.id != chat_id)
    count = await session.scalar(select(func.count()).select_from(pinned.subquery())) or 0
    if is_pinned and count >= MAX_PINNED:
        raise InvalidInput("{most} chats are pinned, which is the most. Unpin one first.", most=MAX_PINNED)
    row.pinned_at = now() if is_pinned else None


async def archive(session: Session, actor: Actor, chat_id: ChatId, *, is_archived: bool) -> None:
    """Put a chat away, or take it back into the list. It can be opened and found all the same."""
    row = await chat_row(session, actor, chat_id)
    row.archived_at = now() if is_archived else None
    row.pinned_at = None


async def purge(session: Session, actor: Actor, chat_id: ChatId) -> None:
    """Delete a chat that is in the bin for good. Raises `NotFound` when it is not there, `Conflict` while on hold."""
    # rights: the actor's own; not `readable`, for what is in the bin is what that leaves out
    is_it = ChatHistory.id == chat_id, ChatHistory.user_id == actor.user_id, ChatHistory.deleted_at.is_not(None)
    project_id = await session.scalar(select(ChatHistory.project_id).where(*is_it))
    await require_free(session, user_id=actor.user_id, project_id=project_id)
    binned = sql_delete(ChatHistory).where(*is_it)
    if await session.scalar(binned.returning(ChatHistory.id)) is None:
        raise _not_found()


async def delete(session: Session, actor: Actor, chat_id: ChatId) -> None:
    """Put a chat into the bin. A running answer is asked to stop."""
    row = await chat_row(session, actor, chat_id)
    row.deleted_at = now()
    live = update(Run).where(Run.chat_id == row.id, Run.status.in_(LIVE_STATUSES))
    await session.execute(live.values(stop_requested_at=now()))


async def restore(session: Session, actor: Actor, chat_id: ChatId) -> None:
    """Take a chat back out of the bin. Raises `NotFound` when it is not there."""
    # Not `readable`: what is in the bin is what that leaves out.
    binned = update(ChatHistory).where(
        ChatHistory.id == chat_id, ChatHistory.user_id == actor.user_id, ChatHistory.deleted_at.is_not(None)
    )
    if await session.scalar(binned.values(deleted_at=None).returning(ChatHistory.id)) is None:
        raise _not_found()


async def set_options(
    session: Session,
    actor: Actor,
    chat_id: ChatId,
    *,
    temperature: float | None,
    max_tokens: int | None,
) -> None:
    """Keep how the chat's next questions are asked."""
    row = await chat_row(session, actor, chat_id)
    row.temperature, row.max_tokens = temperature, max_tokens


async def chat_row(session: ReadSession, actor: Actor, chat_id: ChatId) -> ChatHistory:
    """Return the row of a chat the actor may see. Raises `NotFound`."""
    row = await session.scalar(readable(ChatHistory, actor).where(ChatHistory.id == chat_id))
    if row is None:
        raise _not_found()
    return row


def _not_found() -> NotFound:
    return NotFound("This chat does not exist, or it is not yours. Pick one from the list.")
