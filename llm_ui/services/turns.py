"""Turns: storing a question, its empty answer and the run that fills it, in one transaction."""

from dataclasses import dataclass

from sqlalchemy import select

from llm_ui.contract import MAX_PROMPT_CHARS, ChatRequest
from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, InvalidInput, NotFound, TooLarge
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ChatId, MessageId, ModelId, PromptId, RunId, uuid7
from llm_ui.kit.text import one_line, storable
from llm_ui.models import (
    LIVE_STATUSES,
    ChatHistory,
    ChatMessage,
    MessageRole,
    MessageStatus,
    Run,
    RunStatus,
    SystemPrompt,
)
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.ai_models import ModelTarget

TITLE_CHARS = 60


@dataclass(frozen=True, slots=True)
class Turn:
    """A stored turn: the ids of all that was written, and what a run needs of it."""

    run_id: RunId
    chat_id: ChatId
    question_id: MessageId
    answer_id: MessageId
    question: str
    title: str | None
    """The chat's new title, where this turn gave it one."""
    system_prompt_id: PromptId | None


def question_text(request: ChatRequest) -> str:
    """Return the question as it is stored. Raises `InvalidInput` when empty, `TooLarge` with both sizes."""
    text = storable(request.text).strip("\n")
    if len(text) > MAX_PROMPT_CHARS:
        raise TooLarge(
            f"The message has {len(text):,} characters; {MAX_PROMPT_CHARS:,} are the most. Shorten it or split it."
        )
    if not text.strip():
        raise InvalidInput("The message is empty. Write something to send.")
    return text


async def find_run(session: ReadSession, actor: Actor, idempotency_key: str) -> Run | None:
    """Return the run that was made with this key, if any."""
    return await session.scalar(readable(Run, actor).where(Run.idempotency_key == idempotency_key))


async def append_turn(
    session: Session, actor: Actor, request: ChatRequest, target: ModelTarget, *, lease_owner: str, request_id: str
) -> Turn:
    """Store the turn that the request asks for: a new question, or another answer to an old one.

    Raises `NotFound` for a foreign chat, `Conflict` while the chat's last answer is being written.
    """
    require(actor, Permission.CHAT)
    text = "" if request.regenerate_of else question_text(request)
    chat, is_new = await _chat(session, actor, request)
    await _refuse_while_answering(session, chat)
    previous = None if is_new else await _last_run(session, actor, chat)
    chat.model_id = target.model_id
    chat.temperature, chat.max_tokens = request.temperature, request.max_tokens
    title = None
    if is_new:
        title = chat.title = title_of(text)
    if request.regenerate_of is None:
        if previous is not None and previous.model_id != target.model_id:
            await _note(session, chat, f"Model changed from {previous.model_name} to {target.display_name}.")
        question = await _append(session, chat, MessageRole.USER, MessageStatus.COMPLETE, text)
    else:
        question = await _question_of(session, actor, chat, MessageId(request.regenerate_of))
    chat.active_leaf_id = question.id
    answer = await _append(session, chat, MessageRole.ASSISTANT, MessageStatus.STREAMING, "")
    run = _run(actor, request, target, question=question, answer=answer)
    run.lease_owner, run.request_id = lease_owner, request_id
    session.add(run)
    await session.flush()
    return Turn(run.id, chat.id, question.id, answer.id, question.text, title, chat.system_prompt_id)


def title_of(text: str) -> str:
    """Return a title from a question's first line that says something."""
    lines = (line.strip("#>*-`~ \t") for line in text.splitlines())
    return one_line(next((line for line in lines if line), text), TITLE_CHARS)


async def _chat(session: Session, actor: Actor, request: ChatRequest) -> tuple[ChatHistory, bool]:
    if request.chat_id is not None:
        # Locked, and read afresh: of two questions at once the second one must see the first one's run.
        query = readable(ChatHistory, actor).where(ChatHistory.id == request.chat_id).with_for_update()
        chat = await session.scalar(query.execution_options(populate_existing=True))
        if chat is None:
            raise NotFound("This chat does not exist, or it is not yours. Pick one from the list.")
        return chat, False
    if request.regenerate_of is not None:
        raise InvalidInput("To regenerate an answer, name its chat.")
    prompt_id = None if request.system_prompt_id is None else PromptId(request.system_prompt_id)
    if prompt_id is not None:
        readable_prompt = readable(SystemPrompt, actor).where(SystemPrompt.id == prompt_id)
        if await session.scalar(readable_prompt) is None:
            raise NotFound("These instructions do not exist any more. Pick others, or none.")
    chat = ChatHistory(
        id=ChatId(uuid7()), user_id=actor.user_id, last_message_at=now(), system_prompt_id=prompt_id, next_position=0
    )
    session.add(chat)
    await session.flush()
    return chat, True


async def _last_run(session: Session, actor: Actor, chat: ChatHistory) -> Run | None:
    query = readable(Run, actor).where(Run.chat_id == chat.id).order_by(Run.created_at.desc(), Run.id.desc())
    return await session.scalar(query.limit(1))


async def _refuse_while_answering(session: Session, chat: ChatHistory) -> None:
    # rights: the chat was read through readable()
    live = select(Run.id).where(Run.chat_id == chat.id, Run.status.in_(LIVE_STATUSES)).limit(1)
    if await session.scalar(live) is not None:
        raise Conflict("An answer is still being written in this chat. Stop it or wait for its end, then send again.")


async def _question_of(session: Session, actor: Actor, chat: ChatHistory, answer_id: MessageId) -> ChatMessage:
    answers = readable(ChatMessage, actor).where(ChatMessage.chat_id == chat.id)
    answer = await session.scalar(answers.where(ChatMessage.id == answer_id, ChatMessage.role == MessageRole.ASSISTANT))
    question = None if answer is None else await session.scalar(answers.where(ChatMessage.id == answer.parent_id))
    if question is None:
        raise NotFound("The answer to regenerate does not exist any more. Reload the chat.")
    return question


async def _note(session: Session, chat: ChatHistory, text: str) -> None:
    await _append(session, chat, MessageRole.NOTE, MessageStatus.COMPLETE, text)


async def _append(
    session: Session, chat: ChatHistory, role: MessageRole, status: MessageStatus, text: str
) -> ChatMessage:
    message = ChatMessage(
        id=MessageId(uuid7()),
        chat_id=chat.id,
        parent_id=chat.active_leaf_id,
        position=chat.next_position,
        role=role,
        status=status,
        text=text,
        reasoning="",
    )
    session.add(message)
    chat.next_position += 1
    chat.last_message_at = now()
    await session.flush()
    chat.active_leaf_id = message.id
    return message


def _run(actor: Actor, request: ChatRequest, target: ModelTarget, *, question: ChatMessage, answer: ChatMessage) -> Run:
    return Run(
        id=RunId(uuid7()),
        user_id=actor.user_id,
        chat_id=answer.chat_id,
        question_id=question.id,
        answer_id=answer.id,
        model_id=ModelId(target.model_id),
        provider_id=target.provider_id,
        model_name=target.display_name,
        provider_name=target.provider_name,
        idempotency_key=request.idempotency_key,
        status=RunStatus.QUEUED,
        temperature=request.temperature,
        max_tokens=request.max_tokens,
        heartbeat_at=now(),
    )
