"""Reading the documents that people have uploaded, one after the other.

What there is to do stands in the database, so whichever worker lives does it; a killed one's document is gone on with
where its last commit left it.
"""

import asyncio
import contextlib
import secrets

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.documents.ingest import ingest
from llm_ui.errors import LLMUIError, Unavailable, unforeseen
from llm_ui.kit.file_store import FileStore
from llm_ui.observability.logging import get_logger
from llm_ui.services import ingestion
from llm_ui.services.ingestion import Reading
from llm_ui.worker.loop import keep_working

log = get_logger(__name__)

LOOK_S = 0.5
"""Between two looks for work."""
BEAT_S = 5.0
"""Between two heartbeats; a third of the lease."""


async def keep_ingesting(config: Config, database: Database, stop: asyncio.Event) -> None:
    """Do what there is to do until `stop` is set; what is being done then is given back."""
    store = FileStore(config.files_path)

    async def work(held: Reading) -> None:
        await _work(database, store, held, stop)

    await keep_working(database, stop, LOOK_S, ingestion.is_any_waiting, ingestion.claim, work)


async def _work(database: Database, store: FileStore, held: Reading, stop: asyncio.Event) -> None:
    log.info("document.started", document_id=held.id, stage=held.stage)
    work = asyncio.create_task(ingest(database, store, held))
    stopped = asyncio.create_task(stop.wait())
    beating = asyncio.create_task(_keep_beating(database, held, work))
    try:
        await asyncio.wait((work, stopped), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            work.cancel()
        await _end(database, held, work)
    finally:
        for task in (stopped, beating):
            task.cancel()
        await asyncio.gather(stopped, beating, return_exceptions=True)


async def _end(database: Database, held: Reading, work: asyncio.Task[bool]) -> None:
    """Note how the work ended."""
    (outcome,) = await asyncio.gather(work, return_exceptions=True)
    if isinstance(outcome, asyncio.CancelledError):
        async with database.writing() as session:
            await ingestion.release(session, held)
        return
    if isinstance(outcome, Unavailable):
        raise outcome
    if isinstance(outcome, BaseException):
        async with database.writing() as session:
            await ingestion.fail(session, held, _why(held, outcome))
    log.info("document.ended", document_id=held.id, is_read=outcome is True)


def _why(held: Reading, error: BaseException) -> str:
    """Return the sentence for a document that could not be read."""
    if isinstance(error, LLMUIError):
        return error.message
    # The edge of a job: it is told, and the next one is done.
    error_id = secrets.token_hex(4)
    log.crashed("document.crashed", error, document_id=held.id, error_id=error_id)
    return unforeseen(error_id).message


async def _keep_beating(database: Database, held: Reading, work: asyncio.Task[bool]) -> None:
    """Say every few seconds that the worker lives; end the work when the document is not its any more."""
    while True:
        await asyncio.sleep(BEAT_S)
        with contextlib.suppress(Unavailable):
            async with database.writing() as session:
                if not await ingestion.beat(session, held):
                    work.cancel()
                    return
