"""What models can do for people at the moment, found from how their providers do and from what stands in for them.

A model whose providers are all shown as down is answered by the first of its stand-ins that is well, else it gives
what is kept of its answers, else nothing. The workspace is full while all its models are well, degraded while some are
not, cached while there are kept answers only, and static while there is nothing. The demo, which is no language model,
counts only where there is no other. What comes and goes within seconds is no change (services/provider_health.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select

from llm_ui.db import ReadSession
from llm_ui.errors import NothingAnswers
from llm_ui.kit.ids import ModelId, ProviderId
from llm_ui.models import AiModel, AiProvider, ModelStandIn, ProviderKind
from llm_ui.models.cached_answer import CacheMode
from llm_ui.services import provider_health, settings
from llm_ui.services.access import SYSTEM, readable
from llm_ui.services.provider_health import DOWN_EVERY
from llm_ui.services.settings import PROBE_SECONDS, STATIC_NOTICE

SOONEST_S, LATEST_S = 5, 60
"""Until somebody who could not be answered is told to try again."""


class Level(StrEnum):
    """How much of the workspace's service there is, from all to nothing."""

    FULL = "full"
    DEGRADED = "degraded"
    CACHED = "cached"
    STATIC = "static"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a model does that does not answer itself."""

    stand_ins: tuple[ModelId, ...]
    """Those that answer in its place, the first one first."""
    is_kept: bool
    """Whether answers of it are kept, to be given to the same question."""


@dataclass(frozen=True, slots=True)
class Service:
    """What there is at the moment."""

    level: Level = Level.FULL
    fallen: Mapping[ModelId, Standing] = field(default_factory=dict)
    """The models that do not answer themselves."""
    notice: str = ""
    """What an administrator wrote for when there is nothing."""
    again_s: int = SOONEST_S
    """Seconds until one is tried again."""
    every_s: int = 0
    """Seconds between tries."""

    def refusal(self) -> NothingAnswers:
        """Return what whoever asks is told where there is nothing."""
        seconds = self.again_s
        if self.notice:
            return NothingAnswers(
                "{notice} It is tried again in {seconds} seconds.",
                retry_after=seconds, notice=self.notice, seconds=seconds,
            )  # fmt: skip
        return NothingAnswers(
            "No model can answer at the moment. Try again in {seconds} seconds.", retry_after=seconds, seconds=seconds
        )


@dataclass(frozen=True, slots=True)
class _Model:
    provider_id: ProviderId
    serves_id: ModelId | None
    is_kept: bool
    is_demo: bool


async def read(session: ReadSession, at: datetime) -> Service:
    """Return what there is. Anybody may know; whose models they are decides what of it is shown."""
    known = await provider_health.known(session)
    down = {one.provider_id: one for one in known if one.is_shown_down(at)}
    if not down:
        return Service()
    models = await _models(session)
    fallen_ids = {model_id for model_id in models if _is_fallen(models, model_id, down)}
    counted = [one for one in models.values() if not one.is_demo] or models
    rows = await session.execute(select(ModelStandIn).order_by(ModelStandIn.model_id, ModelStandIn.place))
    helpers: dict[ModelId, list[ModelId]] = {}
    for row in rows.scalars():
        if row.stand_in_id in models and row.stand_in_id not in fallen_ids:
            helpers.setdefault(row.model_id, []).append(row.stand_in_id)
    fallen = {one: Standing(tuple(helpers.get(one, ())), models[one].is_kept) for one in fallen_ids}
    held = await settings.get_all(session, STATIC_NOTICE, PROBE_SECONDS)
    # Without probes the next call tries, once the breaker lets it.
    every_s = min(held[PROBE_SECONDS.name] or LATEST_S, int(DOWN_EVERY.total_seconds()))
    due = min((one.due_at for one in down.values() if one.due_at is not None), default=at)
    again_s = max(SOONEST_S, min(LATEST_S, round((due - at).total_seconds())))
    return Service(_level(len(counted), fallen), fallen, held[STATIC_NOTICE.name], again_s, every_s)


def _level(count: int, fallen: Mapping[ModelId, Standing]) -> Level:
    if not fallen:
        return Level.FULL
    if len(fallen) < count or any(one.stand_ins for one in fallen.values()):
        return Level.DEGRADED
    return Level.CACHED if any(one.is_kept for one in fallen.values()) else Level.STATIC


async def _models(session: ReadSession) -> Mapping[ModelId, _Model]:
    """Return the models that may be asked by anybody."""
    query = (
        readable(AiModel, SYSTEM)
        .add_columns(AiProvider.kind)
        .join(AiProvider, AiProvider.id == AiModel.provider_id)
        .where(AiModel.is_enabled, ~AiModel.makes_embeddings, AiProvider.is_enabled, ~AiProvider.is_draining)
    )
    return {
        model.id: _Model(
            model.provider_id, model.serves_id, model.cache_mode is not CacheMode.OFF, kind is ProviderKind.DEMO
        )
        for model, kind in await session.execute(query)
    }


def _is_fallen(models: Mapping[ModelId, _Model], model_id: ModelId, down: Mapping[ProviderId, object]) -> bool:
    """Return whether neither a model nor any that serves under its name can be reached."""
    serving = [one for one_id, one in models.items() if model_id in (one_id, one.serves_id)]
    return all(one.provider_id in down for one in serving)
