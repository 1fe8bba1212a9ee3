"""What there is of the models' service, from full to nothing."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from llm_ui.db import Database
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ModelId, ProviderId
from llm_ui.models import AiModel, ProviderHealth
from llm_ui.models.cached_answer import CacheMode
from llm_ui.services import service_level, settings
from llm_ui.services.access import SYSTEM
from llm_ui.services.ai_models import NewModel, add_models
from llm_ui.services.deployments import Deployment, set_deployment
from llm_ui.services.provider_health import DOWN_AFTER, WELL_AFTER
from llm_ui.services.providers import NewProvider, add
from llm_ui.services.secrets import Secrets
from llm_ui.services.service_level import Level, Service
from llm_ui.services.settings import STATIC_NOTICE
from llm_ui.services.stand_ins import set_stand_ins

LONG = timedelta(hours=1)


class World:
    """Two providers with a model each, beside the demo."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.models: list[ModelId] = []
        self.providers: list[ProviderId] = []

    async def fall(self, *which: int, since: datetime | None = None, well_since: datetime | None = None) -> None:
        """Have providers be down, all others not."""
        async with self.database.writing() as session:
            for number, provider_id in enumerate(self.providers):
                row = await session.get_one(ProviderHealth, provider_id)
                row.down_since = (since or now() - LONG) if number in which else None
                row.well_since = well_since if number in which else None

    async def service(self) -> Service:
        async with self.database.reading() as session:
            return await service_level.read(session, now())


@pytest.fixture
async def world(seeded: Database, secrets: Secrets) -> World:
    world = World(seeded)
    async with seeded.writing() as session:
        for name in ("first", "second"):
            new = NewProvider(name, "openai", "http://127.0.0.1:9/v1", "sk-test-key-of-some-length")
            provider = await add(session, SYSTEM, secrets.sealer, new)
            (model_id,) = await add_models(session, SYSTEM, provider.id, [NewModel(name)])
            session.add(ProviderHealth(provider_id=provider.id, due_at=now() + timedelta(seconds=12)))
            world.models.append(model_id)
            world.providers.append(provider.id)
    return world


async def test_the_level_falls_with_what_can_still_answer(world: World) -> None:
    first, second = world.models
    assert (await world.service()).level is Level.FULL

    await world.fall(0)
    alone = await world.service()
    async with world.database.writing() as session:
        await set_stand_ins(session, SYSTEM, first, [second])
    helped = await world.service()
    await world.fall(0, 1)
    nothing = await world.service()
    async with world.database.writing() as session:
        await session.execute(update(AiModel).where(AiModel.id == second).values(cache_mode=CacheMode.OWN))
    kept = await world.service()

    assert (alone.level, alone.fallen[first].stand_ins) == (Level.DEGRADED, ())
    assert (helped.level, helped.fallen[first].stand_ins) == (Level.DEGRADED, (second,))
    assert (nothing.level, nothing.fallen[first].stand_ins) == (Level.STATIC, ())
    assert (kept.level, kept.fallen[second].is_kept) == (Level.CACHED, True)


async def test_a_model_that_others_serve_under_its_name_falls_with_the_last_of_them(world: World) -> None:
    first, second = world.models
    async with world.database.writing() as session:
        await set_deployment(session, SYSTEM, second, Deployment(first))

    await world.fall(0)
    one_left = await world.service()
    await world.fall(0, 1)

    assert first not in one_left.fallen
    assert first in (await world.service()).fallen


async def test_nothing_changes_for_what_comes_and_goes(world: World) -> None:
    levels = []
    for since, well_since in (
        (DOWN_AFTER / 2, None), (DOWN_AFTER * 2, None), (LONG, WELL_AFTER / 2), (LONG, WELL_AFTER * 2),
    ):  # fmt: skip
        at = now()
        await world.fall(0, 1, since=at - since, well_since=None if well_since is None else at - well_since)
        levels.append((await world.service()).level)

    assert levels == [Level.FULL, Level.STATIC, Level.STATIC, Level.FULL]


async def test_whoever_asks_reads_what_an_administrator_wrote_and_when_it_is_tried_again(world: World) -> None:
    await world.fall(0, 1)
    usual = (await world.service()).refusal()
    async with world.database.writing() as session:
        await settings.change(session, SYSTEM, STATIC_NOTICE, "The line to the outside is cut.")

    written = (await world.service()).refusal()

    assert usual.message.startswith("No model can answer at the moment. Try again in 1")
    assert written.message.startswith("The line to the outside is cut. It is tried again in 1")
    assert written.retry_after is not None
    assert 5 <= written.retry_after <= 12
