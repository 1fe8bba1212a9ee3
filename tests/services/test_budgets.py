"""Budgets that hold, whatever happens at the same moment, on both databases."""

import asyncio
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, update

from llm_ui.db import Database
from llm_ui.errors import BudgetSpent, InvalidInput
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ProjectId, RunId, uuid7
from llm_ui.models import AuditLog, Budget, BudgetReservation
from llm_ui.services import budgets, projects
from llm_ui.services.access import Actor
from llm_ui.services.budgets import BudgetState
from tests.documents.ready import a_project
from tests.services.test_project_settings import a_booking

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


async def reserve(database: Database, project_id: ProjectId, estimate: str) -> RunId:
    call_id = RunId(uuid7())
    async with database.writing() as session:
        await budgets.reserve(session, call_id, project_id, Decimal(estimate))
    return call_id


async def settle(database: Database, call_id: RunId, project_id: ProjectId, cost: str | None) -> ProjectId | None:
    async with database.writing() as session:
        return await budgets.settle(session, call_id, project_id, None if cost is None else Decimal(cost))


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
            await budgets.reserve(session, call_id, project_id, estimate)
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
            await budgets.settle(session, call_id, project_id, cost)


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

    ends = await asyncio.gather(*(reserve(seeded, project_id, "0.07") for _ in range(100)), return_exceptions=True)

    assert sorted({type(end).__name__ for end in ends}) == ["BudgetSpent", "UUID"]
    assert sum(isinstance(end, BudgetSpent) for end in ends) == 99
    assert (await state(seeded, a_user, project_id)).left_usd == Decimal("0.03")


async def test_a_refusal_says_what_is_left_and_when_it_returns(
    seeded: Database, a_user: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "now", lambda: datetime(2026, 12, 24, 18, tzinfo=UTC))
    project_id = await a_project(seeded, a_user)
    await set_amount(seeded, a_user, project_id, Decimal("0.10"))
    await settle(seeded, await reserve(seeded, project_id, "0.08"), project_id, "0.08")

    with pytest.raises(BudgetSpent, match=r"Herons has \$0.02 left of its \$0.10 .* cost \$0.05. On 2027-01-01 it"):
        await reserve(seeded, project_id, "0.05")

    found = await state(seeded, a_user, project_id)
    assert (found.is_low, found.left_usd) == (True, Decimal("0.02"))
    # What is free goes on, and so does what nobody knows the price of.
    async with seeded.writing() as session:
        for estimate in (Decimal(0), None):
            await budgets.reserve(session, RunId(uuid7()), project_id, estimate)

    monkeypatch.setattr(budgets, "now", lambda: datetime(2027, 1, 1, tzinfo=UTC))

    assert (await state(seeded, a_user, project_id)).left_usd == Decimal("0.10")
    await reserve(seeded, project_id, "0.05")
    assert (await state(seeded, a_user, project_id)).spent_usd == 0


async def test_what_began_last_month_counts_in_this_one(
    seeded: Database, a_user: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "now", lambda: datetime(2026, 11, 30, 23, 59, tzinfo=UTC))
    project_id = await a_project(seeded, a_user)
    await set_amount(seeded, a_user, project_id, Decimal(1))
    await settle(seeded, await reserve(seeded, project_id, "0.3"), project_id, "0.3")
    call_id = await reserve(seeded, project_id, "0.2")
    monkeypatch.setattr(budgets, "now", lambda: datetime(2026, 12, 1, 0, 1, tzinfo=UTC))

    await settle(seeded, call_id, project_id, "0.1")

    found = await state(seeded, a_user, project_id)
    assert (found.spent_usd, found.reserved_usd) == (Decimal("0.1"), 0)


async def test_a_call_is_booked_where_it_was_set_aside(seeded: Database, a_user: Actor) -> None:
    project_id, other = await a_project(seeded, a_user), await a_project(seeded, a_user, "Other")
    for each in (project_id, other):
        await set_amount(seeded, a_user, each, AMOUNT)
    call_id = await reserve(seeded, project_id, "0.5")

    assert await settle(seeded, call_id, other, "0.4") == project_id, "its chat was moved meanwhile"
    assert await settle(seeded, RunId(uuid7()), other, "0.2") == other, "nothing was set aside for it"

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
