"""Rankings are what counting gives whatever is packed: also when calls come late, people leave, or a pack goes away
while it is read."""

import asyncio
import dataclasses
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.kit.ids import TeamId, UserId, uuid7
from llm_ui.models import Role, RunStatus, ServiceAccount, Span, Team, UsageKind, UsagePack, UsageSubject, User
from llm_ui.services.access import SYSTEM
from llm_ui.services.usage import figures, packs, rollups
from llm_ui.services.usage.figures import Used
from llm_ui.services.usage.packing import SUMS, merged, most_expensive, packed, who_asked
from llm_ui.services.usage.slots import Period, Stretch, cut, slot_of
from llm_ui.services.usage.statements import ANSWERS, By, Filters
from llm_ui.worker import main as worker
from tests.services.usage.histories import Call, counted, histories, periods
from tests.services.usage.test_figures import book, clear, grouped

QUICK = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
DONE = {Span.QUARTER: 29, Span.DAY: 35, Span.MONTH: 2}
"""The present day up to a quarter of an hour ago; what is over; April from its first call on, and May."""
FIRST = datetime(2026, 4, 28, 12, tzinfo=UTC)
LATER = datetime(2026, 6, 2, 7, 30, tzinfo=UTC)
SPRING = Period(FIRST - timedelta(days=2), LATER)
"""Of which May is a whole month, and the days around it are not."""
CALL = Call(
    FIRST, user=0, project=0, team=1, model=0, agent=None, kind=UsageKind.CHAT, status=RunStatus.COMPLETED,
    tokens=(10, 20), is_estimate=False, cost_usd=Decimal("0.01"), ttft_ms=100.0, total_ms=300.0,
)  # fmt: skip


def of(user: int, days: float, cost: str = "0.01") -> Call:
    return dataclasses.replace(CALL, user=user, at=FIRST + timedelta(days=days), cost_usd=Decimal(cost))


HISTORY = [of(day % 3, day) for day in range(0, 34, 2)] + [of(1, 10, "5"), of(2, 34.75)]


@pytest.fixture(autouse=True)
def much(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have packs read although there is little, and no quarters of days before: there are very many."""
    monkeypatch.setattr(packs, "FEW", 0)
    monkeypatch.setattr(packs, "QUARTERS_OF", 0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set what time it is for whoever packs; at first `LATER`."""

    def show(at: datetime) -> None:
        monkeypatch.setattr(packs, "now", lambda: at)

    show(LATER)
    return show


async def ranked(database: Database, by: By = By.USER, period: Period = SPRING) -> dict[Any, Used]:
    async with database.reading() as session:
        found = await figures.ranking(session, SYSTEM, Filters(), period, by)
        first = await figures.ranking(session, SYSTEM, Filters(), period, by, most=1)
    assert list(first.items()) == list(found.items())[:1]
    assert [used.cost_usd for used in found.values()] == sorted((u.cost_usd for u in found.values()), reverse=True)
    return found


async def active(database: Database, period: Period = SPRING) -> int:
    async with database.reading() as session:
        return await figures.active_people(session, SYSTEM, period)


def who_is_active(calls: list[Call], period: Period = SPRING) -> int:
    return len({call.user for call in counted(calls, Filters(), period) if call.kind in ANSWERS})


def meant(calls: list[Call], by: By = By.USER, period: Period = SPRING) -> dict[Any, Used]:
    return grouped(counted(calls, Filters(), period), lambda call: getattr(call.row(), by.column))


async def there(database: Database) -> Counter[Span]:
    """Return how many packs there are of each span, of people."""
    async with database.reading() as session:
        rows = select(UsagePack.span).where(UsagePack.by == By.USER.value)
        return Counter(Span(span) for span in await session.scalars(rows))


async def put_in(database: Database, calls: list[Call]) -> None:
    await book(database, calls)
    await rollups.roll_up(database)


rows_of_sums = st.dictionaries(
    st.integers(0, 300), st.tuples(*[st.integers(0, 2**n) for n in (8, 16, 40, 58) for _ in range(4)][: len(SUMS)])
)


@given(tables=st.lists(rows_of_sums, max_size=4), most=st.none() | st.integers(1, 3))
def test_packs_add_up_to_what_was_put_in(tables: list[dict[int, tuple[int, ...]]], most: int | None) -> None:
    meant: dict[int, list[int]] = {}
    for table in tables:
        for number, sums in table.items():
            meant[number] = [a + b for a, b in zip(meant.get(number, [0] * len(SUMS)), sums, strict=True)]
    rows = [[(number, *sums) for number, sums in table.items()] for table in tables]
    made = [packed([(*row, row[1] % 2) for row in one]) for one in rows]

    found = most_expensive(made, [], None)

    used = {number: tuple(sums) for number, sums in meant.items() if sums[SUMS.index("requests")]}
    assert {number: tuple(sums) for number, *sums in found} == used
    assert [one[1 + SUMS.index("cost_usd")] for one in found] == sorted(
        (sums[SUMS.index("cost_usd")] for sums in used.values()), reverse=True
    )
    assert most_expensive([merged(made[1:])], rows[0] if rows else [], most) == found[:most]
    asked = {number for table in tables for number, sums in table.items() if sums[0] % 2}
    assert who_asked(made) == who_asked([merged(made)]) == asked


@QUICK
@given(
    history=histories(), data=st.data(), by=st.sampled_from(packs.PACKED), days=st.integers(-2, 3),
    quarters=st.sampled_from((-1, 0)), many=st.integers(0, 8), rolled=st.integers(0, 14),
)  # fmt: skip
def test_a_ranking_is_what_counting_gives_whatever_is_packed(
    database_config: Config,
    history: Any,
    data: st.DataObject,
    by: By,
    days: int,
    quarters: int,
    many: int,
    rolled: int,
) -> None:
    change, calls = history
    period = data.draw(periods(change))

    async def check() -> None:
        database = Database.open(database_config)
        try:
            await clear(database)
            await put_in(database, calls[:rolled])
            await packs.make(database, most=many)
            assert await ranked(database, by, period) == meant(calls[:rolled], by, period)
            assert await active(database, period) == who_is_active(calls[:rolled], period)
            await book(database, calls[rolled:])
            assert await ranked(database, by, period) == meant(calls, by, period)
            assert await active(database, period) == who_is_active(calls, period)
            await rollups.roll_up(database)
            assert await ranked(database, by, period) == meant(calls, by, period)
            assert await active(database, period) == who_is_active(calls, period)
        finally:
            await database.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packs, "now", lambda: change + timedelta(days=days))
        patch.setattr(packs, "QUARTERS_OF", quarters)
        asyncio.run(check())


async def test_days_and_months_that_are_over_are_packed_and_read(database: Database, clock: Any) -> None:
    await put_in(database, HISTORY)

    made = await packs.make(database)

    assert await there(database) == DONE
    assert made == sum(DONE.values())
    assert await packs.make(database) == 0
    for by in packs.PACKED:
        assert await ranked(database, by) == meant(HISTORY, by)
    async with database.reading() as session:
        chosen = packs.choose(SPRING, await packs._found(session, SPRING, By.USER))
    # May in one piece, the days at its sides that are over, and the present day up to a quarter of an hour ago.
    assert len(chosen.packs) == 1 + 3 + 1 + 29
    before = Stretch(Span.DAY, slot_of(Span.DAY, SPRING.start) + 1, slot_of(Span.DAY, FIRST))
    now = slot_of(Span.QUARTER, LATER)
    assert set(chosen.rest.stretches) == {
        Stretch(Span.QUARTER, slot_of(Span.QUARTER, SPRING.start), before.first * 96),
        before,
        Stretch(Span.QUARTER, now - 1, now),
    }


async def test_quarters_of_an_hour_stay_packed_as_long_as_a_range_may_begin_in_them(
    database: Database, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packs, "QUARTERS_OF", 1)
    await put_in(database, HISTORY)
    await packs.make(database)
    assert await there(database) == {Span.QUARTER: 96 + 29, Span.DAY: 35, Span.MONTH: 2}
    midnight = LATER.replace(hour=0, minute=0) + timedelta(days=1)

    clock(midnight + timedelta(minutes=14))
    assert await packs.make(database) == 96 - 29 - 1, "what is booked late may still come"
    clock(midnight + timedelta(minutes=15))
    assert await packs.make(database) == 2

    assert await there(database) == {Span.QUARTER: 96, Span.DAY: 36, Span.MONTH: 2}
    assert await ranked(database) == meant(HISTORY)
    within = Period(LATER.replace(hour=5, minute=45), LATER.replace(hour=6, minute=15))
    assert await ranked(database, period=within) == meant(HISTORY, period=within)


async def test_a_call_that_comes_late_is_in_the_figures_at_every_moment(database: Database, clock: Any) -> None:
    await put_in(database, HISTORY)
    await packs.make(database)
    late = of(0, 15.5, "7")

    await book(database, [late])
    assert await ranked(database) == meant([*HISTORY, late])
    await rollups.roll_up(database)
    assert await there(database) == {**DONE, Span.DAY: 34, Span.MONTH: 1}, "its day and its month are gone"
    assert await ranked(database) == meant([*HISTORY, late])
    assert await packs.make(database) == 2

    assert await ranked(database) == meant([*HISTORY, late])


async def test_a_pack_that_goes_away_while_it_is_read_is_read_anew(
    database: Database, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put_in(database, HISTORY)
    await packs.make(database)
    found, late = packs._found, [of(0, 15.5, "7"), of(1, 16.5, "8"), of(2, 17.5, "9")]
    times: list[int] = []

    async def found_and_then_changed(*given: Any) -> Any:
        packed = await found(*given)
        times.append(len(packed))
        if len(times) <= len(late):
            # In another task: a session within a session is warned of.
            await asyncio.create_task(put_in(database, late[len(times) - 1 :][:1]))
        return packed

    monkeypatch.setattr(packs, "_found", found_and_then_changed)
    async with database.reading() as session:
        seen = await figures.ranking(session, SYSTEM, Filters(), SPRING, By.USER)

    # SQLite's reader goes on seeing what was there when it began; PostgreSQL's gives up packs after three tries.
    is_sqlite = database.dialect == "sqlite"
    assert len(times) == (1 if is_sqlite else packs.TRIES)
    assert seen == meant(HISTORY if is_sqlite else [*HISTORY, *late])


async def test_a_month_whose_day_changes_meanwhile_is_not_packed(
    database: Database, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put_in(database, HISTORY)
    late = of(0, 15.5, "7")
    loop = asyncio.get_running_loop()

    def slowly(found: list[bytes]) -> bytes:
        monkeypatch.setattr(packs, "merged", merged)
        asyncio.run_coroutine_threadsafe(put_in(database, [late]), loop).result()
        return merged(found)

    monkeypatch.setattr(packs, "merged", slowly)
    await packs.make(database)

    assert await ranked(database) == meant([*HISTORY, late])
    await packs.make(database)
    assert await there(database) == DONE
    assert await ranked(database) == meant([*HISTORY, late])


async def test_who_used_something_for_the_first_time_is_ranked_before_being_numbered(
    database: Database, clock: Any
) -> None:
    await put_in(database, HISTORY)
    await packs.make(database)
    new = [of(7, 34.79, "9"), of(8, 34.79, "0.5"), dataclasses.replace(of(9, 34.79), project=None)]

    await book(database, new)
    for by in (By.USER, By.PROJECT):
        assert await ranked(database, by) == meant([*HISTORY, *new], by)
    assert await active(database) == 6
    await rollups.roll_up(database)

    for by in (By.USER, By.PROJECT):
        assert await ranked(database, by) == meant([*HISTORY, *new], by)


@pytest.mark.parametrize("nobody", [None, UserId(uuid7())], ids=["erased", "anonymised"])
async def test_who_leaves_is_in_no_pack_any_more(database: Database, clock: Any, nobody: UserId | None) -> None:
    history = [dataclasses.replace(call, team=5, project=None) for call in HISTORY]
    await put_in(database, history)
    await packs.make(database)
    before = await ranked(database)
    gone = of(1, 0).row().user_id

    async with database.writing(lock=rollups.LOCK) as session:
        await rollups.leave(session, gone, nobody)

    left = {nobody if key == gone else key: used for key, used in before.items() if nobody or key != gone}
    assert await ranked(database) == left
    stays = [call for call in history if nobody or call.user != 1]
    assert await ranked(database, By.TEAM) == meant(stays, By.TEAM)
    await packs.make(database)
    assert await ranked(database) == left
    assert await ranked(database, By.TEAM) == meant(stays, By.TEAM)
    async with database.reading() as session:
        named = select(func.count()).select_from(UsageSubject).where(UsageSubject.subject_id == gone)
        assert await session.scalar(named) == 0


async def test_the_worker_packs_what_it_has_added_up(database: Database, clock: Any) -> None:
    await book(database, HISTORY)

    await worker.add_up(database)

    assert await there(database) == DONE
    async with database.writing() as session:
        await rollups.forget(session)
    assert not await there(database)
    assert await ranked(database) == meant(HISTORY)


async def test_of_little_the_database_adds_up_the_rollups_itself(
    database: Database, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put_in(database, HISTORY)
    await packs.make(database)
    monkeypatch.setattr(packs, "FEW", 5)

    async with database.reading() as session:
        assert await packs.are_quicker(session, SPRING)
        assert not await packs.are_quicker(session, Period(FIRST, FIRST + timedelta(days=8)))


async def test_service_accounts_of_teams_are_nobody_who_is_active(database: Database, clock: Any) -> None:
    await put_in(database, HISTORY)
    await packs.make(database)
    assert await active(database) == who_is_active(HISTORY) == 3

    async with database.writing() as session:
        known = {"name": "s", "name_key": "s", "email": "", "email_key": "", "password_hash": "", "role": Role.USER}
        service = User(id=of(1, 0).row().user_id, is_service=True, **known)
        session.add_all([service, Team(id=TeamId(uuid7()), name="t", name_key="t", instructions="")])
        await session.flush()
        team = (await session.scalars(select(Team))).one()
        session.add(ServiceAccount(user_id=service.id, team_id=team.id))

    assert await active(database) == 2


def test_a_period_of_many_holes_is_read_from_rollups() -> None:
    period = Period(FIRST, FIRST + timedelta(days=70))
    first = slot_of(Span.DAY, FIRST) + 1
    every_other = {(Span.DAY, first + number): uuid7() for number in range(0, 50, 2)}

    assert packs.choose(period, every_other) == packs.Chosen((), cut(period))
    nothing = packs.choose(period, {})
    assert (nothing.packs, set(nothing.rest.stretches)) == ((), set(cut(period).stretches))
