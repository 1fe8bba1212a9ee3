"""Rollups are made once of each call, in pieces, again after they were forgotten, and by several workers at once."""

import asyncio
import dataclasses
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, text

from llm_ui import migrations
from llm_ui.db import Database
from llm_ui.errors import Forbidden
from llm_ui.kit.ids import UserId, uuid7
from llm_ui.models import RunStatus, Span, UsageDimension, UsageKind, UsagePerson, UsageRollup, UsageTotal
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.usage import figures, rollups
from llm_ui.services.usage.slots import Period, slot_of
from llm_ui.services.usage.statements import Filters
from tests.services.usage.histories import Call, added
from tests.services.usage.test_figures import book

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
DAY = Period(NOON - timedelta(hours=12), NOON + timedelta(hours=12))
CALL = Call(
    NOON, user=0, project=0, team=0, model=0, agent=None, kind=UsageKind.CHAT, status=RunStatus.COMPLETED,
    tokens=(10, 20), is_estimate=False, cost_usd=Decimal("0.01"), ttft_ms=100.0, total_ms=300.0,
)  # fmt: skip


def calls(count: int) -> list[Call]:
    return [dataclasses.replace(CALL, at=NOON + timedelta(minutes=minute)) for minute in range(count)]


async def rolled(database: Database) -> list[int]:
    async with database.reading() as session:
        return [
            int(await session.scalar(select(func.sum(table.requests)).where(table.span == int(Span.MONTH))) or 0)
            for table in (UsageRollup, UsageTotal)
        ]


async def months(database: Database) -> dict[UserId, tuple[int, int, Decimal]]:
    """Return what stands there of each person in May: tokens both ways, and cost."""
    async with database.reading() as session:
        found = await session.scalars(select(UsagePerson).where(UsagePerson.slot == slot_of(Span.MONTH, NOON)))
        return {row.user_id: (row.input_tokens, row.output_tokens, row.cost_usd) for row in found}


async def test_each_call_is_added_once_however_late_it_comes(database: Database) -> None:
    await book(database, calls(90))

    assert await rollups.roll_up(database, most=1) == 60, "hour by hour; a command takes more at once"
    assert await rollups.roll_up(database) == 30
    assert await rollups.roll_up(database) == 0
    await book(database, calls(5))
    await rollups.roll_up(database)

    assert await rolled(database) == [95, 95]


async def test_sqlite_finds_nothing_wrong_with_them(sqlite_database: Database) -> None:
    await book(sqlite_database, calls(3))
    await rollups.roll_up(sqlite_database)

    async with sqlite_database.reading() as session:
        assert await session.scalar(text("PRAGMA quick_check")) == "ok"


@pytest.mark.parametrize("nobody", [None, UserId(uuid7())], ids=["erased", "anonymised"])
async def test_sums_of_somebody_who_leaves_are_nobodys(database: Database, nobody: UserId | None) -> None:
    await book(database, calls(3))
    await rollups.roll_up(database)
    async with database.reading() as session:
        theirs = await session.scalar(select(UsageDimension.user_id).where(UsageDimension.user_id.is_not(None)))
    assert theirs is not None

    async with database.writing() as session:
        await rollups.leave(session, theirs, nobody)

    async with database.reading() as session:
        people = set(await session.scalars(select(UsageDimension.user_id)))
    assert people == {None, nobody}
    assert await months(database) == ({} if nobody is None else {nobody: (30, 60, Decimal("0.03"))})
    assert await rolled(database) == [0 if nobody is None else 3, 3]


async def test_what_a_person_used_in_a_month_stands_in_one_row(database: Database) -> None:
    ann, bob = (CALL.row().user_id, dataclasses.replace(CALL, user=1).row().user_id)
    others = [dataclasses.replace(CALL, user=1, model=number) for number in range(3)]
    await book(database, [*calls(90), *others, dataclasses.replace(CALL, at=NOON + timedelta(days=40))])
    await rollups.roll_up(database)
    await book(database, calls(5))
    await rollups.roll_up(database)

    meant = {ann: (950, 1900, Decimal("0.95")), bob: (30, 60, Decimal("0.03"))}
    assert await months(database) == meant
    await migrations.downgrade(database, "0063")
    await migrations.upgrade(database, "head")
    assert await months(database) == meant
    async with database.writing() as session:
        await rollups.forget(session)
    assert await months(database) == {}


async def test_workers_at_the_same_moment_add_nothing_twice(database: Database) -> None:
    await book(database, calls(200))

    workers = [asyncio.create_task(rollups.roll_up(database)) for _ in range(4)]
    await book(database, calls(40))
    added_by = [await worker for worker in workers]

    assert sum(added_by) + await rollups.roll_up(database) == 240
    assert await rolled(database) == [240, 240]


async def test_what_is_forgotten_is_made_again_and_read_meanwhile(database: Database) -> None:
    await book(database, calls(70))
    await rollups.roll_up(database)

    async with database.writing() as session:
        await rollups.forget(session)

    for _ in range(2):
        async with database.reading() as session:
            assert await figures.totals(session, SYSTEM, Filters(), DAY) == added(calls(70))
        await rollups.roll_up(database)
    assert await rolled(database) == [70, 70]


async def test_people_see_their_own_figures_and_only_who_may_sees_all(
    database: Database, a_user: Actor, an_admin: Actor
) -> None:
    await book(database, calls(3))

    async with database.reading() as session:
        assert (await figures.totals(session, an_admin, Filters(), DAY)).requests == 3
        assert (await figures.totals(session, a_user, Filters(user_id=a_user.user_id), DAY)).requests == 0
        with pytest.raises(Forbidden):
            await figures.totals(session, a_user, Filters(), DAY)
        with pytest.raises(Forbidden):
            await figures.totals(session, a_user, Filters(user_id=an_admin.user_id), DAY)
        with pytest.raises(Forbidden):
            await figures.active_people(session, a_user, DAY)
