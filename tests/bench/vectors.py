"""Finding passages by what they mean: all vectors of a project compared, beside NumPy on the same matrix."""

import asyncio
import time
from pathlib import Path

import numpy as np
import psutil
from sqlalchemy import insert, select, update

from llm_ui import migrations
from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.documents.retrieve import retrieve
from llm_ui.documents.vectors import Meaning, Vectors
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ModelId, ProjectId
from llm_ui.kit.vectors import packed
from llm_ui.models import AiModel, AiProvider, Document, DocumentChunk, PassageVector, ProviderKind, Role
from llm_ui.services.access import Actor
from llm_ui.services.seed import seed
from tests.bench.figures import Line, both, ms, percentile, ratio
from tests.conftest import make_actor
from tests.documents.seeding import a_project, many_passages, questions

DIMENSIONS = 384
PASSAGES = (100_000, 400_000)
ROUNDS = 40
BUDGET = "p95 50 ms"
BATCH = 5_000


def measure(folder: Path) -> list[Line]:
    """Ask on SQLite; what is measured is in memory and the same with PostgreSQL."""
    lines: list[Line] = []
    for count in PASSAGES:
        (folder / str(count)).mkdir()
        lines += asyncio.run(_measure(folder / str(count), count))
    return lines


async def _measure(folder: Path, count: int) -> list[Line]:
    database = Database.open(Config(data_dir=folder))
    try:
        await migrations.upgrade(database)
        actor = await make_actor(database, "ann", Role.USER)
        project = await a_project(database, actor)
        await many_passages(database, actor, project, count)
        model_id = await _embedded(database, project)
        await database.optimize()
        return await _asked(database, actor, project, model_id, count)
    finally:
        await database.close()


async def _embedded(database: Database, project: ProjectId) -> ModelId:
    """Give all passages vectors."""
    chance = np.random.default_rng(1)
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
        chunks = list(await session.scalars(select(DocumentChunk.id)))
    for begin in range(0, len(chunks), BATCH):
        made = chance.standard_normal((BATCH, DIMENSIONS)).astype(np.float16)
        rows = [
            {"chunk_id": chunk, "project_id": project, "model_id": model.id, "vector": row.tobytes()}
            for chunk, row in zip(chunks[begin : begin + BATCH], made, strict=False)
        ]
        async with database.writing() as session:
            await session.execute(insert(PassageVector), rows)
    async with database.writing() as session:
        await session.execute(update(Document).values(embedded_by=model.id, embedded_at=now()))
    return model.id


async def _asked(database: Database, actor: Actor, project: ProjectId, model_id: ModelId, count: int) -> list[Line]:
    vectors, chance = Vectors(), np.random.default_rng(2)
    asked = [packed(chance.standard_normal(DIMENSIONS).tolist()) for _ in range(ROUNDS)]
    words = questions(ROUNDS, 6)
    before_mb = psutil.Process().memory_info().rss / 1e6

    async def once(vector: bytes, query: str) -> float:
        began = time.perf_counter()
        async with database.reading() as session:
            await retrieve(session, actor, project, query, meaning=Meaning(vectors, model_id, vector))
        return time.perf_counter() - began

    first_s = await once(asked[0], "")
    grown_mb = psutil.Process().memory_info().rss / 1e6 - before_mb
    by_meaning = [await once(vector, "") for vector in asked]
    by_both = [await once(vector, query) for vector, query in zip(asked, words, strict=True)]
    matrix = chance.standard_normal((count, DIMENSIONS)).astype(np.float32)
    raws = [_raw(matrix, np.frombuffer(vector, "<f2").astype(np.float32)) for vector in asked]
    where = f"{count:,} passages of {DIMENSIONS} numbers"
    slower = ratio(percentile(by_meaning, 0.5), percentile(raws, 0.5))
    return [
        (f"{where}: the first question, which reads them", ms(first_s), "", "", ""),
        (f"{where}: by meaning", both(by_meaning), both(raws), slower, BUDGET),
        (f"{where}: by words and meaning", both(by_both), "", "", BUDGET),
        (f"{where}: memory of them", f"{grown_mb:.0f} MB", f"{matrix.nbytes / 1e6:.0f} MB", "", ""),
    ]


def _raw(matrix: "np.ndarray[tuple[int, int], np.dtype[np.float32]]", question: object) -> float:
    began = time.perf_counter()
    scores = matrix @ question
    np.argpartition(scores, -100)
    return time.perf_counter() - began
