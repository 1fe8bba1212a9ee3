"""Turns: storing a question, its empty answer and the run that fills it, in one transaction.

In order: `open_turn_chat`, `append_turn`, `add_run`. Ids are made here and rows are stored with their final values,
a statement for each table: whoever asked waits for them before the model is called.
"""

from dataclasses import dataclass

from llm_ui.contract import MAX_PROMPT_CHARS, ChatRequest
from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, InvalidInput, NotFound, TooLarge
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ChatId, MessageId, PromptId, RunId, uuid7
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
    before_id: MessageId | None
    """The message that the question follows; None when it is the chat's first."""
    title: str | None
    """The chat's new title, where this turn gave it one."""
    system_prompt_id: PromptId | None


@dataclass(frozen=True, slots=True)
class NewRun:
    """What a run is stored with beside its turn."""

    manifest: dict[str, object]
    """What the model is sent."""
    lease_owner: str
    """Who makes it."""
    request_id: str


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


async def open_turn_chat(session: Session, actor: Actor, request: ChatRequest) -> ChatHistory:
    """Return the row of the chat that is asked in: the one the request names, locked, else a new one not stored yet.

    Raises `NotFound` for a foreign chat or system prompt.
    """
    require(actor, Permission.CHAT)
    if request.chat_id is not None:
        # Locked: of two questions at once the second one must see the first one's run.
        query = readable(ChatHistory, actor).where(ChatHistory.id == request.chat_id).with_for_update()
        chat = await session.scalar(query)
        if chat is None:
            raise NotFound("This chat does not exist, or it is not yours. Pick one from the list.")
        return chat
    if request.regenerate_of is not None:
        raise InvalidInput("To regenerate an answer, name its chat.")
    prompt_id = None if request.system_prompt_id is None else PromptId(request.system_prompt_id)
    if prompt_id is not None:
        prompts = readable(SystemPrompt, actor).where(SystemPrompt.id == prompt_id)
        if await session.scalar(prompts) is None:
            raise NotFound("These instructions do not exist any more. Pick others, or none.")
    return ChatHistory(id=ChatId(uuid7()), user_id=actor.user_id, system_prompt_id=prompt_id, next_position=0)


async def append_turn(
    session: Session, actor: Actor, chat: ChatHistory, request: ChatRequest, target: ModelTarget
) -> Turn:
    """Store the question and the empty answer: a new question, or another answer to an old one.

    Raises `Conflict` while the chat's last answer is being written.
    """
    require(actor, Permission.CHAT)
    is_new = request.chat_id is None
    text = "" if request.regenerate_of else question_text(request)
    previous_model = None if is_new else await _model_before(session, actor, chat, target)
    chat.model_id = target.model_id
    chat.temperature, chat.max_tokens = request.temperature, request.max_tokens
    title = title_of(text) if is_new else None
    added: list[ChatMessage] = []
    if request.regenerate_of is None:
        if previous_model is not None:
            remark = f"Model changed from {previous_model} to {target.display_name}."
            added.append(_message(chat, MessageRole.NOTE, MessageStatus.COMPLETE, remark))
        question = _message(chat, MessageRole.USER, MessageStatus.COMPLETE, text)
        added.append(question)
    else:
        question = await _question_of(session, actor, chat, MessageId(request.regenerate_of))
        chat.active_leaf_id = question.id
    answer = _message(chat, MessageRole.ASSISTANT, MessageStatus.STREAMING, "")
    if title is not None:
        chat.title = title
        session.add(chat)
        await session.flush()
    session.add_all([*added, answer])
    await session.flush()
    return Turn(
        run_id=RunId(uuid7()),
        chat_id=chat.id,
        question_id=question.id,
        answer_id=answer.id,
        question=question.text,
        before_id=question.parent_id,
        title=title,
        system_prompt_id=chat.system_prompt_id,
    )


async def add_run(
    session: Session,
    actor: Actor,
    request: ChatRequest,
    turn: Turn,
    target: ModelTarget,
    new: NewRun,
) -> None:
    """Store the run of a turn. Raises `IntegrityError` when another run has the request's key already."""
    require(actor, Permission.CHAT)
    session.add(
        Run(
            id=turn.run_id,
            user_id=actor.user_id,
            chat_id=turn.chat_id,
            question_id=turn.question_id,
            answer_id=turn.answer_id,
            model_id=target.model_id,
            provider_id=target.provider_id,
            model_name=target.display_name,
            provider_name=target.provider_name,
            idempotency_key=request.idempotency_key,
            status=RunStatus.QUEUED,
            temperature=request.temperature,
            max_tokens=request.max_tokens,
            manifest=new.manifest,
            lease_owner=new.lease_owner,
            request_id=new.request_id,
            heartbeat_at=now(),
        )
    )
    await session.flush()


def title_of(text: str) -> str:
    """Return a title from a question's first line that says something."""
    lines = (line.strip("#>*-`~ \t") for line in text.splitlines())
    return one_line(next((line for line in lines if line), text), TITLE_CHARS)


async def _model_before(session: Session, actor: Actor, chat: ChatHistory, target: ModelTarget) -> str | None:
    """Return the name of the model that the chat's last run asked, None when it is the one asked now.

    Raises `Conflict` while that run goes on: only the last one of a chat can.
    """
    runs = readable(Run, actor).where(Run.chat_id == chat.id).order_by(Run.created_at.desc(), Run.id.desc())
    last = runs.with_only_columns(Run.status, Run.model_id, Run.model_name).limit(1)
    found = (await session.execute(last)).one_or_none()
    if found is None:
        return None
    status, model_id, model_name = found
    if status in LIVE_STATUSES:
        raise Conflict("An answer is still being written in this chat. Stop it or wait for its end, then send again.")
    return None if model_id == target.model_id else str(model_name)


async def _question_of(session: Session, actor: Actor, chat: ChatHistory, answer_id: MessageId) -> ChatMessage:
    answers = readable(ChatMessage, actor).where(ChatMessage.chat_id == chat.id)
    answer = await session.scalar(answers.where(ChatMessage.id == answer_id, ChatMessage.role == MessageRole.ASSISTANT))
    question = None if answer is None else await session.scalar(answers.where(ChatMessage.id == answer.parent_id))
    if question is None:
        raise NotFound("The answer to regenerate does not exist any more. Reload the chat.")
    return question


def _message(chat: ChatHistory, role: MessageRole, status: MessageStatus, text: str) -> ChatMessage:
    """Return a message that follows the chat's active leaf, and make it the leaf."""
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
    chat.next_position += 1
    chat.last_message_at = now()
    chat.active_leaf_id = message.id
    return message
