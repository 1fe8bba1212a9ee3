"""Making rollups: booked calls are added to them once, the oldest first, however late they come.

The worker does it every minute. A call that is added is marked in the same transaction, and whoever reads figures
counts those without the mark one by one: no call is missing and none is counted twice at any moment.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, case, cast, delete, func, insert, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite

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
    UsageRollup,
    UsageSource,
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
    for table in (UsageRollup, UsageTotal, UsageLatency, UsageDimension):
        await session.execute(delete(table))
    # rights: the product's own upkeep
    await session.execute(update(UsageLog).where(UsageLog.rolled_up_at.is_not(None)).values(rolled_up_at=None))


async def leave(session: Session, user_id: UserId, nobody: UserId | None) -> None:
    """Put the sums of a person under an id that is nobody's, or delete them; sums of everybody stay as they are."""
    # rights: asked by whoever deletes the account
    theirs = UsageDimension.user_id == user_id
    if nobody is not None:
        await session.execute(update(UsageDimension).where(theirs).values(user_id=nobody))
        return
    of_them = select(UsageDimension.id).where(theirs)
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
    await _name_combinations(session, taken)
    for span in Span:
        await _add_sums(session, dialect, span, taken)
        for measure in Measure:
            await _add_latencies(session, dialect, span, measure, taken)
    return await session.scalar(select(func.count()).select_from(UsageLog).where(taken)) or 0


async def _name_combinations(session: Session, taken: ColumnElement[bool]) -> None:
    """Give combinations that were never seen before a number."""
    # rights: the product's own upkeep; sums without content
    columns = [getattr(UsageLog, name) for name in WHO]
    unknown = select(*columns).where(taken, ~select(UsageDimension.id).where(_is_of()).exists()).distinct()
    for row in (await session.execute(unknown)).all():
        named = row._asdict()
        what = {name: named[name] for name in WHAT}
        is_it = [getattr(UsageDimension, name).is_not_distinct_from(value) for name, value in what.items()]
        together = await session.scalar(select(UsageDimension.id).where(UsageDimension.together_id.is_(None), *is_it))
        if together is None:
            made = insert(UsageDimension).values(**what).returning(UsageDimension.id)
            together = await session.scalar(made)
        await session.execute(insert(UsageDimension).values(together_id=together, **named))


async def _add_sums(session: Session, dialect: str, span: Span, taken: ColumnElement[bool]) -> None:
    for table, dimension in ((UsageRollup, UsageDimension.id), (UsageTotal, UsageDimension.together_id)):
        slot = slot_sql(span)
        source = (
            select(*sums_of_calls(), literal(int(span)), slot, dimension)
            .join_from(UsageLog, UsageDimension, _is_of())
            .where(taken)
            .group_by(slot, dimension)
        )
        names = [*SUMS, "span", "slot", "dimension_id"]
        await _add(session, dialect, table.__table__, names, source, SUMS)


async def _add_latencies(
    session: Session, dialect: str, span: Span, measure: Measure, taken: ColumnElement[bool]
) -> None:
    slot, bucket = slot_sql(span), bucket_sql(MEASURED[measure])
    dimension = UsageDimension.together_id
    source = (
        select(func.count(), literal(int(span)), slot, dimension, literal(int(measure)), bucket)
        .join_from(UsageLog, UsageDimension, _is_of())
        .where(taken, MEASURED[measure].is_not(None))
        .group_by(slot, dimension, bucket)
    )
    names = ["calls", "span", "slot", "dimension_id", "measure", "bucket"]
    await _add(session, dialect, UsageLatency.__table__, names, source, ("calls",))


def _is_of() -> ColumnElement[bool]:
    """Return whether a combination is that of a booked call."""
    others = [getattr(UsageDimension, name).is_not_distinct_from(getattr(UsageLog, name)) for name in WHO[1:]]
    return and_(UsageDimension.user_id == UsageLog.user_id, *others)


async def _add(session: Session, dialect: str, table: Any, names: list[str], source: Any, added: Iterable[str]) -> None:
    """Insert rows; where one of the same key is there, add to it."""
    into = sqlite.insert if dialect == "sqlite" else postgresql.insert
    statement = into(table).from_select(names, source)
    sums = {name: table.c[name] + statement.excluded[name] for name in added}
    await session.execute(statement.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=sums))
