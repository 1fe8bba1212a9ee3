"""Teams whose members are those of groups at an issuer: they come with a sign-in, and go with the next one."""

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, select

from llm_ui.db import ReadSession, Session
from llm_ui.errors import InvalidInput
from llm_ui.kit.ids import IssuerId, TeamId, UserId
from llm_ui.kit.text import name_key
from llm_ui.models import DirectoryGroup, Issuer, IssuerTeam, Team, TeamMember
from llm_ui.services import audit, team_members
from llm_ui.services.access import SYSTEM, Actor, Permission, readable, require


async def text_of(session: ReadSession, issuer_id: IssuerId) -> str:
    """Return which groups of an issuer are which teams, as administrators type it. The caller has asked for rights."""
    query = select(IssuerTeam.group_name, Team.name).join(Team, Team.id == IssuerTeam.team_id)  # rights: see above
    ordered = query.where(IssuerTeam.issuer_id == issuer_id).order_by(IssuerTeam.group_name, Team.name_key)
    return ", ".join(f"{group} = {team}" for group, team in await session.execute(ordered))


async def set_groups(session: Session, actor: Actor, issuer: Issuer, typed: Sequence[str]) -> None:
    """Let the people of groups be in teams: each is `group = team`, the team by its name.

    It holds from everybody's next sign-in on. Raises `InvalidInput` for what is no such pair or no team's name.
    """
    require(actor, Permission.MANAGE_SETTINGS)
    pairs = [_pair(each) for each in typed]
    found = readable(Team, actor).where(Team.name_key.in_({name_key(team) for _, team in pairs}))
    teams = {row.name_key: row.id for row in await session.scalars(found)}
    wanted: set[tuple[str, TeamId]] = set()
    for group, team in pairs:
        if name_key(team) not in teams:
            raise InvalidInput("There is no team named {name}. Begin it on the teams page first.", name=team)
        wanted.add((group, teams[name_key(team)]))
    before = await text_of(session, issuer.id)
    await session.execute(delete(IssuerTeam).where(IssuerTeam.issuer_id == issuer.id))
    session.add_all(IssuerTeam(issuer_id=issuer.id, group_name=group, team_id=team) for group, team in wanted)
    await session.flush()
    changes = audit.difference({"team_groups": before}, {"team_groups": await text_of(session, issuer.id)})
    if changes:
        await audit.record(session, actor, "issuer.teams_set", issuer.name, target_id=issuer.id, changes=changes)


async def follow(session: Session, issuer_id: IssuerId, groups: Iterable[str], user_id: UserId) -> None:
    """Have somebody who signs in join the teams of their groups, and leave those whose group they are not in any more.

    Only what this issuer's groups gave is taken away: who was taken in by somebody, or by another issuer, stays. In the
    teams that are groups of its directory the directory alone decides.
    """
    teams = select(IssuerTeam.team_id).where(IssuerTeam.issuer_id == issuer_id)
    wanted = set(await session.scalars(teams.where(IssuerTeam.group_name.in_(list(groups)))))
    # rights: the issuer says who is in which group
    member = select(TeamMember.team_id, TeamMember.issuer_id).where(TeamMember.user_id == user_id)
    present = {row.team_id: row.issuer_id for row in await session.execute(member)}
    lost = {team_id for team_id, given_by in present.items() if given_by == issuer_id} - wanted
    kept = set(await session.scalars(select(DirectoryGroup.team_id).where(DirectoryGroup.issuer_id == issuer_id)))
    # In the same order for everybody: teams are locked one after the other.
    for team_id in sorted(((wanted - present.keys()) | lost) - kept):
        if team_id in lost:
            await team_members.leave(session, SYSTEM, team_id, user_id)
        else:
            await team_members.join(session, SYSTEM, team_id, user_id, issuer_id)


def _pair(typed: str) -> tuple[str, str]:
    group, found, team = (part.strip() for part in typed.rpartition("="))
    if not (found and group and team):
        raise InvalidInput("“{typed}” names no group and its team. Write it as: crew = Deck.", typed=typed)
    return group, team
