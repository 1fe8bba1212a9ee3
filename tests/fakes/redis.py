"""A Redis of our own: Debian's `redis-server` on a loopback port, without a disk."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.fakes.postgresql import free_port


@asynccontextmanager
async def running_redis() -> AsyncIterator[str]:
    """Run a Redis until the end of the block; yield its address."""
    program = shutil.which("redis-server")
    if program is None:
        raise RuntimeError("Redis is not installed. Run: apt-get install -y redis-server")
    port = free_port()
    server = await asyncio.create_subprocess_exec(
        program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    url = f"redis://127.0.0.1:{port}/0"
    try:
        async with asyncio.timeout(20):
            while not await _answers(url):
                assert server.returncode is None, "redis-server has ended"
                await asyncio.sleep(0.02)
        yield url
    finally:
        if server.returncode is None:
            server.kill()
        await server.wait()


async def _answers(url: str) -> bool:
    async with Redis.from_url(url) as redis:
        try:
            return bool(await redis.ping())
        except (RedisError, OSError):
            return False
