"""Asking through the LLM API: real HTTP, real databases, a scripted provider."""

import asyncio
import itertools
from collections.abc import Callable
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import func, select

from llm_ui.config import Config
from llm_ui.contract import ChatRequest, CompleteEvent, ErrorEvent, PreviewRequest, StartEvent, TokenEvent
from llm_ui.db import POOL_SIZE, Database
from llm_ui.errors import LLMUIError
from llm_ui.kit.ids import ChatId, MessageId, RunId
from llm_ui.llm_client import Numbered, UserClient
from llm_ui.models import ChatMessage, Role, Run, RunStatus, UsageLog
from llm_ui.runs import store
from llm_ui.runs.sweep import sweep
from llm_ui.services import chats, users
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.explanations import Stretch, explain_answer
from llm_ui.services.messages import read_messages
from tests.api.conftest import AddModel, RunningApi
from tests.fakes.provider import PROTOCOLS, FakeProvider, Reply, answer, numbered_words, reply

ClientOf = Callable[[Actor], UserClient]
PIECES = ["Hello ", "wörld ", "👩‍👩‍👧 ", "end"]
MANY = 3 * POOL_SIZE
"""Three times as many as there are connections, and few enough to be stored in time on a busy machine."""


KEYS = itertools.count()


def asking(text: str = "hi there", **fields: object) -> ChatRequest:
    return ChatRequest(**{"idempotency_key": f"test-key-{next(KEYS)}", "text": text, **fields})


async def everything(client: UserClient, request: ChatRequest) -> list[Numbered]:
    return [numbered async for numbered in client.chat_stream(request)]


def text_of(events: list[Numbered]) -> str:
    return "".join(numbered.event.token for numbered in events if isinstance(numbered.event, TokenEvent))


def started(events: list[Numbered]) -> StartEvent:
    event = events[0].event
    assert isinstance(event, StartEvent)
    return event


async def test_an_answer_is_streamed_stored_and_booked(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(reply("openai", answer("openai", PIECES, reasoning=["hm"]))) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        events = await everything(client_of(a_user), asking(model_id=model_id))

    end = events[-1].event
    assert isinstance(end, CompleteEvent)
    assert (end.status, end.finish_reason, end.usage.input_tokens, end.usage.source) == (
        "completed",
        "stop",
        7,
        "provider",
    )
    assert [numbered.id for numbered in events] == list(range(1, len(events) + 1))
    assert text_of(events) == "".join(PIECES)
    async with database.reading() as session:
        page = await read_messages(session, a_user, ChatId(started(events).chat_id))
        assert [message.text for message in page.items] == ["hi there", "".join(PIECES)]
        assert page.items[1].reasoning == "hm"
        assert await session.scalar(select(func.count()).select_from(UsageLog)) == 1


async def test_what_the_provider_counts_calibrates_the_next_estimates(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(reply("openai", answer("openai", PIECES))) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        client = client_of(a_user)
        for number in range(4):
            last = started(await everything(client, asking(f"{number} {'word ' * 200}", model_id=model_id)))
        preview = await client.preview(PreviewRequest(model_id=model_id))

    assert preview.tokens_factor < 0.8, "seven tokens are what this provider always counts"
    async with database.reading() as session:
        assert (await explain_answer(session, a_user, MessageId(last.answer_id))).is_calibrated


async def test_a_run_can_be_followed_again_from_every_event(
    api: RunningApi, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(reply("openai", answer("openai", PIECES))) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        client = client_of(a_user)
        events = await everything(client, asking(model_id=model_id))

        for seen in range(len(events)):
            again = [numbered async for numbered in client.follow(started(events).run_id, seen)]
            assert again == events[seen:]


async def test_a_restarted_api_serves_an_ended_run_from_its_rows(
    api: RunningApi, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(reply("openai", answer("openai", PIECES))) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        events = await everything(client_of(a_user), asking(model_id=model_id))
    await api.stop()
    await api.start()

    again = [numbered async for numbered in client_of(a_user).follow(started(events).run_id, 3)]

    assert started(again).is_replay
    assert text_of(again) == "".join(PIECES)
    assert isinstance(again[-1].event, CompleteEvent)


async def test_a_hundred_sends_with_one_key_make_one_message(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor
) -> None:
    request = asking("What is 2 + 2?")

    found = await asyncio.gather(*(everything(client_of(a_user), request) for _ in range(100)))

    assert len({started(events).run_id for events in found}) == 1
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(ChatMessage)) == 2
        assert await session.scalar(select(func.count()).select_from(Run)) == 1


async def test_stop_keeps_what_was_said_and_leaves_the_provider(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(numbered_words({"pieces": 2_000, "delay_ms": 10})) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        client = client_of(a_user)
        events: list[Numbered] = []
        async for numbered in client.chat_stream(asking(model_id=model_id)):
            events.append(numbered)
            if isinstance(numbered.event, TokenEvent) and numbered.event.index == 10:
                await client.stop(started(events).run_id)
        async with asyncio.timeout(1):
            while fake.open_connections:
                await asyncio.sleep(0.01)

    end = events[-1].event
    assert isinstance(end, CompleteEvent)
    assert (end.status, end.finish_reason) == ("stopped", "stopped")
    async with database.reading() as session:
        stored = await session.get_one(ChatMessage, MessageId(started(events).answer_id))
    assert stored.text == text_of(events)
    assert stored.text.startswith("w0 w1 ")


async def test_regenerating_adds_a_sibling_answer(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor
) -> None:
    client = client_of(a_user)
    first = started(await everything(client, asking("What is 2 + 2?")))
    request = ChatRequest(idempotency_key="again-again", chat_id=first.chat_id, regenerate_of=first.answer_id)

    second = started(await everything(client, request))

    assert second.question_id == first.question_id
    assert second.answer_id != first.answer_id
    async with database.reading() as session:
        page = await read_messages(session, a_user, ChatId(first.chat_id))
    assert [message.id for message in page.items] == [first.question_id, second.answer_id]


async def test_an_answer_that_goes_on_holds_every_character_once(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    replies = [
        reply("openai", answer("openai", ["one, "], reason="length")),
        reply("openai", answer("openai", ["two"])),
    ]
    async with FakeProvider(replies) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        client = client_of(a_user)
        first = started(await everything(client, asking("count", model_id=model_id)))
        request = ChatRequest(
            idempotency_key="go-on-please", chat_id=first.chat_id, continue_of=first.answer_id, model_id=model_id
        )

        events = await everything(client, request)

    assert text_of(events) == "one, two"
    end = events[-1].event
    assert isinstance(end, CompleteEvent)
    assert end.finish_reason == "stop"
    async with database.reading() as session:
        stored = await session.get_one(ChatMessage, MessageId(started(events).answer_id))
        manifest = (await session.get_one(Run, RunId(started(events).run_id))).manifest
    assert stored.text == "one, two"
    assert manifest is not None
    assert [part["origin"] for part in manifest["parts"]][-2:] == ["question", "opening"]
    sent = fake.requests[-1].json()["messages"]
    assert [message["role"] for message in sent[-3:]] == ["user", "assistant", "user"]
    assert sent[-2]["content"] == "one, "


async def test_a_wish_is_told_to_the_model_and_not_shown(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(reply("openai", answer("openai", PIECES))) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        events = await everything(client_of(a_user), asking("why?", model_id=model_id, wish="In one word."))

    assert fake.requests[-1].json()["messages"][-1] == {"role": "user", "content": "why?\n\nIn one word."}
    async with database.reading() as session:
        page = await read_messages(session, a_user, ChatId(started(events).chat_id))
        explained = await explain_answer(session, a_user, MessageId(started(events).answer_id))
    assert page.items[0].text == "why?"
    assert [(part.origin, part.texts) for part in explained.parts[1:]] == [
        ("question", (("user", "why?"),)),
        ("wish", (("user", "In one word."),)),
    ]


async def test_merged_answers_are_sent_with_the_question(
    api: RunningApi, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    replies = [reply("openai", answer("openai", [text])) for text in ("Use one.", "Use two.", "Use both.")]
    async with FakeProvider(replies) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        client = client_of(a_user)
        first = started(await everything(client, asking("which?", model_id=model_id)))
        again = {"text": "", "chat_id": first.chat_id, "regenerate_of": first.answer_id, "model_id": model_id}
        second = started(await everything(client, asking(**again, is_beside=True)))
        events = await everything(client, asking(**again, merge_of=(first.answer_id, second.answer_id)))

    assert text_of(events) == "Use both."
    asked = fake.requests[-1].json()["messages"][-1]["content"]
    assert asked.startswith("which?")
    assert asked.endswith("<answer>\nUse one.\n</answer>\n\n<answer>\nUse two.\n</answer>")


async def test_an_answer_is_asked_for_again_without_a_part_of_what_was_seen(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(reply("openai", answer("openai", PIECES))) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        client = client_of(a_user)
        first = started(await everything(client, asking("one", model_id=model_id)))
        second = started(await everything(client, asking("two", chat_id=first.chat_id, model_id=model_id)))
        replay = {"text": "", "chat_id": first.chat_id, "regenerate_of": second.answer_id, "model_id": model_id}
        events = await everything(client, asking(**replay, without={"instructions", "history"}))

    assert fake.requests[-1].json()["messages"] == [{"role": "user", "content": "two"}]
    async with database.reading() as session:
        explained = await explain_answer(session, a_user, MessageId(started(events).answer_id))
    assert explained.left_out == ("history", "instructions")


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_the_request_is_told_as_it_was_sent_without_its_key(
    api: RunningApi, client_of: ClientOf, a_user: Actor, an_admin: Actor, add_model: AddModel, protocol: str
) -> None:
    async with FakeProvider(reply(protocol, answer(protocol, PIECES))) as fake:
        model_id = await add_model(fake.base_url(protocol), "fake", protocol)
        told = {}
        for actor in (a_user, an_admin):
            client = client_of(actor)
            first = started(await everything(client, asking("one", model_id=model_id, temperature=0.5)))
            more = asking("two", chat_id=first.chat_id, model_id=model_id, temperature=0.5, max_tokens=99)
            told[actor.role] = await client.sent_request(started(await everything(client, more)).run_id)
            assert told[actor.role].body == fake.requests[-1].json()

    assert told[Role.ADMIN].url.endswith(fake.requests[-1].path)
    assert told[Role.ADMIN].url.startswith("http://127.0.0.1")
    assert told[Role.USER].url.startswith("$PROVIDER_URL")
    assert any("$API_KEY" in value for value in told[Role.USER].headers.values())


async def test_how_an_answer_came_about_is_its_owners_to_know(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, another_user: Actor
) -> None:
    first = started(await everything(client_of(a_user), asking("What is 2 + 2?")))

    async with database.reading() as session:
        explained = await explain_answer(session, a_user, MessageId(first.answer_id))
        with pytest.raises(LLMUIError, match="Nothing is known"):
            await explain_answer(session, another_user, MessageId(first.answer_id))

    assert explained.provider_name == "Demo"
    assert Stretch.CONNECTING not in {timing.stretch for timing in explained.timings}, "the demo is no server"
    assert explained.window > 0


async def test_it_is_told_where_the_time_of_an_answer_went(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(reply("openai", answer("openai", PIECES), first_delay_s=0.2)) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        events = await everything(client_of(a_user), asking(model_id=model_id))
    async with database.reading() as session:
        explained = await explain_answer(session, a_user, MessageId(started(events).answer_id))

    end = events[-1].event
    assert isinstance(end, CompleteEvent)
    assert [timing.stretch for timing in explained.timings] == [
        stretch for stretch in Stretch if stretch not in (Stretch.RETRIEVAL, Stretch.TOOLS, Stretch.TRIED)
    ]
    took = {timing.stretch: timing.ms for timing in explained.timings}
    assert sum(took.values()) == pytest.approx(end.metrics.total_ms, abs=1)
    assert took[Stretch.CONNECTING] == end.metrics.connect_ms
    assert 0 < took[Stretch.CONNECTING] < 200 <= took[Stretch.FIRST_TOKEN]


async def test_a_second_question_waits_for_the_first_answer(
    api: RunningApi, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(numbered_words({"pieces": 500, "delay_ms": 10})) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        client = client_of(a_user)
        stream = client.chat_stream(asking(model_id=model_id))
        first = (await anext(stream)).event
        assert isinstance(first, StartEvent)

        with pytest.raises(LLMUIError, match="still being written"):
            await everything(client, asking("me too", chat_id=first.chat_id, model_id=model_id))
        await client.stop(first.run_id)
        await stream.aclose()


async def test_what_is_somebody_elses_does_not_exist(
    api: RunningApi, database_config: Config, client_of: ClientOf, a_user: Actor, another_user: Actor
) -> None:
    theirs = started(await everything(client_of(a_user), asking("What is 2 + 2?")))
    client = client_of(another_user)

    with pytest.raises(LLMUIError, match="not yours") as refused:
        await everything(client, asking("mine now", chat_id=theirs.chat_id))

    assert refused.value.code == "not_found"
    async with httpx2.AsyncClient(base_url=database_config.llm_api_url, trust_env=False) as http:
        for method, path in (("GET", ""), ("GET", "/events"), ("POST", "/stop")):
            response = await http.request(method, f"/v1/runs/{theirs.run_id}{path}", headers=client.headers())
            assert response.status_code == 404, path


async def test_strangers_are_refused(api: RunningApi, database_config: Config) -> None:
    async with httpx2.AsyncClient(base_url=database_config.llm_api_url, trust_env=False) as http:
        for headers in (
            {},
            {"Authorization": "Bearer x"},
            {"Authorization": "Bearer x.y"},
            {"Authorization": "Basic x"},
        ):
            response = await http.get("/v1/models/offered", headers=headers)
            assert response.status_code == 401
            assert response.json()["error"]["code"] == "not_signed_in"


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "invalid_input"), (" \n\t ", "invalid_input"), ("\x00", "invalid_input"), ("x" * 2_000_001, "too_large")],
)
async def test_bad_questions_are_refused_and_store_nothing(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, text: str, code: str
) -> None:
    with pytest.raises(LLMUIError) as refused:
        await everything(client_of(a_user), ChatRequest(idempotency_key="bad-question", text=text))

    assert refused.value.code == code
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(ChatMessage)) == 0


async def test_a_megabyte_works_where_the_window_allows_and_is_refused_with_sizes_where_not(
    api: RunningApi, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    text = "All work and no play makes Jack a dull boy. " * 22_000

    events = await everything(client_of(a_user), asking(text))

    assert isinstance(events[-1].event, CompleteEvent)
    small = await add_model("http://127.0.0.1:9/v1", "small")
    with pytest.raises(LLMUIError, match="tokens") as refused:
        await everything(client_of(a_user), asking(text, model_id=small))
    assert refused.value.code == "context_too_long"


async def test_nul_and_lone_surrogates_are_mended(
    api: RunningApi, database: Database, database_config: Config, client_of: ClientOf, a_user: Actor
) -> None:
    body = b'{"idempotency_key": "surrogate-1", "text": "a\\u0000b \\ud800 c \\ud83d\\ude00"}'
    async with httpx2.AsyncClient(base_url=database_config.llm_api_url, trust_env=False, timeout=20) as http:
        response = await http.post(
            "/v1/chat", content=body, headers={**client_of(a_user).headers(), "Content-Type": "application/json"}
        )

    assert response.status_code == 200, response.text
    async with database.reading() as session:
        stored = await session.get_one(ChatMessage, MessageId(UUID(response.json()["question_id"])))
    assert stored.text == "ab \ufffd c 😀"


async def test_a_dead_provider_fails_the_run_and_keeps_the_question(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    model_id = await add_model("http://127.0.0.1:9/v1", "gone")

    events = await everything(client_of(a_user), asking(model_id=model_id))

    end = events[-1].event
    assert isinstance(end, ErrorEvent)
    assert (end.status, end.error.code) == ("failed", "connection_refused")
    async with database.reading() as session:
        page = await read_messages(session, a_user, ChatId(started(events).chat_id))
    assert [message.status for message in page.items] == ["complete", "failed"]


async def test_a_cut_answer_is_interrupted_and_kept(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    chunks = answer("openai", PIECES)[:3]
    async with FakeProvider(reply("openai", chunks, end="reset", delay_s=0.05)) as fake:
        model_id = await add_model(fake.base_url("openai"), "cut")
        events = await everything(client_of(a_user), asking(model_id=model_id))
        assert len(fake.requests) == 1, "nothing is asked twice once text was shown"

    end = events[-1].event
    assert isinstance(end, ErrorEvent)
    assert end.status == "interrupted"
    async with database.reading() as session:
        stored = await session.get_one(ChatMessage, MessageId(started(events).answer_id))
    assert (stored.text, stored.status) == ("Hello wörld ", "interrupted")


async def test_a_refused_key_is_marked_and_its_details_are_for_administrators(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, an_admin: Actor, add_model: AddModel
) -> None:
    message = b"Incorrect API key provided: sk-test-key-of-some-length"
    body = b'{"error": {"message": "' + message + b'", "type": "invalid_request_error"}}'
    async with FakeProvider(Reply([body], status=401, headers={"Content-Type": "application/json"})) as fake:
        model_id = await add_model(fake.base_url("openai"), "locked")
        users_events = await everything(client_of(a_user), asking(model_id=model_id))
        admins_events = await everything(client_of(an_admin), asking(model_id=model_id))

    told = [events[-1].event for events in (users_events, admins_events)]
    assert all(isinstance(event, ErrorEvent) and event.error.code == "key_refused" for event in told)
    assert "Incorrect" not in str(told[0])
    assert "Incorrect" in str(told[1])
    assert "sk-test" not in str(told)


async def test_a_deleted_chat_cuts_its_answer(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(numbered_words({"pieces": 2_000, "delay_ms": 10})) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        stream = client_of(a_user).chat_stream(asking(model_id=model_id))
        first = (await anext(stream)).event
        assert isinstance(first, StartEvent)

        async with database.writing() as session:
            await chats.delete(session, a_user, ChatId(first.chat_id))
        rest = [numbered async for numbered in stream]

    assert isinstance(rest[-1].event, CompleteEvent)
    assert rest[-1].event.status == "stopped"
    assert fake.open_connections == 0


async def test_a_disabled_account_gets_no_more_bytes(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(numbered_words({"pieces": 2_000, "delay_ms": 10})) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        stream = client_of(a_user).chat_stream(asking(model_id=model_id))
        await anext(stream)

        async with database.writing() as session:
            await users.set_active(session, SYSTEM, a_user.user_id, is_active=False)
        async with asyncio.timeout(5):
            rest = [numbered async for numbered in stream]

    assert isinstance(rest[-1].event, CompleteEvent)
    assert rest[-1].event.status == "stopped"


async def test_a_process_that_lost_its_lease_writes_nothing_more(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(numbered_words({"pieces": 2_000, "delay_ms": 10})) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        stream = client_of(a_user).chat_stream(asking(model_id=model_id))
        first = (await anext(stream)).event
        assert isinstance(first, StartEvent)

        async with database.writing() as session:
            run = await session.get_one(Run, RunId(first.run_id))
            run.lease_owner = "another"
            answer_row = await session.get_one(ChatMessage, MessageId(first.answer_id))
            answer_row.text = "the other's text"
        async with asyncio.timeout(5):
            async for _ in stream:
                pass

    async with database.reading() as session:
        stored = await session.get_one(ChatMessage, MessageId(first.answer_id))
    assert stored.text == "the other's text"


async def test_the_sweep_ends_runs_whose_process_is_gone(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor
) -> None:
    first = started(await everything(client_of(a_user), asking("What is 2 + 2?")))
    async with database.writing() as session:
        run = await session.get_one(Run, RunId(first.run_id))
        run.status, run.finished_at = RunStatus.RUNNING, None
        run.heartbeat_at -= 2 * store.STALE_AFTER
        booked = await session.get_one(UsageLog, RunId(first.run_id))
        await session.delete(booked)

    while await sweep(database) == 0:
        async with database.reading() as session:
            if (await session.get_one(Run, RunId(first.run_id))).status is RunStatus.INTERRUPTED:
                break

    async with database.reading() as session:
        swept = await session.get_one(Run, RunId(first.run_id))
        message = await session.get_one(ChatMessage, MessageId(first.answer_id))
        assert await session.get(UsageLog, RunId(first.run_id)) is not None
    assert (swept.status, message.status) == ("interrupted", "interrupted")


async def test_stopping_the_api_interrupts_what_does_not_end_in_time(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(numbered_words({"pieces": 5_000, "delay_ms": 10})) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        stream = client_of(a_user).chat_stream(asking(model_id=model_id))
        first = (await anext(stream)).event
        assert isinstance(first, StartEvent)

        await api.stop()
        await stream.aclose()
    await api.start()

    async with database.reading() as session:
        run = await session.get_one(Run, RunId(first.run_id))
    assert run.status is RunStatus.INTERRUPTED


async def test_many_streams_hold_no_database_connection(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(numbered_words({"pieces": 40, "delay_ms": 20})) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        client = client_of(a_user)

        found = await asyncio.gather(
            *(everything(client, asking(f"question {number}", model_id=model_id)) for number in range(MANY))
        )

    assert all(text_of(events).endswith("w39 ") for events in found)
