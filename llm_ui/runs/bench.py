"""The retrieval bench of a project: what a question finds in each way, and how well its test set is answered."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from llm_ui.contract.passages import WayName
from llm_ui.db import Database, Session
from llm_ui.documents.evaluate import RERANKED, Exam, Marks, Way, examine
from llm_ui.documents.retrieve import Passage, retrieve
from llm_ui.documents.trial import exam_of, sample, tried
from llm_ui.documents.vectors import Meaning
from llm_ui.errors import InvalidInput, LLMUIError
from llm_ui.kit.i18n import to_tell
from llm_ui.kit.ids import DocumentId, ProjectId
from llm_ui.models import EvaluationKind, Strategy
from llm_ui.runs.embeddings import Embeddings
from llm_ui.runs.reranking import Reranker
from llm_ui.services import evaluations
from llm_ui.services.access import Actor
from llm_ui.services.cutting import CuttingInfo, checked, read_cutting
from llm_ui.services.embedding import find_embedder
from llm_ui.services.projects import require_project
from llm_ui.services.reranking import find_reranker
from llm_ui.services.retrieval import list_cases, ready_documents

AT_ONCE = 8
"""Questions whose vectors are made at the same time."""
AMONG_THE_FIRST = 10
REORDERING_S = 90.0
"""For all questions: the page waits twice as long for the whole comparison."""
TOO_SLOW = to_tell("it took more than {limit} seconds for all questions.")
ONE_TRIAL = asyncio.Semaphore(1)
"""Of this process: each takes a processor for seconds."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """What was found in one way."""

    strategy: Strategy
    passages: tuple[Passage, ...]
    took_ms: float


@dataclass(frozen=True, slots=True)
class Looked:
    """What a question finds in each way that there is."""

    rankings: tuple[Ranking, ...]
    vector_ms: float | None
    """How long the question's vector took; None: no model makes any."""
    problem: str | None
    """Why words alone were searched, although a model is there that makes vectors."""


async def look(
    database: Database, embeddings: Embeddings, actor: Actor, project_id: ProjectId, query: str, *, most: int
) -> Looked:
    """Return what a question finds by its words, by what it means and by both. Raises `NotFound`."""
    async with database.reading() as session:
        await require_project(session, actor, project_id)
    began = time.perf_counter()
    meaning, problem = await _meaning(embeddings, actor, project_id, query)
    vector_ms = None if meaning is None else _since(began)
    rankings: list[Ranking] = []
    for strategy in Strategy if meaning is not None else (Strategy.LEXICAL,):
        began = time.perf_counter()
        async with database.reading() as session:
            found = await retrieve(
                session, actor, project_id, "" if strategy is Strategy.VECTOR else query, most=most,
                meaning=None if strategy is Strategy.LEXICAL else meaning,
            )  # fmt: skip
        rankings.append(Ranking(strategy, found, _since(began)))
    return Looked(tuple(rankings), vector_ms, problem)


@dataclass(frozen=True, slots=True)
class Measured:
    """How well a way to search answers the test set."""

    cutting: CuttingInfo
    way: WayName
    figures: dict[str, float]
    unwanted: int
    """Unwanted passages among the first ten, of all questions."""


@dataclass(frozen=True, slots=True)
class Report:
    """How well each way answers the test set."""

    rows: tuple[Measured, ...]
    questions: int
    documents: int
    is_all: bool
    """Whether these are all documents of the project."""
    problem: str | None
    not_reranked: str
    """Why no row says how well passages are found that a model puts in order, although one is set."""


@dataclass(frozen=True, slots=True)
class Models:
    """What is asked beside the words."""

    embeddings: Embeddings
    reranker: Reranker


@dataclass(frozen=True, slots=True)
class _Bench:
    """What is measured, and on what."""

    exam: Exam
    unwanted: frozenset[str]
    documents: Sequence[DocumentId] = ()
    rows: list[Measured] = field(default_factory=list)

    def add(self, cutting: CuttingInfo, way: WayName, marks: Marks) -> None:
        first = [name for found in marks.found.values() for name in found[:AMONG_THE_FIRST]]
        self.rows.append(Measured(cutting, way, marks.figures, sum(name in self.unwanted for name in first)))


async def measure_cases(
    database: Database, models: Models, actor: Actor, project_id: ProjectId, other: CuttingInfo | None
) -> Report:
    """Return how well a project's test set is answered in each way, and by words with its documents cut otherwise.

    All are asked the same documents. Raises `InvalidInput` and `NotFound`.
    """
    async with database.reading() as session:
        cases = await list_cases(session, actor, project_id)
        now_cut = await read_cutting(session, actor, project_id)
        ready = await ready_documents(session, actor, project_id)
    there = {document_id for document_id, _ in ready}
    cases = tuple(case for case in cases if case.document_id in there)
    exam = exam_of(cases)
    if not exam.gains:
        raise InvalidInput("No case says what is wanted. Search, and mark a passage that answers the question.")
    async with ONE_TRIAL:
        is_other = other is not None and checked(other) != now_cut
        chosen = await sample(database, actor, ready, cases) if is_other else None
        is_all = chosen is None or chosen.is_all
        documents = () if chosen is None or is_all else list(chosen.pages)
        bench = _Bench(exam, frozenset(str(case.id) for case in cases if not case.is_wanted), documents)
        meanings, problem = await _meanings(models.embeddings, actor, project_id, exam)
        for strategy in Strategy if meanings else (Strategy.LEXICAL,):
            marks = await examine(database, actor, project_id, exam, Way(strategy, meanings), documents)
            bench.add(now_cut, strategy.value, marks)
        not_reranked = ""
        if await models.reranker.is_set():
            way = Way(Strategy.HYBRID if meanings else Strategy.LEXICAL, meanings, models.reranker.reordered)
            try:
                async with asyncio.timeout(REORDERING_S):
                    marks = await examine(database, actor, project_id, exam, way, documents)
                bench.add(now_cut, RERANKED, marks)
            except LLMUIError as error:
                not_reranked = error.message
            except TimeoutError:
                not_reranked = TOO_SLOW.format(limit=int(REORDERING_S))
        if chosen is not None and other is not None:
            bench.add(other, Strategy.LEXICAL.value, await asyncio.to_thread(tried, chosen, other, exam))
    asked = len(ready) if is_all else len(documents)
    report = Report(tuple(bench.rows), len(exam.questions), asked, is_all, problem, not_reranked)
    async with database.writing() as session:
        await _keep(session, actor, project_id, report)
    return report


async def _keep(session: Session, actor: Actor, project_id: ProjectId, report: Report) -> None:
    """Keep the figures until another comparison, in case that one of the ways is taken over."""
    ways_asked = {one.way for one in report.rows}
    targets = [
        await find_embedder(session) if Strategy.VECTOR in ways_asked else None,
        await find_reranker(session) if RERANKED in ways_asked else None,
    ]
    model = ", ".join(target.display_name for target in targets if target is not None)
    kept = evaluations.Exam(EvaluationKind.BENCH, "", report.questions, report.documents, model, "")
    ways = [
        evaluations.Measured(one.way, {**one.figures, "unwanted": one.unwanted}, one.cutting) for one in report.rows
    ]
    await evaluations.keep_bench(session, actor, project_id, kept, ways)


async def _meanings(
    embeddings: Embeddings, actor: Actor, project_id: ProjectId, exam: Exam
) -> tuple[dict[str, Meaning | None], str | None]:
    """Return the vectors of all questions; none, and why, when one of them cannot be made."""
    meanings: dict[str, Meaning | None] = {}
    questions = list(exam.questions)
    for start in range(0, len(questions), AT_ONCE):
        batch = questions[start : start + AT_ONCE]
        made = await asyncio.gather(*(_meaning(embeddings, actor, project_id, question) for question in batch))
        for question, (meaning, problem) in zip(batch, made, strict=True):
            if meaning is None:
                return {}, problem
            meanings[question] = meaning
    return meanings, None


async def _meaning(
    embeddings: Embeddings, actor: Actor, project_id: ProjectId, query: str
) -> tuple[Meaning | None, str | None]:
    try:
        return await embeddings.question(actor, project_id, query), None
    except LLMUIError as error:
        return None, error.message


def _since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)
