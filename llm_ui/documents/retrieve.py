"""Passages of a project's documents that answer a question."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func

from llm_ui.db import ReadSession
from llm_ui.documents.index import index_of
from llm_ui.documents.index.base import Asked, Corner, Hit, number_of, rarest, weight
from llm_ui.documents.index.merge import promising
from llm_ui.documents.index.words import question_words
from llm_ui.documents.vectors import Meaning
from llm_ui.kit.ids import ChunkId, DocumentId, ProjectId
from llm_ui.models import Document, DocumentChunk, DocumentStage
from llm_ui.services.access import Actor, readable

MOST = 1_000
"""Passages of one answer, whatever is asked for."""
LOOKED_AT, SCORED = 35_000, 100_000
"""So often may passages hold the words by which candidates are found, and those by which these are scored: 0.1 µs each
on SQLite. The rarest words come first; what half of the passages hold tells them apart least, and to look through all
its passages is what costs. On the Cranfield collection with a third as many as passages for the one and as many for
the other nDCG@10 is 0.374, without bounds 0.375; with a third for both 0.32."""
CANDIDATES = 300
"""Passages that are scored: those that hold the most, and the rarest, of the words. It is as good as all of them."""
FUSED = 100
"""Passages of either kind that are brought into one order."""
RRF_K = 60
"""What keeps the first ranks from deciding alone (Cormack, Clarke and Büttcher 2009)."""
SPARE = 3
"""So many times what is asked for is looked at, as some may say the same: a file was brought in three versions."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage that was found."""

    chunk_id: ChunkId
    document_id: DocumentId
    document_name: str
    has_pages: bool
    """Whether its pages are some that a person counts."""
    position: int
    """In the document, from 0."""
    title_path: str
    """The headings it stands under, outermost first, one a line."""
    text: str
    page_from: int
    page_to: int
    tokens: int
    """Estimated."""
    score: float
    """Comparable within one answer only."""


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where is searched."""

    corner: Corner
    passages: int
    """Of the project."""


async def retrieve(
    session: ReadSession,
    actor: Actor,
    project_id: ProjectId,
    query: str,
    *,
    most: int = 8,
    documents: Collection[DocumentId] = (),
    meaning: Meaning | None = None,
) -> tuple[Passage, ...]:
    """Return the passages of a project that answer what is asked, best first.

    Found by the words of `query`, and by what it means where `meaning` tells that; with both by reciprocal rank fusion:
    each list gives a passage 1 / (60 + its rank). On the Cranfield collection nDCG@10 is 0.376 by words, 0.388 by the
    vectors of all-MiniLM-L6-v2 and 0.419 by both. Only of documents that are ready, only of this project, only what the
    actor may read; `documents` narrows to these.
    Of passages with the same text the first is kept. Nothing that is typed is an error.

    There is no maximal marginal relevance (Carbonell and Goldstein 1998): on the Cranfield collection it took nDCG@10
    from 0.375 to 0.367 at λ = 0.7 and 0.372 at 0.9. A floor at 0.3 of the best score left nothing out, at 0.5 the loss
    was 0.013.
    """
    most = min(most, MOST)
    scope = None if most < 1 else await _scope(session, actor, project_id, documents)
    if scope is None:
        return ()
    lists: list[Sequence[Hit]] = []
    looked_at = SPARE * most if meaning is None else max(FUSED, SPARE * most)
    if words := question_words(query):
        lists.append(await _by_words(session, scope, words, looked_at))
    if meaning is not None:
        nearest = meaning.vectors.nearest
        lists.append(await nearest(session, project_id, meaning, most=looked_at, documents=documents))
    found = await _passages(session, actor, project_id, _fused(lists)[: SPARE * most])
    return tuple(_distinct(found)[:most])


async def _by_words(session: ReadSession, scope: _Scope, words: Sequence[str], most: int) -> Sequence[Hit]:
    """Return the passages that hold some of the words, by BM25."""
    index = index_of(session)
    counted = await index.count(session, scope.corner, words, SCORED // 2)
    held = sorted(counted, key=lambda word: word.passages)
    if not held:
        return ()
    passages = max(scope.passages, held[-1].passages)
    asked = [Asked(word.term, weight(passages, word.passages)) for word in rarest(held, SCORED)]
    telling = asked[: len(rarest(held, LOOKED_AT))]
    lists = await index.holders(session, scope.corner, [word.term for word in telling], LOOKED_AT)
    weights = [word.weight for word in telling]
    candidates = await asyncio.to_thread(promising, lists, weights, max(CANDIDATES, most))
    return await index.best(session, scope.corner, asked, candidates, most=most)


def _fused(lists: Sequence[Sequence[Hit]]) -> Sequence[Hit]:
    """Return the passages of all lists in one order; of one list as it is."""
    if len(lists) == 1:
        return lists[0]
    scores: dict[ChunkId, float] = {}
    for hits in lists:
        for rank, hit in enumerate(hits, start=1):
            scores[hit.chunk_id] = scores.get(hit.chunk_id, 0.0) + 1 / (RRF_K + rank)
    return [Hit(chunk_id, score) for chunk_id, score in sorted(scores.items(), key=lambda item: -item[1])]


async def _scope(
    session: ReadSession, actor: Actor, project_id: ProjectId, documents: Collection[DocumentId]
) -> _Scope | None:
    """Return where to search, None when there is nothing that the actor may find."""
    mine = readable(Document, actor).where(Document.project_id == project_id)
    is_ready = Document.stage == DocumentStage.READY
    sums = func.count(), func.count().filter(is_ready), func.sum(Document.chunk_count), func.sum(Document.tokens)
    count, ready, passages, tokens = (await session.execute(mine.with_only_columns(*sums))).one()
    number = await number_of(session, project_id) if ready else None
    if number is None:
        return None
    corner = Corner(number, tokens / passages if passages else 0.0)
    if documents or ready < count:
        ids = mine.with_only_columns(Document.id)
        some = ids.where(is_ready, Document.id.in_(documents)) if documents else ids.where(~is_ready)
        corner = replace(corner, documents=list(await session.scalars(some)), is_only=bool(documents))
    return _Scope(corner, passages or 0)


async def _passages(session: ReadSession, actor: Actor, project_id: ProjectId, hits: Sequence[Hit]) -> list[Passage]:
    """Return what was found as the actor may read it, in the same order."""
    scores = {hit.chunk_id: hit.score for hit in hits}
    rows = await session.execute(
        readable(DocumentChunk, actor)
        .join(Document, Document.id == DocumentChunk.document_id)
        .where(DocumentChunk.id.in_(scores), DocumentChunk.project_id == project_id)
        .where(Document.project_id == project_id, Document.stage == DocumentStage.READY)
        .add_columns(Document.name, Document.has_pages)
    )
    found = {
        chunk.id: Passage(
            chunk.id,
            chunk.document_id,
            name,
            has_pages,
            chunk.position,
            chunk.title_path,
            chunk.text,
            chunk.page_from,
            chunk.page_to,
            chunk.tokens,
            scores[chunk.id],
        )
        for chunk, name, has_pages in rows
    }
    return [found[chunk_id] for chunk_id in scores if chunk_id in found]


def _distinct(passages: Sequence[Passage]) -> list[Passage]:
    """Return the passages without those that say what one before them says; case and white space do not count.

    With the Cranfield collection stored twice recall@10 is 0.305 otherwise, and 0.400 so, as it is when stored once.
    """
    first: dict[str, Passage] = {}
    for passage in passages:
        first.setdefault(" ".join(passage.text.casefold().split()), passage)
    return list(first.values())
