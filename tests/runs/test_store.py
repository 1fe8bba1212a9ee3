"""What is written of a run, on both databases, and who may write it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import delete, func, select, update

from llm_ui.contract import Metrics, Usage
from llm_ui.db import Database
from llm_ui.kit.clock import now
from llm_ui.models import ChatHistory, ChatMessage, MessageStatus, Run, RunStatus, UsageLog, UsageSource
from llm_ui.providers.base import TextDelta, ToolCall
from llm_ui.runs import store
from llm_ui.runs.ending import STOPPED, Ending
from llm_ui.runs.live_run import LiveRun
from llm_ui.runs.steps import tokens_of
from llm_ui.runs.store import Beat, Final, Pulse, Text, text_of
from llm_ui.runs.sweep import sweep
from llm_ui.runs.tools.base import Given
from llm_ui.services import chats, users
from llm_ui.services.access import SYSTEM, Actor
from tests.runs.conftest import OWNER, Ask

COMPLETED = Ending(RunStatus.COMPLETED, "stop")


def final(ending: Ending = COMPLETED) -> Final:
    return Final(
        ending=ending,
        text=Text("the answer", "a thought", 9),
        usage=Usage(input_tokens=1_000_000, output_tokens=500_000, source="provider"),
        cost_usd=Decimal("2"),
        metrics=Metrics(queue_ms=1.5, ttft_ms=2.5, total_ms=10.0, tokens_per_second=50.0, attempts=2),
        started_at=now(),
        provider_request_id="req-1",
    )


async def beat(database: Database, live: LiveRun, text: Text | None = None, owner: str = OWNER) -> Pulse | None:
    """Return what the heartbeat found; None when the run is not the owner's any more."""
    async with database.writing() as session:
        pulses = await store.beat(session, owner, [Beat(live.turn.run_id, now(), text)])
    return pulses.get(live.turn.run_id)


async def finish(database: Database, live: LiveRun, owner: str = OWNER, ending: Ending = COMPLETED) -> bool:
    async with database.writing() as session:
        return await store.finish(session, live.turn.run_id, owner, final(ending))


async def rows(database: Database, live: LiveRun) -> tuple[Run, ChatMessage]:
    async with database.reading() as session:
        return await session.get_one(Run, live.turn.run_id), await session.get_one(ChatMessage, live.turn.answer_id)


async def age(database: Database, live: LiveRun) -> None:
    """Let the last heartbeat be long ago."""
    async with database.writing() as session:
        silent = update(Run).where(Run.id == live.turn.run_id)
        await session.execute(silent.values(heartbeat_at=now() - store.STALE_AFTER - timedelta(seconds=1)))


async def test_a_turn_is_stored_before_anything_is_asked(ask: Ask, database: Database) -> None:
    run, answer = await rows(database, await ask())

    assert (run.status, run.lease_owner, run.attempts, run.started_at) == (RunStatus.QUEUED, OWNER, 0, None)
    assert (answer.status, answer.text) == (MessageStatus.STREAMING, "")


async def test_a_checkpoint_writes_the_text_and_renews_the_lease(ask: Ask, database: Database) -> None:
    live = await ask()
    await age(database, live)

    pulse = await beat(database, live, Text("half an", "hm", 4))

    run, answer = await rows(database, live)
    assert pulse == Pulse()
    assert (run.status, run.last_event, answer.text, answer.reasoning) == (RunStatus.RUNNING, 4, "half an", "hm")
    assert run.started_at is not None
    assert now() - run.heartbeat_at < store.STALE_AFTER


async def test_a_heartbeat_without_news_leaves_the_text(ask: Ask, database: Database) -> None:
    live = await ask()
    await beat(database, live, Text("half an", "", 4))

    await beat(database, live)

    run, answer = await rows(database, live)
    assert (run.last_event, answer.text) == (4, "half an")


async def test_the_end_is_written_and_booked_in_one(ask: Ask, database: Database) -> None:
    live = await ask()

    assert await finish(database, live)

    run, answer = await rows(database, live)
    assert (run.status, run.finish_reason, run.last_event) == (RunStatus.COMPLETED, "stop", 9)
    assert (answer.status, answer.text, answer.reasoning) == (MessageStatus.COMPLETE, "the answer", "a thought")
    async with database.reading() as session:
        booked = await session.get_one(UsageLog, live.turn.run_id)
    assert (booked.input_tokens, booked.output_tokens, booked.cost_usd) == (1_000_000, 500_000, Decimal("2"))
    assert (booked.usage_source, booked.ttft_ms, booked.model_name) == (UsageSource.PROVIDER, 2.5, "Model One")


async def test_one_checkpoint_writes_all_runs_of_a_process_and_no_other(ask: Ask, database: Database) -> None:
    first, silent, ended = await ask("one"), await ask("two"), await ask("three")
    await finish(database, ended)
    for live in (first, silent):
        await age(database, live)

    texts = [(first, Text("half", "", 4)), (silent, None), (ended, Text("late", "", 20))]
    async with database.writing() as session:
        beats = [Beat(live.turn.run_id, None, text) for live, text in texts]
        pulses = await store.beat(session, OWNER, beats)

    assert pulses == {first.turn.run_id: Pulse(), silent.turn.run_id: Pulse()}
    found = [await rows(database, live) for live, _ in texts]
    assert [(run.status, run.last_event, answer.text) for run, answer in found] == [
        (RunStatus.QUEUED, 4, "half"),
        (RunStatus.QUEUED, 0, ""),
        (RunStatus.COMPLETED, 9, "the answer"),
    ]
    assert not await sweep(database)


async def test_an_end_is_never_left_and_booked_once(ask: Ask, database: Database) -> None:
    live = await ask()
    await finish(database, live)

    assert not await finish(database, live, ending=STOPPED)
    assert await beat(database, live, Text("more", "", 10)) is None

    run, answer = await rows(database, live)
    assert (run.status, answer.text) == (RunStatus.COMPLETED, "the answer")
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(UsageLog)) == 1


async def test_who_lost_the_lease_writes_nothing(ask: Ask, database: Database) -> None:
    live = await ask()

    assert await beat(database, live, Text("late", "", 4), owner="another") is None
    assert not await finish(database, live, owner="another")

    run, answer = await rows(database, live)
    assert (run.status, run.last_event, answer.text) == (RunStatus.QUEUED, 0, "")


async def test_a_stop_by_another_process_is_seen_at_the_next_heartbeat(ask: Ask, database: Database) -> None:
    live = await ask()
    async with database.writing() as session:
        await store.request_stop(session, live.turn.run_id)

    assert await beat(database, live) == Pulse(is_stop_asked=True)


async def test_a_stop_after_the_end_changes_nothing(ask: Ask, database: Database) -> None:
    live = await ask()
    await finish(database, live)

    async with database.writing() as session:
        await store.request_stop(session, live.turn.run_id)

    run, _ = await rows(database, live)
    assert run.stop_requested_at is None


async def test_a_run_may_not_go_on_in_a_deleted_chat(ask: Ask, database: Database, a_user: Actor) -> None:
    live = await ask()
    assert await beat(database, live) == Pulse()

    async with database.writing() as session:
        await chats.delete(session, a_user, live.turn.chat_id)

    assert await beat(database, live) == Pulse(is_stop_asked=True, may_go_on=False)


async def test_a_run_may_not_go_on_for_a_disabled_account(ask: Ask, database: Database, a_user: Actor) -> None:
    live = await ask()

    async with database.writing() as session:
        await users.set_active(session, SYSTEM, a_user.user_id, is_active=False)

    assert await beat(database, live) == Pulse(may_go_on=False)


async def test_no_row_comes_back_when_the_chat_is_purged(ask: Ask, database: Database) -> None:
    live = await ask()
    async with database.writing() as session:
        await session.execute(delete(ChatHistory).where(ChatHistory.id == live.turn.chat_id))

    assert await beat(database, live, Text("x", "", 2)) is None
    assert not await finish(database, live)

    async with database.reading() as session:
        for table in (Run, ChatMessage, UsageLog):
            assert await session.scalar(select(func.count()).select_from(table)) == 0


async def test_the_sweep_interrupts_and_books_what_a_dead_process_left(ask: Ask, database: Database) -> None:
    live = await ask()
    await beat(database, live, Text("half an answer", "", 4))
    await age(database, live)

    assert await sweep(database) == 1
    assert await sweep(database) == 0

    run, answer = await rows(database, live)
    assert (run.status, answer.status, answer.text) == ("interrupted", "interrupted", "half an answer")
    async with database.reading() as session:
        booked = await session.get_one(UsageLog, live.turn.run_id)
    assert booked.input_tokens == live.context.input_tokens
    assert (booked.output_tokens, booked.usage_source) == (3, UsageSource.ESTIMATE)
    assert booked.cost_usd == Decimal(booked.input_tokens + 2 * 3) / 1_000_000


async def test_the_sweep_ends_tools_and_counts_every_request_that_was_made(ask: Ask, database: Database) -> None:
    live = await ask()
    live.called(1)
    for number, expression in enumerate(("1 + 1", "2 + 2")):
        live.add_text(TextDelta(f"Step {number}. "))
        step = live.begin_step(ToolCall(f"call_{number}", "calculate", {"expression": expression}))
        if not number:
            live.begin_round([live.end_step(step, Given("1 + 1 = 2"))])
    await beat(database, live, text_of(live, 9))
    await age(database, live)

    assert await sweep(database) == 1

    run, answer = await rows(database, live)
    assert (run.status, answer.text) == ("interrupted", "Step 0. \n\nStep 1. ")
    assert [(step["state"], step["result"]) for step in answer.steps or ()] == [("done", "1 + 1 = 2"), ("stopped", "")]
    async with database.reading() as session:
        booked = await session.get_one(UsageLog, live.turn.run_id)
    assert booked.input_tokens == 2 * live.context.input_tokens + tokens_of(live.steps.all[:1])
    assert booked.output_tokens > 8


async def test_a_process_that_was_frozen_writes_nothing_over_the_sweep(ask: Ask, database: Database) -> None:
    live = await ask()
    await age(database, live)
    await sweep(database)

    assert not await finish(database, live)
    assert await beat(database, live, Text("late", "", 9)) is None


@pytest.mark.parametrize("is_spared", [True, False])
async def test_the_sweep_spares_fresh_runs_and_those_it_is_told_live(
    ask: Ask, database: Database, is_spared: bool
) -> None:
    fresh, silent = await ask(), await ask()
    await age(database, silent)

    assert await sweep(database, [silent.turn.run_id] if is_spared else []) == (0 if is_spared else 1)

    run, _ = await rows(database, fresh)
    assert run.status is RunStatus.QUEUED
