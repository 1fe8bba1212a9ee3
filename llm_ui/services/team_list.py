"""The list of teams: of all for administrators, of one's own for everybody else."""

from collections import defaultdict
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
    of_teams = TeamMember.team_id.in_([team.id for team in teams]), is_person()
    counts = select(TeamMember.team_id, func.count().label("members")).where(*of_teams).group_by(TeamMember.team_id)
    members = {row.team_id: row.members for row in await session.execute(counts)}
    owning = select(TeamMember.team_id, User.name).join(User, User.id == TeamMember.user_id)
    owners: defaultdict[TeamId, list[str]] = defaultdict(list)
    for row in await session.execute(owning.where(*of_teams, TeamMember.role == TeamRole.OWNER).order_by(User.name)):
        owners[row.team_id].append(row.name)
    return tuple(
        ListedTeam(
            id=team.id,
            name=team.name,
            members=members.get(team.id, 0),
            owners=tuple(owners[team.id]),
            created_at=team.created_at,
        )
        for team in teams
    )
