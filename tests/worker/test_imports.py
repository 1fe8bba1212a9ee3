"""The worker brings in what was uploaded, also after another one died over it."""

import asyncio
from datetime import timedelta

from sqlalchemy import func, select, update

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.kit.clock import now
from llm_ui.kit.ids import JobId, uuid7
from llm_ui.models import BackgroundJob, ChatHistory, JobKind, JobState, User
from llm_ui.services import jobs
from llm_ui.services.access import Actor
from llm_ui.services.imports import upload_path
from llm_ui.services.jobs import JobInfo
from llm_ui.worker.imports import MISSING, keep_importing
from tests.fakes.exports import as_json, chatgpt_chat
from tests.worker.conftest import at_work


async def asked(database: Database, config: Config, actor: Actor, content: bytes | None) -> JobId:
    """Upload a file."""
    job_id = JobId(uuid7())
    if content is not None:
        path = upload_path(config.folder, job_id)
        await asyncio.to_thread(path.parent.mkdir, exist_ok=True)
        await asyncio.to_thread(path.write_bytes, content)
    async with database.writing() as session:
        await jobs.begin(session, actor, job_id, JobKind.IMPORT, "chats.json")
    return job_id


async def newest(database: Database, actor: Actor) -> JobInfo:
    async with database.reading() as session:
        job = await jobs.newest(session, actor, JobKind.IMPORT)
    assert job is not None
    return job


async def ended(database: Database, actor: Actor) -> JobInfo:
    """Wait for the end of the newest job."""
    async with asyncio.timeout(30):
        while (job := await newest(database, actor)).state in (JobState.QUEUED, JobState.RUNNING):
            await asyncio.sleep(0.05)
    return job


async def test_what_was_uploaded_comes_in_and_the_file_goes(
    database: Database, database_config: Config, a_user: Actor
) -> None:
    content = as_json([*(chatgpt_chat(number, 2) for number in range(70)), {"title": "None"}])
    job_id = await asked(database, database_config, a_user, content)

    async with at_work(keep_importing, database_config, database):
        job = await ended(database, a_user)

    assert (job.state, job.error_message) == (JobState.COMPLETED, None)
    assert (job.progress["chats_added"], job.progress["skipped"]) == (70, 1)
    assert job.done == job.total == len(content)
    assert not upload_path(database_config.folder, job_id).exists()


async def test_a_file_that_cannot_be_used_is_told(database: Database, database_config: Config, a_user: Actor) -> None:
    async with at_work(keep_importing, database_config, database):
        await asked(database, database_config, a_user, b"hello")
        bad = await ended(database, a_user)
        await asked(database, database_config, a_user, None)
        missing = await ended(database, a_user)

    assert bad.state is JobState.FAILED
    assert "neither JSON nor a zip" in (bad.error_message or "")
    assert missing.error_message == MISSING


async def test_a_worker_that_ends_gives_its_job_back_and_the_next_goes_on(
    database: Database, database_config: Config, a_user: Actor
) -> None:
    await asked(database, database_config, a_user, as_json([chatgpt_chat(number, 3) for number in range(90)]))
    async with at_work(keep_importing, database_config, database):
        async with asyncio.timeout(30):
            while not (await newest(database, a_user)).progress.get("chats_added"):
                await asyncio.sleep(0.01)
    between = await newest(database, a_user)

    async with at_work(keep_importing, database_config, database):
        job = await ended(database, a_user)

    assert between.state is JobState.QUEUED
    assert 0 < between.progress["chats_added"] < 90
    assert (job.progress["chats_added"], job.progress["chats_same"]) == (90, 0)


async def test_the_job_of_a_dead_worker_is_taken_over_once_its_heart_has_stopped(
    database: Database, database_config: Config, a_user: Actor
) -> None:
    await asked(database, database_config, a_user, as_json([chatgpt_chat(1, 2)]))
    async with database.writing() as session:
        dead = await jobs.claim(session)
    assert dead is not None
    async with database.writing() as session:
        assert await jobs.claim(session) is None
        await session.execute(update(BackgroundJob).values(heartbeat_at=now() - timedelta(minutes=1)))

    async with at_work(keep_importing, database_config, database):
        job = await ended(database, a_user)
    async with database.writing() as session:
        is_mine = await jobs.note(session, dead, 1, 1, {})

    assert job.state is JobState.COMPLETED
    assert not is_mine


async def test_cancelling_ends_it_and_what_came_stays(
    database: Database, database_config: Config, a_user: Actor
) -> None:
    job_id = await asked(database, database_config, a_user, as_json([chatgpt_chat(number, 3) for number in range(90)]))
    async with at_work(keep_importing, database_config, database):
        async with asyncio.timeout(30):
            while not (await newest(database, a_user)).progress.get("chats_added"):
                await asyncio.sleep(0.01)
        async with database.writing() as session:
            await jobs.cancel(session, a_user, JobKind.IMPORT)
        async with asyncio.timeout(30):
            while await asyncio.to_thread(upload_path(database_config.folder, job_id).exists):
                await asyncio.sleep(0.05)

    assert (await newest(database, a_user)).state is JobState.CANCELLED
    async with database.reading() as session:
        # rights: of a test
        assert 0 < (await session.scalar(select(func.count()).select_from(ChatHistory)) or 0) < 90


async def test_nothing_is_done_for_an_account_that_was_disabled(
    database: Database, database_config: Config, a_user: Actor
) -> None:
    await asked(database, database_config, a_user, as_json([chatgpt_chat(1, 2)]))
    async with database.writing() as session:
        await session.execute(update(User).values(is_active=False))

    async with at_work(keep_importing, database_config, database):
        job = await ended(database, a_user)

    assert (job.state, job.progress) == (JobState.CANCELLED, {})
