"""What depends on a model, or on a provider with all its models: what would break if it could not be asked any more.

Figures are of everybody; names are told only of what the administrator may see.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, func, or_, select

from llm_ui.db import ReadSession
from llm_ui.errors import NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ModelId, ProviderId
from llm_ui.models import (
    LIVE_STATES,
    LIVE_STATUSES,
    Agent,
    AiModel,
    ApiKey,
    Document,
    Experiment,
    ModelStandIn,
    Project,
    Run,
    Team,
    TeamModel,
)
from llm_ui.services import settings
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.experiment_rules import plan_of
from llm_ui.services.settings import DEFAULT_MODEL, EMBEDDING_MODEL, HELPER_MODEL, RERANKING_MODEL
from llm_ui.services.usage import figures
from llm_ui.services.usage.slots import Period
from llm_ui.services.usage.statements import Filters

LATELY = timedelta(days=7)
MOST_NAMES = 5
"""That are told of each; the others are counted."""


@dataclass(frozen=True, slots=True)
class Some:
    """How many there are, and the names of a few that the administrator may see."""

    count: int = 0
    names: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.count > 0


@dataclass(frozen=True, slots=True)
class Dependants:
    """What would break."""

    is_default: bool
    """New chats begin with it."""
    is_helper: bool
    """It makes titles, tags, suggestions, summaries and queries."""
    is_embedder: bool
    """Documents are found by meaning with it."""
    is_reranker: bool
    documents: int
    """Of which it has made the vectors."""
    projects: Some
    """Whose chats begin with it."""
    agents: Some
    """That answer with it."""
    helped: Some
    """Other models that it stands in for."""
    keys: Some
    """Of the API, that may ask it but not all models."""
    teams: Some
    """For which it is kept."""
    experiments: Some
    """That go on, and are about it."""
    running: int
    """Answers that are on their way."""
    calls: int
    """In the last seven days, of everybody and everything."""
    people: int
    """Who made these."""

    def __bool__(self) -> bool:
        return self != NOTHING


NOTHING = Dependants(
    is_default=False, is_helper=False, is_embedder=False, is_reranker=False, documents=0, projects=Some(),
    agents=Some(), helped=Some(), keys=Some(), teams=Some(), experiments=Some(), running=0, calls=0, people=0,
)  # fmt: skip


async def of_model(session: ReadSession, actor: Actor, model_id: ModelId) -> Dependants:
    """Return what depends on a model. Raises `NotFound`."""
    require(actor, Permission.MANAGE_PROVIDERS)
    if await session.scalar(readable(AiModel, actor).where(AiModel.id == model_id)) is None:
        raise NotFound("This model does not exist any more. Reload the list.")
    return await _found(session, actor, {model_id}, Filters(model_id=model_id))


async def of_provider(session: ReadSession, actor: Actor, provider_id: ProviderId) -> Dependants:
    """Return what depends on the models of a provider, those that are switched off included."""
    require(actor, Permission.MANAGE_PROVIDERS)
    query = readable(AiModel, actor).where(AiModel.provider_id == provider_id).with_only_columns(AiModel.id)
    return await _found(session, actor, set(await session.scalars(query)), Filters(provider_id=provider_id))


async def _found(session: ReadSession, actor: Actor, ids: set[ModelId], filters: Filters) -> Dependants:
    held = await settings.get_all(session, DEFAULT_MODEL, HELPER_MODEL, EMBEDDING_MODEL, RERANKING_MODEL)
    chosen = {name for name, value in held.items() if value in set(map(str, ids))}
    week = Period(now() - LATELY, now())
    return Dependants(
        is_default=DEFAULT_MODEL.name in chosen,
        is_helper=HELPER_MODEL.name in chosen,
        is_embedder=EMBEDDING_MODEL.name in chosen,
        is_reranker=RERANKING_MODEL.name in chosen,
        # rights: how many, and nothing of them
        documents=await _count(session, select(Document).where(Document.embedded_by.in_(ids))),
        projects=await _projects(session, actor, ids),
        agents=await _agents(session, actor, ids),
        helped=await _helped(session, actor, ids),
        keys=await _keys(session, actor, ids),
        teams=await _teams(session, actor, ids),
        experiments=await _experiments(session, actor, ids),
        running=await _count(session, select(Run).where(Run.model_id.in_(ids), Run.status.in_(LIVE_STATUSES))),
        calls=(await figures.totals(session, actor, filters, week)).requests,
        people=await figures.active_people(session, actor, week, filters),
    )


async def _projects(session: ReadSession, actor: Actor, ids: set[ModelId]) -> Some:
    # rights: how many; names are those of the actor's own
    count = await _count(session, select(Project).where(Project.model_id.in_(ids)))
    mine = readable(Project, actor).where(Project.model_id.in_(ids)).with_only_columns(Project.name)
    return await _some(session, count, mine.order_by(Project.name))


async def _agents(session: ReadSession, actor: Actor, ids: set[ModelId]) -> Some:
    # rights: how many; names are of those that the actor may ask
    count = await _count(session, select(Agent).where(Agent.model_id.in_(ids), Agent.deleted_at.is_(None)))
    mine = readable(Agent, actor).where(Agent.model_id.in_(ids)).with_only_columns(Agent.name)
    return await _some(session, count, mine.order_by(Agent.name))


async def _helped(session: ReadSession, actor: Actor, ids: set[ModelId]) -> Some:
    query = readable(AiModel, actor).join(ModelStandIn, ModelStandIn.model_id == AiModel.id).distinct()
    query = query.where(ModelStandIn.stand_in_id.in_(ids), AiModel.id.not_in(ids))
    names = query.with_only_columns(AiModel.display_name).order_by(AiModel.display_name)
    return await _some(session, await _count(session, query.with_only_columns(AiModel.id)), names)


async def _keys(session: ReadSession, actor: Actor, ids: set[ModelId]) -> Some:
    is_live = ApiKey.revoked_at.is_(None), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now())
    # Restricted keys are few, and databases differ in how they look into a list.
    live = readable(ApiKey, actor).where(*is_live).order_by(ApiKey.name)
    wanted = set(map(str, ids))
    rows = await session.execute(live.with_only_columns(ApiKey.name, ApiKey.models))
    names = [row.name for row in rows if row.models and not wanted.isdisjoint(row.models)]
    return Some(len(names), tuple(names[:MOST_NAMES]))


async def _teams(session: ReadSession, actor: Actor, ids: set[ModelId]) -> Some:
    query = readable(Team, actor).join(TeamModel, TeamModel.team_id == Team.id).where(TeamModel.model_id.in_(ids))
    count = await _count(session, query.distinct().with_only_columns(Team.id))
    return await _some(session, count, query.distinct().with_only_columns(Team.name).order_by(Team.name))


async def _experiments(session: ReadSession, actor: Actor, ids: set[ModelId]) -> Some:
    # Few go on at a time, and databases differ in how they look into a list.
    rows = await session.scalars(readable(Experiment, actor).where(Experiment.state.in_(LIVE_STATES)))
    names = sorted(
        plan.name for plan in map(plan_of, rows) if not ids.isdisjoint({one.model_id for one in plan.variants})
    )
    return Some(len(names), tuple(names[:MOST_NAMES]))


async def _some(session: ReadSession, count: int, names: Select[Any]) -> Some:
    return Some(count, tuple(await session.scalars(names.limit(MOST_NAMES))) if count else ())


async def _count(session: ReadSession, query: Select[Any]) -> int:
    return await session.scalar(select(func.count()).select_from(query.subquery())) or 0
