"""Doing what stands in the database to be done, one thing after the other."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

from llm_ui.db import Database, ReadSession, Session
from llm_ui.errors import Unavailable
from llm_ui.observability.logging import get_logger

log = get_logger(__name__)

T = TypeVar("T")


async def keep_working(
    database: Database,
    stop: asyncio.Event,
    look_s: float,
    is_any_waiting: Callable[[ReadSession], Awaitable[bool]],
    claim: Callable[[Session], Awaitable[T | None]],
    work: Callable[[T], Awaitable[None]],
    lock: str | None = None,
) -> None:
    """Claim what waits and work on it until `stop` is set; look for more every so many seconds.

    With a `lock` one worker claims after the other. While the database cannot be reached it goes on looking: what was
    claimed is taken up again as a dead worker's.
    """
    while not stop.is_set():
        try:
            async with database.reading() as session:
                is_any = await is_any_waiting(session)
            if is_any:
                async with database.writing(lock=lock) as session:
                    held = await claim(session)
                if held is not None:
                    await work(held)
                    continue
        except Unavailable as error:
            log.warning("work.unavailable", code=error.code)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(look_s):
                await stop.wait()
