"""The sweep: runs whose process is gone are marked interrupted, and keep what was written down."""

import asyncio
from collections.abc import Callable, Collection

from llm_ui.db import Database
from llm_ui.errors import LLMUIError
from llm_ui.kit.clock import now
from llm_ui.kit.ids import RunId
from llm_ui.observability.logging import get_logger
from llm_ui.runs import store

log = get_logger(__name__)

EVERY_S = 2.0


async def sweep(database: Database, spared: Collection[RunId] = ()) -> int:
    """Interrupt the stale runs of any process, this one's predecessor above all; return how many.

    `spared` are runs that live in this process: they wait for the database, not the other way round.
    """
    async with database.reading() as session:
        has_stale = await store.has_stale(session, now(), spared)
    if not has_stale:
        return 0
    async with database.writing() as session:
        ended = await store.interrupt_stale(session, now(), spared)
    for run_id in ended:
        log.warning("run.interrupted", run_id=run_id)
    return len(ended)


async def keep_sweeping(database: Database, live: Callable[[], Collection[RunId]]) -> None:
    """Sweep at once and then every two seconds, until cancelled. `live` tells the runs of this process."""
    while True:
        try:
            await sweep(database, live())
        except LLMUIError as error:
            log.warning("sweep.failed", code=error.code)
        except Exception:
            # The root of a task: without it nobody would end the runs of a process that is gone.
            log.exception("sweep.crashed")
        await asyncio.sleep(EVERY_S)
