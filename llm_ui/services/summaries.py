"""Summaries of what was said in a chat up to one of its messages, written by the helper model or by the person."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from llm_ui.db import ReadSession, Session
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.kit.ids import ChatId, MessageId, SummaryId, uuid7
from llm_ui.kit.text import storable
from llm_ui.kit.token_count import estimate
from llm_ui.models import ChatMessage, ChatSummary
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.chats import chat_row

MAX_CHARS = 8_000
"""Of one summary: some two thousand tokens."""
GONE = "This summary does not exist any more. Reload the chat."


@dataclass(frozen=True, slots=True)
class Summary:
    """What was said up to a message."""

    id: SummaryId
    chat_id: ChatId
    upto_id: MessageId
    text: str
    """Empty once its person has removed it."""
    tokens: int
    model_name: str
    is_edited: bool
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class NewSummary:
    """A summary that the helper model has written. `after` is the one it builds on."""

    upto_id: MessageId
    text: str
    model_name: str
    after: Summary | None


async def latest(session: ReadSession, actor: Actor, chat_id: ChatId, leaf: MessageId | None) -> Summary | None:
    """Return the summary that reaches furthest on the branch of a message, if there is one."""
    query = readable(ChatSummary, actor).where(ChatSummary.chat_id == chat_id)
    by_message = {row.upto_id: row for row in await session.scalars(query)}
    if not by_message or leaf is None:
        return None
    # rights: messages of a chat whose summaries were read through readable()
    start = select(ChatMessage.id, ChatMessage.parent_id).where(ChatMessage.id == leaf)
    walk = start.cte("above", recursive=True)
    before = aliased(ChatMessage)
    onward = select(before.id, before.parent_id).where(before.id == walk.c.parent_id)
    walk = walk.union_all(onward.where(walk.c.id.not_in(by_message)))
    found = await session.scalar(select(walk.c.id).where(walk.c.id.in_(by_message)))
    return None if found is None else _info(by_message[found])


async def current(session: ReadSession, actor: Actor, chat_id: ChatId) -> Summary | None:
    """Return the summary of what a chat shows, None when there is none. Raises `NotFound`, for somebody else's too."""
    chat = await chat_row(session, actor, chat_id)
    found = await latest(session, actor, chat_id, chat.active_leaf_id)
    return found if found is not None and found.text else None


async def keep(session: Session, actor: Actor, chat_id: ChatId, new: NewSummary) -> bool:
    """Keep a summary; return False when what it builds on, or its message, is not what it was any more."""
    after = None if new.after is None else await session.get(ChatSummary, new.after.id)  # rights: read for this actor
    if new.after is not None and (after is None or after.updated_at != new.after.updated_at):
        return False
    await chat_row(session, actor, chat_id)
    text = storable(new.text).strip()[:MAX_CHARS]
    try:
        async with session.begin_nested():
            session.add(
                ChatSummary(
                    id=SummaryId(uuid7()),
                    chat_id=chat_id,
                    upto_id=new.upto_id,
                    text=text,
                    tokens=estimate(text),
                    model_name=new.model_name,
                )
            )
    except IntegrityError:
        return False
    return True


async def edit(session: Session, actor: Actor, summary_id: SummaryId, text: str) -> Summary:
    """Put a summary in the person's own words; later ones build on these. Raises `InvalidInput` and `NotFound`."""
    require(actor, Permission.CHAT)
    text = storable(text).strip()
    if not text:
        raise InvalidInput("The summary is empty. Write what matters, or remove it.")
    if len(text) > MAX_CHARS:
        raise InvalidInput(
            "The summary has {count} characters; {most} are the most. Shorten it.", count=len(text), most=MAX_CHARS
        )
    return await _write(session, actor, summary_id, text)


async def remove(session: Session, actor: Actor, summary_id: SummaryId) -> Summary:
    """Let models not be told a summary any more; what it is about is left out from now on. Raises `NotFound`."""
    require(actor, Permission.CHAT)
    return await _write(session, actor, summary_id, "")


async def _write(session: Session, actor: Actor, summary_id: SummaryId, text: str) -> Summary:
    row = await session.scalar(readable(ChatSummary, actor).where(ChatSummary.id == summary_id).with_for_update())
    if row is None:
        raise NotFound(GONE)
    row.text, row.tokens, row.is_edited = text, estimate(text), True
    await session.flush()
    # One that was written while this one was looked at says what it said before.
    newer = await current(session, actor, row.chat_id)
    if newer is not None and newer.id > row.id and not newer.is_edited:
        # rights: found by current() for this actor
        await session.execute(delete(ChatSummary).where(ChatSummary.id == newer.id))
    return _info(row)


def _info(row: ChatSummary) -> Summary:
    return Summary(
        row.id, row.chat_id, row.upto_id, row.text, row.tokens, row.model_name, row.is_edited, row.updated_at
    )
