"""Making the vectors of passages, one document after the other, in the process that holds the providers' keys.

What there is to do stands in the database: with several processes each document is one's alone, under a lease.
"""

import asyncio
import contextlib
import secrets

from llm_ui.db import Database
from llm_ui.errors import BudgetSpent, LLMUIError, ProviderError, unforeseen
from llm_ui.observability.logging import get_logger
from llm_ui.runs.embeddings import OWN_FAULTS, Embeddings
from llm_ui.services import embedding
from llm_ui.services.embedding import Embedding

log = get_logger(__name__)

LOOK_S = 1.0
"""Between two looks for work."""
BEAT_S = 5.0
"""Between two heartbeats; a third of the lease."""
LONGEST_PAUSE_S = 60.0
"""Between two attempts while the model cannot be asked."""


async def keep_embedding(database: Database, embeddings: Embeddings) -> None:
    """Make vectors of whatever has none, until this is cancelled; what is being done then is given back."""
    pause_s = LOOK_S
    while True:
        try:
            is_done = await _one(database, embeddings)
        except LLMUIError as error:
            if pause_s == LOOK_S:
                log.warning("embedding.failed", code=error.code)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        else:
            pause_s = LOOK_S
            if is_done:
                continue
        await asyncio.sleep(pause_s)


async def embed_all(database: Database, embeddings: Embeddings) -> None:
    """Make vectors of whatever has none. Raises our errors."""
    while await _one(database, embeddings):
        pass


async def _one(database: Database, embeddings: Embeddings) -> bool:
    """Make the vectors of one document; return whether there was one. Raises our errors when others would fail too."""
    async with database.reading() as session:
        target = await embedding.find_embedder(session)
        if target is None or not await embedding.is_any_waiting(session, target.model_id):
            return False
    async with database.writing() as session:
        held = await embedding.claim(session, target.model_id)
    if held is None:
        return False
    work = asyncio.create_task(embeddings.embed(held))
    beating = asyncio.create_task(_keep_beating(database, held, work))
    try:
        await asyncio.wait({work})
    finally:
        # Also when this is cancelled.
        for task in (work, beating):
            task.cancel()
        (outcome, _) = await asyncio.gather(work, beating, return_exceptions=True)
        await _end(database, held, outcome)
    if isinstance(outcome, LLMUIError) and not _is_its_own(outcome):
        raise outcome
    return True


async def _end(database: Database, held: Embedding, outcome: bool | BaseException) -> None:
    """Note how it ended."""
    with contextlib.suppress(LLMUIError):
        async with database.writing() as session:
            if isinstance(outcome, asyncio.CancelledError):
                await embedding.release(session, held)
            elif isinstance(outcome, BaseException):
                await embedding.fail(session, held, _why(held, outcome), is_its_own=_is_its_own(outcome))


def _is_its_own(error: BaseException) -> bool:
    """Return whether others would not fail too: the model refused these texts, their project has spent its budget, or
    something is wrong with us."""
    if isinstance(error, BudgetSpent):
        return True
    return not isinstance(error, LLMUIError) or (isinstance(error, ProviderError) and error.fault in OWN_FAULTS)


def _why(held: Embedding, error: BaseException) -> str:
    """Return the sentence for a document that got no vectors."""
    if isinstance(error, LLMUIError):
        return error.message
    # The edge of a job: it is told, and the next one is done.
    error_id = secrets.token_hex(4)
    log.crashed("embedding.crashed", error, document_id=held.id, error_id=error_id)
    return unforeseen(error_id).message


async def _keep_beating(database: Database, held: Embedding, work: asyncio.Task[bool]) -> None:
    """Say every few seconds that it is gone on with; end it when the document is somebody else's by now."""
    while True:
        await asyncio.sleep(BEAT_S)
        with contextlib.suppress(LLMUIError):
            async with database.writing() as session:
                if not await embedding.beat(session, held):
                    work.cancel()
                    return
