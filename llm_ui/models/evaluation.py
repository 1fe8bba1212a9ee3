"""How well it worked when it was measured."""

from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import EvaluationId, ProjectId, uuid7
from llm_ui.models.base import Base, Timestamped, enum_column


class EvaluationKind(StrEnum):
    """What was measured."""

    RETRIEVAL = "retrieval"
    """How well passages of a collection are found."""
    ANSWERS = "answers"
    """How well answers keep to their sources."""
    BENCH = "bench"
    """How well passages of a project's test set are found."""


class Evaluation(Timestamped, Base):
    """How well one way did on one set of questions. It holds figures and no content."""

    __tablename__ = "evaluations"
    __table_args__ = (Index(None, "created_at"), Index(None, "project_id"))

    id: Mapped[EvaluationId] = mapped_column(primary_key=True, default=lambda: EvaluationId(uuid7()))
    kind: Mapped[EvaluationKind] = mapped_column(enum_column(EvaluationKind))
    dataset: Mapped[str] = mapped_column(String(200))
    """What its folder or file is called; empty: the test set of a project, whose name is its members'."""
    questions: Mapped[int]
    documents: Mapped[int | None]
    strategy: Mapped[str] = mapped_column(String(32))
    """How passages were found; empty where that was not what was measured."""
    cut: Mapped[str] = mapped_column(String(60), default="")
    """How documents were cut, where that was compared."""
    figures: Mapped[dict[str, Any]]
    """By name, each a number or None."""
    model: Mapped[str] = mapped_column(String(400), default="")
    """The models that were asked, by what they are called."""
    measured_by: Mapped[str] = mapped_column(String(200), default="")
    """The account of the computer or of the workspace; empty for that of a bench, which is its members' alone."""
    version: Mapped[str] = mapped_column(String(32))
    """The product's."""
    project_id: Mapped[ProjectId | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    is_listed: Mapped[bool]
    """False for what a bench has measured until one of its ways is taken over."""
    is_used: Mapped[bool] = mapped_column(default=False)
    """Whether a bench took this way over."""
