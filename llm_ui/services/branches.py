"""The tree of a chat's messages: what stands beside each other, what is shown, what is taken away.

A note belongs to the question after it, so questions are siblings when they follow the same message, notes left out.
"""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import aliased

from llm_ui.contract import MAX_PROMPT_CHARS
from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, InvalidInput, NotFound, TooLarge
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ChatId, MessageId, uuid7
from llm_ui.kit.text import one_line, storable
from llm_ui.models import (
    LIVE_STATUSES,
    ChatHistory,
    ChatMessage,
    MessageOrigin,
    MessageRole,
    MessageStatus,
    Run,
)
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.attachments import copy_attachments
from llm_ui.services.chats import MAX_TITLE_CHARS, chat_row
from llm_ui.services.projects import require_open

Place = tuple[MessageRole, MessageId | None]
"""Where messages stand beside each other: their role, and what they follow, notes left out."""


async def siblings(
    session: ReadSession, actor: Actor, chat_id: ChatId, shown: Sequence[ChatMessage]
) -> dict[MessageId, tuple[MessageId, ...]]:
    """Return, for each message shown that has siblings, all of them in the order they were written, itself among them.

    `shown` is a stretch of one branch. Two queries, however long it is.
    """
    by_id = {message.id: message for message in shown}
    notes = {message.id: message.parent_id for message in shown if message.role is MessageRole.NOTE}
    if shown and (first := min(shown, key=lambda message: message.position)).role is MessageRole.USER:
        before = await session.get(ChatMessage, first.parent_id) if first.parent_id else None  # rights: same chat
        if before is not None and before.role is MessageRole.NOTE:
            notes[before.id] = before.parent_id
    above = {notes.get(m.parent_id, m.parent_id) if m.parent_id else None for m in by_id.values()}
    mine = readable(ChatMessage, actor).where(ChatMessage.chat_id == chat_id)
    columns = mine.with_only_columns(ChatMessage.id, ChatMessage.parent_id, ChatMessage.role, ChatMessage.position)
    follows = or_(
        ChatMessage.parent_id.in_(above - {None}), *([ChatMessage.parent_id.is_(None)] if None in above else [])
    )
    found = (await session.execute(columns.where(follows).order_by(ChatMessage.position))).all()
    more_notes = {row.id: row.parent_id for row in found if row.role is MessageRole.NOTE}
    if more_notes:
        behind = columns.where(ChatMessage.parent_id.in_(more_notes)).order_by(ChatMessage.position)
        found = [*found, *(await session.execute(behind)).all()]
    places: dict[Place, list[MessageId]] = defaultdict(list)
    for row in sorted(found, key=lambda row: row.position):
        if row.role is not MessageRole.NOTE:
            places[row.role, more_notes.get(row.parent_id, row.parent_id)].append(row.id)
    return {
        message_id: tuple(together)
        for together in places.values()
        for message_id in together
        if message_id in by_id and len(together) > 1
    }


async def show(session: Session, actor: Actor, message_id: MessageId) -> ChatId:
    """Let the chat show the branch of a message, as far as it was written last. Raises `NotFound`, `Conflict`."""
    message = await _message(session, actor, message_id)
    chat = await _quiet_chat(session, actor, message.chat_id)
    chat.active_leaf_id = await _newest_below(session, message)
    return chat.id


async def is_shown(session: ReadSession, actor: Actor, message_id: MessageId) -> bool:
    """Return whether a message is on the branch that its chat shows. Raises `NotFound`."""
    message = await _message(session, actor, message_id)
    chat = await chat_row(session, actor, message.chat_id)
    # rights: both were read through readable()
    above = select(ChatMessage.id, ChatMessage.parent_id).where(ChatMessage.id == chat.active_leaf_id)
    above_it = above.cte("shown", recursive=True)
    before = aliased(ChatMessage)
    onward = select(before.id, before.parent_id).where(before.id == above_it.c.parent_id, above_it.c.id != message_id)
    walk = above_it.union_all(onward)
    return await session.scalar(select(walk.c.id).where(walk.c.id == message_id)) is not None


async def edit_answer(session: Session, actor: Actor, answer_id: MessageId, text: str) -> ChatId:
    """Put an answer in other words beside the model's own. Raises `NotFound`, `InvalidInput` and `TooLarge`."""
    require(actor, Permission.CHAT)
    answer = await _message(session, actor, answer_id)
    if answer.role is not MessageRole.ASSISTANT:
        raise InvalidInput("Only an answer can be rewritten; edit a question to ask it anew.")
    chat = await _quiet_chat(session, actor, answer.chat_id)
    text = storable(text).strip("\n")
    if not text.strip():
        raise InvalidInput("The answer would be empty. Delete it instead.")
    if len(text) > MAX_PROMPT_CHARS:
        raise TooLarge(
            "The answer has {count} characters; {most} are the most. Shorten it.",
            count=len(text),
            most=MAX_PROMPT_CHARS,
        )
    edited = ChatMessage(
        id=MessageId(uuid7()),
        chat_id=chat.id,
        parent_id=answer.parent_id,
        position=chat.next_position,
        role=MessageRole.ASSISTANT,
        status=MessageStatus.COMPLETE,
        text=text,
        origin=MessageOrigin.EDIT,
        citations=answer.citations,
    )
    chat.next_position += 1
    chat.active_leaf_id = edited.id
    session.add(edited)
    return chat.id


async def delete(session: Session, actor: Actor, message_id: MessageId) -> tuple[MessageId, ...]:
    """Take an answer away, or a question with its answers; what follows stays. Returns what went, for `restore`.

    Of an answer with siblings another one is shown. Raises `NotFound` and `Conflict`.
    """
    message = await _message(session, actor, message_id)
    chat = await _quiet_chat(session, actor, message.chat_id)
    gone = [message]
    beside = readable(ChatMessage, actor).where(ChatMessage.role == MessageRole.ASSISTANT)
    if message.role is MessageRole.USER:
        gone += await session.scalars(beside.where(ChatMessage.parent_id == message.id))
    elif message.role is MessageRole.ASSISTANT and message.parent_id is not None:
        others = beside.where(ChatMessage.parent_id == message.parent_id, ChatMessage.id != message.id)
        other = await session.scalar(others.order_by(ChatMessage.position.desc()).limit(1))
        if other is not None:
            chat.active_leaf_id = await _newest_below(session, other)
    instant = now()
    for each in gone:
        each.deleted_at = instant
    return tuple(each.id for each in gone)


async def restore(session: Session, actor: Actor, message_ids: Sequence[MessageId]) -> None:
    """Take deleted messages back. Those of somebody else, or of a chat in the bin, stay as they are."""
    require(actor, Permission.CHAT)
    mine = readable(ChatHistory, actor).with_only_columns(ChatHistory.id)
    back = update(ChatMessage).where(ChatMessage.id.in_(message_ids), ChatMessage.chat_id.in_(mine))
    await session.execute(back.values(deleted_at=None))


async def branch_off(session: Session, actor: Actor, message_id: MessageId) -> ChatId:
    """Begin a new chat with what was said up to a message, and return it. Raises `NotFound` and `Conflict`."""
    require(actor, Permission.CHAT)
    last = await _message(session, actor, message_id)
    source = await chat_row(session, actor, last.chat_id)
    await require_open(session, actor, source.project_id)
    chat = ChatHistory(
        id=ChatId(uuid7()),
        user_id=actor.user_id,
        title=one_line(f"{source.title} (branch)", MAX_TITLE_CHARS),
        is_title_automatic=False,
        model_id=source.model_id,
        system_prompt_id=source.system_prompt_id,
        project_id=source.project_id,
        temperature=source.temperature,
        max_tokens=source.max_tokens,
        tools_off=source.tools_off,
        last_message_at=now(),
    )
    session.add(chat)
    await session.flush()
    parent: MessageId | None = None
    copies: dict[MessageId, MessageId] = {}
    for position, original in enumerate(await _path(session, last)):
        copied = ChatMessage(
            id=MessageId(uuid7()),
            chat_id=chat.id,
            parent_id=parent,
            position=position,
            role=original.role,
            status=MessageStatus.COMPLETE if original.status is MessageStatus.STREAMING else original.status,
            text=original.text,
            reasoning=original.reasoning,
            origin=MessageOrigin.COPY,
            model_name=original.model_name,
            citations=original.citations,
            steps=original.steps,
            created_at=original.created_at,
        )
        session.add(copied)
        await session.flush()
        parent, chat.active_leaf_id, chat.next_position = copied.id, copied.id, position + 1
        copies[original.id] = copied.id
    await copy_attachments(session, copies)
    return chat.id


async def _message(session: ReadSession, actor: Actor, message_id: MessageId) -> ChatMessage:
    found = await session.scalar(readable(ChatMessage, actor).where(ChatMessage.id == message_id))
    if found is None:
        raise NotFound("This message does not exist any more. Reload the chat.")
    return found


async def _quiet_chat(session: Session, actor: Actor, chat_id: ChatId) -> ChatHistory:
    """Return the chat's row. Raises `Conflict` while an answer is being written in it."""
    chat = await chat_row(session, actor, chat_id)
    runs = readable(Run, actor).with_only_columns(Run.id).where(Run.chat_id == chat_id, Run.status.in_(LIVE_STATUSES))
    if await session.scalar(runs.limit(1)) is not None:
        raise Conflict("An answer is being written in this chat. Stop it or wait for its end, then do this again.")
    return chat


async def _newest_below(session: ReadSession, message: ChatMessage) -> MessageId:
    """Return the message written last of those that follow on this one, itself when there is none."""
    # rights: the caller has read the message through readable()
    below = select(ChatMessage.id, ChatMessage.position).where(ChatMessage.id == message.id).cte(recursive=True)
    next_one = aliased(ChatMessage)
    follows = and_(next_one.parent_id == below.c.id, next_one.deleted_at.is_(None))
    below = below.union_all(select(next_one.id, next_one.position).join(below, follows))
    newest = select(below.c.id).order_by(below.c.position.desc()).limit(1)
    return MessageId((await session.execute(newest)).scalar_one())


async def _path(session: ReadSession, last: ChatMessage) -> list[ChatMessage]:
    """Return the messages from the chat's first one to this one, deleted ones left out."""
    # rights: the caller has read the message through readable()
    above = select(ChatMessage.id, ChatMessage.parent_id).where(ChatMessage.id == last.id).cte(recursive=True)
    before = aliased(ChatMessage)
    above = above.union_all(select(before.id, before.parent_id).join(above, before.id == above.c.parent_id))
    rows = select(ChatMessage).join(above, above.c.id == ChatMessage.id).where(ChatMessage.deleted_at.is_(None))
    return list(await session.scalars(rows.order_by(ChatMessage.position)))
