"""Vectors from the embedding model: of questions when they are asked, of passages in the background. All is booked."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import httpx2

from llm_ui.contract import Metrics, Usage
from llm_ui.contract.probes import EmbeddingTest
from llm_ui.db import Database
from llm_ui.documents.embed import passage_text, question_text
from llm_ui.documents.vectors import Meaning, Vectors
from llm_ui.errors import LLMUIError, ProviderError, ProviderFault
from llm_ui.kit.encryption import Sealer
from llm_ui.kit.ids import ChunkId, ModelId, ProjectId, RunId, UserId, uuid7
from llm_ui.kit.money import plain
from llm_ui.kit.token_count import estimate
from llm_ui.kit.vectors import packed
from llm_ui.models import RunStatus, UsagePurpose
from llm_ui.observability.logging import get_logger
from llm_ui.providers.base import Embedded, Texts, Timeouts
from llm_ui.providers.embedding import embedder
from llm_ui.runs.booking import book, booking, give_back, set_aside
from llm_ui.runs.endpoints import endpoint_of
from llm_ui.runs.resilience import pause_s
from llm_ui.services import embedding, targets
from llm_ui.services.access import Actor
from llm_ui.services.embedding import Embedding, Unembedded
from llm_ui.services.prices import cost
from llm_ui.services.targets import ModelTarget

log = get_logger(__name__)

AT_A_TIME = 32
"""Passages of one request: some 10,000 tokens, which every provider takes; without a GPU it is a matter of seconds."""
TIMEOUTS = Timeouts(connect_s=5, first_byte_s=60, idle_s=15, total_s=120)
QUESTION_TIMEOUTS = Timeouts(connect_s=2, first_byte_s=3, idle_s=3, total_s=3)
"""Nobody waits longer for an answer to begin; it is looked for by its words then."""
REMEMBERED = 200
"""Questions whose vectors are kept: an answer made anew asks the same once more."""
SHOWN_NUMBERS = 8
"""Of a vector that is looked at."""
SAMPLE = "A heron stands in the reeds."
OWN_FAULTS = frozenset({ProviderFault.BAD_REQUEST, ProviderFault.CONTEXT_TOO_LONG, ProviderFault.CONTENT_FILTERED})
"""What a model has against these very texts; with everything else it would be the same for others."""


@dataclass(frozen=True, slots=True)
class _Bill:
    """For whom, and in which project, it is booked."""

    user_id: UserId
    project_id: ProjectId | None = None
    call_id: RunId = field(default_factory=lambda: RunId(uuid7()))


class Embeddings:
    """Asks the embedding model. One in each process of the LLM API."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        http: httpx2.AsyncClient,
        *,
        question: Timeouts = QUESTION_TIMEOUTS,
        vectors: Vectors | None = None,
    ) -> None:
        self._database = database
        self._question_timeouts = question
        self._sealer = sealer
        self._http = http
        self._vectors = vectors or Vectors()
        self._questions: OrderedDict[tuple[ModelId, str], bytes] = OrderedDict()

    async def wording(self, target: ModelTarget, user_id: UserId, project_id: ProjectId | None, text: str) -> bytes:
        """Return the vector of a question, as kit/vectors.py packs it; the same one is not made anew soon after.

        Raises our errors when that fails.
        """
        key = target.model_id, text
        vector = self._questions.get(key)
        if vector is None:
            texts = Texts(target.name, (question_text(target.name, text),), is_question=True)
            made = await self._made(target, _Bill(user_id, project_id), texts, self._question_timeouts)
            vector = self._questions[key] = packed(made.vectors[0])
        self._questions.move_to_end(key)
        while len(self._questions) > REMEMBERED:
            self._questions.popitem(last=False)
        return vector

    async def question(self, actor: Actor, project_id: ProjectId, text: str) -> Meaning | None:
        """Return a question in a project as a vector; None when no model makes any. Raises our errors when it fails."""
        async with self._database.reading() as session:
            target = await embedding.find_embedder(session)
        if target is None or not text.strip():
            return None
        vector = await self.wording(target, actor.user_id, project_id, text)
        return Meaning(self._vectors, target.model_id, vector)

    async def try_out(self, actor: Actor, target: ModelTarget, text: str) -> Embedded:
        """Return the vector of a text. Raises our errors when the model makes none."""
        return await self._made(target, _Bill(actor.user_id), Texts(target.name, (text,)), TIMEOUTS)

    async def embed(self, held: Embedding) -> bool:
        """Make the vectors of all passages of a document; return whether it came to the end, and is not gone.

        Raises our errors when the model cannot be asked; what was made before is kept.
        """
        while True:
            async with self._database.reading() as session:
                target = await embedding.find_embedder(session)
                passages = await embedding.next_passages(session, held, AT_A_TIME)
            if target is None or target.model_id != held.model_id:
                return False
            if not passages:
                async with self._database.writing() as session:
                    await embedding.finish(session, held)
                return True
            vectors = await self._of_passages(target, _Bill(held.user_id, held.project_id), passages)
            async with self._database.writing() as session:
                if not await embedding.add_vectors(session, held, vectors):
                    return False

    async def _of_passages(
        self, target: ModelTarget, bill: _Bill, passages: Sequence[Unembedded]
    ) -> dict[ChunkId, bytes]:
        texts = tuple(passage_text(target.name, one.title_path, one.text) for one in passages)
        attempt = 1
        while True:
            try:
                made = await self._made(target, bill, Texts(target.name, texts), TIMEOUTS)
            except ProviderError as error:
                pause = pause_s(error, attempt)
                if pause is None:
                    raise
                attempt += 1
                await asyncio.sleep(pause)
            else:
                vectors = await asyncio.to_thread(_packed, made)
                return {one.id: vector for one, vector in zip(passages, vectors, strict=True)}

    async def _made(self, target: ModelTarget, bill: _Bill, texts: Texts, timeouts: Timeouts) -> Embedded:
        began = time.monotonic()
        endpoint = endpoint_of(self._sealer, target)
        makes = embedder(target.kind)
        call_id, asked = RunId(uuid7()), sum(map(estimate, texts.texts))
        most = cost(target.prices, input_tokens=asked, output_tokens=0)
        is_set_aside, _ = await set_aside(
            self._database, call_id, most, bill.user_id, bill.project_id, model_id=target.model_id
        )
        try:
            made = await makes.embed(self._http, endpoint, texts, timeouts)
        except BaseException:
            if is_set_aside:
                await asyncio.shield(give_back(self._database, call_id))
            raise
        bill = replace(bill, call_id=call_id)
        await self._book(target, bill, asked, made, round((time.monotonic() - began) * 1000, 1))
        return made

    async def _book(self, target: ModelTarget, bill: _Bill, asked: int, made: Embedded, took_ms: float) -> None:
        usage = _usage(made, asked)
        row = booking(
            bill.call_id, UsagePurpose.EMBEDDING, bill.user_id, target, status=RunStatus.COMPLETED, usage=usage,
            metrics=Metrics(total_ms=took_ms),
        )  # fmt: skip
        row.project_id = bill.project_id
        try:
            await book(self._database, row)
        except LLMUIError:
            log.exception("embedding.not_booked", model_id=target.model_id)


def _usage(made: Embedded, asked: int) -> Usage:
    """Return what it used, as the provider says, else as was estimated before."""
    if made.input_tokens is None:
        return Usage(input_tokens=asked, source="estimate")
    return Usage(input_tokens=made.input_tokens, source="provider")


def _packed(made: Embedded) -> list[bytes]:
    return list(map(packed, made.vectors))


async def test_embedding(
    database: Database, embeddings: Embeddings, actor: Actor, model_id: ModelId, text: str
) -> EmbeddingTest:
    """Have a model make a vector, and say in one sentence how it went. Raises `NotFound` and `InvalidInput`."""
    async with database.reading() as session:
        target = await targets.target(session, actor, model_id, is_embedder=True)
    began = time.monotonic()
    try:
        made = await embeddings.try_out(actor, target, text)
    except LLMUIError as error:
        return EmbeddingTest(is_ok=False, message=error.message)
    vector = made.vectors[0]
    usage = _usage(made, estimate(text))
    usd = cost(target.prices, input_tokens=usage.input_tokens, output_tokens=0)
    return EmbeddingTest(
        is_ok=True,
        message=f"{target.display_name} answers with vectors of {len(vector)} numbers.",
        dimensions=len(vector),
        first=tuple(vector[:SHOWN_NUMBERS]),
        took_ms=round((time.monotonic() - began) * 1000, 1),
        usage=usage,
        cost_usd=None if usd is None else plain(usd),
    )
