"""Budgets: what may be spent, checked before a call begins and settled once it has ended.

A call sets aside what it may cost before it is made, in the transaction that stores it: of calls that begin at the same
moment each finds what the others have set aside, so that together they never get more than there is. What it did cost
takes the place of that when it ends, however it ends, once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from sqlalchemy import ColumnElement, case, delete, exists, func, literal, select, update

from llm_ui.db import ReadSession, Session
from llm_ui.errors import BudgetSpent, InvalidInput
from llm_ui.kit.clock import now
from llm_ui.kit.ids import BudgetId, ProjectId, RunId
from llm_ui.models import (
    LIVE_STATUSES,
    Budget,
    BudgetReservation,
    BudgetScope,
    Project,
    Run,
    UsageLog,
)
from llm_ui.models.base import Usd
from llm_ui.services import audit
from llm_ui.services.access import Actor, Permission, ProjectRight, require
from llm_ui.services.projects import project_row

MAX_AMOUNT_USD = Decimal(1_000_000)
CENT = Decimal("0.01")
WARN_FROM = Decimal("0.8")
"""Of a budget: from here on it is said that it comes to its end."""
LOST_AFTER = timedelta(hours=1)
"""No call takes so long: what is still set aside for it was left behind by a process that died."""


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
    row = await _row(session, project_id)
    return None if row is None else _state(row)


async def set_amount(session: Session, actor: Actor, project_id: ProjectId, amount_usd: Decimal | None) -> None:
    """Let this much be spent in a project each month; None: as much as it takes.

    What was used in it this month counts. Raises `InvalidInput`, `NotFound` and `Forbidden`.
    """
    require(actor, Permission.CHAT)
    project = await project_row(session, actor, project_id, ProjectRight.OWN, is_locked=True)
    row = await _row(session, project_id)
    if amount_usd is None:
        if row is not None:
            await session.execute(delete(Budget).where(Budget.id == row.id))
            await audit.record(session, actor, "project.budget_removed", project.name, target_id=project_id)
        return
    _check(amount_usd)
    if row is not None and row.amount_usd == amount_usd:
        return
    before = None if row is None else f"{row.amount_usd:.2f}"
    if row is None:
        spent = await _used(session, project_id)
        row = Budget(scope=BudgetScope.PROJECT, scope_id=project_id, spent_usd=spent, period_start=_month(now()))
        session.add(row)
    row.amount_usd = amount_usd
    changes = audit.difference({"amount_usd": before}, {"amount_usd": f"{amount_usd:.2f}"})
    await audit.record(session, actor, "project.budget_set", project.name, target_id=project_id, changes=changes)
    await session.flush()


async def set_of_key(session: Session, series_id: UUID, amount_usd: Decimal) -> None:
    """Let this much be spent each month with a new key. The caller has checked whose it is. Raises `InvalidInput`."""
    _check(amount_usd)
    row = Budget(scope=BudgetScope.KEY, scope_id=series_id, spent_usd=Decimal(0), period_start=_month(now()))
    row.amount_usd = amount_usd
    session.add(row)


async def of_keys(session: ReadSession, series_ids: Sequence[UUID]) -> dict[UUID, BudgetState]:
    """Return the budgets of those keys that have one. The caller has checked whose they are."""
    # rights: asked by the caller
    query = select(Budget).where(Budget.scope == BudgetScope.KEY, Budget.scope_id.in_(series_ids))
    return {row.scope_id: _state(row) for row in await session.scalars(query)}


async def reserve(session: Session, call_id: RunId, project_id: ProjectId | None, estimate_usd: Decimal | None) -> None:
    """Set aside what a call may cost, of the budget of its project, if there is one. Raises `BudgetSpent`.

    One that asks again, after its tools, gets more set aside.

    Calls that are free, or whose price nobody knows, need no budget.
    """
    if project_id is None or not estimate_usd:
        return
    if await _reserved(session, call_id, _is_of(project_id), estimate_usd):
        return
    row = await _row(session, project_id)
    if row is not None:
        # rights: the caller asks in it
        name = await session.scalar(select(Project.name).where(Project.id == project_id)) or ""
        raise _refusal(_state(row), estimate_usd, name)


async def reserve_of_key(session: Session, call_id: RunId, series_id: UUID, estimate_usd: Decimal | None) -> None:
    """Set aside what a call may cost, of the budget of its key, if there is one. Raises `BudgetSpent`."""
    of_key = (Budget.scope == BudgetScope.KEY) & (Budget.scope_id == series_id)
    if not estimate_usd or await _reserved(session, call_id, of_key, estimate_usd):
        return
    found = (await of_keys(session, [series_id])).get(series_id)
    if found is not None:
        raise BudgetSpent(
            "This key has {left} left of its {amount} for this month, and this may cost {estimate}. On {date} it has "
            "the whole amount again; until then ask for fewer tokens, or use another key.",
            left=_dollars(found.left_usd), amount=_dollars(found.amount_usd), estimate=_dollars(estimate_usd),
            date=f"{found.returns_at:%Y-%m-%d}",
        )  # fmt: skip


async def _reserved(session: Session, call_id: RunId, is_of: ColumnElement[bool], estimate_usd: Decimal) -> bool:
    """Set an amount aside; return False where there is no such budget, or too little left in it."""
    spent = _spent()
    fits = spent + Budget.reserved_usd + literal(estimate_usd, Usd()) <= Budget.amount_usd
    taken = update(Budget).where(is_of, fits).values(**_in_period(spent, reserved_usd=estimate_usd))
    # One statement: whoever comes at the same moment waits for it and then counts anew.
    budget_id = await session.scalar(taken.returning(Budget.id))
    if budget_id is not None:
        await _hold(session, call_id, budget_id, estimate_usd)
    return budget_id is not None


async def _hold(session: Session, call_id: RunId, budget_id: BudgetId, amount_usd: Decimal) -> None:
    is_held = BudgetReservation.call_id == call_id, BudgetReservation.budget_id == budget_id
    more = BudgetReservation.amount_usd + literal(amount_usd, Usd())
    held = update(BudgetReservation).where(*is_held).values(amount_usd=more).returning(BudgetReservation.call_id)
    if await session.scalar(held) is None:
        session.add(BudgetReservation(call_id=call_id, budget_id=budget_id, amount_usd=amount_usd))
        await session.flush()


async def settle(
    session: Session, call_id: RunId, project_id: ProjectId | None, cost_usd: Decimal | None
) -> ProjectId | None:
    """Book what a call did cost in the place of what was set aside for it; return the project that it is booked in.

    That is where it was set aside, wherever its chat is by now; else `project_id`.
    """
    held = delete(BudgetReservation).where(BudgetReservation.call_id == call_id)
    gone = held.returning(BudgetReservation.budget_id, BudgetReservation.amount_usd)
    spent, is_held = _spent(), False
    # In one order, whoever settles: of two calls none holds a row that the other waits for.
    for budget_id, amount in sorted((await session.execute(gone)).all()):
        values = _in_period(spent, reserved_usd=-amount, spent_usd=cost_usd or Decimal(0))
        booked = update(Budget).where(Budget.id == budget_id).values(**values)
        found = (await session.execute(booked.returning(Budget.scope, Budget.scope_id))).one_or_none()
        if found is None or found.scope is not BudgetScope.KEY:
            is_held, project_id = True, None if found is None else ProjectId(found.scope_id)
    if project_id is not None and cost_usd and not is_held:
        values = _in_period(spent, spent_usd=cost_usd)
        await session.execute(update(Budget).where(_is_of(project_id)).values(**values))
    return project_id


async def has_budget(session: ReadSession, project_id: ProjectId) -> bool:
    """Return whether a project has a budget."""
    return await _row(session, project_id) is not None


async def release_lost(session: Session) -> int:
    """Give back what dead processes have left set aside; return how many reservations these were."""
    # rights: the product's own clean-up; runs that live are only looked at
    lives = exists().where(Run.id == BudgetReservation.call_id, Run.status.in_(LIVE_STATUSES))
    old = select(BudgetReservation.call_id).where(BudgetReservation.created_at < now() - LOST_AFTER, ~lives)
    lost = (await session.scalars(old)).all()
    for call_id in lost:
        await settle(session, call_id, None, None)
    return len(lost)


def _check(amount_usd: Decimal) -> None:
    if not CENT <= amount_usd <= MAX_AMOUNT_USD or amount_usd != amount_usd.quantize(CENT):
        raise InvalidInput(
            "A budget is $0.01 to ${most}, in whole cents. Type such an amount.", most=int(MAX_AMOUNT_USD)
        )


def _is_of(project_id: ProjectId) -> ColumnElement[bool]:
    return (Budget.scope == BudgetScope.PROJECT) & (Budget.scope_id == project_id)


async def _row(session: ReadSession, project_id: ProjectId) -> Budget | None:
    # rights: asked by the caller
    found: Budget | None = await session.scalar(
        select(Budget).where(_is_of(project_id)).execution_options(populate_existing=True)
    )
    return found


async def _used(session: ReadSession, project_id: ProjectId) -> Decimal:
    # rights: a sum, of a project of which the actor is an owner
    booked = UsageLog.project_id == project_id, UsageLog.created_at >= _month(now())
    return await session.scalar(select(func.sum(UsageLog.cost_usd)).where(*booked)) or Decimal(0)


def _spent() -> ColumnElement[Decimal]:
    """Return what is spent in the period of now."""
    return case((Budget.period_start < _month(now()), literal(Decimal(0), Usd())), else_=Budget.spent_usd)


def _in_period(
    spent: ColumnElement[Decimal], *, reserved_usd: Decimal = Decimal(0), spent_usd: Decimal = Decimal(0)
) -> dict[str, object]:
    """Return what to write, so that a period that is over is over."""
    start = _month(now())
    return {
        "spent_usd": spent + literal(spent_usd, Usd()),
        "reserved_usd": Budget.reserved_usd + literal(reserved_usd, Usd()),
        "period_start": case((Budget.period_start < start, start), else_=Budget.period_start),
    }


def _state(row: Budget) -> BudgetState:
    start = _month(now())
    spent = Decimal(0) if row.period_start < start else row.spent_usd
    return BudgetState(row.amount_usd, spent, row.reserved_usd, _month(start + timedelta(days=32)))


def _month(instant: datetime) -> datetime:
    return instant.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _refusal(state: BudgetState, estimate_usd: Decimal, name: str) -> BudgetSpent:
    return BudgetSpent(
        "The project {name} has {left} left of its {amount} for this month, and this may cost {estimate}. "
        "On {date} it has the whole amount again; until then pick a cheaper model, or ask an owner for more.",
        name=name,
        left=_dollars(state.left_usd),
        amount=_dollars(state.amount_usd),
        estimate=_dollars(estimate_usd),
        date=f"{state.returns_at:%Y-%m-%d}",
    )


def _dollars(amount: Decimal) -> str:
    """Return an amount to the cent; below one to two significant digits."""
    if amount == 0 or amount >= CENT:
        return f"${amount.quantize(CENT, ROUND_HALF_UP):,}"
    return f"${amount:.2g}" if amount >= Decimal("0.0001") else "under $0.0001"
