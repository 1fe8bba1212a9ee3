"""Files that people attach to their questions."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.clock import now
from llm_ui.kit.ids import AttachmentId, MessageId, UserId, uuid7
from llm_ui.models.base import Base


class Attachment(Base):
    """One file of one message. What it holds lies in the data folder under `sha256`, once for all that hold the same.

    Without a message it was uploaded and not sent yet. A copy of a message has rows of its own.
    """

    __tablename__ = "attachments"
    __table_args__ = (Index(None, "message_id"), Index(None, "user_id", "created_at"), Index(None, "sha256"))

    id: Mapped[AttachmentId] = mapped_column(primary_key=True, default=lambda: AttachmentId(uuid7()))
    user_id: Mapped[UserId] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    message_id: Mapped[MessageId | None] = mapped_column(ForeignKey("chat_messages.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(default=0)
    """Its place among the message's files."""
    name: Mapped[str] = mapped_column(String(200))
    """As the person's computer calls it; never a path here."""
    media_type: Mapped[str] = mapped_column(String(100))
    """As found in the bytes: of an image, or `text/plain`."""
    size_bytes: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    width: Mapped[int | None]
    height: Mapped[int | None]
    tokens: Mapped[int] = mapped_column(default=0)
    """Estimated, of a text; what an image costs depends on who looks at it."""
    created_at: Mapped[datetime] = mapped_column(default=now)
