"""Prompts: instructions that a chat can start with, and texts that people keep to ask with."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import PromptId, PromptVersionId, SavedPromptId, UserId, uuid7
from llm_ui.models.base import Base, Timestamped


class SystemPrompt(Timestamped, Base):
    """Instructions placed before a conversation. Without an owner it belongs to the platform.

    The default one of a person is told in all their chats, after those of the platform.
    """

    __tablename__ = "system_prompts"

    id: Mapped[PromptId] = mapped_column(primary_key=True, default=lambda: PromptId(uuid7()))
    owner_id: Mapped[UserId | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    text: Mapped[str]
    is_default: Mapped[bool] = mapped_column(default=False)
    """Whether new chats start with it."""
    deleted_at: Mapped[datetime | None]


class SavedPrompt(Timestamped, Base):
    """A text that somebody keeps to ask with, perhaps for everybody; `{{name}}` in it is filled in each time."""

    __tablename__ = "saved_prompts"
    __table_args__ = (UniqueConstraint("owner_id", "name"),)

    id: Mapped[SavedPromptId] = mapped_column(primary_key=True, default=lambda: SavedPromptId(uuid7()))
    owner_id: Mapped[UserId] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(40))
    """What is typed behind the slash."""
    text: Mapped[str]
    is_shared: Mapped[bool] = mapped_column(default=False)
    """Whether everybody is offered it."""
    tags: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    use_count: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often somebody has put it into a message."""


class PromptVersion(Base):
    """The text of a prompt as somebody saved it. It belongs to either kind of prompt."""

    __tablename__ = "prompt_versions"
    __table_args__ = (Index(None, "system_prompt_id"), Index(None, "saved_prompt_id"))

    id: Mapped[PromptVersionId] = mapped_column(primary_key=True, default=lambda: PromptVersionId(uuid7()))
    system_prompt_id: Mapped[PromptId | None] = mapped_column(ForeignKey("system_prompts.id", ondelete="CASCADE"))
    saved_prompt_id: Mapped[SavedPromptId | None] = mapped_column(ForeignKey("saved_prompts.id", ondelete="CASCADE"))
    number: Mapped[int]
    text: Mapped[str]
    author_name: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
