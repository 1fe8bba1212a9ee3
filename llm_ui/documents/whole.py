"""Whole documents: one that is named and short enough is read by a model from its first line to its last."""

from collections.abc import Collection

from sqlalchemy import Select, func

from llm_ui.db import ReadSession
from llm_ui.documents.retrieve import Passage, passage_of
from llm_ui.kit.ids import DocumentId, ProjectId
from llm_ui.models import Document, DocumentChunk, DocumentStage
from llm_ui.services.access import Actor, readable


async def read_pages(
    session: ReadSession,
    actor: Actor,
    project_id: ProjectId,
    name: str,
    *,
    page: int,
    most: int,
    within: Collection[DocumentId] = (),
) -> tuple[Passage, ...]:
    """Return passages of the document of that name in reading order, `most` at most; none where there is none.

    From a page on. Only of a document that is ready and that the actor may read, and one of `within` if that is given.
    """
    named = readable(Document, actor).where(
        Document.project_id == project_id,
        Document.stage == DocumentStage.READY,
        func.lower(Document.name) == name.lower(),
    )
    if within:
        named = named.where(Document.id.in_(within))
    document_id = await session.scalar(
        named.with_only_columns(Document.id).order_by(Document.created_at.desc()).limit(1)
    )
    if document_id is None:
        return ()
    chunks = readable(DocumentChunk, actor).where(DocumentChunk.document_id == document_id)
    return await _passages(session, chunks.where(DocumentChunk.page_to >= page).limit(most))


async def read_whole(
    session: ReadSession, actor: Actor, project_id: ProjectId, documents: Collection[DocumentId], *, most_tokens: int
) -> tuple[Passage, ...]:
    """Return all passages of these documents in reading order; none when together they have more tokens than that.

    Only of documents of the project that are ready and that the actor may read.
    """
    mine = readable(Document, actor).where(
        Document.project_id == project_id, Document.id.in_(documents), Document.stage == DocumentStage.READY
    )
    tokens = await session.scalar(mine.with_only_columns(func.sum(Document.tokens)))
    if not tokens or tokens > most_tokens:
        return ()
    chunks = readable(DocumentChunk, actor)
    return await _passages(session, chunks.where(DocumentChunk.document_id.in_(mine.with_only_columns(Document.id))))


async def _passages(session: ReadSession, chunks: Select[DocumentChunk]) -> tuple[Passage, ...]:
    """Return these chunks as passages, in reading order."""
    rows = await session.execute(
        chunks.join(Document, Document.id == DocumentChunk.document_id)
        .order_by(Document.name, Document.id, DocumentChunk.position)
        .add_columns(Document.name, Document.has_pages)
    )
    return tuple(passage_of(row, name, has_pages) for row, name, has_pages in rows)
