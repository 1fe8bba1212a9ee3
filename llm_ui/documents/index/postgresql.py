"""Passages in PostgreSQL's full text (migration 0016).

Each term begins with its project's number, so the lists that a search reads are of one project alone.

`ts_rank` knows nothing of how rare a word is. Of a single word of weight 1 it is the sum of 1/j² for j from 1 to the f
times that a vector holds it, divided by π²/6 (`calc_rank_or` of PostgreSQL's tsrank.c). That sum misses π²/6 by
1 / (f + ½) or little less, which gives f back in one call, and f is all that BM25 asks for.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from llm_ui.db import ReadSession
from llm_ui.documents.index.base import K1, Asked, B, Corner, Hit, Word
from llm_ui.kit.ids import ChunkId

DIACRITICS = re.compile("[\u0300-\u036f]")
"""Migration 0016 takes the same off."""
LEAST_MISSED = 1 / 256.5
"""A vector keeps 256 places of a term at most."""

USE_INDEXES = text("SET LOCAL enable_seqscan = off")
"""To the planner looking into a vector costs nothing, so it goes through all of them: 390 ms, with the index 25."""

COUNT = text("""
    SELECT term, (SELECT count(*) FROM (
        SELECT 1 FROM search_passages WHERE terms @@ quote_literal(term)::tsquery LIMIT :most
    ) AS holding)
    FROM (
        SELECT :number || ':' || lexeme AS term, min(place) AS place
        FROM unnest(CAST(:words AS text[])) WITH ORDINALITY AS given (word, place),
            unnest(tsvector_to_array(to_tsvector('search_words', word))) AS lexeme
        GROUP BY lexeme
    ) AS asked
    ORDER BY place
""")
HOLDERS = text("""
    SELECT (
        SELECT string_agg(CAST(chunk_id AS text), ',') FROM (
            SELECT chunk_id FROM search_passages
            WHERE terms @@ quote_literal(term)::tsquery AND :is_only = (
                chunk_id IN (SELECT id FROM document_chunks WHERE document_id = ANY(CAST(:documents AS uuid[])))
            )
            LIMIT :most
        ) AS holding
    )
    FROM unnest(CAST(:terms AS text[])) WITH ORDINALITY AS asked (term, place)
    ORDER BY place
""")
SCORES = text("""
    SELECT chunk_id, sum(weight * (:k1 + 1) / (1 + :k1 * (1 - :b + :b_by_mean * tokens) / round(
        1 / greatest(pi() ^ 2 / 6 * (1 - ts_rank('{1,1,1,1}', terms, query)::float8), :least) - 0.5))) AS score
    FROM search_passages JOIN (
        SELECT weight, quote_literal(term)::tsquery AS query
        FROM unnest(CAST(:terms AS text[]), CAST(:weights AS float8[])) AS given (term, weight)
    ) AS word ON terms @@ query
    WHERE chunk_id = ANY(CAST(:passages AS bigint[]))
    GROUP BY chunk_id ORDER BY score DESC, chunk_id LIMIT :most
""")


class PostgreSQLIndex:
    """The passages in vectors of their terms, under GIN."""

    async def count(self, session: ReadSession, corner: Corner, words: Sequence[str], most: int) -> list[Word]:
        """Return the terms of the words that some passages hold, and how many."""
        folded = [DIACRITICS.sub("", unicodedata.normalize("NFD", word)) for word in words]
        await session.execute(USE_INDEXES)
        found = await session.execute(COUNT, {"number": corner.number, "words": folded, "most": most})
        return [Word(term, count) for term, count in found if count]

    async def holders(self, session: ReadSession, corner: Corner, terms: Sequence[str], most: int) -> list[str]:
        """Return for each term the passages that hold it."""
        given: dict[str, Any] = {"terms": list(terms), "documents": list(corner.documents)}
        found = await session.execute(HOLDERS, {**given, "is_only": corner.is_only, "most": most})
        return [numbers or "" for (numbers,) in found]

    async def best(
        self, session: ReadSession, corner: Corner, asked: Sequence[Asked], passages: Sequence[int], *, most: int
    ) -> list[Hit]:
        """Return the best of some passages."""
        b = B if corner.mean_tokens else 0.0
        given: dict[str, Any] = {
            "terms": [word.term for word in asked], "weights": [word.weight for word in asked],
            "passages": list(passages), "most": most, "k1": K1, "b": b, "b_by_mean": b / (corner.mean_tokens or 1),
            "least": LEAST_MISSED,
        }  # fmt: skip
        return [Hit(ChunkId(chunk_id), score) for chunk_id, score in await session.execute(SCORES, given)]
