"""The order in which people see models, and administrators see providers: by a number, then as always."""

from llm_ui.db import Session
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.kit.ids import ModelId, ProviderId
from llm_ui.models import AiModel, AiProvider
from llm_ui.services import audit
from llm_ui.services.access import Actor, Permission, readable, require

LAST = 9_999


async def set_model_place(session: Session, actor: Actor, model_id: ModelId, place: int | None) -> None:
    """Show a model at this place, 1 being the first; None: after those with one, by name. Raises `InvalidInput`."""
    require(actor, Permission.MANAGE_PROVIDERS)
    row = await session.scalar(readable(AiModel, actor).where(AiModel.id == model_id))
    if row is None:
        raise NotFound("This model does not exist any more. Reload the list.")
    if changes := _change(row, place):
        await audit.record(session, actor, "model.place_set", row.name, target_id=model_id, changes=changes)


async def set_provider_place(session: Session, actor: Actor, provider_id: ProviderId, place: int | None) -> None:
    """The same of a provider; its models come at its place where they have none of their own."""
    require(actor, Permission.MANAGE_PROVIDERS)
    row = await session.scalar(readable(AiProvider, actor).where(AiProvider.id == provider_id))
    if row is None:
        raise NotFound("This provider does not exist any more. Reload the list.")
    if changes := _change(row, place):
        await audit.record(session, actor, "provider.place_set", row.name, target_id=provider_id, changes=changes)


def _change(row: AiModel | AiProvider, place: int | None) -> audit.Changes:
    if place is not None and not 1 <= place <= LAST:
        raise InvalidInput("A place is a number from 1 to {most}, or empty.", most=LAST)
    changes = audit.difference({"place": row.place}, {"place": place})
    row.place = place
    return changes
