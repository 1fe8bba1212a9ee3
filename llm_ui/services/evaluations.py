"""What was measured: by the command line, and on the benches of projects, as far as a way was taken over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, update

from llm_ui import __version__
from llm_ui.db import ReadSession, Session
from llm_ui.kit.clock import now
from llm_ui.kit.ids import EvaluationId, ProjectId
from llm_ui.kit.text import one_line
from llm_ui.models import Evaluation, EvaluationKind
from llm_ui.services.access import Actor, Permission, ProjectRight, readable, require
from llm_ui.services.cutting import CuttingInfo
from llm_ui.services.listing import Asked, Rows
from llm_ui.services.projects import project_row

Figures = Mapping[str, float | int | None]


@dataclass(frozen=True, slots=True)
class Measured:
    """How well one way did."""

    strategy: str
    """Empty where how passages are found is not what was measured."""
    figures: Figures
    cutting: CuttingInfo | None = None


@dataclass(frozen=True, slots=True)
class Exam:
    """What was asked, and of whom."""

    kind: EvaluationKind
    dataset: str
    questions: int
    documents: int | None
    model: str
    """The models that were asked, by what they are called."""
    measured_by: str


@dataclass(frozen=True, slots=True)
class EvaluationInfo:
    """What is known of one way that was measured."""

    id: EvaluationId
    at: datetime
    kind: EvaluationKind
    dataset: str
    questions: int
    documents: int | None
    strategy: str
    cut: str
    figures: Figures
    model: str
    measured_by: str
    version: str
    is_used: bool


async def keep(session: Session, actor: Actor, exam: Exam, ways: Sequence[Measured]) -> None:
    """Keep what an administrator's command has measured. Raises `Forbidden`."""
    require(actor, Permission.MANAGE_SETTINGS)
    session.add_all(_row(exam, way) for way in ways)


async def keep_bench(
    session: Session, actor: Actor, project_id: ProjectId, exam: Exam, ways: Sequence[Measured]
) -> None:
    """Keep what a bench has measured, in place of what it measured before without anything being taken over.

    Nobody sees it before a way is taken over. Raises `NotFound`.
    """
    require(actor, Permission.CHAT)
    await project_row(session, actor, project_id)
    # rights: of the project that the actor is a member of
    await session.execute(
        delete(Evaluation).where(Evaluation.project_id == project_id, Evaluation.is_listed.is_(False))
    )
    for way in ways:
        row = _row(exam, way)
        row.project_id, row.is_listed = project_id, False
        session.add(row)


async def take_over(session: Session, actor: Actor, project_id: ProjectId, strategy: str, cutting: CuttingInfo) -> None:
    """Let what the bench has measured last be seen, for one of its ways is used from now on.

    Raises `NotFound` and `Forbidden`.
    """
    require(actor, Permission.CHAT)
    await project_row(session, actor, project_id, ProjectRight.EDIT)
    # rights: of the project that the actor may change
    last = update(Evaluation).where(Evaluation.project_id == project_id, Evaluation.is_listed.is_(False))
    used = last.where(Evaluation.strategy == strategy, Evaluation.cut == _cut(cutting))
    await session.execute(used.values(is_used=True))
    await session.execute(last.values(is_listed=True))


def rows(actor: Actor, asked: Asked) -> Rows[EvaluationInfo]:
    """Return what was measured, newest first. Filters: `days`. Raises `Forbidden`."""
    query = readable(Evaluation, actor).where(Evaluation.is_listed)
    if days := asked.filters.get("days"):
        query = query.where(Evaluation.created_at >= now() - timedelta(days=int(days)))
    return Rows(query, Evaluation.id, {"at": Evaluation.created_at}, _told)


def _row(exam: Exam, way: Measured) -> Evaluation:
    return Evaluation(
        kind=exam.kind, dataset=one_line(exam.dataset, 200), questions=exam.questions, documents=exam.documents,
        strategy=way.strategy, cut="" if way.cutting is None else _cut(way.cutting), figures=dict(way.figures),
        model=one_line(exam.model, 400), measured_by=one_line(exam.measured_by, 200), version=__version__,
        is_listed=True,
    )  # fmt: skip


def _cut(cutting: CuttingInfo) -> str:
    return f"{cutting.passage_tokens}/{cutting.overlap_tokens} {cutting.by.value}"


async def _told(_session: ReadSession, found: Sequence[Evaluation]) -> tuple[EvaluationInfo, ...]:
    return tuple(
        EvaluationInfo(
            one.id, one.created_at, one.kind, one.dataset, one.questions, one.documents, one.strategy, one.cut,
            one.figures, one.model, one.measured_by, one.version, one.is_used,
        )
        for one in found
    )  # fmt: skip
