"""Lists of the administration: what is asked for, one page of it, and all of it piece by piece."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from sqlalchemy import Integer, Select, SQLColumnExpression, func, literal_column, select
from sqlalchemy.orm import InstrumentedAttribute

from llm_ui.db import Database, ReadSession

T = TypeVar("T")

SIZES = (25, 50, 100)
"""How many rows a page may have."""
USUAL_SIZE = 50
PIECE_ROWS = 1_000
"""Of an export, read at once."""
COUNTED = 100_000
"""A list counts so many rows, and leafs through them: nobody goes on to the page after."""
LOOKED_AT = 50_000
"""So many rows of an endless list are searched and sorted, the latest: all of ten million take seconds."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to see of a list."""

    search: str = ""
    filters: Mapping[str, str] = field(default_factory=dict)
    """The chosen value of each filter that is set."""
    sort: str = ""
    """Key of the column; empty for the list's own order."""
    is_descending: bool = False
    page: int = 1
    size: int = USUAL_SIZE


@dataclass(frozen=True, slots=True)
class Rows(Generic[T]):
    """All rows of a list that are asked for, whatever their order."""

    query: Select[Any]
    """Of whole rows of one table that the actor may see, built on `readable()`; what is left out is left out here."""
    key: InstrumentedAttribute[Any]
    """The primary key, in the order of which an export goes through the rows."""
    sorts: Mapping[str, SQLColumnExpression[Any]]
    """What the rows may be sorted by, by the key of the column; the first is the list's own order."""
    told: Callable[[ReadSession, Sequence[Any]], Awaitable[tuple[T, ...]]]
    """Returns what is shown of some rows, in their order. It may read more about just these."""
    joined: Callable[[Select[Any], str], Select[Any]] = lambda query, _: query
    """Adds what only sorting by that column needs."""
    latest: "Latest | None" = None
    """What is asked for takes an endless list too long: only its end is looked at. An export has all of it."""


@dataclass(frozen=True, slots=True)
class Latest:
    """The end of a list that only grows."""

    query: Select[Any]
    """Of the rows that indexes alone tell from others."""
    at: SQLColumnExpression[Any]
    """Their time; indexed."""


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """One page of a list."""

    items: tuple[T, ...] = ()
    total: int = 0
    """How many rows there are on all pages, as far as they are counted."""
    is_more: bool = False
    """There are more than were counted."""
    is_cut: bool = False
    """Only the latest `LOOKED_AT` were looked at."""
    page: int = 1
    """The page that this is: the last one when a later one was asked for."""


async def find(session: ReadSession, rows: Rows[T], asked: Asked) -> Found[T]:
    """Return the page that is asked for."""
    before = None if rows.latest is None else await _before(session, rows.latest)
    if rows.latest is not None and before is not None:
        rows = replace(rows, query=rows.query.where(rows.latest.at > before))
    # No column: so many are counted in an index alone.
    one = literal_column("1", Integer).label("one")
    counted = rows.query.with_only_columns(one, maintain_column_froms=True).order_by(None).limit(COUNTED + 1)
    total = await session.scalar(select(func.count()).select_from(counted.subquery())) or 0
    if total == 0:
        # Looking through all of them once has told it.
        return Found(is_cut=before is not None)
    is_more, total = total > COUNTED, min(total, COUNTED)
    last = max(1, -(-total // asked.size))
    page = min(asked.page, last)
    sort = asked.sort if asked.sort in rows.sorts else next(iter(rows.sorts))
    column = rows.sorts[sort]
    first, then = (column.desc(), rows.key.desc()) if asked.is_descending else (column.asc(), rows.key.asc())
    if getattr(getattr(column, "expression", column), "nullable", False):
        # Without a value is last, both ways and on both databases. Where each has one, this would keep SQLite from
        # using an index.
        first = first.nulls_last()
    query = rows.joined(rows.query, sort).order_by(first, then)
    # Keys first: a database sorts and skips them several times as fast as whole rows.
    keys = query.with_only_columns(rows.key, maintain_column_froms=True)
    wanted = (await session.scalars(keys.offset((page - 1) * asked.size).limit(asked.size))).all()
    held = {getattr(row, rows.key.key): row for row in await session.scalars(rows.query.where(rows.key.in_(wanted)))}
    told = await rows.told(session, [held[key] for key in wanted if key in held])
    return Found(told, total, page=page, is_more=is_more, is_cut=before is not None)


async def _before(session: ReadSession, latest: Latest) -> Any:
    """Return when the last row was made that is too many; None: all are looked at."""
    newest = latest.query.with_only_columns(latest.at, maintain_column_froms=True).order_by(latest.at.desc())
    return await session.scalar(newest.offset(LOOKED_AT).limit(1))


async def pieces(database: Database, rows: Rows[T]) -> AsyncIterator[tuple[T, ...]]:
    """Yield all rows in the order of their key, each piece from a transaction of its own: whoever reads may be slow."""
    last = None
    while True:
        async with database.reading() as session:
            query = rows.query if last is None else rows.query.where(rows.key > last)
            found = (await session.scalars(query.order_by(rows.key).limit(PIECE_ROWS))).all()
            told = await rows.told(session, found)
        if told:
            yield told
        if len(found) < PIECE_ROWS:
            return
        last = getattr(found[-1], rows.key.key)
