"""Column types hold what they promise on both databases."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import StatementError

from llm_ui.db import Database
from llm_ui.kit.clock import now
from llm_ui.kit.ids import RunId, UserId, uuid7
from llm_ui.models import RunStatus, UsageLog, UsageSource


def a_booking(cost: Decimal | None, created_at: datetime) -> UsageLog:
    return UsageLog(
        run_id=RunId(uuid7()),
        user_id=UserId(uuid7()),
        model_name="m",
        provider_name="p",
        status=RunStatus.COMPLETED,
        usage_source=UsageSource.PROVIDER,
        cost_usd=cost,
        created_at=created_at,
    )


async def test_money_adds_up_exactly_in_sql(database: Database) -> None:
    async with database.writing() as session:
        session.add_all([a_booking(Decimal("0.1"), now()), a_booking(Decimal("0.2"), now())])

    async with database.reading() as session:
        total = await session.scalar(select(func.sum(UsageLog.cost_usd)))

    assert total == Decimal("0.3")


async def test_one_token_of_a_cheap_model_keeps_its_price(database: Database) -> None:
    price = Decimal("0.0000000375")

    async with database.writing() as session:
        session.add(a_booking(price, now()))

    async with database.reading() as session:
        assert await session.scalar(select(UsageLog.cost_usd)) == price


async def test_instants_come_back_aware_and_equal(database: Database) -> None:
    instant = datetime(2038, 1, 19, 3, 14, 8, 123456, tzinfo=timezone(timedelta(hours=5, minutes=45)))

    async with database.writing() as session:
        session.add(a_booking(None, instant))

    async with database.reading() as session:
        found = await session.scalar(select(UsageLog.created_at))
    assert found == instant
    assert found is not None
    assert found.tzinfo == UTC


async def test_a_naive_instant_is_refused(database: Database) -> None:
    naive = now().replace(tzinfo=None)

    with pytest.raises(StatementError, match="time zone"):
        async with database.writing() as session:
            session.add(a_booking(None, naive))


def test_ids_are_version_7_unique_and_ordered_by_time() -> None:
    made = [uuid7() for _ in range(2_000)]

    assert {value.version for value in made} == {7}
    assert len(set(made)) == len(made)
    # The first 64 bits are the time; within one tick of it the order is random.
    ticks = [value.int >> 64 for value in made]
    assert ticks == sorted(ticks)
