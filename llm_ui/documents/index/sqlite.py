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

from sqlalchemy import text

from llm_ui.db import ReadSession
from llm_ui.documents.index.base import HEADING_WEIGHT, K1, Asked, Corner, Hit, Word
from llm_ui.kit.ids import ChunkId

PASSAGE_BITS = 40
"""The same number as in migration 0016."""

COUNT = text("""
    SELECT word.value,
        (SELECT count(*) FROM (
            SELECT 1 FROM search_passages
            WHERE search_passages MATCH '"' || word.value || '"' AND rowid BETWEEN :first AND :last
            LIMIT :most
        ))
    FROM json_each(:words) word
""")
HOLDERS = text("""
    SELECT (
        SELECT group_concat(number) FROM (
            SELECT rowid - :first AS number FROM search_passages
            WHERE search_passages MATCH '"' || word.value || '"' AND rowid BETWEEN :first AND :last
                AND :is_only = (rowid - :first IN (
                    SELECT id FROM document_chunks WHERE document_id IN (SELECT value FROM json_each(:documents))
                ))
            LIMIT :most
        )
    )
    FROM json_each(:words) word
""")
# The limit also keeps SQLite from merging the inner query into the outer one, where bm25() is not allowed.
SCORES = text("""
    SELECT number, sum(part) AS score FROM (
        SELECT passage.rowid - :first AS number, json_extract(word.value, '$[1]') * (:k1 + 1)
            * bm25(search_passages, :heading, 1) / bm25(search_passages, 1e12, 1e12) AS part
        FROM json_each(:asked) word CROSS JOIN search_passages passage
        WHERE search_passages MATCH '"' || json_extract(word.value, '$[0]') || '"'
            AND passage.rowid BETWEEN :first AND :last
            AND +passage.rowid - :first IN (SELECT value FROM json_each(:passages))
        LIMIT -1
    )
    GROUP BY number ORDER BY score DESC, number LIMIT :most
""")


class SQLiteIndex:
    """The passages in FTS5."""

    async def count(self, session: ReadSession, corner: Corner, words: Sequence[str], most: int) -> list[Word]:
        """Return the words that some passages hold, and how many: 0.05 µs for each of these."""
        found = await session.execute(COUNT, {**_range(corner), "words": json.dumps(words), "most": most})
        return [Word(word, count) for word, count in found if count]

    async def holders(self, session: ReadSession, corner: Corner, terms: Sequence[str], most: int) -> list[str]:
        """Return for each word the passages that hold it: 0.1 µs for each of these."""
        documents = json.dumps([document_id.hex for document_id in corner.documents])
        given = {"words": json.dumps(terms), "is_only": corner.is_only, "documents": documents, "most": most}
        return [numbers or "" for (numbers,) in await session.execute(HOLDERS, {**_range(corner), **given})]

    async def best(
        self, session: ReadSession, corner: Corner, asked: Sequence[Asked], passages: Sequence[int], *, most: int
    ) -> list[Hit]:
        """Return the best of some passages: 0.1 µs for each that holds a word, and 1.3 for each of these."""
        given = {
            "asked": json.dumps([(word.term, word.weight) for word in asked]), "passages": json.dumps(passages),
            "most": most, "k1": K1, "heading": HEADING_WEIGHT,
        }  # fmt: skip
        found = await session.execute(SCORES, {**_range(corner), **given})
        return [Hit(ChunkId(number), score) for number, score in found]


def _range(corner: Corner) -> dict[str, float | str]:
    """Return the first and the last row number of the project."""
    first = corner.number << PASSAGE_BITS
    return {"first": first, "last": first + (1 << PASSAGE_BITS) - 1}
