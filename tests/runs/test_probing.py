"""Probes that cost nothing, on a real database, of a provider that falls, refuses and recovers."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.errors import Forbidden, ProviderError, ProviderFault
from llm_ui.kit.clock import now
from llm_ui.kit.http import new_client
from llm_ui.kit.ids import ProviderId
from llm_ui.models import AiProvider, ProviderHealth, ProviderProbe
from llm_ui.runs.breaker import FAILURES
from llm_ui.runs.breakers import Breakers
from llm_ui.runs.probing import Prober
from llm_ui.services import provider_health, retention, settings, system
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.ai_models import NewModel, add_models
from llm_ui.services.provider_health import DOWN_AFTER, RESTS, WELL_AFTER, Known
from llm_ui.services.providers import NewProvider, add
from llm_ui.services.secrets import Secrets
from llm_ui.services.seed import seed
from llm_ui.services.settings import PROBE_SECONDS
from tests.fakes.provider import FakeProvider, Reply

JSON = {"Content-Type": "application/json"}
LISTED = Reply([json.dumps({"data": [{"id": "fake"}]}).encode()], headers=JSON)
EVERY = timedelta(seconds=PROBE_SECONDS.default)


def refusing(status: int) -> Reply:
    return Reply([b'{"error": {"message": "no"}}'], status=status, headers=JSON)


class World:
    """A provider, and two processes of the LLM API that may probe it."""

    def __init__(self, database: Database, fake: FakeProvider, provider_id: ProviderId) -> None:
        self.database, self.fake, self.provider_id = database, fake, provider_id
        self.breakers = Breakers(), Breakers()
        self.probers: tuple[Prober, ...] = ()

    async def known(self) -> Known:
        async with self.database.reading() as session:
            (found,) = await provider_health.known(session)
        return found

    async def probes(self) -> int:
        async with self.database.reading() as session:
            return await session.scalar(select(func.count()).select_from(ProviderProbe)) or 0

    async def look(self) -> None:
        for prober in self.probers:
            await prober.look()

    async def probe(self) -> Known:
        """Have it be due, and return what both processes know then."""
        before = await self.probes()
        async with self.database.writing() as session:
            await session.execute(update(ProviderHealth).values(due_at=now() - timedelta(seconds=1)))
        await self.look()
        async with asyncio.timeout(20):
            while await self.probes() == before:
                await asyncio.sleep(0.01)
        await self.look()
        return await self.known()

    async def lets(self, process: int = 0) -> bool:
        """Return whether a process lets a call through; what becomes of that nobody learns."""
        try:
            await self.breakers[process].admit(self.provider_id)
        except ProviderError:
            return False
        self.breakers[process].abandoned(self.provider_id)
        return True

    def fail(self) -> None:
        """Have as many calls fail as open the breaker of the first process."""
        for _ in range(FAILURES):
            self.breakers[0].failed(self.provider_id, ProviderFault.OVERLOADED)


@pytest.fixture
async def world(database: Database, config: Config, secrets: Secrets) -> AsyncIterator[World]:
    config = config.model_copy(update={"probe_providers": True})
    async with FakeProvider(LISTED) as fake, new_client() as http:
        async with database.writing(lock="seed") as session:
            await seed(session)
            new = NewProvider("Acme", "openai", fake.base_url("openai"), "sk-test-key-of-some-length")
            provider = await add(session, SYSTEM, secrets.sealer, new)
            await add_models(session, SYSTEM, provider.id, [NewModel("fake")])
        world = World(database, fake, provider.id)
        world.probers = tuple(Prober(config, database, secrets.sealer, http, one) for one in world.breakers)
        await world.look()
        yield world


async def test_one_process_asks_for_the_models_and_all_know_how_it_went(world: World, an_admin: Actor) -> None:
    assert world.fake.requests == [], "one that was just added was tried then"

    known = await world.probe()

    assert [(one.method, one.path) for one in world.fake.requests] == [("GET", "/v1/models")]
    assert known.problem is None
    assert known.latency_ms
    assert known.due_at is not None
    assert known.due_at > now() + EVERY / 2
    async with world.database.reading() as session:
        assert (await provider_health.list_health(session, an_admin))[world.provider_id] == known
        shown = await system.read(session, an_admin)
    assert [(one.name, one.probes, one.failed_probes) for one in shown.providers if one.probes] == [("Acme", 1, 0)]


async def test_a_probe_that_is_answered_lets_calls_through_again(world: World) -> None:
    world.fail()
    assert not await world.lets()
    await world.look()
    resting = await world.known()
    assert resting.is_fallen
    assert resting.due_at is not None
    assert resting.due_at < now() + timedelta(seconds=10), "somebody waits: it is probed soon"

    await world.probe()

    assert await world.lets()


@pytest.mark.parametrize("status", [500, 429, 404])
async def test_a_probe_that_fails_otherwise_leaves_calls_alone(world: World, status: int) -> None:
    world.fake._reply = refusing(status)

    known = await world.probe()

    assert await world.lets()
    assert (known.problem is None) == (status != 500)
    assert not known.is_fallen


async def test_a_refused_connection_means_down_everywhere_until_a_call_is_answered(world: World) -> None:
    port = world.fake.port
    await world.fake.stop()

    known = await world.probe()

    assert known.is_fallen
    assert known.problem is not None
    assert (await world.lets(0), await world.lets(1)) == (False, False)
    world.breakers[1].succeeded(world.provider_id)
    for _ in range(2):
        await world.look()
    assert not (await world.known()).is_down(now() + RESTS)
    assert (await world.lets(0), await world.lets(1)) == (True, True), "the call is newer than the probe"
    await world.fake.start(port)


async def test_a_refused_key_is_said_and_taken_back(world: World) -> None:
    world.fake._reply = refusing(401)
    known = await world.probe()
    assert known.problem is not None
    assert "refused the key" in known.problem
    assert known.is_fallen
    assert await world.lets(), "whoever asks is told the same, and not that it failed several times"
    async with world.database.reading() as session:
        assert (await session.get_one(AiProvider, world.provider_id)).key_refused_at is not None

    world.fake._reply = LISTED
    await world.probe()

    async with world.database.reading() as session:
        assert (await session.get_one(AiProvider, world.provider_id)).key_refused_at is None


async def test_calls_that_are_answered_put_probes_off_but_not_for_ever(world: World) -> None:
    await world.probe()
    async with world.database.writing() as session:
        at = now() + EVERY
        await provider_health.note(session, at, every=EVERY, answered={world.provider_id: at}, resting=())
    put_off = (await world.known()).due_at
    assert put_off is not None
    assert put_off > at + EVERY / 2
    async with world.database.writing() as session:
        at = now() + 10 * EVERY
        await provider_health.note(session, at, every=EVERY, answered={world.provider_id: at}, resting=())

    last = (await world.known()).due_at

    assert last is not None
    assert last < at


async def test_nobody_is_probed_where_that_is_off_and_old_probes_go(world: World) -> None:
    await world.probe()
    async with world.database.writing() as session:
        await settings.change(session, SYSTEM, PROBE_SECONDS, 0)
        await session.execute(update(ProviderHealth).values(due_at=now() - timedelta(days=1)))
        await session.execute(update(ProviderProbe).values(at=now() - timedelta(days=8)))

    await world.look()
    async with world.database.writing() as session:
        gone = await retention.purge_monitoring(session)

    assert len(world.fake.requests) == 1
    assert (gone, await world.probes()) == (1, 0)


def test_what_comes_and_goes_within_seconds_is_not_shown() -> None:
    at = now()

    def shown(down: timedelta, well: timedelta | None = None) -> bool:
        known = Known(ProviderId(SYSTEM.user_id), at, down_since=at - down, well_since=well and at - well)
        return known.is_shown_down(at)

    assert not shown(DOWN_AFTER / 2)
    assert shown(DOWN_AFTER)
    assert shown(DOWN_AFTER * 2, DOWN_AFTER / 2)
    assert not shown(DOWN_AFTER + WELL_AFTER, WELL_AFTER)
    assert not shown(DOWN_AFTER, DOWN_AFTER / 2)


async def test_one_that_falls_again_at_once_was_never_well(world: World) -> None:
    began = now()
    for seconds, is_resting in ((0, True), (12, False), (20, True)):
        async with world.database.writing() as session:
            resting = [world.provider_id] if is_resting else []
            at = began + timedelta(seconds=seconds)
            await provider_health.note(session, at, every=EVERY, answered={}, resting=resting)

    known = await world.known()

    assert known.is_fallen
    assert known.down_since == began
    assert known.is_shown_down(began + timedelta(seconds=20))


async def test_only_administrators_read_it(world: World, a_user: Actor) -> None:
    async with world.database.reading() as session:
        with pytest.raises(Forbidden):
            await provider_health.list_health(session, a_user)
