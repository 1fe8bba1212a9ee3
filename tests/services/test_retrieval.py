"""What passages are found by, and the test set of a project: kept, changed and its own, on both databases."""

import pytest
from sqlalchemy import select

from llm_ui.db import Database
from llm_ui.errors import Conflict, InvalidInput, NotFound
from llm_ui.kit.ids import DocumentId, ProjectId
from llm_ui.models import RetrievalCase, Strategy
from llm_ui.services import documents, projects, retrieval
from llm_ui.services.access import Actor
from llm_ui.services.cutting import CuttingInfo, set_cutting
from llm_ui.services.retrieval import Case, NewCase
from tests.documents.seeding import a_document, a_project


async def cases_of(database: Database, actor: Actor, project_id: ProjectId) -> list[Case]:
    async with database.reading() as session:
        return list(await retrieval.list_cases(session, actor, project_id))


async def judged(
    database: Database, actor: Actor, project_id: ProjectId, document_id: DocumentId, question: str,
    passage: str = "A heron.", *, is_wanted: bool = True,
) -> None:  # fmt: skip
    async with database.writing() as session:
        await retrieval.judge(session, actor, project_id, NewCase(question, document_id, passage, is_wanted))


async def test_a_case_is_kept_changed_and_deleted(database: Database, a_user: Actor) -> None:
    project = await a_project(database, a_user)
    document = await a_document(database, a_user, project, ["A heron.", "A stork."])

    await judged(database, a_user, project, document, " What \n stands there? ")
    await judged(database, a_user, project, document, "What flies?", "A stork.")
    await judged(database, a_user, project, document, "What stands there?", "A stork.", is_wanted=False)
    await judged(database, a_user, project, document, "What stands there?", is_wanted=False)

    found = await cases_of(database, a_user, project)
    assert [(one.question, one.passage, one.is_wanted) for one in found] == [
        ("What stands there?", "A heron.", False),
        ("What stands there?", "A stork.", False),
        ("What flies?", "A stork.", True),
    ]
    assert found[0].document_name == "notes.txt"
    async with database.writing() as session:
        await retrieval.change(session, a_user, found[0].id, question="Who?", passage="", is_wanted=True)
        await retrieval.remove(session, a_user, found[1].id)
    left = await cases_of(database, a_user, project)
    assert [(one.question, one.passage, one.is_wanted) for one in left] == [
        ("Who?", "", True),
        ("What flies?", "A stork.", True),
    ]


async def test_cases_outlive_a_new_cut_and_go_with_their_document(database: Database, a_user: Actor) -> None:
    project = await a_project(database, a_user)
    document = await a_document(database, a_user, project, ["A heron."])
    await judged(database, a_user, project, document, "What stands there?")

    async with database.writing() as session:
        assert await set_cutting(session, a_user, project, CuttingInfo(passage_tokens=100)) == 1
    assert len(await cases_of(database, a_user, project)) == 1
    async with database.writing() as session:
        await documents.remove(session, a_user, document)

    assert await cases_of(database, a_user, project) == []


async def test_nobody_sees_or_touches_the_cases_of_others(
    database: Database, a_user: Actor, another_user: Actor, an_admin: Actor
) -> None:
    mine, theirs = await a_project(database, a_user), await a_project(database, another_user)
    document = await a_document(database, a_user, mine, ["A heron."])
    await judged(database, a_user, mine, document, "What stands there?")
    (case,) = await cases_of(database, a_user, mine)

    for stranger in (another_user, an_admin):
        with pytest.raises(NotFound):
            await cases_of(database, stranger, mine)
        for project in (mine, theirs):
            with pytest.raises(NotFound):
                await judged(database, stranger, project, document, "Is there a heron?")
        async with database.writing() as session:
            with pytest.raises(NotFound):
                await retrieval.change(session, stranger, case.id, question="?", passage="", is_wanted=False)
            with pytest.raises(NotFound):
                await retrieval.remove(session, stranger, case.id)
            with pytest.raises(NotFound):
                await retrieval.set_strategy(session, stranger, mine, Strategy.LEXICAL)
            assert await retrieval.strategy_of(session, stranger, mine) is None
            assert await retrieval.ready_documents(session, stranger, mine) == []
    other = await a_project(database, a_user, "Other")
    with pytest.raises(NotFound):
        await judged(database, a_user, other, document, "Is it in another project?")
    assert await cases_of(database, a_user, mine) == [case]


async def test_a_case_needs_a_question_and_a_test_set_has_an_end(
    database: Database, a_user: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrieval, "MAX_CASES", 1)
    monkeypatch.setattr(retrieval, "MAX_PASSAGE_CHARS", 8)
    project = await a_project(database, a_user)
    document = await a_document(database, a_user, project, ["A heron."])
    with pytest.raises(InvalidInput, match="needs a question"):
        await judged(database, a_user, project, document, " \x00 ")

    await judged(database, a_user, project, document, "Which?", "A heron stands.\x00")
    with pytest.raises(InvalidInput, match="1 cases, which is the most"):
        await judged(database, a_user, project, document, "Another?")

    async with database.reading() as session:
        assert (await session.scalars(select(RetrievalCase.passage))).all() == ["A heron "]


async def test_an_archived_project_keeps_its_test_set_as_it_is(database: Database, a_user: Actor) -> None:
    project = await a_project(database, a_user)
    document = await a_document(database, a_user, project, ["A heron."])
    await judged(database, a_user, project, document, "What stands there?")
    (case,) = await cases_of(database, a_user, project)
    async with database.writing() as session:
        await retrieval.set_strategy(session, a_user, project, Strategy.LEXICAL)
        await projects.archive(session, a_user, project, is_archived=True)

    async with database.writing() as session:
        with pytest.raises(Conflict):
            await retrieval.remove(session, a_user, case.id)
        with pytest.raises(Conflict):
            await retrieval.set_strategy(session, a_user, project, None)
        assert await retrieval.strategy_of(session, a_user, project) is Strategy.LEXICAL
    with pytest.raises(Conflict):
        await judged(database, a_user, project, document, "Another?")
    assert await cases_of(database, a_user, project) == [case]
