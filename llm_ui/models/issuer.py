"""Issuers of OpenID Connect, and which account is whose there."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.clock import now
from llm_ui.kit.ids import IssuerId, TeamId, UserId, uuid7
from llm_ui.models.base import Base, Timestamped


class Issuer(Timestamped, Base):
    """Somebody else who knows who people are, and who of them may sign in."""

    __tablename__ = "issuers"

    id: Mapped[IssuerId] = mapped_column(primary_key=True, default=lambda: IssuerId(uuid7()))
    name: Mapped[str] = mapped_column(String(64))
    """What its button says."""
    address: Mapped[str] = mapped_column(String(500))
    """Its identifier; never changed, for subjects mean nothing without it."""
    client_id: Mapped[str] = mapped_column(String(255))
    sealed_secret: Mapped[str]
    """Empty: it has none."""
    scopes: Mapped[str] = mapped_column(String(255))
    name_claim: Mapped[str] = mapped_column(String(64))
    email_claim: Mapped[str] = mapped_column(String(64))
    groups_claim: Mapped[str] = mapped_column(String(64))
    domains: Mapped[list[str]]
    """Of e-mail addresses of those who may sign in; empty: any."""
    groups: Mapped[list[str]]
    """Those who may sign in are in one of these; empty: everybody."""
    admin_groups: Mapped[list[str]]
    operator_groups: Mapped[list[str]]
    """With these or those, roles follow the groups at each sign-in."""
    makes_accounts: Mapped[bool]
    """Whether whoever comes for the first time gets an account."""
    is_private: Mapped[bool]
    """Whether it may be on the private network, and without TLS."""
    is_active: Mapped[bool] = mapped_column(default=True)
    end_session_endpoint: Mapped[str | None] = mapped_column(String(2000))
    """Where browsers sign out there, if they can."""


class IssuerTeam(Base):
    """A group at an issuer whose people are in a team here; teams follow the groups at each sign-in."""

    __tablename__ = "issuer_teams"

    issuer_id: Mapped[IssuerId] = mapped_column(ForeignKey("issuers.id", ondelete="CASCADE"), primary_key=True)
    group_name: Mapped[str] = mapped_column(String(255), primary_key=True)
    """As the issuer writes it."""
    team_id: Mapped[TeamId] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True)


class LinkedSignIn(Base):
    """An account at an issuer that signs in to one of ours: by its subject, never by an e-mail address."""

    __tablename__ = "linked_sign_ins"
    __table_args__ = (UniqueConstraint("user_id", "issuer_id"),)

    issuer_id: Mapped[IssuerId] = mapped_column(ForeignKey("issuers.id", ondelete="CASCADE"), primary_key=True)
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    user_id: Mapped[UserId] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(String(254))
    """As the issuer told it, so that its person knows which one it is."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_used_at: Mapped[datetime | None]
