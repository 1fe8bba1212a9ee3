"""Passages of a project's documents that answer a question."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func

from llm_ui.db import ReadSession
from llm_ui.documents.diverse import diverse
from llm_ui.documents.index import index_of
from llm_ui.documents.index.base import Asked, Corner, Hit, Ranking, number_of, rarest, weight
from llm_ui.documents.index.merge import promising
from llm_ui.documents.index.words import question_words
from llm_ui.documents.vectors import Finding, Meaning
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

TELLING, FLOOR = 4, 0.3
"""A passage barely matches when its score is under this part of what the rarest of the question's words that any
passage holds, so many, weigh together. It holds one of four equally rare words then, or only common ones. On the
Cranfield collection it costs nothing: recall@100 is 0.737 with it and without. Words that no passage holds count
nothing: they may be what the question is about, and just as well how it is put."""


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
    actor may read; `documents` narrows to these. Nothing that is typed is an error.

    What says nearly the same as a passage before it does not crowd out others (documents/diverse.py). What barely
    matches is left out, unless `documents` are named: whoever does so wants to hear of them, however little it is.
    """
    found = await look(session, actor, project_id, query, most=most, documents=documents, meaning=meaning)
    return found.passages


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found, best first, and what was passed over for it."""

    passages: tuple[Passage, ...] = ()
    weak: tuple[ChunkId, ...] = ()
    """Those that would have been among them but barely match."""
    alike: tuple[ChunkId, ...] = ()
    """Those that would have been among them but say nearly the same as one that is."""


async def look(
    session: ReadSession,
    actor: Actor,
    project_id: ProjectId,
    query: str,
    *,
    most: int = 8,
    documents: Collection[DocumentId] = (),
    meaning: Meaning | None = None,
) -> Looked:
    """Return what `retrieve` does, and what was passed over for it."""
    most = min(most, MOST)
    scope = None if most < 1 else await _scope(session, actor, project_id, documents)
    if scope is None:
        return Looked()
    nearest: Finding | None = None
    looked_at = SPARE * most if meaning is None else max(FUSED, SPARE * most)
    if meaning is not None:
        find = meaning.vectors.nearest
        nearest = await find(session, project_id, meaning, most=looked_at, documents=documents)
    words = question_words(query)
    rankings = [await _by_words(session, scope, words, looked_at)] if words else []
    if nearest is not None:
        rankings.append(await nearest.ranking(session))
    hits = _fused([ranking.hits for ranking in rankings])
    matching = {hit.chunk_id for one in rankings for hit in one.hits if documents or hit.score >= one.floor}
    weak = tuple(hit.chunk_id for hit in hits[:most] if hit.chunk_id not in matching)
    kept = [hit for hit in hits if hit.chunk_id in matching][: SPARE * most]
    found = await read_passages(session, actor, project_id, {hit.chunk_id: hit.score for hit in kept})
    places = await asyncio.to_thread(diverse, [one.text for one in found], [one.score for one in found], most)
    taken = tuple(found[place] for place in places)
    return Looked(taken, weak, passed_over(found, taken, most))


def passed_over(found: Sequence[Passage], taken: Collection[Passage], most: int) -> tuple[ChunkId, ...]:
    """Return which of the first passages were not taken."""
    chosen = {one.chunk_id for one in taken}
    return tuple(one.chunk_id for one in found[:most] if one.chunk_id not in chosen)


async def _by_words(session: ReadSession, scope: _Scope, words: Sequence[str], most: int) -> Ranking:
    """Return the passages that hold some of the words, by BM25."""
    index = index_of(session)
    counted = await index.count(session, scope.corner, words, SCORED // 2)
    held = sorted(counted, key=lambda word: word.passages)
    if not held:
        return Ranking(())
    passages = max(scope.passages, held[-1].passages)
    asked = [Asked(word.term, weight(passages, word.passages)) for word in rarest(held, SCORED)]
    telling = asked[: len(rarest(held, LOOKED_AT))]
    lists = await index.holders(session, scope.corner, [word.term for word in telling], LOOKED_AT)
    weights = [word.weight for word in telling]
    candidates = await asyncio.to_thread(promising, lists, weights, max(CANDIDATES, most))
    hits = await index.best(session, scope.corner, asked, candidates, most=most)
    return Ranking(hits, FLOOR * sum(word.weight for word in asked[:TELLING]))


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


async def read_passages(
    session: ReadSession, actor: Actor, project_id: ProjectId, scores: Mapping[ChunkId, float]
) -> list[Passage]:
    """Return what was found, each with its score, as the actor may read it, in the same order."""
    rows = await session.execute(
        readable(DocumentChunk, actor)
        .join(Document, Document.id == DocumentChunk.document_id)
        .where(DocumentChunk.id.in_(scores), DocumentChunk.project_id == project_id)
        .where(Document.project_id == project_id, Document.stage == DocumentStage.READY)
        .add_columns(Document.name, Document.has_pages)
    )
    found = {chunk.id: passage_of(chunk, name, has_pages, scores[chunk.id]) for chunk, name, has_pages in rows}
    return [found[chunk_id] for chunk_id in scores if chunk_id in found]


def passage_of(row: DocumentChunk, name: str, has_pages: bool, score: float = 0.0) -> Passage:
    """Return a passage as its row and its document tell it."""
    return Passage(
        row.id, row.document_id, name, has_pages, row.position, row.title_path, row.text, row.page_from, row.page_to,
        row.tokens, score,
    )  # fmt: skip
