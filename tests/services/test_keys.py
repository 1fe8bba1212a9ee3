"""Keys of the API: what they hold, who may use them, how they end, and what may be spent with them."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from llm_ui.db import Database
from llm_ui.errors import BudgetSpent, Conflict, InvalidInput, KeyRefused, LLMUIError, NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ModelId, RunId, uuid7
from llm_ui.models import ApiKey, BudgetReservation, KeyScope, ProjectMember, User
from llm_ui.services import budgets, keys, settings
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.keys import Caller, Made, NewKey
from llm_ui.services.settings import PERSON_API_KEYS
from tests.documents.ready import a_project

CALLS = 8


async def made(database: Database, actor: Actor, new: NewKey) -> Made:
    async with database.writing() as session:
        return await keys.create(session, actor, new)


async def caller(database: Database, token: str) -> Caller:
    async with database.reading() as session:
        return await keys.caller_of(session, token)


async def test_of_a_key_only_its_print_is_kept(database: Database, a_user: Actor) -> None:
    key = await made(database, a_user, NewKey("report", addresses=("10.1.2.3/16",), days=7))

    async with database.reading() as session:
        row = (await session.scalars(select(ApiKey))).one()
    kept = " ".join(str(getattr(row, column.name)) for column in ApiKey.__table__.columns)

    assert key.token not in kept
    assert key.token.startswith(row.prefix)
    assert row.addresses == ["10.1.0.0/16"]
    assert (await caller(database, key.token)).actor.user_id == a_user.user_id


@pytest.mark.parametrize("token", ["", "llmui-", "llmui-" + "A" * 43, "' OR 1=1 --", "llmui-\x00", "ü" * 400])
async def test_what_is_no_key_is_refused(database: Database, a_user: Actor, token: str) -> None:
    await made(database, a_user, NewKey("report"))

    with pytest.raises(KeyRefused):
        await caller(database, token)


@pytest.mark.parametrize("end", ["revoked", "expired", "disabled", "deleted", "no member"])
async def test_a_key_ends_with_whatever_gave_it_its_right(database: Database, a_user: Actor, end: str) -> None:
    project_id = await a_project(database, a_user)
    key = await made(database, a_user, NewKey("report", project_id=project_id))
    assert (await caller(database, key.token)).project_id == project_id

    async with database.writing() as session:
        match end:
            case "revoked":
                await keys.revoke(session, a_user, key.id)
            case "expired":
                await session.execute(update(ApiKey).values(expires_at=now() - timedelta(seconds=1)))
            case "disabled":
                await session.execute(update(User).values(is_active=False))
            case "deleted":
                await session.delete(await session.get_one(User, a_user.user_id))
            case _:
                await session.delete((await session.scalars(select(ProjectMember))).one())

    with pytest.raises(KeyRefused):
        await caller(database, key.token)


async def test_a_key_that_is_replaced_goes_on_for_a_while_and_shares_its_budget(
    database: Database, a_user: Actor
) -> None:
    old = await made(database, a_user, NewKey("report", budget_usd=Decimal(5), requests_per_minute=9))

    async with database.writing() as session:
        new = await keys.rotate(session, a_user, old.id)

    before, after = await caller(database, old.token), await caller(database, new.token)
    assert (before.series_id, before.requests_per_minute) == (after.series_id, after.requests_per_minute)
    async with database.reading() as session:
        infos = {info.id: info for info in await keys.list_keys(session, a_user)}
    ends_at = infos[old.id].expires_at
    assert ends_at is not None
    assert ends_at <= now() + keys.OVERLAP
    assert infos[new.id].expires_at is None
    assert {info.budget_usd for info in infos.values()} == {Decimal(5)}


async def test_somebody_elses_keys_are_not_there(
    database: Database, a_user: Actor, another_user: Actor, an_admin: Actor
) -> None:
    key = await made(database, a_user, NewKey("report"))

    async with database.writing() as session:
        assert await keys.list_keys(session, another_user) == ()
        assert [info.owner for info in await keys.list_keys(session, an_admin)] == ["bob"]
        for act in (keys.revoke, keys.rotate):
            with pytest.raises(NotFound):
                await act(session, another_user, key.id)
        with pytest.raises(NotFound):
            await keys.rename(session, another_user, key.id, "mine")
    assert (await caller(database, key.token)).key_id == key.id


WRONG: list[tuple[NewKey, type[LLMUIError]]] = [
    (NewKey(" "), InvalidInput),
    (NewKey("x", frozenset()), InvalidInput),
    (NewKey("x", days=0), InvalidInput),
    (NewKey("x", days=4_000), InvalidInput),
    (NewKey("x", requests_per_minute=0), InvalidInput),
    (NewKey("x", addresses=("10.0.0.0/99",)), InvalidInput),
    (NewKey("x", addresses=("example.org",)), InvalidInput),
    (NewKey("x", addresses=("10.0.0.1",) * 21), InvalidInput),
    (NewKey("x", budget_usd=Decimal("0.001")), InvalidInput),
    (NewKey("x", models=frozenset({ModelId(uuid7())})), NotFound),
]


@pytest.mark.parametrize(("new", "error"), WRONG)
async def test_a_key_that_cannot_be_is_not_made(
    sqlite_database: Database, new: NewKey, error: type[LLMUIError]
) -> None:
    actor = await _a_person(sqlite_database)

    with pytest.raises(error):
        await made(sqlite_database, actor, new)

    async with sqlite_database.reading() as session:
        assert (await session.scalars(select(ApiKey))).all() == []


async def _a_person(database: Database) -> Actor:
    from_tests = User(name="bob", name_key="bob", email="b@e.org", email_key="b@e.org", password_hash="", role="user")
    async with database.writing() as session:
        session.add(from_tests)
        await session.flush()
    return Actor(from_tests.id, "bob", from_tests.role)


async def test_a_person_has_a_bounded_number_of_keys(database: Database, a_user: Actor) -> None:
    async with database.writing() as session:
        await settings.change(session, SYSTEM, PERSON_API_KEYS, 1)
    await made(database, a_user, NewKey("one"))

    with pytest.raises(Conflict):
        await made(database, a_user, NewKey("two"))


@pytest.mark.parametrize(
    ("networks", "address", "may"),
    [
        ((), "anything", True),
        (("10.0.0.0/8",), "10.9.9.9", True),
        (("10.0.0.0/8",), "11.0.0.1", False),
        (("10.0.0.0/8",), "::ffff:10.1.1.1", True),
        (("2001:db8::/32",), "2001:db8::7", True),
        (("2001:db8::/32",), "10.0.0.1", False),
        (("10.0.0.0/8",), "", False),
        (("10.0.0.0/8",), "10.0.0.1, 8.8.8.8", False),
    ],
)
async def test_networks(networks: tuple[str, ...], address: str, may: bool) -> None:
    actor = Actor(User.id, "bob", "user")  # type: ignore[arg-type]
    one = Caller(actor, None, None, None, frozenset(KeyScope), None, networks, None, True)  # type: ignore[arg-type]

    assert one.comes_from(address) is may


async def test_of_calls_at_once_those_get_through_that_the_keys_and_the_projects_budget_hold(
    database: Database, a_user: Actor
) -> None:
    project_id = await a_project(database, a_user)
    async with database.writing() as session:
        await budgets.set_amount(session, a_user, project_id, Decimal("3.00"))
    key = await made(database, a_user, NewKey("report", project_id=project_id, budget_usd=Decimal("5.00")))
    series = (await caller(database, key.token)).series_id
    calls = [RunId(uuid7()) for _ in range(CALLS)]

    async def one(call_id: RunId) -> bool:
        try:
            async with database.writing() as session:
                await budgets.reserve(session, call_id, project_id, Decimal("1.00"), a_user.user_id, series)
        except BudgetSpent:
            async with database.writing() as session:
                await budgets.give_back(session, call_id)
            return False
        return True

    through = await asyncio.gather(*map(one, calls))
    for call_id, passed in zip(calls, through, strict=True):
        if passed:
            async with database.writing() as session:
                ended = budgets.Ended(call_id, project_id, Decimal("0.40"), a_user.user_id)
                (booked,) = await budgets.settle(session, [ended])
            assert booked == (project_id, None)

    assert sum(through) == 3
    async with database.reading() as session:
        states = [(await budgets.of_keys(session, [series]))[series], await budgets.read(session, a_user, project_id)]
        assert (await session.scalars(select(BudgetReservation))).all() == []
    assert [state and (state.spent_usd, state.reserved_usd) for state in states] == [(Decimal("1.20"), Decimal(0))] * 2
