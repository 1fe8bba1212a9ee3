"""The passages of a project that mean what a question means: those whose vectors point where its vector points.

What is searched is made of the project's rows and nothing else: a passage of another project cannot even be a
candidate. Up to 100,000 passages all of them are compared, in a matrix in memory, so nothing near is missed. From there
on most are in a file (documents/graph.py) that the worker makes (documents/vector_upkeep.py) and that tells who may be
near; their rows say how near, and whether they are there. What came since the file was made is in the matrix still, so
that a new document is found at once.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from llm_ui.db import ReadSession
from llm_ui.documents import vector_files
from llm_ui.documents.index.base import Hit, Ranking
from llm_ui.documents.stored_vectors import State, compare, in_reads, read_documents, read_state, read_vectors
from llm_ui.documents.vector_files import Place, Stamp
from llm_ui.kit.ids import ChunkId, DocumentId, ModelId, ProjectId
from llm_ui.kit.vectors import HALF
from llm_ui.observability.logging import get_logger

if TYPE_CHECKING:
    from llm_ui.documents.graph import Graph
    from llm_ui.documents.matrix import Matrix

log = get_logger(__name__)

EXACT_UNTIL = 100_000
"""Passages of which all are compared: 20 ms with 384 numbers each."""
MAX_BYTES = 1_000_000_000
"""Of all matrices of a process; that which was asked for longest ago goes first. It is 650,000 vectors of 384. Of a
larger project whose file is not made yet so many are searched, and all by their words."""
SPARE, FURTHER, FURTHEST = 2, 4, 4_000
"""So many times what is asked for is looked at in a file, as its order is nearly right only; when too few of these are
still there, or of the documents that are asked for, so many times as many, until it is so many."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """A question as a vector, and where those of passages are."""

    vectors: "Vectors"
    model_id: ModelId
    vector: bytes
    """As kit/vectors.py packs it."""


@dataclass
class _Held:
    """What is searched of one project, as its rows were last looked at."""

    place: Place
    matrix: "Matrix"
    made_at: dict[DocumentId, datetime | None] = field(default_factory=dict)
    """When each document of the matrix got its vectors."""
    graph: "Graph | None" = None
    in_graph: frozenset[DocumentId] = frozenset()
    """Documents whose vectors in the file are as in their rows."""
    stamp: Stamp | None = None
    """Of the file that was last opened."""
    state: State | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def to_take_in(self, documents: Collection[DocumentId], most: int) -> frozenset[DocumentId]:
        """Return those of the documents asked for that are in the file alone; none when they have more passages."""
        if self.graph is None:
            return frozenset()
        missing = self.in_graph.intersection(documents) - self.matrix.spans.keys()
        passages = sum(self.graph.documents[one].passages for one in missing)
        return missing if passages <= most else frozenset()


@dataclass(frozen=True, slots=True)
class Finding:
    """A search that is under way in a thread."""

    _place: Place
    _meaning: Meaning
    _most: int
    _documents: Collection[DocumentId]
    _graph: "Graph | None"
    _total: asyncio.Task[tuple[Ranking, list[ChunkId]]]

    async def ranking(self, session: ReadSession) -> Ranking:
        """Return the passages that were found, nearest first. Those of a file are looked up in their rows."""
        exact, near = await self._total
        if self._graph is None:
            return exact
        scores = {hit.chunk_id: hit.score for hit in exact.hits}
        looked_at = SPARE * self._most
        while True:
            where = self._place.project_id, self._meaning.model_id
            there = await compare(session, *where, self._meaning.vector, near, self._documents)
            if len(there) >= min(self._most, self._graph.passages) or looked_at >= min(FURTHEST, self._graph.passages):
                break
            looked_at *= FURTHER
            near = await asyncio.to_thread(self._graph.nearest, self._meaning.vector, looked_at)
        hits = [Hit(chunk_id, score) for chunk_id, score in {**scores, **there}.items() if score > 0]
        return Ranking(sorted(hits, key=lambda hit: (-hit.score, hit.chunk_id))[: self._most], exact.floor)


class Vectors:
    """What a process searches. Without a folder there are no files."""

    def __init__(self, folder: Path | None = None, *, exact_until: int = EXACT_UNTIL) -> None:
        self._folder = folder
        self._exact_until = exact_until
        self._held: OrderedDict[tuple[ProjectId, ModelId, int], _Held] = OrderedDict()

    async def nearest(
        self, session: ReadSession, project_id: ProjectId, meaning: Meaning, *, most: int,
        documents: Collection[DocumentId] = (),
    ) -> Finding:  # fmt: skip
        """Begin to find the passages of a project that are nearest to a question.

        From then on a thread is at it that needs no database: what is searched by words is searched meanwhile.
        Of documents alone that have vectors of all their passages; `documents` narrows to these. The caller has checked
        whose project it is.
        """
        held = await self._of(project_id, meaning)
        state = await read_state(session, project_id, meaning.model_id)
        is_large = self._folder is not None and state.passages >= self._exact_until
        stamp = await asyncio.to_thread(vector_files.stamp, held.place) if is_large else None
        if not self._is_ready(held, state, stamp, documents):
            async with held.lock:
                if not self._is_ready(held, state, stamp, documents):
                    await self._bring_up(session, held, stamp, documents)
                    held.state = state
            self._make_room()
        graph = held.graph if _is_needed(held, documents) else None
        search = asyncio.to_thread(_search, held.matrix, graph, meaning.vector, most, documents)
        return Finding(held.place, meaning, most, documents, graph, asyncio.create_task(search))

    def _is_ready(
        self, held: _Held, state: State, stamp: Stamp | None, documents: Collection[DocumentId]
    ) -> bool:  # fmt: skip
        return (held.state, held.stamp) == (state, stamp) and not held.to_take_in(documents, self._exact_until)

    async def _of(self, project_id: ProjectId, meaning: Meaning) -> _Held:
        dimensions = len(meaning.vector) // HALF
        key = project_id, meaning.model_id, dimensions
        if key not in self._held:
            matrix = await asyncio.to_thread(_empty, dimensions)
            self._held.setdefault(key, _Held(Place(self._folder or Path(), *key), matrix))
        self._held.move_to_end(key)
        return self._held[key]

    async def _bring_up(
        self, session: ReadSession, held: _Held, stamp: Stamp | None, documents: Collection[DocumentId]
    ) -> None:
        """Make what is held be as the project's rows are, with the file of this stamp."""
        held.state = None
        if held.stamp != stamp:
            before = held.graph
            held.graph = None if stamp is None else await asyncio.to_thread(_open, held.place)
            if before is not None or held.graph is not None:
                _forget(held)
            held.stamp = stamp
        now_there = await read_documents(session, held.place.project_id, held.place.model_id)
        kept = {} if held.graph is None else held.graph.documents
        held.in_graph = frozenset(
            one for one, made in now_there.items() if one in kept and kept[one].made_at == made.at
        )  # fmt: skip
        if held.graph is not None and held.matrix.count > 2 * self._exact_until:
            _forget(held)
        await _drop(held, {one: made.at for one, made in now_there.items()})
        wanted = held.to_take_in(documents, self._exact_until) | (now_there.keys() - held.in_graph)
        missing = {one: made for one, made in now_there.items() if one in wanted and one not in held.matrix.spans}
        for batch in in_reads(missing):
            if held.matrix.count * held.matrix.rows.itemsize * held.place.dimensions > MAX_BYTES:
                log.warning("vectors.searched_in_part", project_id=held.place.project_id, searched=held.matrix.count)
                break
            added = await read_vectors(session, held.place.project_id, held.place.model_id, batch)
            held.matrix = await asyncio.to_thread(held.matrix.with_documents, added)
            held.made_at |= {one: now_there[one].at for one in batch}

    def _make_room(self) -> None:
        while len(self._held) > 1 and sum(held.matrix.rows.nbytes for held in self._held.values()) > MAX_BYTES:
            self._held.popitem(last=False)


def _empty(dimensions: int) -> "Matrix":
    from llm_ui.documents.matrix import Matrix  # noqa: PLC0415 - NumPy takes 100 ms and 20 MB that most never need

    return Matrix.empty(dimensions)


def _open(place: Place) -> "Graph | None":
    from llm_ui.documents.graph import Graph  # noqa: PLC0415 - usearch takes 60 MB that most never need

    return Graph.open(place)


def _forget(held: _Held) -> None:
    held.matrix, held.made_at = type(held.matrix).empty(held.place.dimensions), {}


async def _drop(held: _Held, now_there: dict[DocumentId, datetime | None]) -> None:
    """Take documents out of the matrix that are gone, or got other vectors."""
    gone = [one for one, made_at in held.made_at.items() if now_there.get(one, ...) != made_at]
    if gone:
        held.matrix = await asyncio.to_thread(held.matrix.without, gone)
        held.made_at = {one: made_at for one, made_at in held.made_at.items() if one in held.matrix.spans}


def _is_needed(held: _Held, documents: Collection[DocumentId]) -> bool:
    """Return whether the matrix alone does not have all that is asked for."""
    wanted = held.in_graph.intersection(documents) if documents else held.in_graph
    return not wanted <= held.matrix.spans.keys()


def _search(
    matrix: "Matrix", graph: "Graph | None", vector: bytes, most: int, documents: Collection[DocumentId]
) -> tuple[Ranking, list[ChunkId]]:
    """Return what is near in the matrix, and who may be in the file."""
    exact = matrix.nearest(vector, most, documents)
    if graph is None:
        return exact, []
    return Ranking(exact.hits, graph.floor_with(matrix)), graph.nearest(vector, SPARE * most)
