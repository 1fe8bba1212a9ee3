"""The worker's jobs, and its end."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta

import pytest
from huey import crontab

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.errors import Unavailable
from llm_ui.kit.clock import now
from llm_ui.kit.file_store import FileStore
from llm_ui.kit.ids import ChatId, SessionId, UserId, uuid7
from llm_ui.kit.media import Media
from llm_ui.models import ChatHistory, UserSession
from llm_ui.queue import open_queue
from llm_ui.services import attachments, clock_jobs
from llm_ui.services.access import Actor
from llm_ui.services.attachments import Received
from llm_ui.worker import main
from llm_ui.worker.main import SCHEDULE, purge, run, run_asked, schedule
from tests.kit.test_file_store import stored
from tests.product import wait_until

MONTH = timedelta(days=31)
WEEK = timedelta(days=7)


def a_session(user_id: UserId, *, expires_at: datetime, revoked_at: datetime | None = None) -> UserSession:
    session_id = SessionId(uuid7())
    return UserSession(
        id=session_id, user_id=user_id, token_hash=session_id.hex, created_at=now(), last_seen_at=now(),
        expires_at=expires_at, revoked_at=revoked_at,
    )  # fmt: skip


def a_chat(user_id: UserId, deleted_at: datetime | None) -> ChatHistory:
    return ChatHistory(id=ChatId(uuid7()), user_id=user_id, last_message_at=now(), deleted_at=deleted_at)


async def test_purging_keeps_what_lives_or_ended_lately(database: Database, a_user: Actor) -> None:
    instant = now()
    assert a_user.session_id is not None
    kept = [
        a_session(a_user.user_id, expires_at=instant - WEEK),
        a_session(a_user.user_id, expires_at=instant + WEEK, revoked_at=instant - WEEK),
        a_chat(a_user.user_id, None),
        a_chat(a_user.user_id, instant - WEEK),
    ]
    gone = [
        a_session(a_user.user_id, expires_at=instant - MONTH),
        a_session(a_user.user_id, expires_at=instant + WEEK, revoked_at=instant - MONTH),
        a_chat(a_user.user_id, instant - MONTH),
    ]
    async with database.writing() as session:
        session.add_all([*kept, *gone])

    await purge(database)

    async with database.reading() as session:
        assert [await session.get(type(row), row.id) is not None for row in kept] == [True] * len(kept)
        assert [await session.get(type(row), row.id) for row in gone] == [None] * len(gone)
        assert await session.get(UserSession, a_user.session_id) is not None


async def test_what_is_wanted_now_is_done_and_every_job_is_known_to_the_page(
    database: Database, config: Config, an_admin: Actor
) -> None:
    async def fail(_: Database) -> None:
        raise Unavailable("The disk is away.")

    assert set(schedule(config)) == set(clock_jobs.EVERY)
    async with database.writing() as session:
        await clock_jobs.ask(session, an_admin, "optimize")
        await clock_jobs.ask(session, an_admin, "purge")

    await run_asked({"optimize": SCHEDULE["optimize"], "purge": (fail, None)})(database)

    async with database.reading() as session:
        known = {job.name: job for job in await clock_jobs.list_jobs(session, an_admin)}
        assert await clock_jobs.asked(session) == []
    assert known["optimize"].took_ms is not None
    assert [known[name].error for name in ("optimize", "purge", "add_up")] == [None, "The disk is away.", None]
    assert not any(job.is_asked or job.is_running or job.is_overdue for job in known.values())


@pytest.mark.parametrize("name", SCHEDULE)
async def test_every_job_runs_on_both_databases(database: Database, name: str) -> None:
    job, _ = SCHEDULE[name]

    await job(database)


async def test_a_job_that_fails_is_told_and_keeps_no_other_from_running(
    config: Config, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    came = asyncio.Queue[str]()
    loop = asyncio.get_running_loop()
    databases: set[Database] = set()

    async def break_down(database: Database) -> None:
        databases.add(database)
        loop.call_soon_threadsafe(came.put_nowait, "broke")
        raise ZeroDivisionError

    async def work(database: Database) -> None:
        databases.add(database)
        loop.call_soon_threadsafe(came.put_nowait, "worked")

    always = crontab(minute="*")
    monkeypatch.setattr(main, "SCHEDULE", {"break_down": (break_down, always), "work": (work, always)})
    stop = asyncio.Event()
    caplog.set_level(logging.ERROR)
    running = asyncio.create_task(run(config, stop))

    async with asyncio.timeout(90):
        assert {await came.get(), await came.get()} == {"broke", "worked"}
    stop.set()
    await running

    assert [record.getMessage() for record in caplog.records] == ["job.failed"]
    assert len(databases) == 1, "what is compiled for an engine is kept"


async def test_it_ends_cleanly_however_soon_it_is_told(config: Config) -> None:
    stop = asyncio.Event()
    stop.set()

    await run(config, stop)


def end_when_started(config: Config) -> str:
    """Run the worker's process, end it once it has started and return its log."""
    environment = {**os.environ, "LLM_UI_DATA_DIR": str(config.folder)}
    log = config.folder / "worker.log"
    with (
        log.open("wb") as output,
        subprocess.Popen([sys.executable, "-m", "llm_ui.worker"], env=environment, stderr=output) as process,
    ):
        wait_until(lambda: "worker.started" in log.read_text() or process.poll() is not None, "the worker to start")
        process.send_signal(signal.SIGTERM)
        code = process.wait(10)
    assert code == 0, log.read_text()
    assert "Traceback" not in log.read_text()
    return log.read_text()


def test_the_process_starts_on_an_empty_folder_and_ends_when_told(config: Config) -> None:
    assert "worker.stopped" in end_when_started(config)


def test_a_damaged_queue_is_put_aside(config: Config) -> None:
    (config.folder / "jobs.db").write_bytes(os.urandom(20_000))

    log = end_when_started(config)

    assert "queue.damaged" in log
    (kept,) = config.folder.glob("jobs.db.damaged-*")
    assert kept.stat().st_size == 20_000


def test_a_queue_with_a_damaged_page_is_put_aside(config: Config) -> None:
    open_queue(config)
    content = bytearray((config.folder / "jobs.db").read_bytes())
    content[-8_192:] = b"\xa5" * 8_192
    (config.folder / "jobs.db").write_bytes(content)

    assert "queue.damaged" in end_when_started(config)


def test_a_queue_that_is_no_file_is_said_in_one_sentence(config: Config) -> None:
    (config.folder / "jobs.db").mkdir()

    done = subprocess.run([sys.executable, "-m", "llm_ui.worker"], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"llm-ui: The job queue {config.folder / 'jobs.db'} cannot be opened.")


async def test_files_that_nobody_needs_are_removed(database: Database, config: Config, a_user: Actor) -> None:
    store = FileStore(config.files_path)
    kept, gone = [await asyncio.to_thread(stored, store, data) for data in (b"needed", b"nobody's")]
    async with database.writing() as session:
        media = Media("text/plain", text="needed")
        await attachments.receive(session, a_user, Received("note.txt", media, 6, kept))
    for name in (kept, gone):
        os.utime(store.path(name), (0, 0))
    job, _ = schedule(config)["purge_files"]

    await job(database)

    assert await asyncio.to_thread(lambda: list(store.names())) == [kept]
