"""Documents of a project: taken in, listed, read, deleted. What becomes of them is in services/ingestion.py."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import count
from os.path import splitext
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, exists, func, or_, select

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, InvalidInput, NotFound
from llm_ui.kit.ids import ChunkId, DocumentId, ModelId, ProjectId, uuid7
from llm_ui.kit.text import one_line, storable
from llm_ui.models import Attachment, Document, DocumentChunk, DocumentPage, DocumentStage
from llm_ui.services import audit, holds, settings
from llm_ui.services.access import Actor, Permission, ProjectRight, readable, require
from llm_ui.services.attachments import MAX_NAME_CHARS, file_name
from llm_ui.services.projects import project_row, require_open, require_project
from llm_ui.services.quotas import require_documents, require_room
from llm_ui.services.settings import EMBEDDING_MODEL

MAX_DOCUMENTS = 5_000
"""Of one project."""
LISTED = 200
"""A page of the list."""
OFFERED = 20
"""Of those that are picked by name."""
BEING_READ = 5
"""Named of those that workers have in their hands."""
FILES_LOCK = "files"
"""Held while a file is put in its place and written down, and while one that nobody needs is taken away: bytes that
arrive again at that moment are not lost."""


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """A document as it is listed."""

    id: DocumentId
    project_id: ProjectId
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    source_url: str | None
    version: int
    stage: DocumentStage
    error_message: str | None
    remark: str
    page_count: int
    has_pages: bool
    chunk_count: int
    tokens: int
    embedded_by: ModelId | None = None
    """The model by whose vectors it can be found."""
    embed_error: str | None = None
    """Why it cannot yet be."""

    @property
    def is_busy(self) -> bool:
        """Return whether it is still being read."""
        return self.stage not in (DocumentStage.READY, DocumentStage.FAILED)


@dataclass(frozen=True, slots=True)
class Arrived:
    """A file that was stored a moment ago."""

    name: str
    size_bytes: int
    sha256: str
    source_url: str | None = None
    """Where it was fetched from."""
    is_beside: bool = False
    """Whether it replaces nothing: it may be older than what is there."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Some documents of a project, by name, and figures of all of them."""

    documents: tuple[DocumentInfo, ...]
    count: int
    busy: int
    failed: int
    size_bytes: int
    being_read: tuple[DocumentInfo, ...] = ()
    """Those that workers have in their hands."""
    has_more: bool = False
    """Whether further ones follow."""
    embedding_model: ModelId | None = None
    """The model by whose vectors documents are to be found; None where words alone are searched."""
    unembedded: int = 0
    """Those that wait for it."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of a document as the page of the document shows it."""

    id: ChunkId
    text: str
    page_from: int
    page_to: int


async def receive(session: Session, actor: Actor, project_id: ProjectId, arrived: Arrived) -> tuple[DocumentInfo, bool]:
    """Note a file that was stored, to be read; return it, and whether it is new here.

    The same bytes are one document, whatever they are called. Other bytes replace the document that was fetched from
    the same address; of those that were not fetched, the one with the same name. The caller holds `FILES_LOCK`, so
    that two at once cannot take the same room. Raises `InvalidInput`, `NotFound`, `Forbidden`, and `Conflict` when the
    project is archived, unless it comes in with all else that the project had.
    """
    require(actor, Permission.CHAT)
    check = project_row if arrived.is_beside else require_open
    await check(session, actor, project_id, ProjectRight.EDIT)
    name = file_name(arrived.name)
    mine = readable(Document, actor).where(Document.project_id == project_id)
    same = await session.scalar(mine.where(Document.sha256 == arrived.sha256))
    if same is not None:
        same.source_url = same.source_url or arrived.source_url
        return _info(same), False
    row = None if arrived.is_beside else await _to_replace(session, mine, name, arrived.source_url)
    await require_room(session, actor, project_id, name, arrived.size_bytes, row)
    if row is None:
        await require_documents(session, project_id)
    if row is None:
        name = await _free(session, mine, name)
        if (await session.execute(mine.with_only_columns(func.count()))).scalar_one() >= MAX_DOCUMENTS:
            raise InvalidInput(
                "The project has {most} documents, which is the most. Delete some first.", most=MAX_DOCUMENTS
            )
        row = Document(id=DocumentId(uuid7()), project_id=project_id, name=name)
        row.version, row.media_type, row.chunk_count, row.tokens, row.has_pages = 1, "", 0, 0, False
        session.add(row)
    else:
        row.version += 1
    row.user_id, row.size_bytes, row.sha256 = actor.user_id, arrived.size_bytes, arrived.sha256
    row.source_url = arrived.source_url
    await begin_anew(session, row)
    done = "document.added" if row.version == 1 else "document.replaced"
    await audit.record(session, actor, done, row.name, target_id=row.id, project_id=str(project_id))
    return _info(row), True


async def _to_replace(
    session: ReadSession, mine: Select[Document], name: str, source_url: str | None
) -> Document | None:
    """Return the document that a new one replaces; none while it is on hold: then both are kept."""
    is_free = Document.user_id.not_in(holds.held_people()), Document.project_id.not_in(holds.held_projects())
    is_same = Document.source_url == source_url if source_url else Document.name == name
    return await session.scalar(mine.where(is_same, *is_free).limit(1))


async def admit(session: ReadSession, actor: Actor, project_id: ProjectId, name: str, size: int) -> None:
    """Raise `TooLarge`, `Conflict`, `Forbidden` or `NotFound` before a file comes that would not be taken in."""
    mine = await _of_project(session, actor, project_id)
    await require_open(session, actor, project_id, ProjectRight.EDIT)
    row = await _to_replace(session, mine, file_name(name), None)
    await require_room(session, actor, project_id, file_name(name), size, row)
    if row is None:
        await require_documents(session, project_id)


async def _free(session: Session, mine: Select[Document], name: str) -> str:
    """Return a name that no other document has: this one, or with a number before its ending."""
    stem, ending = splitext(name)
    alike = mine.where(Document.name.startswith(stem, autoescape=True)).with_only_columns(Document.name)
    taken = set(await session.scalars(alike))
    numbered = (f"{stem[: MAX_NAME_CHARS - len(ending) - 8]} ({number}){ending}" for number in count(2))
    return name if name not in taken else next(one for one in numbered if one not in taken)


async def retry(session: Session, actor: Actor, document_id: DocumentId) -> DocumentInfo:
    """Have a document read once more from its file, or its vectors made, whichever failed.

    Raises `NotFound`, `Forbidden`, and `Conflict` while it is being read.
    """
    row = await _row(session, actor, document_id, ProjectRight.EDIT)
    if _info(row).is_busy:
        raise Conflict("{name} is being read already. Wait a moment.", name=row.name)
    if row.stage is DocumentStage.READY and row.embed_error is not None:
        # It is read; what failed came after.
        row.embed_error, row.embed_attempts = None, 0
    else:
        await begin_anew(session, row)
    return _info(row)


async def begin_anew(session: Session, row: Document) -> None:
    """Let a document be read as if it had just come."""
    row.stage, row.error_message, row.remark = DocumentStage.RECEIVED, None, ""
    row.page_count = row.chunk_count = row.tokens = row.attempts = row.embed_attempts = 0
    row.lease_owner = row.heartbeat_at = row.copy_of = row.embedded_by = row.embed_error = None
    await session.flush()
    # rights: of a document that the actor may change
    await session.execute(delete(DocumentPage).where(DocumentPage.document_id == row.id))
    await session.execute(delete(DocumentChunk).where(DocumentChunk.document_id == row.id))


async def rename(session: Session, actor: Actor, document_id: DocumentId, name: str) -> None:
    """Give a document another name. Raises `InvalidInput`, `NotFound` and `Forbidden`."""
    row = await _row(session, actor, document_id, ProjectRight.EDIT)
    name = one_line(name, MAX_NAME_CHARS)
    if not name:
        raise InvalidInput("A document needs a name of at least one character.")
    name = file_name(name)
    same = readable(Document, actor).where(Document.project_id == row.project_id, Document.name == name)
    if await session.scalar(same.where(Document.id != row.id).limit(1)) is not None:
        raise InvalidInput("The project has a document named {name} already. Choose another name.", name=name)
    changes = audit.difference({"name": row.name}, {"name": name})
    row.name = name
    await audit.record(session, actor, "document.renamed", name, target_id=row.id, changes=changes)


async def remove(session: Session, actor: Actor, document_id: DocumentId) -> str | None:
    """Delete a document with its pages, its passages and what the index holds of them. One that is gone is no error.

    Return the name of its file, which goes when nobody else needs it: at once, or later (worker: purge_files). Raises
    `Forbidden`, and `Conflict` while it is on hold.
    """
    row = await session.scalar(readable(Document, actor).where(Document.id == document_id))
    if row is None:
        return None
    await project_row(session, actor, row.project_id, ProjectRight.EDIT)
    await holds.require_free(session, user_id=row.user_id, project_id=row.project_id)
    # rights: it was read through readable()
    await session.execute(delete(Document).where(Document.id == row.id))
    await audit.record(
        session, actor, "document.deleted", row.name, target_id=document_id, project_id=str(row.project_id)
    )
    return row.sha256


async def is_needed(session: ReadSession, sha256: str) -> bool:
    """Return whether a document or a message needs a stored file."""
    # rights: the product's own clean-up; no content
    of_documents = exists().where(Document.sha256 == sha256)
    return bool(await session.scalar(select(or_(of_documents, exists().where(Attachment.sha256 == sha256)))))


async def list_documents(
    session: ReadSession, actor: Actor, project_id: ProjectId, *, name: str = "", offset: int = 0
) -> Listing:
    """Return a page of the documents of a project whose names hold `name`. Raises `NotFound`."""
    mine = await _of_project(session, actor, project_id)
    by_name = _named(mine, name).order_by(func.lower(Document.name), Document.id)
    rows = (await session.scalars(by_name.offset(offset).limit(LISTED + 1))).all()
    return await _listing(session, mine, rows[:LISTED], has_more=len(rows) > LISTED)


async def list_in_order(
    session: ReadSession, actor: Actor, project_id: ProjectId, *, after: DocumentId | None, limit: int
) -> tuple[DocumentInfo, ...]:
    """Return so many documents of a project after one, in the order they first came in. Raises `NotFound`."""
    mine = (await _of_project(session, actor, project_id)).order_by(Document.id)
    rows = await session.scalars((mine if after is None else mine.where(Document.id > after)).limit(limit))
    return tuple(map(_info, rows))


async def look_at(session: ReadSession, actor: Actor, project_id: ProjectId, ids: Collection[DocumentId]) -> Listing:
    """Return those of the documents of a project that are still there, as they are now. Raises `NotFound`."""
    mine = await _of_project(session, actor, project_id)
    rows = (await session.scalars(mine.where(Document.id.in_(ids)))).all() if ids else []
    return await _listing(session, mine, rows)


async def offer(session: ReadSession, actor: Actor, project_id: ProjectId, name: str) -> tuple[DocumentInfo, ...]:
    """Return the first of the documents of a project that can be searched and whose names hold `name`."""
    mine = await _of_project(session, actor, project_id)
    ready = _named(mine, name).where(Document.stage == DocumentStage.READY)
    rows = await session.scalars(ready.order_by(func.lower(Document.name), Document.id).limit(OFFERED))
    return tuple(map(_info, rows))


async def _of_project(session: ReadSession, actor: Actor, project_id: ProjectId) -> Select[Document]:
    require(actor, Permission.CHAT)
    await require_project(session, actor, project_id)
    return readable(Document, actor).where(Document.project_id == project_id)


def _named(mine: Select[Document], name: str) -> Select[Document]:
    return mine.where(func.lower(Document.name).contains(name.lower(), autoescape=True)) if name else mine


async def _listing(
    session: ReadSession, mine: Select[Document], rows: Sequence[Document], *, has_more: bool = False
) -> Listing:
    chosen = await settings.get(session, EMBEDDING_MODEL)
    model_id = None if chosen is None else ModelId(UUID(chosen))
    is_failed = Document.stage == DocumentStage.FAILED
    is_busy = Document.stage.not_in((DocumentStage.READY, DocumentStage.FAILED))
    waits = (Document.stage == DocumentStage.READY) & Document.embedded_by.is_distinct_from(model_id)
    figures = mine.with_only_columns(
        func.count(),
        func.count().filter(is_busy),
        func.count().filter(is_failed),
        func.count().filter(waits),
        func.sum(Document.size_bytes),
    )
    total, busy, failed, waiting, size = (await session.execute(figures)).one()
    being_read = mine.where(is_busy, Document.heartbeat_at.is_not(None)).order_by(Document.id).limit(BEING_READ)
    held = (await session.scalars(being_read)).all() if busy else []
    return Listing(
        tuple(map(_info, rows)), total, busy, failed, int(size or 0), tuple(map(_info, held)), has_more, model_id,
        0 if model_id is None else waiting,
    )  # fmt: skip


async def find(session: ReadSession, actor: Actor, document_id: DocumentId) -> DocumentInfo:
    """Return a document. Raises `NotFound`."""
    return _info(await _row(session, actor, document_id))


async def read_page(
    session: ReadSession, actor: Actor, document_id: DocumentId, number: int
) -> list[dict[str, Any]] | None:
    """Return the blocks of a page, None when there is no such page (yet)."""
    page = readable(DocumentPage, actor).where(DocumentPage.document_id == document_id, DocumentPage.number == number)
    row = await session.scalar(page)
    return None if row is None else row.blocks


async def read_pages(
    session: ReadSession, actor: Actor, document_id: DocumentId, *, most: int, after: int = 0
) -> list[tuple[int, list[dict[str, Any]]]]:
    """Return the first pages of a document after one, their numbers and blocks."""
    mine = readable(DocumentPage, actor).where(DocumentPage.document_id == document_id, DocumentPage.number > after)
    rows = await session.scalars(mine.order_by(DocumentPage.number).limit(most))
    return [(row.number, row.blocks) for row in rows]


async def passages_on(session: ReadSession, actor: Actor, document_id: DocumentId, number: int) -> tuple[Passage, ...]:
    """Return the passages of a document that are on a page, in reading order."""
    mine = readable(DocumentChunk, actor).where(
        DocumentChunk.document_id == document_id, DocumentChunk.page_from <= number, DocumentChunk.page_to >= number
    )
    rows = await session.scalars(mine.order_by(DocumentChunk.position))
    return tuple(Passage(row.id, row.text, row.page_from, row.page_to) for row in rows)


async def has_ready(session: ReadSession, actor: Actor, project_id: ProjectId) -> bool:
    """Return whether a project has a document that can be searched."""
    ready = readable(Document, actor).where(Document.project_id == project_id, Document.stage == DocumentStage.READY)
    return await session.scalar(ready.with_only_columns(Document.id).limit(1)) is not None


async def stored_names(session: ReadSession) -> frozenset[str]:
    """Return the names of all stored files that some document needs."""
    # rights: the product's own clean-up; no content
    return frozenset(await session.scalars(select(Document.sha256).distinct()))


async def _row(
    session: ReadSession, actor: Actor, document_id: DocumentId, right: ProjectRight = ProjectRight.ASK
) -> Document:
    require(actor, Permission.CHAT)
    row = await session.scalar(readable(Document, actor).where(Document.id == document_id))
    if row is None:
        raise NotFound("This document does not exist any more, or it is not yours. Pick one from the list.")
    if right is not ProjectRight.ASK:
        await project_row(session, actor, row.project_id, right)
    return row


def _info(row: Document) -> DocumentInfo:
    return DocumentInfo(
        row.id, row.project_id, row.name, row.media_type, row.size_bytes, row.sha256, row.source_url,
        row.version, row.stage, row.error_message and storable(row.error_message), row.remark, row.page_count,
        row.has_pages, row.chunk_count, row.tokens, row.embedded_by, row.embed_error and storable(row.embed_error),
    )  # fmt: skip
