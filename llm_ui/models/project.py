"""What chats are sorted by: projects and tags."""

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, true
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import ChatId, ProjectId, UserId, uuid7
from llm_ui.models.base import Base, Timestamped


class Project(Timestamped, Base):
    """Chats and documents of one person that belong together. Nothing crosses from one project to another."""

    __tablename__ = "projects"
    __table_args__ = (UniqueConstraint("owner_id", "name"),)

    id: Mapped[ProjectId] = mapped_column(primary_key=True, default=lambda: ProjectId(uuid7()))
    owner_id: Mapped[UserId] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(80))
    instructions: Mapped[str] = mapped_column(default="", server_default="")
    """What models are told in all chats of the project; may be empty."""
    lets_memory_in: Mapped[bool] = mapped_column(default=False, server_default=true())
    """Whether they are told there what the person has told of themselves."""


class ChatTag(Base):
    """A word that a chat is found by. The owner is the chat's."""

    __tablename__ = "chat_tags"
    __table_args__ = (Index(None, "name"),)

    chat_id: Mapped[ChatId] = mapped_column(ForeignKey("chat_histories.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
