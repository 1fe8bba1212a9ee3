"""The SQL of the figures: rollups of a period, and booked calls where rollups do not reach.

Each is one statement, so that it sees one state of the database: a call is in the rollups or waits, never both. It adds
up the longest rollups that fit into the period, the calls of the minutes at its ends, and the calls that wait.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Dialect,
    Integer,
    Label,
    Select,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    select,
    union_all,
)

from llm_ui.kit.ids import AgentId, ModelId, ProjectId, ProviderId, TeamId, UserId
from llm_ui.models import (
    Measure,
    ServiceAccount,
    Span,
    UsageDimension,
    UsageKind,
    UsageLatency,
    UsageLog,
    UsageRollup,
    UsageTotal,
)
from llm_ui.services.usage.buckets import bucket_sql
from llm_ui.services.usage.rollups import MEASURED, SUMS, sums_of_calls
from llm_ui.services.usage.slots import SECONDS, Period, Pieces, Stretch, UtcSeconds, cut
from llm_ui.services.usage.zones import Segment


class By(StrEnum):
    """What a ranking is of; the name of its column without `_id`."""

    USER = "user"
    PROJECT = "project"
    TEAM = "team"
    MODEL = "model"
    PROVIDER = "provider"
    AGENT = "agent"
    KIND = "kind"

    @property
    def column(self) -> str:
        """The column, of booked calls and of combinations."""
        return "kind" if self is By.KIND else f"{self}_id"


COMBINATIONS_BY = {
    "user_id": "INDEXED BY ix_usage_dimensions_user_id",
    "people": "INDEXED BY ix_usage_dimensions_user_id",
    "team_id": "INDEXED BY ix_usage_dimensions_team",
    "project_id": "INDEXED BY ix_usage_dimensions_project",
    "agent_id": "INDEXED BY ix_usage_dimensions_agent",
}
OF_A_COMBINATION = "INDEXED BY ix_usage_rollups_dimension_id_span_slot"
CALLS_OF_A_PERSON = "INDEXED BY ix_usage_logs_user_id_created_at"
CALLS_BY_TIME = "INDEXED BY ix_usage_logs_created_at"
CALLS_WAITING = "INDEXED BY ix_usage_logs_waiting"
"""What SQLite reads, which has no idea of how many rows a stretch of time has: among ten million calls it looked for
each person in turn, and through everybody's sums for one person's. PostgreSQL knows by itself."""
ANSWERS = (UsageKind.CHAT, UsageKind.TEMPORARY, UsageKind.API)
"""What people and scripts ask for; the rest is done for these."""
NOT_TOGETHER = frozenset({"user_id", "project_id", "team_id", "agent_id"})
"""What the rollups of all people together do not tell apart."""


ANY_OF = {"kinds": "kind", "people": "user_id", "projects": "project_id"}
"""The column of what several may be chosen of."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which calls are counted; None: all."""

    user_id: UserId | None = None
    project_id: ProjectId | None = None
    team_id: TeamId | None = None
    model_id: ModelId | None = None
    provider_id: ProviderId | None = None
    agent_id: AgentId | None = None
    kind: UsageKind | None = None
    kinds: tuple[UsageKind, ...] = ()
    """Any of these; none: all."""
    people: tuple[UserId, ...] = ()
    projects: tuple[ProjectId, ...] = ()
    """Likewise."""

    def on(self, table: type[UsageDimension] | type[UsageLog]) -> list[ColumnElement[bool]]:
        """Return what rows of a table have to be."""
        found = [
            getattr(table, name.name) == value
            for name in fields(self)
            if name.name not in ANY_OF and (value := getattr(self, name.name)) is not None
        ]
        chosen = {column: getattr(self, name) for name, column in ANY_OF.items()}
        return [*found, *(getattr(table, column).in_(any_of) for column, any_of in chosen.items() if any_of)]

    @property
    def combinations_by(self) -> str | None:
        """How SQLite finds the combinations that are counted; None: it reads those of a stretch of time."""
        return next((hint for name, hint in COMBINATIONS_BY.items() if getattr(self, name)), None)

    def is_together(self, by: By | None = None) -> bool:
        """Return whether rollups of all people together answer this."""
        told_apart = {name for name in NOT_TOGETHER if getattr(self, name) is not None}
        return not (told_apart or self.people or self.projects) and (by is None or by.column not in NOT_TOGETHER)


Keys = Sequence[ColumnElement[Any]]


def totals(filters: Filters, period: Period) -> Select[Any]:
    """Return the sums of a period."""
    return _summed([one for one in _parts(filters, period, None)], ())


def ranking(
    filters: Filters,
    period: Period,
    by: By,
    most: int | None = None,
    sums: Sequence[str] = SUMS,
    pieces: Pieces | None = None,
) -> Select[Any]:
    """Return the sums of a period, for each person, model …; `most`: of so many of the most expensive.

    `sums`: which of them; `pieces`: which of its rollups and ends, where not all.
    """
    found = _summed(list(_parts(filters, period, by, sums, pieces)), ("key",), sums)
    if most is None:
        return found
    cost, requests = (found.selected_columns[name] for name in ("cost_usd", "requests"))
    return found.order_by(cost.desc(), requests.desc()).limit(most)


def of_rollups(by: By, stretch: Stretch) -> Select[Any]:
    """Return the sums of the rollups of some slots for each person, team …, and how many calls were `asked` for."""
    is_asked = UsageDimension.kind.in_(ANSWERS)
    sums = _rolled(Filters(), UsageRollup, stretch, [_key(UsageDimension, by)], SUMS)
    return sums.add_columns(func.sum(case((is_asked, UsageRollup.requests), else_=0)).label("asked"))


def waiting(period: Period, by: By, sums: Sequence[str] = SUMS) -> Select[Any]:
    """Return the sums of a period that wait for the rollups, for each person, team …"""
    return next(_called(Filters(), period, (), [_key(UsageLog, by)], sums))


def active(filters: Filters, period: Period) -> Select[int]:
    """Return how many people used anything in a period; service accounts of teams are none."""
    user = people(filters, period).subquery().c["key"]
    # rights: a number; whom it leaves out is told to nobody
    return select(func.count()).where(user.not_in(select(ServiceAccount.user_id)))


def people(filters: Filters, period: Period, pieces: Pieces | None = None) -> Select[Any]:
    """Return who used anything in a period, each once; `pieces`: as of a ranking."""
    return _summed(list(_parts(filters, period, By.USER, (), pieces)), ("key",), ())


def much(period: Period, most: int) -> Select[Any]:
    """Return whether there are more sums of combinations in a period than so many."""
    parts = [select(UsageRollup.slot).where(*within(UsageRollup, one)) for one in cut(period).stretches]
    if not parts:
        return select(literal(False))
    found = union_all(*parts).limit(most + 1).subquery()
    return select(func.count() > most).select_from(found)


def series(filters: Filters, found: Sequence[Segment], unit_s: int) -> Select[Any]:
    """Return the sums of each local hour or day: `segment`, which of those given, and `number`, since 1970."""
    parts = [part for index, one in enumerate(found) for part in _local_parts(filters, one, index, unit_s, None)]
    return _summed(parts, ("segment", "number"))


def heat(filters: Filters, found: Sequence[Segment]) -> Select[Any]:
    """Return the sums of each hour of the week; hour 0 is a Thursday's first, as 1970 began."""
    week = 168
    parts = [part for one in found for part in _local_parts(filters, one, 0, 3_600, week)]
    return _summed(parts, ("number",))


def latencies(filters: Filters, period: Period, by: By | None = None) -> Select[Any]:
    """Return how many calls took how long: `measure`, `bucket`, `calls` and what they are told apart by, `key`."""
    names = ("measure", "bucket") if by is None else ("key", "measure", "bucket")
    if filters.is_together(by):
        pieces = cut(period)
        parts = [_timed_in(filters, by, stretch) for stretch in pieces.stretches]
        called = [_of_rest(_timed(filters, by, rest), filters) for rest in pieces.rests]
        called.append(_waiting(_timed(filters, by, period)))
    else:
        parts, called = [], [_timed(filters, by, period)]
    whole = union_all(*parts, *(part for one in called for part in _by_measure(one, names))).subquery()
    columns = [whole.c[name] for name in names]
    return select(*columns, func.sum(whole.c.calls).label("calls")).group_by(*columns)


def as_sql(statement: Select[Any], dialect: Dialect) -> str:
    """Return a statement as it can be typed into the database's own shell."""
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def _parts(
    filters: Filters, period: Period, by: By | None, sums: Sequence[str] = SUMS, pieces: Pieces | None = None
) -> Iterator[Select[Any]]:
    table = UsageTotal if filters.is_together(by) else UsageRollup
    pieces = pieces or cut(period)
    of_sums, of_calls = ([] if by is None else [_key(one, by)] for one in (UsageDimension, UsageLog))
    for stretch in pieces.stretches:
        yield _rolled(filters, table, stretch, of_sums, sums)
    yield from _called(filters, period, pieces.rests, of_calls, sums)


def _key(table: type[UsageDimension] | type[UsageLog], by: By) -> ColumnElement[Any]:
    key: ColumnElement[Any] = getattr(table, by.column).label("key")
    return key


def _local_parts(
    filters: Filters, segment: Segment, index: int, unit_s: int, modulo: int | None
) -> Iterator[Select[Any]]:
    table = UsageTotal if filters.is_together() else UsageRollup
    # Whole days of UTC are whole local days only where both are the same.
    longest = Span.DAY if segment.offset_s == 0 and unit_s == SECONDS[Span.DAY] else Span.QUARTER
    pieces = cut(segment.period, longest)

    def keys(seconds: ColumnElement[int]) -> Keys:
        number = (seconds + _constant(segment.offset_s)) // _constant(unit_s)
        if modulo is not None:
            return [(number % _constant(modulo)).label("number")]
        return [_constant(index).label("segment"), number.label("number")]

    for stretch in pieces.stretches:
        # First of each slot, in the order in which they are kept: so few are left to be sorted by hours or days.
        slots = _rolled(filters, table, stretch, [table.slot.label("slot")], SUMS).subquery()
        of_slots = keys(cast(slots.c.slot, BigInteger) * _constant(SECONDS[stretch.span]))
        yield _grouped(select(*of_slots, *(func.sum(slots.c[name]).label(name) for name in SUMS)), of_slots)
    yield from _called(filters, segment.period, pieces.rests, keys(UtcSeconds(UsageLog.created_at)), SUMS)


def _rolled(
    filters: Filters, table: type[UsageTotal] | type[UsageRollup], stretch: Stretch, keys: Keys, sums: Sequence[str]
) -> Select[Any]:
    narrowed = filters.on(UsageDimension)
    query = select(*keys, *(func.sum(getattr(table, name)).label(name) for name in sums)).select_from(table)
    if narrowed or any(isinstance(key, Label) and key.name == "key" for key in keys):
        query = query.join(UsageDimension, UsageDimension.id == table.dimension_id)
    if (hint := filters.combinations_by) is not None:
        query = query.with_hint(UsageDimension, hint, "sqlite").with_hint(table, OF_A_COMBINATION, "sqlite")
    # rights: asked where the figure is asked for
    return _grouped(query.where(*within(table, stretch), *narrowed), keys)


def _called(
    filters: Filters, period: Period, rests: Sequence[Period], keys: Keys, sums: Sequence[str]
) -> Iterator[Select[Any]]:
    """Yield what rollups do not hold: calls at the ends of a period, and those that wait."""
    # rights: asked where the figure is asked for
    of_calls = dict(zip(SUMS, sums_of_calls(), strict=True))
    query = select(*keys, *(of_calls[name] for name in sums)).where(*filters.on(UsageLog))
    for rest in rests:
        yield _grouped(_of_rest(query.where(_during(rest)), filters), keys)
    yield _grouped(_waiting(query.where(_during(period))), keys)


def _of_rest(query: Select[Any], filters: Filters) -> Select[Any]:
    """Return what of calls in less than a quarter of an hour is in the rollups."""
    hint = CALLS_OF_A_PERSON if filters.user_id is not None else CALLS_BY_TIME
    return query.where(UsageLog.rolled_up_at.is_not(None)).with_hint(UsageLog, hint, "sqlite")


def _waiting(query: Select[Any]) -> Select[Any]:
    """Return what of calls waits to be rolled up: those of the last moments, of whomever."""
    return query.where(UsageLog.rolled_up_at.is_(None)).with_hint(UsageLog, CALLS_WAITING, "sqlite")


def _timed_in(filters: Filters, by: By | None, stretch: Stretch) -> Select[Any]:
    """Return how many calls of some slots took how long, from the rollups."""
    group = *([] if by is None else [_key(UsageDimension, by)]), UsageLatency.measure, UsageLatency.bucket
    query = select(*group, func.sum(UsageLatency.calls).label("calls"))
    query = query.join_from(UsageLatency, UsageDimension, UsageDimension.id == UsageLatency.dimension_id)
    return query.where(*within(UsageLatency, stretch), *filters.on(UsageDimension)).group_by(*group)


def _timed(filters: Filters, by: By | None, period: Period) -> Select[Any]:
    """Return how many calls had which two buckets of time, from the calls themselves."""
    # rights: asked where the figure is asked for
    key = [] if by is None else [_key(UsageLog, by)]
    buckets = [_bucket(measure).label(measure.name) for measure in Measure]
    query = select(*key, *buckets, func.count().label("calls"))
    return query.where(_during(period), *filters.on(UsageLog)).group_by(*key, *buckets)


def _bucket(measure: Measure) -> ColumnElement[int]:
    # Where nothing is timed there is none: not the first, which PostgreSQL takes for it.
    return case((MEASURED[measure].is_not(None), bucket_sql(MEASURED[measure])))


def _by_measure(timed: Select[Any], names: Sequence[str]) -> Iterator[Select[Any]]:
    """Yield of calls with two buckets those of each measure: so the calls are gone through once."""
    found = timed.cte()
    for measure in Measure:
        given = {"measure": _constant(measure).label("measure"), "bucket": found.c[measure.name].label("bucket")}
        columns = [given[name] if name in given else found.c[name] for name in names]
        yield select(*columns, found.c.calls).where(found.c[measure.name].is_not(None))


def _summed(parts: Sequence[Select[Any]], names: Sequence[str], sums: Sequence[str] = SUMS) -> Select[Any]:
    whole = union_all(*parts).subquery()
    columns = [whole.c[name] for name in names]
    # As whole numbers, money too: the parts of a union have one type, that of its first.
    added = [func.sum(whole.c[name], type_=BigInteger).label(name) for name in sums]
    return select(*columns, *added).group_by(*columns)


def _grouped(query: Select[Any], keys: Keys) -> Select[Any]:
    # Others than the last are the same in all rows.
    return query.group_by(keys[-1]) if keys else query


def within(table: Any, stretch: Stretch) -> tuple[ColumnElement[bool], ...]:
    """Return what rows of a table of rollups have to be to be of these slots."""
    return table.span == int(stretch.span), table.slot >= stretch.first, table.slot < stretch.last


def _during(period: Period) -> ColumnElement[bool]:
    return and_(UsageLog.created_at >= period.start, UsageLog.created_at < period.end)


def _constant(value: int) -> ColumnElement[int]:
    # No parameter: PostgreSQL groups by what is written alike.
    return literal_column(f"({int(value)})" if value < 0 else str(int(value)), Integer)
