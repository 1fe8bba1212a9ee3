"""Teams: what they are called, what models are told in them, and who is in them.

Administrators may do everything. Owners of a team decide on its members and its instructions, members see it, and for
anybody else there is none. What people write is nobody's because of a team.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, delete, exists, func, select
from sqlalchemy.orm import aliased

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, Forbidden, InvalidInput, NotFound, TooLarge
from llm_ui.kit.ids import TeamId, UserId, uuid7
from llm_ui.kit.text import name_key, one_line, storable
from llm_ui.models import (
    AiModel,
    Budget,
    Limit,
    Project,
    ProjectTeam,
    Quota,
    ServiceAccount,
    Team,
    TeamMember,
    TeamModel,
    TeamRole,
)
from llm_ui.services import audit, team_accounts
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.project_members import part_strangers
from llm_ui.services.projects import MAX_INSTRUCTIONS_CHARS

MAX_NAME_CHARS = 64
OF_PERSON = (
    # rights: of `teams_of`
    select(TeamMember.team_id)
    .where(TeamMember.user_id == bindparam("user_id"))
    .order_by(TeamMember.created_at, TeamMember.team_id)
)
TOLD_BY = (
    # rights: of `instructions_of`
    select(Team.name, Team.instructions)
    .join(TeamMember, TeamMember.team_id == Team.id)
    .where(TeamMember.user_id == bindparam("user_id"))
    .order_by(TeamMember.created_at, TeamMember.team_id)
)
"""Put together once: they are a part of each call."""


@dataclass(frozen=True, slots=True)
class TeamInfo:
    """A team, as somebody sees it who may."""

    id: TeamId
    name: str
    instructions: str
    role: TeamRole | None
    """What they are in it; None for administrators who are not in it."""
    members: int


async def list_mine(session: ReadSession, actor: Actor) -> tuple[TeamInfo, ...]:
    """Return the teams that the actor is in, the one they have been in longest first."""
    require(actor, Permission.CHAT)
    ids = await teams_of(session, actor.user_id)
    rows = {row.id: row for row in await session.scalars(readable(Team, actor).where(Team.id.in_(ids)))}
    return await _infos(session, actor, [rows[team_id] for team_id in ids])


async def forget_limits(session: Session, key: UUID) -> None:
    """Delete the budget and the limits of a team or a person that goes. The caller has asked for rights."""
    await session.execute(delete(Budget).where(Budget.scope_id == key))
    await session.execute(delete(Quota).where(Quota.scope_id == str(key)))
    await session.execute(delete(Limit).where(Limit.scope_id == key))


async def teams_of(session: ReadSession, user_id: UserId) -> tuple[TeamId, ...]:
    """Return the teams that somebody is in, always in the same order: the one they have been in longest first."""
    # rights: asked by the caller, who acts for this person
    return tuple(await session.scalars(OF_PERSON, {"user_id": user_id}))


async def read(session: ReadSession, actor: Actor, team_id: TeamId) -> TeamInfo:
    """Return a team. Raises `NotFound`."""
    require(actor, Permission.CHAT)
    (found,) = await _infos(session, actor, [await team_row(session, actor, team_id)])
    return found


async def begin(session: Session, actor: Actor, name: str) -> TeamId:
    """Begin a team without members. Raises `InvalidInput` and `Conflict`."""
    require(actor, Permission.MANAGE_USERS)
    name = await _free_name(session, name)
    row = Team(id=TeamId(uuid7()), name=name, name_key=name_key(name))
    session.add(row)
    await session.flush()
    await audit.record(session, actor, "team.begun", name, target_id=row.id)
    return row.id


async def rename(session: Session, actor: Actor, team_id: TeamId, name: str) -> None:
    """Give a team another name. Raises `NotFound`, `InvalidInput` and `Conflict`."""
    require(actor, Permission.MANAGE_USERS)
    row = await team_row(session, actor, team_id)
    name = await _free_name(session, name, but=team_id)
    if changes := audit.difference({"name": row.name}, {"name": name}):
        row.name, row.name_key = name, name_key(name)
        await team_accounts.follow_name(session, row)
        await audit.record(session, actor, "team.changed", name, target_id=team_id, changes=changes)


async def instruct(session: Session, actor: Actor, team_id: TeamId, instructions: str) -> None:
    """Have models told this in all chats of a team's members. Raises `TooLarge`, `NotFound` and `Forbidden`."""
    require(actor, Permission.CHAT)
    instructions = storable(instructions).strip()
    if len(instructions) > MAX_INSTRUCTIONS_CHARS:
        raise TooLarge(
            "The instructions have {count} characters; {most} are the most. Shorten them.",
            count=len(instructions),
            most=MAX_INSTRUCTIONS_CHARS,
        )
    row = await team_row(session, actor, team_id, is_managed=True)
    if changes := audit.difference({"instructions": row.instructions}, {"instructions": instructions}):
        row.instructions = instructions
        await audit.record(session, actor, "team.changed", row.name, target_id=team_id, changes=changes)


async def remove(session: Session, actor: Actor, team_id: TeamId) -> None:
    """Delete a team; its members stay, and so does what they wrote. One that is gone is no error.

    Its service accounts go with it, and with them their keys.
    Raises `Conflict` where a model is kept for it alone: that would be everybody's.
    """
    require(actor, Permission.MANAGE_USERS)
    row = await session.scalar(readable(Team, actor).where(Team.id == team_id))
    if row is not None:
        await _free_models(session, row)
        shared = await shared_projects(session, team_id)
        for account_id in await team_accounts.end_all(session, team_id):
            await forget_limits(session, account_id)
        await session.execute(delete(Team).where(Team.id == team_id))
        await forget_limits(session, team_id)
        for project in shared:
            await part_strangers(session, project)
        await audit.record(session, actor, "team.deleted", row.name, target_id=team_id)


async def instructions_of(session: ReadSession, actor: Actor) -> tuple[tuple[str, str], ...]:
    """Return the names and the instructions of the actor's teams, the one they have been in longest first."""
    # rights: of the actor's own teams
    found = await session.execute(TOLD_BY, {"user_id": actor.user_id})
    return tuple((row.name, row.instructions) for row in found)


async def team_row(
    session: ReadSession, actor: Actor, team_id: TeamId, *, is_managed: bool = False, is_locked: bool = False
) -> Team:
    """Return the row of a team that the actor may see, or with `is_managed` may decide on.

    Raises `NotFound` and `Forbidden`. With `is_locked` one change of its members waits for the other.
    """
    found = readable(Team, actor).where(Team.id == team_id)
    row = await session.scalar(found.with_for_update() if is_locked else found)
    if row is None:
        raise NotFound("This team does not exist any more, or it is not yours. Pick one from the list.")
    if is_managed and not actor.may(Permission.MANAGE_USERS):
        mine = readable(TeamMember, actor).where(TeamMember.team_id == team_id, TeamMember.user_id == actor.user_id)
        if await session.scalar(mine.where(TeamMember.role == TeamRole.OWNER)) is None:
            raise Forbidden("Only an owner of the team {name} may do this. Ask one of them.", name=row.name)
    return row


async def shared_projects(session: ReadSession, team_id: TeamId) -> Sequence[Project]:
    """Return the projects that a team takes part in, for whoever ends that. The caller has asked for rights."""
    of_team = select(Project).join(ProjectTeam, ProjectTeam.project_id == Project.id)
    return (await session.scalars(of_team.where(ProjectTeam.team_id == team_id).order_by(Project.id))).all()


def is_person() -> ColumnElement[bool]:
    """Return the rule of members that are people, and no service account."""
    return ~exists().where(ServiceAccount.user_id == TeamMember.user_id)


async def _infos(session: ReadSession, actor: Actor, rows: Sequence[Team]) -> tuple[TeamInfo, ...]:
    members = readable(TeamMember, actor).where(TeamMember.team_id.in_([row.id for row in rows]))
    counts = members.where(is_person()).with_only_columns(TeamMember.team_id, func.count()).group_by(TeamMember.team_id)
    count = {team_id: number for team_id, number in await session.execute(counts)}
    mine = {one.team_id: one.role for one in await session.scalars(members.where(TeamMember.user_id == actor.user_id))}
    return tuple(TeamInfo(row.id, row.name, row.instructions, mine.get(row.id), count.get(row.id, 0)) for row in rows)


async def _free_name(session: ReadSession, name: str, but: TeamId | None = None) -> str:
    name = one_line(name, MAX_NAME_CHARS)
    # Folding makes two letters of some.
    if not name or len(name_key(name)) > MAX_NAME_CHARS:
        raise InvalidInput("A team needs a name of 1 to {most} characters.", most=MAX_NAME_CHARS)
    # rights: asked by the caller; tells only whether a name is taken
    same = await session.scalar(select(Team.id).where(Team.name_key == name_key(name)))
    if same not in (None, but):
        raise Conflict("There is a team named {name} already. Choose another name.", name=name)
    return name


async def _free_models(session: ReadSession, team: Team) -> None:
    # rights: asked by the caller; of an administrator
    other = aliased(TeamModel)
    of_another = exists().where(other.model_id == TeamModel.model_id, other.team_id != team.id)
    alone = select(AiModel.display_name).join(TeamModel, TeamModel.model_id == AiModel.id)
    name = await session.scalar(alone.where(TeamModel.team_id == team.id, ~of_another, AiModel.deleted_at.is_(None)))
    if name is not None:
        raise Conflict(
            "{model} is kept for the team {name} alone, and would be everybody's without it. Change its models first.",
            model=name,
            name=team.name,
        )
