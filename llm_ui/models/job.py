"""Long work that somebody asked for and a worker does."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import JobId, UserId, uuid7
from llm_ui.models.base import Base, Timestamped, enum_column


class JobKind(StrEnum):
    """What there is to do."""

    IMPORT = "import"


class JobState(StrEnum):
    """Where a job stands; the last three are ends, and an end is never left."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class BackgroundJob(Timestamped, Base):
    """One job. `lease_owner` is the worker that does it; one whose heartbeat has stopped is taken over by another."""

    __tablename__ = "background_jobs"
    __table_args__ = (Index(None, "user_id", "created_at"), Index(None, "state", "heartbeat_at"))

    id: Mapped[JobId] = mapped_column(primary_key=True, default=lambda: JobId(uuid7()))
    user_id: Mapped[UserId] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[JobKind] = mapped_column(enum_column(JobKind))
    state: Mapped[JobState] = mapped_column(enum_column(JobState), default=JobState.QUEUED)
    name: Mapped[str] = mapped_column(String(200))
    """What the person knows it by, such as the name of the file."""
    done: Mapped[int] = mapped_column(BigInteger, default=0)
    total: Mapped[int] = mapped_column(BigInteger, default=0)
    progress: Mapped[dict[str, Any]]
    """What has been done so far; where another worker goes on (services/imports.py)."""
    error_message: Mapped[str | None]
    lease_owner: Mapped[str | None] = mapped_column(String(64))
    heartbeat_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
