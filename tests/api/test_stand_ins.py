"""Models that stand in for others: for chats and for scripts, over real HTTP, with faults of a scripted provider."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import httpx2
import pytest
from sqlalchemy import select, update

from llm_ui.config import Config
from llm_ui.contract import ErrorEvent
from llm_ui.contract.stand_ins import StandInEvent
from llm_ui.db import Database
from llm_ui.kit.ids import MessageId, ModelId
from llm_ui.llm_client import UserClient
from llm_ui.models import AiModel, AiProvider, ChatMessage, MessageRole, Run, RunStatus, UsageLog
from llm_ui.runs import resilience
from llm_ui.services import keys, settings
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.explanations import Stretch, explain_answer
from llm_ui.services.keys import NewKey
from llm_ui.services.settings import CONTINUE_ELSEWHERE
from llm_ui.services.stand_ins import set_stand_ins
from tests.api.conftest import AddModel, RunningApi
from tests.api.test_answers import ClientOf, asking, everything, started, text_of
from tests.fakes.provider import FakeProvider, Reply, answer, reply
from tests.fakes.tools import Scripted, calling

JSON = {"Content-Type": "application/json"}
CALL = Scripted("calculate", {"expression": "1+1"})
GOOD = reply("openai", answer("openai", ["second ", "best"]))


def refusing(status: int, said: str = "no", **headers: str) -> Reply:
    return Reply([b'{"error": {"message": "%b"}}' % said.encode()], status=status, headers={**JSON, **headers})


MOVES = {
    "down": refusing(503),
    "key refused": refusing(401),
    "busy for a while": refusing(429, **{"Retry-After": "20"}),
    "no such model": refusing(404, "model not found"),
    "a login page": Reply([b"<html>Sign in</html>"], headers={"Content-Type": "text/html"}),
    "an error as its first event": Reply([b'data: {"error": {"message": "overloaded", "type": "server_error"}}\n\n']),
    "gone": Reply(end="reset"),
}
STAYS = {
    "filtered": refusing(400, "content_filter: not this"),
    "a bad request": refusing(400, "temperature is wrong"),
    "cut off with text": reply("openai", answer("openai", ["one ", "two"])[:2], end="reset"),
}


@pytest.fixture
def database_config(sqlite_config: Config) -> Config:
    """SQLite only: the one statement that is new is tried on both in the tests of its service."""
    return sqlite_config


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resilience, "FIRST_PAUSE_S", 0)


@dataclass
class World:
    """A model `first` at a provider of its own, `second` and `third` at another, which stand in for it."""

    database: Database
    first: FakeProvider
    second: FakeProvider
    ids: dict[str, ModelId] = field(default_factory=dict)

    async def set(self, name: str, **values: object) -> None:
        async with self.database.writing() as session:
            await session.execute(update(AiModel).where(AiModel.id == self.ids[name]).values(**values))

    async def stand_in(self, *names: str) -> None:
        async with self.database.writing() as session:
            await set_stand_ins(session, SYSTEM, self.ids["first"], [self.ids[name] for name in names])

    async def booked(self) -> list[UsageLog]:
        async with self.database.reading() as session:
            return list(await session.scalars(select(UsageLog)))


@pytest.fixture
async def world(api: RunningApi, database: Database, add_model: AddModel) -> AsyncIterator[World]:
    async with FakeProvider(refusing(503)) as first, FakeProvider(GOOD) as second:
        world = World(database, first, second)
        for name, fake, price in (("first", first, 1), ("second", second, 3), ("third", second, 5)):
            world.ids[name] = await add_model(fake.base_url("openai"), name)
            await world.set(name, input_usd_per_mtok=Decimal(price), output_usd_per_mtok=Decimal(price))
        await world.stand_in("second", "third")
        yield world


def answering(fake: FakeProvider, *replies: Reply) -> None:
    """Let a provider answer so from now on."""
    fake._reply = list(replies)
    fake.requests.clear()


@pytest.mark.parametrize("fault", MOVES)
async def test_another_model_answers_in_a_chat_and_says_so(
    world: World, client_of: ClientOf, a_user: Actor, fault: str
) -> None:
    answering(world.first, MOVES[fault])

    events = await everything(client_of(a_user), asking(model_id=world.ids["first"]))

    (moved,) = [one.event for one in events if isinstance(one.event, StandInEvent)]
    assert (moved.model_name, moved.instead_of, text_of(events)) == ("second", "first", "second best")
    async with world.database.reading() as session:
        run = (await session.scalars(select(Run))).one()
        told = await explain_answer(session, a_user, MessageId(started(events).answer_id))
        refused = await session.scalar(select(AiProvider.key_refused_at).where(AiProvider.name == "first"))
    assert (run.model_name, run.instead_of, run.status) == ("second", "first", RunStatus.COMPLETED)
    (booked,) = await world.booked()
    # Seven tokens in, two out, at three dollars for a million.
    assert (booked.model_name, booked.cost_usd, run.cost_usd) == ("second", Decimal("0.000027"), Decimal("0.000027"))
    assert [(one.model, bool(one.reason)) for one in told.tries] == [("first", fault != "key refused")]
    assert [one.name for one in told.timings if one.stretch is Stretch.TRIED] == ["first"]
    assert (refused is not None) is (fault == "key refused")


async def test_what_nobody_else_would_answer_better_is_asked_of_nobody_else(
    world: World, client_of: ClientOf, a_user: Actor
) -> None:
    for fault, answered in STAYS.items():
        answering(world.first, answered)

        events = await everything(client_of(a_user), asking(fault, model_id=world.ids["first"]))

        assert isinstance(events[-1].event, ErrorEvent), fault
        assert world.second.requests == [], fault


@pytest.mark.parametrize(("windows", "answers"), [((4_000, 9_000), "third"), ((None, 4_000), None)])
async def test_what_is_too_long_goes_to_a_larger_window(
    world: World, client_of: ClientOf, a_user: Actor, windows: tuple[int | None, int], answers: str | None
) -> None:
    answering(world.first, refusing(400, "maximum context length is 8000 tokens"))
    await world.set("first", context_window=8_000)
    for name, window in zip(("second", "third"), windows, strict=True):
        await world.set(name, context_window=window)

    await everything(client_of(a_user), asking(model_id=world.ids["first"]))

    assert [request.json()["model"] for request in world.second.requests] == ([answers] if answers else [])


async def test_all_are_asked_in_their_order_and_the_last_one_says_why(
    world: World, client_of: ClientOf, a_user: Actor
) -> None:
    answering(world.second, refusing(401), refusing(402, "no credit"))

    events = await everything(client_of(a_user), asking(model_id=world.ids["first"]))

    end = events[-1].event
    assert isinstance(end, ErrorEvent)
    assert end.error.message.startswith("third refuses to answer for now")
    assert [request.json()["model"] for request in world.second.requests] == ["second", "third"]


async def test_after_tools_the_next_request_may_go_elsewhere_at_its_own_price(
    world: World, client_of: ClientOf, a_user: Actor
) -> None:
    for name in ("first", "third"):
        await world.set(name, can_use_tools=True)
    answering(world.first, reply("openai", calling("openai", [CALL])), refusing(503))

    events = await everything(client_of(a_user), asking(model_id=world.ids["first"]))

    assert text_of(events).endswith("second best")
    # The second one calls no tools, so it cannot be told what the tools gave.
    assert [request.json()["model"] for request in world.second.requests] == ["third"]
    async with world.database.reading() as session:
        run = (await session.scalars(select(Run))).one()
    assert run.manifest is not None
    costs = [Decimal(one["cost_usd"]) for one in run.manifest["rounds"]]
    assert (run.cost_usd, len(costs)) == (sum(costs), 2)
    assert costs[1] == Decimal("0.000045")


async def test_an_answer_that_breaks_off_is_gone_on_with_where_administrators_want_it(
    world: World, client_of: ClientOf, a_user: Actor
) -> None:
    broken = reply("openai", answer("openai", ["one ", "two "])[:3], end="reset", delay_s=0.02)
    answering(world.first, broken)
    async with world.database.writing() as session:
        await settings.store(session, CONTINUE_ELSEWHERE, True)

    events = await everything(client_of(a_user), asking(model_id=world.ids["first"]))

    assert text_of(events) == "one two second best"
    (moved,) = [one.event for one in events if isinstance(one.event, StandInEvent)]
    assert (moved.instead_of, moved.broke_off) == ("first", True)
    *_, said, go_on = world.second.requests[-1].json()["messages"]
    assert (said["role"], said["content"].strip()) == ("assistant", "one two")
    assert "Go on exactly where it ended" in str(go_on)
    async with world.database.reading() as session:
        run = (await session.scalars(select(Run))).one()
        stored = await session.scalar(select(ChatMessage.text).where(ChatMessage.role == MessageRole.ASSISTANT))
        told = await explain_answer(session, a_user, MessageId(started(events).answer_id))
    assert (run.status, run.broke_off, run.model_name, stored) == (RunStatus.COMPLETED, True, "second", text_of(events))
    assert run.manifest is not None
    costs = [Decimal(one["cost_usd"]) for one in run.manifest["rounds"]]
    assert (run.cost_usd, costs[1]) == (sum(costs), Decimal("0.000027"))
    assert costs[0] > 0, "what was said before it broke off is paid too"
    assert [one.stretch for one in told.timings].count(Stretch.WRITING) == 2
    assert Stretch.TOOLS not in [one.stretch for one in told.timings]


async def test_the_next_question_goes_to_the_model_that_was_picked(
    world: World, client_of: ClientOf, a_user: Actor
) -> None:
    client = client_of(a_user)
    answering(world.first, refusing(401), GOOD)
    events = await everything(client, asking(model_id=world.ids["first"]))

    await everything(client, asking("and now", chat_id=started(events).chat_id))

    async with world.database.reading() as session:
        runs = await session.scalars(select(Run).order_by(Run.created_at))
        assert [(run.model_name, run.instead_of) for run in runs] == [("second", "first"), ("first", "")]
        roles = list(await session.scalars(select(ChatMessage.role)))
    assert MessageRole.NOTE not in roles, "nobody has picked another model"


async def asked(config: Config, token: str, path: str = "/v1/chat/completions", **more: object) -> httpx2.Response:
    body = {"model": "first", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 50, **more}
    async with httpx2.AsyncClient(base_url=config.llm_api_url, trust_env=False, timeout=30) as http:
        return await http.post(path, json=body, headers={"Authorization": f"Bearer {token}"})


async def a_key(database: Database, actor: Actor, models: Sequence[ModelId] | None = None) -> str:
    new = NewKey("script", models=None if models is None else frozenset(models))
    async with database.writing() as session:
        return (await keys.create(session, actor, new)).token


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize("is_stream", [True, False])
async def test_scripts_are_told_who_answered(
    world: World, database_config: Config, a_user: Actor, path: str, is_stream: bool
) -> None:
    found = await asked(database_config, await a_key(world.database, a_user), path, stream=is_stream)

    assert found.status_code == 200
    assert "best" in found.text
    assert found.headers["x-llm-ui-model"] == "second/second"
    assert found.headers["x-llm-ui-instead-of"] == "first/first"
    assert [(row.model_name, row.cost_usd) for row in await world.booked()] == [("second", Decimal("0.000027"))]


async def test_a_key_for_some_models_asks_no_others(world: World, database_config: Config, a_user: Actor) -> None:
    allowed = [world.ids["first"], world.ids["third"]]

    found = await asked(database_config, await a_key(world.database, a_user, allowed))

    assert found.headers["x-llm-ui-model"] == "third/third"
    alone = await asked(database_config, await a_key(world.database, a_user, allowed[:1]))
    assert alone.status_code == 503
    assert "x-llm-ui-model" not in alone.headers


async def test_a_script_that_needs_tools_or_images_asks_who_can(
    world: World, database_config: Config, a_user: Actor
) -> None:
    await world.set("third", can_use_tools=True)
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}

    found = await asked(database_config, await a_key(world.database, a_user), tools=[tool])

    assert found.headers["x-llm-ui-model"] == "third/third"


async def test_chats_and_scripts_know_together_that_a_provider_is_down(
    world: World, database_config: Config, client_of: ClientOf, a_user: Actor
) -> None:
    client: UserClient = client_of(a_user)
    await everything(client, asking("one", model_id=world.ids["first"]))
    await everything(client, asking("two", model_id=world.ids["first"]))
    tried = len(world.first.requests)

    found = await asked(database_config, await a_key(world.database, a_user))

    assert found.status_code == 200
    assert len(world.first.requests) == tried == 5
