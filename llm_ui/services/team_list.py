"""The list of teams: of all for administrators, of one's own for everybody else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from llm_ui.db import ReadSession
from llm_ui.kit.ids import TeamId
from llm_ui.kit.text import name_key, storable
from llm_ui.models import Team, TeamMember, TeamRole, User
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.listing import Asked, Rows
from llm_ui.services.teams import is_person


@dataclass(frozen=True, slots=True)
class ListedTeam:
    """A team, with who owns it."""

    id: TeamId
    name: str
    members: int
    owners: tuple[str, ...]
    created_at: datetime


def rows(actor: Actor, asked: Asked) -> Rows[ListedTeam]:
    """Return the teams that are asked for."""
    require(actor, Permission.CHAT)
    query = readable(Team, actor)
    if key := name_key(storable(asked.search)):
        query = query.where(Team.name_key.contains(key, autoescape=True))
    count = select(func.count()).where(TeamMember.team_id == Team.id, is_person()).correlate(Team).scalar_subquery()
    return Rows(query, Team.id, {"name": Team.name_key, "members": count, "created": Team.created_at}, _told)


async def _told(session: ReadSession, teams: Sequence[Team]) -> tuple[ListedTeam, ...]:
    # rights: names of those with whom the actor is in a team, or for administrators
    people = select(TeamMember.team_id, TeamMember.role, User.name).join(User, User.id == TeamMember.user_id)
    of_teams = TeamMember.team_id.in_([team.id for team in teams]), User.is_service.is_(False)
    found = await session.execute(people.where(*of_teams).order_by(User.name))
    members = [(row.team_id, row.role, row.name) for row in found]
    return tuple(
        ListedTeam(
            id=team.id,
            name=team.name,
            members=sum(team_id == team.id for team_id, _, _ in members),
            owners=tuple(name for team_id, role, name in members if team_id == team.id and role is TeamRole.OWNER),
            created_at=team.created_at,
        )
        for team in teams
    )
