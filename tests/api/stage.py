"""A running API for scripts with a model behind each protocol of a provider, made once for a module of tests."""

import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import delete, select, update

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.models import AiModel, Role, UsageLog
from llm_ui.services import keys
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.ai_models import NewModel, add_models
from llm_ui.services.keys import NewKey
from llm_ui.services.providers import NewProvider, add
from llm_ui.services.secrets import load_secrets
from tests.api.conftest import RunningApi
from tests.conftest import make_actor
from tests.fakes.postgresql import free_port
from tests.fakes.provider import PROTOCOLS, FakeProvider, Received, Reply, answer, protocol_of, reply

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
TOOL_PAGE = "https://tool.example.org"


@dataclass
class Stage:
    """A running API with a model behind each protocol of a provider, and what those answer."""

    url: str
    key: str
    actor: Actor
    database: Database
    fake: FakeProvider
    say: Callable[[Received], Reply]

    @property
    def sent(self) -> list[str]:
        """What providers were sent, newest last."""
        return [request.body.decode() for request in self.fake.requests]

    async def made(self, **wanted: Any) -> dict[str, str]:
        """Return the headers of a new key."""
        async with self.database.writing() as session:
            made = await keys.create(session, self.actor, NewKey("other", **wanted))
        return {"Authorization": f"Bearer {made.token}"}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def played(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> AsyncIterator[Stage]:
    """The API and its models, made once."""
    config = Config(data_dir=tmp_path_factory.mktemp("data"), api_port=free_port(), api_origins=(TOOL_PAGE,))
    shutil.copy(migrated_sqlite, config.folder / "llm-ui.db")
    sealer, database = load_secrets(config).sealer, Database.open(config)
    actor = await make_actor(database, "bob", Role.USER)
    stage = Stage(config.llm_api_url, "", actor, database, FakeProvider(lambda request: stage.say(request)), saying())
    api = RunningApi(config)
    await api.start()
    async with stage.fake as fake:
        async with database.writing() as session:
            for protocol in PROTOCOLS:
                new = NewProvider(protocol, protocol, fake.base_url(protocol), key="sk-test-key-of-some-length")
                provider = await add(session, SYSTEM, sealer, new)
                await add_models(session, SYSTEM, provider.id, [NewModel(protocol), NewModel(f"{protocol}-embed")])
            await session.execute(update(AiModel).values(can_see_images=True, can_use_tools=True))
            embedders = AiModel.name.like("%-embed")
            await session.execute(update(AiModel).where(embedders).values(makes_embeddings=True))
            stage.key = (await keys.create(session, actor, NewKey("script"))).token
        yield stage
        await api.stop()
    await database.close()


@pytest_asyncio.fixture(loop_scope="module")
async def stage(played: Stage) -> Stage:
    """The same, with nothing booked and nothing sent."""
    played.fake.requests.clear()
    played.say = saying()
    async with played.database.writing() as session:
        await session.execute(delete(UsageLog))
    return played


def saying(*words: str, **options: Any) -> Callable[[Received], Reply]:
    """Return what a provider says, in whatever protocol it is asked."""
    told = words or ("A ", "heron.")
    reason = options.pop("reason", {})

    def said(request: Received) -> Reply:
        protocol = protocol_of(request)
        return reply(protocol, answer(protocol, told, reason=reason.get(protocol)), **options)

    return said


async def booked(database: Database) -> list[UsageLog]:
    async with database.reading() as session:
        return list(await session.scalars(select(UsageLog)))
