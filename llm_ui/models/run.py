"""Runs: one generation each."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import AgentId, ChatId, MessageId, ModelId, ProviderId, RunId, UserId, uuid7
from llm_ui.models.base import Base, Timestamped, enum_column


class RunStatus(StrEnum):
    """Where a run stands; the last four are ends, and an end is never left."""

    QUEUED = "queued"
    RUNNING = "running"
    AWAITING_APPROVAL = "awaiting_approval"
    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


LIVE_STATUSES = (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.AWAITING_APPROVAL)


class UsageSource(StrEnum):
    """Where token counts come from."""

    PROVIDER = "provider"
    ESTIMATE = "estimate"


class Run(Timestamped, Base):
    """One generation: who asked what of which model, how it went, what it cost.

    `lease_owner` is the process that writes it and the fencing token: every later write names it, so a process
    that was frozen and lost its lease cannot write over its successor.
    """

    __tablename__ = "runs"
    __table_args__ = (
        UniqueConstraint("user_id", "idempotency_key"),
        Index(None, "status", "heartbeat_at"),
        Index(None, "chat_id", "created_at"),
        Index(None, "answer_id"),
        # Partial: of the few that repeat what another question was answered.
        Index(
            "ix_runs_similar",
            "model_id",
            "created_at",
            sqlite_where=text("similarity IS NOT NULL"),
            postgresql_where=text("similarity IS NOT NULL"),
        ),
    )

    id: Mapped[RunId] = mapped_column(primary_key=True, default=lambda: RunId(uuid7()))
    user_id: Mapped[UserId] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    chat_id: Mapped[ChatId] = mapped_column(ForeignKey("chat_histories.id", ondelete="CASCADE"))
    question_id: Mapped[MessageId] = mapped_column(ForeignKey("chat_messages.id", ondelete="CASCADE"))
    answer_id: Mapped[MessageId] = mapped_column(ForeignKey("chat_messages.id", ondelete="CASCADE"))
    model_id: Mapped[ModelId | None] = mapped_column(ForeignKey("ai_models.id", ondelete="SET NULL"))
    provider_id: Mapped[ProviderId | None] = mapped_column(ForeignKey("ai_providers.id", ondelete="SET NULL"))
    model_name: Mapped[str] = mapped_column(String(200))
    """As shown when the run began, so that history survives renaming and deletion."""
    provider_name: Mapped[str] = mapped_column(String(64))
    instead_of: Mapped[str] = mapped_column(String(200), default="", server_default="")
    """The model that was asked first and did not answer; empty: the one above is the one that was asked."""
    auto_name: Mapped[str] = mapped_column(String(200), default="", server_default="")
    """The *Auto* model that has picked the model; empty: a person or a script has."""
    broke_off: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether that one had begun to answer, and the other went on."""
    limit_note: Mapped[str] = mapped_column(default="", server_default="")
    """What limits made of the question: that one was passed, or why a cheaper model was asked; empty: nothing."""
    warned: Mapped[str] = mapped_column(String(100), default="", server_default="")
    """Kinds of filters that found what the person is to know of, with commas between."""
    agent_id: Mapped[AgentId | None]
    """Who answered, with this model; None: the model alone. No foreign key, as with chats."""
    agent_name: Mapped[str] = mapped_column(String(80), default="", server_default="")
    """As it was called when the run began."""
    idempotency_key: Mapped[str] = mapped_column(String(64))
    status: Mapped[RunStatus] = mapped_column(enum_column(RunStatus))
    temperature: Mapped[float | None]
    max_tokens: Mapped[int | None]
    manifest: Mapped[dict[str, Any] | None]
    """What the model was sent, part by part with token counts (runs/context.py)."""

    invented: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many citations were taken out of the answer: numbers that it was not sent."""
    follow_ups: Mapped[dict[str, Any] | None]
    """`questions` that the person might ask next; empty until the helper model has thought of some."""

    lease_owner: Mapped[str] = mapped_column(String(64))
    heartbeat_at: Mapped[datetime]
    stop_requested_at: Mapped[datetime | None]
    """Set by a process that does not own the lease; the owner sees it at its next heartbeat."""
    last_event: Mapped[int] = mapped_column(default=0)
    """Number of the last event when the answer was last written down."""

    finish_reason: Mapped[str | None] = mapped_column(String(32))
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_message: Mapped[str | None]
    request_id: Mapped[str] = mapped_column(String(64), default="")
    provider_request_id: Mapped[str] = mapped_column(String(200), default="")
    attempts: Mapped[int] = mapped_column(default=0)

    input_tokens: Mapped[int | None]
    cached_tokens: Mapped[int | None]
    """Part of `input_tokens` that the provider had in its prompt cache."""
    output_tokens: Mapped[int | None]
    reasoning_tokens: Mapped[int | None]
    """Part of `output_tokens` spent on reasoning."""
    usage_source: Mapped[UsageSource | None] = mapped_column(enum_column(UsageSource))
    cost_usd: Mapped[Decimal | None]
    cached_at: Mapped[datetime | None]
    """When the answer was made that this one repeats; empty: a model was asked for this one."""
    saved_usd: Mapped[Decimal | None]
    """What it would have cost then."""
    similarity: Mapped[float | None]
    """The cosine with the question that the repeated answer was given to; empty: it was the very same question."""
    similar_to: Mapped[str] = mapped_column(default="", server_default="")
    """That question, where it was the same person's in the same project."""
    similar_key: Mapped[str | None] = mapped_column(String(64))
    """Under which it is kept."""
    queue_ms: Mapped[float | None]
    """From the request's arrival to the call of the provider."""
    context_ms: Mapped[float | None]
    """Part of `queue_ms`: what putting together took that the model is sent."""
    connect_ms: Mapped[float | None]
    """Part of `ttft_ms`: what connecting took, 0 on a connection that was open already."""
    ttft_ms: Mapped[float | None]
    """From the call of the provider to its first text or reasoning."""
    reasoning_ms: Mapped[float | None]
    """From the first word of the reasoning to the first of the answer."""
    total_ms: Mapped[float | None]
    """From the request's arrival to the end."""
    tokens_per_second: Mapped[float | None]
    """Output tokens by the time from the first to the last one."""
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
