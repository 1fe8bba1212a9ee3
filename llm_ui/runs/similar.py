"""Questions that mean the same: whose vectors point the same way, and which do not differ in what vectors miss.

Everything but the words of the last question has to be equal, as with the very same question: model, parameters,
instructions, passages, the conversation before, person and project.
"""

import asyncio
from dataclasses import dataclass

from llm_ui.db import Database
from llm_ui.errors import LLMUIError
from llm_ui.kit.alike import is_alike
from llm_ui.kit.vectors import cosines
from llm_ui.observability.logging import get_logger
from llm_ui.providers.base import Prompt
from llm_ui.runs.cache_key import CacheUse, Repeated, group_of
from llm_ui.runs.embeddings import Embeddings
from llm_ui.services import cached_answers, embedding, settings
from llm_ui.services.cached_answers import Alike
from llm_ui.services.settings import CACHE_SIMILARITY, CACHE_WAIT_MS
from llm_ui.services.targets import ModelTarget

log = get_logger(__name__)

MAX_CHARS = 500
"""Of a question. Small embedding models read 256 tokens: what comes after these would be compared with nothing."""


class Similar:
    """Finds questions that mean the same. One in each process of the LLM API."""

    def __init__(self, database: Database, embeddings: Embeddings) -> None:
        self._database = database
        self._embeddings = embeddings
        self._tasks: set[asyncio.Task[bytes | None]] = set()

    async def close(self) -> None:
        """Return once no vector is on its way any more."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def asking(self, use: CacheUse, target: ModelTarget, prompt: Prompt) -> "Asking | None":
        """Return a question with what it may be compared with; None: with nothing, by what it is or for want of a
        model that makes vectors."""
        question = question_of(prompt)
        if not question:
            return None
        try:
            async with self._database.reading() as session:
                embedder = await embedding.find_embedder(session)
                least = await settings.get(session, CACHE_SIMILARITY) / 100
                wait_s = await settings.get(session, CACHE_WAIT_MS) / 1000
            if embedder is None:
                return None
            group = await group_of(use, target, prompt, embedder.model_id)
            others: list[Alike] = []
            if use.may_read:
                async with self._database.reading() as session:
                    others = await cached_answers.alike(session, group)
        except LLMUIError as error:
            log.warning("cache.similar_not_read", code=error.code)
            return None
        return Asking(self, use, embedder, question, Others(group, others, least, wait_s))

    def embed(self, use: CacheUse, embedder: ModelTarget, question: str) -> asyncio.Task[bytes | None]:
        """Begin to make the vector of a question, for whoever asks and at their project's cost."""
        task = asyncio.create_task(self._vector(use, embedder, question))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _vector(self, use: CacheUse, embedder: ModelTarget, question: str) -> bytes | None:
        try:
            return await self._embeddings.wording(embedder, use.user_id, use.project_id, question)
        except LLMUIError as error:
            log.warning("cache.no_vector", model_id=embedder.model_id, code=error.code)
            return None


@dataclass(frozen=True, slots=True)
class Others:
    """What a question is compared with."""

    group: str
    """The key of what they have in common (runs/cache_key.py)."""
    questions: list[Alike]
    least: float
    """How near one has to be: a cosine."""
    wait_s: float
    """Until the vector is there; the model is asked otherwise, and the vector kept with its answer."""


class Asking:
    """One question while it is answered, for those before it and after it that mean the same."""

    def __init__(self, similar: Similar, use: CacheUse, embedder: ModelTarget, question: str, others: Others) -> None:
        self._similar = similar
        self._use, self._embedder = use, embedder
        self.group, self.question = others.group, question
        self._others = others
        self._task: asyncio.Task[bytes | None] | None = None

    async def vector(self) -> bytes | None:
        """Return its vector, made once however often this is asked; None: it could not be made."""
        return await asyncio.shield(self._begun())

    async def nearest(self) -> Repeated | None:
        """Return the kept answer to the question that is nearest; None: none means the same, or it takes too long."""
        if not self._others.questions:
            return None
        task = self._begun()
        await asyncio.wait({task}, timeout=self._others.wait_s)
        if not task.done():
            log.info("cache.vector_late", model_id=self._embedder.model_id)
            return None
        vector = task.result()
        if vector is None:
            return None
        found = await asyncio.to_thread(cosines, vector, [one.vector for one in self._others.questions])
        ranked = sorted(zip(found, self._others.questions, strict=True), key=lambda pair: -pair[0])
        for cosine, other in ranked:
            if cosine < self._others.least:
                break
            if is_alike(self.question, other.question):
                is_own = (other.user_id, other.project_id) == (self._use.user_id, self._use.project_id)
                similarity = min(round(cosine, 4), 1.0)
                return Repeated(other.made_at, similarity, other.question if is_own else "", other.key)
        return None

    def _begun(self) -> asyncio.Task[bytes | None]:
        if self._task is None:
            self._task = self._similar.embed(self._use, self._embedder, self.question)
        return self._task


def question_of(prompt: Prompt) -> str:
    """Return the words of the last question; empty where it is none that can be compared."""
    last = prompt.messages[-1] if prompt.messages else None
    if last is None or last.role != "user" or last.results or len(last.text) > MAX_CHARS:
        return ""
    return last.text.strip()
