"""The API for scripts: what it books, keeps to and refuses. Protocols by themselves are in test_protocols.py."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from sqlalchemy import select, update

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ModelId
from llm_ui.models import AiModel, ApiKey, BudgetReservation, ChatHistory, KeyScope, RunStatus, UsageLog, UsagePurpose
from llm_ui.services import keys
from llm_ui.services.access import Actor
from llm_ui.services.keys import Made, NewKey
from tests.api.conftest import AddModel, RunningApi
from tests.fakes.embeddings import embeddings_reply, vector
from tests.fakes.provider import PROTOCOLS, FakeProvider, Received, Reply, answer, reply
from tests.fakes.tools import Scripted, calling

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)  # fmt: skip
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL: Any = {"type": "function", "function": {"name": "weather", "description": "Tells it.", "parameters": WEATHER}}
CALL = Scripted("weather", {"city": "Köln"})
HI: Any = [{"role": "user", "content": "hi"}]
Give = Callable[..., Any]


@pytest.fixture
def database_config(sqlite_config: Config) -> Config:
    """SQLite only: what depends on the database is tried with the keys themselves."""
    return sqlite_config


@pytest.fixture
async def key(database: Database, a_user: Actor) -> Made:
    return await made(database, a_user)


async def made(database: Database, actor: Actor, **wanted: Any) -> Made:
    async with database.writing() as session:
        return await keys.create(session, actor, NewKey("script", **wanted))


@pytest.fixture
async def scripts(api: RunningApi, database_config: Config, key: Made) -> AsyncIterator[openai.AsyncOpenAI]:
    """OpenAI's client with a key."""
    async with openai.AsyncOpenAI(
        base_url=f"{database_config.llm_api_url}/v1", api_key=key.token, max_retries=0
    ) as one:
        yield one


@pytest.fixture
async def claude(api: RunningApi, database_config: Config, key: Made) -> AsyncIterator[anthropic.AsyncAnthropic]:
    """Anthropic's client with a key."""
    async with anthropic.AsyncAnthropic(base_url=database_config.llm_api_url, api_key=key.token, max_retries=0) as one:
        yield one


@pytest.fixture
def behind(add_model: AddModel, database: Database) -> Callable[..., Any]:
    """Add a model with a price that is served by a fake provider."""

    async def add(fake: FakeProvider, protocol: str, **values: Any) -> ModelId:
        model_id = await add_model(fake.base_url(protocol), "fake", protocol)
        priced = {"input_usd_per_mtok": Decimal(1), "output_usd_per_mtok": Decimal(2), "can_see_images": True}
        async with database.writing() as session:
            await session.execute(update(AiModel).where(AiModel.id == model_id).values(**priced, **values))
        return model_id

    return add


async def booked(database: Database) -> list[UsageLog]:
    async with database.reading() as session:
        return list(await session.scalars(select(UsageLog)))


def saying(protocol: str, *words: str, **options: Any) -> Reply:
    return reply(protocol, answer(protocol, words), **options)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_an_answer_whole_and_streamed_is_booked_once_with_its_key(
    scripts: openai.AsyncOpenAI, database: Database, behind: Give, key: Made, a_user: Actor, protocol: str
) -> None:
    async with FakeProvider(saying(protocol, "Hello ", "wörld")) as fake:
        await behind(fake, protocol)

        whole = await scripts.chat.completions.create(
            model="fake", messages=HI, temperature=0.5, top_p=0.9, stop="END", seed=4
        )
        stream = await scripts.chat.completions.create(
            model="fake/fake", messages=HI, stream=True, stream_options={"include_usage": True}
        )
        pieces = [chunk async for chunk in stream]
        asked = fake.requests[0].body

    assert whole.choices[0].message.content == "Hello wörld"
    assert whole.choices[0].finish_reason == "stop"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in pieces if chunk.choices) == "Hello wörld"
    assert pieces[-2].choices[0].finish_reason == "stop"
    for used in (whole.usage, pieces[-1].usage):
        assert used is not None
        assert (used.prompt_tokens, used.completion_tokens, used.total_tokens) == (7, 2, 9)
    assert b"END" in asked
    assert b"0.9" in asked
    rows = await booked(database)
    told = {(row.purpose, row.key_id, row.user_id, row.status, row.cost_usd) for row in rows}
    assert told == {(UsagePurpose.API, key.id, a_user.user_id, RunStatus.COMPLETED, Decimal("0.000011"))}
    assert len(rows) == 2
    async with database.reading() as session:
        assert (await session.scalars(select(ChatHistory))).all() == []


@pytest.mark.parametrize("protocol", ["openai", "google"])
async def test_tools_go_there_and_back(scripts: openai.AsyncOpenAI, behind: Give, protocol: str) -> None:
    replies = [reply(protocol, calling(protocol, [CALL])), saying(protocol, "It rains.")] * 2
    async with FakeProvider(replies) as fake:
        await behind(fake, protocol, can_use_tools=True)

        for is_stream in (False, True):
            messages = list(HI)
            message = await _called(scripts, messages, is_stream=is_stream)
            (call,) = message["tool_calls"]
            assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == (
                "weather",
                {"city": "Köln"},
            )
            messages += [message, {"role": "tool", "tool_call_id": call["id"], "content": "rain, 9 degrees"}]
            last = await scripts.chat.completions.create(model="fake", messages=messages, tools=[TOOL])
            assert last.choices[0].message.content == "It rains."
        sent = [request.body.decode() for request in fake.requests]

    assert all("weather" in body for body in sent)
    assert all("rain, 9 degrees" in body for body in (sent[1], sent[3]))
    if protocol == "google":
        # What most clients have no place for comes back all the same.
        assert all("signed call_1" in body for body in (sent[1], sent[3]))


async def _called(scripts: openai.AsyncOpenAI, messages: Any, *, is_stream: bool) -> dict[str, Any]:
    """Return the message that calls, as a client keeps it."""
    if not is_stream:
        whole = await scripts.chat.completions.create(
            model="fake", messages=messages, tools=[TOOL], tool_choice="required"
        )
        assert whole.choices[0].finish_reason == "tool_calls"
        return whole.choices[0].message.model_dump(include={"role", "content", "tool_calls"})
    async with scripts.chat.completions.stream(model="fake", messages=messages, tools=[TOOL]) as stream:
        async for _ in stream:
            pass
        found = (await stream.get_final_completion()).choices[0]
    assert found.finish_reason == "tool_calls"
    calls = [one.model_dump(include={"id": True, "type": True, "function": {"name", "arguments"}})
             for one in found.message.tool_calls or ()]  # fmt: skip
    return {"role": "assistant", "content": None, "tool_calls": calls}


@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
async def test_anthropics_client_whole_and_streamed_with_tools(
    claude: anthropic.AsyncAnthropic, database: Database, behind: Give, protocol: str
) -> None:
    tool: Any = {"name": "weather", "description": "Tells it.", "input_schema": WEATHER}
    replies = [reply(protocol, calling(protocol, [CALL], ["Let me ", "look."])), saying(protocol, "It ", "rains.")]
    async with FakeProvider([*replies, *replies]) as fake:
        await behind(fake, protocol, can_use_tools=True)
        for is_stream in (False, True):
            asked: dict[str, Any] = {
                "model": "fake", "max_tokens": 99, "system": "Be brief.", "tools": [tool],
                "messages": [{"role": "user", "content": "Rain?"}],
            }  # fmt: skip
            first = await _message(claude, asked, is_stream=is_stream)
            text, use = first.content
            assert (first.stop_reason, text.text, use.name, use.input) == (
                "tool_use",
                "Let me look.",
                "weather",
                {"city": "Köln"},
            )
            result = {"type": "tool_result", "tool_use_id": use.id, "content": [{"type": "text", "text": "rain"}]}
            asked["messages"] += [
                {"role": "assistant", "content": [block.model_dump() for block in first.content]},
                {"role": "user", "content": [result, {"type": "text", "text": "In short?"}]},
            ]
            last = await _message(claude, asked, is_stream=is_stream)
            assert (last.stop_reason, last.content[0].text) == ("end_turn", "It rains.")
            assert (last.usage.input_tokens, last.usage.output_tokens) == (7, 2)
        sent = [request.body.decode() for request in fake.requests]

    assert all("Be brief." in body for body in sent)
    assert "In short?" in sent[1]
    assert len(await booked(database)) == 4


async def _message(claude: anthropic.AsyncAnthropic, asked: dict[str, Any], *, is_stream: bool) -> Any:
    if not is_stream:
        return await claude.messages.create(**asked)
    async with claude.messages.stream(**asked) as stream:
        return await stream.get_final_message()


@pytest.mark.parametrize("protocol", ["openai", "google", "ollama"])
async def test_embeddings(
    scripts: openai.AsyncOpenAI, database: Database, behind: Give, key: Made, protocol: str
) -> None:
    async with FakeProvider(embeddings_reply) as fake:
        await behind(fake, protocol, makes_embeddings=True)

        # The client asks for base64 unless it is told otherwise.
        packed = await scripts.embeddings.create(model="fake", input=["a heron", "a boat"], dimensions=5)
        plain = await scripts.embeddings.create(model="fake", input="a heron", encoding_format="float")
        sent = fake.requests[0].body

    assert [one.embedding for one in packed.data] == [vector("a heron"), vector("a boat")]
    assert plain.data[0].embedding == vector("a heron")
    assert b"imension" in sent
    assert {(row.purpose, row.key_id) for row in await booked(database)} == {(UsagePurpose.API, key.id)}


async def test_the_demo_works_out_of_the_box(scripts: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic) -> None:
    told = await scripts.chat.completions.create(
        model="demo", messages=[{"role": "user", "content": "What is 47 * 89?"}]
    )
    said = await claude.messages.create(
        model="demo", max_tokens=500, messages=[{"role": "user", "content": "47 * 89?"}]
    )
    counted = await claude.messages.count_tokens(model="demo", messages=[{"role": "user", "content": "47 * 89?"}])

    assert "4,183" in str(told.choices[0].message.content)
    assert "4,183" in said.content[0].text  # type: ignore[union-attr]
    assert counted.input_tokens > 3
    assert [model.id async for model in scripts.models.list()] == ["demo"]
    assert [model.id async for model in claude.models.list()] == ["demo"]
    assert (await scripts.models.retrieve("demo")).owned_by == "Demo"


REFUSED: list[tuple[dict[str, Any], type[openai.APIStatusError], str | None]] = [
    ({"model": "none"}, openai.NotFoundError, None),
    ({"n": 2}, openai.BadRequestError, "n"),
    ({"temperature": "hot"}, openai.BadRequestError, "temperature"),
    ({"messages": []}, openai.BadRequestError, "messages"),
    ({"messages": [{"role": "wizard", "content": "x"}]}, openai.BadRequestError, "messages[0].role"),
    ({"messages": [{"role": "user", "content": 5}]}, openai.BadRequestError, "messages[0].content"),
    (
        {
            "messages": [
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://127.0.0.1/x"}}]}
            ]
        },
        openai.BadRequestError,
        "messages[0].content[0].image_url",
    ),
    (
        {"messages": [{"role": "tool", "content": "x", "tool_call_id": "no"}]},
        openai.BadRequestError,
        "messages[0].tool_call_id",
    ),
    ({"tool_choice": {"type": "function", "function": {"name": "no"}}}, openai.BadRequestError, "tool_choice"),
    ({"response_format": {"type": "yaml"}}, openai.BadRequestError, "response_format"),
]


@pytest.mark.parametrize(("wrong", "kind", "param"), REFUSED)
async def test_what_cannot_be_asked_is_told_in_one_sentence_with_its_field(
    scripts: openai.AsyncOpenAI, wrong: dict[str, Any], kind: type[openai.APIStatusError], param: str | None
) -> None:
    asked: dict[str, Any] = {"model": "demo", "messages": HI, **wrong}

    with pytest.raises(kind) as caught:
        await scripts.chat.completions.create(**asked)

    error: Any = caught.value.body
    assert error["param"] == param
    assert error["message"].endswith(".")
    assert caught.value.request_id


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize(
    ("status", "kind", "other"),
    [
        (400, openai.BadRequestError, anthropic.BadRequestError),
        (401, openai.InternalServerError, anthropic.InternalServerError),
        (429, openai.RateLimitError, anthropic.RateLimitError),
        (500, openai.InternalServerError, anthropic.InternalServerError),
    ],
)
async def test_a_providers_refusal_arrives_as_the_clients_own_error(
    scripts: openai.AsyncOpenAI,
    claude: anthropic.AsyncAnthropic,
    database: Database,
    behind: Give,
    status: int,
    kind: type[openai.APIStatusError],
    other: type[anthropic.APIStatusError],
    is_stream: bool,
) -> None:
    error = json.dumps({"error": {"message": "sk-secret says no"}}).encode()
    async with FakeProvider(Reply([error], status=status, headers={"Content-Type": "application/json"})) as fake:
        await behind(fake, "openai")

        with pytest.raises(kind) as caught:
            await scripts.chat.completions.create(model="fake", messages=HI, stream=is_stream)  # type: ignore[call-overload]
        with pytest.raises(other):
            await claude.messages.create(model="fake", max_tokens=9, messages=HI, stream=is_stream)  # type: ignore[call-overload]

    # What a provider has against the workspace's own key is not for everybody.
    assert ("says no" in caught.value.message) == (status != 401)
    assert await booked(database) == []


async def test_an_answer_that_breaks_off_is_an_error_and_booked(
    scripts: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic, database: Database, behind: Give
) -> None:
    cut = answer("openai", ["one ", "two ", "three "])[:3]
    async with FakeProvider(reply("openai", cut)) as fake:
        await behind(fake, "openai")

        with pytest.raises(openai.APIError):
            async for _ in await scripts.chat.completions.create(model="fake", messages=HI, stream=True):
                pass
        with pytest.raises(anthropic.APIError):
            async for _ in await claude.messages.create(model="fake", max_tokens=9, messages=HI, stream=True):
                pass

    rows = await booked(database)
    assert [(row.status, row.output_tokens > 0) for row in rows] == [(RunStatus.FAILED, True)] * 2


@pytest.mark.parametrize("is_stream", [False, True])
async def test_who_goes_away_ends_the_providers_work_and_pays_for_what_was_said(
    scripts: openai.AsyncOpenAI, database: Database, behind: Give, is_stream: bool
) -> None:
    async with FakeProvider(saying("openai", *["word "] * 2_000, delay_s=0.02)) as fake:
        await behind(fake, "openai")
        if is_stream:
            stream = await scripts.chat.completions.create(model="fake", messages=HI, stream=True)
            async for chunk in stream:
                if chunk.choices and chunk.choices[0].delta.content:
                    break
            await stream.close()
        else:
            asking = asyncio.create_task(scripts.chat.completions.create(model="fake", messages=HI))
            await until(lambda: fake.open_connections == 1)
            asking.cancel()
        await until(lambda: fake.open_connections == 0)

        await _until_booked(database)

    (row,) = await booked(database)
    assert row.status is RunStatus.INTERRUPTED
    assert row.input_tokens > 0
    async with database.reading() as session:
        assert (await session.scalars(select(BudgetReservation))).all() == []


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.02)


async def _until_booked(database: Database) -> None:
    async with asyncio.timeout(20):
        while not await booked(database):
            await asyncio.sleep(0.02)


async def test_a_key_that_is_revoked_ends_its_answer(
    scripts: openai.AsyncOpenAI, database: Database, behind: Give, key: Made, a_user: Actor
) -> None:
    async with FakeProvider(saying("openai", *["word "] * 5_000, delay_s=0.02)) as fake:
        await behind(fake, "openai")
        stream = await scripts.chat.completions.create(model="fake", messages=HI, stream=True)
        with pytest.raises(openai.APIError) as caught:
            async for chunk in stream:
                if chunk.choices and chunk.choices[0].delta.content == "word ":
                    async with database.writing() as session:
                        await session.execute(update(ApiKey).values(revoked_at=now()))
                    break
            async for _ in stream:
                pass
        await until(lambda: fake.open_connections == 0)

    assert caught.value.code == "invalid_api_key"
    with pytest.raises(openai.AuthenticationError):
        await scripts.models.list()
    await _until_booked(database)


@pytest.mark.parametrize(
    ("wanted", "kind"),
    [
        ({"scopes": frozenset({KeyScope.MODELS})}, openai.PermissionDeniedError),
        ({"addresses": ("10.0.0.0/8",)}, openai.PermissionDeniedError),
        ({"models": frozenset[ModelId]()}, openai.NotFoundError),
        ({"addresses": ("127.0.0.0/8", "::1")}, None),
    ],
)
async def test_a_key_allows_what_it_is_for(
    scripts: openai.AsyncOpenAI,
    database: Database,
    a_user: Actor,
    wanted: dict[str, Any],
    kind: type[openai.APIStatusError] | None,
) -> None:
    other = scripts.with_options(api_key=(await made(database, a_user, **wanted)).token)

    if kind is None:
        await other.chat.completions.create(model="demo", messages=HI)
        return
    with pytest.raises(kind):
        await other.chat.completions.create(model="demo", messages=HI)


async def test_a_budget_is_kept_by_questions_at_once(
    scripts: openai.AsyncOpenAI, database: Database, behind: Give, a_user: Actor
) -> None:
    key = await made(database, a_user, budget_usd=Decimal("0.05"))
    other = scripts.with_options(api_key=key.token)
    async with FakeProvider(saying("openai", "one ", "two ")) as fake:
        model_id = await behind(fake, "openai")
        async with database.writing() as session:
            dear = {"input_usd_per_mtok": Decimal(1), "output_usd_per_mtok": Decimal(1_000)}
            await session.execute(update(AiModel).where(AiModel.id == model_id).values(**dear))

        asked = (other.chat.completions.create(model="fake", messages=HI, max_tokens=20) for _ in range(8))
        outcomes = await asyncio.gather(*asked, return_exceptions=True)

    refused = [one for one in outcomes if isinstance(one, openai.APIStatusError)]
    assert {one.status_code for one in refused} == {402}
    assert {one.code for one in refused} == {"insufficient_quota"}
    done = len(outcomes) - len(refused)
    assert done >= 1
    async with database.reading() as session:
        (info,) = [one for one in await keys.list_keys(session, a_user) if one.id == key.id]
        assert (await session.scalars(select(BudgetReservation))).all() == []
    assert info.spent_usd == done * Decimal("0.002007")


async def test_more_requests_than_a_key_may_make_are_told_when_to_come_back(
    scripts: openai.AsyncOpenAI, database: Database, a_user: Actor
) -> None:
    other = scripts.with_options(api_key=(await made(database, a_user, requests_per_minute=2)).token)
    for _ in range(2):
        raw = await other.chat.completions.with_raw_response.create(model="demo", messages=HI)

    with pytest.raises(openai.RateLimitError) as caught:
        await other.chat.completions.create(model="demo", messages=HI)

    assert raw.headers["x-ratelimit-limit-requests"] == "2"
    assert raw.headers["x-ratelimit-remaining-requests"] == "0"
    assert 1 <= int(caught.value.response.headers["retry-after"]) <= 30
    assert caught.value.code == "rate_limit_exceeded"


async def test_wrong_keys_are_slowed_down_and_good_ones_are_not(
    scripts: openai.AsyncOpenAI, database_config: Config
) -> None:
    await scripts.models.list()
    async with httpx2.AsyncClient(base_url=database_config.llm_api_url, trust_env=False) as http:
        statuses = [(await http.get("/v1/models", headers={"x-api-key": f"llmui-{n}"})).status_code for n in range(40)]
        bare = await http.post("/api/v1/messages", json={})

    assert statuses[0] == 401
    assert 429 in statuses, "on a slow machine some attempts come free again meanwhile"
    assert bare.json()["type"] == "error"
    assert [model.id async for model in scripts.models.list()] == ["demo"]


def echoing(request: Received) -> Reply:
    return saying("openai", "model " + request.json()["model"])


async def test_models_of_the_same_name_are_asked_by_their_provider(
    scripts: openai.AsyncOpenAI, add_model: AddModel, database: Database
) -> None:
    async with FakeProvider(echoing) as fake:
        await add_model(fake.base_url("openai"), "one")
        second = await add_model(fake.base_url("openai"), "two")
        async with database.writing() as session:
            await session.execute(update(AiModel).where(AiModel.id == second).values(name="one"))

        names = [model.id async for model in scripts.models.list()]
        with pytest.raises(openai.BadRequestError, match="one/one"):
            await scripts.chat.completions.create(model="one", messages=HI)
        told = await scripts.chat.completions.create(model="two/one", messages=HI)

    assert sorted(names) == ["demo", "one/one", "two/one"]
    assert told.choices[0].message.content == "model one"
    assert (await scripts.models.retrieve("two/one")).owned_by == "two"
