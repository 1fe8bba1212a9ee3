"""Chats and the tree of their messages."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import AgentId, ChatId, MessageId, ModelId, ProjectId, PromptId, UserId, uuid7
from llm_ui.models.base import Base, Timestamped, enum_column


class MessageRole(StrEnum):
    """Who wrote a message."""

    USER = "user"
    ASSISTANT = "assistant"
    NOTE = "note"
    """A remark of the product about the chat, such as a change of model; never sent to a model."""


class MessageStatus(StrEnum):
    """Where a message stands. A person's message and a note are complete from the start."""

    STREAMING = "streaming"
    COMPLETE = "complete"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


class MessageOrigin(StrEnum):
    """Where a message comes from."""

    CHAT = "chat"
    """It was written by the person or by a model, here."""
    EDIT = "edit"
    """An answer that a person rewrote; the model's own is its sibling."""
    COPY = "copy"
    """It was taken along from another chat."""
    IMPORT = "import"
    """It was taken over from another product or an archive."""


class ChatHistory(Timestamped, Base):
    """A conversation of one person. `active_leaf_id` names the last message of the branch that is shown."""

    __tablename__ = "chat_histories"
    __table_args__ = (
        Index(None, "user_id", "deleted_at", "last_message_at"),
        Index(None, "project_id", "last_message_at"),
    )

    id: Mapped[ChatId] = mapped_column(primary_key=True, default=lambda: ChatId(uuid7()))
    user_id: Mapped[UserId] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(200), default="")
    is_title_automatic: Mapped[bool] = mapped_column(default=True)
    has_own_tags: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether its person has set or removed tags, which the helper model then leaves alone."""
    model_id: Mapped[ModelId | None] = mapped_column(ForeignKey("ai_models.id", ondelete="SET NULL"))
    """The model last used; the next question goes to it unless another is picked."""
    system_prompt_id: Mapped[PromptId | None] = mapped_column(ForeignKey("system_prompts.id", ondelete="SET NULL"))
    project_id: Mapped[ProjectId | None]
    """No foreign key: SQLite can add one to a table that has rows, but not take it away again."""
    agent_id: Mapped[AgentId | None]
    """Who answers in it; None: the model alone. No foreign key, as with `project_id`; the agent may be gone."""
    temperature: Mapped[float | None]
    max_tokens: Mapped[int | None]
    tools_off: Mapped[list[str] | None]
    """Names of the tools that models may not use here; None: its person has switched none off."""
    active_leaf_id: Mapped[MessageId | None]
    """No foreign key: messages refer to the chat, and a cycle of keys can neither be made nor dropped on SQLite."""
    next_position: Mapped[int] = mapped_column(default=0)
    last_message_at: Mapped[datetime]
    pinned_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]


class ChatMessage(Timestamped, Base):
    """One message. `position` orders all messages of a chat as they were stored; `parent_id` makes the tree."""

    __tablename__ = "chat_messages"
    __table_args__ = (UniqueConstraint("chat_id", "position"), Index(None, "parent_id"))

    id: Mapped[MessageId] = mapped_column(primary_key=True, default=lambda: MessageId(uuid7()))
    chat_id: Mapped[ChatId] = mapped_column(ForeignKey("chat_histories.id", ondelete="CASCADE"))
    parent_id: Mapped[MessageId | None] = mapped_column(ForeignKey("chat_messages.id", ondelete="CASCADE"))
    position: Mapped[int]
    role: Mapped[MessageRole] = mapped_column(enum_column(MessageRole))
    status: Mapped[MessageStatus] = mapped_column(enum_column(MessageStatus))
    text: Mapped[str]
    reasoning: Mapped[str] = mapped_column(default="")
    origin: Mapped[MessageOrigin] = mapped_column(
        enum_column(MessageOrigin), default=MessageOrigin.CHAT, server_default=MessageOrigin.CHAT.value
    )
    model_name: Mapped[str] = mapped_column(String(200), default="", server_default="")
    """What wrote an imported answer, as it was called there; of our own answers the run says it."""
    citations: Mapped[list[dict[str, Any]] | None]
    """What an answer cites, while it is written what it may: each a `Source` of llm_ui/contract. None: it was given
    nothing to cite."""
    steps: Mapped[list[dict[str, Any]] | None]
    """Tools that were used for an answer, each a `Step` of llm_ui/contract/steps.py; None: none was."""
    deleted_at: Mapped[datetime | None]
