"""What the page of a team shows: who is in it, and what it has. Nothing that anybody wrote."""

from collections.abc import Mapping
from dataclasses import dataclass

from llm_ui.db import ReadSession
from llm_ui.kit.clock import now
from llm_ui.kit.ids import TeamId
from llm_ui.models import BudgetPeriod, QuotaKind, TeamRole
from llm_ui.services import (
    budgets,
    limits,
    payers,
    project_teams,
    quotas,
    service_accounts,
    team_members,
    team_models,
    teams,
)
from llm_ui.services.access import SYSTEM, Actor, Permission
from llm_ui.services.budgets import BudgetState
from llm_ui.services.limits import LimitInfo
from llm_ui.services.project_teams import ProjectOfTeam
from llm_ui.services.service_accounts import AccountInfo
from llm_ui.services.team_members import TeamMemberInfo
from llm_ui.services.team_models import KeptModel
from llm_ui.services.teams import TeamInfo
from llm_ui.services.usage.figures import Used, totals
from llm_ui.services.usage.slots import Period
from llm_ui.services.usage.statements import Filters


@dataclass(frozen=True, slots=True)
class TeamDetails:
    """A team, and what the one who looks at it may do."""

    team: TeamInfo
    members: tuple[TeamMemberInfo, ...]
    accounts: tuple[AccountInfo, ...]
    """Its service accounts."""
    models: tuple[KeptModel, ...]
    """Those that are kept for it."""
    projects: tuple[ProjectOfTeam, ...]
    budget: BudgetState | None
    quotas: Mapping[QuotaKind, int]
    """What each of its members may use, where the team says so."""
    limits: tuple[LimitInfo, ...]
    """Of rates and money: its own, and those of everybody."""
    this_month: Used
    """What was booked to it."""
    may_manage: bool
    """Decide on members and instructions."""
    may_administer: bool
    """Decide on its name, its money, its models and its end too."""


async def details(session: ReadSession, actor: Actor, team_id: TeamId) -> TeamDetails:
    """Return what is known of a team. Raises `NotFound`."""
    team = await teams.read(session, actor, team_id)
    may_administer = actor.may(Permission.MANAGE_USERS)
    return TeamDetails(
        team=team,
        members=await team_members.list_members(session, actor, team_id),
        accounts=await service_accounts.list_accounts(session, actor, team_id),
        models=await team_models.list_kept(session, actor, team_id),
        projects=await project_teams.projects_of(session, actor, team_id),
        budget=await budgets.read_of_team(session, actor, team_id),
        quotas=await quotas.of_team(session, team_id),
        limits=await limits.of_team(session, team_id),
        this_month=await _used(session, team_id),
        may_manage=may_administer or team.role is TeamRole.OWNER,
        may_administer=may_administer,
    )


async def _used(session: ReadSession, team_id: TeamId) -> Used:
    # rights: sums only, of a team that the actor sees
    at = now()
    return await totals(session, SYSTEM, Filters(team_id=team_id), Period(payers.begin(BudgetPeriod.MONTH, at), at))
