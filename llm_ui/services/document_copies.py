"""Documents that are copies: they take over what was read of another one, a little at a time, as a worker does it.

How far a copy is stands in its rows, so that a killed worker's copy is gone on with where its last commit left it.
"""

from enum import Enum, auto

from sqlalchemy import Select, delete, func, insert, literal, select, update

from llm_ui.db import ReadSession, Session
from llm_ui.kit.ids import DocumentId, UserId
from llm_ui.models import Document, DocumentChunk, DocumentPage, DocumentStage
from llm_ui.services import ingestion
from llm_ui.services.access import is_in_project
from llm_ui.services.cutting import cutting_of
from llm_ui.services.ingestion import Reading

BATCH_PAGES = 50
BATCH_CHUNKS = 200
"""Of one transaction, as when a file is read."""


class Step(Enum):
    """What came of taking over the next of the original."""

    MORE = auto()
    """There may be more to take over."""
    DONE = auto()
    """That was all: the document can be searched."""
    NO_ORIGINAL = auto()
    """The original is gone, is being read anew or is cut otherwise: the file has to be read."""
    LOST = auto()
    """The document is gone, or another worker's by now."""


async def take_over(session: Session, held: Reading) -> Step:
    """Take over the next pages or passages of the document that this one is a copy of."""
    if not await ingestion.beat(session, held):
        return Step.LOST
    original = await _original(session, held)
    if original is None:
        await _begin_anew(session, held)
        return Step.NO_ORIGINAL
    last, end = await _last_page(session, held.id), await _last_page(session, original.id)
    if last < end:
        await _take_pages(session, held, original, last)
        return Step.MORE
    # rights: of the document that the worker holds
    position = await session.scalar(select(func.count()).where(DocumentChunk.document_id == held.id)) or 0
    if position < original.chunk_count:
        await _take_passages(session, held, original, position)
        return Step.MORE
    ended = {"media_type": original.media_type, "has_pages": original.has_pages, "remark": original.remark}
    await session.execute(update(Document).where(Document.id == held.id).values(**ended, copy_of=None, page_count=end))
    await ingestion.finish(session, held, chunk_count=position, tokens=original.tokens)
    return Step.DONE


async def _original(session: ReadSession, held: Reading) -> Document | None:
    """Return the original while it can be searched, holds the same, is cut the same way and its copier may read it."""
    # rights: the worker's own; what it copies is of a project of whoever brought the document that it holds
    copier: Select[UserId] = select(Document.user_id).where(Document.id == held.id)
    is_theirs = is_in_project(Document.project_id, copier.scalar_subquery())
    is_there = Document.id == held.copy_of, Document.stage == DocumentStage.READY, Document.sha256 == held.sha256
    found = await session.scalar(select(Document).where(*is_there, is_theirs))
    if found is None or await cutting_of(session, found.project_id) != await cutting_of(session, held.project_id):
        return None
    return found


async def _last_page(session: ReadSession, document_id: DocumentId) -> int:
    # rights: of the document that the worker holds, or its original
    return (
        await session.scalar(select(func.max(DocumentPage.number)).where(DocumentPage.document_id == document_id)) or 0
    )


async def _take_pages(session: Session, held: Reading, original: Document, last: int) -> None:
    columns = select(literal(held.id, DocumentPage.document_id.type), DocumentPage.number, DocumentPage.blocks)
    pages = columns.where(DocumentPage.document_id == original.id, DocumentPage.number > last)
    taken = pages.order_by(DocumentPage.number).limit(BATCH_PAGES)
    await session.execute(insert(DocumentPage).from_select(["document_id", "number", "blocks"], taken))
    reached = await _last_page(session, held.id)
    await session.execute(update(Document).where(Document.id == held.id).values(page_count=reached))


async def _take_passages(session: Session, held: Reading, original: Document, position: int) -> None:
    names = ["position", "title_path", "text", "page_from", "page_to", "tokens"]
    columns = select(
        literal(held.id, DocumentChunk.document_id.type),
        literal(held.project_id, DocumentChunk.project_id.type),
        *(getattr(DocumentChunk, name) for name in names),
    )
    passages = columns.where(DocumentChunk.document_id == original.id, DocumentChunk.position >= position)
    taken = passages.order_by(DocumentChunk.position).limit(BATCH_CHUNKS)
    await session.execute(insert(DocumentChunk).from_select(["document_id", "project_id", *names], taken))


async def _begin_anew(session: Session, held: Reading) -> None:
    """Leave nothing of what was taken over: the file is read from its beginning."""
    # rights: of the document that the worker holds
    await session.execute(delete(DocumentPage).where(DocumentPage.document_id == held.id))
    await session.execute(delete(DocumentChunk).where(DocumentChunk.document_id == held.id))
    await session.execute(update(Document).where(Document.id == held.id).values(copy_of=None, page_count=0))
