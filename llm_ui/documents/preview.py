"""How a document would be cut: seen before all documents of its project are cut that way."""

import asyncio
from dataclasses import dataclass

from llm_ui.db import Database
from llm_ui.documents.ingest import cut
from llm_ui.errors import Conflict
from llm_ui.kit.ids import DocumentId
from llm_ui.kit.reading import Block, Page
from llm_ui.services.access import Actor
from llm_ui.services.cutting import CuttingInfo, checked
from llm_ui.services.documents import find, read_pages
from llm_ui.services.ingestion import NewChunk

MOST_PAGES = 50
"""So much of a document is cut: it shows how, and takes some ten milliseconds."""
SHOWN = 40
"""Passages."""


@dataclass(frozen=True, slots=True)
class CutPreview:
    """The first passages of a document as it would be cut."""

    passages: tuple[NewChunk, ...]
    count: int
    """Of all that were cut."""
    mean_tokens: int
    is_all: bool
    """Whether the whole document was cut."""


async def preview(database: Database, actor: Actor, document_id: DocumentId, cutting: CuttingInfo) -> CutPreview:
    """Return how a document would be cut. Raises `InvalidInput`, `NotFound`, and `Conflict` before it is read."""
    checked(cutting)
    async with database.reading() as session:
        document = await find(session, actor, document_id)
        stored = await read_pages(session, actor, document_id, most=MOST_PAGES)
    if not stored:
        raise Conflict("{name} is not read yet. Wait a moment, or pick another document.", name=document.name)
    pages = [Page(number, tuple(map(Block.of, blocks))) for number, blocks in stored]
    found = await asyncio.to_thread(cut, pages, cutting)
    mean = sum(one.tokens for one in found) // len(found) if found else 0
    return CutPreview(tuple(found[:SHOWN]), len(found), mean, document.page_count <= len(pages))
