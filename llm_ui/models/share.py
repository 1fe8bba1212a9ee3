"""Links by which others may read a chat."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import ChatId, ShareId, UserId, uuid7
from llm_ui.models.base import Base, Timestamped, enum_column


class Audience(StrEnum):
    """Who may read what a link leads to."""

    SIGNED_IN = "signed_in"
    ANYONE = "anyone"


class ShareLink(Timestamped, Base):
    """One link. It holds a copy of what was shown when it was made, so that nothing said later enters it."""

    __tablename__ = "share_links"
    __table_args__ = (Index(None, "user_id", "created_at"), Index(None, "chat_id"))

    id: Mapped[ShareId] = mapped_column(primary_key=True, default=lambda: ShareId(uuid7()))
    user_id: Mapped[UserId] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    chat_id: Mapped[ChatId] = mapped_column(ForeignKey("chat_histories.id", ondelete="CASCADE"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 of what the address holds: whoever reads the database cannot open the link."""
    prefix: Mapped[str] = mapped_column(String(8), server_default="")
    """The first characters of what the address holds, by which its owner knows it again."""
    audience: Mapped[Audience] = mapped_column(enum_column(Audience))
    snapshot: Mapped[dict[str, Any]]
    """`title`, and `messages`: `role`, `speaker`, `at`, `text`, `images` and names of `files`, oldest first."""
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
