"""People and their sessions."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, true
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import SessionId, UserId, uuid7
from llm_ui.models.base import Base, Timestamped, enum_column


class Role(StrEnum):
    """What an account may do."""

    ADMIN = "admin"
    USER = "user"


class User(Timestamped, Base):
    """An account. `name_key` and `email_key` are the case-folded forms by which it is found and kept unique."""

    __tablename__ = "users"

    id: Mapped[UserId] = mapped_column(primary_key=True, default=lambda: UserId(uuid7()))
    name: Mapped[str] = mapped_column(String(64))
    name_key: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str]
    role: Mapped[Role] = mapped_column(enum_column(Role))
    is_active: Mapped[bool] = mapped_column(default=True)
    wants_follow_ups: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether questions to ask next are suggested."""
    uses_memory: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether models are told what the person wants them to know."""
    last_sign_in_at: Mapped[datetime | None]


class UserSession(Base):
    """A sign-in on one browser. Only the SHA-256 of its token is stored."""

    __tablename__ = "user_sessions"
    __table_args__ = (Index(None, "revoked_at"), Index(None, "user_id", "revoked_at"))

    id: Mapped[SessionId] = mapped_column(primary_key=True, default=lambda: SessionId(uuid7()))
    user_id: Mapped[UserId] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    """Absolute end; the idle end is `last_seen_at` plus the idle time-out."""
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str | None] = mapped_column(String(32))
    user_agent: Mapped[str] = mapped_column(String(256), default="")
    address: Mapped[str] = mapped_column(String(64), default="")
