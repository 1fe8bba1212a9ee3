"""Documents in the hands of workers: under a lease, whole or not at all, never twice."""

from datetime import timedelta

from sqlalchemy import delete, func, select, update

from llm_ui.db import Database
from llm_ui.kit.clock import now
from llm_ui.kit.reading import Block, BlockKind, Page
from llm_ui.models import Document, DocumentChunk, DocumentPage, DocumentStage
from llm_ui.services import documents, ingestion
from llm_ui.services.access import Actor
from llm_ui.services.ingestion import LEASE, MAX_ATTEMPTS, POISONED, NewChunk, Reading
from llm_ui.services.soundness import find_problems
from tests.documents.ready import a_document, a_project, received

PAGE = Page(1, (Block(BlockKind.HEADING, "Herons", 1), Block(BlockKind.TEXT, "They stand.")))


async def claimed(database: Database) -> Reading | None:
    async with database.writing() as session:
        return await ingestion.claim(session)


async def silent(database: Database) -> None:
    """Let the worker that holds a document be dead."""
    async with database.writing() as session:
        await session.execute(update(Document).values(heartbeat_at=now() - LEASE - timedelta(seconds=1)))


async def test_a_document_is_one_workers_at_a_time(database: Database, a_user: Actor) -> None:
    info = await received(database, a_user, await a_project(database, a_user))
    held = await claimed(database)

    assert held is not None
    assert (held.id, held.stage) == (info.id, DocumentStage.RECEIVED)
    assert await claimed(database) is None


async def test_the_next_worker_goes_on_where_a_dead_one_was(database: Database, a_user: Actor) -> None:
    await received(database, a_user, await a_project(database, a_user))
    dead = await claimed(database)
    assert dead is not None
    async with database.writing() as session:
        assert await ingestion.add_pages(session, dead, [PAGE])
    await silent(database)
    held = await claimed(database)
    assert held is not None

    async with database.writing() as session:
        assert held.page_count == 1
        assert not await ingestion.add_pages(session, dead, [PAGE]), "the dead one wakes up and writes nothing"
        assert not await ingestion.end_pages(session, dead, media_type="text/plain", has_pages=False, remark="")
        assert await ingestion.end_pages(session, held, media_type="text/plain", has_pages=False, remark="")
    async with database.reading() as session:
        assert await ingestion.stored_pages(session, held) == [PAGE]


async def test_passages_of_a_dead_worker_are_replaced(database: Database, a_user: Actor) -> None:
    await received(database, a_user, await a_project(database, a_user))
    dead = await claimed(database)
    assert dead is not None
    old = [NewChunk("", f"old {number}", 1, 1, 2) for number in range(3)]
    async with database.writing() as session:
        await ingestion.add_chunks(session, dead, 0, old)
    await silent(database)
    held = await claimed(database)
    assert held is not None

    async with database.writing() as session:
        assert not await ingestion.add_chunks(session, dead, 3, old)
        assert await ingestion.add_chunks(session, held, 0, [NewChunk("", "new", 1, 1, 1)])
        await ingestion.finish(session, held, chunk_count=1, tokens=1)
    async with database.reading() as session:
        assert list(await session.scalars(select(DocumentChunk.text))) == ["new"]
        assert (await documents.find(session, a_user, held.id)).stage is DocumentStage.READY


async def test_a_document_at_which_workers_die_is_put_aside(database: Database, a_user: Actor) -> None:
    project_id = await a_project(database, a_user)
    poison = await received(database, a_user, project_id)
    for _ in range(MAX_ATTEMPTS):
        assert await claimed(database) is not None
        await silent(database)
    fine = await received(database, a_user, project_id, "fine.txt")

    assert await claimed(database) is None
    held = await claimed(database)
    async with database.reading() as session:
        found = await documents.find(session, a_user, poison.id)
    assert (found.stage, found.error_message) == (DocumentStage.FAILED, POISONED)
    assert held is not None
    assert held.id == fine.id


async def test_a_document_that_is_given_back_counts_as_not_tried(database: Database, a_user: Actor) -> None:
    await received(database, a_user, await a_project(database, a_user))
    for _ in range(MAX_ATTEMPTS + 2):
        held = await claimed(database)
        assert held is not None
        async with database.writing() as session:
            await ingestion.release(session, held)


async def test_a_document_goes_with_all_that_was_made_of_it(database: Database, a_user: Actor) -> None:
    project_id = await a_project(database, a_user)
    document_id = await a_document(database, a_user, project_id, ["One heron.", "Two herons."])
    async with database.writing() as session:
        await documents.remove(session, a_user, document_id)
    async with database.reading() as session:
        for table in (Document, DocumentPage, DocumentChunk):
            assert await session.scalar(select(func.count()).select_from(table)) == 0


async def test_a_worker_whose_document_was_deleted_stops(database: Database, a_user: Actor) -> None:
    info = await received(database, a_user, await a_project(database, a_user))
    held = await claimed(database)
    assert held is not None
    async with database.writing() as session:
        await documents.remove(session, a_user, info.id)

    async with database.writing() as session:
        assert not await ingestion.beat(session, held)
        assert not await ingestion.add_pages(session, held, [PAGE])
        assert not await ingestion.add_chunks(session, held, 0, [NewChunk("", "text", 1, 1, 1)])


async def test_a_document_that_lacks_a_passage_is_no_sound_one(database: Database, a_user: Actor) -> None:
    document_id = await a_document(database, a_user, await a_project(database, a_user), ["One heron.", "Two herons."])
    async with database.reading() as session:
        assert await find_problems(session, database.dialect) == []
    async with database.writing() as session:
        await session.execute(delete(DocumentChunk).where(DocumentChunk.position == 1))

    async with database.reading() as session:
        (problem,) = await find_problems(session, database.dialect)
        assert (await documents.find(session, a_user, document_id)).chunk_count == 2
    assert problem == "1 documents are ready with other passages than were cut."
