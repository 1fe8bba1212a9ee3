"""Making backups: each day at its time, and when somebody wants one now."""

import asyncio
import contextlib
import secrets

from llm_ui.backup.folder import Made, make
from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.errors import LLMUIError, Unavailable, unforeseen
from llm_ui.observability.logging import get_logger
from llm_ui.services import backups
from llm_ui.services.backups import Held
from llm_ui.worker.loop import keep_working

log = get_logger(__name__)

LOCK = "backups"
LOOK_S = 2.0
"""Between two looks whether one is due."""
BEAT_S = 15.0
"""Between two heartbeats; a quarter of the lease."""


async def keep_backing_up(config: Config, database: Database, stop: asyncio.Event) -> None:
    """Make the backups that are due until `stop` is set; the one that is being made then is made to its end."""

    async def work(held: Held) -> None:
        log.info("backup.started", backup_id=held.id)
        beating = asyncio.create_task(_keep_beating(database, held))
        try:
            made = await asyncio.to_thread(make, config, held.kept)
        except LLMUIError as error:
            await _end(database, held, error.message)
        except Exception:
            # The edge of a job: it is told, and the next one is made.
            error_id = secrets.token_hex(4)
            log.exception("backup.crashed", error_id=error_id)
            await _end(database, held, unforeseen(error_id).message)
        else:
            await _end(database, held, made)
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    await keep_working(database, stop, LOOK_S, backups.is_any_waiting, backups.claim, work, LOCK)


async def _end(database: Database, held: Held, outcome: Made | str) -> None:
    async with database.writing() as session:
        if isinstance(outcome, str):
            log.warning("backup.failed", backup_id=held.id, reason=outcome)
            await backups.fail(session, held, outcome)
            return
        log.info("backup.finished", backup_id=held.id, size_bytes=outcome.size_bytes, files=outcome.files)
        await backups.finish(
            session, held, outcome.name, outcome.size_bytes, outcome.files, outcome.files_bytes
        )  # fmt: skip


async def _keep_beating(database: Database, held: Held) -> None:
    while True:
        await asyncio.sleep(BEAT_S)
        with contextlib.suppress(Unavailable):
            async with database.writing() as session:
                await backups.beat(session, held)
