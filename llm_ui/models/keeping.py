"""How long chats are kept, by rules of roles and teams (those of projects stand with the projects); and erasures."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import TeamId, UserId, uuid7
from llm_ui.models.base import Base, enum_column
from llm_ui.models.user import Role


class KeepRule(Base):
    """After how many days without a change chats of the people of a role, or of a team, go to the bin.

    Either the role or the team is named.
    """

    __tablename__ = "keep_rules"

    id: Mapped[UUID] = mapped_column(Uuid(), primary_key=True, default=uuid7)
    role: Mapped[Role | None] = mapped_column(enum_column(Role), unique=True)
    team_id: Mapped[TeamId | None] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"), unique=True)
    days: Mapped[int]
    set_by: Mapped[str] = mapped_column(String(128))
    set_at: Mapped[datetime]


class Erasure(Base):
    """The receipt of a deleted account: what there was of it, and what is left. It names nobody but by an id."""

    __tablename__ = "erasures"

    id: Mapped[UUID] = mapped_column(Uuid(), primary_key=True, default=uuid7)
    subject_id: Mapped[UserId] = mapped_column(index=True)
    """Whose account it was. No foreign key: it is gone."""
    data: Mapped[str] = mapped_column(String(32))
    """What became of the data (services/departures.py: `Fate`)."""
    heir_id: Mapped[UserId | None]
    """Who took over projects, so that it can be done again after a restore."""
    erased_at: Mapped[datetime] = mapped_column(index=True)
    verified_at: Mapped[datetime | None]
    """When it was found that nothing waits to be removed any more; None: something does."""
    backups_until: Mapped[datetime | None]
    """When the last daily backup with the data has gone; None: none was being made."""
    found: Mapped[dict[str, Any]]
    """How many rows there were, by table."""
    left: Mapped[dict[str, Any]]
    """How many of those are still there, by table; none where all is well."""
    kept: Mapped[dict[str, Any]]
    """What stays, by reason."""
    files: Mapped[list[str]]
    """Stored files that only this person needed and that are still to be removed."""
