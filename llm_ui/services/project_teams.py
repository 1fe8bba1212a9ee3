"""Teams in a project: all their members take part in it, for as long as they are in the team."""

from dataclasses import dataclass

from sqlalchemy import func, select

from llm_ui.db import ReadSession, Session
from llm_ui.errors import InvalidInput
from llm_ui.kit.ids import ProjectId, TeamId, UserId
from llm_ui.models import Project, ProjectRole, ProjectTeam, Team, TeamMember, User
from llm_ui.services import audit
from llm_ui.services.access import Actor, Permission, ProjectRight, readable, require
from llm_ui.services.project_members import part_strangers
from llm_ui.services.projects import people_in, project_row
from llm_ui.services.teams import is_person, team_row


@dataclass(frozen=True, slots=True)
class TeamOfProject:
    """A team that takes part in a project."""

    team_id: TeamId
    name: str
    role: ProjectRole
    members: int


@dataclass(frozen=True, slots=True)
class ProjectOfTeam:
    """A project that a team takes part in."""

    id: ProjectId
    name: str
    owner: str
    role: ProjectRole


async def list_teams(session: ReadSession, actor: Actor, project_id: ProjectId) -> tuple[TeamOfProject, ...]:
    """Return the teams that take part in a project, by name. Raises `NotFound`."""
    require(actor, Permission.CHAT)
    await project_row(session, actor, project_id)
    # rights: of a project that the actor is in: names, and how many there are
    members = select(func.count()).where(TeamMember.team_id == Team.id, is_person()).correlate(Team).scalar_subquery()
    found = readable(ProjectTeam, actor).where(ProjectTeam.project_id == project_id)
    found = found.join(Team, Team.id == ProjectTeam.team_id).order_by(Team.name_key)
    rows = await session.execute(found.with_only_columns(Team.id, Team.name, ProjectTeam.role, members))
    return tuple(TeamOfProject(*row) for row in rows)


async def people_of(session: ReadSession, actor: Actor, project_id: ProjectId) -> frozenset[UserId]:
    """Return who is in a project, by themselves or through a team. Raises `NotFound`."""
    require(actor, Permission.CHAT)
    await project_row(session, actor, project_id)
    return frozenset(row.user_id for row in await session.execute(people_in([project_id])))


async def share(session: Session, actor: Actor, project_id: ProjectId, team_id: TeamId, role: ProjectRole) -> None:
    """Let a team that the actor can see take part in a project, or do more or less in it.

    Raises `NotFound`, `Forbidden`, and `InvalidInput` for owners: those are people.
    """
    require(actor, Permission.CHAT)
    if role is ProjectRole.OWNER:
        raise InvalidInput("A team cannot own a project. Let it view or edit, and make one of its members an owner.")
    project = await project_row(session, actor, project_id, ProjectRight.OWN, is_locked=True)
    there = readable(ProjectTeam, actor).where(ProjectTeam.project_id == project_id, ProjectTeam.team_id == team_id)
    row = await session.scalar(there)
    if row is not None:
        changes = audit.difference({"role": row.role}, {"role": role})
        row.role = role
        name = await session.scalar(select(Team.name).where(Team.id == team_id)) or ""
        done = "project.team_changed"
    else:
        name, changes, done = (await team_row(session, actor, team_id)).name, {}, "project.team_added"
        session.add(ProjectTeam(project_id=project_id, team_id=team_id, role=role))
    await session.flush()
    await audit.record(
        session, actor, done, project.name, target_id=project_id, changes=changes, team=name, role=role.value
    )


async def unshare(session: Session, actor: Actor, project_id: ProjectId, team_id: TeamId) -> None:
    """Let a team take part no longer: who is in the project through it alone is out of it at once.

    Their chats leave it with them and stay theirs. One that is gone is no error. Raises `NotFound` and `Forbidden`.
    """
    require(actor, Permission.CHAT)
    project = await project_row(session, actor, project_id, ProjectRight.OWN, is_locked=True)
    there = readable(ProjectTeam, actor).where(ProjectTeam.project_id == project_id, ProjectTeam.team_id == team_id)
    row = await session.scalar(there)
    if row is None:
        return
    await session.delete(row)
    await session.flush()
    await part_strangers(session, project)
    name = await session.scalar(select(Team.name).where(Team.id == team_id)) or ""
    await audit.record(session, actor, "project.team_removed", project.name, target_id=project_id, team=name)


async def projects_of(session: ReadSession, actor: Actor, team_id: TeamId) -> tuple[ProjectOfTeam, ...]:
    """Return the projects that a team takes part in, by name. Raises `NotFound`."""
    await team_row(session, actor, team_id)
    # rights: names and owners, for members of the team and administrators
    query = select(Project.id, Project.name, User.name, ProjectTeam.role)
    query = query.join(ProjectTeam, ProjectTeam.project_id == Project.id).join(User, User.id == Project.owner_id)
    rows = await session.execute(query.where(ProjectTeam.team_id == team_id).order_by(func.lower(Project.name)))
    return tuple(ProjectOfTeam(*row) for row in rows)
