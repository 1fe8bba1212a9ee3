"""Experiments: what administrators try with a model or with instructions, and what answers go by.

Who gets which variant follows from a hash (experiment_rules.py), so that nothing is stored for anybody. Answers read an
experiment at each question that it is about, and at no other: what is changed here holds from the next question on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, func, select

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, InvalidInput, NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ExperimentId, ModelId, PromptId, uuid7
from llm_ui.kit.text import one_line, storable
from llm_ui.models import (
    LIVE_STATES,
    AiModel,
    AiProvider,
    Experiment,
    ExperimentAnswer,
    ExperimentState,
    ProviderKind,
    Sticky,
    SystemPrompt,
)
from llm_ui.services import audit, prompts
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.experiment_rules import KEYS, MOST_VARIANTS, Plan, Variant, plan_of
from llm_ui.services.prompts import MAX_TEXT_CHARS

MAX_NAME_CHARS = 80
MAX_WEIGHT = 100
AS_IT_IS = "As it is"
"""What the first variant of instructions is called."""
SHOWN_TEXT_CHARS = 40
"""Of instructions, as the name of a variant."""


@dataclass(frozen=True, slots=True)
class ExperimentInfo:
    """An experiment, for administrators."""

    plan: Plan
    splits: str
    """Name of the model or of the instructions that are split."""
    answers: int
    """That took part by now."""
    is_over: bool
    """Whether its time is over, though nobody has stopped it."""


@dataclass(frozen=True, slots=True)
class Way:
    """A variant as an administrator sets it."""

    weight: int
    model_id: ModelId | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class ExperimentChange:
    """What an administrator sets. Either a model is split, or instructions are."""

    name: str
    weight: int
    """Of what is split, as it is."""
    ways: tuple[Way, ...]
    """The other variants."""
    model_id: ModelId | None = None
    prompt_id: PromptId | None = None
    sticky: Sticky = Sticky.PERSON
    starts_at: datetime | None = None
    ends_at: datetime | None = None


async def list_experiments(session: ReadSession, actor: Actor) -> tuple[ExperimentInfo, ...]:
    """Return all experiments, newest first."""
    counts = select(ExperimentAnswer.experiment_id, func.count().label("answers"))
    # rights: how many, of experiments that the actor may see
    counted = counts.group_by(ExperimentAnswer.experiment_id).subquery()
    query: Select[Any] = readable(Experiment, actor).outerjoin(AiModel, AiModel.id == Experiment.model_id)
    query = query.outerjoin(SystemPrompt, SystemPrompt.id == Experiment.prompt_id)
    query = query.outerjoin(counted, counted.c.experiment_id == Experiment.id)
    query = query.add_columns(
        func.coalesce(AiModel.display_name, SystemPrompt.name, "").label("splits"), counted.c.answers
    )
    rows = (await session.execute(query.order_by(Experiment.created_at.desc(), Experiment.id.desc()))).all()
    return tuple(
        ExperimentInfo(plan := plan_of(row), splits, answers or 0, plan.is_over(now())) for row, splits, answers in rows
    )


async def add_experiment(session: Session, actor: Actor, new: ExperimentChange) -> ExperimentId:
    """Add one, which nobody takes part in before it is started. Raises `InvalidInput` and `NotFound`."""
    require(actor, Permission.MANAGE_SETTINGS)
    name, variants = await _checked(session, actor, new)
    row = Experiment(
        id=ExperimentId(uuid7()), name=name, model_id=new.model_id, prompt_id=new.prompt_id,
        variants=[one.stored() for one in variants], sticky=new.sticky, starts_at=new.starts_at, ends_at=new.ends_at,
        state=ExperimentState.DRAFT,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    await audit.record(
        session, actor, "experiment.added", name, target_id=row.id, sticky=new.sticky.value,
        changes=audit.difference({}, _audited(variants)),
    )  # fmt: skip
    return row.id


async def change_experiment(
    session: Session, actor: Actor, experiment_id: ExperimentId, change: ExperimentChange
) -> None:
    """Set what it compares; of one that was started its name, its weights and its times alone.

    Raises `InvalidInput`, `Conflict` and `NotFound`.
    """
    require(actor, Permission.MANAGE_SETTINGS)
    row = await _row(session, actor, experiment_id)
    name, variants = await _checked(session, actor, change)
    before, was = audit.fields(row, "name", "sticky", "starts_at", "ends_at"), plan_of(row).variants
    is_same = [(one.model_id, one.text) for one in was] == [(one.model_id, one.text) for one in variants]
    same_split = (row.model_id, row.prompt_id, row.sticky) == (change.model_id, change.prompt_id, change.sticky)
    if row.state is not ExperimentState.DRAFT and not (is_same and same_split):
        raise Conflict(
            "{name} was started: its variants stay as they are, for answers are counted. Add another one.",
            name=row.name,
        )
    row.name, row.variants, row.sticky = name, [one.stored() for one in variants], change.sticky
    row.model_id, row.prompt_id = change.model_id, change.prompt_id
    row.starts_at, row.ends_at = change.starts_at, change.ends_at
    after = audit.fields(row, "name", "sticky", "starts_at", "ends_at")
    if changes := audit.difference({**before, **_audited(was)}, {**after, **_audited(variants)}):
        await audit.record(session, actor, "experiment.changed", row.name, target_id=row.id, changes=changes)


async def start(session: Session, actor: Actor, experiment_id: ExperimentId) -> None:
    """Let answers go by it, from its first instant on. Raises `InvalidInput`, `Conflict` and `NotFound`."""
    require(actor, Permission.MANAGE_SETTINGS)
    row = await _row(session, actor, experiment_id)
    if row.state in LIVE_STATES:
        raise Conflict("{name} goes on already. Reload the page.", name=row.name)
    if plan_of(row).is_over(now()):
        raise InvalidInput("The time of {name} is over. Set a later end, then start it.", name=row.name)
    await _require_alone(session, actor, row)
    row.state, row.promoted = ExperimentState.RUNNING, ""
    await session.flush()
    await audit.record(session, actor, "experiment.started", row.name, target_id=row.id)


async def stop(session: Session, actor: Actor, experiment_id: ExperimentId) -> None:
    """Let all get what they ask for again. What was counted stays. Raises `NotFound`."""
    require(actor, Permission.MANAGE_SETTINGS)
    row = await _row(session, actor, experiment_id)
    if row.state is not ExperimentState.STOPPED:
        row.state, row.promoted = ExperimentState.STOPPED, ""
        await audit.record(session, actor, "experiment.stopped", row.name, target_id=row.id)


async def promote(session: Session, actor: Actor, experiment_id: ExperimentId, key: str) -> None:
    """Let all get a variant: a model in the place of the one they ask for, or its text as the instructions.

    Instructions are changed themselves, with a version, and the experiment is over. A model is asked in the place of
    the other one until the experiment is stopped. The first variant is what is there: with it the experiment is over.

    Raises `InvalidInput`, `Conflict` and `NotFound`.
    """
    require(actor, Permission.MANAGE_SETTINGS)
    row = await _row(session, actor, experiment_id)
    plan = plan_of(row)
    chosen = plan.variant(key)
    if chosen is None:
        raise InvalidInput("This variant does not exist. Reload the page.")
    if row.state is ExperimentState.DRAFT:
        raise InvalidInput("{name} was never started: nothing is known of its variants.", name=row.name)
    is_first = key == KEYS[0]
    if plan.prompt_id is not None and not is_first:
        await prompts.change_text(session, actor, plan.prompt_id, chosen.text)
    if plan.model_id is not None and not is_first:
        await _require_alone(session, actor, row)
        row.state, row.promoted = ExperimentState.PROMOTED, key
    else:
        row.state, row.promoted = ExperimentState.STOPPED, ""
    await session.flush()
    await audit.record(session, actor, "experiment.promoted", row.name, target_id=row.id, variant=_told(chosen))


async def delete_experiment(session: Session, actor: Actor, experiment_id: ExperimentId) -> None:
    """Delete it with all that was counted. Raises `NotFound`."""
    require(actor, Permission.MANAGE_SETTINGS)
    row = await _row(session, actor, experiment_id)
    await session.delete(row)
    await session.flush()
    await audit.record(session, actor, "experiment.deleted", row.name, target_id=row.id)


async def on_model(session: ReadSession, model_id: ModelId) -> Plan | None:
    """Return the experiment that answers of a model go by now; None: there is none."""
    # rights: the product's own look at what an answer is to go by
    return await _now_on(session, select(Experiment).where(Experiment.model_id == model_id))


async def on_prompt(session: ReadSession, prompt_id: PromptId) -> Plan | None:
    """Return the same of instructions."""
    # rights: as above
    return await _now_on(session, select(Experiment).where(Experiment.prompt_id == prompt_id))


async def _now_on(session: ReadSession, query: Select[Experiment]) -> Plan | None:
    row = await session.scalar(query.where(Experiment.state.in_(LIVE_STATES)))
    plan = None if row is None else plan_of(row)
    return plan if plan is not None and plan.is_on(now()) else None


async def _checked(session: ReadSession, actor: Actor, change: ExperimentChange) -> tuple[str, tuple[Variant, ...]]:
    """Return the name and the variants in one form. Raises `InvalidInput` and `NotFound`."""
    name = one_line(change.name, MAX_NAME_CHARS)
    if not name:
        raise InvalidInput("Give it a name, so that you find it among its results.")
    if not 1 <= len(change.ways) < MOST_VARIANTS:
        raise InvalidInput("Choose from 1 to {most} other variants.", most=MOST_VARIANTS - 1)
    weights = [change.weight, *(one.weight for one in change.ways)]
    if not all(1 <= weight <= MAX_WEIGHT for weight in weights):
        raise InvalidInput("A weight is a whole number from 1 to {most}.", most=MAX_WEIGHT)
    starts, ends = change.starts_at or datetime.min.replace(tzinfo=UTC), change.ends_at
    if ends is not None and ends <= starts:
        raise InvalidInput("It ends before it begins. Set a later end.")
    if change.model_id is not None:
        return name, await _models(session, actor, change.model_id, change)
    if change.prompt_id is not None:
        return name, await _texts(session, actor, change.prompt_id, change)
    raise InvalidInput("Choose what is split.")


async def _models(
    session: ReadSession, actor: Actor, model_id: ModelId, change: ExperimentChange
) -> tuple[Variant, ...]:
    ids = [model_id, *(one.model_id for one in change.ways if one.model_id is not None)]
    if len(set(ids)) < len(change.ways) + 1:
        raise InvalidInput("Choose another model for each variant.")
    query = readable(AiModel, actor).join(AiProvider, AiProvider.id == AiModel.provider_id)
    query = query.where(AiModel.id.in_(ids), ~AiModel.makes_embeddings, AiProvider.kind != ProviderKind.AUTO)
    query = query.where(AiProvider.deleted_at.is_(None))
    named = {row.id: row.display_name for row in await session.scalars(query)}
    if len(named) < len(ids):
        raise InvalidInput("One of these models is gone, or makes no answers itself. Reload the page.")
    weights = [change.weight, *(one.weight for one in change.ways)]
    return tuple(
        Variant(key, named[one], weight, model_id=one) for key, one, weight in zip(KEYS, ids, weights, strict=False)
    )


async def _texts(
    session: ReadSession, actor: Actor, prompt_id: PromptId, change: ExperimentChange
) -> tuple[Variant, ...]:
    query = readable(SystemPrompt, actor).where(SystemPrompt.id == prompt_id, SystemPrompt.owner_id.is_(None))
    if await session.scalar(query) is None:
        raise NotFound("These instructions do not exist any more. Reload the page.")
    texts = [storable(one.text).strip() for one in change.ways]
    if not all(texts) or len(set(texts)) < len(texts):
        raise InvalidInput("Write other instructions for each variant.")
    if max(map(len, texts)) > MAX_TEXT_CHARS:
        raise InvalidInput("The instructions are longer than {most} characters. Shorten them.", most=MAX_TEXT_CHARS)
    others = [
        Variant(key, one_line(text, SHOWN_TEXT_CHARS), way.weight, text=text)
        for key, text, way in zip(KEYS[1:], texts, change.ways, strict=False)
    ]
    return (Variant(KEYS[0], AS_IT_IS, change.weight), *others)


async def _require_alone(session: Session, actor: Actor, row: Experiment) -> None:
    """Raise `Conflict` while another experiment with the same goes on."""
    same = (Experiment.model_id == row.model_id) if row.model_id is not None else Experiment.prompt_id == row.prompt_id
    others = readable(Experiment, actor).where(same, Experiment.id != row.id, Experiment.state.in_(LIVE_STATES))
    other = await session.scalar(others)
    if other is not None:
        raise Conflict("{name} goes on with the same. Stop it first.", name=other.name)


async def _row(session: Session, actor: Actor, experiment_id: ExperimentId) -> Experiment:
    query = readable(Experiment, actor).where(Experiment.id == experiment_id).with_for_update()
    row = await session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound("This experiment does not exist any more. Reload the list.")
    return row


def _audited(variants: Sequence[Variant]) -> dict[str, str]:
    """Return variants as an entry of the audit log tells them."""
    texts = {f"text_{one.key}": one.text for one in variants if one.text}
    return {"variants": ", ".join(map(_told, variants)), **texts}


def _told(variant: Variant) -> str:
    return f"{variant.key.upper()}: {variant.name} ({variant.weight})"
