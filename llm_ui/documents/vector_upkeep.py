"""Making the files in which the vectors of large projects are searched, and making them anew as documents come and go.

They follow the rows: what is there is what a look at the database says there should be. One process does it at a time.
"""

import asyncio
import contextlib
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from llm_ui.db import Database, ReadSession
from llm_ui.documents import vector_files
from llm_ui.documents.stored_vectors import (
    Large,
    Made,
    State,
    in_reads,
    list_large,
    read_dimensions,
    read_documents,
    read_vectors,
)
from llm_ui.documents.vector_files import Contents, Kept, Place, Stamp
from llm_ui.documents.vectors import EXACT_UNTIL
from llm_ui.errors import StorageFull
from llm_ui.kit.disk import is_full
from llm_ui.kit.ids import DocumentId
from llm_ui.kit.lock import held as locked
from llm_ui.observability.logging import get_logger

log = get_logger(__name__)

LOCK = "lock"
FRESH = 0.25
"""Of the passages that are compared one by one: so many may have come since a file was made. It takes 5 ms."""
GONE_S = 60.0
"""What is deleted is in a file no longer than this, and the time that one is made in: a text can be guessed from its
vector. Whoever deletes one document after the other has not a file made for each."""
MAX_HOLES = 0.25
"""With a greater part of a file gone it is made from nothing: its links were chosen among others."""


@dataclass
class Upkeep:
    """What a process does for the files of a folder."""

    database: Database
    folder: Path
    stop: asyncio.Event
    exact_until: int = EXACT_UNTIL
    gone_s: float = GONE_S
    _seen: dict[Place, tuple[Stamp | None, State]] = field(default_factory=dict)
    """Files that are as they should be."""

    async def look(self) -> int:
        """Make and remove what should be; return how many files were made. Raises our errors."""
        async with self.database.reading() as session:
            large = {
                await _place(session, self.folder, one): one for one in await list_large(session, self.exact_until)
            }
        if not large and not await asyncio.to_thread(self.folder.is_dir):
            return 0
        with contextlib.ExitStack() as stack:
            try:
                await asyncio.to_thread(self.folder.mkdir, 0o700, parents=True, exist_ok=True)
                await asyncio.to_thread(stack.enter_context, locked(self.folder / LOCK))
                await asyncio.to_thread(_remove_others, self.folder, large.keys())
                return sum([await self._keep_up(place, one) for place, one in large.items()])
            except BlockingIOError:
                # Another worker is at it.
                return 0
            except OSError as error:
                raise (StorageFull() if is_full(error) else error) from None

    async def _keep_up(self, place: Place, large: Large) -> bool:
        """Make a file if it is due; return whether it was."""
        stamp = await asyncio.to_thread(vector_files.stamp, place)
        if self._seen.get(place) == (stamp, large.state):
            return False
        contents = await asyncio.to_thread(vector_files.read, place)
        async with self.database.reading() as session:
            documents = await read_documents(session, large.project_id, large.model_id)
        change = _Change.between(contents, documents)
        if not change.gone and not change.come:
            self._seen[place] = stamp, large.state
            return False
        age_s = time.time() - stamp[1] / 1e9 if stamp else 0.0
        is_due = contents is None or change.passages > FRESH * self.exact_until or (change.gone and age_s > self.gone_s)
        return await self._make(place, change, contents) if is_due else False

    async def _make(self, place: Place, change: "_Change", before: Contents | None) -> bool:
        from llm_ui.documents import graph  # noqa: PLC0415 - usearch takes 60 MB that most never need

        began = time.monotonic()
        is_much_gone = before is None or change.holes_in(before) > MAX_HOLES * before.passages
        found = None if is_much_gone else await asyncio.to_thread(graph.opened, place, is_mapped=False)
        new = await asyncio.to_thread(graph.NewGraph, place, found)
        documents = change.come if found is not None else change.all
        if found is not None:
            await asyncio.to_thread(new.remove, change.gone)
        for batch in in_reads(documents):
            if self.stop.is_set():
                return False
            async with self.database.reading() as session:
                vectors = await read_vectors(session, place.project_id, place.model_id, batch)
            await asyncio.to_thread(new.add, vectors, {one: documents[one].at for one in batch})
        await asyncio.to_thread(new.keep)
        log.info(
            "vectors.file_made", project_id=place.project_id, documents=len(documents), gone=len(change.gone),
            is_from_nothing=found is None, took_s=round(time.monotonic() - began, 1),
        )  # fmt: skip
        return True


@dataclass(frozen=True, slots=True)
class _Change:
    """What came and went since a file was made."""

    all: Mapping[DocumentId, Made]
    come: Mapping[DocumentId, Made]
    gone: Mapping[DocumentId, Kept]

    @staticmethod
    def between(contents: Contents | None, documents: Mapping[DocumentId, Made]) -> "_Change":
        kept = {} if contents is None else contents.documents
        same = {one for one, made in documents.items() if one in kept and kept[one].made_at == made.at}
        come = {one: made for one, made in documents.items() if one not in same}
        return _Change(documents, come, {one: told for one, told in kept.items() if one not in same})

    @property
    def passages(self) -> int:
        """How many came."""
        return sum(made.passages for made in self.come.values())

    def holes_in(self, contents: Contents) -> int:
        """Return how many places of vectors are without one once what went is taken out."""
        return contents.holes + sum(kept.passages for kept in self.gone.values())


async def _place(session: ReadSession, folder: Path, large: Large) -> Place:
    dimensions = await read_dimensions(session, large.project_id, large.model_id)
    return Place(folder, large.project_id, large.model_id, dimensions)


def _remove_others(folder: Path, kept: Collection[Place]) -> None:
    """Remove files of projects that are gone, or not large any more, and of models that are not asked any more."""
    for place in vector_files.places(folder):
        if place not in kept:
            vector_files.remove(place)
            log.info("vectors.file_removed", project_id=place.project_id)


async def remove_gone(database: Database, folder: Path) -> bool:
    """Remove the files in which there is a document that was deleted, whatever it costs to make them anew.

    Return whether none is left; not while one is being made, which may have read it. Raises our errors.
    """
    with contextlib.ExitStack() as stack:
        try:
            await asyncio.to_thread(stack.enter_context, locked(folder / LOCK))
        except FileNotFoundError:
            return True
        except BlockingIOError:
            return False
        for place in await asyncio.to_thread(lambda: list(vector_files.places(folder))):
            contents = await asyncio.to_thread(vector_files.read, place)
            async with database.reading() as session:
                there = await read_documents(session, place.project_id, place.model_id)
            if contents is None or not contents.documents.keys() <= there.keys():
                await asyncio.to_thread(vector_files.remove, place)
    return True
