"""Documents of projects: taken in, listed, looked at, renamed, given back, deleted. They are read by a worker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from llm_ui.api.principal import Api, Parts
from llm_ui.api.rest.door import Told, asks
from llm_ui.api.rest.wire import After, IfMatch, Limit, Page, cursor, lock_of, place, require_match, tagged
from llm_ui.contract.base import Wire
from llm_ui.db import ReadSession
from llm_ui.errors import InvalidInput, NotFound, TooLarge
from llm_ui.kit.file_store import FileStore, NewFile
from llm_ui.kit.ids import DocumentId, ProjectId
from llm_ui.models import DocumentStage, KeyScope
from llm_ui.observability.logging import get_logger
from llm_ui.services import documents
from llm_ui.services.access import Actor
from llm_ui.services.documents import FILES_LOCK, Arrived, DocumentInfo

log = get_logger(__name__)
router = APIRouter(prefix="/v1", route_class=Told)

Reader = Annotated[Actor, asks(KeyScope.DOCUMENTS_READ)]
Writer = Annotated[Actor, asks(KeyScope.DOCUMENTS_WRITE)]
MB = 1_000_000
BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


class DocumentChange(Wire):
    """What is to be different."""

    name: Annotated[str, Field(min_length=1, max_length=1_000)]


class Document(BaseModel):
    """A document, and how far it is read."""

    document_id: UUID
    project_id: UUID
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    source_url: str | None
    """Where it was fetched from."""
    version: int
    """Goes up when other bytes take its place."""
    stage: DocumentStage
    """`ready`: it can be searched; `failed`: `error_message` says why; any other: it is being read."""
    error_message: str | None
    page_count: int
    tokens: int


@router.get("/projects/{project_id}/documents")
async def list_documents(
    project_id: UUID, parts: Parts, actor: Reader, after: After = "", limit: Limit = 50
) -> Page[Document]:
    """Return the documents of a project in the order they first came in."""
    (last,) = place(after, UUID) if after else (None,)
    async with parts.database.reading() as session:
        found = await documents.list_in_order(session, actor, ProjectId(project_id), after=last, limit=limit + 1)
    shown = list(map(_view, found[:limit]))
    return Page(items=shown, next=cursor(str(shown[-1].document_id)) if len(found) > limit else None)


@router.post("/projects/{project_id}/documents", status_code=201, openapi_extra={"requestBody": {"content": BYTES}})
async def upload(
    project_id: UUID, request: Request, parts: Parts, actor: Writer, response: Response,
    name: Annotated[str, Query(min_length=1, max_length=1_000, description="What the file is called.")],
) -> Document:  # fmt: skip
    """Take in the file that is the body. The same bytes are one document; a file of the same name replaces it."""
    size = _told_size(request, parts, name)
    async with parts.database.reading() as session:
        await documents.admit(session, actor, ProjectId(project_id), name, size)
    async with _stored(request, parts, name) as file, parts.database.writing(lock=FILES_LOCK) as session:
        sha256 = await asyncio.to_thread(file.keep)
        arrived = Arrived(name, file.size, sha256)
        found, is_new = await documents.receive(session, actor, ProjectId(project_id), arrived)
    log.info("document.received", document_id=found.id, size_bytes=file.size, is_new=is_new, version=found.version)
    if not is_new:
        response.status_code = 200
    return tagged(response, _view(found))


@router.get("/documents/{document_id}")
async def read(document_id: UUID, parts: Parts, actor: Reader, response: Response) -> Document:
    """Return a document, and how far it is read."""
    async with parts.database.reading() as session:
        return await _read(session, actor, DocumentId(document_id), response)


@router.get("/documents/{document_id}/file", response_class=FileResponse, responses={200: {"content": BYTES}})
async def download(document_id: UUID, parts: Parts, actor: Reader) -> FileResponse:
    """Return the file, to be saved."""
    async with parts.database.reading() as session:
        found = await documents.find(session, actor, DocumentId(document_id))
    store = FileStore(parts.config.files_path)
    if not await asyncio.to_thread(store.has, found.sha256):
        raise NotFound("This file is not on the server any more. Add it again.")
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}",
        "ETag": f'"{found.sha256}"', "X-Content-Type-Options": "nosniff",
    }  # fmt: skip
    return FileResponse(store.path(found.sha256), media_type="application/octet-stream", headers=headers)


@router.patch("/documents/{document_id}")
async def rename(
    document_id: UUID, body: DocumentChange, parts: Parts, actor: Writer, response: Response, if_match: IfMatch = ""
) -> Document:
    """Give a document another name."""
    one = DocumentId(document_id)
    async with parts.database.writing(lock=lock_of(if_match, one)) as session:
        require_match(if_match, await _read(session, actor, one, response))
        await documents.rename(session, actor, one, body.name)
        await session.flush()
        return await _read(session, actor, one, response)


@router.delete("/documents/{document_id}", status_code=204)
async def delete(document_id: UUID, parts: Parts, actor: Writer, response: Response, if_match: IfMatch = "") -> None:
    """Delete a document with all that was made of it."""
    one = DocumentId(document_id)
    async with parts.database.writing(lock=lock_of(if_match, one)) as session:
        require_match(if_match, await _read(session, actor, one, response))
        await documents.remove(session, actor, one)


def _told_size(request: Request, parts: Api, name: str) -> int:
    """Return the size that is told before the file comes. Raises `TooLarge` and `InvalidInput`."""
    told = request.headers.get("content-length", "0")
    if not told.isdecimal():
        raise InvalidInput("Content-Length has to be a number. Correct it.")
    if int(told) > parts.config.max_document_mb * MB:
        raise _too_large(parts, name)
    return int(told)


@asynccontextmanager
async def _stored(request: Request, parts: Api, name: str) -> AsyncIterator[NewFile]:
    """Yield the file that is the body, once it is whole; it is gone afterwards unless it is kept."""
    file = await asyncio.to_thread(FileStore(parts.config.files_path).begin)
    try:
        async for piece in request.stream():
            if file.size + len(piece) > parts.config.max_document_mb * MB:
                raise _too_large(parts, name)
            await asyncio.to_thread(file.write, piece)
        if file.size == 0:
            raise InvalidInput("{name} is empty. Pick another file.", name=name)
        # What takes long comes before the lock.
        await asyncio.to_thread(file.settle)
        yield file
    finally:
        await asyncio.to_thread(file.discard)


def _too_large(parts: Api, name: str) -> TooLarge:
    most = parts.config.max_document_mb
    return TooLarge(
        "{name} is larger than {most} MB, which is the most. Make it smaller or split it.", name=name, most=most
    )


async def _read(session: ReadSession, actor: Actor, document_id: DocumentId, response: Response) -> Document:
    return tagged(response, _view(await documents.find(session, actor, document_id)))


def _view(one: DocumentInfo) -> Document:
    return Document(
        document_id=one.id,
        project_id=one.project_id,
        name=one.name,
        media_type=one.media_type,
        size_bytes=one.size_bytes,
        sha256=one.sha256,
        source_url=one.source_url,
        version=one.version,
        stage=one.stage,
        error_message=one.error_message,
        page_count=one.page_count,
        tokens=one.tokens,
    )
