"""How well passages are found: measured on a collection of questions with judged answers.

The measures are those of trec_eval: documents in the order in
which they were found, averaged over all questions that have an answer.
"""

import asyncio
import hashlib
import math
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

from sqlalchemy import insert

from llm_ui.db import Database
from llm_ui.documents.chunk import CHUNKING, Chunking, chunks
from llm_ui.documents.retrieve import Passage, retrieve
from llm_ui.documents.vectors import Meaning
from llm_ui.kit.ids import DocumentId, ProjectId, UserId, uuid7
from llm_ui.kit.reading import Block, BlockKind, Page
from llm_ui.models import (
    Document,
    DocumentChunk,
    DocumentStage,
    Project,
    ProjectMember,
    ProjectRole,
    Role,
    Strategy,
    User,
)
from llm_ui.services.access import Actor

DEPTH = 100
"""Passages asked for: what recall@100 needs."""
BATCH = 2_000
"""Documents of one transaction."""
NAME_CHARS = 200

Meant = Callable[[Actor, ProjectId, str], Awaitable[Meaning | None]]
"""Gives a question's vector."""
Embed = Callable[[], Awaitable[None]]
"""Makes the vectors of all passages."""


Reorder = Callable[[Actor, ProjectId, str, Sequence[Passage]], Awaitable[Sequence[Passage]]]
"""Puts what was found for a question in order anew."""
RERANKED: Literal["reranked"] = "reranked"
"""The best way that there is, put in order anew."""


@dataclass(frozen=True, slots=True)
class Embedder:
    """What makes vectors."""

    embed: Embed
    meant: Meant


@dataclass(frozen=True, slots=True)
class Models:
    """What is asked beside the words."""

    embedder: Embedder | None = None
    reorder: Reorder | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """How passages are found."""

    strategy: Strategy
    meanings: Mapping[str, Meaning | None] = field(default_factory=dict)
    """Of each question, unless it is asked by words."""
    reorder: Reorder | None = None


@dataclass(frozen=True, slots=True)
class Collection:
    """Documents, questions, and which documents answer them."""

    documents: Mapping[str, tuple[str, str]]
    """Title and text."""
    questions: Mapping[str, str]
    gains: Mapping[str, Mapping[str, int]]
    """For each question that has an answer: how good documents are, from 1 on."""


def ndcg(found: Sequence[str], gains: Mapping[str, int], at: int) -> float:
    """Return the discounted cumulative gain, each gain over log2(rank + 1), as a share of the greatest possible.

    Järvelin and Kekäläinen, Cumulated gain-based evaluation of IR techniques, 2002; the discount as in trec_eval.
    """

    def cumulated(ranked: Sequence[int]) -> float:
        return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(ranked[:at], start=1))

    return cumulated([gains.get(one, 0) for one in found]) / cumulated(sorted(gains.values(), reverse=True))


def recall(found: Sequence[str], gains: Mapping[str, int], at: int) -> float:
    """Return the share of the documents that answer which are among the first."""
    return len(gains.keys() & set(found[:at])) / len(gains)


def reciprocal_rank(found: Sequence[str], gains: Mapping[str, int], at: int) -> float:
    """Return 1 over the rank of the first document that answers, 0 when it is not among the first (Voorhees 1999)."""
    return next((1 / rank for rank, one in enumerate(found[:at], start=1) if one in gains), 0.0)


@dataclass(frozen=True, slots=True)
class Exam:
    """What is asked, and what answers it."""

    questions: Mapping[str, str]
    gains: Mapping[str, Mapping[str, int]]
    """For each question that has an answer: how good each answer is, from 1 on."""
    names: Callable[[str, Sequence[Passage]], list[str]]
    """Gives what was found for a question the names that the gains go by, best first, each once."""


@dataclass(frozen=True, slots=True)
class Marks:
    """How an exam went."""

    figures: dict[str, float]
    found: dict[str, list[str]]
    """For each question the names of what was found."""


async def measure(database: Database, collection: Collection, models: Models) -> dict[str, dict[str, float]]:
    """Store the collection as a project in an empty database, ask all its questions, return the measures.

    By words alone where nothing makes vectors, and put in order anew where something does that. Raises our errors.
    """
    entries = ((name, [_page(*said)]) for name, said in collection.documents.items())
    actor, project_id, names = await stored(database, entries)
    questions = {question: collection.questions[question] for question in collection.gains}
    exam = Exam(
        questions, collection.gains, lambda _, found: list(dict.fromkeys(names[one.document_id] for one in found))
    )
    meanings: dict[str, Meaning | None] = {}
    if models.embedder is not None:
        await models.embedder.embed()
        meant = models.embedder.meant
        meanings = {question: await meant(actor, project_id, words) for question, words in questions.items()}
    ways = {one.value: Way(one, meanings) for one in (Strategy if meanings else (Strategy.LEXICAL,))}
    if models.reorder is not None:
        ways[RERANKED] = Way(Strategy.HYBRID if meanings else Strategy.LEXICAL, meanings, models.reorder)
    found: dict[str, dict[str, float]] = {}
    for name, way in ways.items():
        found[name] = (await examine(database, actor, project_id, exam, way)).figures
    return found


async def examine(
    database: Database,
    actor: Actor,
    project_id: ProjectId,
    exam: Exam,
    way: Way,
    documents: Sequence[DocumentId] = (),
) -> Marks:
    """Ask all questions of an exam, of these documents or of all, and return how well they were answered."""
    found: dict[str, list[str]] = {}
    times_s = list[float]()
    for question, words in exam.questions.items():
        meaning = None if way.strategy is Strategy.LEXICAL else way.meanings[question]
        asked = "" if way.strategy is Strategy.VECTOR else words
        began = time.perf_counter()
        async with database.reading() as session:
            passages: Sequence[Passage] = await retrieve(
                session, actor, project_id, asked, most=DEPTH, meaning=meaning, documents=documents
            )
        if way.reorder is not None:
            passages = await way.reorder(actor, project_id, words, passages)
        times_s.append(time.perf_counter() - began)
        found[question] = await asyncio.to_thread(exam.names, question, passages)
    times_s.sort()
    rankings = [(found[question], gains) for question, gains in exam.gains.items()]
    figures = {
        "ndcg@10": statistics.fmean(ndcg(found, gains, 10) for found, gains in rankings),
        "recall@10": statistics.fmean(recall(found, gains, 10) for found, gains in rankings),
        "recall@100": statistics.fmean(recall(found, gains, 100) for found, gains in rankings),
        "mrr@10": statistics.fmean(reciprocal_rank(found, gains, 10) for found, gains in rankings),
        "p50_ms": 1000 * times_s[len(times_s) // 2],
        "p95_ms": 1000 * times_s[len(times_s) * 95 // 100],
    }
    return Marks(figures, found)


async def stored(
    database: Database, documents: Iterable[tuple[str, Sequence[Page]]], chunking: Chunking = CHUNKING
) -> tuple[Actor, ProjectId, dict[DocumentId, str]]:
    """Store documents, given by name, in an empty database; return whose they are, their project and their names."""
    name = "evaluation"
    user = User(
        id=UserId(uuid7()), name=name, name_key=name, email=name, email_key=name, password_hash="", role=Role.USER
    )
    project = Project(id=ProjectId(uuid7()), owner_id=user.id, name=name)
    async with database.writing() as session:
        session.add(user)
        await session.flush()
        session.add(project)
        await session.flush()
        session.add(ProjectMember(project_id=project.id, user_id=user.id, role=ProjectRole.OWNER))
    names: dict[DocumentId, str] = {}
    entries = iter(documents)
    while batch := list(islice(entries, BATCH)):
        ids = [DocumentId(uuid7()) for _ in batch]
        names.update(zip(ids, (entry for entry, _ in batch), strict=True))
        rows = [_rows(document_id, project, *entry, chunking) for document_id, entry in zip(ids, batch, strict=True)]
        async with database.writing() as session:
            await session.execute(insert(Document), [document for document, _ in rows])
            await session.execute(insert(DocumentChunk), [passage for _, passages in rows for passage in passages])
    await database.optimize()
    return Actor(user.id, name, Role.USER), project.id, names


def _page(title: str, text: str) -> Page:
    heading = [Block(BlockKind.HEADING, title, 1)] if title.strip() else []
    paragraphs = [Block(BlockKind.TEXT, part) for part in text.split("\n\n") if part.strip()]
    return Page(1, (*heading, *paragraphs))


def _rows(
    document_id: DocumentId, project: Project, name: str, pages: Sequence[Page], chunking: Chunking
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the rows of a document and of its passages, cut as uploaded ones are."""
    cut = list(chunks(pages, chunking))
    document = {
        "id": document_id, "project_id": project.id, "user_id": project.owner_id, "name": name[:NAME_CHARS],
        "size_bytes": 0, "sha256": hashlib.sha256(document_id.bytes).hexdigest(), "chunk_count": len(cut),
        "tokens": sum(chunk.tokens for chunk in cut), "stage": DocumentStage.READY,
    }  # fmt: skip
    passages = [
        {
            "document_id": document_id, "project_id": project.id, "position": position,
            "title_path": "\n".join(chunk.title_path), "text": chunk.text, "page_from": chunk.page_from,
            "page_to": chunk.page_to, "tokens": chunk.tokens,
        }
        for position, chunk in enumerate(cut)
    ]  # fmt: skip
    return document, passages
