"""How documents are cut into passages, and how well these are found."""

from fastapi import APIRouter

from llm_ui.api.principal import Parts, Principal
from llm_ui.contract.passages import (
    AsInAnswers,
    BenchFound,
    BenchRequest,
    Cut,
    CutPassage,
    CutPreview,
    CutRequest,
    MeasuredWay,
    MeasureReport,
    MeasureRequest,
    Ranked,
    RankedPassage,
    SentPassage,
)
from llm_ui.documents.index.words import question_words
from llm_ui.documents.preview import preview
from llm_ui.documents.retrieve import Passage
from llm_ui.kit.ids import DocumentId, ProjectId
from llm_ui.models import Cutting
from llm_ui.runs.as_answers import AsAnswers, as_answers
from llm_ui.runs.bench import Measured, Models, look, measure_cases
from llm_ui.services.cutting import CuttingInfo

router = APIRouter(prefix="/v1/passages")


@router.post("/preview")
async def show(body: CutRequest, parts: Parts, actor: Principal) -> CutPreview:
    """Return how a document would be cut; one that is not the actor's answers 404."""
    cutting = CuttingInfo(Cutting(body.by), body.passage_tokens, body.overlap_tokens)
    found = await preview(parts.database, actor, DocumentId(body.document_id), cutting)
    passages = tuple(
        CutPassage(
            headings=tuple(filter(None, one.title_path.split("\n"))), text=one.text, page_from=one.page_from,
            page_to=one.page_to, tokens=one.tokens,
        )
        for one in found.passages
    )  # fmt: skip
    return CutPreview(passages=passages, count=found.count, mean_tokens=found.mean_tokens, is_all=found.is_all)


@router.post("/search")
async def search(body: BenchRequest, parts: Parts, actor: Principal) -> BenchFound:
    """Return what a question finds in each way; a project that is not the actor's answers 404."""
    project_id = ProjectId(body.project_id)
    found = await look(parts.database, parts.embeddings, actor, project_id, body.query, most=body.most)
    rankings = tuple(
        Ranked(strategy=one.strategy.value, passages=tuple(map(_ranked, one.passages)), took_ms=one.took_ms)
        for one in found.rankings
    )
    answers = await as_answers(parts.database, parts.embeddings, parts.engine.reranker, actor, project_id, body.query)
    words = tuple(question_words(body.query))
    return BenchFound(
        words=words, rankings=rankings, answers=_as_in_answers(answers), vector_ms=found.vector_ms,
        problem=found.problem,
    )  # fmt: skip


@router.post("/measure")
async def measure(body: MeasureRequest, parts: Parts, actor: Principal) -> MeasureReport:
    """Return how well the test set of a project is answered; one that is not the actor's answers 404."""
    other = None
    if body.other is not None:
        other = CuttingInfo(Cutting(body.other.by), body.other.passage_tokens, body.other.overlap_tokens)
    models = Models(parts.embeddings, parts.engine.reranker)
    report = await measure_cases(parts.database, models, actor, ProjectId(body.project_id), other)
    return MeasureReport(
        rows=tuple(map(_measured, report.rows)), questions=report.questions, documents=report.documents,
        is_all=report.is_all, problem=report.problem, not_reranked=report.not_reranked,
    )  # fmt: skip


def _ranked(one: Passage) -> RankedPassage:
    return RankedPassage(
        document_id=one.document_id, name=one.document_name, passage=one.chunk_id,
        headings=tuple(filter(None, one.title_path.split("\n"))), text=one.text, page=one.page_from,
        has_pages=one.has_pages, score=one.score,
    )  # fmt: skip


def _as_in_answers(found: AsAnswers) -> AsInAnswers:
    passages = tuple(
        SentPassage(
            **_ranked(one.passage).model_dump(), number=one.number, is_beside=one.is_beside,
            left_out=None if one.left_out is None else one.left_out.value,
        )
        for one in found.fates
    )  # fmt: skip
    return AsInAnswers(
        passages=passages, took_ms=found.took_ms, strategy=found.strategy.value, model=found.model,
        reranked_by=found.reranked_by, not_reranked=found.not_reranked, reranking_ms=found.reranking_ms,
    )  # fmt: skip


def _measured(one: Measured) -> MeasuredWay:
    cutting, figures = one.cutting, one.figures
    cut = Cut(by=cutting.by.value, passage_tokens=cutting.passage_tokens, overlap_tokens=cutting.overlap_tokens)
    return MeasuredWay(
        cut=cut, strategy=one.way, ndcg=figures["ndcg@10"], recall=figures["recall@10"],
        reciprocal_rank=figures["mrr@10"], unwanted=one.unwanted, p50_ms=figures["p50_ms"],
    )  # fmt: skip
