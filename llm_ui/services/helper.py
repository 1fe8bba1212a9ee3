"""The helper model: which one makes titles, tags, suggestions, summaries and queries, and which are wanted."""

from dataclasses import dataclass
from uuid import UUID

from llm_ui.db import ReadSession, Session
from llm_ui.errors import InvalidInput
from llm_ui.kit.ids import ModelId
from llm_ui.models import ProviderKind
from llm_ui.services import settings, targets
from llm_ui.services.access import SYSTEM, Actor, Permission, require
from llm_ui.services.settings import (
    HELPER_FOLLOW_UPS,
    HELPER_MODEL,
    HELPER_QUERIES,
    HELPER_SUMMARIES,
    HELPER_TAGS,
    HELPER_TITLES,
)
from llm_ui.services.targets import ModelTarget


@dataclass(frozen=True, slots=True)
class Helper:
    """The helper model and what it is there for."""

    target: ModelTarget
    makes_titles: bool
    makes_tags: bool
    suggests_follow_ups: bool
    sums_up: bool
    words_queries: bool


async def find_helper(session: ReadSession) -> Helper | None:
    """Return the helper model, None when there is none. Raises `NotFound` or `InvalidInput` when it cannot be asked."""
    model_id = await settings.get(session, HELPER_MODEL)
    if model_id is None:
        return None
    return Helper(
        target=await targets.target(session, SYSTEM, ModelId(UUID(model_id))),
        makes_titles=await settings.get(session, HELPER_TITLES),
        makes_tags=await settings.get(session, HELPER_TAGS),
        suggests_follow_ups=await settings.get(session, HELPER_FOLLOW_UPS),
        sums_up=await settings.get(session, HELPER_SUMMARIES),
        words_queries=await settings.get(session, HELPER_QUERIES),
    )


async def set_helper_model(session: Session, actor: Actor, model_id: ModelId | None) -> None:
    """Let this model do what is done in the background; None: nobody does it. Raises `NotFound` and `InvalidInput`."""
    require(actor, Permission.MANAGE_SETTINGS)
    if model_id is not None:
        chosen = await targets.target(session, actor, model_id)
        if chosen.kind is ProviderKind.DEMO:
            raise InvalidInput("The demo is no language model: it finds no titles. Connect a provider first.")
    await settings.change(session, actor, HELPER_MODEL, None if model_id is None else str(model_id))
