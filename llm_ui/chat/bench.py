"""The retrieval bench of a project, for a person's page."""

from collections.abc import Sequence

from llm_ui.chat import bench_ops
from llm_ui.chat.documents import listed
from llm_ui.chat.follow import Op
from llm_ui.contract.passages import BenchRequest, Cut, MeasureRequest, RankedPassage
from llm_ui.db import ReadSession
from llm_ui.errors import LLMUIError
from llm_ui.kit.i18n import told
from llm_ui.kit.ids import CaseId, DocumentId, ProjectId
from llm_ui.kit.snippet import snippet
from llm_ui.llm_client import UserClient
from llm_ui.services import documents, evaluations, retrieval
from llm_ui.services.access import Actor
from llm_ui.services.cutting import CuttingInfo, read_cutting, set_cutting
from llm_ui.services.retrieval import NewCase
from llm_ui.ui.page import PageContext

SHOWN_CHARS = 360
"""Of a passage that was found."""
SEEN_CHARS = 160
"""Of these on a phone, whose four lines hold some 45 each."""
PREFIX_FROM = 3
"""Characters of a word that others are marked for which begin so: "heron" for "herons", but not "d" for "diet"."""


async def bench(context: PageContext, client: UserClient, asked: bench_ops.Bench) -> Op:
    """Do what is asked and return the operation that tells it. Raises our errors."""
    match asked:
        case bench_ops.ReadBench():
            actor = await context.actor()
            async with context.backend.database.reading() as session:
                return await _told(session, actor, ProjectId(asked.project))
        case bench_ops.TrySearch():
            return await _search(client, asked)
        case bench_ops.MeasureCases():
            return await _measure(client, asked)
        case _:
            try:
                return await _change(context, asked)
            except LLMUIError as error:
                return {"op": "bench_refused", "text": told(error.message)}


async def _told(session: ReadSession, actor: Actor, project_id: ProjectId) -> Op:
    """Return the operation that tells the test set."""
    cases = await retrieval.list_cases(session, actor, project_id)
    strategy = await retrieval.strategy_of(session, actor, project_id)
    return {
        "op": "bench",
        "project": str(project_id),
        "strategy": None if strategy is None else strategy.value,
        "cut": _cut(await read_cutting(session, actor, project_id)),
        "cases": [
            {
                "id": str(one.id),
                "question": one.question,
                "document": str(one.document_id),
                "name": one.document_name,
                "passage": one.passage,
                "is_wanted": one.is_wanted,
            }
            for one in cases
        ],
    }


def _cut(cutting: CuttingInfo) -> dict[str, str | int]:
    return {
        "by": cutting.by.value,
        "passage_tokens": cutting.passage_tokens,
        "overlap_tokens": cutting.overlap_tokens,
    }


async def _search(client: UserClient, asked: bench_ops.TrySearch) -> Op:
    answer: Op = {"op": "tried", "project": str(asked.project), "number": asked.number}
    try:
        found = await client.try_search(BenchRequest(project_id=asked.project, query=asked.query))
    except LLMUIError as error:
        return {**answer, "error": told(error.message)}
    problem = found.problem and told(found.problem)
    rankings = [
        {**ranked.model_dump(mode="json"), "passages": [_shown(one, found.words) for one in ranked.passages]}
        for ranked in found.rankings
    ]
    answers = {
        **found.answers.model_dump(mode="json"), "strategy": "answers",
        "passages": [_shown(one, found.words) for one in found.answers.passages],
        "not_reranked": found.answers.not_reranked and told(found.answers.not_reranked),
    }  # fmt: skip
    return {
        **answer, "query": asked.query, "rankings": [*rankings, answers], "vector_ms": found.vector_ms,
        "problem": problem,
    }  # fmt: skip


def _shown(passage: RankedPassage, words: Sequence[str]) -> Op:
    """Return a passage with the stretch of it that holds most of the words."""
    pieces = snippet(passage.text, words, SHOWN_CHARS, seen=SEEN_CHARS, prefix_from=PREFIX_FROM)
    return {**passage.model_dump(mode="json"), "pieces": [[piece.text, piece.is_match] for piece in pieces]}


async def _measure(client: UserClient, asked: bench_ops.MeasureCases) -> Op:
    answer: Op = {"op": "measured", "project": str(asked.project)}
    other = None
    if asked.other is not None:
        other = Cut(
            by=asked.other.by.value,
            passage_tokens=asked.other.passage_tokens,
            overlap_tokens=asked.other.overlap_tokens,
        )
    try:
        report = await client.measure_cases(MeasureRequest(project_id=asked.project, other=other))
    except LLMUIError as error:
        return {**answer, "error": told(error.message)}
    problem = report.problem and told(report.problem)
    not_reranked = report.not_reranked and told(report.not_reranked)
    return {**answer, **report.model_dump(mode="json"), "problem": problem, "not_reranked": not_reranked}


async def _promote(context: PageContext, asked: bench_ops.Promote) -> Op:
    actor, project_id = await context.actor(), ProjectId(asked.project)
    async with context.backend.database.writing() as session:
        await retrieval.set_strategy(session, actor, project_id, asked.strategy)
        wanted = CuttingInfo(asked.by, asked.passage_tokens, asked.overlap_tokens)
        count = await set_cutting(session, actor, project_id, wanted)
        await evaluations.take_over(session, actor, project_id, asked.measured, wanted)
        listing = await documents.list_documents(session, actor, project_id)
        shown = await listed(session, actor, project_id, listing)
        now = await _told(session, actor, project_id)
    return {**now, **shown, "op": "promoted", "cut_anew": count}


async def _change(
    context: PageContext,
    asked: bench_ops.JudgePassage | bench_ops.ChangeCase | bench_ops.DeleteCase | bench_ops.Promote,
) -> Op:
    if isinstance(asked, bench_ops.Promote):
        return await _promote(context, asked)
    actor = await context.actor()
    async with context.backend.database.writing() as session:
        match asked:
            case bench_ops.JudgePassage():
                project_id = ProjectId(asked.project)
                new = NewCase(asked.question, DocumentId(asked.document), asked.passage, asked.is_wanted)
                await retrieval.judge(session, actor, project_id, new)
            case bench_ops.ChangeCase():
                project_id = await retrieval.change(
                    session, actor, CaseId(asked.case), question=asked.question, passage=asked.passage,
                    is_wanted=asked.is_wanted,
                )  # fmt: skip
            case bench_ops.DeleteCase():
                project_id = await retrieval.remove(session, actor, CaseId(asked.case))
        await session.flush()
        return await _told(session, actor, project_id)
