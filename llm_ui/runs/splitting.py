"""Experiments at work: which variant of a model, or of instructions, an answer gets, and what becomes of it.

A question takes part only where every variant could answer it: else those that one variant cannot take would all be
counted with another one, and the two would be compared by different questions. Where it takes no part it is answered as
if there were no experiment, and the answer says why. Nobody gets a model that is not theirs to ask.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from llm_ui.contract import ChatRequest
from llm_ui.db import Database, ReadSession, Session
from llm_ui.errors import BudgetSpent, TooManyRequests
from llm_ui.kit.i18n import to_tell
from llm_ui.kit.ids import ChatId, ModelId
from llm_ui.models import Run, RunStatus, Sticky, UsageLog
from llm_ui.runs.routing import Facts, reason_against
from llm_ui.services import experiment_results, experiments, prompts
from llm_ui.services.access import Actor
from llm_ui.services.experiment_results import Went
from llm_ui.services.experiment_rules import Assigned, Plan, Variant, assigned_of
from llm_ui.services.targets import ModelTarget, targets
from llm_ui.services.turns import Turn

NOT_POSSIBLE = to_tell("one of the models is switched off, or may not be asked here")
LIMITS = frozenset({BudgetSpent.code, TooManyRequests.code})


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked of a model that is split, and from where."""

    facts: Facts
    allowed: Collection[ModelId] | None = None
    """A key's models; None: all that the person may ask."""
    chat_id: ChatId | None = None
    """None: it is asked in no chat that is kept."""
    is_again: bool = False
    """Whether somebody wanted another answer to the same question."""


async def split(session: ReadSession, actor: Actor, target: ModelTarget, asking: Asking) -> ModelTarget:
    """Return who is asked: the target, or the variant that this person or chat gets in an experiment with it.

    At most two statements, where an experiment goes on with this model.
    """
    plan = await experiments.on_model(session, target.model_id)
    if plan is None:
        return target
    possible = plan.possible()
    ids = [one.model_id for one in possible if one.model_id is not None and one.model_id != target.model_id]
    found, _ = await targets(session, actor, ids)
    by_id = {one.model_id: one for one in (target, *found)}
    for one in possible:
        if reason := _against(one, target, by_id, asking):
            return replace(target, split=Assigned(plan.id, plan.name, aside=reason))
    chosen = _chosen(plan, actor, asking.chat_id)
    got = Assigned(
        plan.id, plan.name, chosen.key, chosen.name, is_promoted=bool(plan.promoted), is_again=asking.is_again,
        model_id=chosen.model_id,
    )  # fmt: skip
    picked = target if chosen.model_id is None else by_id[chosen.model_id]
    if picked is target:
        return replace(target, split=got)
    # Whoever was asked for is there where the variant does not answer, or a limit does not allow it.
    return replace(picked, split=got, asked_id=target.model_id, others=(target,), has_stand_ins=True)


async def split_instructions(
    session: ReadSession, actor: Actor, turn: Turn, target: ModelTarget, request: ChatRequest | None = None
) -> Turn:
    """Return a turn with the variant of its instructions that this person or chat gets in an experiment with them.

    At most two statements, where an experiment goes on with any instructions. None: in a temporary chat.
    """
    without = () if request is None else request.without
    if not target.has_prompt_splits or "instructions" in without:
        return turn
    prompt = await prompts.instructions(session, actor, turn.system_prompt_id)
    plan = None if prompt is None else await experiments.on_prompt(session, prompt.id)
    if plan is None:
        return turn
    chosen = _chosen(plan, actor, None if request is None else turn.chat_id)
    is_again = request is not None and is_wanted_again(request)
    got = Assigned(plan.id, plan.name, chosen.key, chosen.name, is_again=is_again, text=chosen.text)
    return replace(turn, split=got)


def is_wanted_again(request: ChatRequest) -> bool:
    """Return whether another answer is wanted in the place of one; several at once are something else."""
    return request.regenerate_of is not None and not request.is_beside and not request.merge_of


def told_of(turn: Turn, target: ModelTarget) -> dict[str, Any]:
    """Return what a run keeps of how its model and its instructions were chosen."""
    got = [one.listed() for one in (target.split, turn.split) if one is not None]
    return {
        **({} if target.choice is None else {"auto": target.choice.listed()}),
        **({"experiments": got} if got else {}),
    }


async def note_run(session: Session, run: Run) -> None:
    """Count an answer of a chat in the experiments that it took part in; most took part in none."""
    manifest = run.manifest or {}
    if not manifest.get("experiments"):
        return
    codes = {run.error_code, *(one["fault"] for one in manifest.get("tries", ()))}
    went = Went(
        run.id,
        run.answer_id,
        run.model_id,
        is_failed=run.status is RunStatus.FAILED,
        by_limit=not codes.isdisjoint(LIMITS),
        cost_usd=None if run.cached_at is not None else run.cost_usd,
        ttft_ms=run.ttft_ms,
    )
    await _note(session, assigned_of(manifest["experiments"]), went)


async def note_booked(session: Session, manifest: dict[str, Any], row: UsageLog, *, by_limit: bool) -> None:
    """Count an answer of a temporary chat likewise: nobody rates it."""
    if manifest.get("experiments"):
        await _note(session, assigned_of(manifest["experiments"]), _went(row, by_limit=by_limit))


async def note_call(database: Database, got: Assigned, row: UsageLog, *, by_limit: bool) -> None:
    """Count a script's call likewise, also one that came to nothing and is not booked."""
    async with database.writing() as session:
        await _note(session, (got,), _went(row, by_limit=by_limit))


def _went(row: UsageLog, *, by_limit: bool) -> Went:
    return Went(
        row.run_id,
        None,
        row.model_id,
        is_failed=row.status is RunStatus.FAILED,
        by_limit=by_limit,
        cost_usd=None if row.is_cached else row.cost_usd,
        ttft_ms=row.ttft_ms,
    )


async def _note(session: Session, found: Collection[Assigned], went: Went) -> None:
    for one in found:
        await experiment_results.note(session, one, went)


def _chosen(plan: Plan, actor: Actor, chat_id: ChatId | None) -> Variant:
    """Return a person's or a chat's variant. What is asked in no chat is a person's."""
    return plan.of(chat_id if plan.sticky is Sticky.CHAT and chat_id is not None else actor.user_id)


def _against(one: Variant, target: ModelTarget, by_id: dict[ModelId, ModelTarget], asking: Asking) -> str:
    """Return why a variant cannot be asked; empty: it can. What a person may not ask is not named."""
    if one.model_id is None or one.model_id == target.model_id:
        return reason_against(target, asking.facts)
    found = by_id.get(one.model_id)
    if found is None or (asking.allowed is not None and one.model_id not in asking.allowed):
        return NOT_POSSIBLE
    return reason_against(found, asking.facts)
