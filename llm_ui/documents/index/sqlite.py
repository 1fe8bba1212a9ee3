"""Passages in SQLite's FTS5 (migration 0016).

A project's passages have the row numbers from its own number times 2^40 on. Each search is of such a range, which
FTS5 takes into its walk through a word's list: rows of other projects are stepped over as a block, never looked at.

Its `bm25()` weighs a word by how many rows of the whole table hold it. What others wrote would decide how one's own
passages are ranked, and in a project where all passages hold a word it would still weigh much. With a field weight
beyond all bounds `bm25()` is that weight times k1 + 1, so a quotient of two calls is free of it. Of others only the
mean length of a passage is left in the score.
"""

import json
from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    column,
    func,
    literal,
    literal_column,
    select,
    table,
    text,
    union_all,
)

from llm_ui.db import ReadSession
from llm_ui.documents.index.base import HEADING_WEIGHT, K1, Asked, Corner, Hit, Word
from llm_ui.kit.ids import ChunkId
from llm_ui.models import DocumentChunk

PASSAGE_BITS = 40
"""The same number as in migration 0016."""

PASSAGES = table("search_passages", column("rowid"))
SATURATION: ColumnElement[float] = literal_column(
    f"bm25(search_passages, {HEADING_WEIGHT}, 1) / bm25(search_passages, 1e12, 1e12) * {K1 + 1}"
)


class SQLiteIndex:
    """The passages in FTS5."""

    async def count(self, session: ReadSession, corner: Corner, words: Sequence[str]) -> list[Word]:
        """Return the words that some passages hold, and how many: 0.05 µs for each of these."""
        counts = [
            select(func.count()).select_from(_holding(corner, word, number).subquery()).scalar_subquery()
            for number, word in enumerate(words)
        ]
        (found,) = await session.execute(select(*counts))
        return [Word(word, count) for word, count in zip(words, found, strict=True) if count]

    async def best(
        self, session: ReadSession, corner: Corner, asked: Sequence[Asked], *, most: int, each: int
    ) -> list[Hit]:
        """Return the best passages: 1.3 µs for each time that one holds a word, and as much again to sort them."""
        scored = _scored(corner, asked, each).subquery()
        chunk_id = (scored.c.hit - _first(corner)).label("chunk_id")
        score = func.sum(scored.c.score).label("score")
        best = select(chunk_id, score).group_by(scored.c.hit)
        if corner.documents is not None:
            names = func.json_each(json.dumps([document_id.hex for document_id in corner.documents])).table_valued(
                "value"
            )
            best = best.join(DocumentChunk, DocumentChunk.id == chunk_id).where(
                DocumentChunk.document_id.in_(select(names.c.value))
            )
        rows = await session.execute(best.order_by(score.desc(), chunk_id).limit(most))
        return [Hit(ChunkId(chunk), score) for chunk, score in rows]


def _first(corner: Corner) -> int:
    return corner.number << PASSAGE_BITS


def _holding(corner: Corner, word: str, number: int) -> Select[tuple[int]]:
    """Return the rows of the project that hold a word, which is of letters and digits."""
    match = text(f"search_passages MATCH :word_{number}").bindparams(**{f"word_{number}": f'"{word}"'})
    first = _first(corner)
    return select(PASSAGES.c.rowid).where(match, PASSAGES.c.rowid.between(first, first + (1 << PASSAGE_BITS) - 1))


def _scored(corner: Corner, asked: Sequence[Asked], each: int) -> CompoundSelect[tuple[int, float]]:
    """Return a row for each word that a row of the index holds: the row and the word's part of the score."""
    parts = []
    for number, word in enumerate(asked):
        score = literal(word.weight) * SATURATION
        rows = _holding(corner, word.term, number).with_only_columns(
            PASSAGES.c.rowid.label("hit"), score.label("score")
        )
        # The limit also keeps SQLite from merging the query into the one around it, where bm25() is not allowed.
        parts.append(select(rows.limit(each).subquery()))
    return union_all(*parts)
