"""Projects: where a person keeps chats that belong together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import delete, func, update

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, InvalidInput, NotFound, TooLarge
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ChatId, ModelId, ProjectId, uuid7
from llm_ui.kit.text import one_line, storable
from llm_ui.models import ChatHistory, Project, ProjectColor, ProjectIcon, UserMemory
from llm_ui.services import ai_models
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.chats import chat_row

MAX_NAME_CHARS = 80
MAX_INSTRUCTIONS_CHARS = 20_000
MAX_PROJECTS = 200
"""Of one person."""


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """How a project looks, and what its chats begin with."""

    color: ProjectColor = ProjectColor.GREY
    icon: ProjectIcon = ProjectIcon.FOLDER
    model_id: ModelId | None = None
    """None: the model its person has picked."""
    model_name: str = ""
    """As it was called when it was picked; told even when there is no such model here."""
    temperature: float | None = None
    max_tokens: int | None = None
    is_template: bool = False
    """Whether it is offered where a project is begun."""


AS_NEW = ProjectSettings()


@dataclass(frozen=True, slots=True)
class ProjectInfo:
    """A project."""

    id: ProjectId
    name: str
    instructions: str
    """What models are told in all its chats; may be empty."""
    lets_memory_in: bool
    """Whether they are told there what the person has told of themselves."""
    settings: ProjectSettings
    is_archived: bool


async def list_projects(session: ReadSession, actor: Actor) -> tuple[ProjectInfo, ...]:
    """Return the actor's projects, by name."""
    rows = await session.scalars(readable(Project, actor).order_by(func.lower(Project.name), Project.id))
    return tuple(_info(row) for row in rows)


async def instructions_of(session: ReadSession, actor: Actor, project_id: ProjectId) -> tuple[str, str]:
    """Return the name and the instructions of a project, both empty when it is gone."""
    found = await session.scalar(readable(Project, actor).where(Project.id == project_id))
    return ("", "") if found is None else (found.name, found.instructions)


async def read(session: ReadSession, actor: Actor, project_id: ProjectId) -> ProjectInfo:
    """Return a project of the actor. Raises `NotFound`."""
    row = await _row(session, actor, project_id)
    return _info(row)


async def change(session: Session, actor: Actor, project_id: ProjectId, *, instructions: str) -> None:
    """Have models told this in all chats of a project. Raises `TooLarge` and `NotFound`."""
    require(actor, Permission.CHAT)
    instructions = storable(instructions).strip()
    if len(instructions) > MAX_INSTRUCTIONS_CHARS:
        raise TooLarge(
            "The instructions have {count} characters; {most} are the most. Shorten them, or add them as a document.",
            count=len(instructions),
            most=MAX_INSTRUCTIONS_CHARS,
        )
    row = await _row(session, actor, project_id)
    row.instructions = instructions


async def let_memory_in(session: Session, actor: Actor, project_id: ProjectId, *, is_in: bool) -> None:
    """Let models be told in a project what the person has told of themselves, or not. Raises `NotFound`."""
    require(actor, Permission.CHAT)
    (await _row(session, actor, project_id)).lets_memory_in = is_in


async def save(
    session: Session, actor: Actor, project_id: ProjectId | None, name: str, settings: ProjectSettings | None = None
) -> ProjectId:
    """Begin a project, or give one another name and other settings. Raises `InvalidInput` and `NotFound`.

    The model has to be one that may be asked now, unless it is the one that was set before.
    """
    require(actor, Permission.CHAT)
    name = one_line(name, MAX_NAME_CHARS)
    if not name:
        raise InvalidInput("A project needs a name of at least one character.")
    mine = list(await session.scalars(readable(Project, actor)))
    same = next((row for row in mine if row.name.casefold() == name.casefold() and row.id != project_id), None)
    if same is not None and same.archived_at is not None:
        raise InvalidInput("An archived project is named {name}. Choose another name, or restore that one.", name=name)
    if same is not None:
        raise InvalidInput("You have a project named {name} already. Choose another name.", name=name)
    row = next((row for row in mine if row.id == project_id), None)
    if project_id is not None and row is None:
        raise _not_found()
    if row is None:
        row = _begun(session, actor, mine, ProjectId(uuid7()))
    row.name = name
    if settings is not None:
        if settings.model_id is not None and settings.model_id != row.model_id:
            found = await ai_models.target(session, actor, settings.model_id)
            settings = replace(settings, model_name=found.display_name)
        elif settings.model_id is not None:
            settings = replace(settings, model_name=row.model_name)
        _set(row, settings)
    await session.flush()
    return row.id


async def find_or_begin(session: Session, actor: Actor, ids: Sequence[ProjectId], name: str) -> tuple[ProjectId, bool]:
    """Return the actor's project that has one of the ids or else the name, and whether it was begun just now.

    One that is begun gets the first id. Raises `InvalidInput`.
    """
    require(actor, Permission.CHAT)
    mine = list(await session.scalars(readable(Project, actor)))
    same_ids = [row for row in mine if row.id in ids]
    same_names = [row for row in mine if row.name.casefold() == name.casefold()]
    for row in (*same_ids, *same_names):
        return row.id, False
    row = _begun(session, actor, mine, ids[0])
    row.name = name
    await session.flush()
    return row.id, True


def _begun(session: Session, actor: Actor, mine: Sequence[Project], project_id: ProjectId) -> Project:
    if len(mine) >= MAX_PROJECTS:
        raise InvalidInput("You have {most} projects, which is the most. Delete one first.", most=MAX_PROJECTS)
    row = Project(id=project_id, owner_id=actor.user_id)
    session.add(row)
    return row


async def archive(session: Session, actor: Actor, project_id: ProjectId, *, is_archived: bool) -> None:
    """Put a project away, or take it back. What is in it stays and is read; nothing is asked in it or added to it."""
    require(actor, Permission.CHAT)
    (await _row(session, actor, project_id)).archived_at = now() if is_archived else None


async def remove(session: Session, actor: Actor, project_id: ProjectId) -> None:
    """Delete a project with its documents and facts; its chats go back to the list. One that is gone is no error."""
    # rights: only the actor's own; chats in the bin as well, which `readable()` leaves out
    chats = ChatHistory.project_id == project_id, ChatHistory.user_id == actor.user_id
    await session.execute(update(ChatHistory).where(*chats).values(project_id=None))
    facts = UserMemory.project_id == project_id, UserMemory.user_id == actor.user_id
    await session.execute(delete(UserMemory).where(*facts))
    await session.execute(delete(Project).where(Project.id == project_id, Project.owner_id == actor.user_id))


async def move(session: Session, actor: Actor, chat_id: ChatId, project_id: ProjectId | None) -> None:
    """Put a chat into a project, or into none. Raises `NotFound`, and `Conflict` for one that is archived."""
    row = await chat_row(session, actor, chat_id)
    await require_open(session, actor, project_id)
    row.project_id = project_id


async def project_of(session: ReadSession, actor: Actor, chat_id: ChatId) -> ProjectId | None:
    """Return the project that a chat is kept in, None when there is none. Raises `NotFound`."""
    return (await chat_row(session, actor, chat_id)).project_id


async def require_project(session: ReadSession, actor: Actor, project_id: ProjectId | None) -> None:
    """Raise `NotFound` unless it is a project of the actor, or none."""
    if project_id is None:
        return
    found = readable(Project, actor).where(Project.id == project_id).with_only_columns(Project.id)
    if await session.scalar(found) is None:
        raise _not_found()


async def require_open(session: ReadSession, actor: Actor, project_id: ProjectId | None) -> None:
    """Raise `NotFound` unless it is a project of the actor, or none, and `Conflict` when it is archived."""
    if project_id is None:
        return
    row = await _row(session, actor, project_id)
    if row.archived_at is not None:
        raise Conflict(
            "The project {name} is archived: nothing is asked in it or added to it. Restore it first.", name=row.name
        )


async def _row(session: ReadSession, actor: Actor, project_id: ProjectId) -> Project:
    row = await session.scalar(readable(Project, actor).where(Project.id == project_id))
    if row is None:
        raise _not_found()
    return row


def _set(row: Project, settings: ProjectSettings) -> None:
    row.color, row.icon, row.is_template = settings.color, settings.icon, settings.is_template
    row.model_id, row.model_name = settings.model_id, settings.model_name
    row.temperature, row.max_tokens = settings.temperature, settings.max_tokens


def _info(row: Project) -> ProjectInfo:
    settings = ProjectSettings(
        row.color, row.icon, row.model_id, row.model_name, row.temperature, row.max_tokens, row.is_template
    )
    return ProjectInfo(row.id, row.name, row.instructions, row.lets_memory_in, settings, row.archived_at is not None)


def _not_found() -> NotFound:
    return NotFound("This project does not exist any more, or it is not yours. Pick one from the list.")
