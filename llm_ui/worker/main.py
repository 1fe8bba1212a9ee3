"""The worker process: jobs that run by the clock, through huey, and what people ask for.

Jobs by the clock run in huey's worker thread, in an event loop and on a database of their own. What people ask for
is in worker/imports.py, worker/fetching.py and worker/ingestion.py, backups are in worker/backing_up.py,
files of vectors in worker/vector_files.py.
"""

import asyncio
from collections.abc import Awaitable, Callable

from huey import crontab
from huey.consumer import Consumer

from llm_ui.backup.erased import erase_again, note
from llm_ui.bootstrap import open_database
from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.documents.vector_upkeep import remove_gone
from llm_ui.errors import LLMUIError
from llm_ui.kit.file_store import FileStore
from llm_ui.kit.i18n import later
from llm_ui.observability.logging import get_logger
from llm_ui.queue import open_queue
from llm_ui.runs.alerting import Alerting
from llm_ui.runs.sweep import sweep
from llm_ui.services import attachments, cached_answers, clock_jobs, documents, erasures
from llm_ui.services.budgets import release_lost
from llm_ui.services.processes import Reporter, note_slow
from llm_ui.services.retention import (
    KEEP_UNSENT,
    expire_chats,
    note_purge,
    purge_account_links,
    purge_agents,
    purge_bin,
    purge_jobs,
    purge_links,
    purge_monitoring,
    purge_sessions,
    purge_unsent,
)
from llm_ui.services.secrets import load_secrets
from llm_ui.services.usage import packs, rollups
from llm_ui.worker.backing_up import keep_backing_up
from llm_ui.worker.fetching import keep_fetching
from llm_ui.worker.imports import keep_importing
from llm_ui.worker.ingestion import keep_ingesting
from llm_ui.worker.scrubbing import scrub
from llm_ui.worker.vector_files import keep_vector_files

log = get_logger(__name__)

HOURS_AT_ONCE = 500
"""Of use that one go adds up, so that other jobs get their turn."""
PACKS_AT_ONCE = 100
"""Days and months that one go packs, likewise."""

UNFORESEEN = later("Something went wrong ({name}); the log says more.")

Job = Callable[[Database], Awaitable[None]]


async def sweep_runs(database: Database) -> None:
    """Interrupt runs whose process is gone, in case no LLM API is up to do it."""
    await sweep(database)


async def purge(database: Database) -> None:
    """Put into the bin what projects keep no longer; delete what was there for a month, or ended, or leads nowhere."""
    async with database.writing() as session:
        expired = await expire_chats(session)
        sessions = await purge_sessions(session)
        chats = await purge_bin(session)
        agents = await purge_agents(session)
        links = await purge_links(session)
        invitations = await purge_account_links(session)
        jobs = await purge_jobs(session)
        unsent = await purge_unsent(session)
        told = await purge_monitoring(session)
        answers = await cached_answers.purge(session)
        await release_lost(session)
        gone = {
            "expired": expired, "sessions": sessions, "chats": chats, "agents": agents, "links": links,
            "invitations": invitations, "jobs": jobs, "unsent": unsent, "told": told, "answers": answers,
        }  # fmt: skip
        await note_purge(session, **gone)
    log.info("purge.finished", **gone)


def purge_files(config: Config) -> Job:
    """Return the job that removes files which nobody's message, draft or project needs any more."""

    async def work(database: Database) -> None:
        async with database.reading() as session:
            kept = await attachments.stored_names(session) | await documents.stored_names(session)
        store = FileStore(config.files_path)
        removed = await asyncio.to_thread(store.remove_older, kept, KEEP_UNSENT.total_seconds())
        log.info("purge_files.finished", removed=removed)

    return work


def verify_erasures(config: Config) -> Job:
    """Return the job that looks whether all that deleted accounts had is gone, also after a copy was put back."""

    async def work(database: Database) -> None:
        async with database.reading() as session:
            erased = await erasures.all_erased(session)
            is_any_waiting = await erasures.is_any_waiting(session)
        known = await asyncio.to_thread(note, config, erased)
        if again := await erase_again(database, known):
            log.warning("erased_again", people=again)
        if not is_any_waiting and not again:
            return
        if not await remove_gone(database, config.vectors_path):
            return
        if not await asyncio.to_thread(scrub, config):
            # Somebody still reads it: looked at again next time.
            return
        stored = await asyncio.to_thread(lambda: frozenset(FileStore(config.files_path).names()))
        async with database.writing() as session:
            done = await erasures.verify(session, stored)
        log.info("verify_erasures.finished", done=done)

    return work


async def add_up(database: Database) -> None:
    """Add what was used since the last time to the rollups; after long idleness in several goes. Pack what is over."""
    await rollups.roll_up(database, most=HOURS_AT_ONCE)
    await packs.make(database, most=PACKS_AT_ONCE)


async def optimize(database: Database) -> None:
    """Let the database refresh its statistics."""
    await database.optimize()


SCHEDULE: dict[str, tuple[Job, object]] = {
    "sweep_runs": (sweep_runs, crontab(minute="*")),
    "add_up": (add_up, crontab(minute="*")),
    "purge": (purge, crontab(minute="17", hour="3")),
    "optimize": (optimize, crontab(minute="47", hour="3")),
}
"""Jobs by name, with when they run, in UTC."""


def schedule(config: Config) -> dict[str, tuple[Job, object]]:
    """Return all jobs, also those that need the settings. Files go after the rows that named them."""
    jobs = {**SCHEDULE, "purge_files": (purge_files(config), crontab(minute="27", hour="3"))}
    jobs["verify_erasures"] = (verify_erasures(config), crontab(minute="*"))
    jobs["check_alerts"] = (check_alerts(config), crontab(minute="*"))
    return {**jobs, "run_asked": (run_asked(jobs), crontab(minute="*"))}


def check_alerts(config: Config) -> Job:
    """Return the job that looks at the alert rules and tells what they found."""

    async def work(database: Database) -> None:
        secrets = await asyncio.to_thread(load_secrets, config)
        await Alerting(config, database, secrets.sealer).check()

    return work


def run_asked(jobs: dict[str, tuple[Job, object]]) -> Job:
    """Return the job that does what administrators want done before its time."""

    async def work(database: Database) -> None:
        async with database.reading() as session:
            names = await clock_jobs.asked(session)
        for name in set(names) & jobs.keys():
            await noted(database, name, jobs[name][0])

    return work


async def noted(database: Database, name: str, job: Job) -> None:
    """Do a job, and write down how it went."""
    error = None
    async with database.writing() as session:
        await clock_jobs.begin(session, name)
    try:
        await job(database)
    except Exception as failure:
        # The edge of a job: it is told, and the next one runs.
        log.exception("job.failed", job=name)
        error = failure.message if isinstance(failure, LLMUIError) else UNFORESEEN.format(name=type(failure).__name__)
    async with database.writing() as session:
        await clock_jobs.end(session, name, error)


async def run(config: Config, stop: asyncio.Event) -> None:
    """Run jobs until `stop` is set; the one that runs then is let finish."""
    database = await open_database(config)
    queue = await asyncio.to_thread(open_queue, config)
    jobs = schedule(config)
    # A folder that was copied back by hand may hold people again who were erased: they go before anything else is done.
    await noted(database, "verify_erasures", jobs["verify_erasures"][0])
    own = _OwnLoop(config)
    for name, (job, when) in jobs.items():
        queue.periodic_task(when, name=name)(own.work_of(name, job))
    consumer = Consumer(queue, workers=1, periodic=True, check_worker_health=False)
    # Huey's own handlers would end the process at once; ours set `stop`.
    consumer._set_signal_handlers = lambda: None
    # All its threads run when this returns, so that they can be waited for however soon the end comes.
    await asyncio.to_thread(consumer.start)
    log.info("worker.started", jobs=len(jobs))
    reporting = asyncio.create_task(Reporter(database, "worker").keep())
    async with asyncio.TaskGroup() as work:
        work.create_task(keep_importing(config, database, stop))
        work.create_task(keep_fetching(config, database, stop))
        work.create_task(keep_ingesting(config, database, stop))
        work.create_task(keep_backing_up(config, database, stop))
        work.create_task(keep_vector_files(config, database, stop))
    reporting.cancel()
    await asyncio.wait({reporting})
    await database.close()
    await asyncio.to_thread(consumer.stop, graceful=True)
    await asyncio.to_thread(own.close)
    log.info("worker.stopped")


class _OwnLoop:
    """The event loop and the database of huey's worker thread, in which one job runs after the other.

    An engine for each job would compile all its statements anew, and SQLAlchemy's mappers would keep those of many.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._runner: asyncio.Runner | None = None
        self._database: Database | None = None

    def work_of(self, name: str, job: Job) -> Callable[[], None]:
        """Return what huey calls."""

        def run_job() -> None:
            self._runner = self._runner or asyncio.Runner()
            try:
                self._runner.run(self._work(name, job))
            except Exception:
                # The edge of a job: the database is away; the next one runs.
                log.exception("job.failed", job=name)

        return run_job

    def close(self) -> None:
        """Close both. No job may run any more."""
        if self._runner is not None:
            if self._database is not None:
                self._runner.run(self._database.close())
            self._runner.close()

    async def _work(self, name: str, job: Job) -> None:
        self._database = self._database or Database.open(self._config)
        await noted(self._database, name, job)
        await note_slow(self._database)
