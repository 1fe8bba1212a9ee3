"""The passages of a project that mean what a question means: those whose vectors point where its vector points.

A project's vectors are held in memory, in a matrix that is made of the project's rows and nothing else: a passage of
another project cannot even be a candidate. All of them are compared, so nothing near is missed.
"""

import asyncio
import itertools
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, func, select

from llm_ui.db import ReadSession
from llm_ui.documents.index.base import Ranking
from llm_ui.kit.ids import ChunkId, DocumentId, ModelId, ProjectId
from llm_ui.kit.vectors import HALF
from llm_ui.models import Document, DocumentChunk, DocumentStage, PassageVector

if TYPE_CHECKING:
    from llm_ui.documents.matrix import Matrix

MAX_BYTES = 1_000_000_000
"""Of all matrices of a process; that which was asked for longest ago goes first. It is 650,000 vectors of 384."""
READ_AT_ONCE = 200
"""Documents of one read."""

_State = tuple[int, datetime | None, int]
"""How many documents have vectors, when the last one got them, and how many passages these have: some of it changes
with each document that comes, goes or is made anew."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """A question as a vector, and where those of passages are."""

    vectors: "Vectors"
    model_id: ModelId
    vector: bytes
    """As kit/vectors.py packs it."""


@dataclass
class _Held:
    """The matrix of one project, as it was last looked at."""

    matrix: "Matrix"
    made_at: dict[DocumentId, datetime | None] = field(default_factory=dict)
    """When each of its documents got its vectors."""
    state: _State | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Vectors:
    """The matrices of a process."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[ProjectId, ModelId, int], _Held] = OrderedDict()

    async def nearest(
        self, session: ReadSession, project_id: ProjectId, meaning: Meaning, *, most: int,
        documents: Collection[DocumentId] = (),
    ) -> asyncio.Task[Ranking]:  # fmt: skip
        """Begin to find the passages of a project that are nearest to a question; the task returns them, nearest first.

        From then on a thread is at it that needs no database: what is searched by words is searched meanwhile.
        Of documents alone that have vectors of all their passages; `documents` narrows to these. The caller has checked
        whose project it is.
        """
        held = await self._of(project_id, meaning)
        figures = select(func.count(), func.max(Document.embedded_at), func.coalesce(func.sum(Document.chunk_count), 0))
        count, last, passages = (await session.execute(figures.where(*_whole(project_id, meaning.model_id)))).one()
        state = count, last, passages
        if held.state != state:
            async with held.lock:
                if held.state != state:
                    await _bring_up(session, held, project_id, meaning.model_id)
                    held.state = state
            self._make_room()
        return asyncio.create_task(asyncio.to_thread(held.matrix.nearest, meaning.vector, most, documents))

    async def _of(self, project_id: ProjectId, meaning: Meaning) -> _Held:
        dimensions = len(meaning.vector) // HALF
        key = project_id, meaning.model_id, dimensions
        if key not in self._held:
            matrix = await asyncio.to_thread(_empty, dimensions)
            self._held.setdefault(key, _Held(matrix))
        self._held.move_to_end(key)
        return self._held[key]

    def _make_room(self) -> None:
        while len(self._held) > 1 and sum(held.matrix.rows.nbytes for held in self._held.values()) > MAX_BYTES:
            self._held.popitem(last=False)


def _empty(dimensions: int) -> "Matrix":
    from llm_ui.documents.matrix import Matrix  # noqa: PLC0415 - NumPy takes 100 ms and 20 MB that most never need

    return Matrix.empty(dimensions)


def _whole(project_id: ProjectId, model_id: ModelId) -> tuple[ColumnElement[bool], ...]:
    """Return the rule of documents of a project that can be found by what they mean."""
    is_made = Document.stage == DocumentStage.READY, Document.embedded_by == model_id
    return Document.project_id == project_id, *is_made


async def _bring_up(session: ReadSession, held: _Held, project_id: ProjectId, model_id: ModelId) -> None:
    """Make a matrix be as the project's rows are."""
    # rights: the caller has checked whose project it is
    whole = select(Document.id, Document.embedded_at).where(*_whole(project_id, model_id))
    now_there = {document_id: made_at for document_id, made_at in await session.execute(whole)}
    gone = [one for one, made_at in held.made_at.items() if now_there.get(one, ...) != made_at]
    if gone:
        held.matrix = await asyncio.to_thread(held.matrix.without, gone)
        held.made_at = {one: made_at for one, made_at in held.made_at.items() if one in held.matrix.spans}
    missing = iter([one for one in now_there if one not in held.matrix.spans])
    while batch := list(itertools.islice(missing, READ_AT_ONCE)):
        found = await session.execute(
            select(DocumentChunk.document_id, PassageVector.chunk_id, PassageVector.vector)
            .join(PassageVector, PassageVector.chunk_id == DocumentChunk.id)
            .where(DocumentChunk.document_id.in_(batch), PassageVector.model_id == model_id)
            .where(PassageVector.project_id == project_id, DocumentChunk.project_id == project_id)
        )
        added: dict[DocumentId, list[tuple[ChunkId, bytes]]] = {one: [] for one in batch}
        for document_id, chunk_id, vector in found:
            added[document_id].append((chunk_id, vector))
        held.matrix = await asyncio.to_thread(held.matrix.with_documents, added)
        held.made_at |= {one: now_there[one] for one in batch}
