"""The LLM API over real HTTP, in the test's own loop, with a scripted provider behind it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx2
import pytest

from llm_ui.api.main import run
from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.kit.ids import ModelId
from llm_ui.llm_client import LLMClient, UserClient
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.ai_models import NewModel, add_models
from llm_ui.services.providers import NewProvider, add
from llm_ui.services.secrets import Secrets

AddModel = Callable[..., Awaitable[ModelId]]


class RunningApi:
    """A running LLM API that can be stopped and started again."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start; returns once it is ready."""
        self._stop = asyncio.Event()
        self._task = asyncio.create_task(run(self._config, self._stop))
        async with httpx2.AsyncClient(trust_env=False) as http:
            while True:
                if self._task.done():
                    self._task.result()
                try:
                    if (await http.get(f"{self._config.llm_api_url}/readyz")).status_code == 200:
                        return
                except httpx2.TransportError:
                    pass
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Stop as on SIGTERM; returns once it has ended."""
        assert self._task is not None
        self._stop.set()
        await self._task


@pytest.fixture
async def api(database_config: Config, database: Database, secrets: Secrets) -> AsyncIterator[RunningApi]:
    running = RunningApi(database_config.model_copy(update={"drain_s": 0.3}))
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def llm(database_config: Config, secrets: Secrets) -> AsyncIterator[LLMClient]:
    client = LLMClient(database_config.llm_api_url, secrets.signer)
    yield client
    await client.aclose()


@pytest.fixture
def client_of(llm: LLMClient) -> Callable[[Actor], UserClient]:
    """Return the client of an actor."""

    def make(actor: Actor) -> UserClient:
        assert actor.session_id is not None
        return llm.signed_in(actor.user_id, actor.session_id)

    return make


@pytest.fixture
def add_model(database: Database, secrets: Secrets) -> AddModel:
    """Add a provider at an address with one model of the given name."""

    async def make(base_url: str, name: str, kind: str = "openai") -> ModelId:
        async with database.writing() as session:
            new = NewProvider(name=name, kind=kind, base_url=base_url, key="sk-test-key-of-some-length")
            provider = await add(session, SYSTEM, secrets.sealer, new)
            (model_id,) = await add_models(session, SYSTEM, provider.id, [NewModel(name)])
            return model_id

    return make
