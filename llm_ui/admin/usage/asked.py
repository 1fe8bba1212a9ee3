"""What the address of a usage page asks for. A person may have typed it: what is unknown is left out."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from llm_ui.models import UsageKind
from llm_ui.services.usage.slots import Period
from llm_ui.services.usage.statements import By, Filters
from llm_ui.services.usage.zones import DAY, Step, first_day, midnight, next_day

E = TypeVar("E", bound=StrEnum)

MAX_FIELDS = 30
MAX_DAYS = 3_660
"""Ten years: no page is asked for more bars."""
MAX_HOURS_DAYS = 31
"""Of a range that is shown by the hour."""


class Range(StrEnum):
    """How far back a page looks, today included."""

    TODAY = "today"
    WEEK = "7d"
    MONTH = "30d"
    QUARTER = "90d"
    YEAR = "12m"
    CUSTOM = "custom"
    """From one day to another."""


DAYS = {Range.TODAY: 1, Range.WEEK: 7, Range.MONTH: 30, Range.QUARTER: 90, Range.YEAR: 365}


class Metric(StrEnum):
    """What charts show."""

    COST = "cost"
    TOKENS = "tokens"
    REQUESTS = "requests"
    ERRORS = "errors"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is shown."""

    range: Range = Range.MONTH
    first: date | None = None
    last: date | None = None
    """Days of a custom range, both included."""
    step: Step | None = None
    """None: what suits the range."""
    metric: Metric = Metric.COST
    by: By = By.MODEL
    is_compared: bool = True
    filters: Filters = field(default_factory=Filters)
    offset: int = 0
    """How many calls come before those that are listed."""

    def period(self, place: ZoneInfo, at: datetime) -> Period:
        """Return the days that are shown, as instants; `at` is now."""
        today = at.astimezone(place).date()
        if self.range is Range.CUSTOM and self.first is not None and self.last is not None:
            return Period(midnight(self.first, place), midnight(self.last + DAY, place))
        first = today - (DAYS.get(self.range, DAYS[Range.MONTH]) - 1) * DAY
        return Period(midnight(first, place), midnight(today + DAY, place))

    def before(self, place: ZoneInfo, at: datetime) -> Period:
        """Return as many days before those that are shown, as far into the last of them as it is today."""
        period = self.period(place, at)
        first, end = (one.astimezone(place).date() for one in (period.start, period.end))
        length = end - first
        start = midnight(first - length, place)
        if period.start <= at < period.end:
            return Period(start, start + (at - period.start))
        return Period(start, midnight(end - length, place))

    def drawn_step(self, place: ZoneInfo, at: datetime) -> Step:
        """Return how long each bar is: by the hour only what is not too long for it."""
        period = self.period(place, at)
        days = (period.end - period.start) / DAY
        if self.step is not None and not (self.step is Step.HOUR and days > MAX_HOURS_DAYS + 1):
            return self.step
        if days <= 2:
            return Step.HOUR
        return Step.DAY if days <= 100 else Step.WEEK

    def narrowed(self, place: ZoneInfo, at: datetime, step: Step) -> "Asked":
        """Return the same of the bar that begins at an instant; of an hour its day."""
        first = first_day(at.astimezone(place).date(), Step.DAY if step is Step.HOUR else step)
        last = next_day(first, Step.DAY if step is Step.HOUR else step) - DAY
        return replace(self, range=Range.CUSTOM, first=first, last=last, step=None, offset=0)

    def of(self, by: By, value: Any) -> "Asked":
        """Return the same of one person, model …"""
        changed: dict[str, Any] = {by.column: value}
        return replace(self, filters=replace(self.filters, **changed), offset=0)

    def query(self) -> str:
        """Return it as the query of an address; what is usual is left out."""
        found = self.filters
        days = self.range is Range.CUSTOM
        said = {
            "range": "" if self.range is Range.MONTH else self.range,
            "first": self.first.isoformat() if days and self.first else "",
            "last": self.last.isoformat() if days and self.last else "",
            "step": self.step or "",
            "metric": "" if self.metric is Metric.COST else self.metric,
            "by": "" if self.by is By.MODEL else self.by,
            "compare": "" if self.is_compared else "no",
            **{by.value: str(getattr(found, by.column) or "") for by in By},
            "offset": str(self.offset or ""),
        }
        return urlencode({name: value for name, value in said.items() if value})


def asked(address: str) -> Asked:
    """Return what the query of an address asks for."""
    try:
        values = dict(parse_qsl(address.removeprefix("?"), max_num_fields=MAX_FIELDS))
    except ValueError:
        return Asked()
    first, last = (_day(values.get(name, "")) for name in ("first", "last"))
    is_range = first is not None and last is not None and first <= last <= first + MAX_DAYS * DAY
    span = _one(Range, values.get("range", "")) or Range.MONTH
    offset = values.get("offset", "")
    return Asked(
        range=Range.MONTH if span is Range.CUSTOM and not is_range else span,
        first=first if is_range else None,
        last=last if is_range else None,
        step=_one(Step, values.get("step", "")),
        metric=_one(Metric, values.get("metric", "")) or Metric.COST,
        by=_one(By, values.get("by", "")) or By.MODEL,
        is_compared=values.get("compare") != "no",
        filters=_filters(values),
        offset=int(offset) if offset.isascii() and offset.isdigit() and len(offset) <= 9 else 0,
    )


def _filters(values: dict[str, str]) -> Filters:
    ids = {by: _uuid(values.get(by.value, "")) for by in By if by is not By.KIND}
    found: dict[str, Any] = {by.column: one for by, one in ids.items() if one is not None}
    return Filters(**found, kind=_one(UsageKind, values.get("kind", "")))


def _one(kind: type[E], text: str) -> E | None:
    return next((one for one in kind if one.value == text), None)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1990 <= found.year <= 2200 else None
