"""Answers that are kept: found again, kept in bounds, and thrown away when what they came from changes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, func, select

from llm_ui.db import ReadSession, Session
from llm_ui.errors import NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ModelId, ProjectId, ProviderId
from llm_ui.models import AiModel, CachedAnswer, CacheMode, ChatHistory
from llm_ui.services import audit, settings
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.settings import CACHE_HOURS, CACHE_MB

BYTES_PER_MB = 1_000_000
ONE_IN = 20
"""No answer takes more than one in so many of the bytes that there are for all."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How many answers of a model are kept, and what they take."""

    answers: int
    size_bytes: int


async def find(session: ReadSession, key: str) -> CachedAnswer | None:
    """Return the answer that was kept under a key, unless it is too old or its chat is in the bin."""
    since = now() - timedelta(hours=await settings.get(session, CACHE_HOURS))
    is_binned = exists().where(ChatHistory.id == CachedAnswer.chat_id, ChatHistory.deleted_at.is_not(None))
    # rights: the key is made of who asks and where, so nobody finds what is behind another wall
    query = select(CachedAnswer).where(CachedAnswer.key == key, CachedAnswer.created_at > since, ~is_binned)
    return await session.scalar(query)


async def keep(session: Session, new: CachedAnswer) -> bool:
    """Keep an answer in the place of an older one; return whether it is kept: too long ones are not.

    What is too old goes, and the oldest of what is too much.
    """
    most = await settings.get(session, CACHE_MB) * BYTES_PER_MB
    if new.size_bytes > most // ONE_IN:
        return False
    too_old = now() - timedelta(hours=await settings.get(session, CACHE_HOURS))
    await session.execute(
        delete(CachedAnswer).where((CachedAnswer.created_at < too_old) | (CachedAnswer.key == new.key))
    )
    # rights: the product's own clean-up
    taken = int(await session.scalar(select(func.sum(CachedAnswer.size_bytes))) or 0)
    if taken + new.size_bytes > most:
        await session.execute(delete(CachedAnswer).where(CachedAnswer.created_at <= await _last_to_go(session, most)))
    session.add(new)
    await session.flush()
    return True


async def _last_to_go(session: Session, most: int) -> datetime:
    """Return when the last of the answers was made that have to go: they leave a tenth of the room free."""
    # rights: the product's own clean-up
    newer = func.sum(CachedAnswer.size_bytes).over(order_by=CachedAnswer.created_at.desc())
    sums = select(CachedAnswer.created_at, newer.label("taken")).subquery()
    # rights: as above
    found = await session.scalar(select(func.max(sums.c.created_at)).where(sums.c.taken > most - most // 10))
    return found or now()


async def purge(session: Session) -> int:
    """Delete what is too old; return how many."""
    too_old = now() - timedelta(hours=await settings.get(session, CACHE_HOURS))
    gone = delete(CachedAnswer).where(CachedAnswer.created_at < too_old)
    return len((await session.scalars(gone.returning(CachedAnswer.key))).all())


async def forget(
    session: Session,
    *,
    model_id: ModelId | None = None,
    provider_id: ProviderId | None = None,
    project_id: ProjectId | None = None,
) -> None:
    """Throw away what a model, the models of a provider or the people of a project have been answered."""
    if model_id is not None:
        await session.execute(delete(CachedAnswer).where(CachedAnswer.model_id == model_id))
    if provider_id is not None:
        own = select(AiModel.id).where(AiModel.provider_id == provider_id)
        await session.execute(delete(CachedAnswer).where(CachedAnswer.model_id.in_(own)))
    if project_id is not None:
        await session.execute(delete(CachedAnswer).where(CachedAnswer.project_id == project_id))


async def kept(session: ReadSession, actor: Actor, model_id: ModelId) -> Kept:
    """Return how much of a model's is kept. Raises `Forbidden`."""
    require(actor, Permission.MANAGE_PROVIDERS)
    # rights: asked above; sums without content
    sums = select(func.count(), func.sum(CachedAnswer.size_bytes)).where(CachedAnswer.model_id == model_id)
    answers, size = (await session.execute(sums)).one()
    return Kept(answers, int(size or 0))


async def clear(session: Session, actor: Actor, model_id: ModelId) -> int:
    """Throw away what is kept of a model; return how many answers that were. Raises `NotFound` and `Forbidden`."""
    require(actor, Permission.MANAGE_PROVIDERS)
    row = await _model(session, actor, model_id)
    gone = delete(CachedAnswer).where(CachedAnswer.model_id == model_id).returning(CachedAnswer.key)
    count = len((await session.scalars(gone)).all())
    await audit.record(session, actor, "cache.cleared", row.name, target_id=model_id, answers=count)
    return count


async def set_mode(session: Session, actor: Actor, model_id: ModelId, mode: CacheMode) -> None:
    """Say whether a model's answers are kept, and for whom. What was kept before goes. Raises `NotFound`."""
    require(actor, Permission.MANAGE_PROVIDERS)
    row = await _model(session, actor, model_id)
    if row.cache_mode is mode:
        return
    changes: Any = audit.difference({"cache_mode": row.cache_mode.value}, {"cache_mode": mode.value})
    row.cache_mode = mode
    await forget(session, model_id=model_id)
    await audit.record(session, actor, "model.cache_changed", row.name, target_id=model_id, changes=changes)


async def _model(session: Session, actor: Actor, model_id: ModelId) -> AiModel:
    row = await session.scalar(readable(AiModel, actor).where(AiModel.id == model_id).with_for_update())
    if row is None:
        raise NotFound("This model does not exist any more. Reload the list.")
    return row
