"""The retrieval bench through HTTP: what a question finds in each way, and how well a test set is answered."""

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import select

from llm_ui.contract import ChatRequest, StartEvent
from llm_ui.contract.passages import BenchRequest, Cut, MeasureRequest
from llm_ui.db import Database
from llm_ui.documents import trial
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.kit.ids import DocumentId, ProjectId, uuid7
from llm_ui.llm_client import UserClient
from llm_ui.models import Document, DocumentChunk, Evaluation, Strategy
from llm_ui.services import evaluations, retrieval
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.cutting import read_cutting
from llm_ui.services.embedding import set_embedding_model
from llm_ui.services.reranking import set_reranking_model
from llm_ui.services.retrieval import NewCase
from tests.api.conftest import AddModel, RunningApi
from tests.documents.ready import a_document, a_project
from tests.fakes.embeddings import embeddings_reply
from tests.fakes.provider import FakeProvider
from tests.fakes.reranking import reranking_reply

ClientOf = Callable[[Actor], UserClient]
PASSAGES = [
    "A grey heron weighs about two kilograms.",
    "Storks clap their bills when they greet each other at the nest.",
    "The vessel is painted each spring, and its weight is told to the harbour.",
]


async def judged(
    database: Database, actor: Actor, project_id: ProjectId, document_id: DocumentId, question: str, passage: str,
    *, is_wanted: bool = True,
) -> None:  # fmt: skip
    async with database.writing() as session:
        await retrieval.judge(session, actor, project_id, NewCase(question, document_id, passage, is_wanted))


async def test_each_way_ranks_and_the_test_set_tells_which_is_better(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    project_id = await a_project(database, a_user)
    document_id = await a_document(database, a_user, project_id, PASSAGES)
    client = client_of(a_user)
    async with FakeProvider(embeddings_reply) as fake:
        model_id = await add_model(fake.base_url("openai"), "things-embed")
        async with database.writing() as session:
            await set_embedding_model(session, SYSTEM, model_id)
        async with asyncio.timeout(60), database.reading() as session:
            while await session.scalar(select(Document.embedded_by)) is None:
                await asyncio.sleep(0.05)
                await session.rollback()

        looked = await client.try_search(BenchRequest(project_id=project_id, query="any ship"))
        await judged(database, a_user, project_id, document_id, "any ship", PASSAGES[2])
        await judged(database, a_user, project_id, document_id, "any wader", PASSAGES[0], is_wanted=False)
        report = await client.measure_cases(MeasureRequest(project_id=project_id))
        async with database.writing() as session:
            await retrieval.set_strategy(session, a_user, project_id, Strategy.VECTOR)
        asked = ChatRequest(idempotency_key=uuid7().hex, text="Where is any ship now?", project_id=project_id)
        (first, *_) = [numbered.event async for numbered in client.chat_stream(asked)]

    lexical, vector, both = looked.rankings
    assert looked.words == ("ship",), "words that say nothing are not searched for"
    assert [one.strategy for one in looked.rankings] == ["lexical", "vector", "hybrid"]
    assert (lexical.passages, vector.passages[0].text, both.passages[0].text) == ((), PASSAGES[2], PASSAGES[2])
    assert (looked.answers.strategy, looked.answers.model) == ("hybrid", "Demo (no language model)")
    assert (looked.answers.passages[0].text, looked.answers.passages[0].number) == (PASSAGES[2], 1)
    assert (vector.passages[0].page, vector.passages[0].has_pages) == (3, True)
    assert looked.vector_ms is not None
    assert [(row.strategy, row.ndcg, row.recall, row.reciprocal_rank, row.unwanted) for row in report.rows] == [
        ("lexical", 0, 0, 0, 0),
        ("vector", 1, 1, 1, 1),
        ("hybrid", 1, 1, 1, 1),
    ]
    assert (report.questions, report.documents, report.is_all) == (2, 1, True)
    assert isinstance(first, StartEvent)
    assert first.sources is not None
    assert first.sources[0].text == PASSAGES[2], "the chat searches as the project is set"


async def test_passages_put_in_order_are_a_way_of_their_own(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    project_id = await a_project(database, a_user)
    kept = ["Weight, weight, weight of vessels.", *PASSAGES]
    document_id = await a_document(database, a_user, project_id, kept)
    question = "What weight has a vessel painted for the harbour?"
    await judged(database, a_user, project_id, document_id, question, PASSAGES[2])
    client = client_of(a_user)
    async with FakeProvider(reranking_reply) as fake:
        model_id = await add_model(fake.base_url("openai"), "word-reranker")
        async with database.writing() as session:
            await set_reranking_model(session, SYSTEM, model_id)
        report = await client.measure_cases(MeasureRequest(project_id=project_id))
        asked = BenchRequest(project_id=project_id, query=question)
        at_best = await client.try_search(asked)
        async with database.writing() as session:
            await retrieval.set_strategy(session, a_user, project_id, Strategy.LEXICAL)
            cut = await read_cutting(session, a_user, project_id)
            await evaluations.take_over(session, a_user, project_id, "reranked", cut)
            used = (await session.execute(select(Evaluation.strategy, Evaluation.is_used, Evaluation.model))).all()
        as_chosen = await client.try_search(asked)
    broken = await client.measure_cases(MeasureRequest(project_id=project_id))

    assert [(row.strategy, row.ndcg) for row in report.rows] == [("lexical", 1), ("reranked", 1)]
    assert report.not_reranked == ""
    assert (at_best.answers.reranked_by, as_chosen.answers.reranked_by) == ("word-reranker", "")
    assert as_chosen.answers.strategy == "lexical"
    assert sorted(used) == [("lexical", False, "word-reranker"), ("reranked", True, "word-reranker")]
    assert [row.strategy for row in broken.rows] == ["lexical"]
    assert "not put in order" in broken.not_reranked


async def test_another_cut_is_tried_on_the_same_documents_and_changes_nothing(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    project_id = await a_project(database, a_user)
    pages = [*PASSAGES, *(f"Remark {number}: the heron is grey as page {number} is." for number in range(60))]
    document_id = await a_document(database, a_user, project_id, pages)
    await a_document(database, a_user, project_id, ["Herons elsewhere."] * 9, name="other.txt")
    client = client_of(a_user)
    question = "How much does a heron weigh?"
    await judged(database, a_user, project_id, document_id, question, PASSAGES[0])
    async with database.reading() as session:
        before = (await session.execute(select(DocumentChunk.id, DocumentChunk.text))).all()

    asked = MeasureRequest(project_id=project_id, other=Cut(by="structure", passage_tokens=400))
    whole = await client.measure_cases(asked)
    monkeypatch.setattr(trial, "MOST_PAGES", len(pages))
    some = await client.measure_cases(asked)
    same = await client.measure_cases(MeasureRequest(project_id=project_id, other=Cut()))

    for report in (whole, some):
        assert [(row.strategy, row.cut.passage_tokens, row.recall) for row in report.rows] == [
            ("lexical", 350, 1), ("lexical", 400, 1)
        ]  # fmt: skip
    assert [(report.documents, report.is_all) for report in (whole, some)] == [(2, True), (1, False)]
    assert len(same.rows) == 1
    async with database.reading() as session:
        assert (await session.execute(select(DocumentChunk.id, DocumentChunk.text))).all() == before


async def test_the_bench_is_its_persons_alone_and_says_what_is_missing(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, an_admin: Actor
) -> None:
    project_id = await a_project(database, a_user)
    document_id = await a_document(database, a_user, project_id, PASSAGES)
    await judged(database, a_user, project_id, document_id, "Which bird?", PASSAGES[0], is_wanted=False)

    for client in (client_of(an_admin),):
        with pytest.raises(NotFound):
            await client.try_search(BenchRequest(project_id=project_id, query="heron"))
        with pytest.raises(NotFound):
            await client.measure_cases(MeasureRequest(project_id=project_id))
    with pytest.raises(InvalidInput, match="No case says what is wanted"):
        await client_of(a_user).measure_cases(MeasureRequest(project_id=project_id))
    await judged(database, a_user, project_id, document_id, "Which bird?", PASSAGES[1])
    with pytest.raises(InvalidInput, match="50 to 2"):
        await client_of(a_user).measure_cases(MeasureRequest(project_id=project_id, other=Cut(passage_tokens=1)))
