"""Searching the vectors of a large project in a file: near enough to comparing all, and never behind the rows.

Large is what has 40 passages here.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, insert, select, update
from usearch.index import Index

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.documents import vector_files
from llm_ui.documents.retrieve import retrieve
from llm_ui.documents.vector_files import Contents, Place
from llm_ui.documents.vector_upkeep import LOCK, Upkeep, remove_gone
from llm_ui.documents.vectors import Meaning, Vectors
from llm_ui.kit.clock import now
from llm_ui.kit.ids import DocumentId, ModelId, ProjectId
from llm_ui.kit.lock import held
from llm_ui.kit.vectors import cosines, packed
from llm_ui.models import Document, DocumentChunk, PassageVector, Project
from llm_ui.services.access import Actor
from tests.documents.seeding import a_document, a_project
from tests.documents.test_vectors import models

__all__ = ["models"]

LARGE, DIMENSIONS = 40, 16
CHANCE = np.random.default_rng(1)


def some_vector() -> bytes:
    return packed(CHANCE.standard_normal(DIMENSIONS).tolist())


class Shelf:
    """Two processes and one database: one makes the files, one searches."""

    def __init__(self, database: Database, config: Config, actor: Actor, model_id: ModelId) -> None:
        self.folder = config.vectors_path
        self.upkeep = Upkeep(database, self.folder, asyncio.Event(), exact_until=LARGE, gone_s=0)
        self._database = database
        self._actor = actor
        self.model_id = model_id
        self.restart()

    def restart(self) -> None:
        self.vectors = Vectors(self.folder, exact_until=LARGE)

    def place(self, project: ProjectId) -> Place:
        return Place(self.folder, project, self.model_id, DIMENSIONS)

    async def document(
        self, project: ProjectId, count: int, name: str = "a.txt", vectors: Sequence[bytes] = ()
    ) -> DocumentId:
        """Add a document of passages that are told apart by their text alone."""
        said = [f"{name} {number} {CHANCE.integers(2**60):x}" for number in range(count)]
        document_id = await a_document(self._database, self._actor, project, said, name=name)
        async with self._database.writing() as session:
            chunks = await session.scalars(select(DocumentChunk.id).where(DocumentChunk.document_id == document_id))
            rows = [
                {"chunk_id": one, "project_id": project, "model_id": self.model_id, "vector": some_vector()}
                for one in chunks
            ]
            for row, vector in zip(rows, vectors, strict=False):
                row["vector"] = vector
            await session.execute(insert(PassageVector), rows)
            made = {"embedded_by": self.model_id, "embedded_at": now()}
            await session.execute(update(Document).where(Document.id == document_id).values(made))
        return document_id

    async def found(
        self, project: ProjectId, vector: bytes, most: int = 5, documents: Sequence[DocumentId] = ()
    ) -> list[str]:
        meaning = Meaning(self.vectors, self.model_id, vector)
        async with self._database.reading() as session:
            found = await retrieve(
                session, self._actor, project, "", most=most, meaning=meaning, documents=documents
            )  # fmt: skip
        return [one.text for one in found]

    async def nearest(self, project: ProjectId, vector: bytes, most: int = 5) -> list[str]:
        """Return what comparing all finds, from the rows."""
        async with self._database.reading() as session:
            rows = (
                await session.execute(
                    select(DocumentChunk.text, PassageVector.vector)
                    .join(PassageVector, PassageVector.chunk_id == DocumentChunk.id)
                    .where(DocumentChunk.project_id == project)
                )
            ).all()
        scores = cosines(vector, [stored for _, stored in rows])
        return [text for _, (text, _) in sorted(zip(scores, rows, strict=True), reverse=True)[:most]]


@pytest.fixture
def shelf(database: Database, config: Config, a_user: Actor, models: tuple[ModelId, ModelId]) -> Shelf:
    return Shelf(database, config, a_user, models[0])


@pytest.fixture
async def project(database: Database, a_user: Actor) -> ProjectId:
    return await a_project(database, a_user)


async def test_a_large_project_is_searched_in_a_file_and_finds_what_comparing_all_does(
    shelf: Shelf, project: ProjectId
) -> None:
    for number in range(4):
        await shelf.document(project, 100, f"{number}.txt")
    asked = [some_vector() for _ in range(20)]
    before = [await shelf.found(project, one) for one in asked]

    assert await shelf.upkeep.look() == 1
    after = [await shelf.found(project, one) for one in asked]

    assert before == [await shelf.nearest(project, one) for one in asked]
    assert after == before
    assert searched_one_by_one(shelf, project) == 0
    assert await shelf.upkeep.look() == 0


def searched_one_by_one(shelf: Shelf, project: ProjectId) -> int:
    """Return how many passages this process holds in memory."""
    return shelf.vectors._held[project, shelf.model_id, DIMENSIONS].matrix.count


async def test_near_secrets_of_two_large_projects_stay_apart(
    database: Database, a_user: Actor, shelf: Shelf, project: ProjectId
) -> None:
    other = await a_project(database, a_user, "Other")
    secret = some_vector()
    for one, name in ((project, "mine"), (other, "theirs")):
        await shelf.document(one, 60, name, [secret] * 60)
    assert await shelf.upkeep.look() == 2

    assert {text.split()[0] for text in await shelf.found(project, secret, 50)} == {"mine"}
    assert {text.split()[0] for text in await shelf.found(other, secret, 50)} == {"theirs"}


async def test_what_comes_and_goes_is_found_or_not_at_once_and_nothing_of_it_stays_in_the_file(
    database: Database, shelf: Shelf, project: ProjectId
) -> None:
    wanted, asked = some_vector(), [some_vector() for _ in range(10)]
    gone = await shelf.document(project, 60, "gone", [wanted] * 50)
    for number in range(3):
        await shelf.document(project, 60, f"{number}")
    await shelf.upkeep.look()
    assert {text.split()[0] for text in await shelf.found(project, wanted, 50)} == {"gone"}
    secrets = await stored(shelf, project)

    await shelf.document(project, 3, "new", [wanted])
    async with database.writing() as session:
        await session.execute(delete(Document).where(Document.id == gone))
    found = await shelf.found(project, wanted, 5)
    assert found == await shelf.nearest(project, wanted, 5)
    assert found[0].startswith("new 0")
    assert await shelf.upkeep.look() == 1

    assert await shelf.found(project, wanted, 5) == found
    assert searched_one_by_one(shelf, project) == 0
    left = await stored(shelf, project)
    assert len(secrets - left) >= 10
    content = (await graph_of(shelf, project)).read_bytes()
    assert not [secret for secret in secrets - left if secret in content]
    for one in asked:
        assert await shelf.found(project, one) == await shelf.nearest(project, one)


async def contents_of(shelf: Shelf, project: ProjectId) -> Contents:
    contents = await asyncio.to_thread(vector_files.read, shelf.place(project))
    assert contents is not None
    return contents


async def graph_of(shelf: Shelf, project: ProjectId) -> Path:
    """Return the file that is searched."""
    return shelf.folder / (await contents_of(shelf, project)).graph


async def stored(shelf: Shelf, project: ProjectId) -> set[bytes]:
    """Return the vectors of a file, as its bytes have them."""
    spans = [span for kept in (await contents_of(shelf, project)).documents.values() for span in kept.spans]
    index = Index.restore(await graph_of(shelf, project))
    assert index is not None
    keys = np.concatenate([np.arange(first, last + 1, dtype=np.uint64) for first, last in spans])
    return {one.tobytes() for one in index.get(keys)}


async def test_vectors_that_were_made_anew_are_the_ones_that_count(
    database: Database, shelf: Shelf, project: ProjectId
) -> None:
    was, now_is = some_vector(), some_vector()
    await shelf.document(project, 60, "other")
    document = await shelf.document(project, 1, "changed", [was])
    await shelf.upkeep.look()
    assert (await shelf.found(project, was, 1))[0].startswith("changed")

    async with database.writing() as session:
        chunk = select(DocumentChunk.id).where(DocumentChunk.document_id == document)
        await session.execute(update(PassageVector).where(PassageVector.chunk_id.in_(chunk)).values(vector=now_is))
        await session.execute(update(Document).where(Document.id == document).values(embedded_at=now()))

    for _ in range(2):
        assert not (await shelf.found(project, was, 1))[0].startswith("changed")
        assert (await shelf.found(project, now_is, 1))[0].startswith("changed")
        await shelf.upkeep.look()
    assert searched_one_by_one(shelf, project) == 0


async def test_what_barely_matches_is_left_out(shelf: Shelf, project: ProjectId) -> None:
    about, apart = np.eye(DIMENSIONS)[0], np.eye(DIMENSIONS)[1]
    much_alike = [packed((about + 0.05 * apart + CHANCE.normal(0, 0.02, DIMENSIONS)).tolist()) for _ in range(60)]
    one = await shelf.document(project, 60, "alike", much_alike)

    for _ in range(2):
        assert await shelf.found(project, packed(apart.tolist())) == []
        assert await shelf.found(project, packed(apart.tolist()), documents=[one]) != []
        assert await shelf.found(project, packed(about.tolist())) != []
        await shelf.upkeep.look()
        shelf.restart()


async def test_it_is_looked_for_in_some_documents_only(shelf: Shelf, project: ProjectId) -> None:
    asked = some_vector()
    few, many, more = [
        await shelf.document(project, count, name, [asked] * near)
        for count, name, near in ((5, "few", 0), (60, "many", 0), (60, "more", 60))
    ]
    await shelf.upkeep.look()
    assert {text.split()[0] for text in await shelf.found(project, asked, 60)} == {"more"}

    # Those of a small one are compared, large ones are looked for further on in the file.
    for documents, names in ((few,), {"few"}), ((many,), {"many"}), ((few, many), {"few", "many"}):
        found = await shelf.found(project, asked, 60, documents)
        assert {text.split()[0] for text in found} == names
    assert {text.split()[0] for text in await shelf.found(project, asked, 60, [more])} == {"more"}


async def test_a_damaged_or_missing_file_is_made_anew_and_all_are_compared_meanwhile(
    shelf: Shelf, project: ProjectId
) -> None:
    await shelf.document(project, 60)
    asked = some_vector()
    expected = await shelf.nearest(project, asked)

    for harm in (cut_off, turned_around, without_its_graph, without_sense):
        assert await shelf.upkeep.look() == 1, harm.__name__
        harm(shelf.place(project), await graph_of(shelf, project))
        shelf.restart()

        assert await shelf.found(project, asked) == expected, harm.__name__
        assert searched_one_by_one(shelf, project) == 60, harm.__name__
        assert [path.name for path in shelf.folder.iterdir()] == [LOCK], harm.__name__


def cut_off(_: Place, graph: Path) -> None:
    graph.write_bytes(graph.read_bytes()[:-100])


def turned_around(_: Place, graph: Path) -> None:
    graph.write_bytes(graph.read_bytes()[::-1])


def without_its_graph(_: Place, graph: Path) -> None:
    graph.unlink()


def without_sense(place: Place, _: Path) -> None:
    place.contents.write_text(place.contents.read_text()[:-10])


async def test_files_of_what_is_deleted_go_too(
    database: Database, a_user: Actor, shelf: Shelf, project: ProjectId
) -> None:
    small, deleted = [await a_project(database, a_user, name) for name in ("Small", "Deleted")]
    for one in (project, small, deleted):
        await shelf.document(one, 60)
    rest = await shelf.document(small, 1)
    assert await shelf.upkeep.look() == 3

    async with database.writing() as session:
        await session.execute(delete(Project).where(Project.id == deleted))
        await session.execute(delete(Document).where(Document.project_id == small, Document.id != rest))
    await shelf.upkeep.look()

    assert await asyncio.to_thread(lambda: list(vector_files.places(shelf.folder))) == [shelf.place(project)]


async def test_a_receipt_waits_until_no_file_holds_what_was_deleted(
    database: Database, shelf: Shelf, project: ProjectId
) -> None:
    gone = await shelf.document(project, 1)
    await shelf.document(project, 60)
    assert await remove_gone(database, shelf.folder), "there is no folder yet"
    await shelf.upkeep.look()
    assert await remove_gone(database, shelf.folder)
    assert (await graph_of(shelf, project)).exists()

    async with database.writing() as session:
        await session.execute(delete(Document).where(Document.id == gone))
    with held(shelf.folder / LOCK):
        assert not await remove_gone(database, shelf.folder), "one that is being made may have read it"
        assert await shelf.upkeep.look() == 0
    assert await remove_gone(database, shelf.folder)

    assert [path.name for path in shelf.folder.iterdir()] == [LOCK]


async def test_a_worker_that_ends_leaves_no_half_a_file(shelf: Shelf, project: ProjectId) -> None:
    await shelf.document(project, 60)
    shelf.upkeep.stop.set()

    assert await shelf.upkeep.look() == 0

    assert [path.name for path in shelf.folder.iterdir()] == [LOCK]
    shelf.upkeep.stop.clear()
    assert await shelf.upkeep.look() == 1


async def test_a_few_new_passages_wait_for_others(shelf: Shelf, project: ProjectId) -> None:
    await shelf.document(project, 60)
    await shelf.upkeep.look()

    asked = some_vector()
    await shelf.document(project, 10, "few", [asked])
    assert await shelf.upkeep.look() == 0
    assert (await shelf.found(project, asked, 1))[0].startswith("few 0")
    assert searched_one_by_one(shelf, project) == 10

    await shelf.document(project, 1, "one more")
    assert await shelf.upkeep.look() == 1
    assert (await shelf.found(project, asked, 1))[0].startswith("few 0")
    assert searched_one_by_one(shelf, project) == 0
