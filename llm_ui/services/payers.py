"""Who pays for a call: the budgets of its project, of one team and of its person, where there are some."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select

from llm_ui.db import ReadSession, Session
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ModelId, ProjectId, TeamId, UserId
from llm_ui.models import (
    EVERYBODY,
    ApiKey,
    Budget,
    BudgetPeriod,
    BudgetScope,
    LimitScope,
    ProjectTeam,
    UsageLog,
    User,
)
from llm_ui.services.teams import teams_of

Payers = Mapping[BudgetScope, UUID]
"""What pays, by its kind."""
LIMITS = {scope: BudgetScope(f"limit_{scope.value}") for scope in LimitScope}
"""The kinds of budgets in which limits of money are kept."""


async def team_of(
    session: ReadSession, user_id: UserId, project_id: ProjectId | None, teams: Sequence[TeamId] | None = None
) -> TeamId | None:
    """Return the one team that pays for a call, and that it is booked to, as things stand at this moment.

    That is the team which has taken part in the project longest; where there is none, the team in which the person has
    been longest. `teams`: those of the person, where the caller has read them.
    """
    # rights: of a call that is allowed already
    of_project = select(ProjectTeam.team_id).where(ProjectTeam.project_id == project_id)
    longest = of_project.order_by(ProjectTeam.created_at, ProjectTeam.team_id).limit(1)
    first = None if project_id is None else await session.scalar(longest)
    if first is not None:
        return first
    return next(iter(await teams_of(session, user_id) if teams is None else teams), None)


async def limited(
    session: Session, user_id: UserId, project_id: ProjectId | None, teams: Sequence[TeamId], month_usd: Decimal
) -> Payers:
    """Return what pays for a call of a person in these teams, whom quotas leave so much in a month; 0: no limit."""
    found = dict(scopes(user_id, project_id, await team_of(session, user_id, project_id, teams)))
    if month_usd:
        await _begin_of_person(session, user_id, month_usd)
    else:
        del found[BudgetScope.PERSON]
    return found


def scopes(user_id: UserId, project_id: ProjectId | None, team_id: TeamId | None) -> Payers:
    """Return the same, where the team is known."""
    named = {BudgetScope.PROJECT: project_id, BudgetScope.TEAM: team_id, BudgetScope.PERSON: user_id}
    return {scope: key for scope, key in named.items() if key is not None}


def limits(user_id: UserId, team_id: UUID | None, series_id: UUID | None, model_id: ModelId | None) -> Payers:
    """Return what limits of administrators may hold for a call."""
    named = {
        LimitScope.PLATFORM: EVERYBODY,
        LimitScope.TEAM: team_id,
        LimitScope.USER: user_id,
        LimitScope.KEY: series_id,
        LimitScope.MODEL: model_id,
    }
    return {LIMITS[scope]: key for scope, key in named.items() if key is not None}


async def _begin_of_person(session: Session, user_id: UserId, amount_usd: Decimal) -> None:
    """Make the budget of a person where there is none."""
    its = select(Budget.id).where(Budget.scope == BudgetScope.PERSON, Budget.scope_id == user_id)
    if await session.scalar(its) is not None:
        return
    # Who comes at the same moment waits here, ahead of any budget, and then finds it made. Not for who has only written
    # a row that names the person: each of two who did would wait for the other.
    person = select(User.id).where(User.id == user_id)  # rights: of who asks
    await session.scalar(person.with_for_update(key_share=True))
    if await session.scalar(its) is None:
        row = begun(BudgetScope.PERSON, user_id, await used(session, BudgetScope.PERSON, user_id))
        row.amount_usd = amount_usd
        session.add(row)
        await session.flush()


def begun(scope: BudgetScope, key: UUID, spent_usd: Decimal, period: BudgetPeriod = BudgetPeriod.MONTH) -> Budget:
    """Return a new budget of this month or day, without its amount."""
    return Budget(scope=scope, scope_id=key, period=period, spent_usd=spent_usd, period_start=begin(period, now()))


async def used(
    session: ReadSession, scope: BudgetScope, key: UUID, period: BudgetPeriod = BudgetPeriod.MONTH
) -> Decimal:
    """Return what was booked in this month or day on what has a budget."""
    # rights: a sum, of a budget that the actor sets
    columns = {
        BudgetScope.PROJECT: UsageLog.project_id,
        BudgetScope.TEAM: UsageLog.team_id,
        BudgetScope.PERSON: UsageLog.user_id,
        BudgetScope.LIMIT_TEAM: UsageLog.team_id,
        BudgetScope.LIMIT_USER: UsageLog.user_id,
        BudgetScope.LIMIT_MODEL: UsageLog.model_id,
    }
    booked = select(func.sum(UsageLog.cost_usd)).where(UsageLog.created_at >= begin(period, now()))
    if scope in columns:
        booked = booked.where(columns[scope] == key)
    elif scope is BudgetScope.LIMIT_KEY:
        # rights: as above
        booked = booked.where(UsageLog.key_id.in_(select(ApiKey.id).where(ApiKey.series_id == key)))
    return await session.scalar(booked) or Decimal(0)


def begin(period: BudgetPeriod, instant: datetime) -> datetime:
    """Return when the day or month of an instant began, in UTC."""
    day = instant.replace(hour=0, minute=0, second=0, microsecond=0)
    return day if period is BudgetPeriod.DAY else day.replace(day=1)


def end(period: BudgetPeriod, instant: datetime) -> datetime:
    """Return when it ends: there is the whole amount again then."""
    start = begin(period, instant)
    return start + timedelta(days=1) if period is BudgetPeriod.DAY else begin(period, start + timedelta(days=32))
