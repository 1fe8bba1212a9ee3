"""Time as rollups count it: quarters of an hour, days and months of UTC, each with a number."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from llm_ui.kit.clock import now
from llm_ui.models import Span, UsageLog

QUARTER_S = 900
DAY_S = 86_400
HOUR_S = 3_600
BEGAN = datetime(2000, 1, 1, tzinfo=UTC)
"""Before any use of ours."""
SECONDS = {Span.QUARTER: QUARTER_S, Span.DAY: DAY_S}


class UtcSeconds(FunctionElement[int]):
    """Seconds since 1970 of an instant, fractions cut off."""

    type = Integer()
    inherit_cache = True
    name = "utc_seconds"


class UtcMonth(FunctionElement[int]):
    """Months since the year 0 of an instant."""

    type = Integer()
    inherit_cache = True
    name = "utc_month"


@compiles(UtcSeconds, "sqlite")
def _sqlite_seconds(element: UtcSeconds, compiler: Any, **options: Any) -> str:
    return f"CAST(strftime('%s', {compiler.process(element.clauses, **options)}) AS INTEGER)"


@compiles(UtcSeconds, "postgresql")
def _postgresql_seconds(element: UtcSeconds, compiler: Any, **options: Any) -> str:
    return f"CAST(floor(extract(epoch FROM {compiler.process(element.clauses, **options)})) AS BIGINT)"


@compiles(UtcMonth, "sqlite")
def _sqlite_month(element: UtcMonth, compiler: Any, **options: Any) -> str:
    at = compiler.process(element.clauses, **options)
    return f"(CAST(strftime('%Y', {at}) AS INTEGER) * 12 + CAST(strftime('%m', {at}) AS INTEGER) - 1)"


@compiles(UtcMonth, "postgresql")
def _postgresql_month(element: UtcMonth, compiler: Any, **options: Any) -> str:
    at = f"({compiler.process(element.clauses, **options)} AT TIME ZONE 'UTC')"
    return f"CAST(extract(year FROM {at}) * 12 + extract(month FROM {at}) - 1 AS INTEGER)"


def slot_sql(span: Span) -> ColumnElement[int]:
    """Return the slot of a booked call."""
    if span is Span.MONTH:
        return UtcMonth(UsageLog.created_at)
    # No parameter: PostgreSQL groups by what is written alike.
    return UtcSeconds(UsageLog.created_at) // literal_column(str(SECONDS[span]), Integer)


def slot_of(span: Span, at: datetime) -> int:
    """Return the slot that an instant is in."""
    if span is Span.MONTH:
        utc = at.astimezone(UTC)
        return utc.year * 12 + utc.month - 1
    return int(at.timestamp()) // SECONDS[span]


def begin_of(span: Span, slot: int) -> datetime:
    """Return the first instant of a slot."""
    if span is Span.MONTH:
        return datetime(slot // 12, slot % 12 + 1, 1, tzinfo=UTC)
    return datetime.fromtimestamp(slot * SECONDS[span], UTC)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Slots one after the other, `last` excluded."""

    span: Span
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time, `end` excluded."""

    start: datetime
    end: datetime

    def before(self) -> "Period":
        """Return the stretch that is as long and ends where this one begins."""
        return Period(self.start - (self.end - self.start), self.start)


def ever() -> Period:
    """Return all time, to the end of this month."""
    return Period(BEGAN, begin_of(Span.MONTH, slot_of(Span.MONTH, now()) + 1))


@dataclass(frozen=True, slots=True)
class Pieces:
    """A period cut up: as few and as long rollups as possible, and at its ends less than a quarter of an hour."""

    stretches: tuple[Stretch, ...]
    rests: tuple[Period, ...]


def cut(period: Period, longest: Span = Span.MONTH) -> Pieces:
    """Return the pieces of a period, of spans up to the longest."""
    first, last = _ceil(Span.QUARTER, period.start), slot_of(Span.QUARTER, period.end)
    if first > last:
        return Pieces((), (period,))
    inner = Period(begin_of(Span.QUARTER, first), begin_of(Span.QUARTER, last))
    rests = (Period(period.start, inner.start), Period(inner.end, period.end))
    stretches = tuple(one for one in _stretches(inner, longest) if one.first < one.last)
    return Pieces(stretches, tuple(one for one in rests if one.start < one.end))


def _stretches(period: Period, span: Span) -> Iterator[Stretch]:
    first, last = _ceil(span, period.start), slot_of(span, period.end)
    if span is Span.QUARTER:
        yield Stretch(span, first, last)
        return
    smaller = Span(span - 1)
    if first >= last:
        yield from _stretches(period, smaller)
        return
    yield from _stretches(Period(period.start, begin_of(span, first)), smaller)
    yield Stretch(span, first, last)
    yield from _stretches(Period(begin_of(span, last), period.end), smaller)


def _ceil(span: Span, at: datetime) -> int:
    """Return the first slot that begins at an instant or after it."""
    slot = slot_of(span, at)
    return slot if begin_of(span, slot) == at else slot + 1
