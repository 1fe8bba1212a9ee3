"""Keeping runs: new text is written down and leases are renewed, for all runs of a process together.

One transaction for all of them: with one each, two hundred answers at once would leave SQLite's only writer no time
for anything else.
"""

import asyncio
from collections.abc import Collection, Mapping

from llm_ui.contract import MetricsEvent
from llm_ui.db import Database
from llm_ui.errors import LLMUIError
from llm_ui.kit.i18n import later
from llm_ui.kit.ids import RunId
from llm_ui.models import RunStatus
from llm_ui.observability.logging import get_logger
from llm_ui.runs import store
from llm_ui.runs.ending import STOPPED, Ending
from llm_ui.runs.ends import crashed
from llm_ui.runs.live_run import LiveRun

log = get_logger(__name__)

CHECKPOINT_S = 0.5
"""How often new text is written down; a killed process loses at most that and the time of one write."""
BEATS_A_HEARTBEAT = 2
"""Without new text the lease is renewed every second one of these, that is every second."""
RUNS_A_WRITE = 100
"""Most runs in one transaction, so that nobody waits long for the lock."""

REPLACED = Ending(
    RunStatus.INTERRUPTED, error_code="lease_lost", error_message=later("Another server took this run over.")
)
GONE = Ending(RunStatus.STOPPED, "stopped")


class Keeper:
    """Writes down what the live runs of one process have, and tells them whether they may go on."""

    def __init__(self, database: Database, owner: str, live: Mapping[RunId, LiveRun]) -> None:
        self._database = database
        self._owner = owner
        self._live = live

    async def keep(self) -> None:
        """Write, twice a second, for as long as there are live runs."""
        beats = 0
        while self._live:
            await asyncio.sleep(CHECKPOINT_S)
            beats += 1
            is_heartbeat = beats % BEATS_A_HEARTBEAT == 0
            streaming = [live for live in self._live.values() if _is_streaming(live)]
            due = [live for live in streaming if live.is_stored and (is_heartbeat or _has_news(live))]
            for first in range(0, len(due), RUNS_A_WRITE):
                await self._write(due[first : first + RUNS_A_WRITE])
            await self._look_after([live for live in streaming if not live.is_stored])

    async def _look_after(self, runs: Collection[LiveRun]) -> None:
        """Tell the figures of runs that are stored nowhere, and end those of people who are gone."""
        for live in runs:
            if _has_news(live):
                _tell_figures(live)
                live.written_at = live.log.last
        if not runs:
            return
        try:
            async with self._database.reading() as session:
                active = await store.active_people(session, {live.actor.user_id for live in runs})
        except LLMUIError as error:
            log.warning("runs.checkpoint_failed", runs=len(runs), code=error.code)
            return
        for live in runs:
            if live.actor.user_id not in active:
                live.end(GONE)

    async def _write(self, runs: Collection[LiveRun]) -> None:
        """Write some runs together; when that cannot be done for a fault of ours, each by itself."""
        try:
            await self._beat(runs)
        except LLMUIError as error:
            # The texts are still here: the next beat tries again.
            log.warning("runs.checkpoint_failed", runs=len(runs), code=error.code)
        except Exception as error:  # noqa: BLE001 - the root of a task: without it every run would lose its lease
            if len(runs) > 1:
                for live in runs:
                    await self._write([live])
                return
            for live in runs:
                live.end(crashed(live, error))

    async def _beat(self, runs: Collection[LiveRun]) -> None:
        beats = [_beat_of(live) for live in runs]
        async with self._database.writing() as session:
            pulses = await store.beat(session, self._owner, beats)
        for live, beat in zip(runs, beats, strict=True):
            if beat.text is not None:
                live.written_at = beat.text.last_event
            pulse = pulses.get(live.turn.run_id)
            if pulse is None:
                live.is_lost = True
                live.end(REPLACED)
            elif pulse.is_stop_asked or not pulse.may_go_on:
                live.end(STOPPED if pulse.is_stop_asked else GONE)


def _is_streaming(live: LiveRun) -> bool:
    return live.ending is None and live.streaming is not None and not live.streaming.done()


def _has_news(live: LiveRun) -> bool:
    return live.log.last > live.written_at and live.rounds.first.first_at is not None


def _tell_figures(live: LiveRun) -> None:
    usage = live.usage(is_final=False)
    live.log.append(MetricsEvent(metrics=live.metrics(usage), usage=usage))


def _beat_of(live: LiveRun) -> store.Beat:
    """Return what is to be written of a run now; its followers are told the figures of this moment."""
    text = None
    if _has_news(live):
        _tell_figures(live)
        text = store.text_of(live, live.log.last)
    return store.Beat(live.turn.run_id, live.started_at, text, live.answered_by())
