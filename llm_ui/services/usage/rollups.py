"""Making rollups: booked calls are added to them once, the oldest first, however late they come.

The worker does it every minute. A call that is added is marked in the same transaction, and whoever reads figures
counts those without the mark one by one: no call is missing and none is counted twice at any moment.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Integer,
    MetaData,
    Select,
    SelectBase,
    Table,
    Uuid,
    and_,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    tuple_,
    union,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from llm_ui.db import Database, Session
from llm_ui.kit.clock import now
from llm_ui.kit.ids import UserId
from llm_ui.models import (
    Measure,
    RunStatus,
    Span,
    UsageDimension,
    UsageLatency,
    UsageLog,
    UsagePack,
    UsagePerson,
    UsageRollup,
    UsageSource,
    UsageSubject,
    UsageTotal,
)
from llm_ui.models.usage import Sums
from llm_ui.services.usage.buckets import bucket_sql
from llm_ui.services.usage.slots import slot_sql

LOCK = "rollups"
HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
"""What a command adds at once, while nobody works; the worker takes hours."""
MEASURED = {Measure.TTFT: UsageLog.ttft_ms, Measure.TOTAL: UsageLog.total_ms}
WHO = ("user_id", "project_id", "agent_id", "key_id", "team_id", "model_id", "provider_id", "kind")
"""What makes a combination; columns of the booked calls as well."""
WHAT = ("model_id", "provider_id", "kind")
"""What is left of it where all people are taken together."""
SUMS = tuple(Sums.__annotations__)
OF_QUARTERS = {Span.QUARTER: "quarter", Span.DAY: "day", Span.MONTH: "month"}
"""The column that says which slot of a span a quarter of an hour is in."""


def _counted(name: str, keys: Iterable[str], counts: Iterable[str]) -> Table:
    columns = [Column(each, Integer) for each in (*OF_QUARTERS.values(), *keys)]
    return Table(name, MetaData(), *columns, *(Column(each, BigInteger) for each in counts), prefixes=["TEMPORARY"])


QUARTERS = _counted("usage_added", ("dimension_id", "together_id"), SUMS)
QUARTERS.append_column(Column("user_id", Uuid()))
TIMED = _counted("usage_added_latencies", ("together_id", "measure", "bucket"), ("calls",))
"""What is just being added: only its transaction sees it."""


def sums_of_calls() -> list[ColumnElement[Any]]:
    """Return what is added up of booked calls, in the order of `SUMS`."""
    is_estimate = UsageLog.usage_source == UsageSource.ESTIMATE
    has_failed = UsageLog.status.in_((RunStatus.FAILED, RunStatus.INTERRUPTED))
    wrote = and_(UsageLog.ttft_ms.is_not(None), UsageLog.total_ms > UsageLog.ttft_ms, UsageLog.output_tokens > 0)
    writing_us = cast(func.round((UsageLog.total_ms - UsageLog.ttft_ms) * 1000), BigInteger)
    none = literal(0)
    tokens = UsageLog.input_tokens, UsageLog.cached_tokens, UsageLog.output_tokens, UsageLog.reasoning_tokens
    exact = (
        literal(1),
        case((has_failed, 1), else_=0),
        case((and_(is_estimate, ~UsageLog.is_cached), 1), else_=0),
        case((UsageLog.cost_usd.is_(None), 1), else_=0),
        *(case((UsageLog.is_cached, none), else_=one) for one in tokens),
        func.coalesce(cast(UsageLog.cost_usd, BigInteger), none),
        case((is_estimate, func.coalesce(cast(UsageLog.cost_usd, BigInteger), none)), else_=none),
        case((wrote, UsageLog.output_tokens), else_=none),
        case((wrote, writing_us), else_=none),
        case((UsageLog.is_cached, 1), else_=0),
        func.coalesce(cast(UsageLog.saved_usd, BigInteger), none),
    )
    return [func.sum(one).label(name) for name, one in zip(SUMS, exact, strict=True)]


async def roll_up(database: Database, most: int | None = None, *, at_once: timedelta = HOUR) -> int:
    """Add what waits to the rollups; return how many calls that were.

    Each transaction adds what is `at_once` from the oldest on: on SQLite others wait for it. `most` of these.
    """
    added = times = 0
    while most is None or times < most:
        async with database.writing(lock=LOCK) as session:
            found = await _roll_up_oldest(session, database.dialect, at_once)
        if found == 0:
            break
        added, times = added + found, times + 1
    return added


async def forget(session: Session) -> None:
    """Throw the rollups away: every call waits to be added anew."""
    for table in (UsagePack, UsageSubject, UsagePerson, UsageRollup, UsageTotal, UsageLatency, UsageDimension):
        await session.execute(delete(table))
    # rights: the product's own upkeep
    await session.execute(update(UsageLog).where(UsageLog.rolled_up_at.is_not(None)).values(rolled_up_at=None))


async def leave(session: Session, user_id: UserId, nobody: UserId | None) -> None:
    """Put the sums of a person under an id that is nobody's, or delete them; sums of everybody stay as they are.

    The transaction has `LOCK`.
    """
    # rights: asked by whoever deletes the account
    theirs, numbered = UsageDimension.user_id == user_id, UsageSubject.subject_id == user_id
    if nobody is not None:
        await session.execute(update(UsageDimension).where(theirs).values(user_id=nobody))
        await session.execute(update(UsageSubject).where(numbered).values(subject_id=nobody))
        await session.execute(update(UsagePerson).where(UsagePerson.user_id == user_id).values(user_id=nobody))
        return
    of_them = select(UsageDimension.id).where(theirs)
    await _unpack(session, select(UsageRollup.span, UsageRollup.slot).where(UsageRollup.dimension_id.in_(of_them)))
    await session.execute(delete(UsageSubject).where(numbered))
    await session.execute(delete(UsagePerson).where(UsagePerson.user_id == user_id))
    await session.execute(delete(UsageRollup).where(UsageRollup.dimension_id.in_(of_them)))
    await session.execute(delete(UsageDimension).where(theirs))


async def _roll_up_oldest(session: Session, dialect: str, at_once: timedelta) -> int:
    """Add what waits from the oldest call on; return how many calls that were."""
    # rights: the product's own upkeep; sums without content
    oldest = await session.scalar(select(func.min(UsageLog.created_at)).where(UsageLog.rolled_up_at.is_(None)))
    if oldest is None:
        return 0
    start = oldest.replace(minute=0, second=0, microsecond=0)
    during = and_(UsageLog.created_at >= start, UsageLog.created_at < start + at_once)
    stamp = now()
    mark = update(UsageLog).where(during, UsageLog.rolled_up_at.is_(None)).values(rolled_up_at=stamp)
    await session.execute(mark.execution_options(synchronize_session=False))
    # Its stamp, not its being without one: on PostgreSQL more may have come in since.
    taken = and_(during, UsageLog.rolled_up_at == stamp)
    await add(session, dialect, taken)
    return await session.scalar(select(func.count()).select_from(UsageLog).where(taken)) or 0


async def add(session: Session, dialect: str, taken: ColumnElement[bool]) -> None:
    """Add some booked calls, which are marked as added in the same transaction.

    They are gone through once for each table of quarters of an hour; days and months are added up of those.
    """
    await _name_combinations(session, taken)
    connection = await session.connection()
    for added in (QUARTERS, TIMED):
        await connection.run_sync(added.create)
    await session.execute(QUARTERS.insert().from_select(QUARTERS.c.keys(), _quarters(taken)))
    for measure in Measure:
        await session.execute(TIMED.insert().from_select(TIMED.c.keys(), _timed(measure, taken)))
    slots = (select(literal(int(span)), QUARTERS.c[slot]) for span, slot in OF_QUARTERS.items())
    await _unpack(session, union(*slots))
    for span, slot in OF_QUARTERS.items():
        for table, dimension in ((UsageRollup, "dimension_id"), (UsageTotal, "together_id")):
            await _add(session, dialect, table.__table__, QUARTERS, (int(span), slot), {"dimension_id": dimension})
        names = {"dimension_id": "together_id", "measure": "measure", "bucket": "bucket"}
        await _add(session, dialect, UsageLatency.__table__, TIMED, (int(span), slot), names)
    of_month = int(Span.MONTH), OF_QUARTERS[Span.MONTH]
    await _add(session, dialect, UsagePerson.__table__, QUARTERS, of_month, {"user_id": "user_id"})
    for added in (QUARTERS, TIMED):
        await connection.run_sync(added.drop)


async def _unpack(session: Session, slots: SelectBase) -> None:
    """Delete the packs of spans and slots whose sums change."""
    await session.execute(delete(UsagePack).where(tuple_(UsagePack.span, UsagePack.slot).in_(slots)))


async def _name_combinations(session: Session, taken: ColumnElement[bool]) -> None:
    """Give combinations that were never seen before a number."""
    # rights: the product's own upkeep; sums without content
    seen = select(*(getattr(UsageLog, name) for name in WHO)).where(taken).distinct().subquery()
    what = select(*(seen.c[name] for name in WHAT)).distinct().subquery()
    together = aliased(UsageDimension)
    is_sum = _is_together(together)
    missing = select(what).where(~select(together.id).where(is_sum, *_alike(together, what.c, WHAT)).exists())
    await session.execute(insert(UsageDimension).from_select(WHAT, missing))
    is_known = select(UsageDimension.id).where(_is_of(UsageDimension, seen.c)).exists()
    unknown = select(together.id, seen).join_from(seen, together, and_(is_sum, *_alike(together, seen.c, WHAT)))
    await session.execute(insert(UsageDimension).from_select(("together_id", *WHO), unknown.where(~is_known)))


def _quarters(taken: ColumnElement[bool]) -> Select[Any]:
    # rights: the product's own upkeep; sums without content
    slot = slot_sql(Span.QUARTER)
    keys = UsageDimension.id, UsageDimension.together_id
    slots = slot, func.min(slot_sql(Span.DAY)), func.min(slot_sql(Span.MONTH))
    user_id = UsageDimension.user_id
    called = select(*slots, *keys, *sums_of_calls(), user_id).join_from(
        UsageLog, UsageDimension, _is_of(UsageDimension, UsageLog)
    )
    return called.where(taken).group_by(slot, *keys, user_id)


def _timed(measure: Measure, taken: ColumnElement[bool]) -> Select[Any]:
    # rights: the product's own upkeep; sums without content
    slot, bucket = slot_sql(Span.QUARTER), bucket_sql(MEASURED[measure])
    what = [getattr(UsageLog, name) for name in WHAT]
    slots = slot.label("quarter"), func.min(slot_sql(Span.DAY)).label("day"), func.min(slot_sql(Span.MONTH))
    called = select(*slots, *what, bucket.label("bucket"), func.count().label("calls"))
    called = called.where(taken, MEASURED[measure].is_not(None)).group_by(slot, *what, bucket)
    # Counted before it is looked up what they are: that is done for far fewer rows.
    found = called.subquery()
    counted: Select[Any] = select(
        *list(found.c)[:3], UsageDimension.id, literal(int(measure)), found.c.bucket, found.c.calls
    )
    return counted.join_from(
        found, UsageDimension, and_(_is_together(UsageDimension), *_alike(UsageDimension, found.c, WHAT))
    )


def _is_of(dimension: Any, call: Any) -> ColumnElement[bool]:
    """Return whether a combination is that of a booked call."""
    return and_(dimension.user_id == call.user_id, *_alike(dimension, call, WHO[1:]))


def _is_together(dimension: Any) -> ColumnElement[bool]:
    is_it: ColumnElement[bool] = and_(dimension.user_id.is_(None), dimension.together_id.is_(None))
    return is_it


def _alike(one: Any, other: Any, names: Iterable[str]) -> list[ColumnElement[bool]]:
    return [getattr(one, name).is_not_distinct_from(getattr(other, name)) for name in names]


async def _add(
    session: Session, dialect: str, table: Any, added: Table, at: tuple[int, str], names: Mapping[str, str]
) -> None:
    """Add up what was just counted in quarters; where a row of the same key is there, add to it."""
    span, slot = at
    sums = [column.name for column in added.c if column.name in table.c and not table.c[column.name].primary_key]
    keys = [added.c[slot], *(added.c[name] for name in names.values())]
    source = select(literal(span), *keys, *(func.sum(added.c[name]) for name in sums)).group_by(*keys).order_by(*keys)
    into = sqlite.insert if dialect == "sqlite" else postgresql.insert
    statement = into(table).from_select(["span", "slot", *names, *sums], source)
    more = {name: table.c[name] + statement.excluded[name] for name in sums}
    await session.execute(statement.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=more))
