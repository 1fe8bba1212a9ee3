"""Limits of administrators, asked over real HTTP by chats and scripts: what each of them does, and what is told."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from urllib.parse import unquote

import httpx2
import pytest
from sqlalchemy import Engine, event, select

from llm_ui.config import Config
from llm_ui.contract import CompleteEvent, ErrorEvent
from llm_ui.contract.stand_ins import StandInEvent
from llm_ui.db import Database
from llm_ui.errors import Forbidden
from llm_ui.kit.ids import ChatId
from llm_ui.models import EVERYBODY, LimitAction, LimitKind, LimitScope, Run
from llm_ui.observability.metrics import exposition
from llm_ui.services import limits
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.limits import LimitInfo, NewLimit
from llm_ui.services.messages import read_messages
from tests.api.conftest import AddModel, RunningApi
from tests.api.test_answers import ClientOf, asking, everything, started, text_of
from tests.api.test_stand_ins import World, a_key, answering
from tests.fakes.provider import FakeProvider, answer, reply

GOOD = reply("openai", answer("openai", ["good ", "answer"]))
SLOW = reply("openai", answer("openai", ["one ", "two "]), delay_s=0.1)

STATEMENTS = 6
"""Of a script's call with nothing limited: its key, its model, and the four with which it is booked."""


@pytest.fixture
def database_config(sqlite_config: Config) -> Config:
    """SQLite only: sums are tried on both in the property test."""
    return sqlite_config


@pytest.fixture
async def world(api: RunningApi, database: Database, add_model: AddModel) -> AsyncIterator[World]:
    """A model `first` that is dear, and `second`, which stands in for it at a tenth of the price."""
    async with FakeProvider(GOOD) as first, FakeProvider(GOOD) as second:
        world = World(database, first, second)
        for name, fake, price in (("first", first, 1_000), ("second", second, 1)):
            world.ids[name] = await add_model(fake.base_url("openai"), name)
            await world.set(name, input_usd_per_mtok=Decimal(price), output_usd_per_mtok=Decimal(price))
        await world.stand_in("second")
        yield world


async def limit(world: World, kind: LimitKind, amount: int, action: LimitAction, *of: object) -> None:
    scope, scope_id = of or (LimitScope.PLATFORM, EVERYBODY)
    async with world.database.writing() as session:
        await limits.save(session, SYSTEM, None, NewLimit(scope, scope_id, kind, amount, action))  # type: ignore[arg-type]


async def the_limit(world: World) -> LimitInfo:
    async with world.database.reading() as session:
        (found,) = await limits.list_limits(session, SYSTEM)
    return found


async def asked(config: Config, token: str, **more: object) -> httpx2.Response:
    body = {"model": "first", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 50, **more}
    async with httpx2.AsyncClient(base_url=config.llm_api_url, trust_env=False, timeout=30) as http:
        return await http.post("/v1/chat/completions", json=body, headers={"Authorization": f"Bearer {token}"})


async def test_a_limit_of_requests_stops_scripts_and_chats_and_says_whose_it_is_and_when_it_returns(
    world: World, database_config: Config, client_of: ClientOf, a_user: Actor
) -> None:
    await limit(world, LimitKind.REQUESTS_MINUTE, 2, LimitAction.STOP, LimitScope.USER, a_user.user_id)
    token = await a_key(world.database, a_user)

    first, second = await asked(database_config, token), await asked(database_config, token, stream=True)
    third = await asked(database_config, token)
    events = await everything(client_of(a_user), asking(model_id=world.ids["first"]))

    left = [one.headers["x-ratelimit-remaining-requests"] for one in (first, second)]
    assert (first.status_code, second.status_code, left) == (200, 200, ["1", "0"])
    assert first.headers["x-ratelimit-limit-requests"] == "2"
    assert third.status_code == 429
    assert 0 < int(third.headers["retry-after"]) <= 120
    sentence = f"For {a_user.name}, 2 requests in a minute are the limit, and they are used up. Try again in"
    assert third.json()["error"]["message"].startswith(sentence)
    end = events[-1].event
    assert isinstance(end, ErrorEvent)
    assert end.error.message.startswith(sentence)


async def test_tokens_are_reserved_before_and_settled_with_what_was_used(
    world: World, database_config: Config, a_user: Actor
) -> None:
    await limit(world, LimitKind.TOKENS_MINUTE, 1_000, LimitAction.STOP)
    token = await a_key(world.database, a_user)

    left = []
    for most in (900, 900, 960):
        found = await asked(database_config, token, max_tokens=most)
        left.append(int(found.headers["x-ratelimit-remaining-tokens"]))

    assert found.status_code == 200, "nine of 900 tokens were used"
    assert 900 > 1_000 - 900 > left[0] > left[1] > left[2] >= 0
    refused = await asked(database_config, token, max_tokens=999)
    assert (refused.status_code, "tokens in a minute" in refused.text) == (429, True)


async def test_what_only_warns_goes_on_and_says_so(
    world: World, database_config: Config, client_of: ClientOf, a_user: Actor
) -> None:
    await limit(world, LimitKind.REQUESTS_MINUTE, 1, LimitAction.WARN)
    await limit(world, LimitKind.DAY_USD, 1, LimitAction.WARN)
    token = await a_key(world.database, a_user)
    await asked(database_config, token)

    found = await asked(database_config, token)
    events = await everything(client_of(a_user), asking(model_id=world.ids["first"]))

    told = unquote(found.headers["x-llm-ui-limit-passed"])
    assert "The limit of 1 requests in a minute for LLM UI is passed." in told
    assert "The limit of $0.01 for LLM UI until 20" in told
    assert 'llm_ui_limits_passed_total{kind="requests_minute",action="warn"}' in exposition()
    assert isinstance(events[-1].event, CompleteEvent)
    async with world.database.reading() as session:
        run = (await session.scalars(select(Run))).one()
        page = await read_messages(session, a_user, ChatId(started(events).chat_id))
    assert run.limit_note.count("is passed.") == 2
    assert page.items[1].run is not None
    assert page.items[1].run.limit_note == run.limit_note


@pytest.mark.parametrize("kind", [LimitKind.DAY_USD, LimitKind.REQUESTS_MINUTE])
async def test_a_limit_of_a_dear_model_lets_a_cheaper_one_answer(
    world: World, database_config: Config, client_of: ClientOf, a_user: Actor, kind: LimitKind
) -> None:
    await limit(world, kind, 1, LimitAction.SWITCH, LimitScope.MODEL, world.ids["first"])
    token = await a_key(world.database, a_user)
    if kind is LimitKind.REQUESTS_MINUTE:
        assert "x-llm-ui-model" not in (await asked(database_config, token)).headers
    world.first.requests.clear()

    found = await asked(database_config, token)
    events = await everything(client_of(a_user), asking(model_id=world.ids["first"]))

    assert found.status_code == 200
    assert found.headers["x-llm-ui-model"] == "second/second"
    (moved,) = [one.event for one in events if isinstance(one.event, StandInEvent)]
    assert (moved.model_name, moved.instead_of, text_of(events)) == ("second", "first", "good answer")
    assert "or first" in moved.limit_note
    assert world.first.requests == []
    assert [row.model_name for row in await world.booked()][-2:] == ["second", "second"]
    state = await the_limit(world)
    assert state.used_usd in (None, 0), "of models only the one pays that has answered"


async def test_what_waits_for_a_place_is_answered_once_there_is_one(
    world: World, database_config: Config, a_user: Actor
) -> None:
    await limit(world, LimitKind.STREAMS, 1, LimitAction.THROTTLE)
    answering(world.first, SLOW)
    token = await a_key(world.database, a_user)

    found = await asyncio.gather(*(asked(database_config, token, stream=True) for _ in range(3)))

    assert [one.status_code for one in found] == [200, 200, 200]
    assert all("two" in one.text for one in found)


async def test_without_limits_a_script_costs_no_statement_for_them(
    world: World, database_config: Config, a_user: Actor
) -> None:
    token, said, calls = await a_key(world.database, a_user), list[str](), list[list[str]]()

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        said.append(statement)

    await asked(database_config, token)
    event.listen(Engine, "before_cursor_execute", note)
    try:
        for _ in range(3):
            said.clear()
            await asked(database_config, token)
            calls.append(list(said))
    finally:
        event.remove(Engine, "before_cursor_execute", note)

    # What the process does by itself now and then may fall into a call, but hardly into each.
    least = min(calls, key=len)
    assert len(least) <= STATEMENTS, least
    assert not [one for one in least if one.lstrip().startswith("SELECT limits")]


async def test_nobody_but_administrators_sets_limits(database: Database, a_user: Actor) -> None:
    new = NewLimit(LimitScope.PLATFORM, EVERYBODY, LimitKind.STREAMS, 1, LimitAction.STOP)
    async with database.writing() as session:
        with pytest.raises(Forbidden):
            await limits.save(session, a_user, None, new)
