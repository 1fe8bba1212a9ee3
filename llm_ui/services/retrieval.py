"""How passages of a project are found, and the cases that this is measured on: what is wanted and what is not."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func

from llm_ui.db import ReadSession, Session
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.kit.ids import CaseId, DocumentId, ProjectId, uuid7
from llm_ui.kit.text import one_line, storable
from llm_ui.models import Document, DocumentStage, Project, RetrievalCase, Strategy
from llm_ui.services import audit
from llm_ui.services.access import Actor, Permission, ProjectRight, readable, require
from llm_ui.services.projects import project_row, require_open, require_project

MAX_CASES = 500
"""Of one project."""
MAX_QUESTION_CHARS = 1_000
MAX_PASSAGE_CHARS = 10_000
"""What is longer is known by its beginning."""


@dataclass(frozen=True, slots=True)
class NewCase:
    """A case as a person gives it."""

    question: str
    document_id: DocumentId
    passage: str
    is_wanted: bool


@dataclass(frozen=True, slots=True)
class Case:
    """A question, and a passage that is to be found for it or that is not."""

    id: CaseId
    question: str
    document_id: DocumentId
    document_name: str
    passage: str
    """What it says; empty: any passage of the document."""
    is_wanted: bool

    def told(self) -> NewCase:
        """Return it as a person would give it."""
        return NewCase(self.question, self.document_id, self.passage, self.is_wanted)


async def strategy_of(session: ReadSession, actor: Actor, project_id: ProjectId) -> Strategy | None:
    """Return how passages of a project are found; None: the best way there is."""
    mine = readable(Project, actor).where(Project.id == project_id)
    found: Strategy | None = await session.scalar(mine.with_only_columns(Project.strategy))
    return found


async def set_strategy(session: Session, actor: Actor, project_id: ProjectId, strategy: Strategy | None) -> None:
    """Find passages of a project this way from now on. Raises `Conflict` and `NotFound`."""
    require(actor, Permission.CHAT)
    await require_open(session, actor, project_id, ProjectRight.EDIT)
    row = (await session.scalars(readable(Project, actor).where(Project.id == project_id))).one()
    changes = audit.difference({"strategy": row.strategy}, {"strategy": strategy})
    row.strategy = strategy
    if changes:
        await audit.record(session, actor, "project.changed", row.name, target_id=project_id, changes=changes)


async def list_cases(session: ReadSession, actor: Actor, project_id: ProjectId) -> tuple[Case, ...]:
    """Return the cases of a project, by question, in the order in which these were first asked. Raises `NotFound`."""
    await require_project(session, actor, project_id)
    mine = readable(RetrievalCase, actor).where(RetrievalCase.project_id == project_id)
    named = mine.join(Document, Document.id == RetrievalCase.document_id).add_columns(Document.name)
    rows = (await session.execute(named.order_by(RetrievalCase.created_at, RetrievalCase.id))).all()
    first: dict[str, int] = {}
    for place, (row, _) in enumerate(rows):
        first.setdefault(row.question, place)
    in_order = sorted(rows, key=lambda found: first[found[0].question])
    return tuple(
        Case(row.id, row.question, row.document_id, name, row.passage, row.is_wanted) for row, name in in_order
    )


async def judge(session: Session, actor: Actor, project_id: ProjectId, new: NewCase) -> None:
    """Keep a case; one about the same passage and question is changed. Raises `InvalidInput`, `Conflict`, `NotFound`.

    The passage is known by what it says, so that it is found again however its document is cut later.
    """
    require(actor, Permission.CHAT)
    await require_open(session, actor, project_id, ProjectRight.EDIT)
    row = await _same(session, actor, project_id, new) or await _added(session, actor, project_id, new)
    row.is_wanted = new.is_wanted
    await session.flush()


async def take_in(session: Session, actor: Actor, project_id: ProjectId, cases: Sequence[NewCase]) -> None:
    """Keep cases from elsewhere; what the test set says of the same passage and question already stays.

    Raises `InvalidInput`, `NotFound` and `Forbidden`.
    """
    require(actor, Permission.CHAT)
    await project_row(session, actor, project_id, ProjectRight.EDIT)
    for case in cases:
        if await _same(session, actor, project_id, case) is None:
            await _added(session, actor, project_id, case)
    await session.flush()


async def _same(session: Session, actor: Actor, project_id: ProjectId, new: NewCase) -> RetrievalCase | None:
    """Return the case about the same passage and question. Raises `InvalidInput`, and `NotFound` for the document."""
    question, passage = _checked(new.question, new.passage)
    document = readable(Document, actor).where(Document.id == new.document_id, Document.project_id == project_id)
    if await session.scalar(document.with_only_columns(Document.id)) is None:
        raise NotFound("This document does not exist any more. Search once more.")
    mine = readable(RetrievalCase, actor).where(RetrievalCase.project_id == project_id)
    same = mine.where(RetrievalCase.question == question, RetrievalCase.document_id == new.document_id)
    found: RetrievalCase | None = await session.scalar(same.where(RetrievalCase.passage == passage))
    return found


async def _added(session: Session, actor: Actor, project_id: ProjectId, new: NewCase) -> RetrievalCase:
    """Return a new case. Raises `InvalidInput` when there are too many."""
    mine = readable(RetrievalCase, actor).where(RetrievalCase.project_id == project_id)
    count = await session.scalar(mine.with_only_columns(func.count()))
    if count and count >= MAX_CASES:
        raise InvalidInput("The test set has {most} cases, which is the most. Delete some first.", most=MAX_CASES)
    row = RetrievalCase(id=CaseId(uuid7()), project_id=project_id, document_id=new.document_id)
    row.question, row.passage = _checked(new.question, new.passage)
    row.is_wanted = new.is_wanted
    session.add(row)
    return row


async def change(
    session: Session, actor: Actor, case_id: CaseId, *, question: str, passage: str, is_wanted: bool
) -> ProjectId:
    """Put a case in other words; return whose test set it is of. Raises `InvalidInput`, `Conflict` and `NotFound`."""
    row = await _row(session, actor, case_id)
    row.question, row.passage = _checked(question, passage)
    row.is_wanted = is_wanted
    return row.project_id


async def remove(session: Session, actor: Actor, case_id: CaseId) -> ProjectId:
    """Delete a case; return whose test set it was of. Raises `Conflict` and `NotFound`."""
    row = await _row(session, actor, case_id)
    # rights: it is the actor's
    await session.execute(delete(RetrievalCase).where(RetrievalCase.id == row.id))
    return row.project_id


async def ready_documents(session: ReadSession, actor: Actor, project_id: ProjectId) -> list[tuple[DocumentId, int]]:
    """Return the documents of a project that can be searched, and how many pages each has."""
    mine = readable(Document, actor).where(Document.project_id == project_id, Document.stage == DocumentStage.READY)
    columns = mine.with_only_columns(Document.id, Document.page_count).order_by(Document.id)
    return [(document_id, count) for document_id, count in await session.execute(columns)]


def _checked(question: str, passage: str) -> tuple[str, str]:
    question = one_line(question, MAX_QUESTION_CHARS)
    if not question:
        raise InvalidInput("A case needs a question. Write what somebody would ask.")
    return question, storable(passage).strip()[:MAX_PASSAGE_CHARS]


async def _row(session: Session, actor: Actor, case_id: CaseId) -> RetrievalCase:
    require(actor, Permission.CHAT)
    row = await session.scalar(readable(RetrievalCase, actor).where(RetrievalCase.id == case_id))
    if row is None:
        raise NotFound("This case does not exist any more.")
    await require_open(session, actor, row.project_id, ProjectRight.EDIT)
    return row
