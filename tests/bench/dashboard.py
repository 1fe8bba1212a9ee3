"""The usage page over very many booked calls: each of its figures, beside the same sum over the calls themselves."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from llm_ui import migrations
from llm_ui.config import Config
from llm_ui.db import Database, ReadSession
from llm_ui.kit.clock import now
from llm_ui.models import UsageLog
from llm_ui.services import demo_data
from llm_ui.services.access import SYSTEM
from llm_ui.services.seed import seed
from llm_ui.services.usage import calls, figures, forecast, rollups
from llm_ui.services.usage.slots import Period
from llm_ui.services.usage.statements import By, Filters
from llm_ui.services.usage.zones import DAY, Step, midnight
from tests.bench.figures import Line, both, percentile, ratio
from tests.bench.search import a_postgresql
from tests.fakes.postgresql import programs

SCALE = int(os.environ.get("LLM_UI_BENCH_SCALE", "20"))
"""Of the made-up data: 10,000 calls each; 1,000 are the ten million that the budget is about."""
PLACE = ZoneInfo("Asia/Kathmandu")
"""A quarter of an hour off: no whole day of UTC is one of its days."""
ROUNDS = 9
BUDGET = "300 ms"

Figure = Callable[[ReadSession, Period], Awaitable[Any]]
FIGURES: dict[str, Figure] = {
    "sums": lambda session, period: figures.totals(session, SYSTEM, Filters(), period),
    "percentiles": lambda session, period: figures.times(session, SYSTEM, Filters(), period),
    "by the day": lambda session, period: figures.series(
        session, SYSTEM, Filters(), period, place=PLACE, step=Step.DAY
    ),
    "hours of the week": lambda session, period: figures.heat(session, SYSTEM, Filters(), period, PLACE),
    "ranking of people": lambda session, period: figures.ranking(session, SYSTEM, Filters(), period, By.USER),
    "ranking of models": lambda session, period: figures.ranking(session, SYSTEM, Filters(), period, By.MODEL),
    "forecast": lambda session, _: forecast.month(session, SYSTEM, Filters(), PLACE, now()),
    "a page of calls": lambda session, period: calls.find(session, SYSTEM, Filters(), period),
}


def measure(folder: Path) -> list[Line]:
    """Measure on SQLite, and on PostgreSQL where it is installed."""
    lines = asyncio.run(_measure(Config(data_dir=folder)))
    try:
        programs()
    except RuntimeError:
        return lines
    with _server() as url:
        return [*lines, *asyncio.run(_measure(Config(database_url=url)))]


@contextlib.contextmanager
def _server() -> Iterator[str]:
    with a_postgresql() as server:
        yield server.url("postgres")


async def _measure(config: Config) -> list[Line]:
    database = Database.open(config)
    try:
        await migrations.upgrade(database)
        async with database.writing(lock="seed") as session:
            await seed(session)
        made = await demo_data.make(database, SCALE)
        began = time.perf_counter()
        await rollups.roll_up(database, at_once=rollups.WEEK)
        took = time.perf_counter() - began
        await database.optimize()
        sys.stderr.write(f"{made.calls:,} calls rolled up on {database.dialect} in {took:.0f} s\n")
        end = midnight(datetime.now(UTC).date() + DAY, PLACE)
        where = f"{made.calls:,} calls on {database.dialect}"
        return [
            await _line(f"{where}, {days} days: {what}", database, figure, Period(end - days * DAY, end))
            for days in (30, 365)
            for what, figure in FIGURES.items()
        ]
    finally:
        await database.close()


async def _line(what: str, database: Database, figure: Figure, period: Period) -> Line:
    ours, raws = [], []
    during = UsageLog.created_at >= period.start, UsageLog.created_at < period.end
    raw = select(func.count(), func.sum(UsageLog.cost_usd), func.sum(UsageLog.input_tokens)).where(*during)
    for _ in range(ROUNDS):
        async with database.reading() as session:
            began = time.perf_counter()
            await figure(session, period)
            between = time.perf_counter()
            await session.execute(raw)
            raws.append(time.perf_counter() - between)
            ours.append(between - began)
    return what, both(ours), both(raws), ratio(percentile(ours, 0.5), percentile(raws, 0.5)), BUDGET
