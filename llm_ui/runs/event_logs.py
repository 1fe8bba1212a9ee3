"""The events of all runs of this process: those that live, and those that ended a moment ago."""

import asyncio

from llm_ui.kit.ids import RunId
from llm_ui.runs.event_log import EventLog

KEEP_ENDED_S = 60.0
"""How long the events of an ended run stay in memory for those who come late; then the database serves them."""
ENDED_BYTES = 64_000_000
"""What the events of ended runs may take together; past it the oldest go early."""


class EventLogs:
    """Finds the events of a run while they are in memory."""

    def __init__(self) -> None:
        self._live: dict[RunId, EventLog] = {}
        self._ended: dict[RunId, EventLog] = {}
        self._timers: dict[RunId, asyncio.TimerHandle] = {}
        self._ended_bytes = 0

    def find(self, run_id: RunId) -> EventLog | None:
        """Return the events of a run, None when they are not in memory."""
        return self._live.get(run_id) or self._ended.get(run_id)

    def add(self, run_id: RunId, log: EventLog) -> None:
        """Take in the events of a run that begins."""
        self._live[run_id] = log

    def ended(self, run_id: RunId) -> None:
        """Let the followers of a run go, and keep its events for a while."""
        log = self._live.pop(run_id)
        log.close()
        if not log.has_end:
            # Whoever asks again is told by the database, which will know the end.
            return
        self._ended[run_id] = log
        self._ended_bytes += log.size_bytes
        self._timers[run_id] = asyncio.get_running_loop().call_later(KEEP_ENDED_S, self._forget, run_id)
        while self._ended_bytes > ENDED_BYTES:
            self._forget(next(iter(self._ended)))

    def clear(self) -> None:
        """Forget the ended runs."""
        for run_id in list(self._ended):
            self._forget(run_id)

    def _forget(self, run_id: RunId) -> None:
        self._timers.pop(run_id).cancel()
        self._ended_bytes -= self._ended.pop(run_id).size_bytes
