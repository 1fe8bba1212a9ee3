"""A model that says nothing for a while: another one is asked beside it, and whoever says something first answers."""

import asyncio
from decimal import Decimal

import pytest
from sqlalchemy import select

from llm_ui.config import Config
from llm_ui.contract import ErrorEvent
from llm_ui.contract.stand_ins import StandInEvent
from llm_ui.kit.ids import MessageId
from llm_ui.models import Run, RunStatus
from llm_ui.services.access import Actor
from llm_ui.services.explanations import explain_answer
from tests.api.test_answers import ClientOf, asking, everything, started, text_of
from tests.api.test_stand_ins import GOOD, World, _no_pauses, a_key, answering, asked, database_config, refusing, world
from tests.fakes.provider import FakeProvider, Reply, answer, reply

__all__ = ["_no_pauses", "database_config", "world"]

FIRST = ["first ", "after all"]


def late(seconds: float, status: int = 200) -> Reply:
    """An answer, or a refusal, after so long without a word."""
    said = reply("openai", answer("openai", FIRST)) if status == 200 else refusing(status)
    said.first_delay_s = seconds
    return said


async def hedge(world: World, seconds: float = 0.2) -> None:
    await world.set("first", timeouts={"hedge_s": seconds})


async def nothing_open(*fakes: FakeProvider) -> None:
    """Return once no call goes on: within two seconds, which no answer here is waited for."""
    async with asyncio.timeout(2):
        while any(fake.open_connections for fake in fakes):
            await asyncio.sleep(0.01)


async def models_asked(world: World) -> list[str]:
    return [request.json()["model"] for request in (*world.first.requests, *world.second.requests)]


async def test_the_one_that_is_sooner_answers_and_the_other_is_given_up(
    world: World, client_of: ClientOf, a_user: Actor
) -> None:
    await hedge(world)
    answering(world.first, late(60))

    events = await everything(client_of(a_user), asking(model_id=world.ids["first"]))

    await nothing_open(world.first, world.second)
    (moved,) = [one.event for one in events if isinstance(one.event, StandInEvent)]
    assert (moved.model_name, moved.instead_of, text_of(events)) == ("second", "first", "second best")
    async with world.database.reading() as session:
        run = (await session.scalars(select(Run))).one()
        told = await explain_answer(session, a_user, MessageId(started(events).answer_id))
    assert (run.model_name, run.instead_of, run.status) == ("second", "first", RunStatus.COMPLETED)
    (tried,) = told.tries
    assert tried.reason == (
        "first had said nothing after 0.2 seconds, so another model was asked beside it, which was faster."
    )
    (booked,) = await world.booked()
    assert (booked.model_name, booked.cost_usd) == ("second", Decimal("0.000027"))


async def test_nobody_else_is_asked_where_the_answer_begins_in_time(
    world: World, client_of: ClientOf, a_user: Actor
) -> None:
    await hedge(world, 5)
    answering(world.first, late(0.1))

    events = await everything(client_of(a_user), asking(model_id=world.ids["first"]))

    assert text_of(events) == "first after all"
    assert await models_asked(world) == ["first"]


async def test_the_first_one_answers_where_it_is_sooner_after_all(
    world: World, client_of: ClientOf, a_user: Actor
) -> None:
    await hedge(world)
    answering(world.first, late(0.6))
    answering(world.second, late(60))

    events = await everything(client_of(a_user), asking(model_id=world.ids["first"]))

    await nothing_open(world.first, world.second)
    assert text_of(events) == "first after all"
    assert await models_asked(world) == ["first", "second"]
    assert not [one for one in events if isinstance(one.event, StandInEvent)]
    (booked,) = await world.booked()
    assert booked.model_name == "first"


async def test_the_first_one_is_waited_for_where_the_other_fails(
    world: World, client_of: ClientOf, a_user: Actor
) -> None:
    await hedge(world)
    answering(world.first, late(0.6))
    answering(world.second, refusing(401))

    events = await everything(client_of(a_user), asking(model_id=world.ids["first"]))

    assert text_of(events) == "first after all"
    assert await models_asked(world) == ["first", "second"]


async def test_where_both_fail_those_that_are_left_are_asked(world: World, client_of: ClientOf, a_user: Actor) -> None:
    await hedge(world)
    answering(world.first, late(0.4, 401))
    answering(world.second, refusing(401), GOOD)

    events = await everything(client_of(a_user), asking(model_id=world.ids["first"]))

    assert text_of(events) == "second best"
    assert await models_asked(world) == ["first", "second", "third"]
    answering(world.first, late(0.4, 401))
    answering(world.second, refusing(401))
    assert isinstance(
        (await everything(client_of(a_user), asking("?", model_id=world.ids["first"])))[-1].event, ErrorEvent
    )


async def test_a_model_whose_providers_are_silent_is_stopped_at_once(
    world: World, client_of: ClientOf, a_user: Actor
) -> None:
    await hedge(world)
    answering(world.first, late(60))
    answering(world.second, late(60))
    client = client_of(a_user)
    asking_it = asyncio.create_task(everything(client, asking(model_id=world.ids["first"])))
    async with asyncio.timeout(10):
        while not world.second.requests:
            await asyncio.sleep(0.01)
        async with world.database.reading() as session:
            run_id = (await session.scalars(select(Run.id))).one()

        await client.stop(run_id)
        await asking_it

    await nothing_open(world.first, world.second)
    async with world.database.reading() as session:
        assert (await session.scalars(select(Run.status))).one() is RunStatus.STOPPED


@pytest.mark.parametrize("is_stream", [True, False])
async def test_scripts_are_answered_by_whoever_is_sooner_too(
    world: World, database_config: Config, a_user: Actor, is_stream: bool
) -> None:
    await hedge(world)
    answering(world.first, late(60))

    found = await asked(database_config, await a_key(world.database, a_user), stream=is_stream)

    await nothing_open(world.first, world.second)
    assert "best" in found.text
    assert found.headers["x-llm-ui-model"] == "second/second"
    assert [(row.model_name, row.cost_usd) for row in await world.booked()] == [("second", Decimal("0.000027"))]
