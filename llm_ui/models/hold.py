"""Legal holds: whose things may not be deleted."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import uuid7
from llm_ui.models.base import Base, enum_column


class HoldScope(StrEnum):
    """What a hold is on."""

    USER = "user"
    PROJECT = "project"


class LegalHold(Base):
    """A hold that an administrator has placed; it stays in the list once it was lifted."""

    __tablename__ = "legal_holds"
    __table_args__ = (Index(None, "scope", "subject_id"),)

    id: Mapped[UUID] = mapped_column(Uuid(), primary_key=True, default=uuid7)
    scope: Mapped[HoldScope] = mapped_column(enum_column(HoldScope))
    subject_id: Mapped[UUID] = mapped_column(Uuid())
    """No foreign key: the list outlives what the hold was on."""
    subject_name: Mapped[str] = mapped_column(String(128))
    """When the hold was placed."""
    reason: Mapped[str]
    placed_by: Mapped[str] = mapped_column(String(128))
    placed_at: Mapped[datetime]
    lifted_by: Mapped[str | None] = mapped_column(String(128))
    lifted_at: Mapped[datetime | None]
    """None: it lasts."""
