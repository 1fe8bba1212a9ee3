"""Experiments: a model or instructions of the platform, given to some in another way than to others."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import ExperimentId, MessageId, ModelId, PromptId, RunId, uuid7
from llm_ui.models.base import Base, Timestamped, enum_column


class ExperimentState(StrEnum):
    """Where an experiment stands."""

    DRAFT = "draft"
    RUNNING = "running"
    """Between its first and its last instant, where it has such."""
    PROMOTED = "promoted"
    """Decided: all get the variant that was promoted."""
    STOPPED = "stopped"


LIVE_STATES = (ExperimentState.RUNNING, ExperimentState.PROMOTED)


class Sticky(StrEnum):
    """What keeps its variant."""

    PERSON = "person"
    CHAT = "chat"


_IS_LIVE = text("state IN ('running', 'promoted')")


class Experiment(Timestamped, Base):
    """What is split, into what, and for how long. Who gets what follows from the ids: no row says it."""

    __tablename__ = "experiments"
    __table_args__ = (
        # Of one thing at most one goes on; and what is asked at each question is found at once.
        Index("uq_experiments_model", "model_id", unique=True, sqlite_where=_IS_LIVE, postgresql_where=_IS_LIVE),
        Index("uq_experiments_prompt", "prompt_id", unique=True, sqlite_where=_IS_LIVE, postgresql_where=_IS_LIVE),
    )

    id: Mapped[ExperimentId] = mapped_column(primary_key=True, default=lambda: ExperimentId(uuid7()))
    name: Mapped[str] = mapped_column(String(80))
    model_id: Mapped[ModelId | None] = mapped_column(ForeignKey("ai_models.id", ondelete="CASCADE"))
    """The model that is split; None: instructions are."""
    prompt_id: Mapped[PromptId | None] = mapped_column(ForeignKey("system_prompts.id", ondelete="CASCADE"))
    """The instructions that are split; None: a model is."""
    variants: Mapped[list[dict[str, Any]]]
    """The first is what is split, as it is (services/experiment_rules.py)."""
    sticky: Mapped[Sticky] = mapped_column(enum_column(Sticky))
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    state: Mapped[ExperimentState] = mapped_column(enum_column(ExperimentState))
    promoted: Mapped[str] = mapped_column(String(1), default="", server_default="")
    """The variant that all get; empty: none was promoted."""


class ExperimentAnswer(Base):
    """How an answer went that took part. Nothing of whose it is, or of what was said."""

    __tablename__ = "experiment_answers"

    experiment_id: Mapped[ExperimentId] = mapped_column(
        ForeignKey("experiments.id", ondelete="CASCADE"), primary_key=True
    )
    run_id: Mapped[RunId] = mapped_column(primary_key=True)
    """Of a run, or of a script's call. No foreign keys, here and below: figures outlive chats."""
    variant: Mapped[str] = mapped_column(String(1))
    answer_id: Mapped[MessageId | None]
    """By which ratings are found; None: nobody can rate it."""
    is_failed: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether the variant gave none."""
    is_again: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether somebody wanted another answer to the same question."""
    cost_usd: Mapped[Decimal | None]
    ttft_ms: Mapped[float | None]
    created_at: Mapped[datetime]
