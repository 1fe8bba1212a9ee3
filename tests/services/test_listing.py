"""Lists on both databases: pages, search, filters, order, and all of them piece by piece."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from llm_ui.db import Database
from llm_ui.errors import Forbidden
from llm_ui.kit.clock import now
from llm_ui.kit.ids import RunId, UserId, uuid7
from llm_ui.models import Role, RunStatus, UsageKind, UsageLog, UsagePurpose, UsageSource, User
from llm_ui.services import listing, run_list, user_list
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.listing import Asked, Found
from llm_ui.services.run_list import ListedRun
from llm_ui.services.usage import rollups
from llm_ui.services.user_list import ListedUser


@pytest.fixture
async def crowd(database: Database) -> None:
    """A hundred and twenty people; every third is disabled, the first ten are administrators, one signed in."""
    people = [
        User(
            id=UserId(uuid7()),
            name=f"P{n:03d}",
            name_key=f"p{n:03d}",
            email=f"p{n:03d}@{'example' if n % 2 else 'sample'}.org",
            email_key=f"p{n:03d}@{'example' if n % 2 else 'sample'}.org",
            password_hash="",
            role=Role.ADMIN if n < 10 else Role.USER,
            is_active=n % 3 != 0,
            last_seen_at=now() if n == 70 else None,
        )
        for n in range(120)
    ]
    async with database.writing() as session:
        session.add_all(people)


async def found(database: Database, asked: Asked) -> Found[ListedUser]:
    """What the list shows."""
    async with database.reading() as session:
        return await listing.find(session, user_list.rows(SYSTEM, asked), asked)


def names(page: Found[ListedUser]) -> list[str]:
    return [listed.user.name for listed in page.items]


async def test_a_list_has_pages_of_the_size_that_is_asked_for(database: Database, crowd: None) -> None:
    first = await found(database, Asked(size=50))
    last = await found(database, Asked(size=50, page=3))
    beyond = await found(database, Asked(size=50, page=99))

    assert (names(first)[0], len(first.items), first.total) == ("P000", 50, 120)
    assert (len(last.items), last.page) == (20, 3)
    assert names(beyond) == names(last)
    assert beyond.page == 3


async def test_search_and_filters_narrow_it_together(database: Database, crowd: None) -> None:
    assert names(await found(database, Asked("P00", {"role": "admin", "state": "disabled"}))) == [
        "P000", "P003", "P006", "P009",
    ]  # fmt: skip
    assert (await found(database, Asked("SAMPLE.org"))).total == 60
    assert (await found(database, Asked("100%"))).total == 0
    assert (await found(database, Asked("\x00"))).total == 120


@pytest.mark.parametrize("column", ["name", "role", "state", "seen", "created", "tokens", "cost"])
async def test_each_column_sorts_both_ways_and_no_row_is_lost(database: Database, crowd: None, column: str) -> None:
    for is_descending in (False, True):
        seen: list[str] = []
        for page in range(1, 6):
            seen += names(await found(database, Asked(sort=column, is_descending=is_descending, page=page, size=25)))

        assert len(set(seen)) == 120


async def test_people_are_in_the_order_of_what_they_used_this_month_added_up_or_not_yet(
    database: Database, crowd: None
) -> None:
    people = {listed.user.name: listed.user.id for listed in (await found(database, Asked(size=100))).items}

    async def book(name: str, cost: str, tokens: int, at: datetime) -> None:
        call = UsageLog(
            run_id=RunId(uuid7()), user_id=people[name], model_name="m", provider_name="p",
            status=RunStatus.COMPLETED, usage_source=UsageSource.PROVIDER, input_tokens=tokens, output_tokens=1,
            cost_usd=Decimal(cost), created_at=at,
        )  # fmt: skip
        async with database.writing() as session:
            session.add(call)

    await book("P050", "3", 10, now())
    await book("P051", "1", 90, now())
    await book("P052", "99", 9_999, now() - timedelta(days=40))
    await rollups.roll_up(database)
    await book("P051", "1.5", 0, now())
    await book("P053", "0.5", 50, now())

    by_cost = await found(database, Asked(sort="cost", is_descending=True))
    by_tokens = await found(database, Asked(sort="tokens", is_descending=True))
    by_least = await found(database, Asked("P05", sort="cost"))

    assert names(by_cost)[:3] == ["P050", "P051", "P053"]
    assert [listed.cost_usd for listed in by_cost.items[:4]] == [3, Decimal("2.5"), Decimal("0.5"), 0]
    assert names(by_tokens)[:3] == ["P051", "P053", "P050"]
    assert [listed.tokens for listed in by_tokens.items[:4]] == [92, 51, 11, 0]
    assert names(by_least)[-3:] == ["P053", "P051", "P050"]


async def test_what_has_no_value_is_last_both_ways(database: Database, crowd: None) -> None:
    for is_descending in (False, True):
        assert names(await found(database, Asked(sort="seen", is_descending=is_descending)))[0] == "P070"


async def test_an_export_goes_through_all_that_the_filters_leave(
    database: Database, crowd: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PIECE_ROWS", 25)

    read = [piece async for piece in listing.pieces(database, user_list.rows(SYSTEM, Asked(filters={"role": "user"})))]

    assert [len(piece) for piece in read] == [25, 25, 25, 25, 10]
    assert [listed.user.name for piece in read for listed in piece] == [f"P{n:03d}" for n in range(10, 120)]


async def test_only_administrators_read_the_list_of_accounts(database: Database, a_user: Actor) -> None:
    with pytest.raises(Forbidden):
        user_list.rows(a_user, Asked())


async def test_of_an_endless_list_the_end_is_searched_and_all_of_it_leafed_through(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, most in (("LOOKED_AT", 20), ("COUNTED", 100)):
        monkeypatch.setattr(listing, name, most)
    begun = now() - timedelta(hours=3)
    async with database.writing() as session:
        session.add_all(call(number, begun + timedelta(minutes=number)) for number in range(120))

    async def seen(asked: Asked) -> Found[ListedRun]:
        async with database.reading() as session:
            return await listing.find(session, run_list.rows(SYSTEM, asked), asked)

    newest = await seen(Asked(sort="at", is_descending=True, size=25))
    costly = await seen(Asked(sort="cost", is_descending=True, size=25))
    even = await seen(Asked("even", sort="at", is_descending=True, size=25))
    failed = await seen(Asked("even", {"status": "failed"}, sort="cost", size=25))

    assert (newest.total, newest.is_more, newest.is_cut) == (100, True, False)
    assert (costly.total, costly.is_more, costly.is_cut) == (20, False, True)
    assert [one.call.input_tokens for one in costly.items] == list(range(100, 120)), "the cheapest are the latest"
    assert (even.total, even.is_cut) == (10, True)
    assert (failed.total, failed.is_cut) == (10, True), "filters reach further back: they are told by indexes"


def call(number: int, at: datetime) -> UsageLog:
    """A call that costs less than the one before; every third has failed."""
    is_even = number % 2 == 0
    return UsageLog(
        run_id=RunId(uuid7()), purpose=UsagePurpose.ANSWER, kind=UsageKind.CHAT, user_id=UserId(uuid7()),
        model_name="even" if is_even else "odd", provider_name="p", usage_source=UsageSource.PROVIDER, created_at=at,
        status=RunStatus.FAILED if number % 3 == 0 else RunStatus.COMPLETED, input_tokens=number,
        cost_usd=Decimal(1000 - number),
    )  # fmt: skip
