"""What the directory of an issuer keeps here by SCIM: whose accounts, and which groups are which teams."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.clock import now
from llm_ui.kit.ids import DirectoryGroupId, IssuerId, TeamId, UserId, uuid7
from llm_ui.models.base import Base, Timestamped


class DirectoryToken(Base):
    """What a directory shows to keep accounts. Only its SHA-256 is stored."""

    __tablename__ = "directory_tokens"

    issuer_id: Mapped[IssuerId] = mapped_column(ForeignKey("issuers.id", ondelete="CASCADE"), primary_key=True)
    """The key: a new token takes the place of the one before."""
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    prefix: Mapped[str] = mapped_column(String(32))
    """What is shown of it."""
    takes_over: Mapped[bool]
    """Whether accounts that were here before are the directory's, too, where it names their e-mail address."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_used_at: Mapped[datetime | None]


class DirectoryPerson(Timestamped, Base):
    """Somebody whose account a directory keeps, as it calls them. An account is of one directory at most."""

    __tablename__ = "directory_people"
    __table_args__ = (UniqueConstraint("issuer_id", "name_key"), UniqueConstraint("issuer_id", "external_id"))

    user_id: Mapped[UserId] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    issuer_id: Mapped[IssuerId] = mapped_column(ForeignKey("issuers.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    """SCIM's `userName`; the account's username is made of it and may be changed by its person."""
    name_key: Mapped[str] = mapped_column(String(255))
    external_id: Mapped[str | None] = mapped_column(String(255))
    """What the directory knows them by; None: it does not say."""
    display_name: Mapped[str] = mapped_column(String(255), default="")
    ended_at: Mapped[datetime | None]
    """When the directory deleted them: their account is disabled, and goes on being theirs should they return."""


class DirectoryGroup(Timestamped, Base):
    """A group of a directory, whose people are in a team here."""

    __tablename__ = "directory_groups"
    __table_args__ = (UniqueConstraint("issuer_id", "external_id"),)

    id: Mapped[DirectoryGroupId] = mapped_column(primary_key=True, default=lambda: DirectoryGroupId(uuid7()))
    issuer_id: Mapped[IssuerId] = mapped_column(ForeignKey("issuers.id", ondelete="CASCADE"))
    team_id: Mapped[TeamId] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"), unique=True)
    name: Mapped[str] = mapped_column(String(255))
    """SCIM's `displayName`."""
    name_key: Mapped[str] = mapped_column(String(255))
    external_id: Mapped[str | None] = mapped_column(String(255))
