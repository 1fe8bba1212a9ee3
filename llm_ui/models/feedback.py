"""What people think of answers."""

from enum import IntEnum, StrEnum

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import FeedbackId, MessageId, UserId, uuid7
from llm_ui.models.base import Base, Timestamped, enum_column


class Rating(IntEnum):
    """Whether an answer helped."""

    DOWN = -1
    UP = 1


class FeedbackReason(StrEnum):
    """Why an answer did not help."""

    WRONG = "wrong"
    INCOMPLETE = "incomplete"
    NOT_FOLLOWED = "not_followed"
    STYLE = "style"
    SLOW = "slow"
    OTHER = "other"


class MessageFeedback(Timestamped, Base):
    """One person's rating of one answer."""

    __tablename__ = "message_feedback"
    __table_args__ = (UniqueConstraint("message_id", "user_id"),)

    id: Mapped[FeedbackId] = mapped_column(primary_key=True, default=lambda: FeedbackId(uuid7()))
    message_id: Mapped[MessageId] = mapped_column(ForeignKey("chat_messages.id", ondelete="CASCADE"))
    user_id: Mapped[UserId] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    rating: Mapped[int]
    """1 or -1, a `Rating`."""
    reason: Mapped[FeedbackReason | None] = mapped_column(enum_column(FeedbackReason))
    comment: Mapped[str] = mapped_column(default="")
