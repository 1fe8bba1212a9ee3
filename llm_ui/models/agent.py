"""Agents: who answers in a chat, and how."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import AgentId, ModelId, ProjectId, UserId, uuid7
from llm_ui.models.base import Base, Timestamped, enum_column
from llm_ui.models.project import ProjectColor, ProjectIcon


class Agent(Timestamped, Base):
    """A model with instructions, parameters and knowledge of its own, made by one person, perhaps for everybody."""

    __tablename__ = "agents"
    __table_args__ = (Index(None, "owner_id"),)

    id: Mapped[AgentId] = mapped_column(primary_key=True, default=lambda: AgentId(uuid7()))
    owner_id: Mapped[UserId] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(80))
    description: Mapped[str] = mapped_column(String(300), default="")
    color: Mapped[ProjectColor] = mapped_column(enum_column(ProjectColor))
    icon: Mapped[ProjectIcon] = mapped_column(enum_column(ProjectIcon))
    instructions: Mapped[str] = mapped_column(default="")
    model_id: Mapped[ModelId | None]
    """What it answers with; None: the model its person has picked. No foreign key, as with `agent_id` of chats."""
    model_name: Mapped[str] = mapped_column(String(200), default="")
    """As it was called when it was picked, so that one that is gone can be named."""
    temperature: Mapped[float | None]
    max_tokens: Mapped[int | None]
    project_id: Mapped[ProjectId | None] = mapped_column(ForeignKey("projects.id", ondelete="SET NULL"))
    """The maker's project whose documents it knows; None: it knows none."""
    documents: Mapped[list[str]]
    """Ids of the documents of that project which it knows; empty: all of them."""
    starters: Mapped[list[str]]
    """Questions that an empty chat with it offers."""
    is_shared: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether everybody may ask it; it lapses while its maker may not share."""
    keeps_answers: Mapped[bool] = mapped_column(default=False, server_default=false())
    keeps_similar: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether its answers are kept and given again, also of models whose answers are not."""
    deleted_at: Mapped[datetime | None]
