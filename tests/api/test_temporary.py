"""Temporary chats through the LLM API: real HTTP, real databases, a scripted provider."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from llm_ui.contract import CompleteEvent, ErrorEvent, PreviewRequest, Said, TemporaryRequest, TokenEvent
from llm_ui.db import Database
from llm_ui.errors import ContextTooLong, InvalidInput, NotFound
from llm_ui.kit.ids import ModelId
from llm_ui.llm_client import Numbered, UserClient
from llm_ui.models import Base, ChatHistory, ChatMessage, Run, RunStatus, UsageKind, UsageLog, UsagePurpose
from llm_ui.services import memories, users
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.agents import AgentSettings
from tests.api.conftest import AddModel, RunningApi
from tests.api.test_agents import HERON, save
from tests.api.test_answers import everything, started, text_of
from tests.documents.ready import a_document, a_project
from tests.fakes.provider import FakeProvider, answer, numbered_words, reply

ClientOf = Callable[[Actor], UserClient]
SLOW = {"pieces": 2_000, "delay_ms": 10}


def asking(text: str = "hi there", *, model_id: ModelId | None = None, **fields: object) -> TemporaryRequest:
    return TemporaryRequest(**{"idempotency_key": "a-temporary-key", "text": text, "model_id": model_id, **fields})


async def wait_for_booking(database: Database) -> UsageLog:
    """Return what was booked, once it is."""
    while True:
        async with database.reading() as session:
            booked = await session.scalar(select(UsageLog))
        if booked is not None:
            return booked
        await asyncio.sleep(0.02)


async def test_of_a_temporary_chat_only_its_use_is_stored(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(reply("openai", answer("openai", ["All ", "quiet"]))) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        events = await everything(client_of(a_user), asking(model_id=model_id))

    assert text_of(events) == "All quiet"
    assert isinstance(events[-1].event, CompleteEvent)
    async with database.reading() as session:
        for table in (ChatHistory, ChatMessage, Run):
            assert await session.scalar(select(func.count()).select_from(table)) == 0
    booked = await wait_for_booking(database)
    assert (booked.user_id, booked.model_id, booked.status) == (a_user.user_id, model_id, RunStatus.COMPLETED)
    assert (booked.purpose, booked.input_tokens) == (UsagePurpose.ANSWER, 7)


async def test_what_was_said_goes_along_and_what_is_known_of_the_person_does_not(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with database.writing() as session:
        await memories.save(session, a_user, None, "I am a baker in Ulm.")
    earlier = (Said(role="user", text="first"), Said(role="assistant", text="second"), Said(role="user", text=" "))
    async with FakeProvider(reply("openai", answer("openai", ["ok"]))) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        await everything(client_of(a_user), asking("third", model_id=model_id, earlier=earlier))

        (request,) = [one for one in fake.requests if one.method == "POST"]
    body = json.loads(request.body)
    said = [(one["role"], one["content"]) for one in body["messages"] if one["role"] != "system"]
    assert said == [("user", "first"), ("assistant", "second"), ("user", "third")]
    assert "baker" not in request.body.decode()


async def test_an_agent_answers_with_what_it_knows_and_nothing_of_it_is_stored(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, an_admin: Actor, add_model: AddModel
) -> None:
    library = await a_project(database, an_admin, "Library")
    await a_document(database, an_admin, library, [HERON])
    settings = AgentSettings("Birder", "Answer tersely.", temperature=0.2, project_id=library, is_shared=True)
    earlier = (Said(role="user", text="Which bird?"), Said(role="assistant", text="An ouzel.", agent="Poet"))
    async with FakeProvider(reply("openai", answer("openai", ["Two kilograms [1], said zanily."]))) as fake:
        await add_model(fake.base_url("openai"), "other")
        model_id = await add_model(fake.base_url("openai"), "fake")
        agent_id = await save(database, an_admin, replace(settings, model_id=model_id))
        client = client_of(a_user)
        asked = asking("What does a heron weigh, zanily?", agent_id=agent_id, earlier=earlier)
        told = await client.preview(PreviewRequest(is_temporary=True, agent_id=agent_id, text="How heavy is a heron?"))
        events = await everything(client, asked)

        sent = fake.requests[-1].json()
        system = sent["messages"][0]["content"]
        await save(database, an_admin, replace(settings, is_shared=False), agent_id)
        with pytest.raises(NotFound, match="not shared any more"):
            await everything(client, asked.model_copy(update={"idempotency_key": "another-key"}))

    assert (sent["model"], sent["temperature"], told.passage_count) == ("fake", 0.2, 1)
    assert settings.instructions in system
    assert HERON in system
    assert "were written by the agent “Poet”. You answer as the agent “Birder”" in system
    begun = started(events)
    assert (begun.agent_id, begun.agent_name) == (agent_id, "Birder")
    assert [source.text for source in begun.sources or ()] == [HERON]
    booked = await wait_for_booking(database)
    assert (booked.kind, booked.agent_id, booked.model_id) == (UsageKind.TEMPORARY, agent_id, model_id)
    async with database.reading() as session:
        for table in Base.metadata.sorted_tables:
            assert "zanily" not in repr((await session.execute(select(table))).all()), table.name


async def test_what_it_will_be_sent_with_is_known_before(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    await add_model("http://127.0.0.1:9/v1", "fake")
    before = await client_of(a_user).preview(PreviewRequest())
    async with database.writing() as session:
        await memories.save(session, a_user, None, "They bake bread.")

    temporary = await client_of(a_user).preview(PreviewRequest(is_temporary=True))
    kept = await client_of(a_user).preview(PreviewRequest())

    assert temporary.instructions == before.instructions < kept.instructions


async def test_the_oldest_messages_are_left_out_when_not_all_fit(
    api: RunningApi, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    long = "word " * 12_000
    earlier = [Said(role=role, text=f"{number} {long}") for number in range(3) for role in ("user", "assistant")]
    async with FakeProvider(reply("openai", answer("openai", ["ok"]))) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        await everything(client_of(a_user), asking(model_id=model_id, earlier=tuple(earlier)))

        (request,) = [one for one in fake.requests if one.method == "POST"]
    said = [one["content"][:1] for one in json.loads(request.body)["messages"] if one["role"] != "system"]
    assert said == ["2", "2", "h"]


async def test_the_same_key_gives_the_same_answer(
    api: RunningApi, client_of: ClientOf, a_user: Actor, another_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(reply("openai", answer("openai", ["ok"]))) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        client = client_of(a_user)
        request = asking(model_id=model_id)
        at_once = await asyncio.gather(*(everything(client, request) for _ in range(10)))
        afterwards = await everything(client, request)
        of_another = await everything(client_of(another_user), request)

        assert len([one for one in fake.requests if one.method == "POST"]) == 2
    runs = {started(events).run_id for events in (*at_once, afterwards)}
    assert len(runs) == 1
    assert started(of_another).run_id not in runs


async def test_nobody_else_follows_or_stops_it(
    api: RunningApi, client_of: ClientOf, a_user: Actor, another_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(numbered_words(SLOW)) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        client, stranger = client_of(a_user), client_of(another_user)
        events: list[Numbered] = []
        async for numbered in client.chat_stream(asking(model_id=model_id)):
            events.append(numbered)
            if isinstance(numbered.event, TokenEvent) and numbered.event.index == 10:
                run_id = started(events).run_id
                with pytest.raises(NotFound):
                    await stranger.stop(run_id)
                with pytest.raises(NotFound):
                    await anext(stranger.follow(run_id))
                await client.stop(run_id)

    end = events[-1].event
    assert isinstance(end, CompleteEvent)
    assert end.status == "stopped"


async def test_it_ends_with_the_account(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(numbered_words(SLOW)) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        async for numbered in client_of(a_user).chat_stream(asking(model_id=model_id)):
            if isinstance(numbered.event, TokenEvent) and numbered.event.index == 10:
                async with database.writing() as session:
                    await users.set_active(session, SYSTEM, a_user.user_id, is_active=False)
                break
        booked = await asyncio.wait_for(wait_for_booking(database), 10)

    assert booked.status is RunStatus.STOPPED


async def test_what_is_left_when_the_api_stops_is_booked_and_told(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(numbered_words(SLOW)) as fake:
        model_id = await add_model(fake.base_url("openai"), "fake")
        events = []
        stopping: asyncio.Task[None] | None = None
        async for numbered in client_of(a_user).chat_stream(asking(model_id=model_id)):
            events.append(numbered.event)
            if stopping is None and isinstance(numbered.event, TokenEvent):
                stopping = asyncio.create_task(api.stop())
        assert stopping is not None
        await stopping

    assert isinstance(events[-1], ErrorEvent)
    assert (await wait_for_booking(database)).status is RunStatus.INTERRUPTED
    await api.start()


@pytest.mark.parametrize(
    ("text", "refusal"), [("", InvalidInput), (" \n", InvalidInput), ("word " * 60_000, ContextTooLong)]
)
async def test_what_cannot_be_asked_is_refused(
    api: RunningApi, client_of: ClientOf, a_user: Actor, add_model: AddModel, text: str, refusal: type[Exception]
) -> None:
    model_id = await add_model("http://127.0.0.1:9", "fake")

    with pytest.raises(refusal):
        await everything(client_of(a_user), asking(text, model_id=model_id))
