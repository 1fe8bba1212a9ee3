"""What stands around a passage: a found one may begin after, or end before, what is asked."""

from collections.abc import Sequence

from sqlalchemy import and_, or_

from llm_ui.db import ReadSession
from llm_ui.documents.retrieve import Passage, passage_of
from llm_ui.kit.ids import ChunkId, ProjectId
from llm_ui.models import Document, DocumentChunk, DocumentStage
from llm_ui.services.access import Actor, readable

LEAST_CHARS = 20
"""What two passages have in common is an overlap from so many characters on."""


async def beside(
    session: ReadSession, actor: Actor, project_id: ProjectId, passages: Sequence[Passage]
) -> tuple[Passage, ...]:
    """Return the passages right after and right before these in the same section, those of the first ones first.

    Only of documents of the project that are ready and that the actor may read; none that is among these.
    """
    wanted = {(one.document_id, one.position + step): one for one in reversed(passages) for step in (-1, 1)}
    if not wanted:
        return ()
    rows = await session.execute(
        readable(DocumentChunk, actor)
        .join(Document, Document.id == DocumentChunk.document_id)
        .where(DocumentChunk.project_id == project_id, Document.project_id == project_id)
        .where(Document.stage == DocumentStage.READY)
        .where(or_(*(and_(DocumentChunk.document_id == one, DocumentChunk.position == at) for one, at in wanted)))
        .add_columns(Document.name, Document.has_pages)
    )
    found = {(row.document_id, row.position): passage_of(row, name, has_pages) for row, name, has_pages in rows}
    known = {one.chunk_id for one in passages}
    next_ones: dict[ChunkId, Passage] = {}
    for one in passages:
        for step in (1, -1):
            other = found.get((one.document_id, one.position + step))
            if other is not None and other.title_path == one.title_path and other.chunk_id not in known:
                next_ones.setdefault(other.chunk_id, other)
    return tuple(next_ones.values())


def in_runs(passages: Sequence[Passage]) -> list[list[Passage]]:
    """Return passages that follow each other in a document together, in reading order; else their order is kept."""
    places = {(one.document_id, one.position): one for one in passages}
    runs: list[list[Passage]] = []
    for one in passages:
        at = one.position
        if (one.document_id, at) not in places:
            continue
        while (one.document_id, at - 1) in places:
            at -= 1
        run: list[Passage] = []
        while (following := places.pop((one.document_id, at), None)) is not None:
            run.append(following)
            at += 1
        runs.append(run)
    return runs


def overlap(before: str, text: str) -> int:
    """Return how many characters a text begins with that the one before it ends with."""
    begins = text[:LEAST_CHARS]
    at = before.find(begins, max(0, len(before) - len(text))) if len(begins) == LEAST_CHARS else -1
    while at >= 0:
        if text.startswith(before[at:]):
            return len(before) - at
        at = before.find(begins, at + 1)
    return 0
