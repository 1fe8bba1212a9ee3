"""What the documents are searched for where a question builds on the conversation."""

import asyncio

import pytest
from sqlalchemy import select

from llm_ui.db import Database
from llm_ui.kit.http import new_client
from llm_ui.kit.ids import ModelId, ProjectId, uuid7
from llm_ui.models import MessageRole, RunStatus, UsageLog, UsagePurpose
from llm_ui.runs.query import Query
from llm_ui.runs.rewriting import Rewriter, query_in
from llm_ui.services import settings
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.ai_models import NewModel, add_models
from llm_ui.services.helper import set_helper_model
from llm_ui.services.messages import Said
from llm_ui.services.providers import NewProvider, add
from llm_ui.services.secrets import Secrets
from llm_ui.services.seed import seed
from llm_ui.services.settings import HELPER_QUERIES
from tests.fakes.provider import FakeProvider, Reply, numbered_words

BEFORE = (Said(MessageRole.ASSISTANT, "Two kilograms."), Said(MessageRole.USER, "What does the heron weigh?"))
PROJECT = ProjectId(uuid7())


@pytest.mark.parametrize(
    ("question", "builds_on_it"),
    [
        ("And for the second one?", True),
        ("And in winter?", True),
        ("Where do they go when the river freezes over in January?", True),
        ("Wo bleiben sie, wenn der Fluss im Januar zufriert?", True),
        ("Where does the heron go when the river freezes over?", False),
    ],
)
def test_short_questions_and_such_that_refer_build_on_what_was_said(question: str, builds_on_it: bool) -> None:
    assert Query(question, BEFORE).builds_on_it() is builds_on_it
    assert not Query(question).builds_on_it()


def test_without_a_helper_a_short_question_is_searched_with_the_one_before() -> None:
    assert Query("And in winter?", BEFORE).plain() == "And in winter?\nWhat does the heron weigh?"
    assert Query("What does the stork weigh in winter?", BEFORE).plain() == "What does the stork weigh in winter?"
    assert Query("And in winter?").plain() == "And in winter?"


@pytest.mark.parametrize(
    ("said", "query"),
    [
        ("weight of a stork", "weight of a stork"),
        ('<think>They mean the stork.</think>\n"What does the stork weigh?"\nBecause …', "What does the stork weigh?"),
        ("", ""),
        ("<think>never ended", ""),
        ("word " * 200, f"{'word ' * 59}word…"),
    ],
)
def test_a_query_is_one_line(said: str, query: str) -> None:
    assert query_in(said) == query


async def a_model(database: Database, secrets: Secrets, fake: FakeProvider) -> ModelId:
    """A model at the fake provider."""
    async with database.writing(lock="seed") as session:
        await seed(session)
        new = NewProvider("Small", "openai", fake.base_url("openai"), "sk-some-key")
        provider = await add(session, SYSTEM, secrets.sealer, new)
        (model_id,) = await add_models(session, SYSTEM, provider.id, [NewModel("small")])
    return model_id


async def worded(
    database: Database, secrets: Secrets, actor: Actor, query: Query, deadline_s: float = 60
) -> str | None:
    async with new_client() as http:
        rewriter = Rewriter(database, secrets.sealer, http, deadline_s=deadline_s)
        try:
            return await rewriter.worded(actor, PROJECT, query)
        finally:
            await rewriter.close()


async def test_the_helper_is_asked_only_where_it_can_help(database: Database, secrets: Secrets, a_user: Actor) -> None:
    followed, first = Query("And the stork?", BEFORE), Query("And the stork?")
    async with FakeProvider(numbered_words({})) as fake:
        model_id = await a_model(database, secrets, fake)
        nobody = await worded(database, secrets, a_user, followed)
        async with database.writing() as session:
            await set_helper_model(session, SYSTEM, model_id)
        nothing_before = await worded(database, secrets, a_user, first)
        assert fake.requests == []
        helped = await worded(database, secrets, a_user, followed)
        async with database.writing() as session:
            await settings.change(session, SYSTEM, HELPER_QUERIES, value=False)
        switched_off = await worded(database, secrets, a_user, followed)

        assert len(fake.requests) == 1
    assert (nobody, nothing_before, helped, switched_off) == (None, None, "How much does a stork weigh?", None)


@pytest.mark.parametrize("helped", [Reply([b"{}"], status=500), Reply(first_delay_s=600)], ids=["fails", "hangs"])
async def test_a_helper_that_fails_or_hangs_keeps_nobody_waiting_and_is_booked(
    database: Database, secrets: Secrets, a_user: Actor, helped: Reply
) -> None:
    async with FakeProvider(helped) as fake:
        model_id = await a_model(database, secrets, fake)
        async with database.writing() as session:
            await set_helper_model(session, SYSTEM, model_id)
        async with asyncio.timeout(60):
            found = await worded(database, secrets, a_user, Query("And the stork?", BEFORE), deadline_s=1)

    assert found is None
    async with database.reading() as session:
        (row,) = await session.scalars(select(UsageLog))
    assert (row.purpose, row.status, row.project_id) == (UsagePurpose.QUERY, RunStatus.FAILED, PROJECT)
