"""Answers that are kept, to be given again to the same question."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import ChatId, ModelId, ProjectId, UserId
from llm_ui.models.base import Base


class CacheMode(StrEnum):
    """Whether a model's answers are kept."""

    OFF = "off"
    OWN = "own"
    """Behind the wall of whoever asked, and of the project that they asked in."""
    SHARED = "shared"
    """For everybody who may ask the model."""


class CachedAnswer(Base):
    """An answer, whole. It goes with its person, its project, its chat and its model."""

    __tablename__ = "cached_answers"
    # The second one holds all that is needed to find the oldest that are too many.
    __table_args__ = (Index(None, "model_id"), Index(None, "created_at", "size_bytes"))

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of all that the answer depends on, its wall included (runs/cache_key.py)."""
    user_id: Mapped[UserId] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    """Who asked."""
    project_id: Mapped[ProjectId | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    chat_id: Mapped[ChatId | None] = mapped_column(ForeignKey("chat_histories.id", ondelete="CASCADE"), index=True)
    """None: a script asked."""
    model_id: Mapped[ModelId] = mapped_column(ForeignKey("ai_models.id", ondelete="CASCADE"))
    group_key: Mapped[str | None] = mapped_column(String(64), index=True)
    """SHA-256 of the same without the words of the last question, with what made the vector; None: it is given again
    to the very same question only."""
    question: Mapped[str | None]
    """These words."""
    vector: Mapped[bytes | None]
    """Of these words, as kit/vectors.py packs it."""
    pieces: Mapped[list[Any]] = mapped_column(JSON())
    """As they came: of each when, in milliseconds from the first, of what kind, and what (runs/cached.py)."""
    size_bytes: Mapped[int]
    """Of the pieces."""
    input_tokens: Mapped[int | None]
    """As the provider counted, like the three that follow; None: it did not say."""
    cached_tokens: Mapped[int | None]
    output_tokens: Mapped[int | None]
    reasoning_tokens: Mapped[int | None]
    created_at: Mapped[datetime]
