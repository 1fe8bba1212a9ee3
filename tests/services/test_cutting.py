"""How documents of a project are cut: set, kept within bounds, and done anew with all that were read."""

import pytest
from sqlalchemy import select

from llm_ui.db import Database
from llm_ui.errors import Conflict, InvalidInput, NotFound
from llm_ui.models import Cutting, Document, DocumentStage
from llm_ui.services import ingestion, projects
from llm_ui.services.access import Actor
from llm_ui.services.cutting import CuttingInfo, read_cutting, set_cutting
from llm_ui.services.ingestion import NewChunk
from tests.documents.seeding import a_document, a_project

SLIDES = CuttingInfo(Cutting.PAGES, 200, 20)


async def test_all_that_were_read_are_cut_anew(database: Database, a_user: Actor) -> None:
    project, other = [await a_project(database, a_user, name) for name in ("Mine", "Other")]
    ready = await a_document(database, a_user, project, ["A heron."])
    failed = await a_document(database, a_user, project, [], stage=DocumentStage.FAILED)
    elsewhere = await a_document(database, a_user, other, ["A stork."])

    async with database.writing() as session:
        count = await set_cutting(session, a_user, project, SLIDES)

    async with database.reading() as session:
        stages = {one: stage for one, stage in await session.execute(select(Document.id, Document.stage))}
        assert await read_cutting(session, a_user, project) == SLIDES
        assert await read_cutting(session, a_user, other) == CuttingInfo()
    assert count == 1
    assert stages[ready] is DocumentStage.PARSED
    assert (stages[failed], stages[elsewhere]) == (DocumentStage.FAILED, DocumentStage.READY)


@pytest.mark.parametrize(
    ("tokens", "overlap", "said"),
    [(49, 0, "50 to 2"), (2_001, 0, "50 to 2"), (100, 51, "here 50"), (100, -1, "here 50")],
)
async def test_passages_have_bounds(database: Database, a_user: Actor, tokens: int, overlap: int, said: str) -> None:
    project = await a_project(database, a_user)

    with pytest.raises(InvalidInput, match=said):
        async with database.writing() as session:
            await set_cutting(session, a_user, project, CuttingInfo(Cutting.STRUCTURE, tokens, overlap))


async def test_it_is_a_matter_of_who_has_the_project_and_while_it_is_open(
    database: Database, a_user: Actor, an_admin: Actor
) -> None:
    project = await a_project(database, a_user)
    with pytest.raises(NotFound):
        async with database.writing() as session:
            await set_cutting(session, an_admin, project, SLIDES)
    async with database.writing() as session:
        await projects.archive(session, a_user, project, is_archived=True)

    with pytest.raises(Conflict):
        async with database.writing() as session:
            await set_cutting(session, a_user, project, SLIDES)


async def test_a_worker_that_cuts_the_old_way_loses_the_document(database: Database, a_user: Actor) -> None:
    project = await a_project(database, a_user)
    document = await a_document(database, a_user, project, [], stage=DocumentStage.PARSED)
    async with database.writing() as session:
        held = await ingestion.claim(session)
        assert held is not None
        await set_cutting(session, a_user, project, SLIDES)

    async with database.writing() as session:
        assert not await ingestion.add_chunks(session, held, 0, [NewChunk("", "A heron.", 1, 1, 3)])
    async with database.writing() as session:
        again = await ingestion.claim(session)
        assert await set_cutting(session, a_user, project, SLIDES) == 0, "nothing is done when nothing is changed"
    assert again is not None
    assert again.id == document
