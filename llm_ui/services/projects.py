"""Projects: where people keep chats that belong together, and documents. Who else is in them: project_members.py."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import CompoundSelect, delete, func, select, update

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, Forbidden, InvalidInput, NotFound, TooLarge
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ChatId, ModelId, ProjectId, UserId, uuid7
from llm_ui.kit.text import one_line, storable
from llm_ui.models import (
    Budget,
    BudgetScope,
    ChatHistory,
    Project,
    ProjectColor,
    ProjectIcon,
    ProjectMember,
    ProjectRole,
    ProjectTeam,
    TeamMember,
    User,
    UserMemory,
)
from llm_ui.services import audit, holds, targets
from llm_ui.services.access import PROJECT_RIGHTS, Actor, Permission, ProjectRight, readable, require, require_within
from llm_ui.services.chats import chat_row

MAX_NAME_CHARS = 80
MAX_INSTRUCTIONS_CHARS = 20_000
MAX_PROJECTS = 200
"""Of one owner; those of others in which somebody is a member do not count."""


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
    """A project, as one of its members sees it."""

    id: ProjectId
    name: str
    role: ProjectRole
    """What this member may do."""
    owner: str
    """The name of whom it is listed under; `is_own` says whether that is this member."""
    is_own: bool
    members: int
    """How many there are, this one too."""
    instructions: str
    """What models are told in all its chats; may be empty."""
    lets_memory_in: bool
    """Whether they are told there what this member has told of themselves."""
    settings: ProjectSettings
    is_archived: bool
    keep_days: int | None
    """After so many days without a change its chats go to the bin."""


async def list_projects(session: ReadSession, actor: Actor) -> tuple[ProjectInfo, ...]:
    """Return the projects that the actor is a member of, by name."""
    rows = (await session.scalars(readable(Project, actor).order_by(func.lower(Project.name), Project.id))).all()
    return await _infos(session, actor, rows)


async def instructions_of(session: ReadSession, actor: Actor, project_id: ProjectId) -> tuple[str, str]:
    """Return the name and the instructions of a project, both empty when it is gone."""
    found = await session.scalar(readable(Project, actor).where(Project.id == project_id))
    return ("", "") if found is None else (found.name, found.instructions)


async def read(session: ReadSession, actor: Actor, project_id: ProjectId) -> ProjectInfo:
    """Return a project that the actor is a member of. Raises `NotFound`."""
    (found,) = await _infos(session, actor, [await project_row(session, actor, project_id)])
    return found


async def change(session: Session, actor: Actor, project_id: ProjectId, *, instructions: str) -> None:
    """Have models told this in all chats of a project. Raises `TooLarge`, `NotFound` and `Forbidden`."""
    require(actor, Permission.CHAT)
    instructions = storable(instructions).strip()
    if len(instructions) > MAX_INSTRUCTIONS_CHARS:
        raise TooLarge(
            "The instructions have {count} characters; {most} are the most. Shorten them, or add them as a document.",
            count=len(instructions),
            most=MAX_INSTRUCTIONS_CHARS,
        )
    row = await project_row(session, actor, project_id, ProjectRight.EDIT)
    changes = audit.difference({"instructions": row.instructions}, {"instructions": instructions})
    row.instructions = instructions
    if changes:
        await audit.record(session, actor, "project.changed", row.name, target_id=row.id, changes=changes)


async def let_memory_in(session: Session, actor: Actor, project_id: ProjectId, *, is_in: bool) -> None:
    """Let models be told in a project what the actor has told of themselves, or not.

    Raises `NotFound`, and `Forbidden` for those who are in it through a team alone.
    """
    require(actor, Permission.CHAT)
    project = await project_row(session, actor, project_id)
    mine = readable(ProjectMember, actor).where(ProjectMember.project_id == project_id)
    member = await session.scalar(mine.where(ProjectMember.user_id == actor.user_id))
    if member is None:
        raise Forbidden(
            "You are in the project {name} through a team, so what you told of yourself stays outside. An owner of it "
            "can make you a member yourself.",
            name=project.name,
        )
    member.lets_memory_in = is_in


async def save(
    session: Session,
    actor: Actor,
    project_id: ProjectId | None,
    name: str,
    settings: ProjectSettings | None = None,
    *,
    new_id: ProjectId | None = None,
) -> ProjectId:
    """Begin a project, or give one another name and other settings.

    Raises `InvalidInput`, `NotFound` and `Forbidden`: editors may change the settings, owners the name too. The model
    has to be one that may be asked now, unless it is the one that was set before.
    """
    require(actor, Permission.CHAT)
    name = one_line(name, MAX_NAME_CHARS)
    if not name:
        raise InvalidInput("A project needs a name of at least one character.")
    require_within(actor, project_id)
    row = None if project_id is None else await project_row(session, actor, project_id, ProjectRight.EDIT)
    if row is not None and row.name != name:
        await project_row(session, actor, row.id, ProjectRight.OWN)
    beside = await _of_owner(session, actor.user_id if row is None else row.owner_id)
    same = next((one for one in beside if one.name.casefold() == name.casefold() and one is not row), None)
    if same is not None and row is not None and row.owner_id != actor.user_id:
        raise InvalidInput("This name is taken. Choose another name.")
    if same is not None and same.archived_at is not None:
        raise InvalidInput("An archived project is named {name}. Choose another name, or restore that one.", name=name)
    if same is not None:
        raise InvalidInput("You have a project named {name} already. Choose another name.", name=name)
    if row is None:
        row = await _begun(session, actor, beside, new_id or ProjectId(uuid7()), name)
    before = _audited(row)
    row.name = name
    if settings is not None:
        _set(row, await _with_model(session, actor, row, settings))
    await session.flush()
    if changes := audit.difference(before, _audited(row)):
        await audit.record(session, actor, "project.changed", row.name, target_id=row.id, changes=changes)
    return row.id


async def _with_model(session: ReadSession, actor: Actor, row: Project, settings: ProjectSettings) -> ProjectSettings:
    """Return the settings with the name of their model, which is asked for when it is another one."""
    if settings.model_id is None:
        return settings
    if settings.model_id == row.model_id:
        return replace(settings, model_name=row.model_name)
    found = await targets.target(session, actor, settings.model_id, may_choose=True)
    return replace(settings, model_name=found.display_name)


async def find_or_begin(session: Session, actor: Actor, ids: Sequence[ProjectId], name: str) -> tuple[ProjectId, bool]:
    """Return the project of the actor that has one of the ids, else their own of that name; and whether it is new.

    One that is begun gets the first id. Raises `InvalidInput`.
    """
    require(actor, Permission.CHAT)
    same_ids = await session.scalars(readable(Project, actor).where(Project.id.in_(ids)))
    beside = await _of_owner(session, actor.user_id)
    same_names = [row for row in beside if row.name.casefold() == name.casefold()]
    for row in (*same_ids, *same_names):
        return row.id, False
    return (await _begun(session, actor, beside, ids[0], name)).id, True


async def _of_owner(session: ReadSession, user_id: UserId) -> Sequence[Project]:
    """Return the projects among whose names one has to be no other's."""
    # rights: of the actor, or of the owner of a project that the actor may name
    return (await session.scalars(select(Project).where(Project.owner_id == user_id))).all()


async def _begun(
    session: Session, actor: Actor, beside: Sequence[Project], project_id: ProjectId, name: str
) -> Project:
    if len(beside) >= MAX_PROJECTS:
        raise InvalidInput("You have {most} projects, which is the most. Delete one first.", most=MAX_PROJECTS)
    row = Project(id=project_id, owner_id=actor.user_id, name=name)
    session.add(row)
    await session.flush()
    session.add(ProjectMember(project_id=row.id, user_id=actor.user_id, role=ProjectRole.OWNER))
    await session.flush()
    await audit.record(session, actor, "project.begun", name, target_id=row.id)
    return row


async def archive(session: Session, actor: Actor, project_id: ProjectId, *, is_archived: bool) -> None:
    """Put a project away, or take it back. What is in it stays and is read; nothing is asked in it or added to it."""
    require(actor, Permission.CHAT)
    row = await project_row(session, actor, project_id, ProjectRight.OWN)
    row.archived_at = now() if is_archived else None
    done = "project.archived" if is_archived else "project.unarchived"
    await audit.record(session, actor, done, row.name, target_id=row.id)


async def remove(session: Session, actor: Actor, project_id: ProjectId) -> None:
    """Delete a project with its documents and facts; its chats go back to the lists of those who wrote them.

    One that is gone is no error. Raises `Forbidden`.
    """
    require(actor, Permission.CHAT)
    if await session.scalar(readable(Project, actor).where(Project.id == project_id)) is not None:
        row = await project_row(session, actor, project_id, ProjectRight.OWN)
        await take_away(session, project_id)
        await audit.record(session, actor, "project.deleted", row.name, target_id=project_id)


async def take_away(session: Session, project_id: ProjectId) -> None:
    """Delete a project with all that is its own. The caller has asked for rights. Raises `Conflict` while on hold."""
    await holds.require_free_project(session, project_id)
    # rights: those of all members; chats in the bin as well, which `readable()` leaves out
    await session.execute(update(ChatHistory).where(ChatHistory.project_id == project_id).values(project_id=None))
    await session.execute(delete(UserMemory).where(UserMemory.project_id == project_id))
    await session.execute(delete(Budget).where(Budget.scope == BudgetScope.PROJECT, Budget.scope_id == project_id))
    await session.execute(delete(Project).where(Project.id == project_id))


async def move(session: Session, actor: Actor, chat_id: ChatId, project_id: ProjectId | None) -> None:
    """Put a chat into a project, or into none.

    Raises `NotFound`, and `Conflict` for a project that is archived, and to leave one that is on hold.
    """
    require_within(actor, project_id)
    row = await chat_row(session, actor, chat_id)
    await holds.require_free(session, project_id=row.project_id)
    await require_open(session, actor, project_id)
    row.project_id = project_id


async def project_of(session: ReadSession, actor: Actor, chat_id: ChatId) -> ProjectId | None:
    """Return the project that a chat is kept in, None when there is none. Raises `NotFound`."""
    return (await chat_row(session, actor, chat_id)).project_id


async def require_project(session: ReadSession, actor: Actor, project_id: ProjectId | None) -> None:
    """Raise `NotFound` unless the actor is a member of the project, or there is none."""
    if project_id is not None:
        await project_row(session, actor, project_id)


async def require_open(
    session: ReadSession, actor: Actor, project_id: ProjectId | None, right: ProjectRight = ProjectRight.ASK
) -> None:
    """Raise `NotFound` or `Forbidden` unless the actor may do this in the project, `Conflict` when it is archived."""
    if project_id is None:
        return
    row = await project_row(session, actor, project_id, right)
    if row.archived_at is not None:
        raise Conflict(
            "The project {name} is archived: nothing is asked in it or added to it. Restore it first.", name=row.name
        )


async def project_row(
    session: ReadSession,
    actor: Actor,
    project_id: ProjectId,
    right: ProjectRight = ProjectRight.ASK,
    *,
    is_locked: bool = False,
) -> Project:
    """Return the row of a project in which the actor may do this.

    Raises `NotFound` for those who are no members of it, `Forbidden` for those whose role does not allow it. With
    `is_locked` one change of its members waits for the other.
    """
    found = readable(Project, actor).where(Project.id == project_id)
    row = await session.scalar(found.with_for_update() if is_locked else found)
    if row is None:
        raise _not_found()
    if right is ProjectRight.ASK:
        return row
    # Asked after the row is held: what the one before has changed counts.
    mine = (await _roles(session, actor, [project_id])).get(project_id)
    if mine is None:
        raise _not_found()
    if right in PROJECT_RIGHTS[mine]:
        return row
    if right is ProjectRight.EDIT:
        raise Forbidden(
            "You may ask in the project {name}, but not change it. An owner of it can make you an editor.",
            name=row.name,
        )
    raise Forbidden("Only an owner of the project {name} may do this. Ask one of them.", name=row.name)


async def _roles(session: ReadSession, actor: Actor, ids: Sequence[ProjectId]) -> dict[ProjectId, ProjectRole]:
    """Return what the actor is in each project: the most of what they are themselves and through their teams."""
    # rights: the actor's own
    own = select(ProjectMember.project_id, ProjectMember.role).where(
        ProjectMember.project_id.in_(ids), ProjectMember.user_id == actor.user_id
    )
    by_team = select(ProjectTeam.project_id, ProjectTeam.role).join(
        TeamMember, TeamMember.team_id == ProjectTeam.team_id
    )
    by_team = by_team.where(ProjectTeam.project_id.in_(ids), TeamMember.user_id == actor.user_id)
    found = (await session.execute(own.union_all(by_team))).all()
    return {row.project_id: row.role for row in sorted(found, key=lambda row: len(PROJECT_RIGHTS[row.role]))}


def _set(row: Project, settings: ProjectSettings) -> None:
    row.color, row.icon, row.is_template = settings.color, settings.icon, settings.is_template
    row.model_id, row.model_name = settings.model_id, settings.model_name
    row.temperature, row.max_tokens = settings.temperature, settings.max_tokens


def people_in(ids: Sequence[ProjectId]) -> CompoundSelect[ProjectId, UserId]:
    """Return who is in which of these projects, each once. The caller has asked for rights."""
    # rights: asked by the caller
    own = select(ProjectMember.project_id, ProjectMember.user_id).where(ProjectMember.project_id.in_(ids))
    by_team = select(ProjectTeam.project_id, TeamMember.user_id).join(
        TeamMember, TeamMember.team_id == ProjectTeam.team_id
    )
    return own.union(by_team.where(ProjectTeam.project_id.in_(ids)))


async def _infos(session: ReadSession, actor: Actor, rows: Sequence[Project]) -> tuple[ProjectInfo, ...]:
    """Return projects as the actor, who is a member of each, sees them."""
    ids = [row.id for row in rows]
    roles = await _roles(session, actor, ids)
    members = readable(ProjectMember, actor).where(ProjectMember.project_id.in_(ids))
    letting = members.where(ProjectMember.user_id == actor.user_id, ProjectMember.lets_memory_in)
    letting_in = set(await session.scalars(letting.with_only_columns(ProjectMember.project_id)))
    people = people_in(ids).subquery()
    counts = select(people.c.project_id, func.count()).group_by(people.c.project_id)
    count = {project_id: number for project_id, number in await session.execute(counts)}
    # rights: the names of those with whom the actor shares a project
    named = select(User.id, User.name).where(User.id.in_({row.owner_id for row in rows}))
    names = {user_id: name for user_id, name in await session.execute(named)}
    return tuple(
        ProjectInfo(
            id=row.id,
            name=row.name,
            role=roles[row.id],
            owner=names.get(row.owner_id, ""),
            is_own=row.owner_id == actor.user_id,
            members=count[row.id],
            instructions=row.instructions,
            lets_memory_in=row.id in letting_in,
            settings=_settings(row),
            is_archived=row.archived_at is not None,
            keep_days=row.keep_days,
        )
        for row in rows
        if row.id in roles
    )


def _audited(row: Project) -> dict[str, object]:
    look = "name", "color", "icon", "is_template"
    return audit.fields(row, *look, "model_name", "temperature", "max_tokens")


def _settings(row: Project) -> ProjectSettings:
    return ProjectSettings(
        row.color, row.icon, row.model_id, row.model_name, row.temperature, row.max_tokens, row.is_template
    )


def _not_found() -> NotFound:
    return NotFound("This project does not exist any more, or it is not yours. Pick one from the list.")
