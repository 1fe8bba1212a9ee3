"""Agents: a model with instructions, parameters and knowledge of its own, made by one person, perhaps for everybody.

What an agent knows is a project of its maker, or some documents of it. Whoever may ask a shared agent is shown the
passages that its answers are made from, as they stand in the answer, and nothing else of the project. In a chat that
is kept in a project the agent knows only that project: projects are walls.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute

from llm_ui.contract import ChatRequest, TemporaryRequest, Who
from llm_ui.db import ReadSession, Session
from llm_ui.errors import Forbidden, InvalidInput, NotFound, TooLarge
from llm_ui.kit.clock import now
from llm_ui.kit.ids import AgentId, ChatId, DocumentId, MessageId, ModelId, ProjectId, UserId, uuid7
from llm_ui.kit.text import one_line, storable
from llm_ui.models import Agent, AiModel, Document, ProjectColor, ProjectIcon, Run, User
from llm_ui.services import ai_models, audit, targets
from llm_ui.services.access import Actor, Permission, readable, require, require_within
from llm_ui.services.projects import require_project
from llm_ui.services.settings import AGENTS, require_on
from llm_ui.services.settings import get as get_setting

MAX_NAME_CHARS = 80
MAX_DESCRIPTION_CHARS = 300
MAX_INSTRUCTIONS_CHARS = 20_000
MAX_STARTERS = 6
"""As many as an empty chat shows without scrolling on a phone."""
MAX_STARTER_CHARS = 200
MAX_DOCUMENTS = 100
"""Of one agent that knows only some of a project."""
MAX_OFFERED = 200
"""Documents that are offered for an agent to know; who has more gives it the whole project."""
MAX_AGENTS = 100
"""Of one person."""

Asked = TypeVar("Asked", ChatRequest, TemporaryRequest)


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """What its maker decides about an agent."""

    name: str
    description: str = ""
    instructions: str = ""
    color: ProjectColor = ProjectColor.GREY
    icon: ProjectIcon = ProjectIcon.STAR
    model_id: ModelId | None = None
    """What it answers with; None: the model its person has picked."""
    model_name: str = ""
    """As it was called when it was picked; told even when there is no such model here."""
    temperature: float | None = None
    max_tokens: int | None = None
    project_id: ProjectId | None = None
    """The maker's project whose documents it knows; for others, and None where it knows none, it is None."""
    documents: tuple[DocumentId, ...] = ()
    """Those of them that it knows; none: all."""
    starters: tuple[str, ...] = ()
    """Questions that an empty chat with it offers."""
    is_shared: bool = False
    keeps_answers: bool = False
    """Whether its answers are kept and given again to the same question of the same person."""
    keeps_similar: bool = False
    """Whether to one that means the same, too."""


@dataclass(frozen=True, slots=True)
class AgentInfo:
    """An agent that the actor may ask."""

    id: AgentId
    owner_id: UserId
    owner_name: str
    is_mine: bool
    has_knowledge: bool
    settings: AgentSettings

    @property
    def name(self) -> str:
        """Return what it is called."""
        return self.settings.name


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Where passages for an answer are looked for."""

    project_id: ProjectId
    reader: Actor
    """As whom: for what an agent knows that is its maker."""
    documents: tuple[DocumentId, ...] = ()
    """Only in these; none: in all."""


async def list_agents(session: ReadSession, actor: Actor) -> tuple[AgentInfo, ...]:
    """Return the actor's own agents and those for everybody, by name; none while they are switched off."""
    if not await get_setting(session, AGENTS):
        return ()
    return await _infos(session, actor, list(await session.scalars(readable(Agent, actor))))


async def read(session: ReadSession, actor: Actor, agent_id: AgentId) -> AgentInfo:
    """Return an agent that the actor may ask. Raises `NotFound`."""
    found = await _find(session, actor, agent_id)
    if found is None:
        raise NotFound("This agent does not exist any more, or it is not shared any more. Pick another one, or none.")
    return found


async def save(
    session: Session,
    actor: Actor,
    agent_id: AgentId | None,
    settings: AgentSettings,
    *,
    new_id: AgentId | None = None,
    is_from_file: bool = False,
) -> AgentId:
    """Make an agent, or change one of one's own. Raises `InvalidInput`, `TooLarge`, `Forbidden` and `NotFound`.

    The model has to be one that may be asked now, unless it is the one that was set before. One that is set up by a
    file is as it was where that was written: its model may be switched off.
    """
    require(actor, Permission.CHAT)
    require_within(actor, settings.project_id)
    await require_on(session, AGENTS)
    settings = _checked(settings)
    mine = await _mine(session, actor)
    row = next((each for each in mine if each.id == agent_id), None)
    if agent_id is not None and row is None:
        raise _not_mine()
    if any(each.name.casefold() == settings.name.casefold() and each is not row for each in mine):
        raise InvalidInput("You have an agent named {name} already. Choose another name.", name=settings.name)
    if settings.is_shared and not actor.may(Permission.MANAGE_SETTINGS):
        raise Forbidden("Only administrators share agents with everybody. Keep it for yourself, or ask one of them.")
    await _require_known(session, actor, settings)
    model_name = settings.model_name if settings.model_id is None else row.model_name if row is not None else ""
    if settings.model_id is not None and (row is None or settings.model_id != row.model_id):
        model_name = await _name_of(session, actor, settings.model_id, may_be_off=is_from_file)
    if row is None:
        if len(mine) >= MAX_AGENTS:
            raise InvalidInput("You have {most} agents, which is the most. Delete some first.", most=MAX_AGENTS)
        row = Agent(id=new_id or AgentId(uuid7()), owner_id=actor.user_id, is_shared=False)
        session.add(row)
    before = _audited(row)
    _set(row, replace(settings, model_name=model_name))
    await session.flush()
    if before["is_shared"] or row.is_shared:
        done = "agent.changed" if before["is_shared"] is row.is_shared else "agent.shared"
        changes = audit.difference(before, _audited(row))
        await audit.record(
            session, actor, done, row.name, target_id=row.id, changes=changes, is_shared=settings.is_shared
        )
    return row.id


async def _name_of(session: ReadSession, actor: Actor, model_id: ModelId, *, may_be_off: bool) -> str:
    if may_be_off:
        # rights: whoever takes in a file administers all models
        return await session.scalar(select(AiModel.display_name).where(AiModel.id == model_id)) or ""
    return (await targets.target(session, actor, model_id, may_choose=True)).display_name


async def require_mine(session: ReadSession, actor: Actor, agent_id: AgentId) -> None:
    """Raise `NotFound` unless it is an agent of the actor's own."""
    if all(row.id != agent_id for row in await _mine(session, actor)):
        raise _not_mine()


async def remove(session: Session, actor: Actor, agent_id: AgentId) -> None:
    """Delete an agent of one's own; chats with it stay and go on without it. One that is gone is no error."""
    require(actor, Permission.CHAT)
    for row in await _mine(session, actor):
        if row.id == agent_id:
            row.deleted_at = now()
            if row.is_shared:
                await audit.record(session, actor, "agent.deleted", row.name, target_id=row.id)


async def restore(session: Session, actor: Actor, agent_id: AgentId) -> None:
    """Take back an agent of one's own that was deleted. Raises `NotFound`."""
    require(actor, Permission.CHAT)
    # rights: only the actor's own; deleted ones, which `readable()` leaves out
    query = select(Agent).where(Agent.id == agent_id, Agent.owner_id == actor.user_id)
    row = await session.scalar(query)
    if row is None:
        raise NotFound("This agent is gone for good. Make it anew.")
    row.deleted_at = None
    if row.is_shared:
        await audit.record(session, actor, "agent.restored", row.name, target_id=row.id)


async def answering(session: ReadSession, actor: Actor, before: AgentId | None, asked: Who) -> AgentInfo | None:
    """Return who answers: the one that is asked, else the one that has answered before, unless that one is gone.

    Raises `NotFound` when it names one that the actor may not ask.
    """
    if asked == "none" or not await get_setting(session, AGENTS):
        return None
    if asked is not None:
        return await read(session, actor, AgentId(asked))
    return None if before is None else await _find(session, actor, before)


async def asked_of(
    session: ReadSession, actor: Actor, before: AgentId | None, agent: AgentInfo, request: Asked
) -> Asked:
    """Return the request with what it leaves to the agent: parameters, and the model where another one was before.

    An agent whose model is gone, or not for the actor, answers with the one that would be asked without it.
    """
    own = agent.settings
    model_id = request.model_id
    if model_id is None and own.model_id is not None and agent.id != before:
        offered = await ai_models.list_models(session, actor)
        model_id = next((one.id for one in offered if one.id == own.model_id), None)
    return request.model_copy(
        update={
            "model_id": model_id,
            "temperature": own.temperature if request.temperature is None else request.temperature,
            "max_tokens": own.max_tokens if request.max_tokens is None else request.max_tokens,
        }
    )


async def of_chat(
    session: ReadSession, actor: Actor, chat_id: ChatId, agent_id: AgentId | None
) -> tuple[AgentInfo | None, str]:
    """Return the agent that a chat is with, and the name of one that is gone."""
    if agent_id is None:
        return None, ""
    found = await _find(session, actor, agent_id)
    if found is not None:
        return found, ""
    last = readable(Run, actor).where(Run.chat_id == chat_id, Run.agent_id == agent_id)
    names = last.with_only_columns(Run.agent_name).order_by(Run.created_at.desc()).limit(1)
    return None, await session.scalar(names) or ""


async def knowledge(
    session: ReadSession, actor: Actor, project_id: ProjectId | None, agent: AgentInfo | None
) -> Knowledge | None:
    """Return where passages are looked for: in the project of the chat, else in what its agent knows now."""
    if project_id is not None:
        return Knowledge(project_id, actor)
    if agent is None or not agent.has_knowledge:
        return None
    # rights: an agent that the actor may ask, read just now; what it knows is read as its maker may read it
    found = await session.execute(
        select(Agent.project_id, Agent.documents, User.name, User.role)
        .join(User, User.id == Agent.owner_id)
        .where(Agent.id == agent.id, User.is_active)
    )
    row = found.one_or_none()
    if row is None or row.project_id is None:
        return None
    maker = Actor(agent.owner_id, row.name, row.role)
    return Knowledge(row.project_id, maker, _ids(row.documents))


async def others_before(
    session: ReadSession, actor: Actor, answers: Collection[MessageId], agent: AgentInfo | None
) -> tuple[str, ...]:
    """Return who else wrote some answers, by name; an empty name stands for the model alone."""
    query = readable(Run, actor).where(Run.answer_id.in_(answers))
    is_other = Run.agent_id.is_not(None) if agent is None else Run.agent_id.is_distinct_from(agent.id)
    names = await session.scalars(query.where(is_other).with_only_columns(Run.agent_name).distinct())
    return tuple(sorted(names))


async def name_documents(
    session: ReadSession, actor: Actor, project_id: ProjectId, *, names: Collection[str] | None = None
) -> tuple[tuple[DocumentId, str], ...]:
    """Return the documents of a project that an agent can be given, or those that have a name. Raises `NotFound`."""
    await require_project(session, actor, project_id)
    query = readable(Document, actor).where(Document.project_id == project_id)
    columns: tuple[InstrumentedAttribute[DocumentId], InstrumentedAttribute[str]] = (Document.id, Document.name)
    if names is not None:
        query = query.where(Document.name.in_(names))
    rows = await session.execute(
        query.with_only_columns(*columns).order_by(func.lower(Document.name)).limit(MAX_OFFERED)
    )
    return tuple((row.id, row.name) for row in rows)


async def _mine(session: ReadSession, actor: Actor) -> list[Agent]:
    return list(await session.scalars(readable(Agent, actor).where(Agent.owner_id == actor.user_id)))


async def _find(session: ReadSession, actor: Actor, agent_id: AgentId) -> AgentInfo | None:
    rows = list(await session.scalars(readable(Agent, actor).where(Agent.id == agent_id)))
    return next(iter(await _infos(session, actor, rows)), None)


async def _infos(session: ReadSession, actor: Actor, rows: list[Agent]) -> tuple[AgentInfo, ...]:
    names = {actor.user_id: actor.name}
    others = {row.owner_id for row in rows} - {actor.user_id}
    if others:
        # rights: the names of those who share agents with the actor
        found = await session.execute(select(User.id, User.name).where(User.id.in_(others)))
        names |= {row.id: row.name for row in found}
    infos = (_info(row, actor, names[row.owner_id]) for row in rows)
    return tuple(sorted(infos, key=lambda info: (info.name.casefold(), str(info.id))))


def _info(row: Agent, actor: Actor, owner_name: str) -> AgentInfo:
    is_mine = row.owner_id == actor.user_id
    settings = AgentSettings(
        name=row.name,
        description=row.description,
        instructions=row.instructions,
        color=row.color,
        icon=row.icon,
        model_id=row.model_id,
        model_name=row.model_name,
        temperature=row.temperature,
        max_tokens=row.max_tokens,
        project_id=row.project_id if is_mine else None,
        documents=_ids(row.documents) if is_mine else (),
        starters=tuple(row.starters),
        is_shared=row.is_shared,
        keeps_answers=row.keeps_answers,
        keeps_similar=row.keeps_similar,
    )
    return AgentInfo(row.id, row.owner_id, owner_name, is_mine, row.project_id is not None, settings)


def _ids(documents: list[str]) -> tuple[DocumentId, ...]:
    return tuple(DocumentId(UUID(each)) for each in documents)


def _checked(settings: AgentSettings) -> AgentSettings:
    """Return the settings as they are stored."""
    name, instructions = one_line(settings.name, MAX_NAME_CHARS), storable(settings.instructions).strip()
    if not name:
        raise InvalidInput("An agent needs a name of at least one character.")
    if len(instructions) > MAX_INSTRUCTIONS_CHARS:
        raise TooLarge(
            "The instructions have {count} characters; {most} are the most. Shorten them, or add them as a document.",
            count=len(instructions),
            most=MAX_INSTRUCTIONS_CHARS,
        )
    starters = tuple(filter(None, (one_line(each, MAX_STARTER_CHARS) for each in settings.starters)))
    if len(starters) > MAX_STARTERS:
        raise InvalidInput("{most} starters are the most. Remove some.", most=MAX_STARTERS)
    if len(settings.documents) > MAX_DOCUMENTS:
        raise InvalidInput("{most} documents are the most. Give it the whole project instead.", most=MAX_DOCUMENTS)
    description = one_line(settings.description, MAX_DESCRIPTION_CHARS)
    return replace(settings, name=name, description=description, instructions=instructions, starters=starters)


async def _require_known(session: ReadSession, actor: Actor, settings: AgentSettings) -> None:
    """Raise `NotFound` unless what it is to know is the actor's own."""
    if settings.project_id is None:
        if settings.documents:
            raise InvalidInput("An agent knows documents of one project. Name the project too.")
        return
    await require_project(session, actor, settings.project_id)
    mine = readable(Document, actor).where(
        Document.project_id == settings.project_id, Document.id.in_(settings.documents)
    )
    found = set(await session.scalars(mine.with_only_columns(Document.id)))
    if len(found) < len(set(settings.documents)):
        raise NotFound("One of the documents does not exist any more. Pick them again.")


def _not_mine() -> NotFound:
    return NotFound("This agent does not exist any more, or it is not yours. Make one of your own from it.")


def _audited(row: Agent) -> dict[str, object]:
    words = "name", "description", "instructions", "model_name", "temperature", "max_tokens", "starters", "is_shared"
    return audit.fields(row, *words)


def _set(row: Agent, settings: AgentSettings) -> None:
    row.name, row.description, row.instructions = settings.name, settings.description, settings.instructions
    row.color, row.icon = settings.color, settings.icon
    row.model_id, row.model_name = settings.model_id, settings.model_name
    row.temperature, row.max_tokens = settings.temperature, settings.max_tokens
    row.project_id, row.documents = settings.project_id, [str(each) for each in settings.documents]
    row.starters, row.is_shared = list(settings.starters), settings.is_shared
    row.keeps_answers = settings.keeps_answers
    row.keeps_similar = settings.keeps_similar
