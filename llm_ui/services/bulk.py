"""Very many rows at once, past the ORM: `COPY` on PostgreSQL, one prepared statement on SQLite.

Values are given as both databases take them: ids as 32 hexadecimal digits, instants as text in UTC, money in
picodollars, members of closed sets as their text, truth as 0 and 1.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from llm_ui.db import Session
from llm_ui.models.base import Base

ROOM_KIB = 262_144
"""Of SQLite's pages that stay in memory: with its own 2 MB it reads those of an index again for each row."""

Columns = Mapping[str, Sequence[Any]]
"""The values of each column, all in the order of the rows."""


async def insert(session: Session, table: type[Base], columns: Columns) -> None:
    """Put in rows. What only Python knows a default of has to be given."""
    into = f"{table.__tablename__} ({', '.join(columns)})"
    rows = list(zip(*columns.values(), strict=True))
    if not rows:
        return
    connection = await session.connection()
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        # The names are those of our own columns; no value is in the statement.
        await connection.exec_driver_sql(f"INSERT INTO {into} VALUES ({marks})", rows)  # noqa: S608
        return
    driver = (await connection.get_raw_connection()).driver_connection
    if driver is None:
        raise RuntimeError("the connection has no driver")
    await connection.exec_driver_sql("SET LOCAL TIME ZONE 'UTC'")
    async with driver.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:
        for row in rows:
            await copy.write_row(row)


async def give_room(session: Session) -> None:
    """Let the connection keep many pages: for a command, in which it is the only one."""
    connection = await session.connection()
    if connection.dialect.name == "sqlite":
        await connection.exec_driver_sql(f"PRAGMA cache_size = -{ROOM_KIB}")
