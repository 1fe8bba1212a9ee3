"""Runs through the LLM API: followed by many, stopped from elsewhere, ended by what happens around them."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import httpx2
import pytest
from sqlalchemy import func, select

from llm_ui import db
from llm_ui.config import Config
from llm_ui.contract import (
    ChatAnswer,
    ChatRequest,
    CompleteEvent,
    ErrorEvent,
    MetricsEvent,
    RunEvent,
    RunView,
    TitleEvent,
    TokenEvent,
)
from llm_ui.db import Database
from llm_ui.errors import Conflict, DatabaseBusy, InvalidInput, NotFound, Unavailable
from llm_ui.kit.ids import ChatId, MessageId, RunId, uuid7
from llm_ui.llm_client import Numbered
from llm_ui.models import ChatMessage, MessageRole, MessageStatus, Run, RunStatus, UsageLog
from llm_ui.runs import keeper, store, sweep
from llm_ui.services import ai_models, chats
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.messages import read_messages
from llm_ui.services.sign_in import revoke_all
from tests.api.conftest import AddModel, RunningApi
from tests.api.test_answers import ClientOf, asking, everything, started, text_of
from tests.fakes.provider import FakeProvider, Received, Reply, answer, numbered_words, reply

SLOW = {"pieces": 400, "delay_ms": 10}
"""An answer of four seconds or more."""
Stream = AsyncIterator[Numbered]
on_sqlite = pytest.mark.parametrize("database_config", ["sqlite"], indirect=True)
"""For what does not depend on the kind of database."""


async def until(events: Stream, holds: Callable[[RunEvent], bool]) -> list[Numbered]:
    """Take events up to the first one for which this holds."""
    found = []
    async for numbered in events:
        found.append(numbered)
        if holds(numbered.event):
            return found
    raise AssertionError(f"never came; the last was {found[-1]}")


def is_piece(index: int) -> Callable[[RunEvent], bool]:
    return lambda event: isinstance(event, TokenEvent) and event.index >= index


async def status_of(database: Database, run_id: object) -> RunStatus:
    async with database.reading() as session:
        return (await session.get_one(Run, run_id)).status


@on_sqlite
async def test_two_followers_see_the_same(
    api: RunningApi, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(numbered_words({"pieces": 60, "delay_ms": 5})) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        client = client_of(a_user)
        first = client.chat_stream(asking(model_id=model_id))
        begun = await until(first, is_piece(5))

        second = asyncio.create_task(rest_of(client.follow(started(begun).run_id)))
        mine = [*begun, *await rest_of(first)]

    assert await second == mine
    assert text_of(mine) == "".join(f"w{number} " for number in range(60))


async def rest_of(events: Stream) -> list[Numbered]:
    return [numbered async for numbered in events]


@on_sqlite
async def test_a_run_goes_on_when_who_asked_goes_away(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(numbered_words({"pieces": 60, "delay_ms": 5})) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        client = client_of(a_user)
        stream = client.chat_stream(asking(model_id=model_id))
        begun = await until(stream, is_piece(3))
        await stream.aclose()

        later = await rest_of(client.follow(started(begun).run_id, begun[-1].id))

    assert text_of([*begun, *later]) == "".join(f"w{number} " for number in range(60))
    async with database.reading() as session:
        stored = await session.get_one(ChatMessage, MessageId(started(begun).answer_id))
        booked = await session.get_one(UsageLog, RunId(started(begun).run_id))
    assert (stored.status, stored.text) == (MessageStatus.COMPLETE, text_of([*begun, *later]))
    assert (booked.output_tokens, booked.status) == (60, RunStatus.COMPLETED)


async def test_signing_out_lets_the_answer_finish(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(numbered_words({"pieces": 150, "delay_ms": 10})) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        stream = client_of(a_user).chat_stream(asking(model_id=model_id))
        begun = await until(stream, is_piece(3))

        async with database.writing() as session:
            await revoke_all(session, a_user.user_id, "signed out")
        rest = await rest_of(stream)

    end = rest[-1].event
    assert isinstance(end, CompleteEvent)
    assert (end.status, text_of([*begun, *rest])[-5:]) == ("completed", "w149 ")


async def test_a_stop_asked_of_another_process_ends_the_run(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(numbered_words(SLOW)) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        stream = client_of(a_user).chat_stream(asking(model_id=model_id))
        begun = await until(stream, is_piece(3))

        async with database.writing() as session:
            await store.request_stop(session, RunId(started(begun).run_id))
        async with asyncio.timeout(3):
            rest = await rest_of(stream)

    end = rest[-1].event
    assert isinstance(end, CompleteEvent)
    assert end.status == "stopped"


@on_sqlite
async def test_stop_works_while_the_provider_has_not_begun(
    api: RunningApi, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(reply("openai", answer("openai", ["too late"]), first_delay_s=30)) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        client = client_of(a_user)
        stream = client.chat_stream(asking(model_id=model_id))
        begun = await until(stream, lambda event: isinstance(event, TitleEvent))
        while not fake.requests:
            await asyncio.sleep(0.01)

        await client.stop(started(begun).run_id)
        async with asyncio.timeout(1):
            rest = await rest_of(stream)
            while fake.open_connections:
                await asyncio.sleep(0.01)

    assert isinstance(rest[-1].event, CompleteEvent)
    assert rest[-1].event.status == "stopped"


@on_sqlite
async def test_a_run_can_be_looked_at_and_stopping_it_later_changes_nothing(
    api: RunningApi, database_config: Config, client_of: ClientOf, a_user: Actor
) -> None:
    client = client_of(a_user)
    events = await everything(client, asking("What is 2 + 2?"))
    run_id = started(events).run_id

    await client.stop(run_id)

    async with httpx2.AsyncClient(base_url=database_config.llm_api_url, trust_env=False) as http:
        response = await http.get(f"/v1/runs/{run_id}", headers=client.headers())
    view = RunView.model_validate_json(response.content)
    assert (view.status, view.last_event) == ("completed", events[-1].id)


async def test_chat_waits_and_answers_whole(
    api: RunningApi, database_config: Config, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(reply("openai", answer("openai", ["Hello ", "world"], reasoning=["hm"]))) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        body = asking(model_id=model_id).model_dump(mode="json", exclude_none=True)
        async with httpx2.AsyncClient(base_url=database_config.llm_api_url, trust_env=False) as http:
            headers = client_of(a_user).headers()
            found, again = [
                ChatAnswer.model_validate_json((await http.post("/v1/chat", json=body, headers=headers)).content)
                for _ in range(2)
            ]
        assert len(fake.requests) == 1

    assert (found.text, found.reasoning, found.status, found.finish_reason) == (
        "Hello world",
        "hm",
        "completed",
        "stop",
    )
    assert (found.usage.input_tokens, found.usage.output_tokens, found.usage.source) == (7, 3, "provider")
    assert found.metrics.attempts == 1
    assert again == found


@on_sqlite
async def test_chat_answers_an_error_as_an_answer(
    api: RunningApi, database_config: Config, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    model_id = await add_model("http://127.0.0.1:9/v1", "gone")
    body = asking(model_id=model_id).model_dump(mode="json", exclude_none=True)
    async with httpx2.AsyncClient(base_url=database_config.llm_api_url, trust_env=False) as http:
        response = await http.post("/v1/chat", json=body, headers=client_of(a_user).headers(), timeout=30)

    found = ChatAnswer.model_validate_json(response.content)
    assert (found.status, found.text) == ("failed", "")
    assert found.error is not None
    assert found.error.code == "connection_refused"
    assert found.error.message.endswith("the port is right.")


@on_sqlite
async def test_a_new_chat_gets_a_title_at_once(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor
) -> None:
    question = "## How   many words\nare in this question that goes on and on and on for longer than any title?"

    events = await everything(client_of(a_user), asking(question, idempotency_key="a-question"))

    assert isinstance(events[1].event, TitleEvent)
    assert events[1].event.title == "How many words"
    async with database.reading() as session:
        chat = await chats.open_chat(session, a_user, ChatId(started(events).chat_id))
    assert chat.title == "How many words"


async def test_changing_the_model_leaves_a_note(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    def respond(request: Received) -> Reply:
        return reply("openai", answer("openai", [str(len(request.json()["messages"]))]))

    async with FakeProvider(respond) as fake:
        one, two = [await add_model(fake.base_url("openai"), name) for name in ("one", "two")]
        client = client_of(a_user)
        first = started(await everything(client, asking("a", model_id=one)))
        await everything(client, asking("b", model_id=one, chat_id=first.chat_id))
        last = await everything(client, asking("c", model_id=two, chat_id=first.chat_id))

    async with database.reading() as session:
        page = await read_messages(session, a_user, ChatId(first.chat_id))
    notes = [message.text for message in page.items if message.role is MessageRole.NOTE]
    assert notes == ["Model changed from one to two."]
    assert [message.role for message in page.items][-3:] == ["note", "user", "assistant"]
    assert text_of(last) == "6", "instructions, two questions with answers and the new one; no note"


@on_sqlite
async def test_a_chat_goes_on_with_its_own_model(
    api: RunningApi, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(reply("openai", answer("openai", ["x"]))) as fake:
        model_id = await add_model(fake.base_url("openai"), "mine")
        client = client_of(a_user)
        first = started(await everything(client, asking("a", model_id=model_id)))

        second = started(await everything(client, asking("b", chat_id=first.chat_id)))

    assert second.model_name == "mine"


async def test_of_two_questions_at_once_one_is_answered(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor
) -> None:
    client = client_of(a_user)
    first = started(await everything(client, asking("What is 2 + 2?")))
    requests = [asking("hello", chat_id=first.chat_id, idempotency_key=f"at-once-{n}") for n in range(8)]

    found = await asyncio.gather(*(everything(client, one) for one in requests), return_exceptions=True)

    assert sum(isinstance(one, list) for one in found) >= 1
    assert all(isinstance(one, list | Conflict) for one in found), found
    assert any(isinstance(one, Conflict) for one in found)


async def test_a_key_sent_again_at_once_in_an_old_chat_gives_its_run(
    api: RunningApi, client_of: ClientOf, a_user: Actor
) -> None:
    client = client_of(a_user)
    first = started(await everything(client, asking("What is 2 + 2?")))
    request = asking("hello", chat_id=first.chat_id)

    found = await asyncio.gather(*(everything(client, request) for _ in range(20)))

    assert len({started(events).run_id for events in found}) == 1


@on_sqlite
async def test_keys_of_different_people_do_not_meet(
    api: RunningApi, client_of: ClientOf, a_user: Actor, another_user: Actor
) -> None:
    request = asking("What is 2 + 2?")

    mine, theirs = [started(await everything(client_of(one), request)) for one in (a_user, another_user)]

    assert mine.run_id != theirs.run_id


async def test_what_a_question_names_must_be_there(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    client = client_of(a_user)
    off = await add_model("http://127.0.0.1:9/v1", "off")
    async with database.writing() as session:
        await ai_models.set_model_enabled(session, SYSTEM, off, is_enabled=False)

    for fields, kind, words in (
        ({"model_id": uuid7()}, NotFound, "Pick another"),
        ({"model_id": off}, InvalidInput, "switched off"),
        ({"chat_id": uuid7()}, NotFound, "Pick one"),
        ({"system_prompt_id": uuid7()}, NotFound, "instructions"),
        ({"regenerate_of": uuid7()}, InvalidInput, "name its chat"),
    ):
        with pytest.raises(kind, match=words):
            await everything(client, asking("hello", **fields))
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(ChatMessage)) == 0


@on_sqlite
async def test_an_answer_that_streams_cannot_be_made_again(
    api: RunningApi, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(numbered_words({"pieces": 150, "delay_ms": 10})) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        client = client_of(a_user)
        stream = client.chat_stream(asking(model_id=model_id))
        first = started(await until(stream, is_piece(1)))
        again = ChatRequest(idempotency_key="once-more", chat_id=first.chat_id, regenerate_of=first.answer_id)

        with pytest.raises(Conflict, match="Stop it or wait"):
            await everything(client, again)
        await client.stop(first.run_id)
        await rest_of(stream)

        stopped = await everything(client, again.model_copy(update={"model_id": None}))
        await stream.aclose()

    assert started(stopped).question_id == first.question_id


@on_sqlite
async def test_only_an_answer_of_the_chat_can_be_made_again(
    api: RunningApi, client_of: ClientOf, a_user: Actor
) -> None:
    client = client_of(a_user)
    mine, other = [started(await everything(client, asking(text))) for text in ("2 + 2?", "3 + 3?")]

    for wrong in (other.answer_id, mine.question_id, uuid7()):
        request = ChatRequest(idempotency_key=uuid7().hex, chat_id=mine.chat_id, regenerate_of=wrong)
        with pytest.raises(NotFound, match="Reload"):
            await everything(client, request)


async def test_what_no_database_holds_is_mended_in_answers_too(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    pieces = ["a\0b ", "\ud83d", "\ude00", " \ud800.", "\0"]
    async with FakeProvider(reply("openai", answer("openai", pieces, reasoning=["\0h\udc00m"]))) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        events = await everything(client_of(a_user), asking(model_id=model_id))

    assert isinstance(events[-1].event, CompleteEvent)
    assert text_of(events) == "ab 😀 \ufffd."
    async with database.reading() as session:
        stored = await session.get_one(ChatMessage, MessageId(started(events).answer_id))
    assert (stored.text, stored.reasoning) == (text_of(events), "h\ufffdm")


@on_sqlite
async def test_an_answer_without_text_is_complete_and_says_so(
    api: RunningApi, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(reply("openai", answer("openai", []))) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        events = await everything(client_of(a_user), asking(model_id=model_id))

    end = events[-1].event
    assert isinstance(end, CompleteEvent)
    assert (end.status, end.finish_reason) == ("completed", "empty")


@on_sqlite
async def test_figures_come_while_the_answer_is_written(
    api: RunningApi, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(numbered_words({"pieces": 130, "delay_ms": 10})) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        events = await everything(client_of(a_user), asking(model_id=model_id))

    figures = [numbered.event for numbered in events if isinstance(numbered.event, MetricsEvent)]
    end = events[-1].event
    assert isinstance(end, CompleteEvent)
    assert figures
    assert end.metrics.total_ms is not None
    assert len(figures) <= 2 * end.metrics.total_ms / 1000 + 1
    assert all(figure.metrics.ttft_ms == end.metrics.ttft_ms for figure in figures)
    assert end.metrics.tokens_per_second is not None


async def test_text_is_written_down_while_it_comes(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(numbered_words(SLOW)) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        client = client_of(a_user)
        stream = client.chat_stream(asking(model_id=model_id))
        begun = await until(stream, lambda event: isinstance(event, MetricsEvent))
        # The checkpoint that goes with these figures.
        stored = ""
        async with asyncio.timeout(1):
            while not stored:
                async with database.reading() as session:
                    row = await session.get_one(ChatMessage, MessageId(started(begun).answer_id))
                    stored = row.text
        await client.stop(started(begun).run_id)
        await rest_of(stream)

    assert text_of(begun).startswith(stored[:20])
    assert row.status is MessageStatus.STREAMING


@on_sqlite
async def test_draining_lets_answers_end_and_takes_no_new_questions(
    database_config: Config, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    api = RunningApi(database_config)
    await api.start()
    async with FakeProvider(numbered_words({"pieces": 60, "delay_ms": 10})) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        client = client_of(a_user)
        stream = client.chat_stream(asking(model_id=model_id))
        begun = await until(stream, is_piece(3))

        stopping = asyncio.create_task(api.stop())
        async with httpx2.AsyncClient(trust_env=False) as http:
            while (await http.get(f"{database_config.llm_api_url}/readyz")).status_code == 200:
                await asyncio.sleep(0.01)
        with pytest.raises(Unavailable, match="restarting"):
            await everything(client, asking("one more", model_id=model_id))
        rest = await rest_of(stream)
        await stopping

    assert isinstance(rest[-1].event, CompleteEvent)
    assert text_of([*begun, *rest]).endswith("w59 ")
    assert await status_of(database, started(begun).run_id) is RunStatus.COMPLETED


@on_sqlite
async def test_a_task_of_ours_that_crashes_ends_the_run_and_says_so(
    api: RunningApi,
    database: Database,
    client_of: ClientOf,
    a_user: Actor,
    add_model: AddModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def broken(*_arguments: object, **_fields: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(store, "beat", broken)
    async with FakeProvider(numbered_words(SLOW)) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        events = await everything(client_of(a_user), asking(model_id=model_id))

    end = events[-1].event
    assert isinstance(end, ErrorEvent)
    assert (end.status, end.error.code) == ("interrupted", "internal")
    assert "a bug" not in end.error.message
    assert end.error.request_id in end.error.message
    assert await status_of(database, started(events).run_id) is RunStatus.INTERRUPTED
    assert len(text_of(events)) > 0


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a locked database for tenths of a second, not for seconds."""
    monkeypatch.setattr(db, "SQLITE_BUSY_TIMEOUT_MS", 50)
    monkeypatch.setattr(keeper, "CHECKPOINT_S", 0.05)
    monkeypatch.setattr(store, "STALE_AFTER", 0.2 * store.STALE_AFTER / store.STALE_AFTER.total_seconds())
    monkeypatch.setattr(sweep, "EVERY_S", 0.02)


@on_sqlite
async def test_a_locked_database_delays_the_end_and_loses_nothing(
    impatient: None, api: RunningApi, database_config: Config, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(numbered_words({"pieces": 100, "delay_ms": 10})) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        stream = client_of(a_user).chat_stream(asking(model_id=model_id))
        begun = await until(stream, is_piece(20))
        async with locked(database_config):
            begun += await until(stream, is_piece(99))
            # Longer than a heartbeat may be late: the sweep must not take a living run for a dead one.
            await asyncio.sleep(0.5)
        rest = await rest_of(stream)

    assert isinstance(rest[-1].event, CompleteEvent)
    assert rest[-1].event.status == "completed"
    with sqlite3.connect(database_config.folder / "llm-ui.db") as connection:
        (text,) = connection.execute("SELECT text FROM chat_messages WHERE role = 'assistant'").fetchone()
    connection.close()
    assert text == text_of([*begun, *rest])


@on_sqlite
async def test_a_locked_database_is_said_and_nothing_was_sent(
    impatient: None, api: RunningApi, database_config: Config, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(numbered_words(SLOW)) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        async with locked(database_config):
            with pytest.raises(DatabaseBusy, match="nothing was saved"):
                await everything(client_of(a_user), asking(model_id=model_id))
        assert fake.requests == []

    with sqlite3.connect(database_config.folder / "llm-ui.db") as connection:
        (count,) = connection.execute("SELECT count(*) FROM chat_messages").fetchone()
    connection.close()
    assert count == 0


@asynccontextmanager
async def locked(config: Config) -> AsyncIterator[None]:
    """Hold the database's write lock, as another process would."""
    connection = sqlite3.connect(config.folder / "llm-ui.db", isolation_level=None, timeout=0)
    while not connection.in_transaction:
        with suppress(sqlite3.OperationalError):
            connection.execute("BEGIN IMMEDIATE")
        await asyncio.sleep(0.001)
    yield
    connection.execute("ROLLBACK")
    connection.close()
