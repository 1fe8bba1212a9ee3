"""The model that puts found passages in order."""

from uuid import UUID

from llm_ui.db import ReadSession, Session
from llm_ui.errors import InvalidInput
from llm_ui.kit.ids import ModelId
from llm_ui.models import ProviderKind
from llm_ui.services import settings, targets
from llm_ui.services.access import SYSTEM, Actor, Permission, require
from llm_ui.services.settings import RERANKING_MODEL
from llm_ui.services.targets import ModelTarget

KIND = ProviderKind.OPENAI
"""The kind of providers that may have it, beside OpenAI's protocol."""


async def find_reranker(session: ReadSession) -> ModelTarget | None:
    """Return the model that puts passages in order, None when there is none. Raises `NotFound` or `InvalidInput`."""
    model_id = await settings.get(session, RERANKING_MODEL)
    if model_id is None:
        return None
    return await targets.target(session, SYSTEM, ModelId(UUID(model_id)), is_embedder=True)


async def set_reranking_model(session: Session, actor: Actor, model_id: ModelId | None) -> None:
    """Let this model put passages in order; None: they stay as found. Raises `NotFound` and `InvalidInput`."""
    require(actor, Permission.MANAGE_SETTINGS)
    if model_id is not None:
        chosen = await targets.target(session, actor, model_id, is_embedder=True)
        if chosen.kind is not KIND:
            raise InvalidInput(
                "{name} offers no reranking. Choose another provider's model.", name=chosen.provider_name
            )
    await settings.change(session, actor, RERANKING_MODEL, None if model_id is None else str(model_id))
