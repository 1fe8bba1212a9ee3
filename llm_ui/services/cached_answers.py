"""Answers that are kept: found again, kept in bounds, and thrown away when what they came from changes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, select, update

from llm_ui.db import ReadSession, Session
from llm_ui.errors import NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ModelId, ProjectId, ProviderId, UserId
from llm_ui.models import AiModel, CachedAnswer, CacheMode, ChatHistory, MessageFeedback, Rating, Run, UsageLog
from llm_ui.services import audit, settings
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.settings import CACHE_HOURS, CACHE_MB
from llm_ui.services.usage.figures import totals
from llm_ui.services.usage.slots import Period
from llm_ui.services.usage.statements import ANSWERS, Filters

BYTES_PER_MB = 1_000_000
ONE_IN = 20
"""No answer takes more than one in so many of the bytes that there are for all."""


GAINED_DAYS = 30
MOST_ALIKE = 500
"""Questions that one is compared with: a millisecond of vectors, a megabyte read."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How many answers of a model are kept, and what they take."""

    answers: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Gained:
    """What kept answers of a model have been good for in the last `GAINED_DAYS`."""

    requests: int = 0
    """Of people and scripts, also those that were given a kept answer."""
    hits: int = 0
    saved_usd: Decimal = Decimal(0)
    similar: int = 0
    """Of the hits, those to a question that only means the same."""
    similar_saved_usd: Decimal = Decimal(0)
    false: int = 0
    """Of these, answers in chats that were rated as bad."""


async def find(session: ReadSession, key: str) -> CachedAnswer | None:
    """Return the answer that was kept under a key, unless it is too old or its chat is in the bin."""
    # rights: the key is made of who asks and where, so nobody finds what is behind another wall
    return await session.scalar(select(CachedAnswer).where(CachedAnswer.key == key, *await _is_there(session)))


async def _is_there(session: ReadSession) -> tuple[ColumnElement[bool], ...]:
    """Return the rule of answers that may be given: not too old, and of no chat in the bin."""
    since = now() - timedelta(hours=await settings.get(session, CACHE_HOURS))
    is_binned = exists().where(ChatHistory.id == CachedAnswer.chat_id, ChatHistory.deleted_at.is_not(None))
    return CachedAnswer.created_at > since, ~is_binned


@dataclass(frozen=True, slots=True)
class Alike:
    """A question whose answer is kept, and differs from another one by its words alone."""

    key: str
    user_id: UserId
    project_id: ProjectId | None
    question: str
    vector: bytes
    """As kit/vectors.py packs it."""
    made_at: datetime


async def alike(session: ReadSession, group_key: str) -> list[Alike]:
    """Return the newest questions of a group whose answers are kept."""
    # rights: the key of the group is made of who asks and where, like that of an answer
    row = CachedAnswer
    columns = row.key, row.user_id, row.project_id, row.question, row.vector, row.created_at
    query = select(*columns).where(row.group_key == group_key, *await _is_there(session))
    found = await session.execute(query.order_by(row.created_at.desc()).limit(MOST_ALIKE))
    return [
        Alike(one.key, one.user_id, one.project_id, one.question or "", one.vector or b"", one.created_at)
        for one in found
    ]


async def unpair(session: Session, key: str) -> None:
    """Give an answer to the very same question only, from now on: to another one it was no good."""
    alone = update(CachedAnswer).where(CachedAnswer.key == key)
    await session.execute(alone.values(group_key=None, question=None, vector=None))


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


async def gained(session: ReadSession, actor: Actor, model_id: ModelId) -> Gained:
    """Return what kept answers of a model have been good for of late. Raises `Forbidden`."""
    require(actor, Permission.MANAGE_PROVIDERS)
    end = now()
    period = Period(end - timedelta(days=GAINED_DAYS), end)
    used = await totals(session, actor, Filters(model_id=model_id, kinds=ANSWERS), period)
    similar = select(func.count(), func.sum(UsageLog.saved_usd)).where(
        UsageLog.is_similar, UsageLog.model_id == model_id, UsageLog.created_at > period.start
    )
    # rights: asked above; sums without content
    hits, saved = (await session.execute(similar)).one()
    false = (
        select(func.count(Run.id.distinct()))
        .join(MessageFeedback, MessageFeedback.message_id == Run.answer_id)
        .where(Run.similarity.is_not(None), Run.model_id == model_id, Run.created_at > period.start)
        .where(MessageFeedback.rating == Rating.DOWN)
    )
    # rights: as above
    bad = await session.scalar(false) or 0
    return Gained(used.requests, used.hits, used.saved_usd, hits, saved or Decimal(0), bad)


async def clear(session: Session, actor: Actor, model_id: ModelId) -> int:
    """Throw away what is kept of a model; return how many answers that were. Raises `NotFound` and `Forbidden`."""
    require(actor, Permission.MANAGE_PROVIDERS)
    row = await _model(session, actor, model_id)
    gone = delete(CachedAnswer).where(CachedAnswer.model_id == model_id).returning(CachedAnswer.key)
    count = len((await session.scalars(gone)).all())
    await audit.record(session, actor, "cache.cleared", row.name, target_id=model_id, answers=count)
    return count


async def set_mode(
    session: Session, actor: Actor, model_id: ModelId, mode: CacheMode, *, is_similar: bool = False
) -> None:
    """Say whether a model's answers are kept, for whom, and whether for questions that mean the same, too.

    What was kept before goes. Raises `NotFound`.
    """
    require(actor, Permission.MANAGE_PROVIDERS)
    row = await _model(session, actor, model_id)
    is_similar = is_similar and mode is not CacheMode.OFF
    before = {"cache_mode": row.cache_mode.value, "cache_similar": row.cache_similar}
    after = {"cache_mode": mode.value, "cache_similar": is_similar}
    if before == after:
        return
    changes: Any = audit.difference(before, after)
    row.cache_mode, row.cache_similar = mode, is_similar
    await forget(session, model_id=model_id)
    await audit.record(session, actor, "model.cache_changed", row.name, target_id=model_id, changes=changes)


async def _model(session: Session, actor: Actor, model_id: ModelId) -> AiModel:
    row = await session.scalar(readable(AiModel, actor).where(AiModel.id == model_id).with_for_update())
    if row is None:
        raise NotFound("This model does not exist any more. Reload the list.")
    return row
