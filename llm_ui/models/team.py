"""Teams: people who share instructions, models, money and projects; and quotas of roles, teams and people."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.clock import now
from llm_ui.kit.ids import IssuerId, ModelId, ProjectId, TeamId, UserId, uuid7
from llm_ui.models.base import Base, Timestamped, enum_column
from llm_ui.models.project import ProjectRole


class TeamRole(StrEnum):
    """What somebody may do in a team."""

    MEMBER = "member"
    OWNER = "owner"
    """Decides on its members and its instructions."""


class Team(Timestamped, Base):
    """People who work together. `name_key` is the case-folded name, which is no other team's."""

    __tablename__ = "teams"

    id: Mapped[TeamId] = mapped_column(primary_key=True, default=lambda: TeamId(uuid7()))
    name: Mapped[str] = mapped_column(String(64))
    name_key: Mapped[str] = mapped_column(String(64), unique=True)
    instructions: Mapped[str] = mapped_column(default="")
    """What models are told in all chats of its members; may be empty."""


class TeamMember(Base):
    """Somebody in a team. One without owners is looked after by administrators."""

    __tablename__ = "team_members"
    __table_args__ = (Index(None, "user_id"),)

    team_id: Mapped[TeamId] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UserId] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[TeamRole] = mapped_column(enum_column(TeamRole))
    issuer_id: Mapped[IssuerId | None] = mapped_column(ForeignKey("issuers.id", ondelete="SET NULL"))
    """Whose group brought them, and takes them out again; None: somebody took them in."""
    created_at: Mapped[datetime] = mapped_column(default=now)


class ServiceAccount(Base):
    """What scripts of a team act as: a row of `users` that is no person's, and a member of its team."""

    __tablename__ = "service_accounts"
    __table_args__ = (Index(None, "team_id"),)

    user_id: Mapped[UserId] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    team_id: Mapped[TeamId] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(String(200), default="")
    """What it is for, as whoever made it says; may be empty."""


class TeamModel(Base):
    """A model that is kept for teams. One without such a row is everybody's."""

    __tablename__ = "team_models"
    __table_args__ = (Index(None, "team_id"),)

    model_id: Mapped[ModelId] = mapped_column(ForeignKey("ai_models.id", ondelete="CASCADE"), primary_key=True)
    team_id: Mapped[TeamId] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True)


class ProjectTeam(Base):
    """A team whose members may do something in a project, for as long as they are in the team. It never owns one."""

    __tablename__ = "project_teams"
    __table_args__ = (Index(None, "team_id"),)

    project_id: Mapped[ProjectId] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    team_id: Mapped[TeamId] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[ProjectRole] = mapped_column(enum_column(ProjectRole))
    created_at: Mapped[datetime] = mapped_column(default=now)


class QuotaScope(StrEnum):
    """Whose quota it is; the nearest one holds, the last of these."""

    ROLE = "role"
    TEAM = "team"
    USER = "user"


class QuotaKind(StrEnum):
    """What is limited for each person, and its unit."""

    STORAGE_MB = "storage_mb"
    """Room for the documents of a person and the files of their chats."""
    PROJECT_DOCUMENTS = "project_documents"
    """Documents of each project that the person owns."""
    MONTH_USD = "month_usd"
    """What models may cost in a month, in whole dollars."""
    DAY_TOKENS = "day_tokens"
    """Tokens sent to models and received from them in a day, in UTC."""
    MONTH_TOKENS = "month_tokens"
    """The same in a month, in UTC."""
    API_KEYS = "api_keys"
    """Keys that are live at the same time."""


class Quota(Base):
    """One limit of a role, a team or a person; 0 is none. Where there is no row the next wider one holds."""

    __tablename__ = "quotas"

    scope: Mapped[QuotaScope] = mapped_column(enum_column(QuotaScope), primary_key=True)
    scope_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    """The role, or the id of the team or person. No foreign key: it names rows of several tables."""
    kind: Mapped[QuotaKind] = mapped_column(enum_column(QuotaKind), primary_key=True)
    amount: Mapped[int] = mapped_column(BigInteger)
