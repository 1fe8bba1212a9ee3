"""Reading and writing sessions."""

import asyncio
import sqlite3

import pytest
from sqlalchemy import select, update

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.errors import DatabaseBusy, DatabaseDown
from llm_ui.models import Setting
from tests.fakes.postgresql import free_port


async def test_a_block_that_raises_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.writing() as session:
            session.add(Setting(name="a", value={"value": 1}))
            await session.flush()
            raise ZeroDivisionError

    async with database.reading() as session:
        assert await session.get(Setting, "a") is None


async def test_what_a_reading_block_changes_is_thrown_away(database: Database) -> None:
    async with database.reading() as session:
        session.add(Setting(name="a", value={"value": 1}))
        await session.flush()

    async with database.reading() as session:
        assert await session.get(Setting, "a") is None


async def test_no_update_is_lost_between_many_writers(sqlite_config: Config) -> None:
    databases = [Database.open(sqlite_config) for _ in range(3)]
    async with databases[0].writing() as session:
        session.add(Setting(name="n", value={"value": 0}))

    async def add_one(database: Database) -> None:
        async with database.writing() as session:
            row = await session.get_one(Setting, "n")
            row.value = {"value": row.value["value"] + 1}

    await asyncio.gather(*(add_one(databases[number % 3]) for number in range(60)))

    async with databases[0].reading() as session:
        assert (await session.get_one(Setting, "n")).value == {"value": 60}
    for database in databases:
        await database.close()


async def test_a_locked_database_is_told_as_busy(sqlite_config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_ui.db.SQLITE_BUSY_TIMEOUT_MS", 50)
    database = Database.open(sqlite_config)
    holder = sqlite3.connect(str(sqlite_config.sqlite_path), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    with pytest.raises(DatabaseBusy):
        async with database.writing() as session:
            session.add(Setting(name="a", value={"value": 1}))
    holder.execute("ROLLBACK")
    holder.close()
    async with database.writing() as session:
        session.add(Setting(name="a", value={"value": 1}))

    await database.close()


async def test_a_write_that_is_cancelled_anywhere_keeps_no_lock(sqlite_database: Database) -> None:
    async def write() -> None:
        async with sqlite_database.writing() as session:
            await session.execute(update(Setting).values(value={"value": 1}))
            await session.execute(select(Setting))

    async with sqlite_database.writing() as session:
        session.add_all(Setting(name=str(number), value={"value": 0}) for number in range(3))
    cancelled = []
    for delay_us in range(0, 4_000, 10):
        task = asyncio.create_task(write())
        asyncio.get_running_loop().call_later(delay_us / 1e6, task.cancel)
        await asyncio.wait([task])
        # Kept, as a caller that looks at how its task ended keeps it.
        cancelled.append(task)

        async with asyncio.timeout(2):
            await write()

    assert any(task.cancelled() for task in cancelled)


async def test_a_server_that_is_gone_is_told_as_down(config: Config) -> None:
    database = Database.open(Config(database_url=f"postgresql://nobody@127.0.0.1:{free_port()}/none"))

    with pytest.raises(DatabaseDown):
        await database.ping()

    await database.close()
