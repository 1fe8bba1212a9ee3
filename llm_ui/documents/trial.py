"""How well a project's test set is answered: with its passages as they are, and cut otherwise on trial.

A trial stores the documents, cut anew, in a database of its own that is deleted afterwards: what is indexed stays.
"""

import asyncio
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from llm_ui.bootstrap import open_database
from llm_ui.config import load_config
from llm_ui.db import Database
from llm_ui.documents.chunk import Chunking
from llm_ui.documents.evaluate import Exam, Marks, Way, examine, stored
from llm_ui.documents.retrieve import Passage
from llm_ui.kit.ids import DocumentId
from llm_ui.kit.reading import Block, Page
from llm_ui.models import Cutting, Strategy
from llm_ui.services.access import Actor
from llm_ui.services.cutting import CuttingInfo
from llm_ui.services.documents import read_pages
from llm_ui.services.retrieval import Case

WORD = re.compile(r"\w+")
RUN = 3
"""Words in a row by which passages are compared."""
SHARED = 0.5
"""So much of the shorter of two passages stands in the other one where they say the same."""
MOST_PAGES = 500
"""Of all documents of a trial: a million and a half characters, cut, stored and asked a hundred questions in some ten
seconds of a small machine."""
PAGES_AT_ONCE = 50


class Said:
    """What a passage says, to be compared."""

    def __init__(self, text: str) -> None:
        self._words = WORD.findall(text.casefold())
        self._runs = set(zip(*(self._words[start:] for start in range(RUN)), strict=False))

    def covers(self, wanted: "Said") -> bool:
        """Return whether it is what is wanted, or a part of it, or has it within; nothing wanted is in all."""
        if not self._runs or not wanted._runs:
            return f" {' '.join(wanted._words)} " in f" {' '.join(self._words)} " or not wanted._words
        return len(self._runs & wanted._runs) >= SHARED * min(len(self._runs), len(wanted._runs))


def exam_of(cases: Sequence[Case]) -> Exam:
    """Return the exam that the cases of a test set are.

    A passage that holds several counts as each of them; of passages that hold the same one the first counts.
    """
    of_question: dict[str, list[tuple[Case, Said]]] = {}
    for case in cases:
        of_question.setdefault(case.question, []).append((case, Said(case.passage)))

    def names(question: str, found: Sequence[Passage]) -> list[str]:
        given: dict[str, None] = {}
        for place, passage in enumerate(found):
            said = Said(passage.text)
            held = [
                str(case.id)
                for case, wanted in of_question[question]
                if case.document_id == passage.document_id and said.covers(wanted)
            ]
            given |= dict.fromkeys(held or [f"at {place}"])
        return list(given)

    gains = {
        question: {str(case.id): 1 for case, _ in asked if case.is_wanted}
        for question, asked in of_question.items()
        if any(case.is_wanted for case, _ in asked)
    }
    return Exam({question: question for question in of_question}, gains, names)


@dataclass(frozen=True, slots=True)
class Sample:
    """Documents of a trial."""

    pages: Mapping[DocumentId, Sequence[Page]]
    is_all: bool
    """Whether these are all of the project."""


async def sample(
    database: Database, actor: Actor, ready: Sequence[tuple[DocumentId, int]], cases: Sequence[Case]
) -> Sample:
    """Return the documents that are tried: those of the cases first, as many as fit."""
    asked_for = {case.document_id for case in cases}
    pages: dict[DocumentId, Sequence[Page]] = {}
    left = MOST_PAGES
    for document_id, count in sorted(ready, key=lambda one: one[0] not in asked_for):
        if count <= left:
            pages[document_id] = await _pages(database, actor, document_id)
            left -= count
    return Sample(pages, len(pages) == len(ready))


async def _pages(database: Database, actor: Actor, document_id: DocumentId) -> list[Page]:
    pages: list[Page] = []
    while True:
        after = pages[-1].number if pages else 0
        async with database.reading() as session:
            found = await read_pages(session, actor, document_id, most=PAGES_AT_ONCE, after=after)
        pages += [Page(number, tuple(map(Block.of, blocks))) for number, blocks in found]
        if len(found) < PAGES_AT_ONCE:
            return pages


def tried(documents: Sample, cutting: CuttingInfo, exam: Exam) -> Marks:
    """Return how the exam goes by words with the documents cut this way. To be called in a thread."""
    with tempfile.TemporaryDirectory(prefix="llm-ui-trial-") as folder:
        return asyncio.run(_tried(Path(folder), documents, cutting, exam))


async def _tried(folder: Path, documents: Sample, cutting: CuttingInfo, exam: Exam) -> Marks:
    # Never the database of the settings.
    database = await open_database(load_config(data_dir=folder).model_copy(update={"database_url": None}))
    try:
        chunking = Chunking(cutting.passage_tokens, cutting.overlap_tokens, cutting.by is Cutting.PAGES)
        named = {str(document_id): document_id for document_id in documents.pages}
        entries = ((name, documents.pages[document_id]) for name, document_id in named.items())
        actor, project_id, names = await stored(database, entries, chunking)

        def as_before(question: str, found: Sequence[Passage]) -> list[str]:
            return exam.names(question, [replace(one, document_id=named[names[one.document_id]]) for one in found])

        return await examine(database, actor, project_id, replace(exam, names=as_before), Way(Strategy.LEXICAL))
    finally:
        await database.close()
