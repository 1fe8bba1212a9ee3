"""Finding passages: what is found, in which order, and never what is somebody else's."""

import dataclasses

import pytest
from sqlalchemy import delete, select, update

from llm_ui.db import Database
from llm_ui.documents.retrieve import Passage, retrieve
from llm_ui.kit.ids import DocumentId, ProjectId, uuid7
from llm_ui.models import Document, DocumentStage, Project
from llm_ui.services.access import Actor
from tests.documents.seeding import a_document, a_project

SECRET = "The code of the vault under the harbour is {}."


async def ask(
    database: Database, actor: Actor, project_id: ProjectId, query: str, **options: object
) -> tuple[Passage, ...]:
    async with database.reading() as session:
        return await retrieve(session, actor, project_id, query, **options)  # type: ignore[arg-type]


async def texts(database: Database, actor: Actor, project_id: ProjectId, query: str, **options: object) -> list[str]:
    return [passage.text for passage in await ask(database, actor, project_id, query, **options)]


async def test_a_passage_comes_with_all_that_is_shown_of_it(database: Database, a_user: Actor) -> None:
    project = await a_project(database, a_user)
    document = await a_document(
        database,
        a_user,
        project,
        ["Apples keep until March.", "Pears do not."],
        name="fruit.md",
        titles=["Store\nFruit"],
    )

    (found,) = await ask(database, a_user, project, "How long do apples keep?")

    assert found.score > 0
    assert dataclasses.replace(found, score=0.0) == Passage(
        found.chunk_id, document, "fruit.md", False, 0, "Store\nFruit", "Apples keep until March.", 1, 1, 6, 0.0
    )


async def test_what_holds_more_and_rarer_words_comes_first_and_what_barely_matches_is_left_out(
    database: Database, a_user: Actor
) -> None:
    project = await a_project(database, a_user)
    common = [f"The engine of boat {number} was painted." for number in range(20)]
    await a_document(
        database, a_user, project, [*common, "The engine of the tug leaks oil.", "Oil lamps hang in the tug."]
    )

    found = await texts(database, a_user, project, "Why does the engine leak oil?")

    assert found == ["The engine of the tug leaks oil.", "Oil lamps hang in the tug."]
    assert len(await texts(database, a_user, project, "Which engines are painted?")) == 8


async def test_words_that_nobody_wrote_hide_nothing(database: Database, a_user: Actor) -> None:
    project = await a_project(database, a_user)
    other = [f"Boat {number} was painted in spring." for number in range(60)]
    herons = [f"Heron {number} stands in the reeds." for number in range(6)]
    await a_document(database, a_user, project, [*other, *herons])

    asked = "Summarise the overall thinking of this author regarding herons, comprehensively."

    assert sorted(await texts(database, a_user, project, asked)) == herons


async def test_headings_are_found_and_count_more(database: Database, a_user: Actor) -> None:
    project = await a_project(database, a_user)
    passages = ["Wait ten days.", "Wait ten days for refunds.", "Nothing else is said here."]
    await a_document(database, a_user, project, passages, titles=["Refunds"])

    assert await texts(database, a_user, project, "refund") == passages[:2]


SAID = {
    "Die Prüfungen waren lang.": "prufungen",
    "Ein Kafer krabbelt.": "KÄFER",
    "It was running late.": "Who runs?",
    "Its state-of-the-art pump (type B/7) hums.": "pump type b 7",
    "Крейсер вышел в море.": "крейсер",
    "To be or not to be.": "to be or not",
    "Der Krieg, war is over.": "the war",
    "see https://example.org/handbook/index.html": "handbook",
    "mail ann@example.org": "ann",
    "release 4.17 of it": "4.17",
    "It’s snake_case.": "snake",
}
"""What passages say and how it is asked for."""


async def test_words_are_found_however_they_are_written(database: Database, a_user: Actor) -> None:
    project = await a_project(database, a_user)
    await a_document(database, a_user, project, ["Something else entirely.", *SAID])

    found = {said: await texts(database, a_user, project, query) for said, query in SAID.items()}

    assert found == {said: [said] for said in SAID}


TYPED = [
    "", " ", "?!", '"', "'", "\\", "%", "*", "^", "-", "--", "()", "NEAR", "AND OR NOT", "a NEAR/2 b", "title:x",
    "text : x", "harbour*", "^harbour", '"harbour', "harbour\x00vault", "\x00", "\ud800", "harbour \udfff",
    "{harbour}", ":harbour & !|<->", "1:harbour", "e\u0301" * 5_000, "½ ² Ⅷ", "漢字", "a" * 1_000_000,
    "harbour " * 130_000, "\u202e harbour", " ".join(f"w{number}" for number in range(50_000)),
]  # fmt: skip


async def test_nothing_that_is_typed_is_an_error(database: Database, a_user: Actor) -> None:
    project = await a_project(database, a_user)
    await a_document(database, a_user, project, [SECRET.format(1)])

    for typed in TYPED:
        found = await texts(database, a_user, project, typed)

        assert found == ([SECRET.format(1)] if "harbour" in typed else []), typed[:50]


async def test_how_much_is_found_is_limited(database: Database, a_user: Actor) -> None:
    project = await a_project(database, a_user)
    await a_document(database, a_user, project, ["harbour", "harbour " + "of many other words " * 20, "harbour gate"])

    assert len(await ask(database, a_user, project, "harbour", most=2)) == 2
    assert await ask(database, a_user, project, "harbour", most=0) == ()


async def test_what_two_documents_say_alike_is_found_once(database: Database, a_user: Actor) -> None:
    project = await a_project(database, a_user)
    first = await a_document(database, a_user, project, ["The harbour is deep.", "The quay of the harbour is long."])
    await a_document(database, a_user, project, ["The  HARBOUR\nis deep."] * 2)

    found = await ask(database, a_user, project, "harbour", most=2)

    assert [passage.document_id for passage in found] == [first, first]


@pytest.fixture
async def walls(database: Database, a_user: Actor, another_user: Actor) -> dict[str, ProjectId]:
    """Projects of two people that hold nearly the same; a document of each stage in the first."""
    projects = {
        "mine": await a_project(database, a_user, "mine"),
        "my other": await a_project(database, a_user, "my other"),
        "theirs": await a_project(database, another_user, "theirs"),
    }
    for name, project in projects.items():
        owner = another_user if name == "theirs" else a_user
        await a_document(database, owner, project, [SECRET.format(name), f"vault {name}"], name=name)
    for stage in DocumentStage:
        if stage is not DocumentStage.READY:
            await a_document(database, a_user, projects["mine"], [SECRET.format(stage)], stage=stage)
    return projects


QUESTIONS = ("vault", "What is the code of the vault under the harbour?", "theirs", "mine my other theirs vault code")


@pytest.mark.parametrize("query", QUESTIONS)
async def test_a_project_finds_only_what_is_its_own(
    database: Database, a_user: Actor, another_user: Actor, walls: dict[str, ProjectId], query: str
) -> None:
    for name, project in walls.items():
        owner, stranger = (another_user, a_user) if name == "theirs" else (a_user, another_user)

        assert set(await texts(database, owner, project, query, most=100)) <= {SECRET.format(name), f"vault {name}"}
        assert await ask(database, stranger, project, query, most=100) == ()


async def test_documents_of_another_project_cannot_be_named(
    database: Database, a_user: Actor, another_user: Actor, walls: dict[str, ProjectId]
) -> None:
    ids = {name: await documents_of(database, project) for name, project in walls.items()}
    everything = [one for some in ids.values() for one in some]

    assert await ask(database, a_user, walls["mine"], "vault", documents=ids["theirs"]) == ()
    assert await ask(database, a_user, walls["mine"], "vault", documents=ids["my other"]) == ()
    assert await ask(database, a_user, walls["mine"], "vault", documents=[DocumentId(uuid7())]) == ()
    assert await ask(database, a_user, walls["theirs"], "vault", documents=everything) == ()
    found = await texts(database, a_user, walls["mine"], "vault", documents=everything)
    assert sorted(found) == [SECRET.format("mine"), "vault mine"]


async def documents_of(database: Database, project: ProjectId) -> list[DocumentId]:
    async with database.reading() as session:
        return list(await session.scalars(select(Document.id).where(Document.project_id == project)))


async def test_a_document_is_found_once_it_is_ready_and_until_it_is_deleted(database: Database, a_user: Actor) -> None:
    project = await a_project(database, a_user)
    kept = await a_document(database, a_user, project, ["harbour one"])
    document = await a_document(database, a_user, project, ["harbour two"], stage=DocumentStage.PARSED)
    assert await texts(database, a_user, project, "harbour") == ["harbour one"]

    async with database.writing() as session:
        await session.execute(update(Document).where(Document.id == document).values(stage=DocumentStage.READY))
    assert len(await texts(database, a_user, project, "harbour")) == 2
    assert await texts(database, a_user, project, "harbour", documents=[document]) == ["harbour two"]

    async with database.writing() as session:
        await session.execute(delete(Document).where(Document.id == kept))
    assert await texts(database, a_user, project, "harbour") == ["harbour two"]


async def test_what_others_wrote_does_not_change_the_order_or_the_scores(
    database: Database, a_user: Actor, another_user: Actor
) -> None:
    project = await a_project(database, a_user)
    passages = [f"alpha beta gamma {number}" for number in range(6)]
    await a_document(database, a_user, project, [*passages, "alpha beta delta", "delta alpha alpha gamma"])
    before = await ask(database, a_user, project, "alpha beta gamma delta", most=100)

    # As long as the others on the whole: the mean length of a passage is the one thing that FTS5 has in common.
    theirs = await a_project(database, another_user)
    await a_document(database, another_user, theirs, ["delta delta delta delta", "delta gamma x y"] * 200)
    after = await ask(database, a_user, project, "alpha beta gamma delta", most=100)

    assert [passage.text for passage in after] == [passage.text for passage in before]
    assert [passage.score for passage in after] == pytest.approx([passage.score for passage in before], rel=0.02)


async def test_a_deleted_project_is_gone(database: Database, a_user: Actor) -> None:
    project = await a_project(database, a_user)
    await a_document(database, a_user, project, ["harbour"])
    async with database.writing() as session:
        await session.execute(delete(Project).where(Project.id == project))

    assert await ask(database, a_user, project, "harbour") == ()
