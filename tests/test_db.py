"""Reading and writing sessions."""

import asyncio
import contextvars
import errno
import os
import sqlite3
import threading

import pytest
from sqlalchemy import Integer, LargeBinary, Uuid, event, literal, select, text, update
from sqlalchemy.exc import DBAPIError

from llm_ui.config import Config
from llm_ui.db import AS_BYTES, POOL_SIZE, Database
from llm_ui.errors import DatabaseBusy, DatabaseDown, StorageFull
from llm_ui.kit.ids import uuid7
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


async def test_connections_are_made_once_however_many_read_at_the_same_time(database: Database) -> None:
    made: list[object] = []
    event.listen(database.engine.sync_engine, "connect", lambda connection, _: made.append(connection))

    async def read() -> None:
        async with database.reading() as session:
            await session.execute(select(Setting))

    for _ in range(3):
        await asyncio.gather(*(read() for _ in range(4 * POOL_SIZE)))

    assert len(made) <= POOL_SIZE


async def test_a_session_within_a_session_is_told_and_one_of_another_task_is_none(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async def read() -> None:
        async with database.reading() as session:
            await session.execute(select(Setting))

    async with database.reading():
        await asyncio.create_task(read())
        assert caplog.records == []
        await read()
    await read()

    (told,) = caplog.records
    assert told.getMessage() == "database.session_within_session"


async def test_sessions_of_tasks_that_share_a_context_are_not_taken_for_one_within_the_other(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    context, second_reads, first_read, second_read = contextvars.copy_context(), *(asyncio.Event() for _ in range(3))

    async def first() -> None:
        async with database.reading():
            await second_reads.wait()
        first_read.set()
        await second_read.wait()
        async with database.reading():
            pass

    async def second() -> None:
        async with database.reading():
            second_reads.set()
            await first_read.wait()
        second_read.set()

    loop = asyncio.get_running_loop()
    await asyncio.gather(*(loop.create_task(work(), context=context) for work in (first, second)))

    assert caplog.records == []


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


async def test_writers_share_their_way_to_the_disk_and_each_waits_for_one_that_began_after_its_commit(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed, on_disk, trips = set[str](), set[str](), 0
    all_committed = threading.Event()

    def sync(file: int) -> None:
        nonlocal trips
        there = set(committed)
        # A slow disk: whoever writes meanwhile waits for the next trip.
        assert all_committed.wait(10)
        os.fsync(file)
        trips += 1
        on_disk.update(there)

    async def write(name: str) -> None:
        async with sqlite_database.writing() as session:
            session.add(Setting(name=name, value={"value": 1}))
            await session.flush()
            if name == "bad":
                raise ZeroDivisionError
        assert name in on_disk

    def note(connection: object) -> None:
        committed.update(held(connection))
        if len(committed) == 15:
            all_committed.set()

    def held(connection: object) -> set[str]:
        return {name for (name,) in connection.exec_driver_sql("SELECT name FROM settings")}  # type: ignore[attr-defined]

    monkeypatch.setattr("llm_ui.sqlite.fdatasync", sync)
    event.listen(sqlite_database.engine.sync_engine, "commit", note)
    names = [*map(str, range(16)), "bad"]
    tasks = [asyncio.create_task(write(name)) for name in names]
    tasks[3].cancel()
    ends = await asyncio.gather(*tasks, return_exceptions=True)

    failed = {name: type(end) for name, end in zip(names, ends, strict=True) if end is not None}
    assert failed == {"3": asyncio.CancelledError, "bad": ZeroDivisionError}
    # One more for whoever commits last, where the second has begun just before.
    assert trips in (2, 3)
    async with sqlite_database.reading() as session:
        assert set(await session.scalars(select(Setting.name))) == set(names) - {"3", "bad"}


async def test_after_a_disk_that_failed_what_is_said_to_be_there_is_there(
    sqlite_database: Database, sqlite_config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_file: int) -> None:
        raise OSError(errno.EIO, "the disk is gone")

    async def write(name: str) -> None:
        async with sqlite_database.writing() as session:
            session.add(Setting(name=name, value={"value": 1}))

    await write("a")
    monkeypatch.setattr("llm_ui.sqlite.fdatasync", fail)
    with pytest.raises(StorageFull):
        await write("b")
    monkeypatch.undo()
    await write("c")

    # All of it was written once more, into the database itself: nothing of it hangs on the log.
    alone = sqlite_config.folder / "alone.db"
    alone.write_bytes(sqlite_config.sqlite_path.read_bytes())
    with sqlite3.connect(alone) as connection:
        assert connection.execute("SELECT name FROM settings ORDER BY name").fetchall() == [("a",), ("b",), ("c",)]
    connection.close()


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


def test_a_process_ends_in_the_middle_of_statements(sqlite_config: Config, caplog: pytest.LogCaptureFixture) -> None:
    async def read(database: Database) -> None:
        async with database.reading() as session:
            await session.execute(select(Setting))

    async def begin_and_end(delay_s: float) -> None:
        database = Database.open(sqlite_config)
        await read(database)
        reading = [asyncio.create_task(read(database)) for _ in range(12)]
        await asyncio.sleep(delay_s)
        for task in reading:
            task.cancel()
        await database.close()

    def many_times() -> None:
        for delay_us in range(0, 6_000, 100):
            asyncio.run(begin_and_end(delay_us / 1e6))

    process = threading.Thread(target=many_times, daemon=True)
    process.start()
    process.join(20)

    assert not process.is_alive()
    assert caplog.messages == []


async def test_a_server_that_is_gone_is_told_as_down(config: Config) -> None:
    database = Database.open(Config(database_url=f"postgresql://nobody@127.0.0.1:{free_port()}/none"))

    with pytest.raises(DatabaseDown):
        await database.ping()

    await database.close()


async def test_a_file_that_cannot_be_opened_is_told_and_leaves_no_thread(config: Config) -> None:
    (config.folder / "llm-ui.db").mkdir()
    database = Database.open(config)

    with pytest.raises(DatabaseDown, match="cannot be opened"):
        await database.ping()

    assert not [thread for thread in threading.enumerate() if "connection_worker" in thread.name]
    await database.close()


@pytest.mark.parametrize("database_config", ["postgresql"], indirect=True)
async def test_of_two_who_wait_for_each_other_one_is_told_that_the_database_is_busy(database: Database) -> None:
    async with database.writing() as session:
        session.add_all(Setting(name=name, value={"value": 0}) for name in "ab")
    each_has_one = asyncio.Barrier(2)

    async def write(first: str, second: str) -> None:
        async with database.writing() as session:
            await session.execute(update(Setting).where(Setting.name == first).values(value={"value": 1}))
            await each_has_one.wait()
            await session.execute(update(Setting).where(Setting.name == second).values(value={"value": 1}))

    ends = await asyncio.gather(write("a", "b"), write("b", "a"), return_exceptions=True)

    assert [type(end) for end in ends if end is not None] == [DatabaseBusy]


async def test_bytes_come_as_they_are_where_that_is_asked_for(database: Database) -> None:
    every = bytes(range(256)) * 4
    query = select(literal(every, LargeBinary), literal(uuid7(), Uuid()), literal("é"), literal(7, Integer))

    async with database.reading() as session:
        plain = (await session.execute(query)).one()
        asked = (await session.execute(query, execution_options=AS_BYTES)).one()

    assert asked == plain
    assert asked[0] == every


@pytest.mark.parametrize("database_config", ["postgresql"], indirect=True)
async def test_postgresql_compiles_no_statements_in_any_transaction(database: Database) -> None:
    for _ in range(2):
        async with database.reading() as session:
            assert await session.scalar(text("SHOW jit")) == "off"
            with pytest.raises(DBAPIError):
                await session.execute(text("SELECT 1 / 0"))
