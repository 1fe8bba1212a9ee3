"""Limits that administrators set: of everybody, a team, a person, a key or a model; and what happens at each.

Those of a minute and of answers at the same time are counted where models are asked (runs/limiter.py). Those of money
have a budget each, which holds what is set aside and spent (services/budgets.py).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, or_, select

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, InvalidInput, NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.i18n import later
from llm_ui.kit.ids import BudgetId, LimitId, ModelId, ProjectId, UserId
from llm_ui.models import (
    EVERYBODY,
    AiModel,
    ApiKey,
    Budget,
    BudgetPeriod,
    BudgetScope,
    Limit,
    LimitAction,
    LimitKind,
    LimitScope,
    Team,
    User,
)
from llm_ui.services import audit, payers, settings
from llm_ui.services.access import Actor, Permission, require

LABELS = {
    LimitKind.REQUESTS_MINUTE: later("Requests in a minute"),
    LimitKind.TOKENS_MINUTE: later("Tokens in a minute"),
    LimitKind.STREAMS: later("Answers at the same time"),
    LimitKind.DAY_USD: later("Dollars a day"),
    LimitKind.MONTH_USD: later("Dollars a month"),
}
MOST = {
    LimitKind.REQUESTS_MINUTE: 1_000_000,
    LimitKind.TOKENS_MINUTE: 1_000_000_000,
    LimitKind.STREAMS: 100_000,
    LimitKind.DAY_USD: 100_000_000,
    LimitKind.MONTH_USD: 100_000_000,
}
"""Of each, in its unit; of money a million dollars, in cents."""
PERIODS = {LimitKind.DAY_USD: BudgetPeriod.DAY, LimitKind.MONTH_USD: BudgetPeriod.MONTH}
"""Of the kinds that are money."""
CENTS = 100
MAX_LIMITS = 1_000


class Asking(NamedTuple):
    """Who asks what, as limits see it."""

    user_id: UserId
    project_id: ProjectId | None
    series_id: UUID | None
    """The key's; None: no script asks."""
    model_id: ModelId


@dataclass(frozen=True, slots=True)
class NewLimit:
    """What an administrator fills in; the amount in cents where it is money."""

    scope: LimitScope
    scope_id: UUID
    kind: LimitKind
    amount: int
    action: LimitAction


@dataclass(frozen=True, slots=True)
class LimitInfo:
    """A limit, and what is used of it where that is kept."""

    id: LimitId
    scope: LimitScope
    scope_id: UUID
    name: str
    """Whose it is; empty: what it was of is gone."""
    kind: LimitKind
    amount: int
    action: LimitAction
    used_usd: Decimal | None
    """Spent and set aside since it began anew; None: it is not of money."""
    returns_at: datetime | None
    """When there is the whole amount again; None: within a minute, or once an answer has ended."""

    @property
    def amount_usd(self) -> Decimal:
        """The amount of one that is of money."""
        return Decimal(self.amount) / CENTS

    @property
    def left_usd(self) -> Decimal | None:
        """What is left of it; None: it is not of money."""
        return None if self.used_usd is None else max(Decimal(0), self.amount_usd - self.used_usd)


@dataclass(frozen=True, slots=True)
class Rule:
    """A limit that holds for a call."""

    scope: LimitScope
    scope_id: UUID
    kind: LimitKind
    amount: int
    action: LimitAction


async def list_limits(session: ReadSession, actor: Actor) -> tuple[LimitInfo, ...]:
    """Return all limits: those of everybody first, then by what they are of and its name. Raises `Forbidden`."""
    require(actor, Permission.MANAGE_SETTINGS)
    return await _infos(session, Limit.scope.in_(list(LimitScope)))


async def list_mine(session: ReadSession, actor: Actor) -> tuple[LimitInfo, ...]:
    """Return what limits the actor: of everybody, of the team that pays for them, their own and their keys'."""
    require(actor, Permission.CHAT)
    return await _infos(session, await _of_person(session, actor.user_id))


async def list_of(session: ReadSession, actor: Actor, scope: LimitScope, key: UUID) -> tuple[LimitInfo, ...]:
    """Return what limits a team, a person, a key or a model: its own, and that of everybody; of a person also of the
    team that pays for them and of their keys. Raises `Forbidden`.
    """
    require(actor, Permission.MANAGE_SETTINGS)
    if scope is LimitScope.USER:
        return await _infos(session, await _of_person(session, UserId(key)))
    return await _infos(session, _of({LimitScope.PLATFORM: EVERYBODY, scope: key}))


async def of_team(session: ReadSession, team_id: UUID) -> tuple[LimitInfo, ...]:
    """Return what limits a team. The caller has asked for rights."""
    return await _infos(session, _of({LimitScope.PLATFORM: EVERYBODY, LimitScope.TEAM: team_id}))


async def of_keys(session: ReadSession, series_ids: Collection[UUID]) -> dict[UUID, tuple[LimitInfo, ...]]:
    """Return the limits of keys themselves. The caller has checked whose they are."""
    found = await _infos(session, and_(Limit.scope == LimitScope.KEY, Limit.scope_id.in_(series_ids)))
    return {key: tuple(one for one in found if one.scope_id == key) for key in series_ids}


async def _of_person(session: ReadSession, user_id: UserId) -> ColumnElement[bool]:
    team_id = await payers.team_of(session, user_id, None)
    # rights: of the person's own keys, asked by the callers
    keys = select(ApiKey.series_id).where(ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None))
    own = {LimitScope.PLATFORM: EVERYBODY, LimitScope.TEAM: team_id, LimitScope.USER: user_id}
    return or_(_of(own), and_(Limit.scope == LimitScope.KEY, Limit.scope_id.in_(keys)))


async def list_subjects(session: ReadSession, actor: Actor, scope: LimitScope) -> tuple[tuple[UUID, str], ...]:
    """Return what may be limited of a kind: ids and names, by name. Raises `Forbidden`."""
    require(actor, Permission.MANAGE_SETTINGS)
    # rights: asked above; names alone
    queries: Mapping[LimitScope, Any] = {
        LimitScope.TEAM: select(Team.id, Team.name).order_by(Team.name_key),
        LimitScope.USER: select(User.id, User.name).where(User.is_active).order_by(User.name_key),
        LimitScope.KEY: select(ApiKey.series_id, ApiKey.name + " (" + User.name + ")")
        .join(User, User.id == ApiKey.user_id).where(ApiKey.revoked_at.is_(None)).order_by(ApiKey.name, ApiKey.id),
        LimitScope.MODEL: select(AiModel.id, AiModel.display_name).where(AiModel.deleted_at.is_(None))
        .order_by(AiModel.display_name, AiModel.id),
    }  # fmt: skip
    if scope is LimitScope.PLATFORM:
        return ((EVERYBODY, await settings.get(session, settings.WORKSPACE_NAME)),)
    found = await session.execute(queries[scope].limit(MAX_LIMITS))
    return tuple(dict((key, name) for key, name in found).items())


async def save(session: Session, actor: Actor, limit_id: LimitId | None, new: NewLimit) -> LimitId:
    """Set a limit, or change one; it holds from the next question on, and what was used counts.

    Raises `InvalidInput`, `NotFound` and `Conflict`.
    """
    require(actor, Permission.MANAGE_SETTINGS)
    if not 1 <= new.amount <= MOST[new.kind]:
        raise InvalidInput("A limit is at least 1, or a cent, and at most {most}, or a million dollars.",
                           most=MOST[new.kind])  # fmt: skip
    name = await name_of(session, new.scope, new.scope_id)
    if not name:
        raise NotFound("What is to be limited does not exist any more. Choose from the list.")
    query = select(Limit).where(Limit.id == limit_id) if limit_id else select(Limit).where(_is(new))
    row = await session.scalar(query.with_for_update())
    if limit_id is None and row is not None:
        raise Conflict("There is such a limit already. Change that one.")
    if limit_id is not None and row is None:
        raise NotFound("There is no such limit any more. Reload the page.")
    before = {} if row is None else audit.fields(row, "amount", "action")
    if row is None:
        row = Limit(scope=new.scope, scope_id=new.scope_id, kind=new.kind)
        session.add(row)
    row.amount, row.action = new.amount, new.action
    await session.flush()
    if row.kind in PERIODS:
        await _set_budget(session, row)
    what = f"{row.scope.value} {row.kind.value}"
    changes = audit.difference(before, audit.fields(row, "amount", "action"))
    await audit.record(session, actor, "limit.set", name, target_id=row.id, limit=what, changes=changes)
    return row.id


async def remove(session: Session, actor: Actor, limit_id: LimitId) -> None:
    """Take a limit away. One that is gone is no error."""
    require(actor, Permission.MANAGE_SETTINGS)
    row = await session.scalar(select(Limit).where(Limit.id == limit_id).with_for_update())
    if row is None:
        return
    if row.kind in PERIODS:
        await session.execute(delete(Budget).where(*_budget_of(row)))
    await session.delete(row)
    name = await name_of(session, row.scope, row.scope_id)
    what = f"{row.scope.value} {row.kind.value}"
    await audit.record(session, actor, "limit.removed", name, target_id=limit_id, limit=what)


async def of_call(session: ReadSession, asking: Asking) -> tuple[Rule, ...]:
    """Return the limits of a minute, and of answers at the same time, that hold for a call."""
    # rights: limits only, of who is limited
    team_id = await payers.team_of(session, asking.user_id, asking.project_id)
    own = {
        LimitScope.PLATFORM: EVERYBODY,
        LimitScope.TEAM: team_id,
        LimitScope.USER: asking.user_id,
        LimitScope.KEY: asking.series_id,
        LimitScope.MODEL: asking.model_id,
    }
    found = await session.scalars(select(Limit).where(_of(own), Limit.kind.not_in(PERIODS)).order_by(Limit.id))
    return tuple(Rule(row.scope, row.scope_id, row.kind, row.amount, row.action) for row in found)


async def actions(session: ReadSession, full: Collection[Budget]) -> dict[BudgetId, LimitAction]:
    """Return what happens at these budgets, by their ids; those that are no limit stop."""
    # rights: limits only, of who is limited
    found = dict.fromkeys([row.id for row in full], LimitAction.STOP)
    for row in full:
        if row.scope in SCOPES:
            kind = next(kind for kind, period in PERIODS.items() if period is row.period)
            its = Limit.scope == SCOPES[row.scope], Limit.scope_id == row.scope_id, Limit.kind == kind
            found[row.id] = await session.scalar(select(Limit.action).where(*its)) or LimitAction.STOP
    return found


async def name_of(session: ReadSession, scope: LimitScope, scope_id: UUID) -> str:
    """Return whose a limit is; empty where that is gone. For a sentence to who asks, or to an administrator."""
    # rights: a name, for who is limited by it
    queries: Mapping[LimitScope, Any] = {
        LimitScope.TEAM: select(Team.name).where(Team.id == scope_id),
        LimitScope.USER: select(User.name).where(User.id == scope_id),
        LimitScope.KEY: select(ApiKey.name).where(ApiKey.series_id == scope_id).order_by(ApiKey.id.desc()).limit(1),
        LimitScope.MODEL: select(AiModel.display_name).where(AiModel.id == scope_id),
    }
    if scope is LimitScope.PLATFORM:
        return await settings.get(session, settings.WORKSPACE_NAME)
    return await session.scalar(queries[scope]) or ""


SCOPES = {payers.LIMITS[scope]: scope for scope in LimitScope}
"""Whose limits are kept in a budget of each kind."""


async def _infos(session: ReadSession, wanted: ColumnElement[bool]) -> tuple[LimitInfo, ...]:
    # rights: asked by the callers
    rows = (await session.scalars(select(Limit).where(wanted).limit(MAX_LIMITS))).all()
    found = [await _info(session, row) for row in rows]
    order, kinds = list(LimitScope), list(LimitKind)
    return tuple(sorted(found, key=lambda one: (order.index(one.scope), one.name.casefold(), kinds.index(one.kind))))


async def _info(session: ReadSession, row: Limit) -> LimitInfo:
    name = await name_of(session, row.scope, row.scope_id)
    used, returns_at = None, None
    if row.kind in PERIODS:
        budget = await session.scalar(select(Budget).where(*_budget_of(row)))  # rights: asked by the callers
        start = payers.begin(PERIODS[row.kind], now())
        used = Decimal(0) if budget is None else budget.reserved_usd
        if budget is not None and budget.period_start >= start:
            used += budget.spent_usd
        returns_at = payers.end(PERIODS[row.kind], now())
    return LimitInfo(row.id, row.scope, row.scope_id, name, row.kind, row.amount, row.action, used, returns_at)


async def _set_budget(session: Session, row: Limit) -> None:
    """Keep the budget of a limit of money as the limit is; what was booked in its time counts."""
    # rights: asked by the caller
    budget = await session.scalar(select(Budget).where(*_budget_of(row)).with_for_update(key_share=True))
    if budget is None:
        scope, period = payers.LIMITS[row.scope], PERIODS[row.kind]
        budget = payers.begun(scope, row.scope_id, await payers.used(session, scope, row.scope_id, period), period)
        session.add(budget)
    budget.amount_usd = Decimal(row.amount) / CENTS
    await session.flush()


def _budget_of(row: Limit) -> tuple[ColumnElement[bool], ...]:
    scope: BudgetScope = payers.LIMITS[row.scope]
    return Budget.scope == scope, Budget.scope_id == row.scope_id, Budget.period == PERIODS[row.kind]


def _is(new: NewLimit) -> ColumnElement[bool]:
    return and_(Limit.scope == new.scope, Limit.scope_id == new.scope_id, Limit.kind == new.kind)


def _of(own: Mapping[LimitScope, UUID | None]) -> ColumnElement[bool]:
    named = [and_(Limit.scope == scope, Limit.scope_id == key) for scope, key in own.items() if key is not None]
    return or_(*named)
