"""The usage pages: what an address asks for, whose figures are shown, and what is in the files."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from llm_ui.admin.runs.state import RunsState
from llm_ui.admin.usage import rows
from llm_ui.admin.usage.asked import Asked, Range, asked
from llm_ui.admin.usage.files import lines
from llm_ui.admin.usage.state import UsageState
from llm_ui.errors import Forbidden
from llm_ui.kit.clock import now
from llm_ui.models import UsageKind
from llm_ui.services.access import Actor
from llm_ui.services.usage.statements import By
from llm_ui.services.usage.zones import Step
from tests.admin.conftest import ContextOf
from tests.services.test_project_settings import a_booking

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    "address",
    [
        "", "range=7d&step=hour&metric=tokens&by=kind&compare=no&kind=api&offset=25",
        "range=custom&first=2026-03-01&last=2026-03-31&model=00000000-0000-0000-0000-000000000001",
    ],
)  # fmt: skip
def test_an_address_is_read_as_it_was_written(address: str) -> None:
    assert asked(asked(address).query()) == asked(address)
    assert set(asked(address).query().split("&")) == set(address.split("&"))


@pytest.mark.parametrize(
    "address",
    [
        "range=never&metric=x&by=y&step=z&user=me&kind=all&offset=-3", "range=custom&first=2026-03-02&last=2026-03-01",
        "range=custom&first=0001-01-01&last=9999-12-31", "&".join(f"a{number}=1" for number in range(40)),
    ],
)  # fmt: skip
def test_what_nobody_can_mean_is_left_out(address: str) -> None:
    assert asked(address) == Asked()


def test_ranges_are_whole_days_of_the_viewer_and_compared_with_as_much() -> None:
    week = asked("range=7d")

    period, before = week.period(BERLIN, NOW), week.before(BERLIN, NOW)

    assert period.start == datetime(2026, 11, 15, 23, tzinfo=UTC)
    assert period.end == datetime(2026, 11, 22, 23, tzinfo=UTC)
    assert before.start == period.start - timedelta(days=7)
    assert before.end == NOW - timedelta(days=7), "as far into its last day as it is today"
    assert asked("range=12m&step=hour").drawn_step(BERLIN, NOW) is Step.WEEK, "too many hours"


def test_a_bar_leads_to_its_days() -> None:
    march = Asked().narrowed(BERLIN, datetime(2026, 2, 28, 23, tzinfo=UTC), Step.MONTH)

    assert (march.range, str(march.first), str(march.last)) == (Range.CUSTOM, "2026-03-01", "2026-03-31")


async def book(context_of: ContextOf, actor: Actor, count: int) -> None:
    async with context_of(actor).backend.database.writing() as session:
        session.add_all(a_booking(actor, None, Decimal(0), now()) for _ in range(count))


async def test_administrators_see_all_and_people_themselves(
    context_of: ContextOf, an_admin: Actor, a_user: Actor
) -> None:
    await book(context_of, an_admin, 2)
    await book(context_of, a_user, 30)
    everybody = UsageState(context_of(an_admin), is_own=False)
    own = UsageState(context_of(a_user), is_own=True)

    await everybody.look("by=user", "Europe/Berlin")
    await own.look(f"user={an_admin.user_id}&by=user&offset=25", "no/where")

    assert (everybody.error, everybody.shown.used.requests) == ("", 32)
    assert [one.name for one in everybody.shown.ranked] == ["bob", "ada"]
    assert set(everybody.shown.sql) == {"series", "ranking", "week"}
    assert (own.error, own.shown.used.requests) == ("", 30)
    assert (own.shown.asked.by, own.shown.sql) == (By.MODEL, {})
    assert (own.shown.calls.total, len(own.shown.calls.items)) == (30, 5)
    await book(context_of, a_user, 1)
    await own.follow()
    assert own.shown.used.requests == 31


async def test_who_may_not_see_all_is_told_so(context_of: ContextOf, a_user: Actor) -> None:
    state = UsageState(context_of(a_user), is_own=False)

    await state.look("", "UTC")

    assert state.error != ""
    assert state.shown is None
    async with context_of(a_user).backend.database.reading() as session:
        with pytest.raises(Forbidden):
            await lines(session, a_user, "series", "", "UTC", is_own=False)


@pytest.mark.parametrize("name", ["series", "ranking", "week"])
async def test_each_chart_is_a_file(context_of: ContextOf, an_admin: Actor, name: str) -> None:
    await book(context_of, an_admin, 3)

    async with context_of(an_admin).backend.database.reading() as session:
        found = await lines(session, an_admin, name, f"kind={UsageKind.CHAT}", "Asia/Kathmandu", is_own=False)
        none = await lines(session, an_admin, name, "kind=api", "Asia/Kathmandu", is_own=True)

    head, *rows = found.splitlines()
    requests = head.split(",").index('"requests"')
    assert sum(int(row.split(",")[requests]) for row in rows) == 3
    assert sum(int(row.split(",")[requests]) for row in none.splitlines()[1:]) == 0


async def test_a_figure_leads_to_the_runs_behind_it(context_of: ContextOf, an_admin: Actor, a_user: Actor) -> None:
    context, state = context_of(an_admin), UsageState(context_of(an_admin), is_own=False)
    async with context.backend.database.writing() as session:
        session.add_all(a_booking(who, None, Decimal(1), now()) for who in (a_user, a_user, an_admin))
    await state.look(f"range=today&step=hour&by=user&user={a_user.user_id}", "UTC")
    own = UsageState(context_of(a_user), is_own=True)
    await own.look("range=today", "UTC")
    runs = RunsState(context_of(an_admin))

    linked = [row[1] for row in rows.over_time(state.shown) if isinstance(row[1], dict)]
    await runs.look(linked[-1]["href"].partition("?")[2])

    assert rows.are_bars_shortest(state.shown)
    assert sum(int(one["text"]) for one in linked) == 2
    assert (runs.found.total, a_user.name in runs.only) == (int(linked[-1]["text"]), True)
    await runs.look(rows.ranking(state.shown)[0][1]["href"].partition("?")[2])
    assert runs.found.total == 2
    await runs.look("since=soon&until=2020-13-01&user=me")
    assert (runs.found.total, runs.only) == (3, "")
    assert not any(isinstance(row[1], dict) for row in [*rows.over_time(own.shown), *rows.ranking(own.shown)])
