"""How well words find passages, beside a well-known BM25 on the same passages: bm25s (Lù 2024).

It comes from packages that nothing else needs, the group `bench` of pyproject.toml: `pip install bm25s PyStemmer`. The
collection of claims is made here; another one is measured too where the environment's COLLECTION names a folder as the
BEIR benchmark has it.
"""

import asyncio
import importlib.util
import os
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select

from llm_ui import migrations
from llm_ui.cli.evaluate import load
from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.documents.evaluate import DEPTH, Collection, Models, ndcg
from llm_ui.documents.evaluate import measure as measured
from llm_ui.models import Document, DocumentChunk
from tests.bench.claims import claims
from tests.bench.figures import Line, ratio

PACKAGES = ("bm25s", "Stemmer")


def measure(folder: Path) -> list[Line]:
    """Compare nDCG@10 on each collection."""
    if any(importlib.util.find_spec(name) is None for name in PACKAGES):
        return [("words: not measured, see tests/bench/lexical.py", "", "", "", "")]
    collections = {"claims": claims()}
    if named := os.environ.get("COLLECTION"):
        collections[Path(named).name] = load(Path(named))
    lines: list[Line] = []
    for name, collection in collections.items():
        (folder / name).mkdir()
        lines += asyncio.run(_compared(folder / name, name, collection))
    return lines


async def _compared(folder: Path, name: str, collection: Collection) -> list[Line]:
    database = Database.open(Config(data_dir=folder))
    try:
        await migrations.upgrade(database)
        ours = (await measured(database, collection, Models()))["lexical"]["ndcg@10"]
        async with database.reading() as session:
            rows = await session.execute(
                select(Document.name, DocumentChunk.title_path, DocumentChunk.text)
                .join(Document, Document.id == DocumentChunk.document_id)
                .order_by(DocumentChunk.id)
            )
            passages = [(entry, f"{titles}\n{text}") for entry, titles, text in rows]
    finally:
        await database.close()
    where = f"{name}: nDCG@10 of {len(collection.gains)} questions in {len(passages):,} passages, by words"
    return [
        (f"{where}, bm25s {what}", f"{ours:.4f}", f"{theirs:.4f}", ratio(ours, theirs), "≥ 1")
        for what, theirs in _bm25s(collection, passages).items()
    ]


def _bm25s(collection: Collection, passages: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Return what bm25s reaches as it is, and with the stemmer that its documentation advises."""
    import bm25s  # noqa: PLC0415 - only where this is wanted
    import Stemmer  # noqa: PLC0415

    questions = [collection.questions[one] for one in collection.gains]
    found: dict[str, float] = {}
    stemmers: dict[str, Any] = {"as it is": None, "with a stemmer": Stemmer.Stemmer("english")}
    for what, stemmer in stemmers.items():
        how: dict[str, Any] = {"stopwords": "en", "stemmer": stemmer, "show_progress": False}
        index = bm25s.BM25()
        index.index(bm25s.tokenize([text for _, text in passages], **how), show_progress=False)
        places, _ = index.retrieve(bm25s.tokenize(questions, **how), k=min(DEPTH, len(passages)), show_progress=False)
        ranked = [list(dict.fromkeys(passages[place][0] for place in some)) for some in places]
        found[what] = statistics.fmean(
            ndcg(entries, gains, 10) for entries, gains in zip(ranked, collection.gains.values(), strict=True)
        )
    return found
