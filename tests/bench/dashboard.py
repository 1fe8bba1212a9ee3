"""The administration over very many rows: every list and every figure, on both databases beside each other.

Rows are those of `llm-ui demo-data --scale`, and what else lists show (tests/bench/crowd.py). `LLM_UI_BENCH_SCALE` is
the scale; `LLM_UI_BENCH_DATABASES` names databases that are filled already, by address or data folder, with
spaces between: they are only read. Beside the time on the clock stands that of the processor, ours and the database's:
on a machine that is busy with other things it is what the figure itself takes.
"""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psutil
from sqlalchemy import func, select
from tabulate import tabulate

from llm_ui import migrations
from llm_ui.app.lists import LISTS
from llm_ui.config import Config
from llm_ui.db import Database, ReadSession
from llm_ui.kit.clock import now
from llm_ui.models import Team, UsageKind, UsageLog
from llm_ui.services import demo_data, listing, ratings, team_details, user_details
from llm_ui.services.access import SYSTEM
from llm_ui.services.listing import Asked
from llm_ui.services.seed import seed
from llm_ui.services.sign_in import TimeOuts
from llm_ui.services.usage import allowances, calls, figures, forecast, overview, packs
from llm_ui.services.usage.slots import Period
from llm_ui.services.usage.statements import By, Filters
from llm_ui.services.usage.zones import DAY, Step, midnight
from tests.bench import crowd
from tests.bench.figures import cpu_s, percentile
from tests.bench.search import a_postgresql
from tests.fakes.postgresql import programs

SCALE = int(os.environ.get("LLM_UI_BENCH_SCALE", "20"))
"""Of the made-up data: 10,000 calls each; 1,000 are the ten million that the aim is about."""
KEPT = os.environ.get("LLM_UI_BENCH_DATABASES", "").split()
PLACES = [ZoneInfo(name) for name in ("UTC", "America/New_York", "Asia/Kathmandu")]
"""Whole and quarter hours off: no whole day of UTC is a day in the last one."""
RANGES = {"a day": 1, "30 days": 30, "a year": 365}
ROUNDS = 5
SLOW_S = 2.0
"""What took longer is tried three times only."""
AIM = "p95 300 ms"

Work = Callable[[ReadSession], Awaitable[Any]]
Took = tuple[float, float]
"""Seconds on the clock, and of the processor."""
Found = dict[str, list[tuple[str, Sequence[Took]]]]
"""What each case of a figure took."""


def table(folder: Path) -> str:
    """Measure on SQLite, and on PostgreSQL where it is installed; return one table of both."""
    configs = [Config(database_url=one) if "://" in one else Config(data_dir=Path(one)) for one in KEPT]
    if configs:
        return _drawn([asyncio.run(_measure(config)) for config in configs])
    found = [asyncio.run(_measure(Config(data_dir=folder)))]
    try:
        programs()
    except RuntimeError:
        return _drawn(found)
    with a_postgresql() as server:
        return _drawn([*found, asyncio.run(_measure(Config(database_url=server.url("postgres"))))])


def _drawn(found: list[tuple[str, Found]]) -> str:
    names = list(dict.fromkeys(name for _, one in found for name in one))
    rows = [[name, *(_worst(one.get(name, [])) for _, one in found), AIM] for name in names]
    return tabulate(
        rows, headers=["figure, its slowest case", *(where for where, _ in found), "aim"], tablefmt="github"
    )


def _worst(cases: list[tuple[str, Sequence[Took]]]) -> str:
    """Return p95 and the processor's median of the slowest case, and which that is where there are several."""
    if not cases:
        return ""
    name, took = max(cases, key=lambda case: percentile([used_s for _, used_s in case[1]], 0.5))
    clock, used = percentile([clock_s for clock_s, _ in took], 0.95), percentile([used_s for _, used_s in took], 0.5)
    said = f"{clock * 1000:.0f} ms, processor {used * 1000:.0f} ms"
    return f"{said} ({name})" if name else said


async def _measure(config: Config) -> tuple[str, Found]:
    database = Database.open(config)
    try:
        if not KEPT:
            await _fill(database)
        async with database.reading() as session:
            many = await session.scalar(select(func.count()).select_from(UsageLog))
        found: Found = {}
        for name, case, work in [*_lists(), *_figures(), *await _pages(database)]:
            found.setdefault(name, []).append((case, await _times(database, work)))
        load = os.getloadavg()[0]
        raw = select(func.count(), func.sum(UsageLog.cost_usd), func.sum(UsageLog.input_tokens))
        found["raw path: sums over all calls"] = [("", await _times(database, lambda session: session.execute(raw)))]
        return f"{database.dialect}, {many:,} calls, load {load:.1f}", found
    finally:
        await database.close()


async def _fill(database: Database) -> None:
    await migrations.upgrade(database)
    async with database.writing(lock="seed") as session:
        await seed(session)
    began = time.perf_counter()
    made = await demo_data.make(database, SCALE)
    sys.stderr.write(f"{made.calls:,} calls made on {database.dialect} in {time.perf_counter() - began:.0f} s\n")
    await crowd.fill(database)
    # As the worker does.
    await packs.make(database)
    await database.optimize()


async def _times(database: Database, work: Work) -> list[Took]:
    took: list[Took] = []
    while len(took) < (2 if took and took[0][0] > SLOW_S else ROUNDS):
        async with database.reading() as session:
            processes = [psutil.Process()]
            if database.dialect == "postgresql":
                processes.append(psutil.Process(await session.scalar(select(func.pg_backend_pid()))))
            began, used = time.perf_counter(), cpu_s(processes)
            await work(session)
            took.append((time.perf_counter() - began, cpu_s(processes) - used))
    # The first one reads from the disk what all others find in memory.
    return took[1:]


def _lists() -> list[tuple[str, str, Work]]:
    """Return each list as it opens, its last page, each order and filter, and searches with and without hits."""
    found: list[tuple[str, str, Work]] = []
    for name, each in LISTS.items():

        def work(asked: Asked, each: Any = each) -> Work:
            return lambda session: listing.find(session, each.rows(SYSTEM, asked), asked)

        first = each.asked("")
        found += [
            (f"list of {name}: first page", "", work(first)),
            (f"list of {name}: last page", "", work(Asked(sort=first.sort, is_descending=True, page=9_999_999))),
            (f"list of {name}: search with hits", "", work(Asked("demo", sort=first.sort, is_descending=True))),
            (f"list of {name}: search without", "", work(Asked("zzyzx", sort=first.sort, is_descending=True))),
        ]
        for column in each.columns:
            if column.is_sorted and column.shown is not None:
                found.append((f"list of {name}: sorted", column.key, work(Asked(sort=column.key, is_descending=True))))
        for one in each.filters:
            for value in one.options:
                asked = Asked(filters={one.name: value}, sort=first.sort, is_descending=first.is_descending)
                found.append((f"list of {name}: filtered", f"{one.name} {value}", work(asked)))
    return found


def _figures() -> list[tuple[str, str, Work]]:
    """Return what the usage page shows, over ranges and in places."""
    found: list[tuple[str, str, Work]] = []
    for said, days in RANGES.items():
        for place in PLACES:
            end = midnight(datetime.now(UTC).astimezone(place).date() + DAY, place)
            for name, work in _charts(Period(end - days * DAY, end), place, days).items():
                found.append((f"usage, {said}: {name}", place.key, work))
    return found


def _charts(period: Period, place: ZoneInfo, days: int) -> dict[str, Work]:
    step = Step.HOUR if days == 1 else Step.DAY if days < 100 else Step.WEEK
    none = Filters()
    charts: dict[str, Work] = {
        "tiles": lambda session: figures.totals(session, SYSTEM, none, period),
        "percentiles": lambda session: figures.times(session, SYSTEM, none, period),
        "bars": lambda session: figures.series(session, SYSTEM, none, period, place=place, step=step),
        "hours of the week": lambda session: figures.heat(session, SYSTEM, none, period, place),
        "forecast": lambda session: forecast.month(session, SYSTEM, none, place, now()),
        "budgets": lambda session: allowances.of_everybody(session, SYSTEM, place, now()),
        "a page of calls": lambda session: calls.find(session, SYSTEM, none, period),
        "a late page of calls": lambda session: calls.find(session, SYSTEM, none, period, offset=99_000),
        "calls of one kind": lambda session: calls.find(session, SYSTEM, Filters(kind=UsageKind.RERANKING), period),
    }
    for by in By:
        charts[f"ranking by {by}"] = lambda session, by=by: figures.ranking(  # type: ignore[misc]
            session, SYSTEM, none, period, by, most=200
        )
    return charts


async def _pages(database: Database) -> list[tuple[str, str, Work]]:
    """Return what other pages show; of people the one who asks most."""
    month = Period(now() - 30 * DAY, now())
    async with database.reading() as session:
        most = select(UsageLog.user_id).where(UsageLog.created_at >= now() - DAY).group_by(UsageLog.user_id)
        person = await session.scalar(most.order_by(func.count().desc()).limit(1))
        team = await session.scalar(select(Team.id).order_by(Team.id).limit(1))
    if person is None or team is None:
        raise ValueError("there are no calls of the last day, or no teams")
    own, outs = Filters(user_id=person), TimeOuts.of(Config())
    return [
        ("overview", place.key, lambda session, place=place: overview.read(session, SYSTEM, place, now()))
        for place in PLACES
    ] + [
        ("quality: by model", "", lambda session: ratings.by_model(session, SYSTEM, Asked())),
        ("quality: by week", "", lambda session: ratings.by_week(session, SYSTEM, Asked())),
        ("page of a person", "", lambda session: user_details.details(session, SYSTEM, person, outs)),
        ("page of a team", "", lambda session: team_details.details(session, SYSTEM, team)),
        ("own usage: tiles", "", lambda session: figures.totals(session, SYSTEM, own, month)),
        ("own usage: percentiles", "", lambda session: figures.times(session, SYSTEM, own, month)),
        ("own usage: by model", "", lambda session: figures.ranking(session, SYSTEM, own, month, By.MODEL)),
        ("own usage: calls", "", lambda session: calls.find(session, SYSTEM, own, month)),
    ]
