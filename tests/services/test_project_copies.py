"""Projects that are begun like another one, on both databases."""

import pytest
from sqlalchemy import select, update

from llm_ui.db import Database
from llm_ui.documents.retrieve import retrieve
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.kit.ids import DocumentId, ProjectId
from llm_ui.models import (
    Cutting,
    Document,
    DocumentChunk,
    DocumentPage,
    DocumentStage,
    ProjectColor,
    ProjectIcon,
    Strategy,
)
from llm_ui.services import chats, document_copies, documents, ingestion, memories, projects, retrieval
from llm_ui.services.access import Actor
from llm_ui.services.cutting import CuttingInfo, read_cutting, set_cutting
from llm_ui.services.document_copies import Step, take_over
from llm_ui.services.ingestion import Reading
from llm_ui.services.project_copies import begin_like
from llm_ui.services.projects import ProjectSettings
from llm_ui.services.retrieval import NewCase
from tests.documents.ready import a_document, a_project, received
from tests.services.test_branches import answered

LOOK = ProjectColor.PINK, ProjectIcon.STAR
TEXTS = [f"Heron number {number} is grey." for number in range(5)]


async def copied(database: Database, actor: Actor, original_id: ProjectId, *, with_documents: bool = True) -> ProjectId:
    async with database.writing() as session:
        return await begin_like(session, actor, original_id, "Copy", LOOK, with_documents=with_documents)


async def claimed(database: Database) -> Reading:
    async with database.writing() as session:
        held = await ingestion.claim(session)
    assert held is not None
    return held


async def step(database: Database, held: Reading) -> Step:
    async with database.writing() as session:
        return await take_over(session, held)


async def all_steps(database: Database, held: Reading) -> Step:
    while (last := await step(database, held)) is Step.MORE:
        pass
    return last


async def test_a_copy_has_instructions_settings_and_facts_and_no_chats(seeded: Database, a_user: Actor) -> None:
    looks = ProjectSettings(temperature=0.5, max_tokens=9, is_template=True, model_name="Gone")
    original_id = await a_project(seeded, a_user)
    async with seeded.writing() as session:
        await projects.save(session, a_user, original_id, "Herons", looks)
        await projects.change(session, a_user, original_id, instructions="Be brief.")
        await projects.let_memory_in(session, a_user, original_id, is_in=True)
        for text, is_on in (("One.", True), ("Two.", False)):
            await memories.save(session, a_user, None, text, is_on=is_on, project_id=original_id)
        await set_cutting(session, a_user, original_id, CuttingInfo(Cutting.PAGES, 200, 20))
        await retrieval.set_strategy(session, a_user, original_id, Strategy.VECTOR)
    await answered(seeded, a_user, "inside", "reply", project_id=original_id)
    await a_document(seeded, a_user, original_id, TEXTS)

    project_id = await copied(seeded, a_user, original_id, with_documents=False)

    async with seeded.reading() as session:
        copy = await projects.read(session, a_user, project_id)
        facts = await memories.list_memories(session, a_user, project_id)
        assert await read_cutting(session, a_user, project_id) == CuttingInfo(Cutting.PAGES, 200, 20)
        assert await retrieval.strategy_of(session, a_user, project_id) is Strategy.VECTOR
        assert (await documents.list_documents(session, a_user, project_id)).count == 0
        assert (await chats.list_chats(session, a_user, project_id=project_id)).items == ()
    assert (copy.name, copy.instructions, copy.lets_memory_in) == ("Copy", "Be brief.", True)
    assert copy.settings == ProjectSettings(*LOOK, model_name="Gone", temperature=0.5, max_tokens=9)
    assert [(fact.text, fact.is_on) for fact in facts] == [("One.", True), ("Two.", False)]


async def test_documents_are_taken_over_as_they_were_read(
    seeded: Database, a_user: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document_copies, "BATCH_PAGES", 2)
    monkeypatch.setattr(document_copies, "BATCH_CHUNKS", 2)
    original_id = await a_project(seeded, a_user)
    document_id = await a_document(seeded, a_user, original_id, TEXTS)
    for is_wanted in (True, False):
        async with seeded.writing() as session:
            case = NewCase(f"Which heron? {is_wanted}", document_id, TEXTS[3], is_wanted)
            await retrieval.judge(session, a_user, original_id, case)
    project_id = await copied(seeded, a_user, original_id)

    held = await claimed(seeded)
    assert [await step(seeded, held) for _ in range(4)] == [Step.MORE] * 4
    # The worker dies in between; the next one goes on.
    async with seeded.writing() as session:
        await ingestion.release(session, held)
    assert await all_steps(seeded, await claimed(seeded)) is Step.DONE

    async with seeded.reading() as session:
        (copy,) = (await documents.list_documents(session, a_user, project_id)).documents
        original = await documents.find(session, a_user, document_id)
        stored = select(DocumentChunk.position, DocumentChunk.text).where(DocumentChunk.document_id == copy.id)
        assert [tuple(row) for row in await session.execute(stored.order_by(DocumentChunk.position))] == [
            *enumerate(TEXTS)
        ]
        assert await documents.read_page(session, a_user, copy.id, 3) == await documents.read_page(
            session, a_user, document_id, 3
        )
        found = await retrieve(session, a_user, project_id, "Which heron is number 3?")
        cases = await retrieval.list_cases(session, a_user, project_id)
    assert [one.told() for one in cases] == [
        NewCase(f"Which heron? {is_wanted}", copy.id, TEXTS[3], is_wanted) for is_wanted in (True, False)
    ]
    assert (copy.stage, copy.sha256, copy.chunk_count) == (DocumentStage.READY, original.sha256, 5)
    assert (copy.page_count, copy.has_pages, copy.media_type, copy.tokens) == (5, True, "text/plain", original.tokens)
    assert {passage.document_id for passage in found} == {copy.id}


async def test_what_cannot_be_taken_over_is_read_from_the_file(seeded: Database, a_user: Actor) -> None:
    original_id = await a_project(seeded, a_user)
    document_id = await a_document(seeded, a_user, original_id, TEXTS)
    await copied(seeded, a_user, original_id)
    held = await claimed(seeded)
    assert await step(seeded, held) is Step.MORE
    async with seeded.writing() as session:
        await documents.retry(session, a_user, document_id)

    assert await step(seeded, held) is Step.NO_ORIGINAL

    async with seeded.reading() as session:
        row = await session.get_one(Document, held.id)
        left = select(DocumentPage.number).where(DocumentPage.document_id == held.id)
        assert (await session.scalars(left)).all() == []
    assert (row.stage, row.copy_of, row.page_count) == (DocumentStage.RECEIVED, None, 0)


async def test_nothing_is_taken_over_of_somebody_else(seeded: Database, a_user: Actor, another_user: Actor) -> None:
    theirs = await a_document(seeded, another_user, await a_project(seeded, another_user), TEXTS)
    mine = await received(seeded, a_user, await a_project(seeded, a_user))
    async with seeded.writing() as session:
        sha256 = (await session.get_one(Document, theirs)).sha256
        await session.execute(update(Document).where(Document.id == mine.id).values(copy_of=theirs, sha256=sha256))

    assert await step(seeded, await claimed(seeded)) is Step.NO_ORIGINAL


async def test_a_document_that_failed_stays_failed_and_one_that_is_gone_is_let_go(
    seeded: Database, a_user: Actor
) -> None:
    original_id = await a_project(seeded, a_user)
    await received(seeded, a_user, original_id)
    async with seeded.writing() as session:
        held = await ingestion.claim(session)
        assert held is not None
        await ingestion.fail(session, held, "It is broken.")
    await a_document(seeded, a_user, original_id, TEXTS, name="good.txt")
    project_id = await copied(seeded, a_user, original_id)

    held = await claimed(seeded)
    async with seeded.writing() as session:
        await documents.remove(session, a_user, DocumentId(held.id))
    assert await step(seeded, held) is Step.LOST

    async with seeded.reading() as session:
        (failed,) = (await documents.list_documents(session, a_user, project_id)).documents
    assert (failed.stage, failed.error_message) == (DocumentStage.FAILED, "It is broken.")


async def test_nobody_copies_a_project_of_others_or_under_a_name_that_is_taken(
    seeded: Database, a_user: Actor, another_user: Actor, an_admin: Actor
) -> None:
    original_id = await a_project(seeded, a_user)

    for stranger in (another_user, an_admin):
        with pytest.raises(NotFound):
            await copied(seeded, stranger, original_id)
        async with seeded.reading() as session:
            assert await projects.list_projects(session, stranger) == ()
    await copied(seeded, a_user, original_id)
    with pytest.raises(InvalidInput, match="already"):
        await copied(seeded, a_user, original_id)


async def test_a_copy_that_is_to_be_cut_otherwise_is_read_from_the_file(seeded: Database, a_user: Actor) -> None:
    original_id = await a_project(seeded, a_user)
    await a_document(seeded, a_user, original_id, TEXTS)
    project_id = await copied(seeded, a_user, original_id)
    held = await claimed(seeded)
    assert await step(seeded, held) is Step.MORE
    async with seeded.writing() as session:
        await set_cutting(session, a_user, project_id, CuttingInfo(Cutting.PAGES, 200, 20))

    assert await step(seeded, held) is Step.NO_ORIGINAL
