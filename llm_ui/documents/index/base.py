"""What an index of passages can do, and the part of the ranking that both have in common.

A passage's score is Okapi BM25: for each word of the question the word's weight in this project,
`ln(1 + (N - n + 0.5) / (n + 0.5))` where n of its N passages hold it, times
`f (k1 + 1) / (f + k1 (1 - b + b L / mean L))` where the passage holds it f times and is L words long
(Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, 2009, §3.4; the weight as Lucene's
BM25Similarity has it, which is never negative).
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import BigInteger, Uuid, column, select, table

from llm_ui.db import ReadSession
from llm_ui.kit.ids import ChunkId, DocumentId, ProjectId

K1, B = 1.2, 0.75
"""FTS5 has these built in (https://www.sqlite.org/fts5.html §5.1.1); PostgreSQL gets the same."""
HEADING_WEIGHT = 2
"""A word in a heading counts as often. Migration 0016 writes headings so often into PostgreSQL's vectors."""

PROJECTS = table("search_projects", column("number", BigInteger()), column("project_id", Uuid()))


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a question, as the index knows it, and in how many passages of the project it is."""

    term: str
    passages: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A word to search for and its weight."""

    term: str
    weight: float


@dataclass(frozen=True, slots=True)
class Corner:
    """The part of an index that is searched: one project."""

    number: int
    """The project's, in the index."""
    mean_tokens: float
    """Of a passage; 0 when nobody knows."""
    documents: Sequence[DocumentId] = ()
    """Those that are left out, or the only ones that are not."""
    is_only: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that holds some of the words."""

    chunk_id: ChunkId
    score: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """Passages in the order of one way to find them, best first."""

    hits: Sequence[Hit]
    floor: float = 0.0
    """What has a lower score barely matches."""


class PassageIndex(Protocol):
    """An index of passages. Whatever it is asked, it looks at one project's part only."""

    async def count(self, session: ReadSession, corner: Corner, words: Sequence[str], most: int) -> list[Word]:
        """Return the words that some passages hold, and how many; above `most` not how many more."""
        ...

    async def holders(self, session: ReadSession, corner: Corner, terms: Sequence[str], most: int) -> list[str]:
        """Return for each word the numbers of the passages that hold it, `most` at most, with commas between."""
        ...

    async def best(
        self, session: ReadSession, corner: Corner, asked: Sequence[Asked], passages: Sequence[int], *, most: int
    ) -> list[Hit]:
        """Return the best of the passages with these numbers, best first."""
        ...


def weight(passages: int, holding: int) -> float:
    """Return the weight of a word that so many of a project's passages hold."""
    return math.log(1 + (passages - holding + 0.5) / (holding + 0.5))


def rarest(held: Sequence[Word], times: int) -> list[Word]:
    """Return as many of the words, which come rarest first, as passages hold so many times; at least one."""
    sums = itertools.accumulate(word.passages for word in held)
    return [word for word, total in zip(held, sums, strict=True) if total <= times] or list(held[:1])


async def number_of(session: ReadSession, project_id: ProjectId) -> int | None:
    """Return the number of a project in the index, None when it holds nothing of it."""
    found: int | None = await session.scalar(select(PROJECTS.c.number).where(PROJECTS.c.project_id == project_id))
    return found
