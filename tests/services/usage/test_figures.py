"""Every figure is what counting the calls one by one gives, whatever the time zone and whatever is rolled up."""

import asyncio
from collections import defaultdict
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.models import UsageLog
from llm_ui.services.access import SYSTEM
from llm_ui.services.usage import figures, rollups
from llm_ui.services.usage.buckets import EDGES, bucket_of, middle_of, percentile
from llm_ui.services.usage.figures import Used
from llm_ui.services.usage.slots import Period
from llm_ui.services.usage.statements import ANSWERS, By, Filters
from llm_ui.services.usage.zones import Step, first_day
from tests.services.usage.histories import ZONES, Call, added, counted, filters, histories, periods

QUICK = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


async def book(database: Database, calls: list[Call]) -> None:
    async with database.writing() as session:
        session.add_all(call.row() for call in calls)


async def clear(database: Database) -> None:
    async with database.writing() as session:
        await session.execute(delete(UsageLog))
        await rollups.forget(session)


def grouped(calls: list[Call], key: Any) -> dict[Any, Used]:
    found: defaultdict[Any, list[Call]] = defaultdict(list)
    for call in calls:
        found[key(call)].append(call)
    return {one: added(of_it) for one, of_it in found.items()}


def direct(times: list[float | None], share: float) -> float | None:
    """Return the time that this share did not exceed, exactly."""
    known = sorted(time for time in times if time is not None)
    rank = next((index for index in range(len(known)) if index + 1 >= share * len(known)), None)
    return None if rank is None else known[rank]


def is_near(found: float | None, exact: float | None) -> bool:
    if found is None or exact is None:
        return found is exact
    within = min(max(exact, EDGES[0]), EDGES[-1])
    return within / 2 ** (1 / 8) * 0.999 <= found <= within * 2 ** (1 / 8) * 1.001


async def compare(
    database: Database, calls: list[Call], chosen: Filters, period: Period, place: ZoneInfo, by: By
) -> None:
    """Compare all figures of a page with what the calls themselves say."""
    meant = counted(calls, chosen, period)
    async with database.reading() as session:
        assert await figures.totals(session, SYSTEM, chosen, period) == added(meant)
        ranked = await figures.ranking(session, SYSTEM, chosen, period, by)
        assert ranked == grouped(meant, lambda call: getattr(call.row(), by.column))
        for step in Step:
            bars = await figures.series(session, SYSTEM, chosen, period, place=place, step=step)
            local = grouped(meant, lambda call, step=step: of_bar(call, place, step))
            assert {of_local(bar.begins_at, place, step): bar.used for bar in bars if bar.used.requests} == local
            assert [bar.begins_at for bar in bars] == sorted({bar.begins_at for bar in bars})
        week = await figures.heat(session, SYSTEM, chosen, period, place)
        hours = grouped(meant, lambda call: (local_of(call, place).weekday(), local_of(call, place).hour))
        found = {(day, hour): used for day, row in enumerate(week) for hour, used in enumerate(row) if used.requests}
        assert found == hours
        took = await figures.times(session, SYSTEM, chosen, period)
        ttft, total = [call.ttft_ms for call in meant], [call.total_ms for call in meant]
        assert is_near(took.ttft_p50_ms, direct(ttft, 0.5))
        assert is_near(took.ttft_p95_ms, direct(ttft, 0.95))
        assert is_near(took.total_p50_ms, direct(total, 0.5))
        assert is_near(took.total_p95_ms, direct(total, 0.95))
        by_key = await figures.times_of(session, SYSTEM, chosen, period, by)
        for key, some in by_key.items():
            of_it = [call.ttft_ms for call in meant if getattr(call.row(), by.column) == key]
            assert is_near(some.ttft_p95_ms, direct(of_it, 0.95))
        people = {call.user for call in counted(calls, Filters(), period) if call.kind in ANSWERS}
        assert await figures.active_people(session, SYSTEM, period) == len(people)


def local_of(call: Call, place: ZoneInfo) -> Any:
    return call.at.astimezone(place)


def of_local(at: Any, place: ZoneInfo, step: Step) -> Any:
    local = at.astimezone(place)
    if step is Step.HOUR:
        # Hours that come twice differ in what they are ahead of UTC; a bar that the clocks cut short began before.
        return at
    return first_day(local.date(), step)


def of_bar(call: Call, place: ZoneInfo, step: Step) -> Any:
    local = local_of(call, place)
    if step is Step.HOUR:
        return call.at - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return first_day(local.date(), step)


@QUICK
@given(
    history=histories(), data=st.data(), chosen=filters, zone=st.sampled_from(ZONES), by=st.sampled_from(By),
    rolled=st.integers(0, 14),
)  # fmt: skip
def test_every_figure_is_what_counting_gives(
    database_config: Config, history: Any, data: st.DataObject, chosen: Filters, zone: str, by: By, rolled: int
) -> None:
    change, calls = history
    period = data.draw(periods(change))

    async def check() -> None:
        database = Database.open(database_config)
        try:
            await clear(database)
            await book(database, calls[:rolled])
            await rollups.roll_up(database)
            await book(database, calls[rolled:])
            await compare(database, calls, chosen, period, ZoneInfo(zone), by)
            await rollups.roll_up(database)
            await compare(database, calls, chosen, period, ZoneInfo(zone), by)
        finally:
            await database.close()

    asyncio.run(check())


@given(ms=st.floats(0.01, 10**6))
def test_a_bucket_is_what_its_edges_say(ms: float) -> None:
    bucket = bucket_of(ms)

    assert bucket == 0 or EDGES[bucket - 1] < ms
    assert bucket == len(EDGES) or ms <= EDGES[bucket]
    assert is_near(middle_of(bucket), ms)
    assert percentile({}, 0.5) is None
