"""What limits count, while the Redis that processes share is away."""

import asyncio

import pytest

from llm_ui.runs.counts import Counts
from tests.fakes.redis import RedisServer


@pytest.mark.parametrize("fault", ["never there", "gone", "silent"])
async def test_f54_a_limit_holds_in_the_process_while_redis_is_away(fault: str) -> None:
    server = RedisServer()
    if fault != "never there":
        await asyncio.to_thread(server.start)
    counts = Counts(server.url, clock=lambda: 1_000_020.0)
    try:
        if fault != "never there":
            assert (await counts.take("before", 1, 1)).wait_s == 0
            assert (await counts.take("before", 1, 1)).wait_s > 0
        if fault == "gone":
            await asyncio.to_thread(server.stop)
        if fault == "silent":
            server.freeze()

        async with asyncio.timeout(20):
            assert (await counts.take("key", 2, 1)).wait_s == 0
            assert (await counts.take("key", 2, 1)).wait_s == 0
            assert (await counts.take("key", 2, 1)).wait_s > 0
            assert await counts.hold("key", 1, "first")
            assert not await counts.hold("key", 1, "second")
    finally:
        await asyncio.to_thread(server.stop)
        await counts.close()
