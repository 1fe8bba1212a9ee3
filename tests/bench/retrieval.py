"""Finding passages among very many, in one project and with others in the same database."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg

from llm_ui import migrations
from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.documents.index.sqlite import PASSAGE_BITS
from llm_ui.documents.retrieve import retrieve
from llm_ui.kit.ids import ProjectId
from llm_ui.models import Role
from llm_ui.services.access import Actor
from tests.bench.figures import Line, both, percentile, ratio
from tests.bench.search import a_postgresql
from tests.conftest import make_actor
from tests.documents.seeding import VOCABULARY, a_project, copy_passages, many_passages, questions
from tests.fakes.postgresql import programs

ON_SQLITE, ON_POSTGRESQL = (100_000, 9), (50_000, 1)
"""Passages of the project, and how many other projects hold as many in the same database. PostgreSQL indexes one in
1.5 ms, SQLite in 0.2."""
ROUNDS = 40
RAW = 4
"""One question in so many is asked of the raw path too, which takes up to a second."""
BUDGET = "p95 50 ms"
ASKED = {
    "6 words": questions(ROUNDS, 6),
    "24 words": questions(ROUNDS, 24),
    "a rare word": [VOCABULARY[-number] for number in range(1, ROUNDS + 1)],
    "words that half of the passages hold": [" ".join(VOCABULARY[15:19])] * ROUNDS,
    "8,000 pasted words": questions(ROUNDS, 8_000),
}

Raw = Callable[[str], object]
"""Asks the index itself for the best eight passages of some words, with its own ranking."""


def measure(folder: Path) -> list[Line]:
    """Ask on SQLite, and on PostgreSQL where it is installed."""
    config = Config(data_dir=folder)
    lines = asyncio.run(_measure(config, *ON_SQLITE, lambda: _raw_sqlite(config)))
    try:
        programs()
    except RuntimeError:
        return lines
    with a_postgresql() as server:
        config = Config(database_url=server.url("postgres"))
        url = server.url("postgres").replace("+psycopg", "")
        return [*lines, *asyncio.run(_measure(config, *ON_POSTGRESQL, lambda: _raw_postgresql(url)))]


@contextlib.contextmanager
def _raw_sqlite(config: Config) -> Iterator[Raw]:
    with contextlib.closing(sqlite3.connect(str(config.sqlite_path))) as connection:
        query = (
            "SELECT rowid FROM search_passages WHERE search_passages MATCH ? AND rowid BETWEEN ? AND ?"
            " ORDER BY rank LIMIT 8"
        )
        rows = 1 << PASSAGE_BITS, (2 << PASSAGE_BITS) - 1
        yield lambda asked: connection.execute(query, [" OR ".join(asked.split()[:32]), *rows]).fetchall()


@contextlib.contextmanager
def _raw_postgresql(url: str) -> Iterator[Raw]:
    with psycopg.connect(url) as connection:
        query = (
            "SELECT chunk_id FROM search_passages, to_tsquery('simple', %s) asked WHERE terms @@ asked"
            " ORDER BY ts_rank(terms, asked) DESC LIMIT 8"
        )
        yield lambda asked: connection.execute(
            query, [" | ".join(f"'1:{word}'" for word in asked.split()[:32])]
        ).fetchall()


async def _measure(
    config: Config, passages: int, others: int, open_raw: Callable[[], contextlib.AbstractContextManager[Raw]]
) -> list[Line]:
    database = Database.open(config)
    try:
        await migrations.upgrade(database)
        actor = await make_actor(database, "ann", Role.USER)
        project = await a_project(database, actor)
        await many_passages(database, actor, project, passages)
        lines = await _asked(database, actor, project, open_raw, (passages, passages))
        for number in range(others):
            other = await a_project(database, actor, f"Other {number}")
            await copy_passages(database, actor, project, other)
        return [*lines, *await _asked(database, actor, project, open_raw, (passages, passages * (others + 1)))]
    finally:
        await database.close()


async def _asked(
    database: Database,
    actor: Actor,
    project: ProjectId,
    open_raw: Callable[[], contextlib.AbstractContextManager[Raw]],
    counts: tuple[int, int],
) -> list[Line]:
    """Ask all questions in so many passages of all; return a line for each kind, and one for the memory they took."""
    await database.optimize()
    where = "{:,} of {:,} passages on {}".format(*counts, database.dialect)
    before_mb = psutil.Process().memory_info().rss / 1e6
    with open_raw() as raw:
        lines = [await _line(f"{where}: {what}", database, actor, project, asked, raw) for what, asked in ASKED.items()]
    grown_mb = psutil.Process().memory_info().rss / 1e6 - before_mb
    return [*lines, (f"{where}: memory after all of these", f"+{grown_mb:.0f} MB", "", "", "flat")]


async def _line(what: str, database: Database, actor: Actor, project: ProjectId, asked: list[str], raw: Raw) -> Line:
    ours, raws = [], []
    for number, question in enumerate(asked):
        began = time.perf_counter()
        async with database.reading() as session:
            await retrieve(session, actor, project, question)
        ours.append(time.perf_counter() - began)
        if number % RAW == 0:
            began = time.perf_counter()
            raw(question)
            raws.append(time.perf_counter() - began)
    return what, both(ours), both(raws), ratio(percentile(ours, 0.5), percentile(raws, 0.5)), BUDGET
