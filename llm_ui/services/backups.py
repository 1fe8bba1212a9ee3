"""Backups: when the next one is due, how the last ones went, and one that somebody wants now.

Where they lie is the deployment's; when they are made and how many are kept is a setting.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict
from llm_ui.kit.clock import now
from llm_ui.kit.i18n import later
from llm_ui.models import Backup, BackupCause, User
from llm_ui.services import audit, settings
from llm_ui.services.access import Actor, Permission, require
from llm_ui.services.settings import BACKUP_AT, BACKUPS, BACKUPS_KEPT

LEASE = timedelta(minutes=1)
"""A worker that said nothing for so long is gone."""
SHOWN = 10
GONE = later("The worker ended before the backup did. The next one is made from its beginning.")


@dataclass(frozen=True, slots=True)
class BackupInfo:
    """A backup."""

    id: UUID
    cause: BackupCause
    asked_at: datetime
    is_running: bool
    finished_at: datetime | None
    error: str | None
    name: str
    size_bytes: int
    files: int
    files_bytes: int


@dataclass(frozen=True, slots=True)
class Backups:
    """How backups go."""

    latest: Sequence[BackupInfo]
    """The newest first."""
    next_at: datetime | None
    """None: they are switched off."""
    kept: int


@dataclass(frozen=True, slots=True)
class Held:
    """A backup in the hands of a worker."""

    id: UUID
    kept: int
    """How many there may be, this one included."""


async def read(session: ReadSession, actor: Actor) -> Backups:
    """Return how backups go. Raises `Forbidden`."""
    require(actor, Permission.SEE_FIGURES)
    found = await session.scalars(select(Backup).order_by(Backup.asked_at.desc(), Backup.id.desc()).limit(SHOWN))
    next_at = await _next(session) if await settings.get(session, BACKUPS) else None
    return Backups(tuple(_info(row) for row in found), next_at, await settings.get(session, BACKUPS_KEPT))


def _info(row: Backup) -> BackupInfo:
    return BackupInfo(
        row.id, row.cause, row.asked_at, row.finished_at is None, row.finished_at, row.error, row.name, row.size_bytes,
        row.files, row.files_bytes,
    )  # fmt: skip


async def ask(session: Session, actor: Actor) -> None:
    """Have a backup made as soon as a worker can. Raises `Conflict` while one is being made."""
    require(actor, Permission.MANAGE_SETTINGS)
    if await session.scalar(select(Backup.id).where(Backup.finished_at.is_(None)).limit(1)) is not None:
        raise Conflict("A backup is being made already. Wait for its end.")
    session.add(Backup(cause=BackupCause.ASKED, asked_at=now()))
    await audit.record(session, actor, "backup.asked", "workspace")


async def is_any_waiting(session: ReadSession) -> bool:
    """Return whether a worker has to look after a backup."""
    row = await _open(session)
    return await _is_due(session) if row is None else row.heartbeat_at is None or _is_left(row)


async def claim(session: Session) -> Held | None:
    """Take the backup that is to be made now, None when there is none. To be called under a lock."""
    row = await _open(session)
    if row is not None and _is_left(row):
        row.error, row.finished_at = GONE, now()
        await session.flush()
        row = None
    if row is None and await _is_due(session):
        row = Backup(cause=BackupCause.SCHEDULED, asked_at=now())
        session.add(row)
    if row is None or row.heartbeat_at is not None:
        return None
    row.heartbeat_at = now()
    await session.flush()
    return Held(row.id, await settings.get(session, BACKUPS_KEPT))


async def beat(session: Session, held: Held) -> None:
    """Say that the worker lives."""
    await session.execute(update(Backup).where(Backup.id == held.id).values(heartbeat_at=now()))


async def finish(session: Session, held: Held, name: str, size_bytes: int, files: int, files_bytes: int) -> None:
    """Note what was made."""
    row = await session.get_one(Backup, held.id)
    row.name, row.size_bytes, row.files, row.files_bytes = name, size_bytes, files, files_bytes
    row.finished_at, row.error = now(), None


async def fail(session: Session, held: Held, why: str) -> None:
    """Note in a sentence why it could not be made."""
    row = await session.get_one(Backup, held.id)
    row.finished_at, row.error = now(), why


async def last_good(session: ReadSession) -> datetime | None:
    """Return when the last backup that went well was begun; where none did, when the first was to be made."""
    good = select(func.max(Backup.asked_at)).where(Backup.finished_at.is_not(None), Backup.error.is_(None))
    return await session.scalar(good) or await session.scalar(select(func.min(Backup.asked_at)))


async def _open(session: ReadSession) -> Backup | None:
    found = select(Backup).where(Backup.finished_at.is_(None)).order_by(Backup.asked_at).limit(1)
    return await session.scalar(found)


def _is_left(row: Backup) -> bool:
    return row.heartbeat_at is not None and row.heartbeat_at < now() - LEASE


async def _is_due(session: ReadSession) -> bool:
    return await settings.get(session, BACKUPS) and await _next(session) <= now()


async def _next(session: ReadSession) -> datetime:
    """Return when the next scheduled backup is due: at the first such time of day after the last one was begun."""
    scheduled = select(func.max(Backup.asked_at)).where(Backup.cause == BackupCause.SCHEDULED)
    # rights: of a new workspace only since when there is anything to keep
    began = await session.scalar(scheduled) or await session.scalar(select(func.min(User.created_at))) or now()
    wanted = settings.time_of(await settings.get(session, BACKUP_AT))
    at = began.replace(hour=wanted.hour, minute=wanted.minute, second=0, microsecond=0)
    return at if at > began else at + timedelta(days=1)
