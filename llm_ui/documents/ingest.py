"""From a stored file to passages that are found: read, cut, indexed. Each step is committed where the next begins."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace

from llm_ui.db import Database
from llm_ui.documents.chunk import Chunk, Chunking, chunks
from llm_ui.documents.sandbox import End, read_file
from llm_ui.errors import InvalidInput
from llm_ui.kit.file_store import FileStore
from llm_ui.kit.i18n import later
from llm_ui.kit.reading import Page
from llm_ui.models import Cutting, DocumentStage
from llm_ui.services import ingestion
from llm_ui.services.cutting import CuttingInfo, cutting_of
from llm_ui.services.document_copies import Step, take_over
from llm_ui.services.ingestion import NewChunk, Reading

BATCH_PAGES = 50
BATCH_S = 1.0
"""Pages are stored at least so often, so that the list shows how far it is."""
BATCH_CHUNKS = 200
"""Of one transaction: some 20 ms, for which everybody else's writes wait."""
NOTHING = later("No text was found in this file. A scan has to be made readable first, for example by an OCR program.")
GONE = later("The file is not on the server any more. Upload it again.")


async def ingest(database: Database, store: FileStore, held: Reading) -> bool:
    """Read a document to its end; return whether it came to one, which it does not when it is gone meanwhile.

    Raises `InvalidInput` with a sentence for its person when it cannot be read.
    """
    if held.copy_of is not None:
        step = await _take_over(database, held)
        if step is not Step.NO_ORIGINAL:
            return step is Step.DONE
        held = replace(held, copy_of=None, page_count=0)
    if held.stage is DocumentStage.RECEIVED and not await _read(database, store, held):
        return False
    async with database.reading() as session:
        pages = await ingestion.stored_pages(session, held)
        cutting = await cutting_of(session, held.project_id)
    found = await asyncio.to_thread(cut, pages, cutting)
    if not found:
        raise InvalidInput(NOTHING)
    position = 0
    for batch in _batches(found):
        async with database.writing() as session:
            if not await ingestion.add_chunks(session, held, position, batch):
                return False
        position += len(batch)
    async with database.writing() as session:
        await ingestion.finish(session, held, chunk_count=position, tokens=sum(one.tokens for one in found))
    return True


async def _take_over(database: Database, held: Reading) -> Step:
    """Take over what was read of the original, until there is no more or it cannot be gone on with."""
    while True:
        async with database.writing() as session:
            step = await take_over(session, held)
        if step is not Step.MORE:
            return step


async def _read(database: Database, store: FileStore, held: Reading) -> bool:
    """Store the pages that are not stored yet; return whether to go on."""
    path = store.path(held.sha256)
    if not await asyncio.to_thread(path.is_file):
        raise InvalidInput(GONE)
    waiting: list[Page] = []
    stored_at = time.monotonic()
    async with aclosing(read_file(path, held.name, after_page=held.page_count)) as read:
        async for found in read:
            if isinstance(found, Page):
                waiting.append(found)
            is_due = len(waiting) >= BATCH_PAGES or time.monotonic() - stored_at > BATCH_S
            if waiting and (is_due or isinstance(found, End)):
                async with database.writing() as session:
                    if not await ingestion.add_pages(session, held, waiting):
                        return False
                waiting, stored_at = [], time.monotonic()
            if isinstance(found, End):
                async with database.writing() as session:
                    return await ingestion.end_pages(
                        session, held, media_type=found.media_type, has_pages=found.has_pages, remark=found.remark
                    )
    return False


def cut(pages: Sequence[Page], cutting: CuttingInfo) -> list[NewChunk]:
    """Return the passages of pages, cut as a project wants it."""
    chunking = Chunking(cutting.passage_tokens, cutting.overlap_tokens, cutting.by is Cutting.PAGES)
    return [_new(chunk) for chunk in chunks(pages, chunking)]


def _new(chunk: Chunk) -> NewChunk:
    return NewChunk("\n".join(chunk.title_path), chunk.text, chunk.page_from, chunk.page_to, chunk.tokens)


def _batches(found: Sequence[NewChunk]) -> list[Sequence[NewChunk]]:
    return [found[start : start + BATCH_CHUNKS] for start in range(0, len(found), BATCH_CHUNKS)]
