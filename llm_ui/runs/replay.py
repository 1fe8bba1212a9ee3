"""Following a run that this process does not make: from the database, which knows what was written down."""

import asyncio
from collections.abc import AsyncGenerator

from llm_ui.contract import CompleteEvent, ErrorEvent, Metrics, Source, StartEvent, Usage
from llm_ui.db import Database
from llm_ui.errors import NotFound, Unavailable
from llm_ui.kit.ids import RunId
from llm_ui.kit.sse import PING, frame
from llm_ui.models import LIVE_STATUSES, ChatMessage, Run
from llm_ui.observability.logging import get_logger
from llm_ui.runs.ending import Ending
from llm_ui.runs.ends import end_event
from llm_ui.runs.event_log import PING_EVERY_S, wire
from llm_ui.runs.steps import events, steps_of
from llm_ui.services.access import Actor
from llm_ui.services.runs import read_run

log = get_logger(__name__)

POLL_S = 0.3


async def replay(database: Database, actor: Actor, run_id: RunId, after: int = 0) -> AsyncGenerator[bytes]:
    """Yield a run's events made from its rows: start, the text from its first character, and its end.

    While another process writes the run, the rows are looked at again and again; new text is passed on. The numbers
    go on after those the run was written down with, and after `after`: none means two things to one reader.
    """
    told: _Told | None = None
    quiet_s = 0.0
    while True:
        frames = b""
        try:
            async with database.reading() as session:
                run, answer = await read_run(session, actor, run_id)
        except Unavailable as error:
            # The answer goes on without us: so it can be looked at a moment later.
            log.warning("replay.read_failed", run_id=run_id, code=error.code)
        except NotFound:
            # Deleted meanwhile: whoever asks again is told so.
            return
        else:
            told = told or _Told(run, answer, max(run.last_event, after))
            frames = told.news(run, answer)
        if frames:
            yield frames
            quiet_s = 0.0
        elif quiet_s >= PING_EVERY_S:
            yield PING
            quiet_s = 0.0
        if told is not None and told.has_end:
            return
        await asyncio.sleep(POLL_S)
        quiet_s += POLL_S


class _Told:
    """What one reader was told of a run."""

    def __init__(self, run: Run, answer: ChatMessage, base: int) -> None:
        self._number = base
        self._pieces = 0
        self._chars = 0
        self._reasoning_chars = 0
        self._steps: dict[int, str] = {}
        self._frames = [self._frame(*wire(_start(run, answer)))]
        self.has_end = False
        """Whether the run's end was told."""

    def news(self, run: Run, answer: ChatMessage) -> bytes:
        """Return the events for what the rows hold that was not told yet."""
        if piece := answer.reasoning[self._reasoning_chars :]:
            self._frames.append(self._frame("reasoning", {"token": piece, "offset": self._reasoning_chars}))
            self._reasoning_chars += len(piece)
        for step in steps_of(answer):
            if self._steps.get(step.number) != step.state:
                self._tell_text(answer.text[: step.at])
                self._frames += [self._frame(*one) for one in events(step)]
                self._steps[step.number] = step.state
        self._tell_text(answer.text)
        if run.status not in LIVE_STATUSES:
            self._frames.append(self._frame(*wire(_end(run))))
            self.has_end = True
        frames, self._frames = b"".join(self._frames), []
        return frames

    def _tell_text(self, text: str) -> None:
        """Tell what was not told yet of this beginning of the answer."""
        if piece := text[self._chars :]:
            data: dict[str, object] = {"token": piece, "index": self._pieces, "offset": self._chars}
            self._frames.append(self._frame("token", data))
            self._chars += len(piece)
            self._pieces += 1

    def _frame(self, kind: str, data: dict[str, object]) -> bytes:
        self._number += 1
        return frame(self._number, kind, data)


def _start(run: Run, answer: ChatMessage) -> StartEvent:
    cited = answer.citations
    return StartEvent(
        run_id=run.id,
        chat_id=run.chat_id,
        question_id=run.question_id,
        answer_id=run.answer_id,
        model_name=run.model_name,
        provider_name=run.provider_name,
        agent_id=run.agent_id,
        agent_name=run.agent_name,
        auto_name=run.auto_name,
        instead_of=run.instead_of,
        broke_off=run.broke_off,
        limit_note=run.limit_note,
        warned=run.warned,
        is_replay=True,
        sources=None if cited is None else tuple(map(Source.model_validate, cited)),
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
        context_ms=run.context_ms,
        connect_ms=run.connect_ms,
        reasoning_ms=run.reasoning_ms,
        ttft_ms=run.ttft_ms,
        total_ms=run.total_ms,
        tokens_per_second=run.tokens_per_second,
        attempts=run.attempts,
        cached_at=run.cached_at,
        similarity=run.similarity,
        similar_to=run.similar_to,
    )
