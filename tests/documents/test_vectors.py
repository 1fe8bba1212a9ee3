"""Finding passages by what they mean, in a real database: the nearest, of one project, as its rows are now."""

from collections.abc import Mapping, Sequence

import pytest
from sqlalchemy import delete, insert, select, update

from llm_ui.db import Database
from llm_ui.documents.embed import passage_text, question_text
from llm_ui.documents.retrieve import Passage, retrieve
from llm_ui.documents.vectors import Meaning, Vectors
from llm_ui.errors import InvalidInput
from llm_ui.kit.clock import now
from llm_ui.kit.ids import DocumentId, ModelId, ProjectId
from llm_ui.kit.vectors import packed
from llm_ui.models import Document, DocumentChunk, DocumentStage, PassageVector
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.ai_models import NewModel, add_models
from llm_ui.services.providers import NewProvider, add
from llm_ui.services.secrets import Secrets
from llm_ui.services.seed import seed
from tests.documents.seeding import a_document, a_project
from tests.fakes.embeddings import vector

BIRDS = ["The heron stands in the reeds.", "A ship came at noon.", "The invoice is paid."]


@pytest.fixture
async def models(database: Database, secrets: Secrets) -> tuple[ModelId, ModelId]:
    """Two embedding models."""
    async with database.writing(lock="seed") as session:
        await seed(session)
        new = NewProvider(name="Acme", kind="openai", base_url="http://127.0.0.1:9/v1", key="sk-some-test-key")
        provider = await add(session, SYSTEM, secrets.sealer, new)
        one, other = await add_models(session, SYSTEM, provider.id, [NewModel("embed-1"), NewModel("embed-2")])
    return one, other


async def embedded(database: Database, document_id: DocumentId, model_id: ModelId) -> None:
    """Give all passages of a document their vectors."""
    async with database.writing() as session:
        chunks = (await session.scalars(select(DocumentChunk).where(DocumentChunk.document_id == document_id))).all()
        await session.execute(delete(PassageVector).where(PassageVector.chunk_id.in_([one.id for one in chunks])))
        rows = [
            {"chunk_id": one.id, "project_id": one.project_id, "model_id": model_id, "vector": packed(vector(one.text))}
            for one in chunks
        ]
        await session.execute(insert(PassageVector), rows)
        made = {"embedded_by": model_id, "embedded_at": now()}
        await session.execute(update(Document).where(Document.id == document_id).values(made))


class Searcher:
    """Asks one process's vectors."""

    def __init__(self, database: Database, actor: Actor, model_id: ModelId) -> None:
        self.vectors = Vectors()
        self._database = database
        self._actor = actor
        self._model_id = model_id

    async def passages(
        self, project_id: ProjectId, question: str, words: str = "", **options: object
    ) -> tuple[Passage, ...]:
        meaning = Meaning(self.vectors, self._model_id, packed(vector(question)))
        async with self._database.reading() as session:
            return await retrieve(session, self._actor, project_id, words, meaning=meaning, **options)  # type: ignore[arg-type]

    async def texts(self, project_id: ProjectId, question: str, words: str = "", **options: object) -> list[str]:
        return [one.text for one in await self.passages(project_id, question, words, **options)]


@pytest.fixture
def search(database: Database, a_user: Actor, models: tuple[ModelId, ModelId]) -> Searcher:
    return Searcher(database, a_user, models[0])


async def test_what_means_the_same_is_found_without_a_common_word(
    database: Database, a_user: Actor, models: tuple[ModelId, ModelId], search: Searcher
) -> None:
    project = await a_project(database, a_user)
    await embedded(database, await a_document(database, a_user, project, BIRDS), models[0])

    assert (await search.texts(project, "Which wader is there?"))[0] == BIRDS[0]
    assert (await search.texts(project, "What about the vessel?"))[0] == BIRDS[1]
    async with database.reading() as session:
        assert await retrieve(session, a_user, project, "Which wader is there?") == ()


async def test_both_ways_together_put_first_what_both_find(
    database: Database, a_user: Actor, models: tuple[ModelId, ModelId], search: Searcher
) -> None:
    project = await a_project(database, a_user)
    said = ["The reeds are cut in winter.", "A wader nests on poles.", "The heron fishes in the reeds."]
    await embedded(database, await a_document(database, a_user, project, said), models[0])

    asked = "Which bird fishes in reeds in winter?"
    found = await search.texts(project, asked, words=asked)

    assert found[0] == said[2]
    assert set(found) == set(said)


async def test_near_secrets_of_two_projects_stay_apart(
    database: Database, a_user: Actor, models: tuple[ModelId, ModelId], search: Searcher
) -> None:
    mine, other = [await a_project(database, a_user, name) for name in ("Mine", "Other")]
    await embedded(database, await a_document(database, a_user, mine, ["The ship is in dock 4."]), models[0])
    await embedded(database, await a_document(database, a_user, other, ["The ship is in dock 5."]), models[0])

    for _ in range(2):
        assert await search.texts(mine, "Where is the vessel?", words="ship") == ["The ship is in dock 4."]
        assert await search.texts(other, "Where is the vessel?", words="ship") == ["The ship is in dock 5."]


async def test_another_person_finds_nothing(
    database: Database, a_user: Actor, an_admin: Actor, models: tuple[ModelId, ModelId], search: Searcher
) -> None:
    project = await a_project(database, a_user)
    await embedded(database, await a_document(database, a_user, project, BIRDS), models[0])
    assert await search.texts(project, "ship")

    theirs = Searcher(database, an_admin, models[0])
    # As if the process had them in memory already.
    theirs.vectors = search.vectors

    assert await theirs.texts(project, "ship", words="ship") == []


async def test_what_comes_changes_and_goes_is_followed(
    database: Database, a_user: Actor, models: tuple[ModelId, ModelId], search: Searcher
) -> None:
    project = await a_project(database, a_user)
    first = await a_document(database, a_user, project, BIRDS)
    await embedded(database, first, models[0])
    assert len(await search.texts(project, "ship")) == 1

    second = await a_document(database, a_user, project, ["The tug pulls.", "The vessel leaks."])
    assert len(await search.texts(project, "ship")) == 1, "it has no vectors yet"
    await embedded(database, second, models[0])
    assert len(await search.texts(project, "ship")) == 3

    async with database.writing() as session:
        tug = update(DocumentChunk).where(DocumentChunk.text == "The tug pulls.")
        await session.execute(tug.values(text="The physician came."))
    await embedded(database, second, models[0])
    assert len(await search.texts(project, "ship")) == 2
    assert await search.texts(project, "doctor") == ["The physician came."]

    async with database.writing() as session:
        await session.execute(delete(Document).where(Document.id == first))
    assert await search.texts(project, "ship") == ["The vessel leaks."]

    async with database.writing() as session:
        await session.execute(update(Document).where(Document.id == second).values(stage=DocumentStage.RECEIVED))
    assert await search.texts(project, "ship") == []


async def test_vectors_of_another_model_are_not_compared(
    database: Database, a_user: Actor, models: tuple[ModelId, ModelId], search: Searcher
) -> None:
    project = await a_project(database, a_user)
    await embedded(database, await a_document(database, a_user, project, BIRDS), models[1])

    assert await search.texts(project, "ship") == []
    assert await search.texts(project, "ship", words="ship") == [BIRDS[1]]


async def test_vectors_of_another_length_are_not_compared(
    database: Database, a_user: Actor, models: tuple[ModelId, ModelId], search: Searcher
) -> None:
    project = await a_project(database, a_user)
    await embedded(database, await a_document(database, a_user, project, BIRDS), models[0])
    meaning = Meaning(search.vectors, models[0], packed([1.0, 2.0]))

    async with database.reading() as session:
        assert await retrieve(session, a_user, project, "", meaning=meaning) == ()


async def test_it_is_looked_for_in_some_documents_only(
    database: Database, a_user: Actor, models: tuple[ModelId, ModelId], search: Searcher
) -> None:
    project = await a_project(database, a_user)
    documents: list[DocumentId] = []
    for name in ("a", "b", "c"):
        documents.append(await a_document(database, a_user, project, [f"Ship {name}."], name=f"{name}.txt"))
        await embedded(database, documents[-1], models[0])

    found: Mapping[str, Sequence[str]] = {
        "b": await search.texts(project, "vessel", documents=[documents[1]]),
        "a and c": await search.texts(project, "vessel", documents=[documents[0], documents[2]]),
    }

    assert found["b"] == ["Ship b."]
    assert set(found["a and c"]) == {"Ship a.", "Ship c."}


def test_a_vector_without_a_direction_is_refused() -> None:
    with pytest.raises(InvalidInput, match="without a direction"):
        packed([0.0, 0.0])


def test_some_families_are_told_which_text_is_a_question() -> None:
    assert question_text("nomic-embed-text:latest", "Why?") == "search_query: Why?"
    assert passage_text("nomic-embed-text:latest", "Reeds\nWinter", "Cut.") == "search_document: Reeds\nWinter\nCut."
    assert question_text("intfloat/multilingual-e5-large", "Why?") == "query: Why?"
    assert question_text("multilingual-e5-large-instruct", "Why?") == "Why?"
    assert question_text("BAAI/bge-small-en-v1.5", "Why?").endswith("relevant passages: Why?")
    assert passage_text("text-embedding-3-small", "", "Cut.") == "Cut."
