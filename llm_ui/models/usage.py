"""What was used and what it cost, booked once for each run and each call of the helper model."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import KeyId, ModelId, ProjectId, ProviderId, RunId, UserId
from llm_ui.models.base import Base, enum_column
from llm_ui.models.run import RunStatus, UsageSource


class UsagePurpose(StrEnum):
    """What a model was asked for."""

    ANSWER = "answer"
    TITLE = "title"
    TAGS = "tags"
    FOLLOW_UPS = "follow_ups"
    SUMMARY = "summary"
    EMBEDDING = "embedding"
    QUERY = "query"
    RERANKING = "reranking"
    API = "api"
    """What a script asks for with a key."""


class UsageLog(Base):
    """One booked call. No foreign keys: figures outlive the chats, models and people they are about."""

    __tablename__ = "usage_logs"
    __table_args__ = (Index(None, "created_at"), Index(None, "user_id", "created_at"), Index(None, "project_id"))

    run_id: Mapped[RunId] = mapped_column(primary_key=True)
    """The key, so that no run is booked twice however often its end is written; the helper model's calls are no runs
    and have one of their own."""
    purpose: Mapped[UsagePurpose] = mapped_column(
        enum_column(UsagePurpose), default=UsagePurpose.ANSWER, server_default=UsagePurpose.ANSWER.value
    )
    user_id: Mapped[UserId]
    project_id: Mapped[ProjectId | None]
    """The project that the chat was kept in then."""
    key_id: Mapped[KeyId | None]
    """The key of the API that was asked with."""
    model_id: Mapped[ModelId | None]
    provider_id: Mapped[ProviderId | None]
    model_name: Mapped[str] = mapped_column(String(200))
    provider_name: Mapped[str] = mapped_column(String(64))
    status: Mapped[RunStatus] = mapped_column(enum_column(RunStatus))
    input_tokens: Mapped[int] = mapped_column(default=0)
    cached_tokens: Mapped[int] = mapped_column(default=0)
    output_tokens: Mapped[int] = mapped_column(default=0)
    reasoning_tokens: Mapped[int] = mapped_column(default=0)
    usage_source: Mapped[UsageSource] = mapped_column(enum_column(UsageSource))
    cost_usd: Mapped[Decimal | None]
    ttft_ms: Mapped[float | None]
    total_ms: Mapped[float | None]
    created_at: Mapped[datetime]
