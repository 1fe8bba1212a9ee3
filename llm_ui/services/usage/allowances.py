"""Budgets beside what is used of them: what is left, and whether it lasts until the month ends."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import select

from llm_ui.db import ReadSession
from llm_ui.kit.ids import ProjectId, TeamId
from llm_ui.models import Budget, BudgetScope, Project
from llm_ui.services import budgets, teams
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.teams import TeamInfo
from llm_ui.services.usage.figures import ranking
from llm_ui.services.usage.forecast import LOOKED_BACK
from llm_ui.services.usage.slots import Period
from llm_ui.services.usage.statements import By, Filters
from llm_ui.services.usage.zones import DAY, midnight

SHOWN = 50
"""Budgets on a page: those of which most is spent."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """The budget of a project or a team in this month."""

    key: ProjectId | TeamId
    name: str
    amount_usd: Decimal
    spent_usd: Decimal
    left_usd: Decimal
    days_left: float | None
    """Until it is spent, at the daily mean of the 28 days before today; None: it is not used."""
    is_low: bool
    is_of_team: bool = False


async def of_everybody(session: ReadSession, actor: Actor, place: ZoneInfo, at: datetime) -> tuple[Allowance, ...]:
    """Return the budgets of all projects, those first of which most is spent. Raises `Forbidden`."""
    require(actor, Permission.SEE_FIGURES)
    start = midnight(at.astimezone(place).date(), place)
    query = select(Project.id, Project.name).join(Budget, Budget.scope_id == Project.id)
    # rights: names and amounts only, for who may see what everybody uses
    found = (await session.execute(query.where(Budget.scope == BudgetScope.PROJECT).order_by(Project.name))).all()
    of_these = Filters(projects=tuple(row.id for row in found))
    lately = Period(start - LOOKED_BACK, start)
    spent = await ranking(session, actor, of_these, lately, By.PROJECT) if found else {}
    daily = {key: used.cost_usd / (LOOKED_BACK // DAY) for key, used in spent.items()}
    made = [await _allowance(session, row.id, row.name, daily.get(row.id, Decimal(0))) for row in found]
    return tuple(sorted((one for one in made if one is not None), key=_share, reverse=True)[:SHOWN])


async def of_mine(session: ReadSession, actor: Actor) -> tuple[Allowance, ...]:
    """Return the budgets of the actor's projects and teams, those first of which most is spent."""
    # Of others only sums are known to members, and those are of months: how long it lasts is not reckoned here.
    found = (await session.scalars(readable(Project, actor))).all()
    made = [await _allowance(session, one.id, one.name, Decimal(0)) for one in found]
    made += [await _of_team(session, actor, one) for one in await teams.list_mine(session, actor)]
    return tuple(sorted((one for one in made if one is not None), key=_share, reverse=True)[:SHOWN])


async def _allowance(session: ReadSession, project_id: ProjectId, name: str, daily: Decimal) -> Allowance | None:
    state = await budgets.standing(session, project_id)
    if state is None:
        return None
    days = None if not daily else float(state.left_usd / daily)
    return Allowance(project_id, name, state.amount_usd, state.spent_usd, state.left_usd, days, state.is_low)


async def _of_team(session: ReadSession, actor: Actor, team: TeamInfo) -> Allowance | None:
    state = await budgets.read_of_team(session, actor, team.id)
    if state is None:
        return None
    sums = state.amount_usd, state.spent_usd, state.left_usd
    return Allowance(team.id, team.name, *sums, days_left=None, is_low=state.is_low, is_of_team=True)


def _share(one: Allowance) -> Decimal:
    return one.spent_usd / one.amount_usd
