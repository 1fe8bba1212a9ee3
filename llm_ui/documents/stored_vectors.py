"""Vectors of a project's passages as their rows hold them, which is what counts. Callers have checked whose it is."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select

from llm_ui.db import AS_BYTES, ReadSession
from llm_ui.kit.ids import ChunkId, DocumentId, ModelId, ProjectId
from llm_ui.kit.vectors import HALF, cosines
from llm_ui.models import Document, DocumentChunk, DocumentStage, PassageVector

DOCUMENTS_AT_ONCE, PASSAGES_AT_ONCE = 200, 20_000
"""Of one read; 20,000 vectors of 384 numbers are 15 MB."""


class State(NamedTuple):
    """Some of it changes with each document that comes, goes or is made anew."""

    documents: int
    """That have vectors."""
    last: datetime | None
    """When the last one got them."""
    passages: int
    """That these have."""


class Made(NamedTuple):
    """A document that has vectors."""

    at: datetime | None
    passages: int


class Large(NamedTuple):
    """A project whose vectors are many."""

    project_id: ProjectId
    model_id: ModelId
    state: State


def _whole(model_id: ModelId) -> tuple[ColumnElement[bool], ...]:
    """Return the rule of documents that can be found by what they mean."""
    return Document.stage == DocumentStage.READY, Document.embedded_by == model_id


_FIGURES = func.count(), func.max(Document.embedded_at), func.coalesce(func.sum(Document.chunk_count), 0)


async def read_state(session: ReadSession, project_id: ProjectId, model_id: ModelId) -> State:
    """Return how the project's vectors by a model are now."""
    found = await session.execute(select(*_FIGURES).where(Document.project_id == project_id, *_whole(model_id)))
    return State(*found.one())


async def list_large(session: ReadSession, least: int) -> list[Large]:
    """Return the projects that have so many passages with vectors of one model."""
    found = await session.execute(
        select(Document.project_id, Document.embedded_by, *_FIGURES)
        .where(Document.stage == DocumentStage.READY, Document.embedded_by.is_not(None))
        .group_by(Document.project_id, Document.embedded_by)
        .having(func.sum(Document.chunk_count) >= least)
    )
    return [
        Large(project_id, model_id, State(documents, last, passages))
        for project_id, model_id, documents, last, passages in found
        if model_id is not None
    ]


async def read_documents(session: ReadSession, project_id: ProjectId, model_id: ModelId) -> dict[DocumentId, Made]:
    """Return the project's documents that have vectors of the model."""
    columns = Document.id, Document.embedded_at, Document.chunk_count
    found = await session.execute(select(*columns).where(Document.project_id == project_id, *_whole(model_id)))
    return {document_id: Made(at, passages) for document_id, at, passages in found}


async def read_dimensions(session: ReadSession, project_id: ProjectId, model_id: ModelId) -> int:
    """Return how many numbers the project's vectors by a model have; 0 when it has none."""
    mine = PassageVector.project_id == project_id, PassageVector.model_id == model_id
    length = await session.scalar(select(func.length(PassageVector.vector)).where(*mine).limit(1))
    return (length or 0) // HALF


def in_reads(documents: Mapping[DocumentId, Made]) -> Iterator[list[DocumentId]]:
    """Yield the documents, as many together as are read at once."""
    batch: list[DocumentId] = []
    passages = 0
    for document_id, made in documents.items():
        if batch and (len(batch) == DOCUMENTS_AT_ONCE or passages + made.passages > PASSAGES_AT_ONCE):
            yield batch
            batch, passages = [], 0
        batch.append(document_id)
        passages += made.passages
    if batch:
        yield batch


async def read_vectors(
    session: ReadSession, project_id: ProjectId, model_id: ModelId, documents: Sequence[DocumentId]
) -> dict[DocumentId, list[tuple[ChunkId, bytes]]]:
    """Return the vectors of the passages of some documents."""
    query = (
        select(DocumentChunk.document_id, PassageVector.chunk_id, PassageVector.vector)
        .join(PassageVector, PassageVector.chunk_id == DocumentChunk.id)
        .where(DocumentChunk.document_id.in_(documents), PassageVector.model_id == model_id)
        .where(PassageVector.project_id == project_id, DocumentChunk.project_id == project_id)
    )
    found = await session.execute(query, execution_options=AS_BYTES)
    vectors: dict[DocumentId, list[tuple[ChunkId, bytes]]] = {one: [] for one in documents}
    for document_id, chunk_id, vector in found:
        vectors[document_id].append((chunk_id, vector))
    return vectors


async def compare(
    session: ReadSession,
    project_id: ProjectId,
    model_id: ModelId,
    vector: bytes,
    chunks: Sequence[ChunkId],
    documents: Collection[DocumentId] = (),
) -> dict[ChunkId, float]:
    """Return those of some passages that can be found, each with the cosine of its vector and this one.

    `documents` narrows to these.
    """
    query = (
        select(PassageVector.chunk_id, PassageVector.vector)
        .join(DocumentChunk, DocumentChunk.id == PassageVector.chunk_id)
        .join(Document, Document.id == DocumentChunk.document_id)
        .where(PassageVector.chunk_id.in_(chunks), PassageVector.model_id == model_id)
        .where(PassageVector.project_id == project_id, DocumentChunk.project_id == project_id)
        .where(Document.project_id == project_id, *_whole(model_id))
    )
    if documents:
        query = query.where(Document.id.in_(documents))
    rows = await session.execute(query, execution_options=AS_BYTES)
    found = [(chunk_id, stored) for chunk_id, stored in rows]
    scores = await asyncio.to_thread(cosines, vector, [stored for _, stored in found])
    return dict(zip((chunk_id for chunk_id, _ in found), scores, strict=True))
