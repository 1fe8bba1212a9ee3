"""The files in which the vectors of large projects are searched: one for a project and a model, made from their rows.

Each is two. One holds the vectors and what links them (documents/graph.py), under a name that is never used again. The
other, its list, names that one and tells what is in it; it is put in its place last, so whoever reads it finds a file
that is whole. Both can be lost: they are made anew from the rows, and no backup holds them.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from llm_ui.kit.file_store import sync
from llm_ui.kit.ids import ChunkId, DocumentId, ModelId, ProjectId

LIST, GRAPH, PARTIAL = ".json", ".usearch", ".partial"
NAME = re.compile(r"([0-9a-f]{32})-([0-9a-f]{32})-(\d{1,5})")

Stamp = tuple[int, int]
"""Of a list on the disk: another one has another."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the vectors of a project by a model are."""

    folder: Path
    project_id: ProjectId
    model_id: ModelId
    dimensions: int

    @property
    def name(self) -> str:
        """What the names of its files begin with."""
        return f"{self.project_id.hex}-{self.model_id.hex}-{self.dimensions}"

    @property
    def contents(self) -> Path:
        """The file that tells what is there."""
        return self.folder / f"{self.name}{LIST}"


@dataclass(frozen=True, slots=True)
class Kept:
    """A document whose vectors are in a file."""

    made_at: datetime | None
    """When it got them."""
    spans: tuple[tuple[int, int], ...]
    """The first and the last id of passages that follow on each other; mostly there is one such span."""

    @property
    def passages(self) -> int:
        """How many it has."""
        return sum(last - first + 1 for first, last in self.spans)


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a file."""

    graph: str
    """The name of the file that holds the vectors."""
    size_bytes: int
    checksum: int
    """Its CRC-32."""
    total: tuple[float, ...]
    """The sum of its vectors."""
    holes: int
    """Places of vectors that are gone."""
    documents: Mapping[DocumentId, Kept]

    @property
    def passages(self) -> int:
        """How many it holds."""
        return sum(kept.passages for kept in self.documents.values())


def spans_of(chunks: list[ChunkId]) -> tuple[tuple[int, int], ...]:
    """Return the spans of ids that follow on each other."""
    spans: list[tuple[int, int]] = []
    for chunk in sorted(chunks):
        if spans and chunk == spans[-1][1] + 1:
            spans[-1] = spans[-1][0], chunk
        else:
            spans.append((chunk, chunk))
    return tuple(spans)


def stamp(place: Place) -> Stamp | None:
    """Return the stamp of the list that is there, None when there is none."""
    try:
        found = place.contents.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def read(place: Place) -> Contents | None:
    """Return what is there; None when nothing is, or none that can be read."""
    try:
        told = json.loads(place.contents.read_text())
        documents = {
            DocumentId(UUID(name)): Kept(
                made_at and datetime.fromisoformat(made_at), tuple((int(first), int(last)) for first, last in spans)
            )
            for name, (made_at, spans) in told["documents"].items()
        }
        name = str(told["graph"])
        total = tuple(map(float, told["total"]))
        if not name.startswith(place.name) or Path(name).name != name or len(total) != place.dimensions:
            return None
        return Contents(name, int(told["size_bytes"]), int(told["checksum"]), total, int(told["holes"]), documents)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(place: Place, contents: Contents) -> None:
    """Have this be what is there, and remove what was there before. Raises `OSError`."""
    told = {
        "graph": contents.graph,
        "size_bytes": contents.size_bytes,
        "checksum": contents.checksum,
        "total": contents.total,
        "holes": contents.holes,
        "documents": {
            one.hex: (kept.made_at and kept.made_at.isoformat(), kept.spans) for one, kept in contents.documents.items()
        },
    }
    partial = place.folder / f"{place.name}{PARTIAL}"
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(told, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(place.contents)
    sync(place.folder)
    for other in place.folder.glob(f"{place.name}.*"):
        # Who has it open goes on reading it until the new one is asked for.
        if other.name not in (place.contents.name, contents.graph):
            other.unlink(missing_ok=True)


def remove(place: Place) -> None:
    """Remove what is there, its list first."""
    place.contents.unlink(missing_ok=True)
    for path in place.folder.glob(f"{place.name}.*"):
        path.unlink(missing_ok=True)


def places(folder: Path) -> Iterator[Place]:
    """Yield the places at which there is something, whole or not."""
    names = {path.name.partition(".")[0] for path in folder.glob("*.*")}
    for name in sorted(names):
        if found := NAME.fullmatch(name):
            project, model, dimensions = found.groups()
            yield Place(folder, ProjectId(UUID(project)), ModelId(UUID(model)), int(dimensions))
