"""Searching very many messages, of which one person wrote nearly all and another one a few."""

import asyncio
import contextlib
import itertools
import random
import shutil
import sqlite3
import string
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
from sqlalchemy import insert

from llm_ui import migrations
from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.kit.clock import now
from llm_ui.models import ChatTag, Role
from llm_ui.services.access import Actor
from llm_ui.services.search import INDEXED_CHARS, Filters, search
from tests.bench.figures import Line, both, percentile, ratio
from tests.bench.seeding import add_chats
from tests.conftest import make_actor
from tests.fakes.postgresql import PostgreSQLServer, programs

ON_SQLITE, ON_POSTGRESQL = 1_000_000, 100_000
CHAT_MESSAGES = 50
FEW = 100
"""The one who wrote a few wrote one in so many."""
WORDS, BODIES, BODY_WORDS = 30_000, 10_000, 40
RARE = 20_000
"""One message in so many holds the rare word."""
TAGGED = 20
"""One chat in so many has the tag."""
ROUNDS = 15
BUDGET = "p95 100 ms"

CHANCE = random.Random(1)
VOCABULARY = [
    "the",
    "of",
    *("".join(CHANCE.choices(string.ascii_lowercase, k=CHANCE.randint(2, 9))) for _ in range(WORDS)),
]
"""Ordered by how often they are written: the n-th word one n-th as often as the first (Zipf's law)."""
SEARCHES: dict[str, tuple[str, Filters]] = {
    "a rare word": ("zanzibar", Filters()),
    "a middling word": (VOCABULARY[300], Filters()),
    "a common word": ("the", Filters()),
    "the first letter of very many words": ("t", Filters()),
    "the beginning of many words": ("th", Filters()),
    "a phrase of common words": ("the of the of", Filters()),
    "a common word, with a tag": ("the", Filters(tag="work")),
    "a common word, of the last 30 days": ("the", Filters(since=now() - timedelta(days=30))),
}


Raw = Callable[[str], object]
"""Asks the index itself for the first matches of some words, and nothing else."""


def measure(folder: Path) -> list[Line]:
    """Search on SQLite, and in fewer messages on PostgreSQL where it is installed."""
    config = Config(data_dir=folder)
    lines = asyncio.run(_measure(config, ON_SQLITE, lambda: _raw_sqlite(config)))
    try:
        programs()
    except RuntimeError:
        return lines
    with a_postgresql() as server:
        config = Config(database_url=server.url("postgres"))
        return [*lines, *asyncio.run(_measure(config, ON_POSTGRESQL, lambda: _raw_postgresql(server)))]


@contextlib.contextmanager
def a_postgresql() -> Iterator[PostgreSQLServer]:
    """Yield a server of our own that runs."""
    # Not below a folder of ours, which is closed to the account the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="llm-ui-postgresql-"))
    server = PostgreSQLServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@contextlib.contextmanager
def _raw_sqlite(config: Config) -> Iterator[Raw]:
    with contextlib.closing(sqlite3.connect(str(config.sqlite_path))) as connection:
        query = "SELECT rowid FROM search_text WHERE search_text MATCH ? LIMIT 20"
        yield lambda typed: connection.execute(query, [f"text: ({typed.replace(' ', ' AND ')}*)"]).fetchall()


@contextlib.contextmanager
def _raw_postgresql(server: PostgreSQLServer) -> Iterator[Raw]:
    with psycopg.connect(server.url("postgres").replace("+psycopg", "")) as connection:
        query = (
            f"SELECT id FROM chat_messages WHERE to_tsvector('simple', left(text, {INDEXED_CHARS}))"
            " @@ to_tsquery('simple', %s) LIMIT 20"
        )
        yield lambda typed: connection.execute(query, [f"{typed.replace(' ', ' & ')}:*"]).fetchall()


async def _measure(
    config: Config, count: int, open_raw: Callable[[], contextlib.AbstractContextManager[Raw]]
) -> list[Line]:
    database = Database.open(config)
    try:
        await migrations.upgrade(database)
        many, few = [await make_actor(database, name, Role.USER) for name in ("ann", "bob")]
        await _seed(database, few, count // FEW)
        await _seed(database, many, count - count // FEW)
        await database.optimize()
        with open_raw() as raw:
            where = f"{count:,} messages on {database.dialect}"
            return [
                await _line(f"{where}, {whose}: {what}", database, actor, search_for, raw)
                for actor, whose in ((many, "nearly all one's own"), (few, f"{count // FEW:,} one's own"))
                for what, search_for in SEARCHES.items()
            ]
    finally:
        await database.close()


async def _seed(database: Database, actor: Actor, count: int) -> None:
    chance = random.Random(count)
    often = list(itertools.accumulate(1 / rank for rank in range(1, len(VOCABULARY) + 1)))
    bodies = [" ".join(chance.choices(VOCABULARY, cum_weights=often, k=BODY_WORDS)) for _ in range(BODIES)]

    def said(number: int) -> str:
        body = bodies[chance.randrange(BODIES)]
        return f"{body} zanzibar" if number % RARE == RARE // 2 else body

    chats = await add_chats(database, actor.user_id, [CHAT_MESSAGES] * (count // CHAT_MESSAGES), said)
    async with database.writing() as session:
        await session.execute(insert(ChatTag), [{"chat_id": chat, "name": "work"} for chat in chats[::TAGGED]])


async def _line(what: str, database: Database, actor: Actor, search_for: tuple[str, Filters], raw: Raw) -> Line:
    ours, raws = [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        async with database.reading() as session:
            await search(session, actor, *search_for)
        ours.append(time.perf_counter() - began)
        began = time.perf_counter()
        raw(search_for[0])
        raws.append(time.perf_counter() - began)
    return what, both(ours), both(raws), ratio(percentile(ours, 0.5), percentile(raws, 0.5)), BUDGET
