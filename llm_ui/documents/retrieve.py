"""Passages of a project's documents that answer a question."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func

from llm_ui.db import ReadSession
from llm_ui.documents.index import index_of
from llm_ui.documents.index.base import Asked, Corner, Hit, Word, number_of, weight
from llm_ui.documents.index.words import question_words
from llm_ui.kit.ids import ChunkId, DocumentId, ProjectId
from llm_ui.models import Document, DocumentChunk, DocumentStage
from llm_ui.services.access import Actor, readable

MOST = 1_000
"""Passages of one answer, whatever is asked for."""
SCORED = 12_000
"""So often may passages hold the words that are scored: 1.3 µs each. The rarest words come first; what half of the
passages hold would cost a scan of them all and tells them apart least."""


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
    token_budget: int | None = None,
    documents: Collection[DocumentId] = (),
) -> tuple[Passage, ...]:
    """Return the passages of a project that hold what is asked for, best first.

    Only of documents that are ready, only of this project, only what the actor may read; `documents` narrows to these.
    A passage that does not fit into what is left of `token_budget` is left out. Nothing that is typed is an error;
    without words nothing is found.
    """
    words, most = question_words(query), min(most, MOST)
    if not words or most < 1:
        return ()
    scope = await _scope(session, actor, project_id, documents)
    if scope is None:
        return ()
    index = index_of(session)
    held = await index.count(session, scope.corner, words)
    asked = _asked(held, scope.passages)
    if not asked:
        return ()
    hits = await index.best(session, scope.corner, asked, most=most, each=SCORED)
    return _fitting(await _passages(session, actor, project_id, hits), token_budget)


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
        ids = mine.where(is_ready).with_only_columns(Document.id)
        among = list(await session.scalars(ids.where(Document.id.in_(documents)) if documents else ids))
        corner = replace(corner, documents=among)
    return _Scope(corner, passages or 0)


def _asked(held: Sequence[Word], passages: int) -> list[Asked]:
    """Return the words to score, rarest first, and their weights."""
    total, asked = 0, list[Asked]()
    most = max((passages, *(word.passages for word in held)))
    for word in sorted(held, key=lambda word: word.passages):
        total += word.passages
        if asked and total > SCORED:
            break
        asked.append(Asked(word.term, weight(most, word.passages)))
    return asked


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


def _fitting(passages: Sequence[Passage], token_budget: int | None) -> tuple[Passage, ...]:
    """Return the passages that fit into the budget, best first."""
    if token_budget is None:
        return tuple(passages)
    fitting, left = list[Passage](), token_budget
    for passage in passages:
        if passage.tokens <= left:
            fitting.append(passage)
            left -= passage.tokens
    return tuple(fitting)
