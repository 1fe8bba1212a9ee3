"""What was used, in numbers: of all, or of the person who asks. Money in dollars, times in milliseconds."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from llm_ui.db import ReadSession
from llm_ui.kit.money import from_picodollars
from llm_ui.models import Measure
from llm_ui.services.access import Actor, Permission, require, require_within
from llm_ui.services.usage import packs, statements
from llm_ui.services.usage.buckets import percentile
from llm_ui.services.usage.rollups import SUMS
from llm_ui.services.usage.slots import Period
from llm_ui.services.usage.statements import ANSWERS, By, Filters
from llm_ui.services.usage.zones import Step, begin, begins, segments

ANSWERED = Filters(kinds=ANSWERS)
MONEY = frozenset({"cost_usd", "estimated_usd", "saved_usd"})
MEDIAN, MOST = 0.5, 0.95
MOST_COMBINATIONS = 50_000
"""Sums of combinations that are added up several times for a page."""
WEEK_BEGAN = 3
"""The weekday of the first of January 1970, Monday being 0."""


@dataclass(frozen=True, slots=True)
class Used:
    """Sums of calls."""

    requests: int = 0
    errors: int = 0
    estimates: int = 0
    unpriced: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    estimated_usd: Decimal = Decimal(0)
    written_tokens: int = 0
    writing_us: int = 0
    hits: int = 0
    saved_usd: Decimal = Decimal(0)

    def __add__(self, other: "Used") -> "Used":
        return Used(*(getattr(self, name) + getattr(other, name) for name in SUMS))

    @property
    def tokens(self) -> int:
        """Sent and received."""
        return self.input_tokens + self.output_tokens

    @property
    def error_rate(self) -> float | None:
        """The share of calls that failed; None: there were none."""
        return self.errors / self.requests if self.requests else None

    @property
    def tokens_per_second(self) -> float | None:
        """Output tokens by the time they were written in, over all calls of which both are known."""
        return self.written_tokens * 1_000_000 / self.writing_us if self.writing_us else None


@dataclass(frozen=True, slots=True)
class Times:
    """Percentiles of how long calls took, at most 9.1 % off (buckets.py); None: no call is known."""

    ttft_p50_ms: float | None = None
    ttft_p95_ms: float | None = None
    total_p50_ms: float | None = None
    total_p95_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """The sums of one hour, day, week or month of the viewer."""

    begins_at: datetime
    used: Used


async def totals(session: ReadSession, actor: Actor, filters: Filters, period: Period) -> Used:
    """Return the sums of a period. Raises `Forbidden` for others' use."""
    _require(actor, filters)
    return _used((await session.execute(statements.totals(filters, period))).one())


async def times(session: ReadSession, actor: Actor, filters: Filters, period: Period) -> Times:
    """Return how long calls of a period took. Raises `Forbidden` for others' use."""
    _require(actor, filters)
    rows = await session.execute(statements.latencies(filters, period))
    return _times((row.measure, row.bucket, int(row.calls)) for row in rows)


async def times_of(session: ReadSession, actor: Actor, filters: Filters, period: Period, by: By) -> dict[Any, Times]:
    """Return the same for each model, provider … Raises `Forbidden` for others' use."""
    _require(actor, filters)
    found: defaultdict[Any, list[tuple[int, int, int]]] = defaultdict(list)
    for row in await session.execute(statements.latencies(filters, period, by)):
        found[row.key].append((row.measure, row.bucket, int(row.calls)))
    return {key: _times(rows) for key, rows in found.items()}


async def series(
    session: ReadSession, actor: Actor, filters: Filters, period: Period, *, place: ZoneInfo, step: Step
) -> list[Bar]:
    """Return the sums of each hour, day … of the viewer, also where nothing was used. Raises `Forbidden`."""
    _require(actor, filters)
    found = segments(period, place)
    bars = dict.fromkeys(begins(period, place, step), Used())
    for row in await session.execute(statements.series(filters, found, step.unit_s)):
        at = begin(found[row.segment], row.number, place, step)
        bars[at] += _used(row)
    return [Bar(at, used) for at, used in bars.items()]


async def heat(
    session: ReadSession, actor: Actor, filters: Filters, period: Period, place: ZoneInfo
) -> list[list[Used]]:
    """Return the sums of each hour of each weekday of the viewer, Monday first. Raises `Forbidden`."""
    _require(actor, filters)
    week = [[Used()] * 24 for _ in range(7)]
    for row in await session.execute(statements.heat(filters, segments(period, place))):
        days, hour = divmod(int(row.number), 24)
        week[(days + WEEK_BEGAN) % 7][hour] = _used(row)
    return week


async def ranking(
    session: ReadSession, actor: Actor, filters: Filters, period: Period, by: By, *, most: int | None = None
) -> dict[Any, Used]:
    """Return the sums of each person, model … by id, the most expensive first, then the busiest. Raises `Forbidden`.

    `most`: of so many; None: of all.
    """
    _require(actor, filters)
    if filters == Filters() and by in packs.PACKED and await packs.are_quicker(session, period):
        return {key: _of(sums) for key, sums in await packs.ranking(session, period, by, most)}
    rows = [(row.key, _used(row)) for row in await session.execute(statements.ranking(filters, period, by, most))]
    rows.sort(key=lambda row: (-row[1].cost_usd, -row[1].requests, str(row[0])))
    return dict(rows)


async def active_people(session: ReadSession, actor: Actor, period: Period, filters: Filters = ANSWERED) -> int:
    """Return how many people asked for an answer in a period, or did what is counted. Raises `Forbidden`.

    What service accounts of teams use is in all other figures.
    """
    require(actor, Permission.SEE_FIGURES)
    if filters == ANSWERED and await packs.are_quicker(session, period):
        return await packs.who_asked(session, period)
    return await session.scalar(statements.active(filters, period)) or 0


async def are_many(session: ReadSession, filters: Filters, period: Period) -> bool:
    """Return whether there are too many combinations in a period to add up those of each person, project, team …"""
    return filters.user_id is None and bool(await session.scalar(statements.much(period, MOST_COMBINATIONS)))


def _require(actor: Actor, filters: Filters) -> None:
    """Raise `Forbidden` unless it is the actor's own use, or they may see everybody's."""
    require_within(actor, filters.project_id)
    if filters.user_id != actor.user_id:
        require(actor, Permission.SEE_FIGURES)


def _used(row: Any) -> Used:
    return _of([int(getattr(row, name) or 0) for name in SUMS])


def _of(sums: Sequence[int]) -> Used:
    values: list[Any] = [
        from_picodollars(value) if name in MONEY else value for name, value in zip(SUMS, sums, strict=True)
    ]
    return Used(*values)


def _times(rows: Iterable[tuple[int, int, int]]) -> Times:
    calls: dict[int, dict[int, int]] = {int(measure): {} for measure in Measure}
    for measure, bucket, count in rows:
        calls[measure][bucket] = count
    shares = [percentile(calls[measure], share) for measure in Measure for share in (MEDIAN, MOST)]
    return Times(*shares)
