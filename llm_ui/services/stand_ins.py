"""Stand-ins: the models that are asked, one after the other, where one does not answer."""

from collections.abc import Sequence

from sqlalchemy import delete

from llm_ui.db import ReadSession, Session
from llm_ui.errors import InvalidInput, LLMUIError, NotFound
from llm_ui.kit.ids import ModelId
from llm_ui.models import AiModel, ModelStandIn
from llm_ui.services import audit
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.targets import ModelTarget, target

MOST = 3
"""Of one model: whoever waits for a fourth has long gone."""


async def list_stand_ins(session: ReadSession, actor: Actor, model_id: ModelId) -> tuple[ModelId, ...]:
    """Return the models that stand in for one, the first one first; deleted ones are left out."""
    require(actor, Permission.CHAT)
    query = readable(AiModel, actor).with_only_columns(AiModel.id)
    query = query.join(ModelStandIn, ModelStandIn.stand_in_id == AiModel.id)
    query = query.where(ModelStandIn.model_id == model_id).order_by(ModelStandIn.place)
    return tuple(await session.scalars(query))


async def stand_in_targets(session: ReadSession, actor: Actor, model_id: ModelId) -> tuple[ModelTarget, ...]:
    """Return those that the actor may ask now, the first one first."""
    found = []
    for stand_in_id in await list_stand_ins(session, actor, model_id):
        try:
            found.append(await target(session, actor, stand_in_id))
        except LLMUIError:
            # Switched off, or not for this person: the next one may be.
            continue
    return tuple(found)


async def set_stand_ins(session: Session, actor: Actor, model_id: ModelId, chosen: Sequence[ModelId]) -> None:
    """Let these stand in for a model, the first one first. Raises `InvalidInput` and `NotFound`."""
    require(actor, Permission.MANAGE_PROVIDERS)
    query = readable(AiModel, actor).where(AiModel.id == model_id).with_for_update()
    model = await session.scalar(query)
    if model is None:
        raise NotFound("This model does not exist any more. Reload the list.")
    if model_id in chosen or len(set(chosen)) < len(chosen):
        raise InvalidInput("Choose each model once, and none that stands in for itself.")
    if len(chosen) > MOST:
        raise InvalidInput("At most {most} models stand in for one. Choose fewer.", most=MOST)
    rows = await session.scalars(readable(AiModel, actor).where(AiModel.id.in_(chosen), ~AiModel.makes_embeddings))
    known = {row.id: row.name for row in rows}
    if len(known) < len(chosen):
        raise NotFound("One of these models does not exist any more, or makes no answers. Reload the list.")
    before = await list_stand_ins(session, actor, model_id)
    if before == tuple(chosen):
        return
    await session.execute(delete(ModelStandIn).where(ModelStandIn.model_id == model_id))
    for place, one in enumerate(chosen):
        session.add(ModelStandIn(model_id=model_id, place=place, stand_in_id=one))
    await session.flush()
    names = ", ".join(known[one] for one in chosen)
    await audit.record(session, actor, "model.stand_ins_set", model.name, target_id=model_id, models=names)
