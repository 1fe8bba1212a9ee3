"""Booking calls, on both databases."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest
from sqlalchemy import Engine, event, func, select
from sqlalchemy.exc import IntegrityError

from llm_ui.db import Database
from llm_ui.kit.clock import now
from llm_ui.kit.ids import RunId, uuid7
from llm_ui.models import BudgetReservation, UsageLog
from llm_ui.runs.booking import Booker
from llm_ui.services import budgets
from llm_ui.services.access import Actor
from tests.documents.ready import a_project
from tests.services.test_project_settings import a_booking

CALLS = 40


@contextmanager
def commits() -> Iterator[list[object]]:
    """Gives one entry for each transaction that is committed meanwhile."""
    seen: list[object] = []
    note = seen.append
    event.listen(Engine, "commit", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "commit", note)


async def test_calls_that_end_together_are_booked_together(seeded: Database, a_user: Actor) -> None:
    project_id = await a_project(seeded, a_user)
    async with seeded.writing() as session:
        await budgets.set_amount(session, a_user, project_id, Decimal(10))
    rows = [a_booking(a_user, project_id, Decimal("0.10"), now()) for _ in range(CALLS)]
    async with seeded.writing() as session:
        for row in rows[::2]:
            await budgets.reserve(session, row.run_id, project_id, Decimal("0.15"), a_user.user_id)
    booker = Booker(seeded)

    with commits() as seen:
        await asyncio.gather(*(booker.book(lambda row=row: row, may_be_held=not at % 2) for at, row in enumerate(rows)))  # type: ignore[misc]

    assert len(seen) <= 3, "those that come meanwhile go together"
    async with seeded.reading() as session:
        state = await budgets.read(session, a_user, project_id)
        assert await session.scalar(select(func.count()).select_from(UsageLog)) == CALLS
        assert await session.scalar(select(func.count()).select_from(BudgetReservation)) == 0
    assert state is not None
    assert (state.spent_usd, state.reserved_usd) == (Decimal("4.00"), Decimal(0))


async def test_a_call_that_cannot_be_booked_takes_no_other_along(seeded: Database, a_user: Actor) -> None:
    booker, twice = Booker(seeded), RunId(uuid7())

    def made(run_id: RunId) -> UsageLog:
        row = a_booking(a_user, None, Decimal("0.10"), now())
        row.run_id = run_id
        return row

    await booker.book(lambda: made(twice))
    ids = [RunId(uuid7()), twice, RunId(uuid7())]
    found = await asyncio.gather(*(booker.book(lambda one=one: made(one)) for one in ids), return_exceptions=True)  # type: ignore[misc]

    assert [type(one) for one in found] == [type(None), IntegrityError, type(None)]
    async with seeded.reading() as session:
        assert set(await session.scalars(select(UsageLog.run_id))) == set(ids)


async def test_who_stops_waiting_is_booked_all_the_same(seeded: Database, a_user: Actor) -> None:
    booker = Booker(seeded)
    row = a_booking(a_user, None, Decimal("0.10"), now())
    waiting = asyncio.create_task(booker.book(lambda: row))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    await booker.book(lambda: a_booking(a_user, None, Decimal("0.10"), now()))

    async with seeded.reading() as session:
        assert await session.get(UsageLog, row.run_id) is not None
