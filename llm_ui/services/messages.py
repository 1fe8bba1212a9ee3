"""The messages of a chat's active branch, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, bindparam, literal, select
from sqlalchemy.orm import aliased, defer

from llm_ui.db import ReadSession
from llm_ui.errors import NotFound
from llm_ui.kit.ids import AgentId, ChatId, MessageId, ModelId, RunId
from llm_ui.models import (
    ChatHistory,
    ChatMessage,
    MessageOrigin,
    MessageRole,
    MessageStatus,
    Run,
    RunStatus,
    UsageSource,
)
from llm_ui.services.access import Actor, readable
from llm_ui.services.attachments import AttachmentInfo, attachments_of
from llm_ui.services.branches import siblings
from llm_ui.services.chats import chat_row
from llm_ui.services.feedback import Feedback, feedback_of

PAGE_SIZE = 50
AFTER = 20
"""Messages shown after one that was looked for."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run as the chat shows it under its answer."""

    id: RunId
    status: RunStatus
    model_id: ModelId | None
    model_name: str
    provider_name: str
    auto_name: str
    """The *Auto* model that has picked it; empty: the person has."""
    instead_of: str
    """The model that was asked first and did not answer; empty: the one above was."""
    broke_off: bool
    """Whether that one had begun to answer."""
    limit_note: str
    """What limits made of the question; empty: nothing."""
    warned: str
    """Kinds of filters that found what the person is to know of, with commas between."""
    agent_id: AgentId | None
    agent_name: str
    """Empty: the model alone."""
    input_tokens: int | None
    output_tokens: int | None
    usage_source: UsageSource | None
    cost_usd: Decimal | None
    cached_at: datetime | None
    """When the answer was made, where one was there already."""
    similarity: float | None
    """The cosine with the question that it was the answer to; None: it was the very same."""
    similar_to: str
    """That question, where it was the same person's in the same project."""
    ttft_ms: float | None
    reasoning_ms: float | None
    total_ms: float | None
    tokens_per_second: float | None
    error_code: str | None
    error_message: str | None
    finish_reason: str | None
    follow_ups: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message; `run` is there on answers."""

    id: MessageId
    role: MessageRole
    status: MessageStatus
    text: str
    reasoning: str
    created_at: datetime
    run: RunSummary | None
    origin: MessageOrigin = MessageOrigin.CHAT
    model_name: str = ""
    """Of an imported answer."""
    siblings: tuple[MessageId, ...] = ()
    """Messages that stand in the same place, this one among them, oldest first; empty when there is no other."""
    feedback: Feedback | None = None
    attachments: tuple[AttachmentInfo, ...] = ()
    """Of a question, in their order."""
    steps: tuple[dict[str, Any], ...] = ()
    """Tools that were used for an answer, each a `Step` of llm_ui/contract/steps.py."""
    sources: tuple[dict[str, Any], ...] | None = None
    """What an answer may cite, each a `Source` of llm_ui/contract; None outside of projects with documents."""


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said."""

    role: MessageRole
    text: str


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Some messages of the active branch, oldest first."""

    items: tuple[MessageView, ...]
    has_older: bool
    has_newer: bool = False


async def read_messages(
    session: ReadSession, actor: Actor, chat_id: ChatId, *, before: MessageId | None = None, limit: int = PAGE_SIZE
) -> MessagePage:
    """Return the last messages of the active branch, or those before a message of it. Raises `NotFound`."""
    chat = await chat_row(session, actor, chat_id)
    start = chat.active_leaf_id
    if before is not None:
        start = await session.scalar(
            readable(ChatMessage, actor)
            .with_only_columns(ChatMessage.parent_id)
            .where(ChatMessage.id == before, ChatMessage.chat_id == chat_id)
        )
    rows, has_older = await _visible(session, start, limit)
    views = await _views(session, actor, chat_id, rows)
    return MessagePage(tuple(reversed(views)), has_older)


async def read_around(session: ReadSession, actor: Actor, chat_id: ChatId, message_id: MessageId) -> MessagePage | None:
    """Return the messages around one of the active branch; None when it is not on it. Raises `NotFound`."""
    chat = await chat_row(session, actor, chat_id)
    if chat.active_leaf_id is None:
        return None
    # rights: the chat was read through readable()
    start = select(ChatMessage.id, ChatMessage.parent_id, literal(0).label("depth"))
    walk = start.where(ChatMessage.id == chat.active_leaf_id).cte("above", recursive=True)
    before = aliased(ChatMessage)
    onward = select(before.id, before.parent_id, walk.c.depth + 1).where(before.id == walk.c.parent_id)
    walk = walk.union_all(onward.where(walk.c.id != message_id))
    depth = select(walk.c.depth).where(walk.c.id == message_id).scalar_subquery()
    first = select(walk.c.id).where(walk.c.depth >= depth - AFTER).order_by(walk.c.depth).limit(1)
    newest = await session.scalar(first)
    if newest is None:
        return None
    rows, has_older = await _visible(session, newest, PAGE_SIZE)
    views = await _views(session, actor, chat_id, rows)
    return MessagePage(tuple(reversed(views)), has_older, has_newer=newest != chat.active_leaf_id)


async def _visible(session: ReadSession, start: MessageId | None, limit: int) -> tuple[list[ChatMessage], bool]:
    """Return the messages from `start` up, newest first, that are not deleted; and whether there are older ones."""
    visible: list[ChatMessage] = []
    while start is not None and not visible:
        rows = await branch(session, start, limit + 1)
        visible = [row for row in rows[:limit] if row.deleted_at is None]
        start = rows[limit].id if len(rows) > limit else None
    return visible, start is not None


async def _views(session: ReadSession, actor: Actor, chat_id: ChatId, rows: list[ChatMessage]) -> list[MessageView]:
    answers = [row.id for row in rows if row.role is MessageRole.ASSISTANT]
    runs = await _runs_of(session, actor, answers)
    rated = await feedback_of(session, actor, answers)
    beside = await siblings(session, actor, chat_id, rows)
    files = await attachments_of(session, [row.id for row in rows if row.role is MessageRole.USER])
    views = [_view(row, runs.get(row.id), beside.get(row.id, ()), rated.get(row.id)) for row in rows]
    return [replace(view, attachments=files[view.id]) if view.id in files else view for view in views]


async def read_message(
    session: ReadSession, actor: Actor, message_id: MessageId, chat_id: ChatId | None = None
) -> MessageView:
    """Return one message, of this chat where one is named. Raises `NotFound`, for somebody else's too."""
    row = await session.scalar(readable(ChatMessage, actor).where(ChatMessage.id == message_id))
    if row is None or chat_id not in (None, row.chat_id):
        raise NotFound("This message does not exist any more. Reload the chat.")
    (view,) = await _views(session, actor, row.chat_id, [row])
    return view


async def last_said(
    session: ReadSession,
    actor: Actor,
    *,
    chat_id: ChatId | None = None,
    message_id: MessageId | None = None,
    most: int,
) -> tuple[Said, ...]:
    """Return what was said up to a message, itself among it, or to the end of a chat, newest first.

    Of so many messages at most, notes and deleted ones counted.
    """
    if chat_id is not None:
        query = readable(ChatHistory, actor).where(ChatHistory.id == chat_id)
        leaf = await session.scalar(query.with_only_columns(ChatHistory.active_leaf_id))
    else:
        query_message = readable(ChatMessage, actor).where(ChatMessage.id == message_id)
        leaf = await session.scalar(query_message.with_only_columns(ChatMessage.id))
    if leaf is None:
        return ()
    # rights: the leaf was read through readable()
    rows = await branch(session, leaf, most, has_sources=False)
    spoken = (MessageRole.USER, MessageRole.ASSISTANT)
    return tuple(Said(row.role, row.text) for row in rows if row.role in spoken and row.deleted_at is None)


async def sources_of(session: ReadSession, actor: Actor, answer_id: MessageId) -> list[dict[str, Any]]:
    """Return what an answer cites, each a `Source` of llm_ui/contract; empty for one that is not the actor's."""
    query = readable(ChatMessage, actor).where(ChatMessage.id == answer_id)
    return await session.scalar(query.with_only_columns(ChatMessage.citations)) or []


async def steps_of(
    session: ReadSession, actor: Actor, answers: Sequence[MessageId]
) -> dict[MessageId, list[dict[str, Any]]]:
    """Return the tools that were used for answers of the actor, of those for which any was."""
    query = readable(ChatMessage, actor).where(ChatMessage.id.in_(answers), ChatMessage.role == MessageRole.ASSISTANT)
    rows = await session.execute(query.with_only_columns(ChatMessage.id, ChatMessage.steps))
    return {row.id: row.steps for row in rows if row.steps}


async def read_siblings(session: ReadSession, actor: Actor, message_id: MessageId) -> tuple[MessageView, ...]:
    """Return the answers that stand in the place of one, in the order they were written, itself among them."""
    answers = readable(ChatMessage, actor)
    question = answers.with_only_columns(ChatMessage.parent_id).where(ChatMessage.id == message_id).scalar_subquery()
    beside = answers.where(ChatMessage.parent_id == question, ChatMessage.role == MessageRole.ASSISTANT)
    rows = list(await session.scalars(beside.order_by(ChatMessage.position)))
    return tuple(await _views(session, actor, rows[0].chat_id, rows)) if rows else ()


def _branch() -> Select[ChatMessage]:
    # rights: the leaf was read through the chat, which was read through readable()
    start = select(ChatMessage.id, ChatMessage.parent_id, literal(1).label("depth"))
    walk = start.where(ChatMessage.id == bindparam("leaf")).cte("branch", recursive=True)
    above = aliased(ChatMessage)
    onward = select(above.id, above.parent_id, walk.c.depth + 1).where(above.id == walk.c.parent_id)
    walk = walk.union_all(onward.where(walk.c.depth < bindparam("most")))
    return select(ChatMessage).join(walk, walk.c.id == ChatMessage.id).order_by(walk.c.depth)


BRANCH = _branch()
"""Made once: SQLAlchemy takes longer to put it together than SQLite to run it."""
BRANCH_SAID = BRANCH.options(defer(ChatMessage.citations, raiseload=True))


async def branch(
    session: ReadSession, leaf_id: MessageId, limit: int, *, has_sources: bool = True
) -> list[ChatMessage]:
    """Return a message and those it follows on, newest first, `limit` of them at most, with or without their sources.

    It walks up the tree row by row, so a page costs the same in a long chat as in a short one. The caller has
    checked that the chat is the actor's.
    """
    query = BRANCH if has_sources else BRANCH_SAID
    return list(await session.scalars(query, {"leaf": leaf_id, "most": limit}))


def above(first: MessageId, after: MessageId | None, limit: int) -> Select[ChatMessage]:
    """Return the query for the messages that lead to one, itself left out: the oldest ones after `after`, in order.

    The caller has checked that the chat is the actor's.
    """
    # rights: the message was read through the chat, which was read through readable()
    start = select(ChatMessage.id, ChatMessage.parent_id, literal(0).label("depth")).where(ChatMessage.id == first)
    walk = start.cte("above", recursive=True)
    before = aliased(ChatMessage)
    onward = select(before.id, before.parent_id, walk.c.depth + 1).where(before.id == walk.c.parent_id)
    walk = walk.union_all(onward if after is None else onward.where(before.id != after))
    query = select(ChatMessage).join(walk, walk.c.id == ChatMessage.id).where(walk.c.depth > 0)
    return query.order_by(walk.c.depth.desc()).limit(limit)


async def _runs_of(session: ReadSession, actor: Actor, answers: list[MessageId]) -> dict[MessageId, Run]:
    if not answers:
        return {}
    query = readable(Run, actor).where(Run.answer_id.in_(answers)).order_by(Run.created_at)
    return {run.answer_id: run for run in await session.scalars(query)}


def _view(row: ChatMessage, run: Run | None, beside: tuple[MessageId, ...], feedback: Feedback | None) -> MessageView:
    return MessageView(
        id=row.id,
        role=row.role,
        status=row.status,
        text=row.text,
        reasoning=row.reasoning,
        created_at=row.created_at,
        run=None if run is None else summary(run),
        origin=row.origin,
        model_name=row.model_name,
        siblings=beside,
        feedback=feedback,
        steps=tuple(row.steps or ()),
        sources=None if row.citations is None else tuple(row.citations),
    )


def summary(run: Run) -> RunSummary:
    """Return what the chat shows of a run."""
    fields: dict[str, Any] = {name: getattr(run, name) for name in RunSummary.__dataclass_fields__}
    return RunSummary(**fields)
