"""What one has used, and what it cost."""

from datetime import UTC, date
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import BaseModel

from llm_ui.api.principal import Parts
from llm_ui.api.rest.door import Told, asks
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ProjectId
from llm_ui.kit.money import plain
from llm_ui.models import KeyScope
from llm_ui.services.access import Actor
from llm_ui.services.projects import require_project
from llm_ui.services.usage import figures
from llm_ui.services.usage.figures import Used
from llm_ui.services.usage.names import names
from llm_ui.services.usage.slots import Period
from llm_ui.services.usage.statements import By, Filters
from llm_ui.services.usage.zones import DAY, Step, midnight

router = APIRouter(prefix="/v1/usage", route_class=Told)

Reader = Annotated[Actor, asks(KeyScope.USAGE_READ)]
MAX_DAYS = 366
PLACE = ZoneInfo("UTC")


class Sums(BaseModel):
    """Sums of calls."""

    requests: int
    errors: int
    input_tokens: int
    output_tokens: int
    cost_usd: str
    """Exact; calls whose price nobody knows are left out."""


class OfModel(Sums):
    """Of one model."""

    model_id: UUID | None
    name: str
    """As it is called now; empty for one that is gone."""


class OfDay(Sums):
    """Of one day of UTC."""

    day: date


class Usage(BaseModel):
    """What was used in some days up to today, in UTC."""

    total: Sums
    models: list[OfModel]
    """The most expensive first."""
    days: list[OfDay]
    """Oldest first."""


@router.get("")
async def usage(
    parts: Parts, actor: Reader, project_id: UUID | None = None, days: Annotated[int, Query(ge=1, le=MAX_DAYS)] = 30
) -> Usage:
    """Return what one has used oneself, in all projects and none, or in one."""
    today = now().astimezone(UTC).date()
    period = Period(midnight(today - (days - 1) * DAY, PLACE), midnight(today + DAY, PLACE))
    within = actor.wall if project_id is None else ProjectId(project_id)
    filters = Filters(user_id=actor.user_id, project_id=within)
    async with parts.database.reading() as session:
        await require_project(session, actor, within)
        total = await figures.totals(session, actor, filters, period)
        models = await figures.ranking(session, actor, filters, period, By.MODEL)
        called = await names(session, By.MODEL, models)
        bars = await figures.series(session, actor, filters, period, place=PLACE, step=Step.DAY)
    return Usage(
        total=Sums(**_sums(total)),
        models=[OfModel(model_id=key, name=called.get(key, ""), **_sums(used)) for key, used in models.items()],
        days=[OfDay(day=bar.begins_at.date(), **_sums(bar.used)) for bar in bars],
    )


def _sums(used: Used) -> dict[str, Any]:
    counts = {name: getattr(used, name) for name in ("requests", "errors", "input_tokens", "output_tokens")}
    return {**counts, "cost_usd": plain(used.cost_usd)}
