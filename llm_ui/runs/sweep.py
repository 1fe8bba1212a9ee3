"""The sweep: runs whose process is gone are marked interrupted, and keep what was written down."""

import asyncio

from llm_ui.db import Database
from llm_ui.errors import LLMUIError
from llm_ui.kit.clock import now
from llm_ui.observability.logging import get_logger
from llm_ui.runs import store

log = get_logger(__name__)

EVERY_S = 2.0


async def sweep(database: Database) -> int:
    """Interrupt the stale runs of any process, this one's predecessor above all; return how many."""
    async with database.reading() as session:
        has_stale = await store.has_stale(session, now())
    if not has_stale:
        return 0
    async with database.writing() as session:
        ended = await store.interrupt_stale(session, now())
    for run_id in ended:
        log.warning("run.interrupted", run_id=run_id)
    return len(ended)


async def keep_sweeping(database: Database) -> None:
    """Sweep at once and then every two seconds, until cancelled."""
    while True:
        try:
            await sweep(database)
        except LLMUIError as error:
            log.warning("sweep.failed", code=error.code)
        await asyncio.sleep(EVERY_S)
