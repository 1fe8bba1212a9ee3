"""Two processes of the LLM API with one Redis: what one learns of a provider that is down, the other one knows."""

import asyncio
from collections.abc import Iterator

import pytest

from llm_ui.config import Config
from llm_ui.contract import ErrorEvent
from llm_ui.kit.redis_link import open_redis
from llm_ui.llm_client import LLMClient
from llm_ui.runs.shared_breakers import CHANNEL, OPEN_KEY
from llm_ui.services.access import Actor
from llm_ui.services.secrets import Secrets
from tests.api.conftest import AddModel
from tests.api.test_answers import asking, everything, text_of
from tests.api.test_process import process
from tests.api.test_stand_ins import GOOD, answering, refusing
from tests.fakes.postgresql import free_port
from tests.fakes.provider import FakeProvider
from tests.fakes.redis import RedisServer


@pytest.fixture
def database_config(sqlite_config: Config) -> Config:
    """SQLite only: nothing of this is in the database."""
    return sqlite_config


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.stop()


async def test_a_provider_that_fails_one_process_is_left_alone_by_the_other(
    database_config: Config, secrets: Secrets, a_user: Actor, add_model: AddModel, redis: RedisServer
) -> None:
    other = database_config.model_copy(update={"api_port": free_port()})
    clients = [LLMClient(one.llm_api_url, secrets.signer) for one in (database_config, other)]
    assert a_user.session_id is not None
    first, second = (client.signed_in(a_user.user_id, a_user.session_id) for client in clients)
    link = open_redis(redis.url)
    async with (
        FakeProvider(refusing(503)) as fake,
        process(database_config, redis_url=redis.url),
        process(other, redis_url=redis.url),
        asyncio.timeout(60),
    ):
        model_id = await add_model(fake.base_url("openai"), "fake")
        while dict(await link.pubsub_numsub(CHANNEL)).get(CHANNEL) != 2:
            await asyncio.sleep(0.02)

        while not await link.keys(f"{OPEN_KEY}*"):
            await everything(first, asking("are you there?", model_id=model_id))
        answering(fake, GOOD)
        events = await everything(second, asking("and you?", model_id=model_id))

        assert isinstance(events[-1].event, ErrorEvent)
        assert "left alone" in events[-1].event.error.message
        assert fake.requests == []
        redis.stop()
        nobody = await everything(second, asking("still?", model_id=await add_model(fake.base_url("openai"), "more")))
        assert text_of(nobody) == "second best"
    for client in clients:
        await client.aclose()
    await link.aclose()
