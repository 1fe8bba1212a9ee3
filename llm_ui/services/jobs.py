"""Long work: asked for by a person, done by a worker that holds a lease on it, taken over when that one dies."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, and_, or_, select, update

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict
from llm_ui.kit.clock import now
from llm_ui.kit.ids import JobId, uuid7
from llm_ui.kit.text import one_line
from llm_ui.models import BackgroundJob, JobKind, JobState, User
from llm_ui.services.access import Actor, Permission, readable, require

LEASE = timedelta(seconds=30)
"""After so long without a heartbeat a worker counts as dead."""
UNFINISHED = (JobState.QUEUED, JobState.RUNNING)
MAX_NAME_CHARS = 120


@dataclass(frozen=True, slots=True)
class JobInfo:
    """A job as whoever asked for it sees it."""

    id: JobId
    state: JobState
    name: str
    done: int
    total: int
    progress: dict[str, Any]
    error_message: str | None


@dataclass(frozen=True, slots=True)
class Claim:
    """A job in the hands of a worker."""

    id: JobId
    owner: str
    actor: Actor
    progress: dict[str, Any]


async def begin(session: Session, actor: Actor, job_id: JobId, kind: JobKind, name: str) -> None:
    """Ask for a job. Raises `Conflict` while another of its kind is not finished."""
    require(actor, Permission.CHAT)
    mine = readable(BackgroundJob, actor).where(BackgroundJob.kind == kind, BackgroundJob.state.in_(UNFINISHED))
    if await session.scalar(mine.limit(1)) is not None:
        raise Conflict("Another file is still being brought in. Wait for its end, or cancel it.")
    words = one_line(name, MAX_NAME_CHARS) or "A file"
    session.add(BackgroundJob(id=job_id, user_id=actor.user_id, kind=kind, name=words, progress={}))


async def newest(session: ReadSession, actor: Actor, kind: JobKind) -> JobInfo | None:
    """Return the actor's last job of a kind, None when there is none."""
    mine = readable(BackgroundJob, actor).where(BackgroundJob.kind == kind)
    row = await session.scalar(mine.order_by(BackgroundJob.created_at.desc()).limit(1))
    if row is None:
        return None
    return JobInfo(row.id, row.state, row.name, row.done, row.total, row.progress, row.error_message)


async def cancel(session: Session, actor: Actor, kind: JobKind) -> None:
    """Let the actor's unfinished job of a kind end; what it has done stays. One that has ended is no error."""
    mine = update(BackgroundJob).where(BackgroundJob.user_id == actor.user_id, BackgroundJob.kind == kind)
    ended = {"state": JobState.CANCELLED, "finished_at": now()}
    await session.execute(mine.where(BackgroundJob.state.in_(UNFINISHED)).values(ended))


async def is_any_waiting(session: ReadSession) -> bool:
    """Return whether there is something to do."""
    return await session.scalar(_waiting()) is not None


def _waiting() -> Select[BackgroundJob]:
    # rights: the worker's own look at what there is to do; it acts as whoever asked
    is_left = and_(BackgroundJob.state == JobState.RUNNING, BackgroundJob.heartbeat_at < now() - LEASE)
    waiting = select(BackgroundJob).where(or_(BackgroundJob.state == JobState.QUEUED, is_left))
    return waiting.order_by(BackgroundJob.created_at).limit(1)


async def claim(session: Session) -> Claim | None:
    """Take the job that has waited longest, None when there is none."""
    row = await session.scalar(_waiting().with_for_update(skip_locked=True))
    if row is None:
        return None
    user = await session.get_one(User, row.user_id)  # rights: whoever asked for it
    if not user.is_active:
        row.state, row.finished_at = JobState.CANCELLED, now()
        return None
    row.state, row.lease_owner, row.heartbeat_at = JobState.RUNNING, uuid7().hex, now()
    return Claim(row.id, row.lease_owner, Actor(user.id, user.name, user.role), row.progress)


async def note(session: Session, held: Claim, done: int, total: int, progress: dict[str, Any]) -> bool:
    """Write down how far a job is; return whether to go on: it may have been cancelled, or taken over."""
    values = {"done": done, "total": total, "progress": progress, "heartbeat_at": now()}
    return await _change(session, held, values)


async def finish(session: Session, held: Claim, state: JobState, error_message: str | None = None) -> bool:
    """Let a job end; return whether it is over, which it is not when another worker has it."""
    await _change(session, held, {"state": state, "error_message": error_message, "finished_at": now()})
    # rights: the worker's own
    now_in = await session.scalar(select(BackgroundJob.state).where(BackgroundJob.id == held.id))
    return now_in not in UNFINISHED


async def release(session: Session, held: Claim) -> None:
    """Give a job back, to be gone on with by whoever takes it next."""
    await _change(session, held, {"state": JobState.QUEUED, "lease_owner": None, "heartbeat_at": None})


async def _change(session: Session, held: Claim, values: dict[str, Any]) -> bool:
    mine = update(BackgroundJob).where(
        BackgroundJob.id == held.id, BackgroundJob.lease_owner == held.owner, BackgroundJob.state == JobState.RUNNING
    )
    return await session.scalar(mine.values(values).returning(BackgroundJob.id)) is not None
