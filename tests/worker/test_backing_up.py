"""Backups by the clock and by hand, on real databases: made, kept, opened again, and told when they fail."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from llm_ui import migrations
from llm_ui.backup import files, folder
from llm_ui.backup.rehearsal import rehearse
from llm_ui.bootstrap import open_database
from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.errors import Conflict, Forbidden, InvalidInput
from llm_ui.kit.clock import now
from llm_ui.kit.file_store import FileStore
from llm_ui.models import AlertKind, AuditLog, Backup, BackupCause, User
from llm_ui.services import backups, settings
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.alert_values import READ, Moment
from llm_ui.services.backups import Backups
from llm_ui.services.settings import BACKUP_AT, BACKUPS
from llm_ui.worker.backing_up import keep_backing_up
from tests.kit.test_file_store import stored
from tests.worker.conftest import at_work


async def told(database: Database) -> Backups:
    async with database.reading() as session:
        return await backups.read(session, SYSTEM)


async def ended(database: Database, count: int) -> Backups:
    async with asyncio.timeout(30):
        while sum(not one.is_running for one in (await told(database)).latest) < count:
            await asyncio.sleep(0.02)
    return await told(database)


async def asked(database: Database, actor: Actor) -> None:
    async with database.writing() as session:
        await backups.ask(session, actor)


async def test_a_backup_by_hand_opens_as_a_database_of_its_own(
    database: Database, database_config: Config, an_admin: Actor
) -> None:
    store = FileStore(database_config.files_path)
    name = await asyncio.to_thread(stored, store, b"a file")
    await asked(database, an_admin)
    with pytest.raises(Conflict, match="already"):
        await asked(database, an_admin)

    async with at_work(keep_backing_up, database_config, database):
        (made,) = (await ended(database, 1)).latest

    assert (made.error, made.files, made.files_bytes) == (None, 1, 6)
    file = database_config.backup_path / made.name
    assert made.size_bytes > 10_000
    assert await asyncio.to_thread(files.needed, file) == {name}
    assert await asyncio.to_thread(folder.missing, file) == 0
    found = await rehearse(database_config, file)
    assert found is not None
    assert (found.revision, found.people, found.problems) == (migrations.head(), 1, ())
    async with database.reading() as session:
        assert await session.scalar(select(AuditLog.action)) == "backup.asked"


async def test_it_is_due_once_a_day_at_its_time_and_not_while_it_is_switched_off(
    database: Database, an_admin: Actor
) -> None:
    async def is_due() -> bool:
        async with database.reading() as session:
            return await backups.is_any_waiting(session)

    async with database.writing() as session:
        await session.execute(update(User).values(created_at=now() - timedelta(days=2)))
        await settings.change(session, an_admin, BACKUPS, value=False)
    assert not await is_due()
    async with database.writing() as session:
        await settings.change(session, an_admin, BACKUPS, value=True)
        with pytest.raises(InvalidInput, match="time of day"):
            await settings.change(session, an_admin, BACKUP_AT, "25:00")
    assert await is_due()

    async with database.writing() as session:
        held = await backups.claim(session)
    assert held is not None
    assert not await is_due()
    async with database.writing() as session:
        assert await backups.claim(session) is None
        await session.execute(update(Backup).values(heartbeat_at=now() - timedelta(minutes=2)))
    assert await is_due()
    async with database.writing() as session:
        assert await backups.claim(session) is None

    (row,) = (await told(database)).latest
    assert (row.cause, row.is_running, row.error) == (BackupCause.SCHEDULED, False, backups.GONE)
    assert not await is_due()


def test_only_the_newest_are_kept_with_the_files_they_need(sqlite_config: Config, tmp_path: Path) -> None:
    config = sqlite_config.model_copy(update={"backup_folder": tmp_path / "elsewhere"})
    store = FileStore(config.files_path)
    old = stored(store, b"old")
    first = folder.make(config, 2)
    (config.backup_path / first.name).rename(config.backup_path / "llm-ui-20260101-000000.db")
    listed = files.list_of(config.backup_path / first.name)
    listed.rename(files.list_of(config.backup_path / "llm-ui-20260101-000000.db"))
    store.remove(old)
    new = stored(store, b"new")

    second = folder.make(config, 1)

    shared = FileStore(config.backup_path / files.SHARED)
    assert folder.newest(config) == config.backup_path / second.name
    assert list(shared.names()) == [new]
    assert sorted(path.name for path in config.backup_path.iterdir()) == sorted(
        [files.SHARED, second.name, f"{second.name}.files.json"]
    )
    assert json.loads(files.list_of(config.backup_path / second.name).read_text()) == [new]
    assert (config.backup_path / second.name).stat().st_mode & 0o077 == 0


async def test_one_that_fails_is_told_in_a_sentence_and_watched(
    database: Database, database_config: Config, an_admin: Actor, a_user: Actor
) -> None:
    database_config.backup_path.write_text("in the way")
    await asked(database, an_admin)

    async with at_work(keep_backing_up, database_config, database):
        (made,) = (await ended(database, 1)).latest

    assert "cannot be used" in (made.error or "")
    at = now() + timedelta(hours=30)
    async with database.reading() as session:
        assert round(await READ[AlertKind.BACKUP_AGE](session, Moment(at, 1.0)) or 0) == 30
        with pytest.raises(Forbidden):
            await backups.read(session, a_user)


async def test_a_database_is_copied_and_tried_before_it_is_migrated(
    database: Database, database_config: Config, a_user: Actor
) -> None:
    await migrations.downgrade(database, "0040")
    await database.close()

    await (await open_database(database_config)).close()

    copy = await asyncio.to_thread(folder.newest_before, database_config)
    assert copy is not None
    assert copy.name.startswith("before-0040-")
    found = await rehearse(database_config, copy)
    assert found is not None
    assert (found.revision, found.people) == ("0040", 1)
