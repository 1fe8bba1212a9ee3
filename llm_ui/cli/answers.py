"""`llm-ui eval answers`: how well answers keep to their sources, asked of the server that runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from llm_ui.config import Config
from llm_ui.contract import (
    MAX_DOCUMENTS,
    ChatRequest,
    ErrorEvent,
    ModelView,
    Source,
    StartEvent,
    TemporaryRequest,
    TokenEvent,
)
from llm_ui.db import Database
from llm_ui.documents.judged import Judgement, judgement, statements, to_judge
from llm_ui.errors import InvalidInput, NotSignedIn
from llm_ui.kit.ids import ChatId, DocumentId, ProjectId, uuid7
from llm_ui.llm_client import LLMClient, UserClient
from llm_ui.services import chats, documents, projects
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.secrets import load_secrets
from llm_ui.services.sign_in import TimeOuts, revoke_session, start_session
from llm_ui.services.users import find_user

ATTEMPTS = 2
"""A judge is asked once more when its reply cannot be read."""


class Asked(BaseModel):
    """A line of the file: a question, the project it is asked in, and documents of it that are meant alone."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    question: Annotated[str, Field(min_length=1)]
    project: str
    documents: Annotated[tuple[str, ...], Field(max_length=MAX_DOCUMENTS)] = ()


@dataclass(frozen=True, slots=True)
class Who:
    """Whose projects are asked, and which models."""

    user: str
    judge: str
    model: str | None


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a question was answered with."""

    text: str
    sources: tuple[Source, ...]
    chat_id: ChatId | None
    problem: str | None


def load(path: Path) -> list[Asked]:
    """Return the questions of a file, one JSON object a line. Raises `InvalidInput` with the line that is wrong."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InvalidInput(f"{path} cannot be read: {reason}.") from None
    found: list[Asked] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.append(Asked.model_validate_json(line))
        except ValidationError:
            raise InvalidInput(
                f'{path}, line {number} is not a question: {{"question": "…", "project": "its name"}}'
                ' and, if wanted, "documents": ["names"].'
            ) from None
    if not found:
        raise InvalidInput(f"{path} holds no question.")
    return found


async def measure(database: Database, config: Config, asked: Sequence[Asked], who: Who) -> dict[str, Any]:
    """Ask all questions, have the answers judged, return the figures. Raises our errors.

    The chats that are begun for it are deleted. What it costs is booked to the person, as any question is.
    """
    async with database.writing() as session:
        user = await find_user(session, SYSTEM, who.user)
        time_outs = TimeOuts.of(config)
        new = await start_session(session, user.id, time_outs, user_agent="llm-ui eval answers", address="")
    actor = new.actor
    if actor.session_id is None:
        raise NotSignedIn
    llm = LLMClient(config.llm_api_url, load_secrets(config).signer)
    try:
        client = llm.signed_in(actor.user_id, actor.session_id)
        models = await client.models()
        judge = _model(models, who.judge)
        model = None if who.model is None else _model(models, who.model)
        requests = [await _request(database, actor, one, model) for one in asked]
        each = [await _one(database, client, actor, request, judge) for request in requests]
    finally:
        await llm.aclose()
        async with database.writing() as session:
            await revoke_session(session, actor, actor.session_id)
    return {**_figures(each), "each": each}


def _model(models: Sequence[ModelView], name: str) -> ModelView:
    found = [one for one in models if name in (one.name, one.display_name, str(one.model_id))]
    if not found:
        known = ", ".join(one.name for one in models)
        raise InvalidInput(f"There is no model named {name}. These can be asked: {known}.")
    return found[0]


async def _request(database: Database, actor: Actor, asked: Asked, model: ModelView | None) -> ChatRequest:
    """Return the request of a question. Raises `InvalidInput` for a project or a document that is not there."""
    async with database.reading() as session:
        own = await projects.list_projects(session, actor)
        project = next((one for one in own if asked.project in (one.name, str(one.id))), None)
    if project is None:
        raise InvalidInput(f"{actor.name} has no project named {asked.project}.")
    named = [await _document(database, actor, project.id, name) for name in asked.documents]
    return ChatRequest(
        idempotency_key=uuid7().hex,
        text=asked.question,
        project_id=project.id,
        documents=tuple(named),
        model_id=None if model is None else model.model_id,
    )


async def _document(database: Database, actor: Actor, project_id: ProjectId, name: str) -> DocumentId:
    async with database.reading() as session:
        found = await documents.list_documents(session, actor, project_id, name=name)
    for one in found.documents:
        if one.name == name:
            return one.id
    raise InvalidInput(f"There is no document named {name} in that project.")


async def _one(
    database: Database, client: UserClient, actor: Actor, request: ChatRequest, judge: ModelView
) -> dict[str, Any]:
    """Return what became of one question."""
    answer = await _answered(client, request)
    if answer.chat_id is not None:
        async with database.writing() as session:
            await chats.delete(session, actor, answer.chat_id)
            await session.flush()
            await chats.purge(session, actor, answer.chat_id)
    told: dict[str, Any] = {"question": request.text, "answer": answer.text, "sources": len(answer.sources)}
    if answer.problem is not None:
        return {**told, "problem": answer.problem}
    found = await _judged(client, request.text, answer, judge)
    if found is None:
        return {**told, "problem": "The judge did not judge it."}
    return {
        **told, "citations": found.citations, "right_citations": found.right_citations, "claims": found.claims,
        "grounded_claims": found.grounded_claims,
    }  # fmt: skip


async def _answered(client: UserClient, request: ChatRequest | TemporaryRequest) -> _Answer:
    text, sources, chat_id, problem = "", tuple[Source, ...](), None, None
    async for numbered in client.chat_stream(request):
        match numbered.event:
            case StartEvent() as start:
                text, sources = "", start.sources or ()
                chat_id = ChatId(start.chat_id) if isinstance(request, ChatRequest) else None
            case TokenEvent() as token:
                text += token.token
            case ErrorEvent() as error:
                problem = error.error.message
            case _:
                pass
    return _Answer(text, sources, chat_id, problem)


async def _judged(client: UserClient, question: str, answer: _Answer, judge: ModelView) -> Judgement | None:
    said = statements(answer.text)
    passages = [(source.number, source.text) for source in answer.sources]
    for _ in range(ATTEMPTS):
        prompt = to_judge(question, passages, said)
        request = TemporaryRequest(idempotency_key=uuid7().hex, text=prompt, model_id=judge.model_id)
        found = judgement((await _answered(client, request)).text, said)
        if found is not None:
            return found
    return None


def _figures(each: Sequence[dict[str, Any]]) -> dict[str, float | int | None]:
    """Return the figures of all answers; None where there is nothing that one could be of."""
    judged = [one for one in each if "problem" not in one]

    def share(part: str, whole: str) -> float | None:
        total = sum(one[whole] for one in judged)
        return sum(one[part] for one in judged) / total if total else None

    return {
        "citation_precision": share("right_citations", "citations"),
        "groundedness": share("grounded_claims", "claims"),
        "questions": len(each),
        "judged": len(judged),
        "citations": sum(one["citations"] for one in judged),
        "claims": sum(one["claims"] for one in judged),
    }
