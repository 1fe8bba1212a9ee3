"""Kept answers to questions that mean the same: to scripts and in chats, with scripted models behind."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import httpx2
import pytest
from sqlalchemy import select, update

from llm_ui.config import Config
from llm_ui.contract import CompleteEvent
from llm_ui.db import Database
from llm_ui.kit.ids import MessageId, ProjectId, uuid7
from llm_ui.models import AiModel, CachedAnswer, CacheMode, Rating, UsageLog, UsagePurpose
from llm_ui.services import cached_answers, feedback, projects, settings
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.embedding import set_embedding_model
from llm_ui.services.explanations import explain_answer
from llm_ui.services.feedback import Feedback
from llm_ui.services.settings import CACHE_WAIT_MS
from tests.api.conftest import AddModel, RunningApi
from tests.api.test_answers import ClientOf, asking, everything, started
from tests.api.test_cache import ANSWER, PRICE, World, told
from tests.fakes.embeddings import embeddings_reply
from tests.fakes.provider import FakeProvider, Received, Reply

ASKED, SAME = "How big is a heron?", "Tell me how big a heron is, please."
SIMILAR = ("similar", "so it is")


@pytest.fixture
def database_config(sqlite_config: Config) -> Config:
    """SQLite only: what depends on the database is tried with the service."""
    return sqlite_config


class Far:
    """A provider of answers and of vectors."""

    def __init__(self) -> None:
        self.late_s = 0.0

    def reply(self, request: Received) -> Reply:
        if not request.path.endswith("/embeddings"):
            return ANSWER
        return replace(embeddings_reply(request), delay_s=self.late_s)


@pytest.fixture
def far() -> Far:
    return Far()


@pytest.fixture
async def world(
    api: RunningApi, database: Database, database_config: Config, add_model: AddModel, far: Far
) -> AsyncIterator[World]:
    async with (
        FakeProvider(far.reply) as fake,
        httpx2.AsyncClient(base_url=database_config.llm_api_url, trust_env=False, timeout=30) as http,
    ):
        model_id = await add_model(fake.base_url("openai"), "kept")
        maker = await add_model(fake.base_url("openai"), "things-embed")
        async with database.writing() as session:
            prices = {"input_usd_per_mtok": Decimal(1), "output_usd_per_mtok": Decimal(1)}
            await session.execute(update(AiModel).where(AiModel.id == model_id).values(**prices))
            await session.execute(update(AiModel).where(AiModel.id == maker).values(makes_embeddings=True))
            await set_embedding_model(session, SYSTEM, maker)
            await cached_answers.set_mode(session, SYSTEM, model_id, CacheMode.OWN, is_similar=True)
        world = World(database, fake, http, model_id)
        await wait_at_most(world, 5_000)
        yield world


async def wait_at_most(world: World, ms: int) -> None:
    async with world.database.writing() as session:
        await settings.store(session, CACHE_WAIT_MS, ms)


def answers_of(world: World) -> int:
    """Return how often the model was asked that answers."""
    return sum(not request.path.endswith("/embeddings") for request in world.fake.requests)


async def test_a_question_that_means_the_same_gets_the_kept_answer(world: World, a_user: Actor) -> None:
    key = await world.key_of(a_user)
    first = await world.ask(key, ASKED)
    await world.is_kept()

    again = await world.ask(key, SAME)

    assert (told(first)[0], told(again)) == ("miss", SIMILAR)
    assert again.headers["x-llm-ui-cache-similarity"] == "1.000"
    assert answers_of(world) == 1
    booked = await world.booked()
    asked = [one for one in booked if one.purpose is not UsagePurpose.EMBEDDING]
    assert [(one.is_similar, one.cost_usd, one.saved_usd) for one in asked] == [(False, PRICE, None), (True, 0, PRICE)]
    vectors = [one for one in booked if one.purpose is UsagePurpose.EMBEDDING]
    assert [(one.user_id, one.input_tokens) for one in vectors] == [(a_user.user_id, 3)] * 2
    async with world.database.reading() as session:
        gained = await cached_answers.gained(session, SYSTEM, world.model_id)
    assert (gained.requests, gained.hits, gained.similar, gained.similar_saved_usd) == (2, 1, 1, PRICE)


async def test_another_question_wall_or_setting_gets_an_answer_of_its_own(
    world: World, a_user: Actor, another_user: Actor
) -> None:
    async with world.database.writing() as session:
        project_id, _ = await projects.find_or_begin(session, a_user, [ProjectId(uuid7())], "Herons")
    mine, hers = await world.key_of(a_user), await world.key_of(another_user)
    inside = await world.key_of(a_user, project_id=project_id)
    await world.ask(mine, ASKED)
    await world.is_kept()

    others = [
        await world.ask(mine, "How big is a heron not?"),
        await world.ask(mine, "How big is a heron in 2023?"),
        await world.ask(mine, "How big is a boat?"),
        await world.ask(mine, SAME, temperature=0.5),
        await world.ask(mine, SAME, headers={"Cache-Control": "no-cache"}),
        await world.ask(hers, SAME),
        await world.ask(inside, SAME),
    ]

    assert [told(one)[0] for one in others] == ["miss"] * 7


async def test_without_the_wish_nothing_is_compared(world: World, a_user: Actor) -> None:
    async with world.database.writing() as session:
        await cached_answers.set_mode(session, SYSTEM, world.model_id, CacheMode.OWN)
    usual, wishing = await world.key_of(a_user), await world.key_of(a_user, keeps_answers=True, keeps_similar=True)
    await world.ask(usual, ASKED)
    await world.is_kept()

    assert told(await world.ask(usual, SAME))[0] == "miss"
    assert len(world.fake.requests) == 2, "no vector is made"
    await world.ask(wishing, "How large is a heron in 2023?")
    await world.is_kept(3)
    assert told(await world.ask(wishing, "Tell me how large a heron is in 2023."))[0] == "similar"


async def test_who_makes_vectors_too_slowly_holds_nothing_up(world: World, a_user: Actor, far: Far) -> None:
    key = await world.key_of(a_user)
    await world.ask(key, ASKED)
    await world.is_kept()
    await wait_at_most(world, 10)
    far.late_s = 0.5

    late = await world.ask(key, SAME)
    await world.is_kept(2)

    assert told(late)[0] == "miss"
    far.late_s = 0.0
    await wait_at_most(world, 5_000)
    async with world.database.reading() as session:
        kept = list(await session.scalars(select(CachedAnswer)))
    assert {one.question for one in kept} == {ASKED, SAME}, "its vector is kept with the answer that was made"
    made = [json.loads(one.body)["input"] for one in world.fake.requests if one.path.endswith("/embeddings")]
    assert made == [[ASKED], [SAME]], "and made once"


async def test_a_chat_shows_the_other_question_and_a_bad_rating_takes_the_pair_apart(
    world: World, client_of: ClientOf, a_user: Actor
) -> None:
    client = client_of(a_user)
    await everything(client, asking(ASKED, model_id=world.model_id))
    await world.is_kept()

    events = await everything(client, asking(SAME, model_id=world.model_id))
    end, ids = events[-1].event, started(events)
    async with world.database.writing() as session:
        seen = await explain_answer(session, a_user, MessageId(ids.answer_id))
        await feedback.rate(session, a_user, MessageId(ids.answer_id), Feedback(Rating.DOWN))
    anew = await everything(
        client, asking("", chat_id=ids.chat_id, regenerate_of=ids.answer_id, model_id=world.model_id)
    )
    third = await everything(client, asking("How big is a heron, please?", model_id=world.model_id))

    assert isinstance(end, CompleteEvent)
    assert (end.metrics.similarity, end.metrics.similar_to, end.cost_usd) == (1.0, ASKED, "0")
    assert (seen.similarity, seen.similar_to, seen.saved_usd) == (1.0, ASKED, PRICE)
    assert anew[-1].event.metrics.cached_at is None  # type: ignore[union-attr]
    assert third[-1].event.metrics.similar_to == SAME  # type: ignore[union-attr]
    async with world.database.reading() as session:
        gained = await cached_answers.gained(session, SYSTEM, world.model_id)
        usage = list(await session.scalars(select(UsageLog).where(UsageLog.is_similar)))
    assert (gained.similar, gained.false, len(usage)) == (2, 1, 2)


async def test_the_question_of_somebody_else_is_not_shown(
    world: World, client_of: ClientOf, a_user: Actor, another_user: Actor
) -> None:
    async with world.database.writing() as session:
        await cached_answers.set_mode(session, SYSTEM, world.model_id, CacheMode.SHARED, is_similar=True)
    await everything(client_of(a_user), asking(ASKED, model_id=world.model_id))
    await world.is_kept()

    events = await everything(client_of(another_user), asking(SAME, model_id=world.model_id))

    end = events[-1].event
    assert isinstance(end, CompleteEvent)
    assert (end.metrics.similarity, end.metrics.similar_to) == (1.0, "")


async def test_it_is_found_among_what_is_kept_at_once_by_many(world: World, a_user: Actor) -> None:
    key = await world.key_of(a_user)
    await world.ask(key, ASKED)
    await world.is_kept()

    answers = await asyncio.gather(*(world.ask(key, SAME) for _ in range(5)))

    assert [told(one) for one in answers] == [SIMILAR] * 5
    assert answers_of(world) == 1
