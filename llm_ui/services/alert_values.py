"""What alert rules compare with their limits, read from rollups, reports and queues."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from llm_ui.db import ReadSession
from llm_ui.models import (
    AlertKind,
    BackgroundJob,
    Document,
    DocumentStage,
    JobState,
    ProcessReport,
    Run,
    RunStatus,
)
from llm_ui.services import backups, system
from llm_ui.services.access import SYSTEM
from llm_ui.services.usage import figures, overview
from llm_ui.services.usage.slots import Period
from llm_ui.services.usage.statements import ANSWERS, Filters

WINDOW = timedelta(minutes=15)
FEW_CALLS = 5
"""Fewer calls say nothing of how many fail."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When it is looked, and what cannot be read from the database."""

    at: datetime
    disk_free: float
    """The share of the data folder's disk."""


Read = Callable[[ReadSession, Moment], Awaitable[float | None]]


async def _error_rate(session: ReadSession, now: Moment) -> float | None:
    used = await figures.totals(session, SYSTEM, Filters(), Period(now.at - WINDOW, now.at))
    return None if used.requests < FEW_CALLS else 100 * used.errors / used.requests


async def _ttft_p95(session: ReadSession, now: Moment) -> float | None:
    times = await figures.times(session, SYSTEM, Filters(kinds=ANSWERS), Period(now.at - WINDOW, now.at))
    return None if times.ttft_p95_ms is None else times.ttft_p95_ms / 1_000


async def _spend_day(session: ReadSession, now: Moment) -> float | None:
    return await _spent_since(session, now, now.at.replace(hour=0, minute=0, second=0, microsecond=0))


async def _spend_month(session: ReadSession, now: Moment) -> float | None:
    return await _spent_since(session, now, now.at.replace(day=1, hour=0, minute=0, second=0, microsecond=0))


async def _spent_since(session: ReadSession, now: Moment, start: datetime) -> float:
    return float((await figures.totals(session, SYSTEM, Filters(), Period(start, now.at))).cost_usd)


async def _providers_down(session: ReadSession, now: Moment) -> float | None:
    open_now = {one.name for one in await system.providers(session, SYSTEM, now.at) if one.is_open}
    failing = {one.name for one in await overview.providers(session, SYSTEM, now.at) if one.is_failing}
    return len(open_now | failing)


async def _disk_free(_session: ReadSession, now: Moment) -> float | None:
    return 100 * now.disk_free


async def _queue_depth(session: ReadSession, _now: Moment) -> float | None:
    # rights: counts only, for the product's own look
    waiting = (
        select(func.count()).select_from(Document).where(
            Document.stage.in_((DocumentStage.RECEIVED, DocumentStage.PARSED))
        ),
        select(func.count()).select_from(BackgroundJob).where(BackgroundJob.state == JobState.QUEUED),
        select(func.count()).select_from(Run).where(Run.status == RunStatus.QUEUED),
    )  # fmt: skip
    return sum([await session.scalar(one) or 0 for one in waiting])


async def _worker_silent(session: ReadSession, now: Moment) -> float | None:
    last = await session.scalar(select(func.max(ProcessReport.reported_at)).where(ProcessReport.name == "worker"))
    return None if last is None else (now.at - last).total_seconds() / 60


async def _backup_age(session: ReadSession, now: Moment) -> float | None:
    last = await backups.last_good(session)
    return None if last is None else (now.at - last).total_seconds() / 3_600


READ: Mapping[AlertKind, Read] = {
    AlertKind.ERROR_RATE: _error_rate,
    AlertKind.TTFT_P95: _ttft_p95,
    AlertKind.SPEND_DAY: _spend_day,
    AlertKind.SPEND_MONTH: _spend_month,
    AlertKind.PROVIDER_DOWN: _providers_down,
    AlertKind.DISK_FREE: _disk_free,
    AlertKind.QUEUE_DEPTH: _queue_depth,
    AlertKind.WORKER_SILENT: _worker_silent,
    AlertKind.BACKUP_AGE: _backup_age,
}


def is_passed(kind: AlertKind, value: float, threshold: float) -> bool:
    """Return whether a value passes its limit: of free room less is worse, of all else more."""
    return value < threshold if kind is AlertKind.DISK_FREE else value >= threshold
