"""The index follows the passages, whatever is done to them, and is built anew from those that are there."""

from dataclasses import replace

import pytest
from sqlalchemy import delete, func, select, text, update

from llm_ui import migrations
from llm_ui.db import Database
from llm_ui.documents.index import INDEXES, index_of
from llm_ui.documents.index.base import Asked, Corner, Word, number_of, rarest, weight
from llm_ui.documents.index.merge import promising
from llm_ui.documents.index.words import MAX_WORDS, STOP_WORDS, question_words
from llm_ui.kit.ids import ProjectId
from llm_ui.models import Document, DocumentChunk, Project, User
from llm_ui.services.access import Actor
from tests.documents.seeding import a_document, a_project

PASSAGES = ["The harbour is deep.", "Ships in the harbour.", "A harbour, a harbour, a harbour!"]


async def corner(database: Database, project_id: ProjectId) -> Corner:
    async with database.reading() as session:
        number = await number_of(session, project_id)
    assert number is not None
    return Corner(number, mean_tokens=6.0)


async def held(database: Database, where: Corner, word: str) -> int:
    """Return how many passages hold a word, as the index has it."""
    async with database.reading() as session:
        found = await index_of(session).count(session, where, [word], 100)
    return found[0].passages if found else 0


async def require_sound(database: Database) -> None:
    """Fail when SQLite's index is damaged or has rows that no passage has."""
    async with database.writing() as session:
        passages = await session.scalar(select(func.count()).select_from(DocumentChunk))
        table = "search_passages_docsize" if database.dialect == "sqlite" else "search_passages"
        assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == passages
        if database.dialect == "sqlite":
            check = "INSERT INTO search_passages (search_passages) VALUES ('integrity-check')"
            await session.execute(text(check))


@pytest.mark.parametrize("gone", ["passage", "document", "project", "owner"])
async def test_what_is_deleted_leaves_the_index(database: Database, a_user: Actor, gone: str) -> None:
    project = await a_project(database, a_user)
    kept = await a_project(database, a_user, "kept") if gone != "owner" else None
    document = await a_document(database, a_user, project, PASSAGES)
    if kept is not None:
        await a_document(database, a_user, kept, PASSAGES)
    where = await corner(database, project)
    assert await held(database, where, "harbour") == 3

    deleting = {
        "passage": delete(DocumentChunk).where(DocumentChunk.document_id == document, DocumentChunk.position == 1),
        "document": delete(Document).where(Document.id == document),
        "project": delete(Project).where(Project.id == project),
        "owner": delete(User).where(User.id == a_user.user_id),
    }
    async with database.writing() as session:
        await session.execute(deleting[gone])

    assert await held(database, where, "harbour") == (2 if gone == "passage" else 0)
    if kept is not None:
        assert await held(database, await corner(database, kept), "harbour") == 3
    await require_sound(database)
    async with database.reading() as session:
        assert (await number_of(session, project) is None) == (gone in ("project", "owner"))


async def test_what_is_changed_is_found_as_it_is_now(database: Database, a_user: Actor) -> None:
    project, other = await a_project(database, a_user), await a_project(database, a_user, "other")
    document = await a_document(database, a_user, project, PASSAGES, titles=["Depth"])
    await a_document(database, a_user, other, ["Nothing."])
    where, elsewhere = await corner(database, project), await corner(database, other)
    first = DocumentChunk.document_id == document, DocumentChunk.position == 0

    async with database.writing() as session:
        await session.execute(update(DocumentChunk).where(*first).values(text="The quay is long.", title_path="Length"))
    assert [await held(database, where, word) for word in ("harbour", "depth", "quay", "length")] == [2, 0, 1, 1]

    async with database.writing() as session:
        await session.execute(update(DocumentChunk).where(*first).values(project_id=other))
    assert await held(database, where, "quay") == 0
    assert await held(database, elsewhere, "quay") == 1
    await require_sound(database)


async def test_the_index_is_built_from_what_is_there(database: Database, a_user: Actor) -> None:
    project, other = await a_project(database, a_user), await a_project(database, a_user, "other")
    await a_document(database, a_user, project, PASSAGES, titles=["Depth"])
    await a_document(database, a_user, other, ["A harbour elsewhere."])

    await migrations.downgrade(database, "0015")
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(DocumentChunk)) == 4
    await migrations.upgrade(database)

    assert await held(database, await corner(database, project), "harbour") == 3
    assert await held(database, await corner(database, project), "depth") == 1
    assert await held(database, await corner(database, other), "harbour") == 1
    await require_sound(database)


async def test_a_word_counts_as_okapi_bm25_has_it(database: Database, a_user: Actor) -> None:
    project = await a_project(database, a_user)
    passages = ["alpha " * times + "beta " * (10 - times) for times in range(8)]
    await a_document(database, a_user, project, passages)
    async with database.reading() as session:
        mean = await session.scalar(select(func.avg(DocumentChunk.tokens)))
        where = replace(await corner(database, project), mean_tokens=float(mean or 0))
        (word,) = await index_of(session).count(session, where, ["alpha"], 100)
        (held_by,) = await index_of(session).holders(session, where, [word.term], 100)
        passages = [int(number) for number in held_by.split(",")]
        hits = await index_of(session).best(session, where, [Asked(word.term, 3.0)], passages, most=10)

    # All passages have ten words, the mean: f (k1 + 1) / (f + k1).
    expected = [3.0 * times * 2.2 / (times + 1.2) for times in range(7, 0, -1)]
    assert word == Word(word.term, 7)
    assert [hit.score for hit in hits] == pytest.approx(expected, rel=0.05)


def test_what_holds_more_and_rarer_words_is_promising() -> None:
    lists = ["7,9", "9,5,7,3", "4"]

    assert promising(lists, [2.0, 1.0, 1.5], 10) == [7, 9, 4, 5, 3]
    assert promising(lists, [2.0, 1.0, 1.5], 2) == [7, 9]
    assert promising(["", "3"], [1.0, 1.0], 5) == [3]
    assert promising(["", ""], [1.0, 1.0], 5) == []


async def test_of_a_word_that_many_passages_hold_only_so_many_are_read(database: Database, a_user: Actor) -> None:
    project = await a_project(database, a_user)
    await a_document(database, a_user, project, PASSAGES)
    where = await corner(database, project)

    async with database.reading() as session:
        index = index_of(session)
        (word,) = await index.count(session, where, ["harbour"], 2)
        lists = await index.holders(session, where, [word.term], 2)

    assert word.passages == 2
    assert [len(numbers.split(",")) for numbers in lists] == [2]


def test_the_rarest_words_are_taken_and_at_least_one() -> None:
    held = [Word("a", 3), Word("b", 3), Word("c", 5)]

    assert rarest(held, 100) == held
    assert rarest(held, 6) == held[:2]
    assert rarest(held, 1) == held[:1]


def test_a_word_weighs_less_the_more_passages_hold_it() -> None:
    assert weight(100, 1) == pytest.approx(4.2097, abs=1e-4)
    assert weight(100, 50) == pytest.approx(0.6931, abs=1e-4)
    assert 0 < weight(100, 100) < 0.01


def test_there_is_an_index_for_each_database(database: Database) -> None:
    assert database.dialect in INDEXES


def test_the_words_of_a_question_are_those_that_carry_it() -> None:
    assert question_words("What is the boiling point of water?") == ["boiling", "point", "water"]
    assert question_words("Welche Folgen hat die Überhitzung?") == ["folgen", "überhitzung"]
    assert question_words("Quelles sont les règles de l'entreprise ?") == ["règles", "entreprise"]
    assert question_words("men in the war who die") == ["men", "war", "die"]
    assert question_words("The Who") == ["the", "who"]
    assert question_words("water, Water; WATER") == ["water"]
    assert question_words(" _ — ?") == []
    assert len(question_words(" ".join(f"w{number}" for number in range(500)))) == MAX_WORDS


def test_stop_words_are_written_as_they_are_compared() -> None:
    for words in STOP_WORDS.values():
        assert all(question_words(word) == [word] for word in words)
