"""Vectors of passages, made in the background by a scripted provider: whole, once, and gone on with after a failure."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest
from sqlalchemy import delete, func, select, update

from llm_ui.db import Database
from llm_ui.errors import ProviderError
from llm_ui.kit.http import new_client
from llm_ui.kit.ids import DocumentId, ModelId
from llm_ui.models import Document, DocumentStage, PassageVector, UsageLog, UsagePurpose
from llm_ui.runs.embed_documents import embed_all, keep_embedding
from llm_ui.runs.embeddings import AT_A_TIME, Embeddings
from llm_ui.runs.passages import Search, seek
from llm_ui.services import documents
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.ai_models import NewModel, add_models
from llm_ui.services.embedding import claim, set_embedding_model
from llm_ui.services.providers import NewProvider, add
from llm_ui.services.secrets import Secrets
from llm_ui.services.seed import seed
from tests.documents.seeding import a_document, a_project
from tests.fakes.embeddings import embeddings_reply, failing_at
from tests.fakes.provider import FakeProvider, Reply

MANY = [f"The heron number {number} stands in the reeds." for number in range(2 * AT_A_TIME + 5)]


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    async with new_client() as client:
        yield client


@pytest.fixture
def embeddings(database: Database, secrets: Secrets, http: httpx2.AsyncClient) -> Embeddings:
    return Embeddings(database, secrets.sealer, http)


async def use(database: Database, secrets: Secrets, fake: FakeProvider, name: str = "embed-1") -> ModelId:
    """Make a model at the fake provider the one that makes vectors."""
    async with database.writing(lock="seed") as session:
        await seed(session)
        new = NewProvider(name, "openai", fake.base_url("openai"), "sk-some-key")
        provider = await add(session, SYSTEM, secrets.sealer, new)
        (model_id,) = await add_models(session, SYSTEM, provider.id, [NewModel(name)])
        await set_embedding_model(session, SYSTEM, model_id)
    return model_id


async def row(database: Database, document_id: DocumentId) -> Document:
    async with database.reading() as session:
        return await session.get_one(Document, document_id)


async def count(database: Database) -> int:
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(PassageVector)) or 0


async def test_all_passages_get_their_vectors_and_it_is_booked(
    database: Database, secrets: Secrets, embeddings: Embeddings, a_user: Actor
) -> None:
    project = await a_project(database, a_user)
    document = await a_document(database, a_user, project, MANY)
    async with FakeProvider(embeddings_reply) as fake:
        model_id = await use(database, secrets, fake)
        await embed_all(database, embeddings)
        found = await seek(database, embeddings, a_user, Search(project, "Where is the wader?", 3))

    made = await row(database, document)
    assert (made.embedded_by, made.embed_error, made.lease_owner) == (model_id, None, None)
    assert await count(database) == len(MANY)
    assert [len(request.json()["input"]) for request in fake.requests] == [AT_A_TIME, AT_A_TIME, 5, 1]
    assert found.strategy.value == "hybrid"
    assert len(found.passages) == 3
    async with database.reading() as session:
        booked = (await session.scalars(select(UsageLog).order_by(UsageLog.created_at))).all()
    assert {one.purpose for one in booked} == {UsagePurpose.EMBEDDING}
    assert [one.input_tokens for one in booked] == [3 * AT_A_TIME, 3 * AT_A_TIME, 15, 3]
    assert {(one.user_id, one.project_id) for one in booked} == {(a_user.user_id, project)}


async def test_f56_what_fails_half_way_is_not_found_by_meaning_and_is_gone_on_with(
    database: Database, secrets: Secrets, embeddings: Embeddings, a_user: Actor
) -> None:
    project = await a_project(database, a_user)
    document = await a_document(database, a_user, project, MANY)
    async with FakeProvider(failing_at({2}, status=401)) as fake:
        await use(database, secrets, fake)
        with pytest.raises(ProviderError):
            await embed_all(database, embeddings)
        failed = await row(database, document)
        half = await count(database)
        between = await seek(database, embeddings, a_user, Search(project, "wader", 3))
        await embed_all(database, embeddings)
        after = await seek(database, embeddings, a_user, Search(project, "wader", 3))

    assert failed.embedded_by is None
    assert "refused the key" in (failed.embed_error or "")
    assert failed.embed_attempts == 0, "it was not this document's fault"
    assert half == AT_A_TIME
    assert between.passages == ()
    assert len(after.passages) == 3
    assert (await row(database, document)).embed_error is None
    asked = [text for request in fake.requests for text in request.json()["input"] if "number" in text]
    assert len(asked) == len(MANY) + AT_A_TIME, "what was made is not asked for again"


async def test_passages_that_the_model_refuses_wait_for_their_person_and_keep_nobody_up(
    database: Database, secrets: Secrets, embeddings: Embeddings, a_user: Actor
) -> None:
    project = await a_project(database, a_user)
    odd = await a_document(database, a_user, project, ["An odd heron."])
    good = await a_document(database, a_user, project, ["A ship."])
    is_mended = False

    def picky(request: object) -> Reply:
        if not is_mended and b"odd" in request.body:  # type: ignore[attr-defined]
            error = b'{"error": {"message": "cannot be done"}}'
            return Reply([error], status=400, headers={"Content-Type": "application/json"})
        return embeddings_reply(request)  # type: ignore[arg-type]

    async with FakeProvider(picky) as fake:
        model_id = await use(database, secrets, fake)
        await embed_all(database, embeddings)
        refused = await row(database, odd)
        assert (refused.embedded_by, refused.embed_attempts) == (None, 3)
        assert "cannot be done" in (refused.embed_error or "")
        assert (await row(database, good)).embedded_by == model_id

        is_mended = True
        async with database.writing() as session:
            asked = await documents.retry(session, a_user, odd)
        assert asked.stage is DocumentStage.READY, "its text is not read once more"
        await embed_all(database, embeddings)

    assert (await row(database, odd)).embedded_by == model_id


async def test_another_model_makes_all_of_them_anew(
    database: Database, secrets: Secrets, embeddings: Embeddings, a_user: Actor
) -> None:
    project = await a_project(database, a_user)
    document = await a_document(database, a_user, project, MANY[:5])
    async with FakeProvider(embeddings_reply) as fake:
        await use(database, secrets, fake)
        await embed_all(database, embeddings)
        other = await use(database, secrets, fake, "embed-2")
        await embed_all(database, embeddings)

    assert (await row(database, document)).embedded_by == other
    async with database.reading() as session:
        models = set(await session.scalars(select(PassageVector.model_id)))
    assert models == {other}
    assert await count(database) == 5


async def test_what_is_deleted_or_read_anew_takes_its_vectors_along(
    database: Database, secrets: Secrets, embeddings: Embeddings, a_user: Actor
) -> None:
    project = await a_project(database, a_user)
    gone = await a_document(database, a_user, project, MANY[:5])
    again = await a_document(database, a_user, project, MANY[:3])
    async with FakeProvider(embeddings_reply) as fake:
        await use(database, secrets, fake)
        await embed_all(database, embeddings)
        async with database.writing() as session:
            await documents.remove(session, a_user, gone)
            await documents.retry(session, a_user, again)

    assert await count(database) == 0
    assert (await row(database, again)).embedded_by is None


async def test_a_document_that_goes_meanwhile_is_left(
    database: Database, secrets: Secrets, embeddings: Embeddings, a_user: Actor
) -> None:
    project = await a_project(database, a_user)
    document = await a_document(database, a_user, project, MANY)
    async with FakeProvider(embeddings_reply) as fake:
        model_id = await use(database, secrets, fake)
        async with database.writing() as session:
            held = await claim(session, model_id)
        assert held is not None
        async with database.writing() as session:
            await session.execute(delete(Document).where(Document.id == document))

        assert await embeddings.embed(held) is True
        assert await count(database) == 0


async def test_another_ones_document_is_left_until_its_lease_is_over(
    database: Database, secrets: Secrets, embeddings: Embeddings, a_user: Actor
) -> None:
    project = await a_project(database, a_user)
    document = await a_document(database, a_user, project, MANY[:5])
    async with FakeProvider(embeddings_reply) as fake:
        model_id = await use(database, secrets, fake)
        async with database.writing() as session:
            held = await claim(session, model_id)
        assert held is not None
        await embed_all(database, embeddings)
        assert await count(database) == 0

        async with database.writing() as session:
            taken = update(Document).where(Document.id == document).values(lease_owner="another one")
            await session.execute(taken)
        assert await embeddings.embed(held) is False
        assert await count(database) == 0


async def test_it_goes_on_by_itself_and_gives_back_what_it_holds(
    database: Database, secrets: Secrets, embeddings: Embeddings, a_user: Actor
) -> None:
    project = await a_project(database, a_user)
    document = await a_document(database, a_user, project, MANY)
    async with FakeProvider(Reply([], first_delay_s=60)) as slow:
        await use(database, secrets, slow)
        keeping = asyncio.create_task(keep_embedding(database, embeddings))
        async with asyncio.timeout(30):
            while not slow.requests:
                await asyncio.sleep(0.02)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
    assert (await row(database, document)).lease_owner is None

    async with FakeProvider(failing_at({1, 2, 3})) as fake:
        model_id = await use(database, secrets, fake, "embed-2")
        keeping = asyncio.create_task(keep_embedding(database, embeddings))
        async with asyncio.timeout(60):
            while (await row(database, document)).embedded_by != model_id:
                await asyncio.sleep(0.05)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
    assert await count(database) == len(MANY)


async def test_a_question_is_asked_once_and_words_help_out(
    database: Database, secrets: Secrets, embeddings: Embeddings, a_user: Actor
) -> None:
    project = await a_project(database, a_user)
    await a_document(database, a_user, project, ["The heron stands."])
    async with FakeProvider(embeddings_reply) as fake:
        await use(database, secrets, fake)
        await embed_all(database, embeddings)
        for _ in range(3):
            await seek(database, embeddings, a_user, Search(project, "Where is the heron?", 3))
        assert len(fake.requests) == 2

    found = await seek(database, embeddings, a_user, Search(project, "Is a heron there?", 3))
    assert [one.text for one in found.passages] == ["The heron stands."]
    assert found.strategy.value == "lexical"
    assert "refused" in (found.problem or "")
