"""What models are told beside the messages: facts about a person, summaries of what no longer fits."""

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import ChatId, MemoryId, MessageId, ProjectId, SummaryId, UserId, uuid7
from llm_ui.models.base import Base, Timestamped


class UserMemory(Timestamped, Base):
    """One fact that a person wants models to know: of them, or in a project."""

    __tablename__ = "user_memories"
    __table_args__ = (Index(None, "user_id"),)

    id: Mapped[MemoryId] = mapped_column(primary_key=True, default=lambda: MemoryId(uuid7()))
    user_id: Mapped[UserId] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    project_id: Mapped[ProjectId | None]
    """Only its chats are told the fact; None: it is about the person. No foreign key: SQLite could not take it away."""
    text: Mapped[str]
    is_on: Mapped[bool] = mapped_column(default=True)
    """Whether models are told it."""


class ChatSummary(Timestamped, Base):
    """What was said in a chat up to one of its messages. It holds for every branch that goes on from there."""

    __tablename__ = "chat_summaries"
    __table_args__ = (UniqueConstraint("upto_id"), Index(None, "chat_id"))

    id: Mapped[SummaryId] = mapped_column(primary_key=True, default=lambda: SummaryId(uuid7()))
    chat_id: Mapped[ChatId] = mapped_column(ForeignKey("chat_histories.id", ondelete="CASCADE"))
    upto_id: Mapped[MessageId] = mapped_column(ForeignKey("chat_messages.id", ondelete="CASCADE"))
    """The last message that is summed up in it."""
    text: Mapped[str]
    """Empty once its person has removed it: what it was about is left out then."""
    tokens: Mapped[int]
    """Estimated."""
    model_name: Mapped[str] = mapped_column(String(200))
    """Who wrote it."""
    is_edited: Mapped[bool] = mapped_column(default=False)
    """Whether its person has put it in words of their own; the next one builds on these."""
