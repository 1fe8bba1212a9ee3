"""The worker reads what was uploaded, says what it cannot read, and goes on after another one."""

import asyncio
from datetime import timedelta

from sqlalchemy import select, update

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.documents.ingest import GONE, NOTHING
from llm_ui.documents.retrieve import retrieve
from llm_ui.kit.clock import now
from llm_ui.kit.file_store import FileStore
from llm_ui.kit.ids import DocumentId, ProjectId
from llm_ui.models import Document, DocumentChunk, DocumentStage, ProjectColor, ProjectIcon
from llm_ui.services import documents, ingestion
from llm_ui.services.access import Actor
from llm_ui.services.documents import Arrived, DocumentInfo
from llm_ui.services.project_copies import begin_like
from llm_ui.worker.ingestion import keep_ingesting
from tests.documents.ready import a_project
from tests.worker.conftest import at_work

BIRDS = """# Herons

A grey heron weighs about two kilograms.

## Nests

Herons nest in colonies near water.
"""


def store(config: Config, content: bytes) -> str:
    new = FileStore(config.files_path).begin()
    new.write(content)
    return new.keep()


async def uploaded(
    database: Database, config: Config, actor: Actor, project_id: ProjectId, content: str, name: str = "birds.md"
) -> DocumentInfo:
    sha256 = await asyncio.to_thread(store, config, content.encode())
    async with database.writing() as session:
        info, _ = await documents.receive(session, actor, project_id, Arrived(name, len(content), sha256))
    return info


async def ended(database: Database, actor: Actor, document_id: DocumentId) -> DocumentInfo:
    async with asyncio.timeout(40):
        while True:
            async with database.reading() as session:
                info = await documents.find(session, actor, document_id)
            if not info.is_busy:
                return info
            await asyncio.sleep(0.05)


async def test_a_document_is_read_cut_and_found(database: Database, database_config: Config, a_user: Actor) -> None:
    project_id = await a_project(database, a_user)
    info = await uploaded(database, database_config, a_user, project_id, BIRDS)
    async with at_work(keep_ingesting, database_config, database):
        read = await ended(database, a_user, info.id)

    assert (read.stage, read.error_message, read.media_type) == (DocumentStage.READY, None, "text/markdown")
    assert read.chunk_count > 0
    assert read.tokens > 0
    async with database.reading() as session:
        (found, *_) = await retrieve(session, a_user, project_id, "Where do herons nest?")
        page = await documents.read_page(session, a_user, info.id, 1)
        passages = await documents.passages_on(session, a_user, info.id, 1)
    assert "colonies near water" in found.text
    assert page is not None
    assert page[0] == {"kind": "heading", "text": "Herons", "level": 1}
    assert found.chunk_id in {passage.id for passage in passages}


async def test_what_cannot_be_read_is_told_and_can_be_tried_again(
    database: Database, database_config: Config, a_user: Actor
) -> None:
    project_id = await a_project(database, a_user)
    empty = await uploaded(database, database_config, a_user, project_id, "\n \n", "empty.txt")
    lost = await uploaded(database, database_config, a_user, project_id, BIRDS)
    path = FileStore(database_config.files_path).path(lost.sha256)
    await asyncio.to_thread(path.unlink)
    async with at_work(keep_ingesting, database_config, database):
        first = await ended(database, a_user, empty.id)
        second = await ended(database, a_user, lost.id)
        await asyncio.to_thread(store, database_config, BIRDS.encode())
        async with database.writing() as session:
            await documents.retry(session, a_user, lost.id)
        again = await ended(database, a_user, lost.id)

    assert first.stage is DocumentStage.FAILED
    assert first.error_message
    assert (second.stage, second.error_message) == (DocumentStage.FAILED, GONE)
    assert (again.stage, again.error_message) == (DocumentStage.READY, None)
    assert NOTHING.endswith(".")


async def test_another_file_of_the_same_name_replaces_what_was_read(
    database: Database, database_config: Config, a_user: Actor
) -> None:
    project_id = await a_project(database, a_user)
    info = await uploaded(database, database_config, a_user, project_id, BIRDS)
    async with at_work(keep_ingesting, database_config, database):
        await ended(database, a_user, info.id)
        newer = await uploaded(database, database_config, a_user, project_id, "Storks clap their bills at the nest.")
        read = await ended(database, a_user, newer.id)
        same = await uploaded(database, database_config, a_user, project_id, BIRDS, "other.md")
        await ended(database, a_user, same.id)

    assert (newer.id, read.version) == (info.id, 2)
    assert same.id != info.id
    async with database.reading() as session:
        rows = select(DocumentChunk.text).where(DocumentChunk.document_id == info.id)
        assert list(await session.scalars(rows)) == ["Storks clap their bills at the nest."]


async def test_a_document_of_a_dead_worker_is_taken_over(
    database: Database, database_config: Config, a_user: Actor
) -> None:
    info = await uploaded(database, database_config, a_user, await a_project(database, a_user), BIRDS)
    async with database.writing() as session:
        assert await ingestion.claim(session) is not None
        await session.execute(update(Document).values(heartbeat_at=now() - timedelta(minutes=1)))
    async with at_work(keep_ingesting, database_config, database):
        read = await ended(database, a_user, info.id)

    assert read.stage is DocumentStage.READY


async def test_a_worker_that_ends_gives_its_document_back(
    database: Database, database_config: Config, a_user: Actor
) -> None:
    long = "\n\n".join(f"Heron {number} stands in the water and waits for fish." for number in range(60_000))
    info = await uploaded(database, database_config, a_user, await a_project(database, a_user), long, "long.txt")
    async with at_work(keep_ingesting, database_config, database):
        async with asyncio.timeout(30):
            while not await _is_begun(database, a_user, info.id):
                await asyncio.sleep(0.01)
    async with database.reading() as session:
        between = await documents.find(session, a_user, info.id)
    async with at_work(keep_ingesting, database_config, database):
        read = await ended(database, a_user, info.id)

    assert between.is_busy
    assert read.stage is DocumentStage.READY
    async with database.reading() as session:
        rows = await session.execute(
            select(DocumentChunk.position, DocumentChunk.text).order_by(DocumentChunk.position)
        )
        chunks = rows.all()
    assert [position for position, _ in chunks] == list(range(read.chunk_count))
    text = "\n".join(text for _, text in chunks)
    assert all(f"Heron {number} stands" in text for number in range(0, 60_000, 997))


async def _is_begun(database: Database, actor: Actor, document_id: DocumentId) -> bool:
    async with database.reading() as session:
        return (await documents.find(session, actor, document_id)).page_count > 0


async def test_a_copy_is_not_read_again_unless_its_original_is_gone(
    database: Database, database_config: Config, a_user: Actor
) -> None:
    original_id = await a_project(database, a_user)
    info = await uploaded(database, database_config, a_user, original_id, BIRDS)
    async with at_work(keep_ingesting, database_config, database):
        await ended(database, a_user, info.id)
    files = FileStore(database_config.files_path)
    aside = files.path(info.sha256).with_suffix(".aside")

    async def copy(name: str) -> DocumentInfo:
        async with database.writing() as session:
            look = ProjectColor.GREY, ProjectIcon.FOLDER
            project_id = await begin_like(session, a_user, original_id, name, look, with_documents=True)
            (found,) = (await documents.list_documents(session, a_user, project_id)).documents
        return found

    # Without the file nothing could be read.
    await asyncio.to_thread(files.path(info.sha256).rename, aside)
    taken_over = await copy("Taken over")
    async with at_work(keep_ingesting, database_config, database):
        first = await ended(database, a_user, taken_over.id)
    await asyncio.to_thread(aside.rename, files.path(info.sha256))
    read = await copy("Read")
    async with database.writing() as session:
        await documents.remove(session, a_user, info.id)
    async with at_work(keep_ingesting, database_config, database):
        second = await ended(database, a_user, read.id)

    for one in (first, second):
        assert (one.stage, one.sha256, one.chunk_count) == (DocumentStage.READY, info.sha256, first.chunk_count)
        async with database.reading() as session:
            found = await retrieve(session, a_user, one.project_id, "How heavy is a heron?")
        assert "two kilograms" in found[0].text
