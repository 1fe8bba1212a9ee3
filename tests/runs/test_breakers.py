"""Breakers that several processes share, on a real Redis that goes away and comes back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress

import pytest
from redis.exceptions import RedisError

from llm_ui.errors import ProviderError, ProviderFault
from llm_ui.kit.ids import ProviderId, uuid7
from llm_ui.kit.redis_link import open_redis
from llm_ui.runs.breaker import FAILURES, OPEN_S
from llm_ui.runs.shared_breakers import CHANNEL, SharedBreakers
from tests.fakes.redis import RedisServer

DOWN = ProviderFault.OVERLOADED


class World:
    """Two processes that know of one provider, on a clock of the test's own."""

    def __init__(self, redis: RedisServer) -> None:
        self.redis = redis
        self.instant = 0.0
        self.provider_id = ProviderId(uuid7())
        self.link = open_redis(redis.url)

    @asynccontextmanager
    async def process(self, heard_by: int) -> AsyncIterator[SharedBreakers]:
        """Yield the breakers of a process once so many hear what is told."""
        link = open_redis(self.redis.url)
        breakers = SharedBreakers(link, lambda: self.instant)
        async with breakers.shared():
            await self.hear(heard_by)
            yield breakers
        await link.aclose()

    async def hear(self, listeners: int) -> None:
        """Return once so many processes listen."""

        async def listening() -> bool:
            # Its own connection may have ended with the server that was.
            with suppress(RedisError):
                return dict(await self.link.pubsub_numsub(CHANNEL)).get(CHANNEL) == listeners
            return False

        async with asyncio.timeout(20):
            while not await listening():
                await asyncio.sleep(0.01)

    def opens(self, *all_breakers: SharedBreakers) -> Callable[[], bool]:
        return lambda: all(one.left_alone() == {self.provider_id} for one in all_breakers)

    async def lets(self, breakers: SharedBreakers) -> bool:
        try:
            await breakers.admit(self.provider_id)
        except ProviderError:
            return False
        return True


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def world(server: RedisServer) -> AsyncIterator[World]:
    world = World(server)
    yield world
    await world.link.flushall()
    await world.link.aclose()


@pytest.fixture
async def two(world: World) -> AsyncIterator[tuple[SharedBreakers, SharedBreakers]]:
    async with world.process(1) as first, world.process(2) as second:
        yield first, second


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.005)


async def opened(world: World, *all_breakers: SharedBreakers) -> None:
    for _ in range(FAILURES):
        all_breakers[0].failed(world.provider_id, DOWN)
    await until(world.opens(*all_breakers))


async def test_failures_that_two_processes_met_count_together(
    world: World, two: tuple[SharedBreakers, SharedBreakers]
) -> None:
    first, second = two

    for turn in range(FAILURES):
        two[turn % 2].failed(world.provider_id, DOWN)

    await until(world.opens(first, second))
    assert not await world.lets(first)
    assert not await world.lets(second)


async def test_one_of_two_processes_tries_and_its_good_answer_counts_for_both(
    world: World, two: tuple[SharedBreakers, SharedBreakers]
) -> None:
    await opened(world, *two)
    world.instant += OPEN_S

    let = [await world.lets(breakers) for breakers in two]

    assert let == [True, False]
    two[0].succeeded(world.provider_id)
    await until(lambda: not two[0].left_alone() | two[1].left_alone())
    assert await world.lets(two[1])


async def test_who_ends_the_try_without_an_answer_lets_another_process_try(
    world: World, two: tuple[SharedBreakers, SharedBreakers]
) -> None:
    await opened(world, *two)
    world.instant += OPEN_S
    assert await world.lets(two[0])

    two[0].abandoned(world.provider_id)

    async with asyncio.timeout(20):
        while not await world.lets(two[1]):
            await asyncio.sleep(0.01)


async def test_a_process_that_starts_later_knows_who_is_left_alone(
    world: World, two: tuple[SharedBreakers, SharedBreakers]
) -> None:
    await opened(world, *two)

    async with world.process(3) as third:
        await until(world.opens(third))


async def test_without_redis_each_process_goes_on_for_itself_and_shares_again_once_it_is_back(world: World) -> None:
    async with world.process(1) as first, world.process(2) as second:
        world.redis.stop()

        for _ in range(FAILURES):
            first.failed(world.provider_id, DOWN)

        assert first.left_alone()
        assert not second.left_alone()
        world.instant += OPEN_S
        assert await world.lets(first)
        world.redis.start()
        await world.hear(2)
        first.failed(world.provider_id, DOWN)
        await until(world.opens(first, second))
