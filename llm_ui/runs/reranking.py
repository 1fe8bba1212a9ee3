"""Passages put in order by the reranking model, in time or not at all. All is booked."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import httpx2

from llm_ui.contract import Metrics, Usage
from llm_ui.contract.probes import EmbeddingTest
from llm_ui.db import Database
from llm_ui.documents.diverse import diverse
from llm_ui.documents.retrieve import RRF_K, Passage, passed_over
from llm_ui.errors import LLMUIError, ProviderError, ProviderFault
from llm_ui.kit.encryption import Sealer
from llm_ui.kit.ids import ChunkId, ModelId, ProjectId, RunId, uuid7
from llm_ui.kit.token_count import estimate
from llm_ui.models import RunStatus, UsagePurpose
from llm_ui.observability.logging import get_logger
from llm_ui.providers.base import Timeouts
from llm_ui.providers.reranking import Reranked, rerank
from llm_ui.runs.booking import book, booking
from llm_ui.runs.endpoints import endpoint_of
from llm_ui.services import reranking, targets
from llm_ui.services.access import Actor
from llm_ui.services.targets import ModelTarget

log = get_logger(__name__)

LOOKED_AT = 50
"""Passages that are put in order, of which the first ones are sent."""
TIMEOUTS = Timeouts(connect_s=2, first_byte_s=3, idle_s=3, total_s=3)
"""Nobody waits longer for an answer to begin; the passages stay as they were found then."""
SAMPLE = "Which bird stands in the reeds?"
SAMPLES = ("The boat is painted every other year.", "A heron stands in the reeds.")


@dataclass(frozen=True, slots=True)
class Ordered:
    """Passages in the order in which they are sent."""

    passages: tuple[Passage, ...]
    by: str = ""
    """The model that put them in order; empty: none."""
    problem: str = ""
    """Why none did, although one is set."""
    alike: tuple[ChunkId, ...] = ()
    """Those that it put among the first but that say nearly the same as another one."""
    took_ms: float = 0.0


class Reranker:
    """Asks the reranking model. One in each process of the LLM API."""

    def __init__(
        self, database: Database, sealer: Sealer, http: httpx2.AsyncClient, *, timeouts: Timeouts = TIMEOUTS
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._http = http
        self._timeouts = timeouts

    async def is_set(self) -> bool:
        """Return whether a model puts passages in order, or should."""
        try:
            async with self._database.reading() as session:
                return await reranking.find_reranker(session) is not None
        except LLMUIError:
            return True

    async def ordered(
        self, actor: Actor, project_id: ProjectId, query: str, passages: Sequence[Passage], most: int
    ) -> Ordered:
        """Return the best of the passages as the model orders them, or as they are when it does not in time."""
        began = time.monotonic()
        try:
            async with self._database.reading() as session:
                target = await reranking.find_reranker(session)
            if target is None or not passages:
                return Ordered(tuple(passages[:most]))
            texts = tuple("\n".join(filter(None, (*one.title_path.split("\n"), one.text))) for one in passages)
            found = await self._asked(target, actor, project_id, query, texts)
        except LLMUIError as error:
            log.warning("retrieval.not_reranked", code=error.code)
            return Ordered(tuple(passages[:most]), problem=error.message)
        best = [passages[place] for place in found.order]
        # What says nearly the same stands together again now.
        places = diverse([one.text for one in best], [1 / (RRF_K + rank) for rank in range(1, len(best) + 1)], most)
        taken = tuple(best[place] for place in places)
        took_ms = round((time.monotonic() - began) * 1000, 1)
        return Ordered(taken, target.display_name, alike=passed_over(best, taken, most), took_ms=took_ms)

    async def reordered(
        self, actor: Actor, project_id: ProjectId, query: str, passages: Sequence[Passage]
    ) -> tuple[Passage, ...]:
        """Return passages with the first ones, as many as are put in order for answers, in order; then the rest.

        Raises `ProviderError` when the model does not do it.
        """
        put = await self.ordered(actor, project_id, query, passages[:LOOKED_AT], LOOKED_AT)
        if put.problem:
            raise ProviderError("Passages were not put in order: {why}", ProviderFault.PROVIDER_ERROR, why=put.problem)
        return *put.passages, *passages[LOOKED_AT:]

    async def try_out(self, actor: Actor, target: ModelTarget) -> bool:
        """Return whether a model finds which of two sentences answers a question. Raises our errors."""
        found = await self._asked(target, actor, None, SAMPLE, SAMPLES)
        return SAMPLES[found.order[0]] == SAMPLES[1]

    async def _asked(
        self, target: ModelTarget, actor: Actor, project_id: ProjectId | None, query: str, texts: tuple[str, ...]
    ) -> Reranked:
        began = time.monotonic()
        endpoint = endpoint_of(self._sealer, target)
        found = await rerank(self._http, endpoint, target.name, query, texts, self._timeouts)
        tokens = found.input_tokens
        usage = Usage(
            input_tokens=sum(map(estimate, (query, *texts))) if tokens is None else tokens,
            source="estimate" if tokens is None else "provider",
        )
        row = booking(
            RunId(uuid7()), UsagePurpose.RERANKING, actor.user_id, target, status=RunStatus.COMPLETED, usage=usage,
            metrics=Metrics(total_ms=round((time.monotonic() - began) * 1000, 1)),
        )  # fmt: skip
        row.project_id = project_id
        try:
            await book(self._database, row)
        except LLMUIError:
            log.exception("reranking.not_booked", model_id=target.model_id)
        return found


async def test_reranking(database: Database, reranker: Reranker, actor: Actor, model_id: ModelId) -> EmbeddingTest:
    """Have a model put two sentences in order, and say how it went. Raises `NotFound` and `InvalidInput`."""
    async with database.reading() as session:
        target = await targets.target(session, actor, model_id, is_embedder=True)
    try:
        is_right = await reranker.try_out(actor, target)
    except LLMUIError as error:
        return EmbeddingTest(is_ok=False, message=error.message)
    if not is_right:
        return EmbeddingTest(is_ok=False, message=f"{target.display_name} took the wrong one of two sentences.")
    return EmbeddingTest(is_ok=True, message=f"{target.display_name} puts passages in order.")
