"""SQLite over aiosqlite, with one trip to the connection's thread for each statement and one to the disk for many.

SQLAlchemy's own adapter makes four trips: cursor, execute, fetch, close. They were most of what a statement cost (0.6
ms, of which SQLite's part is some 0.02 ms; with one trip 0.3 ms, measured on 2 cores). A transaction begins on the trip
of its first statement, and nobody waits for the end of one that has only read.
"""

import asyncio
import os
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import aiosqlite
from sqlalchemy import Engine, event
from sqlalchemy.connectors.asyncio import AsyncAdapt_dbapi_connection
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection, AsyncAdapt_aiosqlite_cursor
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.sql.selectable import FromClause
from sqlalchemy.util.concurrency import await_

from llm_ui.errors import StorageFull

BEGIN_MODE = "sqlite_begin"
"""The option of an engine that says how its transactions begin: IMMEDIATE for writers, else DEFERRED."""
fdatasync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)
"""Not on every system."""


class Hinting(SQLiteCompiler):
    """Writes a hint of a statement behind its table: which index is read (https://sqlite.org/lang_indexedby.html).

    SQLAlchemy knows such hints of other databases.
    """

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:
        """Return what stands behind a table."""
        del table
        return text


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    """A cursor that lives in the connection's thread only while its statement runs."""

    __slots__ = ("_description", "_lastrowid", "_rowcount")

    def __init__(self, adapt_connection: AsyncAdapt_dbapi_connection) -> None:
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection
        self._rows = deque()
        self._description: Any = None
        self._rowcount = -1
        self._lastrowid: int | None = None

    @property
    def description(self) -> Any:
        """The columns of the result, None when there is none (PEP 249)."""
        return self._description

    @property
    def rowcount(self) -> int:
        """How many rows the statement changed, -1 when it changes none (PEP 249)."""
        return self._rowcount

    @property
    def lastrowid(self) -> Any:
        """The id of the row inserted last."""
        return self._lastrowid

    def execute(self, operation: Any, parameters: Any = None) -> None:
        """Run a statement and take all its rows."""
        self._do(lambda cursor: cursor.execute(operation, () if parameters is None else parameters))

    def executemany(self, operation: Any, seq_of_parameters: Sequence[Any]) -> None:
        """Run a statement once for each of the parameters."""
        self._do(lambda cursor: cursor.executemany(operation, seq_of_parameters))

    async def _async_soft_close(self) -> None:
        """Nothing is open."""

    def close(self) -> None:
        """Let go of the rows; nothing is open."""
        self._rows.clear()

    def _do(self, work: Callable[[sqlite3.Cursor], object]) -> None:
        connection: Any = self._connection
        adapter: Any = self._adapt_connection
        beginning: tuple[str, ...] = adapter.take_beginning()

        def in_thread() -> tuple[Any, int, int | None, list[Any]]:
            # Closed here whatever happens: whoever waits may have been cancelled.
            cursor: sqlite3.Cursor = connection._conn.cursor()
            try:
                for statement in beginning:
                    cursor.execute(statement)
                work(cursor)
                rows = cursor.fetchall() if cursor.description else []
                return cursor.description, cursor.rowcount, cursor.lastrowid, rows
            finally:
                cursor.close()

        try:
            self._description, self._rowcount, self._lastrowid, rows = await_(connection._execute(in_thread))
        except Exception as error:  # noqa: BLE001 - turned into the driver's own by the adapter
            self._adapt_connection._handle_exception(error)
        self._rows = deque(rows)


class _Connection(AsyncAdapt_aiosqlite_connection):
    __slots__ = ("_beginning", "_ending", "_is_writing")

    _cursor_cls = _Cursor
    _beginning: tuple[str, ...]
    """What the next statement begins with."""
    _ending: set[asyncio.Future[Any]]
    _is_writing: bool

    def begin(self, mode: str) -> None:
        """Begin at once with the next statement, and for writers with the write lock: no read-then-write fails halfway.

        Writers wait for the disk themselves (`Disk`); whatever else is committed, such as a migration, waits for it in
        its commit.
        """
        self._is_writing = mode != "DEFERRED"
        level = "NORMAL" if self._is_writing else "FULL"
        self._beginning = f"PRAGMA synchronous = {level}", f"BEGIN {mode}"

    def take_beginning(self) -> tuple[str, ...]:
        """Return what is to be run before the next statement; it is not returned again."""
        beginning, self._beginning = self._beginning, ()
        return beginning

    def commit(self) -> None:
        """Commit, unless nothing was begun."""
        if not self.take_beginning():
            super().commit()

    def rollback(self) -> None:
        """Undo what was begun. For what has only read nobody waits: the next one of this connection comes after it."""
        connection: Any = self._connection
        if self.take_beginning() or connection._connection is None:
            return
        if self._is_writing:
            super().rollback()
        else:
            connection._tx.put_nowait((None, connection._conn.rollback))

    def terminate(self) -> None:
        """Undo what was begun and close, in the connection's thread; wait for neither.

        A connection is thrown away when its task is cancelled, and that may happen again meanwhile: SQLAlchemy's own
        way then tells the thread twice to end and waits for ever for the second answer. Undone, because closing alone
        is not enough: SQLite keeps the transaction, and the write lock with it, until the last statement is freed, and
        the traceback of whoever was cancelled holds one (https://www.sqlite.org/c3ref/close.html).
        """
        connection: Any = self._connection
        if connection._connection is not None:
            connection._tx.put_nowait((None, connection._conn.rollback))
        ended = connection.stop()
        if ended is not None:
            self._ending.add(ended)
            ended.add_done_callback(self._ending.discard)


class OneTrip:
    """Lets the new connections of an engine run each statement in one trip."""

    def __init__(self, engine: Engine) -> None:
        self._ending: set[asyncio.Future[Any]] = set()
        event.listen(engine, "do_connect", self._connect)
        event.listen(engine, "begin", _begin)

    def _connect(self, dialect: Any, _record: object, arguments: Any, options: Any) -> _Connection:
        opened: Any = await_(_opened(aiosqlite.connect(*arguments, **options)))
        connection = _Connection(dialect.dbapi, opened)
        connection._ending, connection._beginning, connection._is_writing = self._ending, (), True
        return connection

    async def ended(self) -> None:
        """Return once the threads of the connections that were thrown away have ended."""
        if self._ending:
            await asyncio.wait(self._ending)


class Disk:
    """Has the disk hold what was committed: one trip there for all who commit meanwhile.

    With `synchronous = NORMAL` a commit ends in the write-ahead log, where a process that is killed loses nothing, and
    the system writes it to the disk some time later. `FULL` would wait for that inside of each commit, one after the
    other while nobody else writes; here it is waited for after the lock is let go. What is in the log holds from its
    beginning up to what the disk has (https://www.sqlite.org/walformat.html), so a commit that is waited for has all
    before it with it.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, "disk")
        self._under_way: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None
        self._is_doubtful = False

    async def written(self) -> None:
        """Return once all that was committed before is on the disk. Raises `StorageFull` when it cannot be."""
        # The trip that is under way may have begun too early.
        if self._next is None:
            self._next = asyncio.create_task(self._write(self._under_way))
            self._next.add_done_callback(_looked_at)
        await asyncio.shield(self._next)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False)

    async def _write(self, before: asyncio.Task[None] | None) -> None:
        if before is not None and not before.done():
            await asyncio.wait([before])
        self._under_way, self._next = self._next, None
        await asyncio.get_running_loop().run_in_executor(self._thread, self._sync)

    def _sync(self) -> None:
        try:
            if self._is_doubtful:
                self._copy()
            file = os.open(f"{self._path}-wal", os.O_RDONLY)
        except FileNotFoundError:
            # The last connection was closed: all of the log is in the database itself, and that is on the disk.
            return
        except (OSError, sqlite3.Error) as error:
            raise StorageFull from error
        try:
            fdatasync(file)
        except OSError as error:
            # The system forgets what it could not write, and next time says that all is well: what follows in the log
            # would follow a hole.
            self._is_doubtful = True
            raise StorageFull from error
        finally:
            os.close(file)

    def _copy(self) -> None:
        """Have all that is in the log written once more, into the database itself."""
        with closing(sqlite3.connect(self._path)) as connection:
            ((is_busy, *_),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if is_busy:
            raise sqlite3.OperationalError("the log is in use")
        self._is_doubtful = False


def _begin(connection: Any) -> None:
    connection.connection.dbapi_connection.begin(connection.get_execution_options().get(BEGIN_MODE, "DEFERRED"))


def _looked_at(task: asyncio.Task[None]) -> None:
    """Whoever waited may have been cancelled: then nobody else looks at how it ended."""
    if not task.cancelled():
        task.exception()


async def _opened(connecting: aiosqlite.Connection) -> aiosqlite.Connection:
    """Open a connection; when that fails, return only once its thread has ended.

    Left alone, the thread tells an event loop that may be closed by then, and prints a traceback.
    """
    # A thread that still runs must not keep the process from ending.
    connecting._thread.daemon = True
    try:
        return await connecting
    except BaseException:
        await asyncio.to_thread(connecting._thread.join)
        raise
