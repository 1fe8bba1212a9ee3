"""Answers that are given again: to scripts and in chats, over real HTTP, with a scripted provider behind."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select, update

from llm_ui.config import Config
from llm_ui.contract import CompleteEvent, TemporaryRequest
from llm_ui.db import Database
from llm_ui.kit.ids import MessageId, ModelId, ProjectId, uuid7
from llm_ui.models import (
    AiModel,
    CachedAnswer,
    CacheMode,
    FilterAction,
    FilterKind,
    Run,
    RunStatus,
    UsageLog,
)
from llm_ui.observability.metrics import exposition
from llm_ui.services import cached_answers, filters, keys, projects, settings
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.explanations import explain_answer
from llm_ui.services.filters import Options, Rule
from llm_ui.services.keys import NewKey
from llm_ui.services.settings import CACHE_SPEED
from tests.api.conftest import AddModel, RunningApi
from tests.api.test_answers import ClientOf, asking, everything, started, text_of
from tests.fakes.provider import FakeProvider, Reply, answer, reply
from tests.fakes.tools import Scripted, calling

ANSWER = reply("openai", answer("openai", ["so ", "it ", "is"]))
SLOW = reply("openai", answer("openai", ["so ", "it ", "is"]), delay_s=0.05)
CUT = reply("openai", [chunk.replace(b'"stop"', b'"length"') for chunk in answer("openai", ["so"])])
PRICE = Decimal("0.00001")
"""Of seven tokens in and three out, at a dollar for a million."""


@pytest.fixture
def database_config(sqlite_config: Config) -> Config:
    """SQLite only: what depends on the database is tried with the service."""
    return sqlite_config


@dataclass
class World:
    """One model whose answers are kept."""

    database: Database
    fake: FakeProvider
    http: httpx2.AsyncClient
    model_id: ModelId

    async def set(self, mode: CacheMode) -> None:
        async with self.database.writing() as session:
            await cached_answers.set_mode(session, SYSTEM, self.model_id, mode)

    async def key_of(self, actor: Actor, **wanted: Any) -> dict[str, str]:
        async with self.database.writing() as session:
            made = await keys.create(session, actor, NewKey("script", **wanted))
        return {"Authorization": f"Bearer {made.token}"}

    async def ask(self, key: dict[str, str], text: str = "hi", *, headers: Any = None, **more: Any) -> httpx2.Response:
        body = {"model": "kept", "messages": [{"role": "user", "content": text}], **more}
        return await self.http.post("/v1/chat/completions", json=body, headers=key | (headers or {}))

    async def booked(self) -> list[UsageLog]:
        async with self.database.reading() as session:
            return list(await session.scalars(select(UsageLog).order_by(UsageLog.created_at)))

    async def count(self) -> int:
        async with self.database.reading() as session:
            return await session.scalar(select(func.count()).select_from(CachedAnswer)) or 0

    async def is_kept(self, count: int = 1) -> None:
        """Return once so many answers are kept: that is done after the last piece was told."""
        while await self.count() != count:
            await asyncio.sleep(0.005)


@pytest.fixture
async def world(
    api: RunningApi, database: Database, database_config: Config, add_model: AddModel
) -> AsyncIterator[World]:
    async with (
        FakeProvider(ANSWER) as fake,
        httpx2.AsyncClient(base_url=database_config.llm_api_url, trust_env=False, timeout=30) as http,
    ):
        model_id = await add_model(fake.base_url("openai"), "kept")
        async with database.writing() as session:
            prices = {"input_usd_per_mtok": Decimal(1), "output_usd_per_mtok": Decimal(1)}
            await session.execute(update(AiModel).where(AiModel.id == model_id).values(**prices))
        world = World(database, fake, http, model_id)
        await world.set(CacheMode.OWN)
        yield world


def told(response: httpx2.Response) -> tuple[str | None, str]:
    return response.headers.get("x-llm-ui-cache"), response.json()["choices"][0]["message"]["content"]


async def test_a_script_is_given_the_same_answer_for_nothing(world: World, a_user: Actor) -> None:
    key = await world.key_of(a_user)

    first = await world.ask(key)
    await world.is_kept()
    again = await world.ask(key)
    stream = await world.ask(key, stream=True, stream_options={"include_usage": True})
    other = await world.ask(key, temperature=0.5)

    assert [told(one) for one in (first, again, other)] == [
        ("miss", "so it is"),
        ("hit", "so it is"),
        ("miss", "so it is"),
    ]
    assert first.json()["usage"] == again.json()["usage"]
    assert stream.headers["x-llm-ui-cache"] == "hit"
    assert "so " in stream.text
    assert '"total_tokens":10' in stream.text
    assert len(world.fake.requests) == 2
    paid = [(one.is_cached, one.cost_usd, one.saved_usd, one.status) for one in await world.booked()]
    bought, given = (False, PRICE, None, RunStatus.COMPLETED), (True, Decimal(0), PRICE, RunStatus.COMPLETED)
    assert paid == [bought, given, given, bought]
    assert 'llm_ui_cached_answers_total{via="api"}' in exposition()


async def test_nobody_is_given_what_is_behind_another_wall(world: World, a_user: Actor, another_user: Actor) -> None:
    async def asked(*headers: dict[str, str]) -> list[str | None]:
        return [told(await world.ask(one))[0] for one in headers]

    async with world.database.writing() as session:
        project_id, _ = await projects.find_or_begin(session, a_user, [ProjectId(uuid7())], "Herons")
    mine, hers = await world.key_of(a_user), await world.key_of(another_user)
    inside = await world.key_of(a_user, project_id=project_id)
    await world.ask(mine)
    await world.is_kept()

    assert await asked(hers, inside) == ["miss", "miss"]
    await world.is_kept(3)
    assert await asked(mine, hers, inside) == ["hit", "hit", "hit"]
    await world.set(CacheMode.SHARED)
    assert await world.count() == 0, "what was kept for one is not told to all"
    assert await asked(mine) == ["miss"]
    await world.is_kept()
    assert await asked(hers, inside) == ["hit", "hit"]
    await world.set(CacheMode.OFF)
    assert await asked(mine) == [None]


async def test_a_key_may_want_it_where_the_model_does_not(world: World, a_user: Actor) -> None:
    await world.set(CacheMode.OFF)
    key = await world.key_of(a_user, keeps_answers=True)

    await world.ask(key)
    await world.is_kept()

    assert told(await world.ask(key))[0] == "hit"


async def test_cache_control_is_obeyed(world: World, a_user: Actor) -> None:
    key = await world.key_of(a_user)
    unheard = await world.ask(key, headers={"Cache-Control": "no-store"})
    assert (told(unheard)[0], await world.count()) == (None, 0)
    await world.ask(key)
    await world.is_kept()
    world.fake._reply = reply("openai", answer("openai", ["new"]))

    fresh = await world.ask(key, headers={"Cache-Control": "max-age=0, no-cache"})
    unheard = await world.ask(key, headers={"Cache-Control": "no-store"})

    assert [told(fresh), told(unheard)] == [("miss", "new"), (None, "new")]
    while told(await world.ask(key)) != ("hit", "new"):
        await asyncio.sleep(0.005)


async def test_only_whole_answers_without_calls_are_kept(world: World, a_user: Actor) -> None:
    key = await world.key_of(a_user)
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    broken = Reply([ANSWER.chunks[0]], end="reset")
    called = reply("openai", calling("openai", [Scripted("weather", {})]))
    for number, given in enumerate((CUT, called, broken, reply("openai", answer("openai", [])))):
        world.fake._reply = given
        await world.ask(key, f"number {number}", tools=[tool])

    world.fake._reply = ANSWER
    await world.ask(key, "good", tools=[tool])
    await world.is_kept()

    async with world.database.reading() as session:
        (kept,) = await session.scalars(select(CachedAnswer))
    assert "".join(piece[2] for piece in kept.pieces) == "so it is"


async def test_a_chat_says_where_its_answer_comes_from_and_retry_asks_anew(
    world: World, client_of: ClientOf, a_user: Actor
) -> None:
    client = client_of(a_user)
    first = await everything(client, asking(model_id=world.model_id))
    await world.is_kept()

    events = await everything(client, asking(model_id=world.model_id))
    ids = started(events)
    retried = await everything(
        client, asking("", chat_id=ids.chat_id, regenerate_of=ids.answer_id, model_id=world.model_id)
    )

    ends = [one[-1].event for one in (first, events, retried)]
    assert all(isinstance(end, CompleteEvent) for end in ends)
    assert [end.metrics.cached_at is not None for end in ends] == [False, True, False]  # type: ignore[union-attr]
    assert (text_of(events), len(world.fake.requests)) == ("so it is", 2)
    async with world.database.reading() as session:
        runs = list(await session.scalars(select(Run).order_by(Run.created_at)))
        seen = await explain_answer(session, a_user, MessageId(ids.answer_id))
    assert [(run.cost_usd, run.saved_usd) for run in runs] == [(PRICE, None), (0, PRICE), (PRICE, None)]
    assert (seen.cached_at, seen.saved_usd) == (runs[1].cached_at, PRICE)
    assert [(one.is_cached, one.saved_usd) for one in await world.booked()] == [
        (False, None),
        (True, PRICE),
        (False, None),
    ]


async def test_a_temporary_chat_neither_reads_nor_keeps(world: World, client_of: ClientOf, a_user: Actor) -> None:
    client = client_of(a_user)

    for name in ("temporary-1", "temporary-2"):
        request = TemporaryRequest(idempotency_key=name, text="hi", model_id=world.model_id)
        await everything(client, request)

    assert (len(world.fake.requests), await world.count()) == (2, 0)


async def test_what_is_kept_goes_when_the_model_changes(world: World, a_user: Actor) -> None:
    key = await world.key_of(a_user)
    await world.ask(key)
    await world.is_kept()

    async with world.database.writing() as session:
        await cached_answers.clear(session, SYSTEM, world.model_id)

    assert told(await world.ask(key))[0] == "miss"


async def test_it_comes_as_fast_as_it_was_written_where_that_is_wanted(world: World, a_user: Actor) -> None:
    world.fake._reply = reply("openai", answer("openai", ["so ", "it ", "is"]), delay_s=0.1)
    key = await world.key_of(a_user)
    await world.ask(key)
    await world.is_kept()
    async with world.database.writing() as session:
        await settings.store(session, CACHE_SPEED, "natural")

    began = asyncio.get_running_loop().time()
    again = await world.ask(key)

    assert told(again) == ("hit", "so it is")
    assert asyncio.get_running_loop().time() - began >= 0.15


async def test_who_asks_the_same_meanwhile_follows_and_pays_nothing(world: World, a_user: Actor) -> None:
    world.fake._reply = SLOW
    key = await world.key_of(a_user)

    answers = await asyncio.gather(*(world.ask(key) for _ in range(5)))

    assert [told(one)[1] for one in answers] == ["so it is"] * 5
    assert sorted(told(one)[0] or "" for one in answers) == ["hit"] * 4 + ["miss"]
    assert len(world.fake.requests) == 1
    booked = await world.booked()
    assert sum(one.cost_usd or 0 for one in booked) == PRICE
    assert [one.saved_usd for one in booked if one.is_cached] == [PRICE] * 4


async def test_the_answer_goes_on_when_whoever_asked_first_goes_away(world: World, a_user: Actor) -> None:
    world.fake._reply = reply("openai", answer("openai", [f"{n} " for n in range(20)]), delay_s=0.03)
    key = await world.key_of(a_user)
    body = {"model": "kept", "stream": True, "messages": [{"role": "user", "content": "hi"}]}

    async with world.http.stream("POST", "/v1/chat/completions", json=body, headers=key) as first:
        lines = aiter(first.aiter_lines())
        while "0 " not in await anext(lines):
            pass
        second = asyncio.create_task(world.ask(key))
        while "9 " not in await anext(lines):
            pass
        await lines.aclose()  # type: ignore[attr-defined]
    whole = await second

    assert told(whole)[1] == "".join(f"{n} " for n in range(20))
    assert len(world.fake.requests) == 1
    booked = await world.booked()
    assert sorted(one.is_cached for one in booked) == [False, True]
    assert sum(one.cost_usd or 0 for one in booked) == next(one.cost_usd for one in booked if not one.is_cached)


async def test_the_provider_is_let_go_when_nobody_follows_any_more(world: World, a_user: Actor) -> None:
    world.fake._reply = reply("openai", answer("openai", ["so", "it"])[:2], end="hang")
    key = await world.key_of(a_user)
    body = {"model": "kept", "stream": True, "messages": [{"role": "user", "content": "hi"}]}

    async with world.http.stream("POST", "/v1/chat/completions", json=body, headers=key) as first:
        async for line in first.aiter_lines():
            if "so" in line:
                break

    while world.fake.open_connections:
        await asyncio.sleep(0.01)
    assert await world.count() == 0


async def test_where_filters_look_through_what_is_said_nothing_kept_is_given(world: World, a_user: Actor) -> None:
    key = await world.key_of(a_user)
    await world.ask(key)
    await world.is_kept()
    async with world.database.writing() as session:
        rule = Rule(FilterKind.PII, FilterAction.MASK, FilterAction.OFF, Options())
        await filters.change(session, SYSTEM, rule, None)

    again = await world.ask(key)

    assert told(again) == ("miss", "so it is")
    assert len(world.fake.requests) == 2
