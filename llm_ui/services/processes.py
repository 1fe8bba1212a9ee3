"""How our processes do, as they say themselves; circuits that opened; statements that took long."""

import asyncio
import hashlib
import os
import platform
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select

from llm_ui import __version__
from llm_ui.db import Database, Session, Slow
from llm_ui.errors import LLMUIError
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ProviderId, uuid7
from llm_ui.kit.vitals import Pulse, memory_bytes
from llm_ui.models import ProcessReport, ProviderEvent, SlowStatement
from llm_ui.observability.logging import take_recent
from llm_ui.observability.metrics import LOOP_DELAY
from llm_ui.services import logs

FIRST_S = 2.0
LOOK_S = 5.0
"""Between two looks at the circuits, which stay open for longer."""
REPORT_S = 15.0
GONE_AFTER = timedelta(seconds=60)
"""A process that said nothing for so long is gone."""
KEPT = timedelta(days=1)
"""Reports of processes that are gone."""
EVENTS_KEPT = timedelta(days=30)
MOST_STATEMENTS = 200
FORGET_EVERY = 1_000
"""Lines of the log, after which the old ones are let go of."""


def nothing() -> frozenset[ProviderId]:
    """Return the circuits of a process that has none."""
    return frozenset()


class Reporter:
    """Says how this process does, for as long as it lives."""

    def __init__(
        self,
        database: Database,
        name: str,
        at_work: Callable[[], int] = lambda: 0,
        left_alone: Callable[[], frozenset[ProviderId]] = nothing,
    ) -> None:
        self._id, self._started_at = uuid7(), now()
        self._database, self._name = database, name
        self._at_work, self._left_alone = at_work, left_alone
        self._known: frozenset[ProviderId] = frozenset()
        self._pulse = Pulse(LOOP_DELAY.observe)
        self._logged = FORGET_EVERY

    async def keep(self) -> None:
        """Report until cancelled. What cannot be written now is written the next time."""
        watching = asyncio.create_task(self._pulse.watch())
        try:
            await asyncio.sleep(FIRST_S)
            due = 0.0
            while True:
                with suppress(LLMUIError):
                    await self.note_circuits()
                    await self.note_log()
                    if asyncio.get_running_loop().time() >= due:
                        await self.report()
                        due = asyncio.get_running_loop().time() + REPORT_S
                await asyncio.sleep(LOOK_S)
        finally:
            watching.cancel()
            with suppress(LLMUIError):
                await self.note_log()

    async def report(self) -> None:
        """Write down how it does now."""
        share, delay_ms = self._pulse.read()
        memory = await asyncio.to_thread(memory_bytes)
        async with self._database.writing() as session:
            row = ProcessReport(
                id=self._id, name=self._name, host=platform.node()[:128], pid=os.getpid(), version=__version__,
                started_at=self._started_at, reported_at=now(), memory_bytes=memory, cpu_share=share,
                delay_ms=delay_ms, at_work=self._at_work(),
            )  # fmt: skip
            await session.merge(row)
            await session.execute(delete(ProcessReport).where(ProcessReport.reported_at < now() - KEPT))
            await session.execute(delete(ProviderEvent).where(ProviderEvent.at < now() - EVENTS_KEPT))
        await note_slow(self._database)

    async def note_log(self) -> None:
        """Write down what was logged since the last time; what cannot be written stands on standard error alone."""
        if not (lines := take_recent()):
            return
        self._logged += len(lines)
        async with self._database.writing() as session:
            await logs.add(session, self._name, lines)
            if self._logged >= FORGET_EVERY:
                await logs.forget(session)
                self._logged = 0

    async def note_circuits(self) -> None:
        """Write down which circuits have opened or closed since the last look."""
        found = self._left_alone()
        if found == self._known:
            return
        async with self._database.writing() as session:
            session.add_all(_event(self._id, one, is_open=one in found) for one in found ^ self._known)
        self._known = found


def _event(process_id: UUID, provider_id: ProviderId, *, is_open: bool) -> ProviderEvent:
    return ProviderEvent(provider_id=provider_id, process_id=process_id, is_open=is_open, at=now())


async def note_slow(database: Database) -> None:
    """Write down the statements of this database that took long since the last time."""
    if found := database.slow.take():
        async with database.writing() as session:
            await add_slow(session, found, now())


async def add_slow(session: Session, found: Mapping[str, Slow], at: datetime) -> None:
    """Add to what is known of slow statements; of many the longest ones are kept."""
    for text, slow in found.items():
        key = hashlib.sha256(text.encode()).hexdigest()[:32]
        row = await session.get(SlowStatement, key, with_for_update=True)
        if row is None:
            row = SlowStatement(id=key, text=text, count=0, total_ms=0.0, longest_ms=0.0)
            session.add(row)
        row.count, row.total_ms = row.count + slow.count, row.total_ms + slow.total_ms
        row.longest_ms, row.last_at = max(row.longest_ms, slow.longest_ms), at
    await session.flush()
    kept = select(SlowStatement.id).order_by(SlowStatement.longest_ms.desc()).limit(MOST_STATEMENTS)
    await session.execute(delete(SlowStatement).where(SlowStatement.id.not_in(kept)))
