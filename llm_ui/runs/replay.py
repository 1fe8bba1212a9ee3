"""Following a run that this process does not make: from the database, which knows what was written down."""

import asyncio
from collections.abc import AsyncGenerator

from llm_ui.contract import CompleteEvent, ErrorEvent, Metrics, StartEvent, Usage
from llm_ui.db import Database
from llm_ui.kit.ids import RunId
from llm_ui.kit.sse import PING
from llm_ui.models import LIVE_STATUSES, Run
from llm_ui.runs.ends import end_event
from llm_ui.runs.event_log import PING_EVERY_S, EventLog
from llm_ui.runs.live_run import Ending
from llm_ui.services.access import Actor
from llm_ui.services.runs import read_run

POLL_S = 0.3


async def replay(database: Database, actor: Actor, run_id: RunId) -> AsyncGenerator[bytes]:
    """Yield a run's events made from its rows: start, the text from its first character, and its end.

    While another process writes the run, the rows are looked at again and again; new text is passed on.
    """
    events = EventLog()
    told = 0
    position = 0
    quiet_s = 0.0
    while True:
        async with database.reading() as session:
            run, answer = await read_run(session, actor, run_id)
        if not events.last:
            events.append(_start(run))
            if answer.reasoning:
                events.append_raw("reasoning", {"token": answer.reasoning, "offset": 0})
        if len(answer.text) > position:
            events.append_raw("token", {"token": answer.text[position:], "index": events.last, "offset": position})
            position = len(answer.text)
        if run.status not in LIVE_STATUSES:
            events.append(_end(run))
            events.close()
            async for frames in events.follow(told):
                yield frames
            return
        if events.last > told:
            async for frames in _ready(events, told):
                yield frames
            told, quiet_s = events.last, 0.0
        elif quiet_s >= PING_EVERY_S:
            yield PING
            quiet_s = 0.0
        await asyncio.sleep(POLL_S)
        quiet_s += POLL_S


async def _ready(events: EventLog, after: int) -> AsyncGenerator[bytes]:
    """Yield what is there already, without waiting for more."""
    last = events.last
    following = events.follow(after)
    async for frames in following:
        yield frames
        after += frames.count(b"\n\n")
        if after >= last:
            break
    await following.aclose()


def _start(run: Run) -> StartEvent:
    return StartEvent(
        run_id=run.id,
        chat_id=run.chat_id,
        question_id=run.question_id,
        answer_id=run.answer_id,
        model_name=run.model_name,
        provider_name=run.provider_name,
        is_replay=True,
    )


def _end(run: Run) -> CompleteEvent | ErrorEvent:
    ending = Ending(run.status, run.finish_reason or "stop", run.error_code, run.error_message)
    return end_event(
        ending, usage=usage_of(run), cost_usd=run.cost_usd, metrics=metrics_of(run), request_id=run.request_id
    )


def usage_of(run: Run) -> Usage:
    """Return the tokens of an ended run."""
    return Usage(
        input_tokens=run.input_tokens or 0,
        cached_tokens=run.cached_tokens or 0,
        output_tokens=run.output_tokens or 0,
        reasoning_tokens=run.reasoning_tokens or 0,
        source="provider" if run.usage_source == "provider" else "estimate",
    )


def metrics_of(run: Run) -> Metrics:
    """Return the timings of an ended run."""
    return Metrics(
        queue_ms=run.queue_ms,
        ttft_ms=run.ttft_ms,
        total_ms=run.total_ms,
        tokens_per_second=run.tokens_per_second,
        attempts=run.attempts,
    )
