"""One model at two providers: who answers, what it costs, and what happens when one of them is away."""

from collections.abc import AsyncIterator
from decimal import Decimal

import httpx2
import pytest
from sqlalchemy import select, update

from llm_ui.config import Config
from llm_ui.contract.stand_ins import StandInEvent
from llm_ui.db import Database
from llm_ui.kit.ids import MessageId
from llm_ui.models import AiModel, ChatHistory, ChatMessage, MessageRole, Run
from llm_ui.runs import resilience
from llm_ui.services import keys
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.deployments import Deployment, set_deployment
from llm_ui.services.explanations import explain_answer
from llm_ui.services.keys import NewKey
from llm_ui.services.stand_ins import set_stand_ins
from tests.api.conftest import AddModel, RunningApi
from tests.api.test_answers import ClientOf, asking, everything, started, text_of
from tests.api.test_stand_ins import GOOD, World, answering, refusing
from tests.fakes.provider import FakeProvider


@pytest.fixture
def database_config(sqlite_config: Config) -> Config:
    """SQLite only: the statements are tried on both in the tests of their service."""
    return sqlite_config


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resilience, "FIRST_PAUSE_S", 0)


@pytest.fixture
async def world(api: RunningApi, database: Database, add_model: AddModel) -> AsyncIterator[World]:
    """`first` and `second`, which serves under its name and is asked every time but in one of a hundred."""
    async with FakeProvider(refusing(503)) as first, FakeProvider(GOOD) as second:
        world = World(database, first, second)
        for name, fake, price in (("first", first, 1), ("second", second, 3)):
            world.ids[name] = await add_model(fake.base_url("openai"), name)
            await world.set(name, input_usd_per_mtok=Decimal(price), output_usd_per_mtok=Decimal(price))
        async with database.writing() as session:
            await set_deployment(session, SYSTEM, world.ids["second"], Deployment(world.ids["first"]))
            await session.execute(update(AiModel).values(display_name="Big"))
        yield world


async def weigh(world: World, name: str) -> None:
    """Let this one be asked, and no other: a weight that nobody can type."""
    async with world.database.writing() as session:
        await session.execute(update(AiModel).values(weight=0))
        await session.execute(update(AiModel).where(AiModel.id == world.ids[name]).values(weight=1))


async def test_who_serves_under_the_name_answers_and_is_paid(world: World, client_of: ClientOf, a_user: Actor) -> None:
    await weigh(world, "second")

    events = await everything(client_of(a_user), asking(model_id=world.ids["first"]))
    again = await everything(client_of(a_user), asking("more", chat_id=started(events).chat_id))

    assert (started(events).model_name, started(events).provider_name) == ("Big", "second")
    assert text_of(again) == "second best"
    assert world.first.requests == []
    async with world.database.reading() as session:
        runs = list(await session.scalars(select(Run)))
        chat = (await session.scalars(select(ChatHistory))).one()
        notes = list(await session.scalars(select(ChatMessage).where(ChatMessage.role == MessageRole.NOTE)))
    assert {(run.model_name, run.provider_name, run.instead_of) for run in runs} == {("Big", "second", "")}
    assert (chat.model_id, notes) == (world.ids["first"], [])
    booked = await world.booked()
    assert all(row.cost_usd == Decimal(3) * (row.input_tokens + row.output_tokens) / 1_000_000 for row in booked)


async def test_where_one_is_away_the_other_answers_and_the_waterfall_names_both(
    world: World, client_of: ClientOf, a_user: Actor
) -> None:
    await weigh(world, "first")

    events = await everything(client_of(a_user), asking(model_id=world.ids["first"]))

    (moved,) = [one.event for one in events if isinstance(one.event, StandInEvent)]
    assert (moved.model_name, moved.provider_name, moved.instead_of) == ("Big", "second", "")
    assert text_of(events) == "second best"
    async with world.database.reading() as session:
        told = await explain_answer(session, a_user, MessageId(started(events).answer_id))
    assert [(one.model, one.provider) for one in told.tries] == [("Big", "first")]
    assert told.provider_name == "second"


async def test_whoever_is_left_alone_is_not_asked_first(world: World, client_of: ClientOf, a_user: Actor) -> None:
    await weigh(world, "first")
    for turn in range(3):
        await everything(client_of(a_user), asking(f"question {turn}", model_id=world.ids["first"]))
    world.first.requests.clear()

    events = await everything(client_of(a_user), asking("one more", model_id=world.ids["first"]))

    assert not [one for one in events if isinstance(one.event, StandInEvent)]
    assert started(events).provider_name == "second"
    assert world.first.requests == []


async def test_a_script_whose_key_may_ask_the_model_is_answered_by_whoever_serves(
    world: World, api: RunningApi, database_config: Config, a_user: Actor
) -> None:
    await weigh(world, "first")
    answering(world.second, GOOD)
    async with world.database.writing() as session:
        made = await keys.create(session, a_user, NewKey("k", models=frozenset({world.ids["first"]})))
    async with httpx2.AsyncClient(base_url=database_config.llm_api_url, trust_env=False) as http:
        said = await http.post(
            "/v1/chat/completions",
            headers={"Authorization": f"Bearer {made.token}"},
            json={"model": "first", "messages": [{"role": "user", "content": "hi"}]},
        )

    assert said.status_code == 200, said.text
    assert said.json()["choices"][0]["message"]["content"] == "second best"
    (booked,) = await world.booked()
    assert (booked.model_name, booked.provider_name) == ("Big", "second")


async def test_who_is_asked_itself_is_helped_by_its_own_stand_ins(
    world: World, client_of: ClientOf, a_user: Actor
) -> None:
    answering(world.first, GOOD)
    answering(world.second, refusing(503))
    async with world.database.writing() as session:
        await set_stand_ins(session, SYSTEM, world.ids["second"], [world.ids["first"]])
        await session.execute(update(AiModel).where(AiModel.id == world.ids["first"]).values(display_name="Own"))

    events = await everything(client_of(a_user), asking(model_id=world.ids["second"]))

    (moved,) = [one.event for one in events if isinstance(one.event, StandInEvent)]
    assert (moved.model_name, moved.instead_of, text_of(events)) == ("Own", "Big", "second best")
