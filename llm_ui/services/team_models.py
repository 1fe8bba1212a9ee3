"""Models that are kept for teams. Who may ask one says `may_ask` in access.py."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import delete, func, select

from llm_ui.db import ReadSession, Session
from llm_ui.kit.ids import ModelId, TeamId
from llm_ui.models import AiModel, AiProvider, Team, TeamModel
from llm_ui.services import audit
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.ai_models import refuse_default
from llm_ui.services.teams import team_row


@dataclass(frozen=True, slots=True)
class KeptModel:
    """A model, and the teams that it is kept for; none: it is everybody's."""

    id: ModelId
    name: str
    provider_name: str
    teams: tuple[str, ...]
    is_kept: bool
    """For the team that was asked about."""


async def list_kept(session: ReadSession, actor: Actor, team_id: TeamId) -> tuple[KeptModel, ...]:
    """Return the models that are kept for a team, by name. Raises `NotFound`."""
    return tuple(one for one in await _models(session, actor, team_id) if one.is_kept)


async def list_all(session: ReadSession, actor: Actor, team_id: TeamId) -> tuple[KeptModel, ...]:
    """Return all models, for whoever chooses what is kept for a team. Raises `NotFound` and `Forbidden`."""
    require(actor, Permission.MANAGE_PROVIDERS)
    return await _models(session, actor, team_id)


async def keep(session: Session, actor: Actor, team_id: TeamId, model_ids: Collection[ModelId]) -> None:
    """Keep just these models for a team; the others it has are kept for their other teams, or everybody's.

    Raises `NotFound`, and `InvalidInput` for the default model.
    """
    require(actor, Permission.MANAGE_PROVIDERS)
    team = await team_row(session, actor, team_id, is_locked=True)
    before = await _kept(session, team_id)
    wanted = (await session.scalars(readable(AiModel, actor).where(AiModel.id.in_(model_ids)))).all()
    for row in wanted:
        await refuse_default(session, row)
    await session.execute(delete(TeamModel).where(TeamModel.team_id == team_id))
    session.add_all(TeamModel(team_id=team_id, model_id=row.id) for row in wanted)
    await session.flush()
    if changes := audit.difference({"models": before}, {"models": await _kept(session, team_id)}):
        await audit.record(session, actor, "team.changed", team.name, target_id=team_id, changes=changes)


async def _models(session: ReadSession, actor: Actor, team_id: TeamId) -> tuple[KeptModel, ...]:
    await team_row(session, actor, team_id)
    query = readable(AiModel, actor).join(AiProvider, AiProvider.id == AiModel.provider_id).add_columns(AiProvider.name)
    listed = query.where(AiProvider.deleted_at.is_(None)).order_by(func.lower(AiModel.display_name), AiModel.id)
    # rights: members of a team may know with which others they share a model
    pairs = select(TeamModel.model_id, TeamModel.team_id, Team.name).join(Team, Team.id == TeamModel.team_id)
    kept = [(row.model_id, row.team_id, row.name) for row in await session.execute(pairs.order_by(Team.name_key))]
    return tuple(
        KeptModel(
            id=model.id,
            name=model.display_name,
            provider_name=provider,
            teams=tuple(name for model_id, _, name in kept if model_id == model.id),
            is_kept=any(model_id == model.id and each == team_id for model_id, each, _ in kept),
        )
        for model, provider in await session.execute(listed)
    )


async def _kept(session: ReadSession, team_id: TeamId) -> list[str]:
    # rights: asked by the caller; names for the audit log
    kept = select(AiModel.display_name).join(TeamModel, TeamModel.model_id == AiModel.id)
    return list(await session.scalars(kept.where(TeamModel.team_id == team_id).order_by(AiModel.display_name)))
