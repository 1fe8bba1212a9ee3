"""Following a run that another process makes, or made."""

import asyncio

import pytest

from llm_ui.contract import RUN_EVENT, CompleteEvent, ErrorEvent, ReasoningEvent, RunEvent, StartEvent, TokenEvent
from llm_ui.db import Database
from llm_ui.errors import DatabaseBusy, NotFound
from llm_ui.kit.sse import PING
from llm_ui.models import Run, RunStatus
from llm_ui.runs import replay as replaying
from llm_ui.runs.ending import Ending
from llm_ui.runs.replay import replay
from llm_ui.runs.store import Text
from llm_ui.services import runs as run_service
from llm_ui.services.access import Actor
from tests.runs.conftest import Ask
from tests.runs.test_event_log import parsed
from tests.runs.test_store import beat, finish


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "POLL_S", 0.01)


def events_of(frames: bytes) -> list[RunEvent]:
    return [RUN_EVENT.validate_python({"type": kind, **data}) for _, kind, data in parsed(frames)]


async def test_an_ended_run_is_told_whole(ask: Ask, database: Database, a_user: Actor) -> None:
    live = await ask()
    await finish(database, live)

    frames = b"".join([frames async for frames in replay(database, a_user, live.turn.run_id)])

    start, thought, token, end = events_of(frames)
    assert isinstance(start, StartEvent)
    assert start.is_replay
    assert (start.run_id, start.model_name, start.provider_name) == (live.turn.run_id, "Model One", "Acme")
    assert isinstance(thought, ReasoningEvent)
    assert isinstance(token, TokenEvent)
    assert (thought.token, token.token, token.offset, token.index) == ("a thought", "the answer", 0, 0)
    assert isinstance(end, CompleteEvent)
    assert (end.status, end.finish_reason, end.cost_usd, end.usage.source) == ("completed", "stop", "2", "provider")
    assert end.metrics.attempts == 2


async def test_its_numbers_go_on_after_those_of_the_run(ask: Ask, database: Database, a_user: Actor) -> None:
    live = await ask()
    await finish(database, live)

    async def numbers(after: int) -> list[int]:
        told = replay(database, a_user, live.turn.run_id, after)
        return [number for number, _, _ in parsed(b"".join([frames async for frames in told]))]

    assert await numbers(3) == [10, 11, 12, 13]
    assert await numbers(20) == [21, 22, 23, 24]


async def test_a_run_of_another_process_is_followed_to_its_end(ask: Ask, database: Database, a_user: Actor) -> None:
    live = await ask()
    await beat(database, live, Text("the", "a", 4))
    told = replay(database, a_user, live.turn.run_id)

    first = events_of(await anext(told))
    await beat(database, live, Text("the ans", "a th", 6))
    second = events_of(await anext(told))
    await finish(database, live)
    rest = events_of(b"".join([frames async for frames in told]))

    everything = [*first, *second, *rest]
    assert isinstance(everything[0], StartEvent)
    assert isinstance(everything[-1], CompleteEvent)
    for kind, text in ((TokenEvent, "the answer"), (ReasoningEvent, "a thought")):
        pieces = [event for event in everything if isinstance(event, kind)]
        assert "".join(piece.token for piece in pieces) == text
        assert [piece.offset for piece in pieces] == [0, len(pieces[0].token), len(pieces[0].token + pieces[1].token)]


async def test_an_interrupted_run_ends_with_its_sentence(ask: Ask, database: Database, a_user: Actor) -> None:
    live = await ask()
    await finish(database, live, ending=Ending(RunStatus.INTERRUPTED, "", "cut_off", "It broke off. Try again."))

    frames = b"".join([frames async for frames in replay(database, a_user, live.turn.run_id)])

    end = events_of(frames)[-1]
    assert isinstance(end, ErrorEvent)
    assert (end.status, end.error.code, end.error.message) == ("interrupted", "cut_off", "It broke off. Try again.")
    assert end.error.request_id == "request-1"


async def test_silence_is_broken_by_pings(
    ask: Ask, database: Database, a_user: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "PING_EVERY_S", 0.03)
    live = await ask()
    told = replay(database, a_user, live.turn.run_id)
    await anext(told)

    assert await anext(told) == PING
    await told.aclose()


async def test_a_database_that_is_busy_for_a_moment_is_asked_again(
    ask: Ask, database: Database, a_user: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = await ask()
    told = replay(database, a_user, live.turn.run_id)
    await anext(told)
    await finish(database, live)
    failures = [DatabaseBusy(), DatabaseBusy()]

    async def sometimes(*arguments: object) -> object:
        if failures:
            raise failures.pop()
        return await run_service.read_run(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(replaying, "read_run", sometimes)

    assert isinstance(events_of(b"".join([frames async for frames in told]))[-1], CompleteEvent)
    assert not failures


async def test_somebody_elses_run_is_not_told(ask: Ask, database: Database, another_user: Actor) -> None:
    live = await ask()

    told = [frames async for frames in replay(database, another_user, live.turn.run_id)]

    assert told == []
    with pytest.raises(NotFound):
        async with database.reading() as session:
            await run_service.read_run(session, another_user, live.turn.run_id)


async def test_a_run_that_is_deleted_meanwhile_ends_the_stream(ask: Ask, database: Database, a_user: Actor) -> None:
    live = await ask()
    told = replay(database, a_user, live.turn.run_id)
    await anext(told)

    async with database.writing() as session:
        await session.delete(await session.get_one(Run, live.turn.run_id))

    async with asyncio.timeout(5):
        assert [frames async for frames in told] == []
