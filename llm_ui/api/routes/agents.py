"""Agents that a person may ask, and their own ones to change."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field, ValidationError

from llm_ui.api.principal import Parts
from llm_ui.api.rest.door import Told, asks
from llm_ui.api.rest.wire import (
    After,
    IdempotencyKey,
    IfMatch,
    Limit,
    Page,
    lock_of,
    new_id,
    page_of,
    require_match,
    tagged,
)
from llm_ui.contract import MAX_ANSWER_TOKENS, MAX_TEMPERATURE
from llm_ui.contract.base import Wire
from llm_ui.db import ReadSession
from llm_ui.errors import InvalidInput
from llm_ui.kit.ids import AgentId, DocumentId, ModelId, ProjectId
from llm_ui.models import Agent, KeyScope, ProjectColor, ProjectIcon
from llm_ui.services import agents
from llm_ui.services.access import Actor
from llm_ui.services.agents import AgentInfo, AgentSettings
from llm_ui.services.creating import is_made

router = APIRouter(prefix="/v1/agents", route_class=Told)

Reader = Annotated[Actor, asks(KeyScope.AGENTS_READ)]
Writer = Annotated[Actor, asks(KeyScope.AGENTS_WRITE)]


Temperature = Annotated[float, Field(ge=0, le=MAX_TEMPERATURE)]
AnswerTokens = Annotated[int, Field(ge=1, le=MAX_ANSWER_TOKENS)]


class AgentBody(Wire):
    """An agent as its maker describes it."""

    name: Annotated[str, Field(max_length=400)]
    description: Annotated[str, Field(max_length=2_000)] = ""
    instructions: Annotated[str, Field(max_length=100_000)] = ""
    color: Annotated[str, Field(max_length=32)] = "grey"
    icon: Annotated[str, Field(max_length=32)] = "star"
    model_id: UUID | None = None
    """None: the model that is picked."""
    temperature: Temperature | None = None
    max_tokens: AnswerTokens | None = None
    project_id: UUID | None = None
    """The maker's project whose documents it knows."""
    documents: Annotated[tuple[UUID, ...], Field(max_length=100)] = ()
    """Those of them that it knows; none: all."""
    starters: Annotated[tuple[str, ...], Field(max_length=20)] = ()
    """Questions that an empty chat with it offers."""
    is_shared: bool = False
    """Whether everybody may ask it."""
    keeps_answers: bool = False
    keeps_similar: bool = False
    """Whether its answers are kept and given again to the same question of the same person."""


class AgentChange(Wire):
    """What is to be different about an agent; what is not named stays as it is."""

    name: Annotated[str, Field(max_length=400)] | None = None
    description: Annotated[str, Field(max_length=2_000)] | None = None
    instructions: Annotated[str, Field(max_length=100_000)] | None = None
    color: Annotated[str, Field(max_length=32)] | None = None
    icon: Annotated[str, Field(max_length=32)] | None = None
    model_id: UUID | None = None
    temperature: Temperature | None = None
    max_tokens: AnswerTokens | None = None
    project_id: UUID | None = None
    documents: Annotated[tuple[UUID, ...], Field(max_length=100)] | None = None
    starters: Annotated[tuple[str, ...], Field(max_length=20)] | None = None
    is_shared: bool | None = None
    keeps_answers: bool | None = None
    keeps_similar: bool | None = None


class AgentView(AgentBody):
    """An agent that may be asked."""

    agent_id: UUID
    owner_name: str
    is_mine: bool
    has_knowledge: bool
    """Whether it answers from documents; which they are is told to its maker alone."""
    model_name: str
    """As it was called when it was picked."""


@router.get("")
async def list_agents(parts: Parts, actor: Reader, after: After = "", limit: Limit = 50) -> Page[AgentView]:
    """Return the actor's own agents and those for everybody, by name."""
    async with parts.database.reading() as session:
        found = await agents.list_agents(session, actor)
    return page_of(map(_view, found), after, limit, lambda one: (one.name, one.agent_id))


@router.post("", status_code=201)
async def create(
    body: AgentBody, parts: Parts, actor: Writer, response: Response, idempotency_key: IdempotencyKey = None
) -> AgentView:
    """Make an agent; with a key of a project it knows what is in it."""
    agent_id = AgentId(new_id(actor, "agent", idempotency_key))
    async with parts.database.writing(lock=idempotency_key and f"rest {agent_id}") as session:
        if not await is_made(session, actor, Agent, agent_id):
            await agents.save(session, actor, None, _settings(body), new_id=agent_id)
        return await _read(session, actor, agent_id, response)


@router.get("/{agent_id}")
async def read(agent_id: UUID, parts: Parts, actor: Reader, response: Response) -> AgentView:
    """Return an agent; one that is not the actor's nor shared answers 404."""
    async with parts.database.reading() as session:
        return await _read(session, actor, AgentId(agent_id), response)


@router.patch("/{agent_id}")
async def change(
    agent_id: UUID, body: AgentChange, parts: Parts, actor: Writer, response: Response, if_match: IfMatch = ""
) -> AgentView:
    """Change an agent of one's own; what is not named stays as it is."""
    async with parts.database.writing(lock=lock_of(if_match, agent_id)) as session:
        before = await _read(session, actor, AgentId(agent_id), response)
        require_match(if_match, before)
        fields = before.model_dump(include=set(AgentBody.model_fields)) | body.model_dump(exclude_unset=True)
        try:
            changed = AgentBody.model_validate(fields)
        except ValidationError as error:
            raise InvalidInput("Only the model, its parameters and the project of an agent can be empty.") from error
        await agents.save(session, actor, AgentId(agent_id), _settings(changed))
        return await _read(session, actor, AgentId(agent_id), response)


@router.delete("/{agent_id}", status_code=204)
async def delete(agent_id: UUID, parts: Parts, actor: Writer, response: Response, if_match: IfMatch = "") -> None:
    """Delete an agent of one's own; its chats stay and go on without it."""
    async with parts.database.writing(lock=lock_of(if_match, agent_id)) as session:
        require_match(if_match, await _read(session, actor, AgentId(agent_id), response))
        await agents.require_mine(session, actor, AgentId(agent_id))
        await agents.remove(session, actor, AgentId(agent_id))


async def _read(session: ReadSession, actor: Actor, agent_id: AgentId, response: Response) -> AgentView:
    return tagged(response, _view(await agents.read(session, actor, agent_id)))


def _settings(body: AgentBody) -> AgentSettings:
    if body.color not in set(ProjectColor) or body.icon not in set(ProjectIcon):
        colors, icons = ", ".join(ProjectColor), ", ".join(ProjectIcon)
        raise InvalidInput("Colors are {colors}; icons are {icons}.", colors=colors, icons=icons)
    return AgentSettings(
        name=body.name,
        description=body.description,
        instructions=body.instructions,
        color=ProjectColor(body.color),
        icon=ProjectIcon(body.icon),
        model_id=None if body.model_id is None else ModelId(body.model_id),
        temperature=body.temperature,
        max_tokens=body.max_tokens,
        project_id=None if body.project_id is None else ProjectId(body.project_id),
        documents=tuple(DocumentId(each) for each in body.documents),
        starters=body.starters,
        is_shared=body.is_shared,
        keeps_answers=body.keeps_answers,
        keeps_similar=body.keeps_similar,
    )


def _view(one: AgentInfo) -> AgentView:
    own = one.settings
    return AgentView(
        agent_id=one.id,
        owner_name=one.owner_name,
        is_mine=one.is_mine,
        has_knowledge=one.has_knowledge,
        name=own.name,
        description=own.description,
        instructions=own.instructions,
        color=own.color.value,
        icon=own.icon.value,
        model_id=own.model_id,
        model_name=own.model_name,
        temperature=own.temperature,
        max_tokens=own.max_tokens,
        project_id=own.project_id,
        documents=own.documents,
        starters=own.starters,
        is_shared=own.is_shared,
        keeps_answers=own.keeps_answers,
        keeps_similar=own.keeps_similar,
    )
