"""A model as it is asked: where it is, what it can, and what is known of it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, bindparam, exists, or_

from llm_ui.db import ReadSession
from llm_ui.errors import InvalidInput, LLMUIError, NotFound, Unavailable
from llm_ui.kit.calibration import Calibration
from llm_ui.kit.ids import ModelId, ProviderId, TeamId
from llm_ui.models import (
    LIVE_STATES,
    AiModel,
    AiProvider,
    AutoModel,
    Budget,
    Experiment,
    ModelCalibration,
    ModelStandIn,
    ProviderKind,
    Quota,
    QuotaKind,
    Setting,
    TeamMember,
)
from llm_ui.models.cached_answer import CacheMode
from llm_ui.models.limit import Limit
from llm_ui.models.safety import SafetyFilter
from llm_ui.services import settings
from llm_ui.services.access import Actor, Permission, may_ask, readable, require
from llm_ui.services.auto_rules import AutoSettings, Choice, settings_of
from llm_ui.services.experiment_rules import Assigned
from llm_ui.services.price_history import prices_of
from llm_ui.services.prices import Prices
from llm_ui.services.reach import ALONE, USUAL, Reach, Share, reach_of
from llm_ui.services.settings import DEFAULT_MODEL, PERSON_DAY_TOKENS, PERSON_MONTH_TOKENS, PERSON_MONTH_USD

KEPT = 200
"""Queries that are kept, of as many people: some 50 KB each."""


@dataclass(frozen=True, slots=True)
class ModelTarget:
    """What a run needs to know of the model it asks."""

    model_id: ModelId
    provider_id: ProviderId
    kind: ProviderKind
    base_url: str
    sealed_key: str | None
    name: str
    display_name: str
    provider_name: str
    context_window: int | None
    max_output_tokens: int | None
    prices: Prices
    calibration: Calibration
    """How its provider counts tokens, as far as that is known."""
    can_see_images: bool = False
    can_use_tools: bool = False
    reach: Reach = USUAL
    share: Share = ALONE
    has_stand_ins: bool = False
    """Whether others can be asked where it does not answer."""
    cache_mode: CacheMode = CacheMode.OFF
    cache_similar: bool = False
    """Whether what is kept is given to questions that mean the same, too."""
    has_limits: bool = False
    """Whether administrators limit anything, here or elsewhere."""
    has_budgets: bool = True
    """Whether anything limits what anybody may spend, in money or tokens, here or elsewhere."""
    has_filters: bool = True
    """Whether any safety filter was ever set, for anybody."""
    has_split: bool = False
    """Whether an experiment goes on with it."""
    has_prompt_splits: bool = False
    """Whether one goes on with any instructions."""

    auto: AutoSettings | None = None
    """How it picks the model that answers; None: it answers itself."""
    choice: Choice | None = None
    """The *Auto* model that has picked it, and why; None: it was asked itself."""
    others: tuple["ModelTarget", ...] = ()
    """Those that it was picked among and that could be asked the same, best first."""
    split: Assigned | None = None
    """What it got in an experiment; None: none goes on."""
    asked_id: ModelId | None = None
    """The model that was asked for, which an experiment answers with this one; None: this one itself."""

    @property
    def picked_id(self) -> ModelId:
        """The model that was picked by whoever asks: this one, or that whose name it answers under."""
        picked = self.asked_id or self.share.serves_id or self.model_id
        return self.choice.auto_id if self.choice is not None else picked

    @property
    def wire_name(self) -> str:
        """The name by which a script can tell it from all others."""
        return f"{self.provider_name}/{self.name}"


async def target(
    session: ReadSession,
    actor: Actor,
    model_id: ModelId | None,
    *,
    is_embedder: bool | None = False,
    may_choose: bool = False,
) -> ModelTarget:
    """Return the model to ask, or to make vectors (`is_embedder`; None: either); None means the default one.

    `may_choose` says that the caller lets an *Auto* model pick. Raises `NotFound` or `InvalidInput` with what to do
    when it is gone, disabled, of the other kind or none is set.
    """
    require(actor, Permission.CHAT)
    if model_id is None:
        default = await settings.get(session, DEFAULT_MODEL)
        if default is None:
            raise InvalidInput("No model is set as default. Pick one, or ask an administrator to set it.")
        model_id = ModelId(UUID(default))
    found = (await session.execute(_by_id(actor), {"model_id": model_id})).one_or_none()
    if found is None:
        raise NotFound("This model does not exist any more. Pick another one.")
    made = target_of(found, is_embedder=is_embedder)
    if found.AutoModel is not None and not may_choose:
        raise InvalidInput(
            "{name} picks a model for each question. Choose a model itself here.", name=found.AiModel.display_name
        )
    return made


async def targets(
    session: ReadSession, actor: Actor, model_ids: Sequence[ModelId], team_ids: Sequence[TeamId] = ()
) -> tuple[tuple[ModelTarget, ...], frozenset[TeamId]]:
    """Return those of these models that the actor may ask now, in their order, and those of the teams they are in.

    One statement, however many they are: teams are read along.
    """
    require(actor, Permission.CHAT)
    mine = [
        exists().where(TeamMember.user_id == actor.user_id, TeamMember.team_id == team_id).label(f"team_{place}")
        for place, team_id in enumerate(team_ids)
    ]
    made, teams = {}, set()
    for row in (await session.execute(rows(actor).where(AiModel.id.in_(model_ids)).add_columns(*mine))).all():
        teams |= {team_id for place, team_id in enumerate(team_ids) if getattr(row, f"team_{place}")}
        with suppress(LLMUIError):
            one = target_of(row, is_embedder=False)
            if row.AutoModel is None:
                made[one.model_id] = one
    return tuple(made[one] for one in model_ids if one in made), frozenset(teams)


@lru_cache(KEPT)
def rows(actor: Actor) -> Select[Any]:
    """Return models with all that is known of each, and whether the actor may ask it: for `target_of`."""
    has_stand_ins = exists().where(ModelStandIn.model_id == AiModel.id)
    # Read along: where there are no limits, budgets, filters and experiments, asking for them costs no statement.
    has_limits, has_filters = exists().where(Limit.amount > 0), exists().where(SafetyFilter.kind.is_not(None))
    # rights: whether there is one
    goes_on = exists().where(Experiment.state.in_(LIVE_STATES))
    has_split = goes_on.where(Experiment.model_id == AiModel.id)
    has_prompt_splits = goes_on.where(Experiment.prompt_id.is_not(None))
    query = readable(AiModel, actor).add_columns(
        AiProvider, ModelCalibration, AutoModel, may_ask(actor).label("is_allowed"),
        has_stand_ins.label("has_stand_ins"), has_limits.label("has_limits"), has_filters.label("has_filters"),
        _has_budgets().label("has_budgets"),
        has_split.label("has_split"), has_prompt_splits.label("has_prompt_splits"),
    )  # fmt: skip
    query = query.join(AiProvider, AiProvider.id == AiModel.provider_id)
    query = query.outerjoin(ModelCalibration, ModelCalibration.model_id == AiModel.id)
    # rights: who may ask a model is told what it picks among only as far as that may be asked
    query = query.outerjoin(AutoModel, AutoModel.model_id == AiModel.id)
    return query.where(AiProvider.deleted_at.is_(None))


@lru_cache(KEPT)
def _by_id(actor: Actor) -> Select[Any]:
    return rows(actor).where(AiModel.id == bindparam("model_id"))


def _has_budgets() -> ColumnElement[bool]:
    """Return whether anything limits what anybody may spend: a budget, a quota, or what holds for everybody."""
    of_all = [one.name for one in (PERSON_MONTH_USD, PERSON_DAY_TOKENS, PERSON_MONTH_TOKENS)]
    spent = QuotaKind.MONTH_USD, QuotaKind.DAY_TOKENS, QuotaKind.MONTH_TOKENS
    return or_(
        exists().where(Budget.period_start.is_not(None)),
        exists().where(Quota.kind.in_(spent)),
        exists().where(Setting.name.in_(of_all)),
    )


def target_of(found: Row[Any], *, is_embedder: bool | None) -> ModelTarget:
    """Return the model of one of the `rows`. Raises `InvalidInput` or `Unavailable` when it cannot be asked now."""
    model, provider = found.AiModel, found.AiProvider
    if not model.is_enabled or not provider.is_enabled:
        raise InvalidInput("{name} is switched off. Pick another model.", name=model.display_name)
    if not found.is_allowed:
        raise InvalidInput("{name} is kept for teams that you are not in. Pick another model.", name=model.display_name)
    if provider.is_draining:
        raise Unavailable("{name} takes no new questions for a while. Pick another model.", name=model.display_name)
    if model.makes_embeddings and is_embedder is False:
        raise InvalidInput("{name} makes embeddings and no answers. Pick another model.", name=model.display_name)
    if is_embedder and not model.makes_embeddings:
        raise InvalidInput("{name} makes answers and no embeddings. Pick another model.", name=model.display_name)
    learnt = found.ModelCalibration
    return ModelTarget(
        model_id=model.id,
        provider_id=provider.id,
        kind=provider.kind,
        base_url=provider.base_url,
        sealed_key=provider.sealed_key,
        name=model.name,
        display_name=model.display_name,
        provider_name=provider.name,
        context_window=model.context_window,
        max_output_tokens=model.max_output_tokens,
        prices=prices_of(model),
        can_see_images=model.can_see_images,
        can_use_tools=model.can_use_tools,
        reach=reach_of(provider, model),
        share=Share(model.serves_id, model.weight, model.balancing),
        has_stand_ins=found.has_stand_ins,
        cache_mode=model.cache_mode,
        cache_similar=model.cache_similar,
        has_limits=found.has_limits,
        has_budgets=found.has_budgets,
        has_filters=found.has_filters,
        has_split=found.has_split,
        has_prompt_splits=found.has_prompt_splits,
        calibration=Calibration() if learnt is None else Calibration(learnt.ratio, learnt.samples),
        auto=None if found.AutoModel is None else settings_of(found.AutoModel),
    )
