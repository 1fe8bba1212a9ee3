"""Who changed what."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.clock import now
from llm_ui.kit.ids import UserId, uuid7
from llm_ui.models.base import Base


class AuditLog(Base):
    """One change by an administrator or an account event. Secrets never enter `detail`."""

    __tablename__ = "audit_logs"
    __table_args__ = (Index(None, "created_at"),)

    id: Mapped[UUID] = mapped_column(Uuid(), primary_key=True, default=uuid7)
    created_at: Mapped[datetime] = mapped_column(default=now)
    actor_id: Mapped[UserId]
    """The nil UUID stands for the command line and the product itself."""
    actor_name: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64))
    target: Mapped[str] = mapped_column(String(128))
    detail: Mapped[dict[str, Any]]
