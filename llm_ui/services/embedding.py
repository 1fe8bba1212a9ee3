"""Vectors of passages: which model makes them, what has none yet, and storing them.

A document is searched by its words as soon as it is ready, and by what it means once all its passages have vectors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, Update, delete, exists, insert, or_, select, update

from llm_ui.db import ReadSession, Session
from llm_ui.errors import InvalidInput
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ChunkId, DocumentId, ModelId, ProjectId, UserId, uuid7
from llm_ui.models import Document, DocumentChunk, DocumentStage, PassageVector, ProviderKind
from llm_ui.services import settings, targets
from llm_ui.services.access import SYSTEM, Actor, Permission, require
from llm_ui.services.ingestion import LEASE
from llm_ui.services.settings import EMBEDDING_MODEL
from llm_ui.services.targets import ModelTarget

WITHOUT = (ProviderKind.ANTHROPIC, ProviderKind.DEMO)
"""Kinds of providers that have no embeddings."""
MAX_ATTEMPTS = 3
"""Passages that the model refused so often wait until their person asks for them again."""


@dataclass(frozen=True, slots=True)
class Embedding:
    """A document whose passages get their vectors."""

    id: DocumentId
    project_id: ProjectId
    user_id: UserId
    """Who brought it, and for whom it is booked."""
    model_id: ModelId
    owner: str


@dataclass(frozen=True, slots=True)
class Unembedded:
    """A passage without a vector."""

    id: ChunkId
    title_path: str
    text: str


async def find_embedder(session: ReadSession) -> ModelTarget | None:
    """Return the model that makes vectors, None when there is none. Raises `NotFound` or `InvalidInput`."""
    model_id = await settings.get(session, EMBEDDING_MODEL)
    if model_id is None:
        return None
    return await targets.target(session, SYSTEM, ModelId(UUID(model_id)), is_embedder=True)


async def set_embedding_model(session: Session, actor: Actor, model_id: ModelId | None) -> None:
    """Let this model make vectors; None: words alone are searched. Vectors of another one do not help it.

    Raises `NotFound` and `InvalidInput`.
    """
    require(actor, Permission.MANAGE_SETTINGS)
    if model_id is not None:
        chosen = await targets.target(session, actor, model_id, is_embedder=True)
        if chosen.kind in WITHOUT:
            raise InvalidInput(
                "{name} offers no embeddings. Choose another provider's model.", name=chosen.provider_name
            )
    await settings.change(session, actor, EMBEDDING_MODEL, None if model_id is None else str(model_id))
    # rights: every document begins anew with another model
    await session.execute(update(Document).values(embed_attempts=0, embed_error=None))


async def claim(session: Session, model_id: ModelId) -> Embedding | None:
    """Take a document that has no vectors of this model, the one that has waited longest; None when there is none."""
    row = await session.scalar(_waiting(model_id).with_for_update(skip_locked=True))
    if row is None:
        return None
    row.lease_owner, row.heartbeat_at = uuid7().hex, now()
    return Embedding(row.id, row.project_id, row.user_id, model_id, row.lease_owner)


async def is_any_waiting(session: ReadSession, model_id: ModelId) -> bool:
    """Return whether a document has no vectors of this model."""
    return await session.scalar(_waiting(model_id).with_only_columns(Document.id)) is not None


def _waiting(model_id: ModelId) -> Select[Document]:
    # rights: the product's own look at what there is to do
    is_free = or_(Document.heartbeat_at.is_(None), Document.heartbeat_at < now() - LEASE)
    is_due = or_(Document.embedded_by.is_(None), Document.embedded_by != model_id)
    mine = select(Document).where(Document.stage == DocumentStage.READY, is_due, is_free)
    return mine.where(Document.embed_attempts < MAX_ATTEMPTS).order_by(Document.updated_at).limit(1)


async def next_passages(session: ReadSession, held: Embedding, most: int) -> list[Unembedded]:
    """Return the first passages of the document that have no vector of its model."""
    has_one = exists().where(PassageVector.chunk_id == DocumentChunk.id, PassageVector.model_id == held.model_id)
    # rights: of the document that is held
    mine = select(DocumentChunk).where(DocumentChunk.document_id == held.id, ~has_one)
    rows = await session.scalars(mine.order_by(DocumentChunk.position).limit(most))
    return [Unembedded(row.id, row.title_path, row.text) for row in rows]


async def beat(session: Session, held: Embedding) -> bool:
    """Say that it is gone on with; return whether it may be."""
    return await _change(session, held, {"heartbeat_at": now()})


async def add_vectors(session: Session, held: Embedding, vectors: Mapping[ChunkId, bytes]) -> bool:
    """Store vectors, in the place of those of another model; return whether to go on.

    Not when the document is gone, is read anew or somebody else's by now.
    """
    if not await _change(session, held, {"heartbeat_at": now(), "embedded_by": None}):
        return False
    # rights: of the document that is held
    await session.execute(delete(PassageVector).where(PassageVector.chunk_id.in_(list(vectors))))
    rows: Sequence[dict[str, object]] = [
        {"chunk_id": chunk_id, "project_id": held.project_id, "model_id": held.model_id, "vector": vector}
        for chunk_id, vector in vectors.items()
    ]
    await session.execute(insert(PassageVector), rows)
    return True


async def finish(session: Session, held: Embedding) -> None:
    """Let the document be found by what it means."""
    is_whole = {"embedded_by": held.model_id, "embedded_at": now()}
    await _release(session, held, {**is_whole, "embed_error": None, "embed_attempts": 0})


async def fail(session: Session, held: Embedding, why: str, *, is_its_own: bool) -> None:
    """Note why it did not go on; `is_its_own` says that these very passages were refused, and not everything."""
    attempts = Document.embed_attempts + 1 if is_its_own else Document.embed_attempts
    await _release(session, held, {"embed_error": why, "embed_attempts": attempts})


async def release(session: Session, held: Embedding) -> None:
    """Give the document back, to be gone on with by whoever takes it next."""
    await _release(session, held, {})


async def _release(session: Session, held: Embedding, values: Mapping[str, object]) -> None:
    await _change(session, held, {**values, "lease_owner": None, "heartbeat_at": None})


async def _change(session: Session, held: Embedding, values: Mapping[str, object]) -> bool:
    return await session.scalar(_held(held).values(values).returning(Document.id)) is not None


def _held(held: Embedding) -> Update:
    is_mine = Document.lease_owner == held.owner, Document.stage == DocumentStage.READY
    return update(Document).where(Document.id == held.id, *is_mine)
