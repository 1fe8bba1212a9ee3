"""What experiments have shown: how the answers of each variant went, and whether that tells anything yet."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import Integer, Select, case, cast, func, select

from llm_ui.db import ReadSession, Session
from llm_ui.errors import NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ExperimentId, MessageId, ModelId, RunId
from llm_ui.kit.significance import fisher
from llm_ui.models import AiModel, Experiment, ExperimentAnswer, MessageFeedback, Rating
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.experiment_rules import Assigned, Variant, plan_of
from llm_ui.services.ratings import at_least

FEWEST_RATINGS = 10
"""Of a variant: with fewer even the greatest difference is likely to be chance, or that of a few people."""
CHANCE = 0.05
"""A difference that chance makes more seldom than this is called one; divided by how many are compared (Bonferroni)."""


class Verdict(StrEnum):
    """What ratings tell of a variant beside the first one."""

    FEW = "few"
    """Too few ratings."""
    EVEN = "even"
    """The difference may be chance."""
    BETTER = "better"
    WORSE = "worse"


@dataclass(frozen=True, slots=True)
class VariantResult:
    """How the answers of a variant went."""

    variant: Variant
    answers: int
    failed: int
    again: int
    """How many were wanted because another answer was not liked."""
    up: int
    down: int
    cost_usd: Decimal | None
    """The median of those that a model was paid for; None: there are none."""
    ttft_ms: float | None
    """The median."""
    verdict: Verdict | None
    """None for the first variant, which the others are compared with."""
    p: float | None
    """How likely chance alone makes such a difference in ratings, or a greater one; None: too few ratings."""

    @property
    def share(self) -> tuple[float, float, float] | None:
        """The share of good ratings, and between which it is with 95 % certainty (Wilson); None: nobody has rated."""
        if not self.up + self.down:
            return None
        return self.up / (self.up + self.down), at_least(self.up, self.down), 1 - at_least(self.down, self.up)

    @property
    def failed_share(self) -> float | None:
        """The share of answers that it did not give."""
        return self.failed / self.answers if self.answers else None

    @property
    def again_share(self) -> float | None:
        """How often another answer was wanted, for each that was wanted first."""
        first = self.answers - self.again
        return self.again / first if first else None


async def results(session: ReadSession, actor: Actor, experiment_id: ExperimentId) -> tuple[VariantResult, ...]:
    """Return how each variant does, in their order. Raises `NotFound`."""
    require(actor, Permission.MANAGE_SETTINGS)
    row = await session.scalar(readable(Experiment, actor).where(Experiment.id == experiment_id))
    if row is None:
        raise NotFound("This experiment does not exist any more. Reload the list.")
    plan = plan_of(row)
    counts, rated = await _counts(session, actor, experiment_id), await _rated(session, actor, experiment_id)
    base = rated.get(plan.variants[0].key, (0, 0))
    compared = len(plan.variants) - 1
    found = []
    for place, variant in enumerate(plan.variants):
        answers, failed, again, priced, timed = counts.get(variant.key, (0, 0, 0, 0, 0))
        up, down = rated.get(variant.key, (0, 0))
        verdict, p = (None, None) if place == 0 else await asyncio.to_thread(_verdict, base, (up, down), compared)
        mine = readable(ExperimentAnswer, actor).where(
            ExperimentAnswer.experiment_id == experiment_id, ExperimentAnswer.variant == variant.key
        )
        cost_usd = await _median(session, mine, ExperimentAnswer.cost_usd, priced)
        ttft_ms = await _median(session, mine, ExperimentAnswer.ttft_ms, timed)
        found.append(VariantResult(variant, answers, failed, again, up, down, cost_usd, ttft_ms, verdict, p))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Went:
    """How an answer went that took part."""

    run_id: RunId
    answer_id: MessageId | None
    model_id: ModelId | None
    """Who has answered."""
    is_failed: bool
    by_limit: bool
    """Whether a limit has left it to a cheaper model."""
    cost_usd: Decimal | None
    """None also for an answer that was there already."""
    ttft_ms: float | None


async def note(session: Session, assigned: Assigned, went: Went) -> None:
    """Count an answer, once however often it is tried; one that took no part in the end is not counted."""
    if not assigned.variant or assigned.is_promoted:
        return
    is_failed = went.is_failed or await _is_another(session, assigned.model_id, went.model_id)
    if is_failed and went.by_limit:
        return
    # rights: the product's own bookkeeping
    known = select(Experiment.id).where(Experiment.id == assigned.experiment_id)
    # Locked: one that is deleted at this moment must not fail the end of an answer.
    if await session.scalar(known.with_for_update(read=True, key_share=True)) is None:
        return
    if await session.get(ExperimentAnswer, (assigned.experiment_id, went.run_id)) is None:
        session.add(
            ExperimentAnswer(
                experiment_id=assigned.experiment_id, run_id=went.run_id, variant=assigned.variant,
                answer_id=went.answer_id, is_failed=is_failed, is_again=assigned.is_again,
                cost_usd=None if is_failed else went.cost_usd, ttft_ms=None if is_failed else went.ttft_ms,
                created_at=now(),
            )
        )  # fmt: skip
        await session.flush()


async def _is_another(session: ReadSession, wanted: ModelId | None, answered: ModelId | None) -> bool:
    """Return whether somebody else stood in for the variant's model: its deployments are the model itself."""
    if wanted is None or answered in (wanted, None):
        return False
    # rights: under whose name a model answers
    return await session.scalar(select(AiModel.serves_id).where(AiModel.id == answered)) != wanted


async def took_part(session: ReadSession, run_id: RunId) -> tuple[Assigned, ...]:
    """Return what a script's call got in experiments: of it nothing else is kept. The caller has checked who asks."""
    # rights: asked by the caller
    query = select(Experiment, ExperimentAnswer).join(ExperimentAnswer, ExperimentAnswer.experiment_id == Experiment.id)
    rows = await session.execute(query.where(ExperimentAnswer.run_id == run_id))
    return tuple(
        Assigned(row.id, row.name, answer.variant, "" if known is None else known.name, is_again=answer.is_again)
        for row, answer in rows
        for known in [plan_of(row).variant(answer.variant)]
    )


def _verdict(base: tuple[int, int], mine: tuple[int, int], compared: int) -> tuple[Verdict, float | None]:
    if min(sum(base), sum(mine)) < FEWEST_RATINGS:
        return Verdict.FEW, None
    p = fisher(*mine, *base)
    if p >= CHANCE / compared:
        return Verdict.EVEN, p
    return (Verdict.BETTER if mine[0] * sum(base) > base[0] * sum(mine) else Verdict.WORSE), p


async def _counts(session: ReadSession, actor: Actor, experiment_id: ExperimentId) -> dict[str, tuple[int, ...]]:
    one = ExperimentAnswer
    sums = [func.sum(cast(each, Integer)) for each in (one.is_failed, one.is_again)]
    query = readable(one, actor).where(one.experiment_id == experiment_id).group_by(one.variant)
    columns = query.with_only_columns(
        one.variant, func.count(), *sums, func.count(one.cost_usd), func.count(one.ttft_ms)
    )
    return {row[0]: tuple(map(int, row[1:])) for row in await session.execute(columns)}


async def _rated(session: ReadSession, actor: Actor, experiment_id: ExperimentId) -> dict[str, tuple[int, int]]:
    good, bad = (func.sum(case((MessageFeedback.rating == one.value, 1), else_=0)) for one in (Rating.UP, Rating.DOWN))
    query = readable(ExperimentAnswer, actor).where(ExperimentAnswer.experiment_id == experiment_id)
    # rights: sums of ratings, for administrators
    query = query.join(MessageFeedback, MessageFeedback.message_id == ExperimentAnswer.answer_id)
    rows = await session.execute(
        query.group_by(ExperimentAnswer.variant).with_only_columns(ExperimentAnswer.variant, good, bad)
    )
    return {variant: (int(up), int(down)) for variant, up, down in rows}


async def _median(session: ReadSession, mine: Select[Any], column: Any, count: int) -> Any:
    """Return the middle one of so many values: databases differ in what they have for that."""
    if not count:
        return None
    known = mine.where(column.is_not(None)).with_only_columns(column).order_by(column)
    return await session.scalar(known.offset((count - 1) // 2).limit(1))
