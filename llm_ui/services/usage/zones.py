"""The viewer's time zone: where their days, weeks and months begin, and which hours there are when clocks change."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from llm_ui.services.usage.slots import DAY_S, HOUR_S, QUARTER_S, Period

DAY = timedelta(days=1)


class Step(StrEnum):
    """How long each bar of a chart is."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    """From Monday on."""
    MONTH = "month"

    @property
    def unit_s(self) -> int:
        """What SQL groups by, in seconds: weeks and months are put together of days."""
        return HOUR_S if self is Step.HOUR else DAY_S


async def zone(name: str) -> ZoneInfo:
    """Return the time zone of that name (IANA); UTC when there is none."""
    return await asyncio.to_thread(_read, name)


def _read(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a period in which clocks are not changed."""

    period: Period
    offset_s: int
    """What local time is ahead of UTC."""

    def local(self, at: datetime, unit_s: int) -> int:
        """Return which local hour or day since 1970 an instant is in."""
        return (int(at.timestamp()) + self.offset_s) // unit_s


def segments(period: Period, place: ZoneInfo) -> tuple[Segment, ...]:
    """Return the parts of a period between changes of the clocks; of an empty one itself."""
    if period.start >= period.end:
        return (Segment(period, _offset(period.start, place)),)
    found: list[Segment] = []
    start = period.start
    while start < period.end:
        end = min(start + DAY, period.end)
        if _offset(start, place) != _offset(end - timedelta(microseconds=1), place):
            end = _change(start, end, place)
        offset_s = _offset(start, place)
        if found and found[-1].offset_s == offset_s:
            found[-1] = Segment(Period(found[-1].period.start, end), offset_s)
        else:
            found.append(Segment(Period(start, end), offset_s))
        start = end
    return tuple(found)


def _offset(at: datetime, place: ZoneInfo) -> int:
    offset = at.astimezone(place).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def _change(start: datetime, end: datetime, place: ZoneInfo) -> datetime:
    """Return the first instant after `start` at which clocks show something else. They change at whole quarters."""
    before = _offset(start, place)
    at = datetime.fromtimestamp((int(start.timestamp()) // QUARTER_S + 1) * QUARTER_S, UTC)
    while at < end and _offset(at, place) == before:
        at += timedelta(seconds=QUARTER_S)
    return min(at, end)


def begins(period: Period, place: ZoneInfo, step: Step) -> Iterator[datetime]:
    """Yield where the bars of a period begin, as instants; the first may begin before the period does."""
    if period.start >= period.end:
        return
    if step is Step.HOUR:
        for one in segments(period, place):
            first = one.local(one.period.start, HOUR_S)
            last = one.local(one.period.end - timedelta(microseconds=1), HOUR_S)
            for hour in range(first, last + 1):
                yield begin(one, hour, place, step)
        return
    day = first_day(period.start.astimezone(place).date(), step)
    while (at := midnight(day, place)) < period.end:
        yield at
        day = next_day(day, step)


def begin(segment: Segment, number: int, place: ZoneInfo, step: Step) -> datetime:
    """Return where the bar begins that a local hour or day is in."""
    if step is Step.HOUR:
        return datetime.fromtimestamp(number * HOUR_S - segment.offset_s, UTC)
    return midnight(first_day(date(1970, 1, 1) + number * DAY, step), place)


def midnight(day: date, place: ZoneInfo) -> datetime:
    """Return the first instant of a local day."""
    return datetime.combine(day, time(), place).astimezone(UTC)


def first_day(day: date, step: Step) -> date:
    """Return the first day of the bar that a day is in."""
    if step is Step.WEEK:
        return day - day.weekday() * DAY
    return day.replace(day=1) if step is Step.MONTH else day


def next_day(day: date, step: Step) -> date:
    """Return the first day of the next bar."""
    if step is Step.MONTH:
        return (day + 31 * DAY).replace(day=1)
    return day + (7 * DAY if step is Step.WEEK else DAY)
