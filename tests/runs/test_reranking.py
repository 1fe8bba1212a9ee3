"""Passages put in order by a scripted reranking model: booked, in time or not at all."""

import asyncio
import json
from collections.abc import Callable

import pytest
from sqlalchemy import select

from llm_ui.db import Database
from llm_ui.kit.http import new_client
from llm_ui.kit.ids import ModelId, ProjectId
from llm_ui.models import UsageLog, UsagePurpose
from llm_ui.providers.base import Timeouts
from llm_ui.providers.reranking import parse_reranked
from llm_ui.runs import reranking
from llm_ui.runs.embeddings import Embeddings
from llm_ui.runs.passages import Search, Sought, seek
from llm_ui.runs.reranking import Reranker
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.ai_models import NewModel, add_models
from llm_ui.services.providers import NewProvider, add
from llm_ui.services.reranking import set_reranking_model
from llm_ui.services.secrets import Secrets
from llm_ui.services.seed import seed
from tests.documents.seeding import a_document, a_project
from tests.fakes.provider import FakeProvider, Received, Reply
from tests.fakes.reranking import reranking_reply

SAID = [
    "A boat, a quay, a boat.",
    "The boat of the doctor is moored at the second quay.",
    "The doctor has a quay and a boat.",
]
ASKED = "Is a boat of the doctor at a quay?"
SHORT = Timeouts(connect_s=1, first_byte_s=1, idle_s=1, total_s=1)
JSON = {"Content-Type": "application/json"}


async def a_reranker(database: Database, secrets: Secrets, fake: FakeProvider) -> ModelId:
    """A model at the fake provider that is known as a reranker."""
    async with database.writing(lock="seed") as session:
        await seed(session)
        new = NewProvider("Order", "openai", fake.base_url("openai"), "sk-some-key")
        provider = await add(session, SYSTEM, secrets.sealer, new)
        (model_id,) = await add_models(session, SYSTEM, provider.id, [NewModel("bge-reranker")])
    return model_id


async def sought(
    database: Database, secrets: Secrets, actor: Actor, project: ProjectId, most: int = 2, timeouts: Timeouts = SHORT
) -> Sought:
    async with new_client() as http:
        embeddings = Embeddings(database, secrets.sealer, http)
        reranker = Reranker(database, secrets.sealer, http, timeouts=timeouts)
        return await seek(database, embeddings, actor, Search(project, ASKED, most), reranker)


async def test_the_best_come_first_and_it_is_booked(database: Database, secrets: Secrets, a_user: Actor) -> None:
    project = await a_project(database, a_user)
    await a_document(database, a_user, project, SAID)
    async with FakeProvider(reranking_reply) as fake:
        model_id = await a_reranker(database, secrets, fake)
        before = await sought(database, secrets, a_user, project)
        async with database.writing() as session:
            await set_reranking_model(session, SYSTEM, model_id)
        found = await sought(database, secrets, a_user, project, timeouts=Timeouts(60, 60, 60, 60))

        (asked,) = [json.loads(one.body) for one in fake.requests]
    assert (before.reranked_by, found.reranked_by, found.not_reranked) == ("", "bge-reranker", "")
    assert [one.text for one in found.passages] == [SAID[1], SAID[2]]
    assert (asked["query"], asked["top_n"], sorted(asked["documents"])) == (ASKED, 3, sorted(SAID))
    async with database.reading() as session:
        (row,) = await session.scalars(select(UsageLog))
    assert (row.purpose, row.project_id, row.input_tokens) == (UsagePurpose.RERANKING, project, 21)


FAILURES: dict[str, Callable[[Received], Reply] | Reply] = {
    "refuses": Reply([b'{"error": {"message": "no"}}'], status=500, headers=JSON),
    "hangs": Reply(first_delay_s=600),
    "leaves one out": Reply([b'{"results": [{"index": 0, "relevance_score": 1}]}'], headers=JSON),
    "is no reranker": Reply([b'{"data": []}'], headers=JSON),
}


@pytest.mark.parametrize("failure", FAILURES)
async def test_without_an_order_in_time_they_stay_as_found(
    database: Database, secrets: Secrets, a_user: Actor, failure: str
) -> None:
    project = await a_project(database, a_user)
    await a_document(database, a_user, project, SAID)
    async with FakeProvider(FAILURES[failure]) as fake:
        model_id = await a_reranker(database, secrets, fake)
        before = await sought(database, secrets, a_user, project)
        async with database.writing() as session:
            await set_reranking_model(session, SYSTEM, model_id)
        async with asyncio.timeout(60):
            found = await sought(database, secrets, a_user, project)

    assert found.passages == before.passages
    assert found.reranked_by == ""
    assert found.not_reranked


async def test_a_model_is_tried_before_it_is_set(database: Database, secrets: Secrets, a_user: Actor) -> None:
    async with FakeProvider(reranking_reply) as fake, new_client() as http:
        model_id = await a_reranker(database, secrets, fake)
        reranker = Reranker(database, secrets.sealer, http, timeouts=Timeouts(60, 60, 60, 60))
        good = await reranking.test_reranking(database, reranker, SYSTEM, model_id)
    async with new_client() as http:
        gone = await reranking.test_reranking(database, Reranker(database, secrets.sealer, http), SYSTEM, model_id)

    assert good.is_ok
    assert not gone.is_ok
    assert "Nothing answers" in gone.message


def test_what_was_used_is_told_in_several_places() -> None:
    results = [{"index": 1, "relevance_score": -0.5}, {"index": 0, "relevance_score": -3}]

    assert parse_reranked({"results": results}).order == (1, 0)
    assert parse_reranked({"results": results, "usage": {"total_tokens": 9}}).input_tokens == 9
    assert parse_reranked({"results": results, "meta": {"tokens": {"input_tokens": 8}}}).input_tokens == 8
    for broken in (None, [], {"results": [{"index": "0"}]}, {"results": [{"index": 0, "relevance_score": "high"}]}):
        assert parse_reranked(broken).order == ()
