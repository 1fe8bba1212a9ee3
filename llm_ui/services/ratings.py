"""What people think of answers, for administrators: by model, over time, and one by one. What was said stays theirs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import aliased

from llm_ui.db import ReadSession
from llm_ui.kit.clock import now
from llm_ui.kit.ids import FeedbackId, MessageId
from llm_ui.kit.text import storable
from llm_ui.models import ChatMessage, FeedbackReason, MessageFeedback, Rating, Run
from llm_ui.services.access import Actor, Permission, require
from llm_ui.services.listing import Asked, Rows

Z = 1.96
"""Of a normal distribution: 95 % certainty."""
MOST_MODELS = 50
WEEKS = 12


@dataclass(frozen=True, slots=True)
class RatingInfo:
    """What one person thinks of one answer. The comment is their word to the administrators."""

    id: FeedbackId
    at: datetime
    model: str
    rating: Rating
    reason: FeedbackReason | None
    comment: str


@dataclass(frozen=True, slots=True)
class ModelRatings:
    """What people think of the answers of a model."""

    model: str
    up: int
    down: int
    at_least: float
    """The share of good ones that it has at least, by Wilson's bound."""
    invented: int
    """Citations that were taken out of its answers, for it made them up."""


@dataclass(frozen=True, slots=True)
class WeekRatings:
    """What people thought of answers in one week, which begins on Monday."""

    begins: date
    up: int
    down: int


def at_least(up: int, down: int) -> float:
    """Return the lower bound of the share of good ratings that so many tell with 95 % certainty, from 0 to 1.

    Few ratings tell little: 1 of 1 is 0.21, 90 of 100 is 0.83. Wilson, Probable Inference, the Law of Succession, and
    Statistical Inference, 1927; as an order of what was rated: Miller, How Not To Sort By Average Rating, 2009.
    """
    count = up + down
    if not count:
        return 0.0
    share = up / count
    spread = Z * math.sqrt((share * (1 - share) + Z * Z / (4 * count)) / count)
    return max(0.0, (share + Z * Z / (2 * count) - spread) / (1 + Z * Z / count))


def rows(actor: Actor, asked: Asked) -> Rows[RatingInfo]:
    """Return ratings, newest last. Filters: `days`, `rating` and `reason`; the search is for models."""
    query = _asked(actor, asked)
    return Rows(query, MessageFeedback.id, {"at": MessageFeedback.created_at}, _told)


async def by_model(session: ReadSession, actor: Actor, asked: Asked) -> tuple[ModelRatings, ...]:
    """Return what people think of each model, best first: by what is certain of it, not by the bare share."""
    model = _model()
    rated = _asked(actor, asked).with_only_columns(model.label("model"), *_counts()).group_by("model")
    found = {name: (up, down) for name, up, down in await session.execute(rated)}
    made_up = await _invented(session, asked)
    told = [
        ModelRatings(name, *found.get(name, (0, 0)), at_least(*found.get(name, (0, 0))), made_up.get(name, 0))
        for name in {*found, *made_up}
    ]
    in_order = sorted(told, key=lambda one: (-one.at_least, -one.up, one.model))
    return tuple(in_order[:MOST_MODELS])


async def by_week(session: ReadSession, actor: Actor, asked: Asked) -> tuple[WeekRatings, ...]:
    """Return what people thought in the last weeks, oldest first; weeks without a rating are among them."""
    monday = now().date() - timedelta(days=now().weekday())
    first = monday - timedelta(weeks=WEEKS - 1)
    day = func.date(MessageFeedback.created_at)
    since = _asked(actor, asked).where(
        MessageFeedback.created_at >= now() - timedelta(days=(now().date() - first).days)
    )
    sums = {first + timedelta(weeks=week): [0, 0] for week in range(WEEKS)}
    for at, up, down in await session.execute(since.with_only_columns(day, *_counts()).group_by(day)):
        of_day = date.fromisoformat(str(at))
        week = sums.get(of_day - timedelta(days=of_day.weekday()))
        if week is not None:
            week[0] += up
            week[1] += down
    return tuple(WeekRatings(begins, up, down) for begins, (up, down) in sums.items())


def _counts() -> tuple[ColumnElement[int], ColumnElement[int]]:
    good, bad = (func.sum(case((MessageFeedback.rating == one.value, 1), else_=0)) for one in (Rating.UP, Rating.DOWN))
    return good, bad


def _model() -> ColumnElement[str]:
    """Return the model of a rated answer: that of its last run, or what an imported one was written by."""
    run = aliased(Run)
    # rights: the name of a model, for administrators
    last = select(run.model_name).where(run.answer_id == MessageFeedback.message_id)
    imported = select(ChatMessage.model_name).where(ChatMessage.id == MessageFeedback.message_id)  # rights: as above
    newest = last.order_by(run.created_at.desc()).limit(1).scalar_subquery()
    return func.coalesce(newest, imported.scalar_subquery(), "")


def _asked(actor: Actor, asked: Asked) -> Select[Any]:
    require(actor, Permission.MANAGE_SETTINGS)
    query = select(MessageFeedback)  # rights: administrators judge models by it; it holds nothing of the chat
    if days := asked.filters.get("days"):
        query = query.where(MessageFeedback.created_at >= now() - timedelta(days=int(days)))
    if rating := asked.filters.get("rating"):
        query = query.where(MessageFeedback.rating == Rating[rating.upper()].value)
    if reason := asked.filters.get("reason"):
        query = query.where(MessageFeedback.reason == FeedbackReason(reason))
    if said := storable(asked.search):
        query = query.where(func.lower(_model()).contains(said.lower(), autoescape=True))
    return query


async def _invented(session: ReadSession, asked: Asked) -> dict[str, int]:
    """Return how many citations were taken out, by model."""
    # rights: figures, whose reader was checked
    query = select(Run.model_name, func.sum(Run.invented)).where(Run.invented > 0)
    if days := asked.filters.get("days"):
        query = query.where(Run.created_at >= now() - timedelta(days=int(days)))
    if said := storable(asked.search):
        query = query.where(func.lower(Run.model_name).contains(said.lower(), autoescape=True))
    return {name: count for name, count in await session.execute(query.group_by(Run.model_name))}


async def _told(session: ReadSession, found: Sequence[MessageFeedback]) -> tuple[RatingInfo, ...]:
    ids: list[MessageId] = [one.message_id for one in found]
    # rights: the names of models, for administrators
    named = select(MessageFeedback.message_id, _model()).where(MessageFeedback.message_id.in_(ids))
    models = {message_id: name for message_id, name in await session.execute(named)}
    return tuple(
        RatingInfo(one.id, one.created_at, models.get(one.message_id, ""), Rating(one.rating), one.reason, one.comment)
        for one in found
    )
