"""Budgets that hold, whatever happens at the same moment, on both databases."""

import asyncio
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, update

from llm_ui.db import Database
from llm_ui.errors import BudgetSpent, Forbidden, InvalidInput
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ProjectId, RunId, uuid7
from llm_ui.models import AuditLog, Budget, BudgetReservation, BudgetScope, ProjectRole, TeamRole
from llm_ui.services import budgets, project_teams, projects, settings
from llm_ui.services.access import Actor
from llm_ui.services.budgets import Booked, BudgetState, Ended
from llm_ui.services.settings import PERSON_MONTH_USD
from tests.documents.ready import a_project
from tests.services.test_project_settings import a_booking
from tests.services.test_teams import a_team

CALLS = 60
AMOUNT = Decimal("1.00")


async def set_amount(database: Database, actor: Actor, project_id: ProjectId, amount: Decimal | None) -> None:
    async with database.writing() as session:
        await budgets.set_amount(session, actor, project_id, amount)


async def state(database: Database, actor: Actor, project_id: ProjectId) -> BudgetState:
    async with database.reading() as session:
        found = await budgets.read(session, actor, project_id)
    assert found is not None
    return found


async def reserve(database: Database, actor: Actor, project_id: ProjectId | None, estimate: str) -> RunId:
    call_id = RunId(uuid7())
    async with database.writing() as session:
        await budgets.reserve(session, call_id, project_id, Decimal(estimate), actor.user_id)
    return call_id


async def settle(
    database: Database, actor: Actor, call_id: RunId, project_id: ProjectId | None, cost: str | None
) -> Booked:
    async with database.writing() as session:
        cost_usd = None if cost is None else Decimal(cost)
        (booked,) = await budgets.settle(session, [Ended(call_id, project_id, cost_usd, actor.user_id)])
        return booked


@dataclass
class Ledger:
    """What calls did, as they know it themselves."""

    cost: Decimal = Decimal(0)
    above: Decimal = Decimal(0)
    """What answers cost that were longer than was reckoned with."""
    left_behind: Decimal = Decimal(0)
    refused: int = 0
    most_seen: list[Decimal] = field(default_factory=list)


async def a_call(database: Database, actor: Actor, project_id: ProjectId, chance: random.Random, led: Ledger) -> None:
    """One call, with the end that chance has for it: finished, longer than reckoned, failed, cancelled, killed."""
    estimate = Decimal(chance.randrange(1, 400_000)) / 1_000_000
    end = chance.choice(("finished", "finished", "longer", "failed", "cancelled", "killed"))
    share = {"finished": chance.random(), "longer": 1 + chance.random(), "cancelled": chance.random() / 2}.get(end, 0)
    cost = (estimate * Decimal(share)).quantize(Decimal("1e-12"))
    call_id = RunId(uuid7())
    await asyncio.sleep(chance.random() / 100)
    try:
        async with database.writing() as session:
            await budgets.reserve(session, call_id, project_id, estimate, actor.user_id)
    except BudgetSpent:
        led.refused += 1
        return
    now_is = await state(database, actor, project_id)
    led.most_seen.append(now_is.spent_usd + now_is.reserved_usd)
    await asyncio.sleep(chance.random() / 100)
    if end == "killed":
        led.left_behind += estimate
        return
    led.cost += cost
    led.above += max(Decimal(0), cost - estimate)
    # Its end is written once, however often that is tried.
    for _ in range(2 if end == "failed" else 1):
        async with database.writing() as session:
            await budgets.settle(session, [Ended(call_id, project_id, cost, actor.user_id)])


@pytest.mark.parametrize("seed", range(3))
async def test_never_is_more_spent_than_there_is(seeded: Database, a_user: Actor, seed: int) -> None:
    chance, led = random.Random(seed), Ledger()
    project_id, other = await a_project(seeded, a_user), await a_project(seeded, a_user, "Other")
    await set_amount(seeded, a_user, project_id, AMOUNT)
    await set_amount(seeded, a_user, other, AMOUNT)

    await asyncio.gather(*(a_call(seeded, a_user, project_id, chance, led) for _ in range(CALLS)))

    found = await state(seeded, a_user, project_id)
    assert led.refused > 0
    assert max(led.most_seen) <= AMOUNT + led.above
    assert (found.spent_usd, found.reserved_usd) == (led.cost, led.left_behind)
    assert found.spent_usd <= AMOUNT + led.above, "only what was longer than reckoned is above it"
    assert await state(seeded, a_user, other) == BudgetState(AMOUNT, Decimal(0), Decimal(0), found.returns_at)
    async with seeded.writing() as session:
        await session.execute(update(BudgetReservation).values(created_at=now() - timedelta(hours=2)))
        await budgets.release_lost(session)
    assert (await state(seeded, a_user, project_id)).reserved_usd == 0


async def test_of_a_hundred_at_once_one_gets_what_is_enough_for_one(seeded: Database, a_user: Actor) -> None:
    project_id = await a_project(seeded, a_user)
    await set_amount(seeded, a_user, project_id, Decimal("0.10"))

    ends = await asyncio.gather(
        *(reserve(seeded, a_user, project_id, "0.07") for _ in range(100)), return_exceptions=True
    )

    assert sorted({type(end).__name__ for end in ends}) == ["BudgetSpent", "UUID"]
    assert sum(isinstance(end, BudgetSpent) for end in ends) == 99
    assert (await state(seeded, a_user, project_id)).left_usd == Decimal("0.03")


async def test_a_refusal_says_what_is_left_and_when_it_returns(
    seeded: Database, a_user: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "now", lambda: datetime(2026, 12, 24, 18, tzinfo=UTC))
    project_id = await a_project(seeded, a_user)
    await set_amount(seeded, a_user, project_id, Decimal("0.10"))
    await settle(seeded, a_user, await reserve(seeded, a_user, project_id, "0.08"), project_id, "0.08")

    with pytest.raises(BudgetSpent, match=r"Herons has \$0.02 left of its \$0.10 .* cost \$0.05. On 2027-01-01 it"):
        await reserve(seeded, a_user, project_id, "0.05")

    found = await state(seeded, a_user, project_id)
    assert (found.is_low, found.left_usd) == (True, Decimal("0.02"))
    # What is free goes on, and so does what nobody knows the price of.
    async with seeded.writing() as session:
        for estimate in (Decimal(0), None):
            await budgets.reserve(session, RunId(uuid7()), project_id, estimate, a_user.user_id)

    monkeypatch.setattr(budgets, "now", lambda: datetime(2027, 1, 1, tzinfo=UTC))

    assert (await state(seeded, a_user, project_id)).left_usd == Decimal("0.10")
    await reserve(seeded, a_user, project_id, "0.05")
    assert (await state(seeded, a_user, project_id)).spent_usd == 0


async def test_what_began_last_month_counts_in_this_one(
    seeded: Database, a_user: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "now", lambda: datetime(2026, 11, 30, 23, 59, tzinfo=UTC))
    project_id = await a_project(seeded, a_user)
    await set_amount(seeded, a_user, project_id, Decimal(1))
    await settle(seeded, a_user, await reserve(seeded, a_user, project_id, "0.3"), project_id, "0.3")
    call_id = await reserve(seeded, a_user, project_id, "0.2")
    monkeypatch.setattr(budgets, "now", lambda: datetime(2026, 12, 1, 0, 1, tzinfo=UTC))

    await settle(seeded, a_user, call_id, project_id, "0.1")

    found = await state(seeded, a_user, project_id)
    assert (found.spent_usd, found.reserved_usd) == (Decimal("0.1"), 0)


async def test_a_call_is_booked_where_it_was_set_aside(seeded: Database, a_user: Actor) -> None:
    project_id, other = await a_project(seeded, a_user), await a_project(seeded, a_user, "Other")
    for each in (project_id, other):
        await set_amount(seeded, a_user, each, AMOUNT)
    call_id = await reserve(seeded, a_user, project_id, "0.5")

    assert await settle(seeded, a_user, call_id, other, "0.4") == (project_id, None), "its chat was moved meanwhile"
    assert await settle(seeded, a_user, RunId(uuid7()), other, "0.2") == (other, None), "nothing was set aside for it"

    assert (await state(seeded, a_user, project_id)).spent_usd == Decimal("0.4")
    assert (await state(seeded, a_user, other)).spent_usd == Decimal("0.2")


async def test_a_new_budget_counts_what_was_used_this_month_and_goes_with_its_project(
    seeded: Database, a_user: Actor
) -> None:
    project_id = await a_project(seeded, a_user)
    async with seeded.writing() as session:
        session.add(a_booking(a_user, project_id, Decimal("0.25"), now()))
        session.add(a_booking(a_user, project_id, Decimal("0.25"), now() - timedelta(days=40)))
    await set_amount(seeded, a_user, project_id, AMOUNT)
    assert (await state(seeded, a_user, project_id)).spent_usd == Decimal("0.25")
    await set_amount(seeded, a_user, project_id, Decimal("0.30"))
    await set_amount(seeded, a_user, project_id, Decimal("0.30"))
    assert (await state(seeded, a_user, project_id)).left_usd == Decimal("0.05")

    await set_amount(seeded, a_user, project_id, None)
    async with seeded.reading() as session:
        assert await budgets.read(session, a_user, project_id) is None
        audited = await session.scalars(select(AuditLog.action).order_by(AuditLog.number))
        assert list(audited) == ["project.begun", "project.budget_set", "project.budget_set", "project.budget_removed"]
    await set_amount(seeded, a_user, project_id, AMOUNT)
    async with seeded.writing() as session:
        await projects.remove(session, a_user, project_id)
        assert await session.scalar(select(func.count()).select_from(Budget)) == 0


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "1000000.01"])
async def test_an_amount_that_is_none_is_refused(seeded: Database, a_user: Actor, amount: str) -> None:
    project_id = await a_project(seeded, a_user)

    with pytest.raises(InvalidInput, match="whole cents"):
        await set_amount(seeded, a_user, project_id, Decimal(amount))


async def test_the_team_of_the_project_pays_else_the_first_of_the_person(
    seeded: Database, an_admin: Actor, a_user: Actor
) -> None:
    mine, own = await a_project(seeded, a_user), await a_project(seeded, a_user, "Own")
    first, second = (
        await a_team(seeded, "First", bob=TeamRole.MEMBER),
        await a_team(seeded, "Second", bob=TeamRole.MEMBER),
    )
    async with seeded.writing() as session:
        await project_teams.share(session, a_user, mine, second, ProjectRole.VIEWER)
        for team_id in (first, second):
            await budgets.set_of_team(session, an_admin, team_id, Decimal("0.50"))
    held = await reserve(seeded, a_user, mine, "0.3")
    with pytest.raises(BudgetSpent, match=r"team Second has \$0.20 left of its \$0.50"):
        await reserve(seeded, a_user, mine, "0.3")
    async with seeded.writing() as session:
        await project_teams.unshare(session, a_user, mine, second)

    assert await settle(seeded, a_user, held, mine, "0.2") == (mine, second), "it was set aside there"
    assert await settle(seeded, a_user, await reserve(seeded, a_user, own, "0.1"), own, "0.1") == (own, first)
    assert await settle(seeded, a_user, RunId(uuid7()), None, "0.1") == (None, first), "nothing was set aside for it"

    async with seeded.reading() as session:
        states = [await budgets.read_of_team(session, a_user, team_id) for team_id in (first, second)]
    assert [one and (one.spent_usd, one.reserved_usd) for one in states] == [(Decimal("0.2"), 0), (Decimal("0.2"), 0)]


async def test_only_administrators_set_what_a_team_spends(seeded: Database, an_admin: Actor, a_user: Actor) -> None:
    team_id = await a_team(seeded, bob=TeamRole.OWNER)
    async with seeded.writing() as session:
        with pytest.raises(Forbidden):
            await budgets.set_of_team(session, a_user, team_id, Decimal(1))
        await budgets.set_of_team(session, an_admin, team_id, Decimal(1))
        await budgets.set_of_team(session, an_admin, team_id, None)

    async with seeded.reading() as session:
        assert await budgets.read_of_team(session, a_user, team_id) is None
        told = [row.action for row in await session.scalars(select(AuditLog).order_by(AuditLog.number))]
    assert told[-2:] == ["team.budget_set", "team.budget_removed"]


async def test_budgets_of_project_team_and_person_hold_whatever_happens_at_once(
    seeded: Database, an_admin: Actor, a_user: Actor, another_user: Actor
) -> None:
    team_id = await a_team(seeded, bob=TeamRole.OWNER, eve=TeamRole.MEMBER)
    places = [await a_project(seeded, a_user), await a_project(seeded, a_user, "Other")]
    async with seeded.writing() as session:
        for place in places:
            await project_teams.share(session, a_user, place, team_id, ProjectRole.VIEWER)
            await budgets.set_amount(session, a_user, place, Decimal(3))
        await budgets.set_of_team(session, an_admin, team_id, Decimal(5))
        await settings.change(session, an_admin, PERSON_MONTH_USD, 4)
    chance = random.Random(1)

    async def one(number: int) -> Decimal:
        actor, place = (a_user, another_user)[number % 2], (*places, None)[number % 3]
        cost = Decimal(chance.randrange(1, 100)) / 100
        await asyncio.sleep(chance.random() / 100)
        try:
            call_id = await reserve(seeded, actor, place, str(cost))
        except BudgetSpent:
            return Decimal(0)
        await asyncio.sleep(chance.random() / 100)
        assert await settle(seeded, actor, call_id, place, str(cost)) == (place, team_id)
        return cost

    spent = sum(await asyncio.gather(*map(one, range(CALLS))), Decimal(0))

    async with seeded.reading() as session:
        rows = (await session.scalars(select(Budget))).all()
    assert {row.scope for row in rows} == {BudgetScope.PROJECT, BudgetScope.TEAM, BudgetScope.PERSON}
    assert all(row.spent_usd <= row.amount_usd and row.reserved_usd == 0 for row in rows)
    for scope in (BudgetScope.TEAM, BudgetScope.PERSON):
        assert sum((row.spent_usd for row in rows if row.scope is scope), Decimal(0)) == spent
    assert spent > 4


@pytest.mark.parametrize("database_config", ["postgresql"], indirect=True)
async def test_first_calls_at_once_that_have_written_something_of_their_person_do_not_block_each_other(
    seeded: Database, a_user: Actor, an_admin: Actor
) -> None:
    async with seeded.writing() as session:
        await settings.change(session, an_admin, PERSON_MONTH_USD, 4)
    both_have_written = asyncio.Barrier(2)

    async def one(name: str) -> None:
        async with seeded.writing() as session:
            await projects.save(session, a_user, None, name)
            await session.flush()
            await both_have_written.wait()
            await budgets.reserve(session, RunId(uuid7()), None, Decimal("0.5"), a_user.user_id)

    async with asyncio.timeout(20):
        await asyncio.gather(one("House"), one("Garden"))

    async with seeded.reading() as session:
        assert (await session.scalars(select(Budget.reserved_usd))).all() == [Decimal(1)]
