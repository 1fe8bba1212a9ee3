"""The nearest of very many vectors without comparing all: usearch's HNSW graph, mapped into memory from its file.

Its numbers are bytes, a quarter of what a float takes: good enough to tell who may be near. How near they are is told
by their rows (documents/stored_vectors.py), which also say whether they are still there.
HNSW: Malkov and Yashunin, Efficient and robust approximate nearest neighbor search using Hierarchical Navigable Small
World graphs, 2018 (arXiv:1603.09320).
"""

import os
import secrets
import threading
import zlib
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from usearch.index import Index

from llm_ui.documents import vector_files
from llm_ui.documents.matrix import Matrix, floor
from llm_ui.documents.vector_files import GRAPH, Contents, Kept, Place
from llm_ui.kit.ids import ChunkId, DocumentId
from llm_ui.kit.vectors import HALF

LINKS, ADDING = 16, 64
"""Neighbours of a vector, and how many are looked at when it comes (M and efConstruction). With twice as many looked at
it takes two to three times as long to make and finds 0.1 % more of the ten nearest of 20,000."""
LOOKED_AT = 200
"""At least, when it is searched (ef)."""
LARGEST = 127.0
"""What a number of 1 is stored as."""
FILLER = 1 << 62
"""Ids from here on are no passages: they take the places of those that are gone, so that nothing is left of them."""
PIECE_BYTES = 2**22

Vectors = Sequence[tuple[ChunkId, bytes]]
"""Of the passages of one document."""


class Graph:
    """A file of vectors, as it is now. It is mapped: what is not looked at takes no memory."""

    def __init__(self, index: Index, contents: Contents) -> None:
        self._index = index
        self._lock = threading.Lock()
        self.documents = contents.documents
        self.passages = contents.passages
        self._total: NDArray[np.float32] = np.array(contents.total, np.float32)

    @staticmethod
    def open(place: Place) -> "Graph | None":
        """Map the file that is there; None, and it is gone, when it is damaged. Not for an event loop."""
        found = opened(place, is_mapped=True)
        return None if found is None else Graph(*found)

    def nearest(self, vector: bytes, most: int) -> list[ChunkId]:
        """Return passages that are near, some that are gone among them, nearest first."""
        question = np.frombuffer(vector, "<f2").astype(np.float32)
        # One search of an index writes where another one writes.
        with self._lock:
            return [ChunkId(int(key)) for key in self._index.search(question, most, threads=1).keys]

    def floor_with(self, matrix: Matrix) -> float:
        """Return the cosine under which a passage of either barely matches. What is gone from the rows counts still."""
        return floor(self._total + matrix.total, self.passages + matrix.there)


def opened(place: Place, *, is_mapped: bool) -> tuple[Index, Contents] | None:
    """Return what is at a place; None, and it is gone, when it is damaged or another version's."""
    stamp = vector_files.stamp(place)
    contents = vector_files.read(place)
    # To search one that is damaged could end the process.
    if contents is not None and _is_whole(place.folder / contents.graph, contents):
        index = _empty(place.dimensions)
        with suppress(OSError, RuntimeError):
            (index.view if is_mapped else index.load)(place.folder / contents.graph)
            index.expansion_add, index.expansion_search = ADDING, LOOKED_AT
            return index, contents
    # Unless another one has just taken its place.
    if vector_files.stamp(place) == stamp:
        vector_files.remove(place)
    return None


def _empty(dimensions: int) -> Index:
    return Index(
        ndim=dimensions, metric="cos", dtype="i8", connectivity=LINKS, expansion_add=ADDING, expansion_search=LOOKED_AT
    )


def _is_whole(path: Path, contents: Contents) -> bool:
    try:
        return path.stat().st_size == contents.size_bytes and _checksum(path) == contents.checksum
    except OSError:
        return False


def _checksum(path: Path) -> int:
    checksum = 0
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            checksum = zlib.crc32(piece, checksum)
    return checksum


class NewGraph:
    """A file that is being made: from nothing, or from the one that is there. All of it blocks, and takes long."""

    def __init__(self, place: Place, before: tuple[Index, Contents] | None = None) -> None:
        place.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._place = place
        self._threads = max(1, (os.cpu_count() or 1) // 2)
        self._documents: dict[DocumentId, Kept] = {}
        self._total: NDArray[np.float64] = np.zeros(place.dimensions)
        self._holes = 0
        self._index = _empty(place.dimensions) if before is None else before[0]
        if before is not None:
            self._documents.update(before[1].documents)
            self._total, self._holes = np.array(before[1].total), before[1].holes

    def remove(self, gone: Collection[DocumentId]) -> None:
        """Take out documents; what comes later takes their places."""
        for document_id in gone:
            for first, last in self._documents.pop(document_id).spans:
                keys = np.arange(first, last + 1, dtype=np.uint64)
                # One that is not there is of no length.
                keys = keys[self._index.contains(keys)]
                self._total -= np.asarray(self._index.get(keys), np.float64).sum(0) / LARGEST if len(keys) else 0.0
                self._index.remove(keys, threads=self._threads)
                self._holes += len(keys)

    def add(self, documents: Mapping[DocumentId, Vectors], made_at: Mapping[DocumentId, datetime | None]) -> None:
        """Take in documents; vectors of another length are not this model's."""
        fitting = [one for found in documents.values() for one in found if len(one[1]) == self._place.dimensions * HALF]
        for document_id, found in documents.items():
            spans = vector_files.spans_of([chunk for chunk, _ in found])
            self._documents[document_id] = Kept(made_at[document_id], spans)
        if not fitting:
            return
        rows = np.frombuffer(b"".join(vector for _, vector in fitting), "<f2").astype(np.float32)
        rows = rows.reshape(len(fitting), self._place.dimensions)
        self._total += rows.sum(0, dtype=np.float64)
        self._holes = max(0, self._holes - len(fitting))
        self._index.add(np.array([chunk for chunk, _ in fitting], np.uint64), rows, threads=self._threads)

    def keep(self) -> None:
        """Put the file in its place. Raises `OSError`."""
        self._overwrite()
        name = f"{self._place.name}.{secrets.token_hex(8)}{GRAPH}"
        path = self._place.folder / name
        path.touch(0o600)
        self._index.save(path)
        with path.open("rb+") as file:
            os.fsync(file.fileno())
        size_bytes, checksum = path.stat().st_size, _checksum(path)
        contents = Contents(name, size_bytes, checksum, tuple(self._total.tolist()), self._holes, self._documents)
        vector_files.write(self._place, contents)

    def _overwrite(self) -> None:
        """Write chance over what is left of vectors that were taken out: a text can be guessed from its vector."""
        if not self._holes:
            return
        keys = np.arange(FILLER, FILLER + self._holes, dtype=np.uint64)
        rows = np.random.default_rng().standard_normal((self._holes, self._place.dimensions), np.float32)
        self._index.add(keys, rows, threads=self._threads)
        self._index.remove(keys, threads=self._threads)
