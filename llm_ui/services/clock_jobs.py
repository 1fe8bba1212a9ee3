"""Jobs that a worker does by the clock: how the last run of each went, and which one somebody wants now."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select

from llm_ui.db import ReadSession, Session
from llm_ui.errors import NotFound
from llm_ui.kit.clock import now
from llm_ui.models import ClockJob
from llm_ui.services import audit
from llm_ui.services.access import Actor, Permission, require

EVERY = {
    "sweep_runs": timedelta(minutes=1),
    "add_up": timedelta(minutes=1),
    "check_alerts": timedelta(minutes=1),
    "verify_erasures": timedelta(minutes=1),
    "run_asked": timedelta(minutes=1),
    "purge": timedelta(days=1),
    "purge_files": timedelta(days=1),
    "optimize": timedelta(days=1),
}
"""How often each is done; the worker has the same ones."""
GRACE = timedelta(minutes=5)
"""So much later than it should have begun a job is overdue."""


@dataclass(frozen=True, slots=True)
class ClockJobInfo:
    """A job by the clock."""

    name: str
    every: timedelta
    started_at: datetime | None
    """None: never, as far as is known."""
    is_running: bool
    is_asked: bool
    is_overdue: bool
    took_ms: float | None
    error: str | None


async def list_jobs(session: ReadSession, actor: Actor) -> tuple[ClockJobInfo, ...]:
    """Return all jobs by the clock. Raises `Forbidden`."""
    require(actor, Permission.SEE_FIGURES)
    known = {row.name: row for row in await session.scalars(select(ClockJob))}
    return tuple(_info(known.get(name) or ClockJob(name=name), every) for name, every in EVERY.items())


def _info(row: ClockJob, every: timedelta) -> ClockJobInfo:
    begun = row.started_at
    return ClockJobInfo(
        name=row.name,
        every=every,
        started_at=begun,
        is_running=begun is not None and row.finished_at is None,
        is_asked=row.asked_at is not None and (begun is None or row.asked_at > begun),
        is_overdue=begun is not None and now() - begun > every + GRACE,
        took_ms=row.took_ms,
        error=row.error,
    )


async def ask(session: Session, actor: Actor, name: str) -> None:
    """Have a job done at the next full minute. Raises `NotFound`."""
    require(actor, Permission.MANAGE_SETTINGS)
    if name not in EVERY:
        raise NotFound("There is no such job. Reload the page.")
    (await _row(session, name)).asked_at = now()
    await audit.record(session, actor, "job.asked", name)


async def asked(session: ReadSession) -> Collection[str]:
    """Return the names of the jobs that somebody wants before their time."""
    is_later = or_(ClockJob.started_at.is_(None), ClockJob.asked_at > ClockJob.started_at)
    return (await session.scalars(select(ClockJob.name).where(ClockJob.asked_at.is_not(None), is_later))).all()


async def begin(session: Session, name: str) -> None:
    """Note that a job begins."""
    row = await _row(session, name)
    row.started_at, row.finished_at = now(), None


async def end(session: Session, name: str, error: str | None) -> None:
    """Note that a job has ended."""
    row = await _row(session, name)
    row.finished_at, row.error = now(), error
    if row.started_at is not None:
        row.took_ms = (row.finished_at - row.started_at).total_seconds() * 1_000


async def _row(session: Session, name: str) -> ClockJob:
    row = await session.get(ClockJob, name)
    if row is None:
        row = ClockJob(name=name)
        session.add(row)
    return row
