"""Who changed what."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, Integer, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.clock import now
from llm_ui.kit.ids import UserId, uuid7
from llm_ui.models.base import Base


class AuditLog(Base):
    """One change by an administrator or an account event. Secrets never enter `detail` or `changes`.

    Rows are only ever added: triggers refuse anything else. Each holds the hash of the one before, so that whoever
    changes one behind the database's back has to change all that follow (services/audit_chain.py).
    """

    __tablename__ = "audit_logs"
    __table_args__ = (Index(None, "created_at"), Index(None, "actor_id", "number"), Index(None, "action", "number"))

    id: Mapped[UUID] = mapped_column(Uuid(), primary_key=True, default=uuid7)
    number: Mapped[int] = mapped_column(BigInteger, unique=True)
    """Its place in the chain, from 1 and without gaps."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    actor_id: Mapped[UserId]
    """The nil UUID stands for the command line and the product itself."""
    actor_name: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64))
    target: Mapped[str] = mapped_column(String(128))
    """What it was done to, by the name it had."""
    target_id: Mapped[str] = mapped_column(String(64))
    """Its id; empty for what has none."""
    detail: Mapped[dict[str, Any]]
    changes: Mapped[dict[str, Any]]
    """What was changed: by field, `[before, after]`."""
    via: Mapped[str] = mapped_column(String(16))
    """By which way in: `page`, `api`, `command line` or `system`."""
    address: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(256))
    request_id: Mapped[str] = mapped_column(String(64))
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the entry's canonical JSON, which holds `previous_hash`."""


class AuditHead(Base):
    """The end of the chain: one row, which whoever adds an entry locks until the commit."""

    __tablename__ = "audit_heads"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger)
    """How many entries there are."""
    hash: Mapped[str] = mapped_column(String(64))
    """Of the last one."""
    verified_at: Mapped[datetime | None]
    verified_number: Mapped[int | None] = mapped_column(BigInteger)
    """Up to which entry the chain was whole then."""
    problem: Mapped[str | None]
    """What was wrong with it then; None: nothing."""
