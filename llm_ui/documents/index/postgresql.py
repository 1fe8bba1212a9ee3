"""Passages in PostgreSQL's full text (migration 0016).

Each term begins with its project's number, so the lists that a search reads are of one project alone.

`ts_rank` knows nothing of how rare a word is. Of a single word of weight 1 it is the sum of 1/j² for j from 1 to the f
times that a vector holds it, divided by π²/6 (`calc_rank_or` of PostgreSQL's tsrank.c). That sum misses π²/6 by
1 / (f + ½) or little less, which gives f back in one call, and f is all that BM25 asks for.
"""

import math
import re
import unicodedata
from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Double,
    Integer,
    Select,
    Text,
    any_,
    cast,
    column,
    func,
    literal,
    literal_column,
    select,
    table,
    union_all,
    values,
)
from sqlalchemy.dialects.postgresql import REGCONFIG, TSQUERY, TSVECTOR

from llm_ui.db import ReadSession
from llm_ui.documents.index.base import K1, Asked, B, Corner, Hit, Word
from llm_ui.kit.ids import ChunkId
from llm_ui.models import DocumentChunk

PASSAGES = table(
    "search_passages", column("chunk_id", BigInteger()), column("terms", TSVECTOR()), column("tokens", Integer())
)
ALL = math.pi**2 / 6
DIACRITICS = re.compile("[\u0300-\u036f]")
"""Migration 0016 takes the same off."""
FULL_WEIGHT: ColumnElement[str] = literal_column("'{1,1,1,1}'")
LEAST_MISSED = 1 / 256.5
"""A vector keeps 256 places of a term at most."""


class PostgreSQLIndex:
    """The passages in vectors of their terms, under GIN."""

    async def count(self, session: ReadSession, corner: Corner, words: Sequence[str]) -> list[Word]:
        """Return the words that some passages hold, and how many."""
        terms = await self._terms(session, corner, words)
        if not terms:
            return []
        counts = [select(func.count()).select_from(_holding(term).subquery()).scalar_subquery() for term in terms]
        (found,) = await session.execute(select(*counts))
        return [Word(term, count) for term, count in zip(terms, found, strict=True) if count]

    async def best(
        self, session: ReadSession, corner: Corner, asked: Sequence[Asked], *, most: int, each: int
    ) -> list[Hit]:
        """Return the best passages."""
        scored = _scored(corner, asked, each).subquery()
        score = func.sum(scored.c.score).label("score")
        best = select(scored.c.chunk_id, score).group_by(scored.c.chunk_id)
        if corner.documents is not None:
            is_among = DocumentChunk.document_id == any_(literal(list(corner.documents)))
            best = best.join(DocumentChunk, DocumentChunk.id == scored.c.chunk_id).where(is_among)
        rows = await session.execute(best.order_by(score.desc(), scored.c.chunk_id).limit(most))
        return [Hit(ChunkId(chunk), score) for chunk, score in rows]

    @staticmethod
    async def _terms(session: ReadSession, corner: Corner, words: Sequence[str]) -> list[str]:
        """Return the terms that the words are in the project's part of the index, each once."""
        folded = [DIACRITICS.sub("", unicodedata.normalize("NFD", word)) for word in words]
        given = values(column("word", Text()), name="given").data([(word,) for word in folded])
        vector = func.to_tsvector(cast("search_words", REGCONFIG), given.c.word)
        rows = await session.scalars(select(func.tsvector_to_array(vector)))
        return list(dict.fromkeys(f"{corner.number}:{lexeme}" for row in rows for lexeme in row))


def _query(term: str) -> ColumnElement[str]:
    """Return a query for a term as it is, whatever it holds."""
    quoted = term.replace("\\", "\\\\").replace("'", "''")
    return cast(literal(f"'{quoted}'"), TSQUERY)


def _holding(term: str) -> Select[tuple[int]]:
    return select(PASSAGES.c.chunk_id).where(PASSAGES.c.terms.op("@@")(_query(term)))


def _scored(corner: Corner, asked: Sequence[Asked], each: int) -> CompoundSelect[tuple[int, float]]:
    """Return a row for each word that a passage holds: the passage and the word's part of its score."""
    length = PASSAGES.c.tokens / cast(corner.mean_tokens, Double()) if corner.mean_tokens else literal(1.0)
    parts = []
    for word in asked:
        missed: ColumnElement[float] = ALL * (
            1.0 - cast(func.ts_rank(FULL_WEIGHT, PASSAGES.c.terms, _query(word.term)), Double())
        )
        times = func.round(1.0 / func.greatest(missed, LEAST_MISSED) - 0.5)
        score = word.weight * (K1 + 1) / (1.0 + K1 * (1 - B + B * length) / times)
        rows = _holding(word.term).with_only_columns(PASSAGES.c.chunk_id, score.label("score"))
        parts.append(select(rows.limit(each).subquery()))
    return union_all(*parts)
