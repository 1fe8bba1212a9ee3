"""Finding passages by what they mean: all vectors compared, and those of a file, beside NumPy on the same matrix.

Vectors of pure chance have no near ones; these lie around some thousand topics in 48 directions, with noise in all 384,
as those of texts do. A question is such a vector of its own.
"""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import insert, select, update

from llm_ui import migrations
from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.documents.retrieve import retrieve
from llm_ui.documents.vector_upkeep import Upkeep
from llm_ui.documents.vectors import Meaning, Vectors
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ModelId, ProjectId
from llm_ui.models import AiModel, AiProvider, Document, DocumentChunk, PassageVector, ProviderKind, Role
from llm_ui.services.access import Actor
from llm_ui.services.seed import seed
from tests.bench.figures import Line, both, ms, percentile, ratio
from tests.bench.search import a_postgresql
from tests.conftest import make_actor
from tests.documents.seeding import a_project, many_passages, questions
from tests.fakes.postgresql import programs

DIMENSIONS, DIRECTIONS, TOPICS = 384, 48, 2_000
SMALL, LARGE = 100_000, 1_000_000
ROUNDS, NEAREST = 40, 10
BUDGET = "p95 50 ms"
BATCH = 5_000

Rows = NDArray[np.float32]


def measure(folder: Path) -> list[Line]:
    """Ask on SQLite, and on PostgreSQL where it is installed."""
    lines = [line for count in (SMALL, LARGE) for line in on_sqlite(folder, count)]
    try:
        programs()
    except RuntimeError:
        return lines
    return [*lines, *(line for count in (SMALL, LARGE) for line in on_postgresql(folder, count))]


def on_sqlite(folder: Path, count: int) -> list[Line]:
    """Ask among so many passages on SQLite."""
    place = folder / f"sqlite-{count}"
    place.mkdir()
    return asyncio.run(_measure(Config(data_dir=place), count))


def on_postgresql(folder: Path, count: int) -> list[Line]:
    """Ask among so many passages on a PostgreSQL of our own; PostgreSQL indexes the words of one in 1.5 ms."""
    place = folder / f"postgresql-{count}"
    place.mkdir()
    with a_postgresql() as server:
        return asyncio.run(_measure(Config(data_dir=place, database_url=server.url("postgres")), count))


async def _measure(config: Config, count: int) -> list[Line]:
    database = Database.open(config)
    try:
        await migrations.upgrade(database)
        actor = await make_actor(database, "ann", Role.USER)
        project = await a_project(database, actor)
        await many_passages(database, actor, project, count)
        world = _World()
        model_id, matrix = await _embedded(database, project, world)
        await database.optimize()
        bench = _Bench(database, actor, project, model_id, matrix, world.some(ROUNDS))
        return await bench.lines(config.vectors_path)
    finally:
        await database.close()


class _World:
    """What there are vectors of."""

    def __init__(self) -> None:
        self._chance = np.random.default_rng(1)
        self._directions = self._chance.standard_normal((DIRECTIONS, DIMENSIONS), np.float32)
        self._topics = self._chance.standard_normal((TOPICS, DIRECTIONS), np.float32)

    def some(self, count: int) -> Rows:
        """Return the vectors of some texts, of length 1."""
        about = self._topics[self._chance.integers(0, TOPICS, count)]
        said = about + 0.6 * self._chance.standard_normal((count, DIRECTIONS), np.float32)
        rows = said @ self._directions + self._chance.standard_normal((count, DIMENSIONS), np.float32)
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


async def _embedded(database: Database, project: ProjectId, world: _World) -> tuple[ModelId, dict[int, Rows]]:
    """Give all passages vectors; return these by the ids of their first passages."""
    async with database.writing(lock="seed") as session:
        await seed(session)
        kind = ProviderKind.OPENAI
        provider = AiProvider(kind=kind, name="Bench", name_key="bench", base_url="http://127.0.0.1:9", key_hint="")
        session.add(provider)
        await session.flush()
        model = AiModel(provider_id=provider.id, name="embed", display_name="embed", makes_embeddings=True)
        session.add(model)
        await session.flush()
    async with database.reading() as session:
        chunks = list(await session.scalars(select(DocumentChunk.id).order_by(DocumentChunk.id)))
    made: dict[int, Rows] = {}
    for begin in range(0, len(chunks), BATCH):
        batch = chunks[begin : begin + BATCH]
        vectors = world.some(len(batch))
        made[batch[0]] = vectors
        rows = [
            {"chunk_id": chunk, "project_id": project, "model_id": model.id, "vector": row.tobytes()}
            for chunk, row in zip(batch, vectors.astype("<f2"), strict=True)
        ]
        async with database.writing() as session:
            await session.execute(insert(PassageVector), rows)
    async with database.writing() as session:
        await session.execute(update(Document).values(embedded_by=model.id, embedded_at=now()))
    return model.id, made


class _Bench:
    """Asks one project."""

    def __init__(
        self,
        database: Database,
        actor: Actor,
        project: ProjectId,
        model_id: ModelId,
        made: dict[int, Rows],
        asked: Rows,
    ) -> None:
        self._database, self._actor, self._project, self._model_id = database, actor, project, model_id
        self._asked = asked
        self._words = questions(ROUNDS, 6)
        self._ids = np.concatenate([np.arange(first, first + len(rows)) for first, rows in made.items()])
        self._matrix = np.concatenate(list(made.values()))
        self._where = f"{len(self._matrix):,} passages of {DIMENSIONS} numbers on {database.dialect}"

    async def lines(self, folder: Path) -> list[Line]:
        """Ask by comparing all where that is what is done, then with a file."""
        raws = [self._raw(one) for one in self._asked]
        best = [ids for _, ids in raws]
        raw_s = [took for took, _ in raws]
        lines: list[Line] = []
        if len(self._matrix) <= SMALL:
            lines += await self._in(Vectors(), "all compared", raw_s, best)
        began = time.perf_counter()
        assert await Upkeep(self._database, folder, asyncio.Event()).look() == 1
        made_s = time.perf_counter() - began
        size_mb = await asyncio.to_thread(_size_mb, folder)
        lines.append((f"{self._where}: the file is made", f"{made_s:.0f} s, {size_mb:.0f} MB", "", "", ""))
        lines += await self._in(Vectors(folder), "in the file", raw_s, best)
        by_words = [await self._once(None, None, query) for query in self._words]
        return [*lines, (f"{self._where}: by words", both(by_words), "", "", BUDGET)]

    async def _in(
        self, vectors: Vectors, how: str, raw_s: Sequence[float], best: Sequence[frozenset[int]]
    ) -> list[Line]:
        before_mb = _own_mb()
        first_s = await self._once(vectors, self._asked[0], "")
        by_meaning = [await self._once(vectors, one, "") for one in self._asked]
        by_both = [await self._once(vectors, one, query) for one, query in zip(self._asked, self._words, strict=True)]
        grown_mb = _own_mb() - before_mb
        found = [await self._nearest(vectors, one) for one in self._asked]
        recall = sum(len(one & wanted) for one, wanted in zip(found, best, strict=True)) / (NEAREST * len(best))
        where = f"{self._where}, {how}"
        slower = ratio(percentile(by_meaning, 0.5), percentile(raw_s, 0.5))
        return [
            (f"{where}: the first question", ms(first_s), "", "", ""),
            (f"{where}: by meaning", both(by_meaning), both(raw_s), slower, BUDGET),
            (f"{where}: by words and meaning", both(by_both), "", "", BUDGET),
            (f"{where}: recall@{NEAREST}", f"{recall:.3f}", "1", "", ""),
            (f"{where}: memory", f"{grown_mb:.0f} MB", f"{self._matrix.nbytes / 1e6:.0f} MB", "", "flat"),
        ]

    async def _once(self, vectors: Vectors | None, vector: Rows | None, query: str) -> float:
        meaning = None
        if vectors is not None and vector is not None:
            meaning = Meaning(vectors, self._model_id, vector.astype("<f2").tobytes())
        began = time.perf_counter()
        async with self._database.reading() as session:
            await retrieve(session, self._actor, self._project, query, meaning=meaning)
        return time.perf_counter() - began

    async def _nearest(self, vectors: Vectors, vector: Rows) -> frozenset[int]:
        meaning = Meaning(vectors, self._model_id, vector.astype("<f2").tobytes())
        async with self._database.reading() as session:
            finding = await vectors.nearest(session, self._project, meaning, most=NEAREST)
            return frozenset(hit.chunk_id for hit in (await finding.ranking(session)).hits)

    def _raw(self, question: Rows) -> tuple[float, frozenset[int]]:
        began = time.perf_counter()
        best = np.argpartition(-(self._matrix @ question), NEAREST)[:NEAREST]
        return time.perf_counter() - began, frozenset(map(int, self._ids[best]))


def _size_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.iterdir()) / 1e6


def _own_mb() -> float:
    """Return the memory of this process that is no file's: what is mapped can be thrown out and read again."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1e3
    return 0.0
