"""People and their sessions."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, String, false, true
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import IssuerId, SessionId, UserId, uuid7
from llm_ui.models.base import Base, Timestamped, enum_column


class Role(StrEnum):
    """What an account may do."""

    ADMIN = "admin"
    OPERATOR = "operator"
    """Uses the workspace, and sees the figures of the administration, without anybody's content."""
    USER = "user"


class Pending(StrEnum):
    """What an account waits for that nobody can sign in to yet."""

    INVITATION = "invitation"
    """Its person has to take the invitation and choose a password."""
    APPROVAL = "approval"
    """Its person has registered; an administrator has to let them in."""


class LinkKind(StrEnum):
    """What a one-time link is for."""

    INVITATION = "invitation"
    RESET = "reset"


class User(Timestamped, Base):
    """An account. `name_key` and `email_key` are the case-folded forms by which it is found and kept unique."""

    __tablename__ = "users"
    __table_args__ = (
        Index(None, "name_key", "email_key", "id"),
        Index(None, "role"),
        Index(None, "pending"),
        Index(None, "last_seen_at"),
        Index(None, "created_at"),
    )

    id: Mapped[UserId] = mapped_column(primary_key=True, default=lambda: UserId(uuid7()))
    name: Mapped[str] = mapped_column(String(64))
    name_key: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str]
    role: Mapped[Role] = mapped_column(enum_column(Role))
    is_active: Mapped[bool] = mapped_column(default=True)
    """Whether somebody can sign in to it."""
    pending: Mapped[Pending | None] = mapped_column(enum_column(Pending))
    """None: nothing. While it waits it is not active."""
    is_service: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether it is a service account of a team: nobody signs in to it, and it counts as nobody among people."""
    wants_follow_ups: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether questions to ask next are suggested."""
    uses_memory: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether models are told what the person wants them to know."""
    last_sign_in_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]
    """As exact as that of its sessions, and still there when those are gone."""


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
    issuer_id: Mapped[IssuerId | None] = mapped_column(ForeignKey("issuers.id", ondelete="SET NULL"))
    """Through whom its person signed in; None: with a password."""


class UserPicture(Base):
    """The picture of a person: a small WebP, drawn anew from what was uploaded."""

    __tablename__ = "user_pictures"

    user_id: Mapped[UserId] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class AccountLink(Base):
    """A one-time link that lets whoever has it choose the password of an account. Only its SHA-256 is stored."""

    __tablename__ = "account_links"
    __table_args__ = (Index(None, "expires_at"),)

    user_id: Mapped[UserId] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    """The key: a new link takes the place of the one before."""
    kind: Mapped[LinkKind] = mapped_column(enum_column(LinkKind))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
