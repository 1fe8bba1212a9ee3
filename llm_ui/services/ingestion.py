"""Reading documents, as a worker does it: one at a time under a lease, taken over when that worker dies.

What is stored is whole pages and, at the end, all passages at once, so that a killed worker's document is gone on
with where its last commit left it, and nothing is there twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Select, Update, and_, delete, insert, or_, select, update

from llm_ui.db import ReadSession, Session
from llm_ui.kit.clock import now
from llm_ui.kit.i18n import later
from llm_ui.kit.ids import DocumentId, ProjectId, uuid7
from llm_ui.kit.reading import Block, Page
from llm_ui.models import Document, DocumentChunk, DocumentPage, DocumentStage

LEASE = timedelta(seconds=15)
"""After so long without a heartbeat a worker counts as dead."""
MAX_ATTEMPTS = 3
"""A document at which so many workers died is put aside."""
POISONED = later("Reading this file failed three times in a row, so it was put aside. Save it in another format.")
BUSY = (DocumentStage.RECEIVED, DocumentStage.PARSED)


@dataclass(frozen=True, slots=True)
class Reading:
    """A document in the hands of a worker."""

    id: DocumentId
    project_id: ProjectId
    owner: str
    name: str
    sha256: str
    stage: DocumentStage
    page_count: int
    """How many of its pages are stored."""
    copy_of: DocumentId | None = None
    """The document whose pages and passages it takes over."""


@dataclass(frozen=True, slots=True)
class NewChunk:
    """A passage that is to be stored."""

    title_path: str
    text: str
    page_from: int
    page_to: int
    tokens: int


async def is_any_waiting(session: ReadSession) -> bool:
    """Return whether there is something to read."""
    return await session.scalar(_waiting()) is not None


def _waiting() -> Select[Document]:
    # rights: the worker's own look at what there is to do
    is_free = or_(Document.heartbeat_at.is_(None), Document.heartbeat_at < now() - LEASE)
    return select(Document).where(and_(Document.stage.in_(BUSY), is_free)).order_by(Document.updated_at).limit(1)


async def claim(session: Session) -> Reading | None:
    """Take the document that has waited longest, None when there is none; one that fails over and over is put aside."""
    row = await session.scalar(_waiting().with_for_update(skip_locked=True))
    if row is None:
        return None
    if row.attempts >= MAX_ATTEMPTS:
        row.stage, row.error_message, row.lease_owner = DocumentStage.FAILED, POISONED, None
        return None
    row.attempts += 1
    row.lease_owner, row.heartbeat_at = uuid7().hex, now()
    return Reading(
        row.id, row.project_id, row.lease_owner, row.name, row.sha256, row.stage, row.page_count, row.copy_of
    )


async def add_pages(session: Session, held: Reading, pages: Sequence[Page]) -> bool:
    """Store further pages; return whether to go on: the document may be gone, or another worker's by now."""
    if not await _change(session, held, {"heartbeat_at": now(), "page_count": pages[-1].number}):
        return False
    rows = [
        {"document_id": held.id, "number": page.number, "blocks": [block.stored() for block in page.blocks]}
        for page in pages
    ]
    await session.execute(insert(DocumentPage), rows)
    return True


async def end_pages(session: Session, held: Reading, *, media_type: str, has_pages: bool, remark: str) -> bool:
    """Note that all pages are stored; return whether to go on."""
    values = {"media_type": media_type, "has_pages": has_pages, "remark": remark, "stage": DocumentStage.PARSED}
    return await _change(session, held, {**values, "heartbeat_at": now()})


async def stored_pages(session: ReadSession, held: Reading) -> list[Page]:
    """Return all pages that are stored."""
    # rights: of the document that the worker holds
    pages = select(DocumentPage).where(DocumentPage.document_id == held.id).order_by(DocumentPage.number)
    return [Page(row.number, tuple(map(Block.of, row.blocks))) for row in await session.scalars(pages)]


async def beat(session: Session, held: Reading) -> bool:
    """Say that the worker lives; return whether to go on."""
    return await _change(session, held, {"heartbeat_at": now()})


async def add_chunks(session: Session, held: Reading, position: int, added: Sequence[NewChunk]) -> bool:
    """Store passages from a position on, in place of what a killed worker left there; return whether to go on."""
    if not await beat(session, held):
        return False
    # rights: of the document that the worker holds
    left = delete(DocumentChunk).where(DocumentChunk.document_id == held.id, DocumentChunk.position >= position)
    await session.execute(left)
    rows = [
        {
            "document_id": held.id, "project_id": held.project_id, "position": place, "title_path": one.title_path,
            "text": one.text, "page_from": one.page_from, "page_to": one.page_to, "tokens": one.tokens,
        }
        for place, one in enumerate(added, position)
    ]  # fmt: skip
    if rows:
        await session.execute(insert(DocumentChunk), rows)
    return True


async def finish(session: Session, held: Reading, *, chunk_count: int, tokens: int) -> None:
    """Let the document be searched."""
    ended = {"stage": DocumentStage.READY, "chunk_count": chunk_count, "tokens": tokens, "attempts": 0}
    await _change(session, held, {**ended, "lease_owner": None, "heartbeat_at": None})


async def fail(session: Session, held: Reading, why: str) -> None:
    """Note in a sentence why the document cannot be read."""
    ended = {"stage": DocumentStage.FAILED, "error_message": why, "lease_owner": None, "heartbeat_at": None}
    await _change(session, held, ended)


async def release(session: Session, held: Reading) -> None:
    """Give a document back, to be gone on with by whoever takes it next."""
    await _change(session, held, {"lease_owner": None, "heartbeat_at": None, "attempts": Document.attempts - 1})


async def _change(session: Session, held: Reading, values: Mapping[str, object]) -> bool:
    return await session.scalar(_held(held).values(values).returning(Document.id)) is not None


def _held(held: Reading) -> Update:
    return update(Document).where(Document.id == held.id, Document.lease_owner == held.owner, Document.stage.in_(BUSY))
