"""A model as it is asked: where it is, what it can, and what is known of it."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import exists

from llm_ui.db import ReadSession
from llm_ui.errors import InvalidInput, NotFound, Unavailable
from llm_ui.kit.calibration import Calibration
from llm_ui.kit.ids import ModelId, ProviderId
from llm_ui.models import AiModel, AiProvider, ModelCalibration, ModelStandIn, ProviderKind
from llm_ui.models.cached_answer import CacheMode
from llm_ui.models.limit import Limit
from llm_ui.models.safety import SafetyFilter
from llm_ui.services import settings
from llm_ui.services.access import Actor, Permission, may_ask, readable, require
from llm_ui.services.price_history import prices_of
from llm_ui.services.prices import Prices
from llm_ui.services.reach import ALONE, USUAL, Reach, Share, reach_of
from llm_ui.services.settings import DEFAULT_MODEL


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
    has_filters: bool = True
    """Whether any safety filter was ever set, for anybody."""

    @property
    def wire_name(self) -> str:
        """The name by which a script can tell it from all others."""
        return f"{self.provider_name}/{self.name}"


async def target(
    session: ReadSession, actor: Actor, model_id: ModelId | None, *, is_embedder: bool | None = False
) -> ModelTarget:
    """Return the model to ask, or to make vectors (`is_embedder`; None: either); None means the default one.

    Raises `NotFound` or `InvalidInput` with what to do when it is gone, disabled, of the other kind or none is set.
    """
    require(actor, Permission.CHAT)
    if model_id is None:
        default = await settings.get(session, DEFAULT_MODEL)
        if default is None:
            raise InvalidInput("No model is set as default. Pick one, or ask an administrator to set it.")
        model_id = ModelId(UUID(default))
    has_stand_ins = exists().where(ModelStandIn.model_id == AiModel.id)
    # Read along: where there are no limits and no filters, asking for them costs no statement.
    has_limits, has_filters = exists().where(Limit.amount > 0), exists().where(SafetyFilter.kind.is_not(None))
    more = AiProvider, ModelCalibration, may_ask(actor), has_stand_ins, has_limits, has_filters
    query = readable(AiModel, actor).add_columns(*more)
    query = query.join(AiProvider, AiProvider.id == AiModel.provider_id)
    query = query.outerjoin(ModelCalibration, ModelCalibration.model_id == AiModel.id)
    found = (await session.execute(query.where(AiModel.id == model_id, AiProvider.deleted_at.is_(None)))).one_or_none()
    if found is None:
        raise NotFound("This model does not exist any more. Pick another one.")
    model, provider, learnt, is_allowed, is_helped, is_limited, is_filtered = found
    if not model.is_enabled or not provider.is_enabled:
        raise InvalidInput("{name} is switched off. Pick another model.", name=model.display_name)
    if not is_allowed:
        raise InvalidInput("{name} is kept for teams that you are not in. Pick another model.", name=model.display_name)
    if provider.is_draining:
        raise Unavailable("{name} takes no new questions for a while. Pick another model.", name=model.display_name)
    if model.makes_embeddings and is_embedder is False:
        raise InvalidInput("{name} makes embeddings and no answers. Pick another model.", name=model.display_name)
    if is_embedder and not model.makes_embeddings:
        raise InvalidInput("{name} makes answers and no embeddings. Pick another model.", name=model.display_name)
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
        has_stand_ins=is_helped,
        cache_mode=model.cache_mode,
        cache_similar=model.cache_similar,
        has_limits=is_limited,
        has_filters=is_filtered,
        calibration=Calibration() if learnt is None else Calibration(learnt.ratio, learnt.samples),
    )
