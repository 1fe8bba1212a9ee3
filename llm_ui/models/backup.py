"""Backups that a worker makes."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import uuid7
from llm_ui.models.base import Base, enum_column


class BackupCause(StrEnum):
    """Why a backup is made."""

    SCHEDULED = "scheduled"
    ASKED = "asked"


class Backup(Base):
    """A backup that was made, is being made or could not be made. One whose heartbeat stopped has failed."""

    __tablename__ = "backups"
    __table_args__ = (Index(None, "asked_at"),)

    id: Mapped[UUID] = mapped_column(Uuid(), primary_key=True, default=uuid7)
    cause: Mapped[BackupCause] = mapped_column(enum_column(BackupCause))
    asked_at: Mapped[datetime]
    """When it was to be made."""
    heartbeat_at: Mapped[datetime | None]
    """None: nobody has begun it."""
    finished_at: Mapped[datetime | None]
    error: Mapped[str | None]
    """Why it could not be made, in a sentence."""
    name: Mapped[str] = mapped_column(String(128), default="")
    """Of its file in the folder of backups."""
    size_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    files: Mapped[int] = mapped_column(BigInteger, default=0)
    files_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    """Of all files that it needs, which it shares with others."""
