"""Turns: storing a question, its empty answer and the run that fills it, in one transaction.

In order: `open_turn_chat`, `append_turn`, `add_run`. Ids are made here and rows are stored with their final values,
a statement for each table: whoever asked waits for them before the model is called.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam

from llm_ui.contract import MAX_BESIDE, MAX_PROMPT_CHARS, ChatRequest, Said, Source
from llm_ui.contract.steps import Step
from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, InvalidInput, NotFound, TooLarge
from llm_ui.kit.clock import now
from llm_ui.kit.i18n import to_tell
from llm_ui.kit.ids import AgentId, AttachmentId, ChatId, MessageId, ModelId, ProjectId, PromptId, RunId, uuid7
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
from llm_ui.services.access import KEPT, Actor, Permission, readable, require, require_within
from llm_ui.services.agents import AgentInfo
from llm_ui.services.attachments import AttachmentInfo, attach, attachments_of
from llm_ui.services.chats import rename
from llm_ui.services.experiment_rules import Assigned
from llm_ui.services.projects import require_open
from llm_ui.services.targets import ModelTarget

TITLE_CHARS = 60
CHANGED = to_tell("Model changed from {before} to {after}.")
AGENT_JOINS = to_tell("The agent {after} answers from here on.")
AGENT_FOLLOWS = to_tell("The agent {after} answers from here on, no longer {before}.")
AGENT_LEAVES = to_tell("The agent {before} answers no more from here on, but the model alone.")


@dataclass(frozen=True, slots=True)
class Turn:
    """A stored turn: the ids of all that was written, and what a run needs of it."""

    run_id: RunId
    chat_id: ChatId
    question_id: MessageId
    answer_id: MessageId
    question: str
    opening: str
    """What the answer begins with: the text of the one it continues; else empty."""
    merged: tuple[str, ...]
    """The texts of the answers that this one brings together."""
    before_id: MessageId | None
    """The message that the question follows; None when it is the chat's first."""
    title: str | None
    """The chat's new title, where this turn gave it one."""
    system_prompt_id: PromptId | None
    tools_off: tuple[str, ...] = ()
    """Tools that its person has switched off in this chat."""
    steps: tuple[Step, ...] = ()
    """Tools that were used for what the answer begins with."""
    project_id: ProjectId | None = None
    attachments: tuple[AttachmentInfo, ...] = ()
    """The files of the question."""
    agent: AgentInfo | None = None
    """Who answers; None: the model alone."""
    was_with_agent: bool = False
    """Whether an agent may have written earlier answers."""
    said: tuple[Said, ...] | None = None
    """The earlier messages of a temporary chat, oldest first; None: those that are stored."""
    split: Assigned | None = None
    """What it gets in an experiment with its instructions; None: none goes on."""


@dataclass(frozen=True, slots=True)
class NewRun:
    """What a run is stored with beside its turn."""

    manifest: dict[str, object]
    """What the model is sent."""
    lease_owner: str
    """Who makes it."""
    request_id: str


def question_text(asked: str, *, has_files: bool = False) -> str:
    """Return the question as it is stored; with files it may be empty. Raises `InvalidInput` and `TooLarge`."""
    text = storable(asked).strip("\n")
    if len(text) > MAX_PROMPT_CHARS:
        raise TooLarge(
            "The message has {count} characters; {most} are the most. Shorten it or split it.",
            count=len(text),
            most=MAX_PROMPT_CHARS,
        )
    if not text.strip() and not has_files:
        raise InvalidInput("The message is empty. Write something to send.")
    return text


async def find_run(session: ReadSession, actor: Actor, idempotency_key: str) -> Run | None:
    """Return the run that was made with this key, if any."""
    return await session.scalar(readable(Run, actor).where(Run.idempotency_key == idempotency_key))


async def open_turn_chat(session: Session, actor: Actor, request: ChatRequest) -> ChatHistory:
    """Return the row of the chat that is asked in: the one the request names, locked, else a new one not stored yet.

    Raises `NotFound` for a foreign chat, system prompt or project, and `Conflict` when the project is archived.
    """
    require(actor, Permission.CHAT)
    if request.chat_id is not None:
        # Locked: of two questions at once the second one must see the first one's run.
        chat = await session.scalar(_locked(actor), {"chat_id": request.chat_id})
        if chat is None:
            raise NotFound("This chat does not exist, or it is not yours. Pick one from the list.")
        await require_open(session, actor, chat.project_id)
        return chat
    if request.regenerate_of or request.edit_of or request.continue_of:
        raise InvalidInput("To regenerate, edit or continue a message, name its chat.")
    prompt_id = None if request.system_prompt_id is None else PromptId(request.system_prompt_id)
    if prompt_id is not None:
        prompts = readable(SystemPrompt, actor).where(SystemPrompt.id == prompt_id)
        if await session.scalar(prompts) is None:
            raise NotFound("These instructions do not exist any more. Pick others, or none.")
    project_id = actor.wall if request.project_id is None else ProjectId(request.project_id)
    await require_open(session, actor, project_id)
    return ChatHistory(
        id=ChatId(uuid7()),
        user_id=actor.user_id,
        system_prompt_id=prompt_id,
        project_id=project_id,
        next_position=0,
    )


async def begin_chat(session: Session, actor: Actor, chat_id: ChatId, title: str, project_id: ProjectId | None) -> None:
    """Begin a chat in which nothing is asked yet. Raises `InvalidInput`, `NotFound` and `Conflict`."""
    require(actor, Permission.CHAT)
    require_within(actor, project_id)
    await require_open(session, actor, project_id)
    session.add(
        ChatHistory(id=chat_id, user_id=actor.user_id, project_id=project_id, next_position=0, last_message_at=now())
    )
    await session.flush()
    await rename(session, actor, chat_id, title)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The question of a turn. `added` are the rows that are new: it, and a note before it."""

    question: ChatMessage
    added: tuple[ChatMessage, ...] = ()
    opening: str = ""
    steps: tuple[Step, ...] = ()
    merged: tuple[str, ...] = ()
    files: tuple[AttachmentInfo, ...] = ()
    """Those it has."""
    new_files: tuple[AttachmentId, ...] = ()
    """Those it is still to be given."""


@dataclass(frozen=True, slots=True)
class Answerer:
    """Who answers a turn."""

    target: ModelTarget
    agent: AgentInfo | None = None
    """None: the model alone."""


async def append_turn(
    session: Session, actor: Actor, chat: ChatHistory, request: ChatRequest, answerer: Answerer
) -> Turn:
    """Store the question and the empty answer: a new question, or another one or another answer beside an old one.

    Raises `Conflict` while an answer is being written in the chat, unless this one is to stand beside it.
    """
    require(actor, Permission.CHAT)
    is_new = request.chat_id is None
    target, agent, before_it = answerer.target, answerer.agent, chat.agent_id
    last = None if is_new else await _last_run(session, actor, chat, request)
    shown = chat.active_leaf_id
    if request.regenerate_of or request.continue_of:
        asked = await _ask_again(session, actor, chat, request)
    else:
        asked = await _ask(session, actor, chat, request, answerer, last)
    answer = _message(chat, MessageRole.ASSISTANT, MessageStatus.STREAMING, asked.opening)
    if asked.steps:
        answer.steps = [step.model_dump(mode="json") for step in asked.steps]
    if request.tools_off is not None:
        chat.tools_off = sorted(request.tools_off)
    if request.is_beside:
        chat.active_leaf_id = shown
    else:
        chat.model_id = target.picked_id
        chat.temperature, chat.max_tokens = request.temperature, request.max_tokens
        chat.agent_id = None if agent is None else agent.id
    title = title_of(asked.question.text or "Files") if is_new else None
    if title is not None:
        chat.title = title
        session.add(chat)
        await session.flush()
    session.add_all([*asked.added, answer])
    await session.flush()
    files = asked.files
    if asked.new_files:
        files = await attach(session, actor, asked.question.id, asked.new_files)
        if title is not None and not asked.question.text:
            chat.title = title = title_of(files[0].name)
    return Turn(
        run_id=RunId(uuid7()),
        chat_id=chat.id,
        question_id=asked.question.id,
        answer_id=answer.id,
        question=asked.question.text,
        opening=asked.opening,
        steps=asked.steps,
        tools_off=tuple(chat.tools_off or ()),
        merged=asked.merged,
        before_id=asked.question.parent_id,
        title=title,
        system_prompt_id=chat.system_prompt_id,
        project_id=chat.project_id,
        attachments=files,
        agent=agent,
        was_with_agent=before_it is not None or (last is not None and last.agent_id is not None),
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
            auto_name="" if target.choice is None else target.choice.auto,
            agent_id=None if turn.agent is None else turn.agent.id,
            agent_name="" if turn.agent is None else turn.agent.name,
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


async def set_sources(session: Session, actor: Actor, turn: Turn, sources: Sequence[Source]) -> None:
    """Store with an empty answer what it may cite."""
    require(actor, Permission.CHAT)
    # rights: the answer was made by `append_turn`
    answer = await session.get_one(ChatMessage, turn.answer_id)
    answer.citations = [source.model_dump(mode="json") for source in sources]


def title_of(text: str) -> str:
    """Return a title from a question's first line that says something."""
    lines = (line.strip("#>*-`~ \t") for line in text.splitlines())
    return one_line(next((line for line in lines if line), text), TITLE_CHARS)


@lru_cache(KEPT)
def _locked(actor: Actor) -> Select[ChatHistory]:
    return readable(ChatHistory, actor).where(ChatHistory.id == bindparam("chat_id")).with_for_update()


@dataclass(frozen=True, slots=True)
class _LastRun:
    answer_id: MessageId
    model_id: ModelId | None
    model_name: str
    agent_id: AgentId | None
    agent_name: str
    instead_of: str
    """As of the run."""


async def _last_run(session: Session, actor: Actor, chat: ChatHistory, request: ChatRequest) -> _LastRun | None:
    """Return the chat's last run. Raises `Conflict` while one goes on: only the last few, of one question, can."""
    found = (await session.execute(_last_runs(actor), {"chat": chat.id})).all()
    if not found:
        return None
    live = [row.question_id for row in found if row.status in LIVE_STATUSES]
    if live and not (request.is_beside and await _is_of(session, actor, request, live[0])):
        raise Conflict("An answer is still being written in this chat. Stop it or wait for its end, then send again.")
    if len(live) == MAX_BESIDE:
        raise Conflict(
            "{most} answers are being written at once, which is the most. Wait for one to end.", most=MAX_BESIDE
        )
    return _last_of(found[0])


@lru_cache(KEPT)  # Put together once, as it is a part of each question.
def _last_runs(actor: Actor) -> Select[*tuple[Any, ...]]:
    runs = readable(Run, actor).where(Run.chat_id == bindparam("chat")).order_by(Run.created_at.desc(), Run.id.desc())
    who = Run.model_id, Run.model_name, Run.agent_id, Run.agent_name, Run.instead_of
    return runs.with_only_columns(Run.status, Run.question_id, Run.answer_id, *who).limit(MAX_BESIDE)


async def _is_of(session: Session, actor: Actor, request: ChatRequest, question_id: MessageId) -> bool:
    """Return whether the answer that is made once more is one to this question."""
    answers = readable(ChatMessage, actor).where(ChatMessage.parent_id == question_id)
    return await session.scalar(answers.where(ChatMessage.id == request.regenerate_of)) is not None


async def _ask(
    session: Session, actor: Actor, chat: ChatHistory, request: ChatRequest, answerer: Answerer, last: _LastRun | None
) -> _Asked:
    """Return a new question after the active leaf, or beside the one that is edited."""
    files = await _files(session, actor, request)
    text = question_text(request.text, has_files=bool(files))
    if request.edit_of is not None:
        chat.active_leaf_id = await _leaf_before(session, actor, chat, MessageId(request.edit_of))
    before = await _model_before(session, actor, chat, last)
    added: list[ChatMessage] = []
    remark = None if before is None else _remark(before, answerer)
    if remark is not None:
        added.append(_message(chat, MessageRole.NOTE, MessageStatus.COMPLETE, remark))
    question = _message(chat, MessageRole.USER, MessageStatus.COMPLETE, text)
    return _Asked(question, (*added, question), new_files=files)


def _remark(before: _LastRun, answerer: Answerer) -> str | None:
    """Return what to say about who answers now; None where nothing has changed."""
    target, agent = answerer.target, answerer.agent
    if before.agent_id != (None if agent is None else agent.id):
        words = AGENT_LEAVES if agent is None else AGENT_JOINS if before.agent_id is None else AGENT_FOLLOWS
        return words.format(before=before.agent_name, after="" if agent is None else agent.name)
    is_other = before.model_id != target.model_id and before.model_name != target.display_name
    if is_other and before.instead_of != target.display_name:
        return CHANGED.format(before=before.model_name, after=target.display_name)
    return None


async def _files(session: Session, actor: Actor, request: ChatRequest) -> tuple[AttachmentId, ...]:
    """Return the files of a new question: those it names, else those of the question that is edited."""
    if request.attachments is not None or request.edit_of is None:
        return tuple(map(AttachmentId, request.attachments or ()))
    old = readable(ChatMessage, actor).where(ChatMessage.id == request.edit_of).with_only_columns(ChatMessage.id)
    found = await attachments_of(session, await session.scalars(old))
    return tuple(each.id for files in found.values() for each in files)


async def _ask_again(session: Session, actor: Actor, chat: ChatHistory, request: ChatRequest) -> _Asked:
    """Return the question of an answer that is made once more or continued."""
    answer_id = MessageId(request.regenerate_of or request.continue_of or uuid7())
    if request.text:
        raise InvalidInput("The question of an old answer is asked again as it was: leave the text empty.")
    messages = readable(ChatMessage, actor).where(ChatMessage.chat_id == chat.id)
    is_answer = ChatMessage.id == answer_id, ChatMessage.role == MessageRole.ASSISTANT
    answer = await session.scalar(messages.where(*is_answer))
    question = None if answer is None else await session.scalar(messages.where(ChatMessage.id == answer.parent_id))
    if answer is None or question is None:
        raise NotFound("The answer does not exist any more. Reload the chat.")
    opening = answer.text if request.continue_of else ""
    steps = [Step.model_validate(step) for step in answer.steps or ()] if opening else []
    if request.continue_of and not opening.strip():
        raise InvalidInput("The answer has no text to go on from. Retry it instead.")
    chat.active_leaf_id = question.id
    merged = await _to_merge(session, actor, question, request) if request.merge_of else ()
    files = await attachments_of(session, [question.id])
    # Their rounds were those of another run.
    before = tuple(step.model_copy(update={"round": 0}) for step in steps)
    return _Asked(question, opening=opening, steps=before, merged=merged, files=files.get(question.id, ()))


async def _to_merge(session: Session, actor: Actor, question: ChatMessage, request: ChatRequest) -> tuple[str, ...]:
    """Return the texts of the answers that are brought together, in the order they were written."""
    answers = readable(ChatMessage, actor).where(
        ChatMessage.parent_id == question.id,
        ChatMessage.role == MessageRole.ASSISTANT,
        ChatMessage.id.in_(request.merge_of),
        ChatMessage.deleted_at.is_(None),
    )
    found = await session.scalars(answers.order_by(ChatMessage.position))
    texts = tuple(answer.text for answer in found if answer.text.strip())
    if len(texts) < 2:
        raise InvalidInput("At least two answers with text can be merged. Wait for them, or regenerate one.")
    return texts


async def _leaf_before(session: Session, actor: Actor, chat: ChatHistory, question_id: MessageId) -> MessageId | None:
    """Return what a question follows, notes left out; None for a chat's first one. Raises `NotFound`."""
    messages = readable(ChatMessage, actor).where(ChatMessage.chat_id == chat.id)
    question = await session.scalar(messages.where(ChatMessage.id == question_id, ChatMessage.role == MessageRole.USER))
    if question is None:
        raise NotFound("The question does not exist any more. Reload the chat.")
    note = messages.where(ChatMessage.id == question.parent_id, ChatMessage.role == MessageRole.NOTE)
    before = await session.scalar(note)
    return question.parent_id if before is None else before.parent_id


async def _model_before(session: Session, actor: Actor, chat: ChatHistory, last: _LastRun | None) -> _LastRun | None:
    """Return the run of the answer that a question follows; of one without a run the chat's last."""
    if last is None or chat.active_leaf_id in (None, last.answer_id):
        return last if chat.active_leaf_id is not None else None
    run = await session.scalar(readable(Run, actor).where(Run.answer_id == chat.active_leaf_id))
    if run is None:
        return last
    return _last_of(run)


def _last_of(run: Any) -> _LastRun:
    """Return what is asked of a run, or of these columns of one."""
    return _LastRun(**{name: getattr(run, name) for name in _LastRun.__dataclass_fields__})


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
