"""Budgets: what may be spent, checked before a call begins and settled once it has ended.

A call sets aside what it may cost before it is made, in the transaction that stores it: of calls that begin at the same
moment each finds what the others have set aside, so that together they never get more than there is. What it did cost
takes the place of that when it ends, however it ends, once.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, bindparam, delete, exists, literal, select, update

from llm_ui.db import ReadSession, Session
from llm_ui.errors import BudgetSpent, InvalidInput, filled
from llm_ui.kit.clock import now
from llm_ui.kit.i18n import later
from llm_ui.kit.ids import BudgetId, ModelId, ProjectId, RunId, TeamId, UserId
from llm_ui.models import (
    LIVE_STATUSES,
    Budget,
    BudgetReservation,
    BudgetScope,
    LimitAction,
    Project,
    QuotaKind,
    Run,
    Team,
)
from llm_ui.models.base import Usd
from llm_ui.services import audit, limits, payers, quotas
from llm_ui.services.access import Actor, Permission, ProjectRight, require
from llm_ui.services.appearance import currency
from llm_ui.services.payers import Payers
from llm_ui.services.projects import project_row
from llm_ui.services.teams import team_row, teams_of

Pairs = Collection[tuple[BudgetScope, UUID]]
"""What pays: of which kind, and which one."""
MAX_AMOUNT_USD = Decimal(1_000_000)
CENT = Decimal("0.01")
PER_PERSON = (QuotaKind.MONTH_USD, *quotas.TOKENS)
"""The quotas that calls count against."""
WARN_FROM = Decimal("0.8")
"""Of a budget: from here on it is said that it comes to its end."""
LOST_AFTER = timedelta(hours=1)
"""No call takes so long: what is still set aside for it was left behind by a process that died."""
LET_GO = (
    delete(BudgetReservation)
    .where(BudgetReservation.call_id.in_(bindparam("call_ids", expanding=True)))
    .returning(BudgetReservation.call_id, BudgetReservation.budget_id, BudgetReservation.amount_usd)
    # No session has them: they were set aside by an earlier one.
    .execution_options(synchronize_session=False)
)
AMONG = (
    # rights: asked by the callers
    select(Budget)
    .where(
        Budget.id.in_(bindparam("ids", expanding=True))
        | Budget.scope.in_(bindparam("scopes", expanding=True)) & Budget.scope_id.in_(bindparam("keys", expanding=True))
    )
    .order_by(Budget.id)
    .execution_options(populate_existing=True)
)
AMONG_HELD = AMONG.with_for_update(key_share=True)
"""Put together once: they are a part of each call."""


@dataclass(frozen=True, slots=True)
class BudgetState:
    """A budget as it stands."""

    amount_usd: Decimal
    spent_usd: Decimal
    reserved_usd: Decimal
    """Set aside for answers that are being written."""
    returns_at: datetime
    """When there is the whole amount again."""

    @property
    def left_usd(self) -> Decimal:
        """What may still be set aside."""
        return max(Decimal(0), self.amount_usd - self.spent_usd - self.reserved_usd)

    @property
    def is_low(self) -> bool:
        """Return whether most of it is spent or set aside."""
        return self.spent_usd + self.reserved_usd >= WARN_FROM * self.amount_usd


async def read(session: ReadSession, actor: Actor, project_id: ProjectId) -> BudgetState | None:
    """Return the budget of a project, None when it has none. Raises `NotFound`."""
    await project_row(session, actor, project_id)
    return await standing(session, project_id)


async def standing(session: ReadSession, project_id: ProjectId) -> BudgetState | None:
    """Return the same for who has asked for rights already."""
    return await _standing(session, BudgetScope.PROJECT, project_id)


async def read_of_team(session: ReadSession, actor: Actor, team_id: TeamId) -> BudgetState | None:
    """Return the budget of a team, None when it has none. Raises `NotFound`."""
    await team_row(session, actor, team_id)
    return await _standing(session, BudgetScope.TEAM, team_id)


async def set_amount(session: Session, actor: Actor, project_id: ProjectId, amount_usd: Decimal | None) -> None:
    """Let this much be spent in a project each month; None: as much as it takes.

    What was used in it this month counts. Raises `InvalidInput`, `NotFound` and `Forbidden`.
    """
    require(actor, Permission.CHAT)
    project = await project_row(session, actor, project_id, ProjectRight.OWN, is_locked=True)
    await _set(session, actor, _Payer(BudgetScope.PROJECT, project_id, project.name), amount_usd)


async def set_of_team(session: Session, actor: Actor, team_id: TeamId, amount_usd: Decimal | None) -> None:
    """Let this much be spent by a team each month; None: as much as it takes.

    What it has paid this month counts. Raises `InvalidInput`, `NotFound` and `Forbidden`.
    """
    require(actor, Permission.MANAGE_USERS)
    team = await team_row(session, actor, team_id, is_locked=True)
    await _set(session, actor, _Payer(BudgetScope.TEAM, team_id, team.name), amount_usd)


async def set_of_key(session: Session, series_id: UUID, amount_usd: Decimal) -> None:
    """Let this much be spent each month with a new key. The caller has checked whose it is. Raises `InvalidInput`."""
    _check(amount_usd)
    row = payers.begun(BudgetScope.KEY, series_id, Decimal(0))
    row.amount_usd = amount_usd
    session.add(row)


async def of_keys(session: ReadSession, series_ids: Sequence[UUID]) -> dict[UUID, BudgetState]:
    """Return the budgets of those keys that have one. The caller has checked whose they are."""
    # rights: asked by the caller
    query = select(Budget).where(Budget.scope == BudgetScope.KEY, Budget.scope_id.in_(series_ids))
    return {row.scope_id: _state(row) for row in await session.scalars(query)}


async def reserve(
    session: Session,
    call_id: RunId,
    project_id: ProjectId | None,
    estimate_usd: Decimal | None,
    user_id: UserId,
    series_id: UUID | None = None,
    model_id: ModelId | None = None,
) -> tuple[str, ...]:
    """Set aside what a call may cost, of the budgets of its project, team, person and key, where there are some, and of
    the limits that administrators have set; return what is to be said of those that only warn.

    One that asks again, after its tools, gets more set aside. Calls that are free, or whose price nobody knows, need no
    budget, but tokens. Raises `BudgetSpent`: nothing is set aside then.
    """
    teams = await teams_of(session, user_id)
    most = await quotas.most_of(session, teams, user_id, PER_PERSON)
    await quotas.require_tokens(session, user_id, most)
    if not estimate_usd:
        return ()
    left_to_person = Decimal(most[QuotaKind.MONTH_USD])
    paying = await payers.limited(session, user_id, project_id, teams, left_to_person)
    rows = await _held(session, _with_limits(paying, user_id, series_id, model_id).items())
    full = []
    # All are held: whoever comes at the same moment waits, and then counts anew.
    for row in rows:
        if row.scope is BudgetScope.PERSON:
            row.amount_usd = left_to_person
        _begin_period(row)
        if row.spent_usd + row.reserved_usd + estimate_usd > row.amount_usd:
            full.append(row)
    warnings = [await _passed(session, row, estimate_usd) for row in await _passable(session, full, estimate_usd)]
    for row in rows:
        row.reserved_usd += estimate_usd
        await _hold(session, call_id, row.id, estimate_usd)
    return tuple(warnings)


async def _passable(session: ReadSession, full: Sequence[Budget], estimate_usd: Decimal) -> Sequence[Budget]:
    """Return those that only warn. Raises `BudgetSpent` of one that does more, the strictest first."""
    action = await limits.actions(session, full) if full else {}
    for wanted in (LimitAction.STOP, LimitAction.SWITCH, LimitAction.THROTTLE):
        for row in full:
            if action[row.id] is wanted:
                raise await _refusal(session, row, estimate_usd, wanted)
    return full


async def _hold(session: Session, call_id: RunId, budget_id: BudgetId, amount_usd: Decimal) -> None:
    is_held = BudgetReservation.call_id == call_id, BudgetReservation.budget_id == budget_id
    more = BudgetReservation.amount_usd + literal(amount_usd, Usd())
    held = update(BudgetReservation).where(*is_held).values(amount_usd=more).returning(BudgetReservation.call_id)
    if await session.scalar(held) is None:
        session.add(BudgetReservation(call_id=call_id, budget_id=budget_id, amount_usd=amount_usd))
        await session.flush()


class Ended(NamedTuple):
    """A call that has ended."""

    call_id: RunId
    project_id: ProjectId | None
    cost_usd: Decimal | None
    user_id: UserId
    model_id: ModelId | None = None
    """Of models only the one pays that has answered."""
    may_be_held: bool = True
    """Whether anything can be set aside for it."""


class Booked(NamedTuple):
    """Where a call is booked."""

    project_id: ProjectId | None
    team_id: TeamId | None


async def settle(session: Session, calls: Sequence[Ended]) -> list[Booked]:
    """Book what calls did cost in the place of what was set aside for them; return what each is booked in.

    That is where it was set aside, wherever its chat and its person are by now; else its project, and the team that
    pays now.
    """
    held = await _let_go(session, [call.call_id for call in calls if call.may_be_held])
    ids = {budget_id for amounts in held.values() for budget_id in amounts}
    known = {row.id: (row.scope, row.scope_id) for row in await _rows(session, (), ids)}
    teams: dict[tuple[UserId, ProjectId | None], TeamId | None] = {}
    booked, paying = [], []
    for call in calls:
        where = dict(known[budget_id] for budget_id in held[call.call_id] if budget_id in known)
        project = where.get(BudgetScope.PROJECT, call.project_id)
        in_project = None if project is None else ProjectId(project)
        team = where.get(BudgetScope.TEAM)
        if team is None:
            payer = call.user_id, in_project
            if payer not in teams:
                teams[payer] = await payers.team_of(session, *payer)
            team = teams[payer]
        place = Booked(in_project, None if team is None else TeamId(team))
        others = {scope: key for scope, key in payers.scopes(call.user_id, *place).items() if scope not in where}
        others |= payers.limits(call.user_id, team, None, call.model_id)
        booked.append(place)
        paying.append(others.items() if call.cost_usd else ())
    for row in await _held(session, {pair for pairs in paying for pair in pairs}, ids):
        _begin_period(row)
        for call, pairs in zip(calls, paying, strict=True):
            amounts, pair = held[call.call_id], (row.scope, row.scope_id)
            row.reserved_usd -= amounts.get(row.id, Decimal(0))
            is_its = row.scope is not BudgetScope.LIMIT_MODEL or row.scope_id == call.model_id
            if is_its and (row.id in amounts or pair in pairs):
                row.spent_usd += call.cost_usd or Decimal(0)
    await session.flush()
    return booked


async def give_back(session: Session, call_id: RunId) -> None:
    """Give back what was set aside for a call that came to nothing."""
    held = (await _let_go(session, [call_id]))[call_id]
    for row in await _held(session, (), held):
        row.reserved_usd -= held[row.id]
    await session.flush()


async def is_limited(
    session: ReadSession,
    user_id: UserId,
    project_id: ProjectId | None,
    series_id: UUID | None = None,
    model_id: ModelId | None = None,
) -> bool:
    """Return whether anything limits what a call of a person may cost, there and with that key, or its tokens."""
    teams = await teams_of(session, user_id)
    if any((await quotas.most_of(session, teams, user_id, PER_PERSON)).values()):
        return True
    team_id = await payers.team_of(session, user_id, project_id, teams)
    paying = payers.scopes(user_id, project_id, team_id)
    return bool(await _rows(session, _with_limits(paying, user_id, series_id, model_id).items()))


def _with_limits(paying: Payers, user_id: UserId, series_id: UUID | None, model_id: ModelId | None) -> Payers:
    """Return what pays, with the key's budget and what limits of administrators may hold."""
    found = {**paying, **payers.limits(user_id, paying.get(BudgetScope.TEAM), series_id, model_id)}
    return found if series_id is None else {**found, BudgetScope.KEY: series_id}


async def _let_go(session: Session, call_ids: Sequence[RunId]) -> Mapping[RunId, dict[BudgetId, Decimal]]:
    """Delete what is set aside for calls; return how much of which budget that was for each."""
    held: defaultdict[RunId, dict[BudgetId, Decimal]] = defaultdict(dict)
    for call_id, budget_id, amount in await session.execute(LET_GO, {"call_ids": call_ids}) if call_ids else ():
        held[call_id][budget_id] = amount
    return held


async def _rows(session: ReadSession, pairs: Pairs, ids: Collection[BudgetId] = ()) -> list[Budget]:
    """Return the budgets of these, and those with these ids."""
    return await _among(session, AMONG, pairs, ids)


async def _held(session: Session, pairs: Pairs, ids: Collection[BudgetId] = ()) -> list[Budget]:
    """Return the same, held until the end of the transaction: all at once and in one order, whoever comes.

    So of two calls none holds a budget that the other waits for.
    """
    return await _among(session, AMONG_HELD, pairs, ids)


async def _among(session: ReadSession, query: Select[Budget], pairs: Pairs, ids: Collection[BudgetId]) -> list[Budget]:
    if not pairs and not ids:
        return []
    scopes, keys = {scope for scope, _ in pairs}, {key for _, key in pairs}
    found = await session.scalars(query, {"ids": list(ids), "scopes": list(scopes), "keys": list(keys)})
    return [row for row in found if row.id in ids or (row.scope, row.scope_id) in pairs]


async def release_lost(session: Session) -> int:
    """Give back what dead processes have left set aside; return how many reservations these were."""
    # rights: the product's own clean-up; runs that live are only looked at
    lives = exists().where(Run.id == BudgetReservation.call_id, Run.status.in_(LIVE_STATUSES))
    old = select(BudgetReservation.call_id).where(BudgetReservation.created_at < now() - LOST_AFTER, ~lives)
    lost = (await session.scalars(old)).all()
    for call_id in lost:
        await give_back(session, call_id)
    return len(lost)


def _check(amount_usd: Decimal) -> None:
    if not CENT <= amount_usd <= MAX_AMOUNT_USD or amount_usd != amount_usd.quantize(CENT):
        raise InvalidInput(
            "A budget is $0.01 to ${most}, in whole cents. Type such an amount.", most=int(MAX_AMOUNT_USD)
        )


async def _standing(session: ReadSession, scope: BudgetScope, key: UUID) -> BudgetState | None:
    found = await _rows(session, [(scope, key)])
    return _state(found[0]) if found else None


@dataclass(frozen=True, slots=True)
class _Payer:
    """What a budget is set of."""

    scope: BudgetScope
    key: UUID
    name: str


async def _set(session: Session, actor: Actor, payer: _Payer, amount_usd: Decimal | None) -> None:
    """Set a budget, or take it away. The caller has asked for rights, and holds the row that it is of."""
    row = next(iter(await _rows(session, [(payer.scope, payer.key)])), None)
    noun = payer.scope.value
    if amount_usd is None:
        if row is not None:
            await session.execute(delete(Budget).where(Budget.id == row.id))
            await audit.record(session, actor, f"{noun}.budget_removed", payer.name, target_id=payer.key)
        return
    _check(amount_usd)
    if row is not None and row.amount_usd == amount_usd:
        return
    before = None if row is None else f"{row.amount_usd:.2f}"
    if row is None:
        row = payers.begun(payer.scope, payer.key, await payers.used(session, payer.scope, payer.key))
        session.add(row)
    row.amount_usd = amount_usd
    changes = audit.difference({"amount_usd": before}, {"amount_usd": f"{amount_usd:.2f}"})
    await audit.record(session, actor, f"{noun}.budget_set", payer.name, target_id=payer.key, changes=changes)
    await session.flush()


def _begin_period(row: Budget) -> None:
    """End a period that is over."""
    start = payers.begin(row.period, now())
    if row.period_start < start:
        row.period_start, row.spent_usd = start, Decimal(0)


def _state(row: Budget) -> BudgetState:
    start = payers.begin(row.period, now())
    spent = Decimal(0) if row.period_start < start else row.spent_usd
    return BudgetState(row.amount_usd, spent, row.reserved_usd, payers.end(row.period, start))


async def _refusal(session: ReadSession, row: Budget, estimate_usd: Decimal, action: LimitAction) -> BudgetSpent:
    """Return the error that tells how far this budget reaches."""
    if row.scope in limits.SCOPES:
        sums = await _sums_of_limit(session, row, estimate_usd)
        wait_s = max(0.0, (_state(row).returns_at - now()).total_seconds())
        return BudgetSpent(
            "{amount} are the limit for {name} until {time} UTC. {left} are left of it; this may cost {estimate}. "
            "Until then pick a cheaper model, or ask an administrator for more.",
            leads_to=action.value, retry_after=wait_s, **sums,
        )  # fmt: skip
    state, shown = _state(row), await currency(session)
    sums = {
        "left": shown.amount(state.left_usd, ROUND_DOWN), "amount": shown.amount(state.amount_usd),
        "estimate": shown.amount(estimate_usd, ROUND_HALF_UP),
        "date": f"{state.returns_at:%Y-%m-%d}",
    }  # fmt: skip
    # rights: of a project, a team or oneself, where the caller asks
    match row.scope:
        case BudgetScope.PROJECT:
            name = await session.scalar(select(Project.name).where(Project.id == row.scope_id)) or ""
            return BudgetSpent(
                "The project {name} has {left} left of its {amount} for this month, and this may cost {estimate}. "
                "On {date} it has the whole amount again; until then pick a cheaper model, or ask an owner for more.",
                name=name, **sums,
            )  # fmt: skip
        case BudgetScope.TEAM:
            name = await session.scalar(select(Team.name).where(Team.id == row.scope_id)) or ""
            return BudgetSpent(
                "The team {name} has {left} left of its {amount} for this month, and this may cost {estimate}. On "
                "{date} it has the whole amount again; until then pick a cheaper model, or ask an administrator for "
                "more.",
                name=name, **sums,
            )  # fmt: skip
        case BudgetScope.KEY:
            return BudgetSpent(
                "This key has {left} left of its {amount} for this month, and this may cost {estimate}. On {date} it "
                "has the whole amount again; until then ask for fewer tokens, or use another key.",
                **sums,
            )
    return BudgetSpent(
        "You have {left} left of your {amount} for this month, and this may cost {estimate}. On {date} you have the "
        "whole amount again; until then pick a cheaper model, or ask an administrator for more.",
        **sums,
    )


async def _sums_of_limit(session: ReadSession, row: Budget, estimate_usd: Decimal) -> dict[str, Any]:
    state, shown = _state(row), await currency(session)
    return {
        "name": await limits.name_of(session, limits.SCOPES[row.scope], row.scope_id),
        "left": shown.amount(state.left_usd, ROUND_DOWN), "amount": shown.amount(state.amount_usd),
        "estimate": shown.amount(estimate_usd, ROUND_HALF_UP),
        "time": f"{state.returns_at:%Y-%m-%d %H:%M}",
    }  # fmt: skip


async def _passed(session: ReadSession, row: Budget, estimate_usd: Decimal) -> str:
    """Return what is said when a limit is passed that only warns."""
    sums = await _sums_of_limit(session, row, estimate_usd)
    return filled(later("The limit of {amount} for {name} until {time} UTC is passed."), sums)
