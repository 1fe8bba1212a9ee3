"""Deployments: models of several providers that serve under one name, that of the first of them."""

from dataclasses import dataclass, replace

from llm_ui.db import ReadSession, Session
from llm_ui.errors import InvalidInput, LLMUIError, NotFound
from llm_ui.kit.ids import ModelId
from llm_ui.models import AiModel, Balancing
from llm_ui.services import audit
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.ai_models import refuse_default
from llm_ui.services.targets import ModelTarget, target

MAX_WEIGHT = 100


@dataclass(frozen=True, slots=True)
class Deployment:
    """What an administrator sets of a model beside others of its name."""

    serves_id: ModelId | None = None
    """The model under whose name it serves; None: its own."""
    weight: int = 1
    """How often it is asked, beside the others."""
    balancing: Balancing = Balancing.WEIGHT
    """How those that serve under its name share the questions."""


async def get_deployment(session: ReadSession, actor: Actor, model_id: ModelId) -> Deployment:
    """Return what is set. Raises `NotFound`."""
    require(actor, Permission.MANAGE_PROVIDERS)
    row = await session.scalar(readable(AiModel, actor).where(AiModel.id == model_id))
    if row is None:
        raise _not_found()
    return Deployment(row.serves_id, row.weight, row.balancing or Balancing.WEIGHT)


async def set_deployment(session: Session, actor: Actor, model_id: ModelId, wanted: Deployment) -> None:
    """Let a model serve under another one's name, or under its own. Raises `InvalidInput` and `NotFound`."""
    require(actor, Permission.MANAGE_PROVIDERS)
    row = await _row(session, actor, model_id)
    if not 1 <= wanted.weight <= MAX_WEIGHT:
        raise InvalidInput("A weight is a whole number from 1 to {most}.", most=MAX_WEIGHT)
    before = audit.fields(row, "serves_id", "weight", "balancing")
    is_served = await _is_served(session, actor, model_id)
    if wanted.serves_id is not None and wanted.serves_id != row.serves_id:
        if is_served:
            raise InvalidInput("{name} is served by others itself. Let those go first.", name=row.display_name)
        await refuse_default(session, row)
        await _begin(session, actor, row, wanted.serves_id)
    row.serves_id, row.weight = wanted.serves_id, wanted.weight
    row.balancing = wanted.balancing if is_served or wanted.balancing is not Balancing.WEIGHT else None
    if changes := audit.difference(before, audit.fields(row, "serves_id", "weight", "balancing")):
        await audit.record(session, actor, "model.deployed", row.name, target_id=row.id, changes=changes)


async def deployment_targets(session: ReadSession, actor: Actor, named: ModelTarget) -> tuple[ModelTarget, ...]:
    """Return all that serve under a model's name and that the actor may ask now, itself first.

    What can less than the model itself is left out: whoever picked it counts on that.
    """
    require(actor, Permission.CHAT)
    if named.share.balancing is None:
        return (named,)
    query = readable(AiModel, actor).where(AiModel.serves_id == named.model_id, ~AiModel.makes_embeddings)
    found = [named]
    for model_id in await session.scalars(query.with_only_columns(AiModel.id).order_by(AiModel.id)):
        try:
            one = await target(session, actor, model_id)
        except LLMUIError:
            # Switched off, or not for this person: the others are asked.
            continue
        if named.can_see_images <= one.can_see_images and named.can_use_tools <= one.can_use_tools:
            share = replace(named.share, weight=one.share.weight, serves_id=named.model_id)
            found.append(replace(one, display_name=named.display_name, share=share))
    helped = named.has_stand_ins or len(found) > 1
    return tuple(replace(one, has_stand_ins=helped) for one in found)


async def _begin(session: Session, actor: Actor, row: AiModel, serves_id: ModelId) -> None:
    """Prepare the model under whose name another one is to serve."""
    named = await _row(session, actor, serves_id)
    if named.id == row.id or named.serves_id is not None or row.makes_embeddings or named.makes_embeddings:
        raise InvalidInput("Choose another model that makes answers and serves under its own name.")
    named.balancing = named.balancing or Balancing.WEIGHT


async def _is_served(session: ReadSession, actor: Actor, model_id: ModelId) -> bool:
    query = readable(AiModel, actor).where(AiModel.serves_id == model_id)
    return await session.scalar(query.with_only_columns(AiModel.id).limit(1)) is not None


async def _row(session: Session, actor: Actor, model_id: ModelId) -> AiModel:
    query = readable(AiModel, actor).where(AiModel.id == model_id).with_for_update()
    row = await session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise _not_found()
    return row


def _not_found() -> NotFound:
    return NotFound("This model does not exist any more. Reload the list.")
