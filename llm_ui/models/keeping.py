"""How long chats are kept: rules of roles and teams. Those of projects stand with the projects."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import TeamId, uuid7
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
