"""A worker's loop in the test's own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from llm_ui.config import Config
from llm_ui.db import Database

Keep = Callable[[Config, Database, asyncio.Event], Awaitable[None]]


@contextlib.asynccontextmanager
async def at_work(keep: Keep, config: Config, database: Database) -> AsyncIterator[None]:
    """Let a worker do one kind of work; it is stopped at the end, and gives back what it has."""
    stop = asyncio.Event()
    running = asyncio.ensure_future(keep(config, database, stop))
    try:
        yield
    finally:
        stop.set()
        await running
