"""SQLite over aiosqlite, with one trip to the connection's thread for each statement.

SQLAlchemy's own adapter makes four of them: cursor, execute, fetch, close. The trips were most of what a statement
cost (0.6 ms, of which SQLite's part is some 0.02 ms; with one trip 0.3 ms, measured on 2 cores).
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import aiosqlite
from sqlalchemy import Engine, event
from sqlalchemy.connectors.asyncio import AsyncAdapt_dbapi_connection
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection, AsyncAdapt_aiosqlite_cursor
from sqlalchemy.util.concurrency import await_


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

        def in_thread() -> tuple[Any, int, int | None, list[Any]]:
            # Closed here whatever happens: whoever waits may have been cancelled.
            cursor: sqlite3.Cursor = connection._conn.cursor()
            try:
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
    __slots__ = ("_ending",)

    _cursor_cls = _Cursor
    _ending: set[asyncio.Future[Any]]

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

    def _connect(self, dialect: Any, _record: object, arguments: Any, options: Any) -> _Connection:
        opened: Any = await_(_opened(aiosqlite.connect(*arguments, **options)))
        connection = _Connection(dialect.dbapi, opened)
        connection._ending = self._ending
        return connection

    async def ended(self) -> None:
        """Return once the threads of the connections that were thrown away have ended."""
        if self._ending:
            await asyncio.wait(self._ending)


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
