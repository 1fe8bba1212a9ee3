"""Documents that are ready to be searched, stored as the worker stores them."""

from collections.abc import Sequence

from llm_ui.db import Database
from llm_ui.kit.ids import DocumentId, ProjectId, uuid7
from llm_ui.kit.reading import Block, BlockKind, Page
from llm_ui.services import documents, ingestion, projects
from llm_ui.services.access import Actor
from llm_ui.services.documents import Arrived, DocumentInfo
from llm_ui.services.ingestion import NewChunk


async def a_project(database: Database, actor: Actor, name: str = "Herons") -> ProjectId:
    async with database.writing() as session:
        return await projects.save(session, actor, None, name)


async def received(database: Database, actor: Actor, project_id: ProjectId, name: str = "birds.txt") -> DocumentInfo:
    """A document that waits to be read; its bytes are no other's."""
    async with database.writing() as session:
        info, _ = await documents.receive(session, actor, project_id, Arrived(name, 10, f"{uuid7().hex:0>64}"))
    return info


async def a_document(
    database: Database, actor: Actor, project_id: ProjectId, passages: Sequence[str], *, name: str = "birds.txt"
) -> DocumentId:
    """A document that is ready: a page for each passage."""
    info = await received(database, actor, project_id, name)
    async with database.writing() as session:
        held = await ingestion.claim(session)
        assert held is not None
        assert held.id == info.id
        pages = [Page(number, (Block(BlockKind.TEXT, text),)) for number, text in enumerate(passages, 1)]
        await ingestion.add_pages(session, held, pages)
        await ingestion.end_pages(session, held, media_type="text/plain", has_pages=True, remark="")
        chunks = [NewChunk("", text, number, number, 10) for number, text in enumerate(passages, 1)]
        await ingestion.add_chunks(session, held, 0, chunks)
        await ingestion.finish(session, held, chunk_count=len(chunks), tokens=10 * len(chunks))
    return info.id
