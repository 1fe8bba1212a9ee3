"""Money that holds to the cent, whatever ends calls and however many processes take them; LiteLLM's bugs as cases.

The processes are real and share a Redis and a database, as replicas do; the far side is a scripted provider.
"""

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

import httpx2
import pytest
from sqlalchemy import func, select, update

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.models import (
    EVERYBODY,
    AiModel,
    Budget,
    BudgetReservation,
    LimitAction,
    LimitKind,
    LimitScope,
    Role,
    UsageLog,
)
from llm_ui.services import keys, limits, settings
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.keys import NewKey
from llm_ui.services.limits import LimitInfo, NewLimit
from llm_ui.services.settings import PERSON_MONTH_USD
from tests.api.conftest import AddModel, RunningApi
from tests.conftest import make_actor
from tests.fakes.postgresql import free_port
from tests.fakes.provider import FakeProvider, Received, Reply, answer, reply
from tests.fakes.redis import RedisServer

USD_PER_MTOK = Decimal(10_000)
"""A cent a token: nine of them for an answer, sixty at most with `max_tokens` of fifty."""
AT_ONCE = 24
AMOUNT = 300
"""Cents: enough for few of them at the same time."""
FOR_ONE = 100
"""Cents: too little for two calls of `LONG` tokens, even once the first has cost its nine."""
LONG = 90
WORDS = [f"word{number} " for number in range(8)]


def by_the_question(request: Received) -> Reply:
    """Return how the far side ends: as the question wants it."""
    text = request.body.decode()
    if "fails" in text:
        return Reply([b'{"error": {"message": "no"}}'], status=400, headers={"Content-Type": "application/json"})
    if "breaks" in text:
        return reply("openai", answer("openai", WORDS)[:6], end="reset")
    return reply("openai", answer("openai", WORDS), delay_s=0.005)


@dataclass
class Replicas:
    """Processes of the LLM API that share a database and a Redis."""

    urls: Sequence[str]
    database: Database
    tokens: list[str]

    async def ask(self, number: int, text: str, *, is_stream: bool, **more: object) -> int:
        """Ask one of them; return the status, 0 for a call that was cancelled under way."""
        body = {"model": "fake", "messages": [{"role": "user", "content": text}], "max_tokens": 50, **more}
        headers = {"Authorization": f"Bearer {self.tokens[number % len(self.tokens)]}"}
        url = f"{self.urls[number % len(self.urls)]}/v1/chat/completions"
        async with httpx2.AsyncClient(trust_env=False, timeout=30) as http:
            async with http.stream("POST", url, json={**body, "stream": is_stream}, headers=headers) as response:
                async for _ in response.aiter_raw():
                    if text == "leaves":
                        return 0
            return response.status_code

    async def settled(self) -> None:
        """Return once nothing is set aside any more: whoever went away is noticed and booked."""
        async with asyncio.timeout(20):
            while True:
                async with self.database.reading() as session:
                    if not await session.scalar(select(func.count()).select_from(BudgetReservation)):
                        return
                await asyncio.sleep(0.05)

    async def booked(self) -> Decimal:
        async with self.database.reading() as session:
            return await session.scalar(select(func.sum(UsageLog.cost_usd))) or Decimal(0)

    async def limits(self) -> tuple[LimitInfo, ...]:
        async with self.database.reading() as session:
            return await limits.list_limits(session, SYSTEM)

    async def limit(self, *new: NewLimit) -> None:
        async with self.database.writing() as session:
            for one in new:
                await limits.save(session, SYSTEM, None, one)


@asynccontextmanager
async def replica(config: Config, redis_url: str) -> AsyncIterator[str]:
    """Run `python -m llm_ui.api` until the end of the block; yield its address."""
    port = free_port()
    ours = {
        "LLM_UI_DATA_DIR": str(config.folder), "LLM_UI_API_PORT": str(port), "LLM_UI_DRAIN_S": "2",
        "LLM_UI_REDIS_URL": redis_url, "LLM_UI_LOG_LEVEL": "error",
        "LLM_UI_DATABASE_URL": "" if config.database_url is None else config.database_url.get_secret_value(),
    }  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LLM_UI_")} | ours
    running = await asyncio.create_subprocess_exec(sys.executable, "-m", "llm_ui.api", env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx2.AsyncClient(trust_env=False) as http, asyncio.timeout(60):
            while not await _is_ready(http, url):
                assert running.returncode is None, "the process has ended"
                await asyncio.sleep(0.05)
        yield url
    finally:
        if running.returncode is None:
            running.terminate()
        await running.wait()


async def _is_ready(http: httpx2.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(f"{url}/readyz")).status_code == 200
    except httpx2.TransportError:
        return False


async def a_token(database: Database, actor: Actor) -> str:
    async with database.writing() as session:
        return (await keys.create(session, actor, NewKey("script"))).token


@pytest.fixture
async def fake() -> AsyncIterator[FakeProvider]:
    async with FakeProvider(by_the_question) as fake:
        yield fake


async def a_model(database: Database, add_model: AddModel, fake: FakeProvider) -> None:
    model_id = await add_model(fake.base_url("openai"), "fake")
    async with database.writing() as session:
        prices = {"input_usd_per_mtok": USD_PER_MTOK, "output_usd_per_mtok": USD_PER_MTOK}
        await session.execute(update(AiModel).where(AiModel.id == model_id).values(**prices))


@pytest.fixture(params=[1, 3], ids=["one process", "three processes"])
async def replicas(
    request: pytest.FixtureRequest, database_config: Config, database: Database, add_model: AddModel, a_user: Actor,
    fake: FakeProvider,
) -> AsyncIterator[Replicas]:  # fmt: skip
    async with AsyncExitStack() as stack:
        redis = RedisServer()
        stack.callback(redis.stop)
        await asyncio.to_thread(redis.start)
        starting = [replica(database_config, redis.url) for _ in range(request.param)]
        urls = await asyncio.gather(*(one.__aenter__() for one in starting))
        for one in starting:
            stack.push_async_exit(one.__aexit__)
        await a_model(database, add_model, fake)
        yield Replicas(urls, database, [await a_token(database, a_user)])


@pytest.fixture
async def alone(
    api: RunningApi, database_config: Config, database: Database, add_model: AddModel, a_user: Actor, fake: FakeProvider
) -> Replicas:
    """One process: that of the test."""
    await a_model(database, add_model, fake)
    return Replicas([database_config.llm_api_url], database, [await a_token(database, a_user)])


async def test_money_holds_to_the_cent_with_concurrent_failing_cancelled_and_streamed_calls(
    replicas: Replicas, a_user: Actor
) -> None:
    everybody = NewLimit(LimitScope.PLATFORM, EVERYBODY, LimitKind.MONTH_USD, 100_000, LimitAction.STOP)
    await replicas.limit(
        everybody, NewLimit(LimitScope.USER, a_user.user_id, LimitKind.DAY_USD, AMOUNT, LimitAction.STOP),
        NewLimit(LimitScope.PLATFORM, EVERYBODY, LimitKind.STREAMS, 20, LimitAction.THROTTLE),
    )  # fmt: skip
    chance = random.Random(40)
    ends = ("is answered", "fails", "breaks", "leaves")

    async def one(number: int) -> int:
        await asyncio.sleep(chance.random() / 2)
        return await replicas.ask(number, chance.choice(ends), is_stream=chance.random() < 0.6)

    seen = await asyncio.gather(*(one(number) for number in range(AT_ONCE)), return_exceptions=True)
    await replicas.settled()

    booked, found = await replicas.booked(), await replicas.limits()
    money = {limit.kind: limit.used_usd for limit in found if limit.used_usd is not None}
    assert money == {LimitKind.MONTH_USD: booked, LimitKind.DAY_USD: booked}, "what is booked, and nothing set aside"
    assert 0 < booked <= Decimal(AMOUNT) / 100
    refused = [status for status in seen if status == 402]
    assert refused, "more was asked for than there was"
    async with replicas.database.reading() as session:
        assert await session.scalar(select(func.sum(Budget.reserved_usd))) == 0


@pytest.mark.parametrize("database_config", ["postgresql"], indirect=True)
async def test_litellm_34732_of_a_hundred_calls_with_money_for_one_one_gets_through(
    alone: Replicas, another_user: Actor
) -> None:
    """All passed a check before what any of them cost was written down (BerriAI/litellm#34732)."""
    # One person has at most 64 under way.
    alone.tokens.append(await a_token(alone.database, another_user))
    await alone.limit(NewLimit(LimitScope.PLATFORM, EVERYBODY, LimitKind.DAY_USD, FOR_ONE, LimitAction.STOP))

    seen = await asyncio.gather(*(alone.ask(number, "hi", is_stream=True, max_tokens=LONG) for number in range(100)))

    # A database that is too busy for a hundred at once says so, and lets none of them through either.
    assert (seen.count(200), set(seen) <= {200, 402, 503}) == (1, True)
    assert await alone.booked() <= Decimal(FOR_ONE) / 100


@pytest.mark.parametrize("database_config", ["sqlite"], indirect=True)
async def test_litellm_26672_the_budget_of_a_key_for_a_day_ends_its_calls(alone: Replicas, database: Database) -> None:
    """A key spent $99 of a budget of $30 for a day that was set beside it (BerriAI/litellm#26672)."""
    async with database.reading() as session:
        subjects = await limits.list_subjects(session, SYSTEM, LimitScope.KEY)
    ((series_id, _),) = subjects
    await alone.limit(NewLimit(LimitScope.KEY, series_id, LimitKind.DAY_USD, FOR_ONE, LimitAction.STOP))

    seen = [await alone.ask(number, "hi", is_stream=number % 2 == 0) for number in range(12)]

    assert seen[0] == 200
    assert seen[-1] == 402, "one after the other, each booked before the next"
    assert seen == sorted(seen)
    assert await alone.booked() <= Decimal(FOR_ONE) / 100


@pytest.mark.parametrize("database_config", ["postgresql"], indirect=True)
async def test_litellm_40095_first_calls_at_once_of_somebody_new_keep_to_the_default(
    alone: Replicas, database: Database
) -> None:
    """First requests of somebody who was in no table yet passed the default budget (BerriAI/litellm#40095)."""
    new = await make_actor(database, "newcomer", Role.USER)
    async with database.writing() as session:
        await settings.change(session, SYSTEM, PERSON_MONTH_USD, 1)
    alone.tokens[:] = [await a_token(database, new)]

    seen = await asyncio.gather(*(alone.ask(number, "hi", is_stream=False, max_tokens=LONG) for number in range(12)))

    assert sorted(set(seen)) == [200, 402]
    assert seen.count(200) == 1


@pytest.mark.parametrize("database_config", ["sqlite"], indirect=True)
async def test_litellm_11083_naming_another_user_spends_no_other_budget(alone: Replicas, a_user: Actor) -> None:
    """With the header or the field that names an end user nobody's budget was asked (BerriAI/litellm#11083)."""
    await alone.limit(NewLimit(LimitScope.USER, a_user.user_id, LimitKind.DAY_USD, FOR_ONE, LimitAction.STOP))

    seen = [
        await alone.ask(number, "hi", is_stream=False, max_tokens=LONG, user=f"customer-{number}")
        for number in range(3)
    ]

    assert seen == [200, 402, 402]
