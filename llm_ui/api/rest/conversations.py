"""Conversations and their messages."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from llm_ui.api.principal import Parts
from llm_ui.api.rest.door import Told, asks
from llm_ui.api.rest.wire import (
    After,
    IdempotencyKey,
    IfMatch,
    Limit,
    Page,
    cursor,
    instant,
    lock_of,
    new_id,
    place,
    require_match,
    tagged,
)
from llm_ui.contract import MAX_ANSWER_TOKENS, MAX_PROMPT_CHARS, MAX_TEMPERATURE
from llm_ui.contract.base import Wire
from llm_ui.db import ReadSession, Session
from llm_ui.kit.ids import ChatId, MessageId, ProjectId
from llm_ui.kit.money import plain
from llm_ui.models import ChatHistory, KeyScope, MessageRole, MessageStatus
from llm_ui.services import branches, chats, projects, turns
from llm_ui.services.access import Actor
from llm_ui.services.chats import ChatCursor, ChatInfo
from llm_ui.services.creating import is_made
from llm_ui.services.messages import MessageView, read_message, read_messages

router = APIRouter(prefix="/v1/conversations", route_class=Told)

Reader = Annotated[Actor, asks(KeyScope.CONVERSATIONS_READ)]
Writer = Annotated[Actor, asks(KeyScope.CONVERSATIONS_WRITE)]
Title = Annotated[str, Field(min_length=1, max_length=1_000)]


class NewConversation(Wire):
    """A conversation in which nothing is asked yet."""

    title: Title
    project_id: UUID | None = None
    """Where it is kept; with a key of a project always there."""


class ConversationChange(Wire):
    """What is to be different; what is not named stays as it is."""

    title: Title | None = None
    project_id: UUID | None = None
    """Where it is kept from now on; null: in none."""
    is_pinned: bool | None = None
    is_archived: bool | None = None
    temperature: Annotated[float, Field(ge=0, le=MAX_TEMPERATURE)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=MAX_ANSWER_TOKENS)] | None = None


class Conversation(BaseModel):
    """A conversation without its messages."""

    conversation_id: UUID
    title: str
    project_id: UUID | None
    model_id: UUID | None
    """What is asked next unless another one is named."""
    agent_id: UUID | None
    temperature: float | None
    max_tokens: int | None
    is_pinned: bool
    is_archived: bool
    created_at: datetime
    last_message_at: datetime


class MessageChange(Wire):
    """An answer in other words."""

    text: Annotated[str, Field(max_length=MAX_PROMPT_CHARS)]


class Message(BaseModel):
    """One message."""

    message_id: UUID
    role: MessageRole
    status: MessageStatus
    text: str
    reasoning: str
    created_at: datetime
    siblings: tuple[UUID, ...]
    """Messages that stand in the same place, this one among them; empty when there is no other."""
    run_id: UUID | None
    """Of an answer: how it was made."""
    model_name: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: str | None = None
    error_code: str | None = None
    error_message: str | None = None


@router.get("")
async def list_conversations(
    parts: Parts, actor: Reader, project_id: UUID | None = None, is_archived: bool = False,
    after: After = "", limit: Limit = 50,
) -> Page[Conversation]:  # fmt: skip
    """Return one's conversations, the one written to last first."""
    last = None
    if after:
        last = ChatCursor(*place(after, instant, UUID))
    async with parts.database.reading() as session:
        kept_in = None if project_id is None else ProjectId(project_id)
        await projects.require_project(session, actor, kept_in)
        found, end = await chats.list_everywhere(
            session, actor, project_id=kept_in, is_archived=is_archived, after=last, limit=limit
        )
    following = None if end is None else cursor(end.last_message_at.isoformat(), str(end.id))
    return Page(items=list(map(_view, found)), next=following)


@router.post("", status_code=201)
async def create(
    body: NewConversation, parts: Parts, actor: Writer, response: Response, idempotency_key: IdempotencyKey = None
) -> Conversation:
    """Begin a conversation in which nothing is asked yet."""
    chat_id = ChatId(new_id(actor, "conversation", idempotency_key))
    project_id = actor.wall if body.project_id is None else ProjectId(body.project_id)
    async with parts.database.writing(lock=idempotency_key and f"rest {chat_id}") as session:
        if not await is_made(session, actor, ChatHistory, chat_id):
            await turns.begin_chat(session, actor, chat_id, body.title, project_id)
        return await _read(session, actor, chat_id, response)


@router.get("/{conversation_id}")
async def read(conversation_id: UUID, parts: Parts, actor: Reader, response: Response) -> Conversation:
    """Return a conversation without its messages."""
    async with parts.database.reading() as session:
        return await _read(session, actor, ChatId(conversation_id), response)


@router.patch("/{conversation_id}")
async def change(
    conversation_id: UUID, body: ConversationChange, parts: Parts, actor: Writer, response: Response,
    if_match: IfMatch = "",
) -> Conversation:  # fmt: skip
    """Change a conversation."""
    chat_id = ChatId(conversation_id)
    async with parts.database.writing(lock=lock_of(if_match, chat_id)) as session:
        before = await _read(session, actor, chat_id, response)
        require_match(if_match, before)
        await _change(session, actor, chat_id, body, before)
        return await _read(session, actor, chat_id, response)


@router.delete("/{conversation_id}", status_code=204)
async def delete(
    conversation_id: UUID, parts: Parts, actor: Writer, response: Response, if_match: IfMatch = ""
) -> None:
    """Put a conversation into the bin. An answer that is being written in it is stopped."""
    chat_id = ChatId(conversation_id)
    async with parts.database.writing(lock=lock_of(if_match, chat_id)) as session:
        require_match(if_match, await _read(session, actor, chat_id, response))
        await chats.delete(session, actor, chat_id)


@router.get("/{conversation_id}/messages")
async def list_messages(
    conversation_id: UUID, parts: Parts, actor: Reader, after: After = "", limit: Limit = 50
) -> Page[Message]:
    """Return the messages of the branch that is shown, the newest first."""
    (before,) = place(after, UUID) if after else (None,)
    async with parts.database.reading() as session:
        found = await read_messages(session, actor, ChatId(conversation_id), before=before, limit=limit)
    shown = [_message(one) for one in reversed(found.items)]
    return Page(items=shown, next=cursor(str(shown[-1].message_id)) if found.has_older and shown else None)


@router.get("/{conversation_id}/messages/{message_id}")
async def read_one(conversation_id: UUID, message_id: UUID, parts: Parts, actor: Reader, response: Response) -> Message:
    """Return one message, whatever branch it is on."""
    async with parts.database.reading() as session:
        return tagged(response, await _one(session, actor, conversation_id, message_id))


@router.patch("/{conversation_id}/messages/{message_id}")
async def rewrite(
    conversation_id: UUID, message_id: UUID, body: MessageChange, parts: Parts, actor: Writer, response: Response,
    if_match: IfMatch = "",
) -> Message:  # fmt: skip
    """Put an answer in other words, beside the model's own; return the new one. Questions are asked anew instead."""
    async with parts.database.writing(lock=lock_of(if_match, message_id)) as session:
        require_match(if_match, await _one(session, actor, conversation_id, message_id))
        await branches.edit_answer(session, actor, MessageId(message_id), body.text)
        await session.flush()
        (written,) = (await read_messages(session, actor, ChatId(conversation_id), limit=1)).items
        return tagged(response, _message(written))


@router.delete("/{conversation_id}/messages/{message_id}", status_code=204)
async def remove(conversation_id: UUID, message_id: UUID, parts: Parts, actor: Writer, if_match: IfMatch = "") -> None:
    """Take an answer away, or a question with its answers; what follows stays."""
    async with parts.database.writing(lock=lock_of(if_match, message_id)) as session:
        require_match(if_match, await _one(session, actor, conversation_id, message_id))
        await branches.delete(session, actor, MessageId(message_id))


async def _change(
    session: Session, actor: Actor, chat_id: ChatId, body: ConversationChange, before: Conversation
) -> None:
    named = body.model_fields_set
    if body.title is not None:
        await chats.rename(session, actor, chat_id, body.title)
    if body.is_archived not in (None, before.is_archived):
        await chats.archive(session, actor, chat_id, is_archived=bool(body.is_archived))
    if body.is_pinned is not None:
        await chats.pin(session, actor, chat_id, is_pinned=body.is_pinned)
    if "project_id" in named:
        to = None if body.project_id is None else ProjectId(body.project_id)
        await projects.move(session, actor, chat_id, to)
    if named & {"temperature", "max_tokens"}:
        both = before.model_dump(include={"temperature", "max_tokens"}) | body.model_dump(exclude_unset=True)
        await chats.set_options(session, actor, chat_id, temperature=both["temperature"], max_tokens=both["max_tokens"])
    await session.flush()


async def _read(session: ReadSession, actor: Actor, chat_id: ChatId, response: Response) -> Conversation:
    return tagged(response, _view(await chats.read_info(session, actor, chat_id)))


async def _one(session: ReadSession, actor: Actor, chat_id: UUID, message_id: UUID) -> Message:
    return _message(await read_message(session, actor, MessageId(message_id), ChatId(chat_id)))


def _view(chat: ChatInfo) -> Conversation:
    return Conversation(
        conversation_id=chat.id,
        title=chat.title,
        project_id=chat.project_id,
        model_id=chat.model_id,
        agent_id=chat.agent_id,
        temperature=chat.temperature,
        max_tokens=chat.max_tokens,
        is_pinned=chat.pinned_at is not None,
        is_archived=chat.archived_at is not None,
        created_at=chat.created_at,
        last_message_at=chat.last_message_at,
    )


def _message(one: MessageView) -> Message:
    run = one.run
    found = Message(
        message_id=one.id, role=one.role, status=one.status, text=one.text, reasoning=one.reasoning,
        created_at=one.created_at, siblings=one.siblings, run_id=None, model_name=one.model_name,
    )  # fmt: skip
    if run is None:
        return found
    made = {
        "run_id": run.id, "model_name": run.model_name, "input_tokens": run.input_tokens,
        "output_tokens": run.output_tokens, "cost_usd": None if run.cost_usd is None else plain(run.cost_usd),
        "error_code": run.error_code, "error_message": run.error_message,
    }  # fmt: skip
    return found.model_copy(update=made)
