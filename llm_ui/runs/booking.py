"""Booking what a model was asked where no run is stored: what it used and cost, and nothing of what was said.

Before it is asked, what that may cost is set aside of the budgets that pay for it, if there are some.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from llm_ui.contract import Metrics, Usage
from llm_ui.db import Database, Session
from llm_ui.errors import BudgetSpent, LLMUIError
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ModelId, ProjectId, RunId, UserId
from llm_ui.models import KIND_OF, LimitAction, RunStatus, UsageKind, UsageLog, UsagePurpose, UsageSource
from llm_ui.observability.logging import get_logger
from llm_ui.services import budgets
from llm_ui.services.budgets import Ended
from llm_ui.services.prices import cost
from llm_ui.services.targets import ModelTarget

log = get_logger(__name__)

LONGEST_WAIT_S = 20.0
"""At a limit that lets calls wait: what people and scripts still wait for without giving up."""
BETWEEN_S = 0.5
MOST_TOGETHER = 100
"""Calls that are booked in one transaction."""


class Reserved(NamedTuple):
    """What came of setting money aside."""

    is_set_aside: bool
    """Whether anything had to be."""
    warnings: tuple[str, ...] = ()
    """What is to be said of limits that were passed."""


def booking(
    run_id: RunId,
    purpose: UsagePurpose,
    user_id: UserId,
    target: ModelTarget,
    *,
    status: RunStatus,
    usage: Usage,
    metrics: Metrics,
) -> UsageLog:
    """Return the row to add; the price is the model's of this moment."""
    return UsageLog(
        run_id=run_id,
        purpose=purpose,
        kind=KIND_OF.get(purpose, UsageKind.HELPER),
        user_id=user_id,
        model_id=target.model_id,
        provider_id=target.provider_id,
        model_name=target.display_name,
        provider_name=target.provider_name,
        status=status,
        input_tokens=usage.input_tokens,
        cached_tokens=usage.cached_tokens,
        output_tokens=usage.output_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        usage_source=UsageSource(usage.source),
        cost_usd=cost(
            target.prices,
            input_tokens=usage.input_tokens,
            cached_tokens=usage.cached_tokens,
            output_tokens=usage.output_tokens,
            reasoning_tokens=usage.reasoning_tokens,
        ),
        ttft_ms=metrics.ttft_ms,
        total_ms=metrics.total_ms,
        created_at=now(),
    )


async def set_aside(
    database: Database,
    call_id: RunId,
    estimate_usd: Decimal | None,
    user_id: UserId,
    project_id: ProjectId | None,
    series_id: UUID | None = None,
    model_id: ModelId | None = None,
) -> Reserved:
    """Set aside what a call may cost; at a limit that only lets calls wait, once there is enough or the time is over.

    Raises `BudgetSpent`.
    """
    async with database.reading() as session:
        if not await budgets.is_limited(session, user_id, project_id, series_id, model_id):
            return Reserved(is_set_aside=False)
    deadline = time.monotonic() + LONGEST_WAIT_S
    while True:
        try:
            async with database.writing() as session:
                warnings = await budgets.reserve(
                    session, call_id, project_id, estimate_usd, user_id, series_id, model_id
                )
        except BudgetSpent as error:
            if error.leads_to != LimitAction.THROTTLE or time.monotonic() > deadline:
                raise
            # What others have set aside and do not need comes back when their answers end.
            await asyncio.sleep(BETWEEN_S)
        else:
            for sentence in warnings:
                log.warning("limit.passed", call_id=call_id, sentence=sentence)
            return Reserved(is_set_aside=True, warnings=warnings)


async def book(database: Database, row: UsageLog) -> None:
    """Book a call, in the place of what was set aside for it."""
    async with database.writing() as session:
        await settle(session, row)


async def settle(session: Session, *rows: UsageLog, without: Collection[RunId] = ()) -> None:
    """Book calls within a transaction that writes more. `without`: those for which nothing can be set aside."""
    ended = [
        Ended(row.run_id, row.project_id, row.cost_usd, row.user_id, row.model_id, row.run_id not in without)
        for row in rows
    ]
    for row, booked in zip(rows, await budgets.settle(session, ended), strict=True):
        row.project_id, row.team_id = booked
    session.add_all(rows)


@dataclass(frozen=True, slots=True)
class _Waiting:
    make: Callable[[], UsageLog]
    may_be_held: bool
    done: asyncio.Future[None]


class Booker:
    """Books calls: those that end while others are booked go into one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Waiting] = []
        self._working: asyncio.Task[None] | None = None

    async def book(self, make: Callable[[], UsageLog], *, may_be_held: bool = True) -> None:
        """Book a call; return once it is stored. `make` is called anew each time that it is tried.

        What a transaction that failed has done with a row is undone in the database alone.
        """
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(make, may_be_held, done))
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        await done

    async def _work(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
            await self._book(taken)

    async def _book(self, taken: Sequence[_Waiting]) -> None:
        try:
            rows = [one.make() for one in taken]
            without = {row.run_id for row, one in zip(rows, taken, strict=True) if not one.may_be_held}
            async with self._database.writing() as session:
                await settle(session, *rows, without=without)
        except Exception as error:  # noqa: BLE001 - told to whoever waits
            if len(taken) == 1 or isinstance(error, LLMUIError):
                # The database is full or away: for all of them.
                _tell(taken, error)
                return
            for one in taken:
                await self._book([one])
        else:
            _tell(taken, None)


def _tell(taken: Sequence[_Waiting], error: Exception | None) -> None:
    for one in taken:
        if one.done.done():
            continue
        if error is None:
            one.done.set_result(None)
        else:
            one.done.set_exception(error)


async def give_back(database: Database, call_id: RunId) -> None:
    """Give back what was set aside for a call that came to nothing."""
    async with database.writing() as session:
        await budgets.give_back(session, call_id)
