"""Fetching the documents that people have asked for by their address, a few at the same time.

What there is to do stands in the database, so whichever worker lives does it; what a killed one was at is fetched
from its beginning.
"""

import asyncio
import contextlib
import secrets

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.errors import LLMUIError, Unavailable, unforeseen
from llm_ui.kit.addresses import Guard
from llm_ui.kit.fetching import Bounds, Fetched, fetch
from llm_ui.kit.file_store import FileStore, NewFile
from llm_ui.observability.logging import get_logger
from llm_ui.services import documents, fetches
from llm_ui.services.documents import FILES_LOCK, Arrived
from llm_ui.services.fetches import HEAD_BYTES, Held, name_of
from llm_ui.worker.loop import keep_working

log = get_logger(__name__)

AT_ONCE = 4
"""A server that trickles must not keep the others waiting."""
LOOK_S = 0.5
"""Between two looks for work."""
BEAT_S = 5.0
"""Between two heartbeats; a third of the lease."""


async def keep_fetching(config: Config, database: Database, stop: asyncio.Event) -> None:
    """Fetch what there is to fetch until `stop` is set; what is being fetched then is given back."""
    if not config.fetch_web:
        return
    fetcher = _Fetcher(config, database, stop)
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(keep_working(database, stop, LOOK_S, fetches.is_any_waiting, fetches.claim, fetcher.work))


class _Incoming:
    """A file while it comes in, and how it begins."""

    def __init__(self, file: NewFile) -> None:
        self.file = file
        self.head = b""

    def write(self, piece: bytes) -> None:
        if len(self.head) < HEAD_BYTES:
            self.head += piece[: HEAD_BYTES - len(self.head)]
        self.file.write(piece)


class _Fetcher:
    def __init__(self, config: Config, database: Database, stop: asyncio.Event) -> None:
        self._database = database
        self._store = FileStore(config.files_path)
        self._guard = Guard.of(config.fetch_allow)
        self._bounds = Bounds(max_mb=config.max_document_mb)
        self._stop = stop

    async def work(self, held: Held) -> None:
        """Fetch one, and note how that ended."""
        log.info("fetch.started", fetch_id=held.id, user_id=held.actor.user_id)
        work = asyncio.create_task(self._bring(held))
        stopped = asyncio.create_task(self._stop.wait())
        beating = asyncio.create_task(self._keep_beating(held, work))
        try:
            await asyncio.wait((work, stopped), return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                work.cancel()
            await self._end(held, work)
        finally:
            for task in (stopped, beating):
                task.cancel()
            await asyncio.gather(stopped, beating, return_exceptions=True)

    async def _bring(self, held: Held) -> None:
        """Fetch it and make it a document."""
        incoming = _Incoming(await asyncio.to_thread(self._store.begin))
        try:
            fetched = await fetch(held.address, self._guard, self._bounds, incoming.write)
            await asyncio.to_thread(incoming.file.settle)
            await self._keep(held, fetched, incoming)
        finally:
            await asyncio.shield(asyncio.to_thread(incoming.file.discard))

    async def _keep(self, held: Held, fetched: Fetched, incoming: _Incoming) -> None:
        async with self._database.writing(lock=FILES_LOCK) as session:
            if not await fetches.finish(session, held):
                return
            sha256 = await asyncio.to_thread(incoming.file.keep)
            arrived = Arrived(name_of(fetched, incoming.head), incoming.file.size, sha256, held.address)
            found, is_new = await documents.receive(session, held.actor, held.project_id, arrived)
        log.info("document.fetched", document_id=found.id, is_new=is_new, version=found.version)

    async def _end(self, held: Held, work: asyncio.Task[None]) -> None:
        """Note how the work ended."""
        (outcome,) = await asyncio.gather(work, return_exceptions=True)
        if isinstance(outcome, Unavailable):
            raise outcome
        async with self._database.writing() as session:
            if isinstance(outcome, asyncio.CancelledError):
                await fetches.release(session, held)
            elif isinstance(outcome, BaseException):
                await fetches.fail(session, held, _why(held, outcome))
        log.info("fetch.ended", fetch_id=held.id, is_fetched=outcome is None)

    async def _keep_beating(self, held: Held, work: asyncio.Task[None]) -> None:
        """Say every few seconds that the worker lives; end the work when nobody wants it any more."""
        while True:
            await asyncio.sleep(BEAT_S)
            with contextlib.suppress(Unavailable):
                async with self._database.writing() as session:
                    if not await fetches.beat(session, held):
                        work.cancel()
                        return


def _why(held: Held, error: BaseException) -> str:
    """Return the sentence for what could not be fetched."""
    if isinstance(error, LLMUIError):
        return error.message
    # The edge of a job: it is told, and the next one is done.
    error_id = secrets.token_hex(4)
    log.crashed("fetch.crashed", error, fetch_id=held.id, error_id=error_id)
    return unforeseen(error_id).message
