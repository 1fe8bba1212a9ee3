"""The database: engine, SQLite pragmas, and the two ways in, `reading()` and `writing()`.

Reading and writing sessions are different types, so that a signature says what a function may do. `writing()` is
the only place that commits.
"""

import asyncio
import contextlib
import re
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, Self, TypeVar

from sqlalchemy import Engine, event, func, select, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from llm_ui.config import Config
from llm_ui.errors import DatabaseBusy, DatabaseDown, LLMUIError, StorageFull
from llm_ui.kit.disk import is_full, sqlite_error
from llm_ui.observability.logging import get_logger
from llm_ui.sqlite import BEGIN_MODE, Disk, Hinting, OneTrip

log = get_logger(__name__)

SQLITE_BUSY_TIMEOUT_MS = 5_000
"""How long SQLite waits for another process's write before it says locked."""

POOL_SIZE = 10
"""Connections of a process. All are kept once they were needed: making one costs more than most of what it is asked,
for SQLite reads the schema anew, and PostgreSQL begins a process."""
POOL_TIMEOUT_S = 15.0
"""How long a request waits for a free connection, or for its turn to write, before it is told that the database is
busy. Longer than for the write of another process: this line moves on, and on a slow machine many may stand in it."""
POOL: dict[str, Any] = {
    "pool_size": POOL_SIZE,
    "max_overflow": 0,
    "pool_timeout": POOL_TIMEOUT_S,
    # The few that are in use at quiet times are always the same.
    "pool_use_lifo": True,
}
CLOSE_S = 5.0
"""How long `Database.close` waits for what is in use."""

MOST_SLOW = 50
"""Different statements that are kept until they are taken."""
MAX_STATEMENT_CHARS = 2_000
LITERAL = re.compile(r"'(?:[^']|'')*'|(?<![\w.:])\d+(?:\.\d+)?\b")
LIST = re.compile(r"\((?:(?:\?|%\(\w+\)s(?:::\w+)?)(?:, )?){2,}\)")
"""Of marks: as long as what was asked for, so it would be another statement each time."""

POSTGRESQL_FULL = frozenset({"53100", "25006"})
"""SQLSTATE of a full disk, and of a database that takes no writes (PostgreSQL's manual, appendix A)."""
POSTGRESQL_BUSY = frozenset({"40001", "40P01", "53300", "55P03", "57014"})
"""Of what passes when the others are done: serialization, deadlock, too many connections, a lock, a cancelled query.

Codes and not the driver's classes, which would have it imported where nobody uses PostgreSQL: 6 MB in each process.
"""


AS_BYTES = {"as_bytes": True}
"""Options of a statement that reads very many bytes: PostgreSQL sends them as text of twice the length otherwise."""


class ReadSession(AsyncSession):
    """A session that reads. What it changed is thrown away at its end."""


class Session(ReadSession):
    """A session inside `writing()`: its changes are committed together, or none of them."""

    async def wait_turn(self, lock: str) -> None:
        """Wait until no other transaction has this lock, and have it to the end; on SQLite one writes at a time anyway.

        First of all in a transaction: who waits for it while others wait for its rows waits for ever.
        """
        if self.get_bind().dialect.name != "sqlite":
            await self.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"llm-ui/{lock}"))))


S = TypeVar("S", bound=ReadSession)


@dataclass(slots=True)
class Slow:
    """How often a statement took long, and how long."""

    count: int = 0
    total_ms: float = 0.0
    longest_ms: float = 0.0

    def add(self, ms: float) -> None:
        """Add one time that it did."""
        self.count, self.total_ms, self.longest_ms = self.count + 1, self.total_ms + ms, max(ms, self.longest_ms)


class SlowStatements:
    """The statements of an engine that took long since they were last taken, without their values."""

    def __init__(self, engine: Engine, slow_ms: float) -> None:
        self._slow_ms = slow_ms
        self._found: dict[str, Slow] = {}
        event.listen(engine, "before_cursor_execute", self._before)
        event.listen(engine, "after_cursor_execute", self._after)

    def take(self) -> dict[str, Slow]:
        """Return what there is by the text of the statement, and begin anew."""
        found, self._found = self._found, {}
        return found

    def _before(self, _connection: Any, _cursor: Any, _text: str, _values: Any, context: Any, _many: bool) -> None:
        context.began_at = time.monotonic()

    def _after(self, _connection: Any, _cursor: Any, text: str, _values: Any, context: Any, _many: bool) -> None:
        ms = (time.monotonic() - context.began_at) * 1_000
        if ms < self._slow_ms:
            return
        text = without_values(text)
        if text in self._found or len(self._found) < MOST_SLOW:
            self._found.setdefault(text, Slow()).add(ms)


def without_values(statement: str) -> str:
    """Return a statement with a mark for each value that stands in it, and on one line."""
    text = " ".join(LITERAL.sub("?", statement).split())
    return LIST.sub("(…)", text)[:MAX_STATEMENT_CHARS]


class Database:
    """One engine and its two kinds of session. Made once in each process and handed down."""

    def __init__(self, engine: AsyncEngine, slow_ms: float = Config.model_fields["slow_statement_ms"].default) -> None:
        self._engine = engine
        self.slow = SlowStatements(engine.sync_engine, slow_ms)
        self._is_sqlite = engine.dialect.name == "sqlite"
        # SQLite has one writer at a time: queueing here is fair and costs nothing, its own waiting polls.
        self._sqlite_writer = asyncio.Lock()
        self._one_trip = OneTrip(engine.sync_engine) if self._is_sqlite else None
        self._writer = engine.execution_options(**{BEGIN_MODE: "IMMEDIATE"}) if self._is_sqlite else engine
        self._disk = Disk(engine.url.database or "")
        self._in_use: set[asyncio.Future[None]] = set()
        # By the task itself and not in its context, which tasks of a page might share.
        self._users: set[asyncio.Task[Any] | None] = set()

    @classmethod
    def open(cls, config: Config) -> Self:
        """Return the database of the settings. Connects on first use."""
        url = config.sqlalchemy_url
        # Parameters are hidden, because what people write must not be in the log when a statement fails.
        if url.startswith("sqlite"):
            engine = create_async_engine(url, **POOL, hide_parameters=True)
            event.listen(engine.sync_engine, "connect", _prepare_sqlite_connection)
            engine.dialect.statement_compiler = Hinting
        else:
            engine = create_async_engine(url, **POOL, pool_pre_ping=True, hide_parameters=True)
            event.listen(engine.sync_engine, "connect", _prepare_postgresql_connection)
            event.listen(engine.sync_engine, "before_cursor_execute", _ask_for_bytes)
        return cls(engine, config.slow_statement_ms)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    @property
    def engine(self) -> AsyncEngine:
        """The engine, for migrations and checks."""
        return self._engine

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[ReadSession]:
        """Yield a session for reading."""
        async with _errors_of_ours(), self._use(ReadSession(self._engine, expire_on_commit=False)) as session:
            yield session

    @asynccontextmanager
    async def writing(self, *, lock: str | None = None) -> AsyncIterator[Session]:
        """Yield a session whose changes are committed when the block ends well, and undone when it raises.

        Blocks with the same `lock` run one after the other, in all processes; on SQLite all blocks do.
        """
        if not self._is_sqlite:
            async with _errors_of_ours(), self._use(Session(self._engine, expire_on_commit=False)) as session:
                if lock is not None:
                    await session.wait_turn(lock)
                yield session
            return
        async with _errors_of_ours():
            async with self._only_writer(), self._use(Session(self._writer, expire_on_commit=False)) as session:
                yield session
            # "Sent" is said after this, so it must survive a power cut. Others may write meanwhile.
            await self._disk.written()

    @asynccontextmanager
    async def _use(self, session: S) -> AsyncIterator[S]:
        """Yield the session, then end it: in a task of its own, as its user may be cancelled once more meanwhile."""
        ended = asyncio.get_running_loop().create_future()
        self._in_use.add(ended)
        ended.add_done_callback(self._in_use.discard)
        task = asyncio.current_task()
        is_within = task in self._users
        if is_within:
            # As many of these as there are connections would wait for each other.
            log.warning("database.session_within_session", asked_by=_asker())
        self._users.add(task)
        is_well = False
        try:
            yield session
            is_well = True
        finally:
            if not is_within:
                self._users.discard(task)
            ending = asyncio.create_task(_end(session, commit=is_well and isinstance(session, Session)))
            ending.add_done_callback(lambda _: ended.set_result(None))
            await asyncio.shield(ending)

    @asynccontextmanager
    async def _only_writer(self) -> AsyncIterator[None]:
        """Be the only writer of this process. Raises `DatabaseBusy` when that takes too long."""
        try:
            async with asyncio.timeout(POOL_TIMEOUT_S):
                await self._sqlite_writer.acquire()
        except TimeoutError:
            raise DatabaseBusy from None
        try:
            yield
        finally:
            self._sqlite_writer.release()

    async def ping(self) -> None:
        """Raise `DatabaseDown` or `DatabaseBusy` unless a trivial query is answered."""
        async with self.reading() as session:
            await session.execute(text("SELECT 1"))

    async def optimize(self) -> None:
        """Refresh the planner's statistics where they are out of date."""
        statement = "PRAGMA optimize" if self._is_sqlite else "ANALYZE"
        async with self.writing() as session:
            await session.execute(text(statement))

    async def close(self) -> None:
        """Close every connection, once who was cancelled or is about to end has given it back."""
        if self._in_use:
            await asyncio.wait(self._in_use, timeout=CLOSE_S)
        await self._engine.dispose()
        if self._one_trip is not None:
            await self._one_trip.ended()
        self._disk.close()


def _asker() -> str:
    """Return which line wants a session."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename in (__file__, contextlib.__file__):
        frame = frame.f_back
    if frame is None:
        return ""
    return f"{frame.f_globals.get('__name__', '')}:{frame.f_lineno}"


def _prepare_postgresql_connection(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    # Compiling a statement pays where it takes seconds; figures, of a tenth of one, took a fifth longer with it.
    cursor.execute("SET jit = off")
    cursor.close()
    # What is set in a transaction that is undone is undone with it.
    connection.commit()


def _ask_for_bytes(_connection: Any, cursor: Any, _text: str, _values: Any, context: Any, _many: bool) -> None:
    if context is not None and context.execution_options.get("as_bytes"):
        # psycopg's own cursor, whose option SQLAlchemy's does not show; 1 is its `Format.BINARY`.
        cursor._cursor.format = 1


async def _end(session: ReadSession, *, commit: bool) -> None:
    try:
        if commit:
            await session.commit()
    finally:
        await session.close()


def _prepare_sqlite_connection(connection: Any, _record: Any) -> None:
    """Set the pragmas of design §6 on a new connection."""
    # The driver's own transaction handling begins late and only as deferred; `OneTrip` takes over.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    # What is deleted is overwritten, so that the file does not hold it any longer. Many builds do that anyway.
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()


@asynccontextmanager
async def _errors_of_ours() -> AsyncIterator[None]:
    """Turn the drivers' errors about state (busy, full, gone) into ours; programming errors pass."""
    try:
        yield
    except PoolTimeout:
        raise DatabaseBusy from None
    except OSError as error:
        if is_full(error):
            raise StorageFull from None
        raise
    except DBAPIError as error:
        ours = _translated(error)
        if ours is None:
            raise
        raise ours from error


def _translated(error: DBAPIError) -> LLMUIError | None:
    """Return our error for a driver's error about the database's state, or None."""
    said = error.orig
    ours = sqlite_error(said) if isinstance(said, sqlite3.Error) else _postgresql_error(error)
    return ours or (DatabaseDown() if error.connection_invalidated else None)


def _postgresql_error(error: DBAPIError) -> LLMUIError | None:
    state = getattr(error.orig, "sqlstate", None)
    if state in POSTGRESQL_FULL:
        return StorageFull()
    if state in POSTGRESQL_BUSY:
        return DatabaseBusy()
    return DatabaseDown() if isinstance(error, OperationalError) else None
