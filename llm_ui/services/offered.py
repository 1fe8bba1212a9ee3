"""The models of the API: the names by which scripts ask for them."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, func

from llm_ui.db import ReadSession
from llm_ui.errors import InvalidInput, ModelUnknown
from llm_ui.kit.ids import ModelId
from llm_ui.kit.text import one_line
from llm_ui.models import AiModel, AiProvider
from llm_ui.services.access import Actor, Permission, may_ask, readable, require
from llm_ui.services.targets import KEPT, ModelTarget, rows, target_of


@dataclass(frozen=True, slots=True)
class Offered:
    """A model that a script may ask for."""

    name: str
    """Its own where no other provider has one of that name, else `provider/model`."""
    display_name: str
    provider_name: str
    created: int
    """Seconds since 1970."""
    context_window: int | None
    max_output_tokens: int | None
    makes_embeddings: bool
    can_see_images: bool
    can_use_tools: bool

    @property
    def created_at(self) -> str:
        """When it was added, as an instant of RFC 3339."""
        return datetime.fromtimestamp(self.created, UTC).isoformat()


async def list_offered(session: ReadSession, actor: Actor, allowed: Collection[ModelId] | None) -> tuple[Offered, ...]:
    """Return the models that may be asked, by name; `allowed` None: all that the actor may ask."""
    require(actor, Permission.CHAT)
    query = _usable(actor).add_columns(AiProvider).order_by(func.lower(AiModel.name), AiProvider.name_key)
    rows = (await session.execute(query)).all()
    times = Counter(model.name for model, _ in rows)
    return tuple(
        Offered(
            name=model.name if times[model.name] == 1 else f"{provider.name}/{model.name}",
            display_name=model.display_name,
            provider_name=provider.name,
            created=int(model.created_at.timestamp()),
            context_window=model.context_window,
            max_output_tokens=model.max_output_tokens,
            makes_embeddings=model.makes_embeddings,
            can_see_images=model.can_see_images,
            can_use_tools=model.can_use_tools,
        )
        for model, provider in rows
        if allowed is None or model.id in allowed
    )


async def find_offered(session: ReadSession, actor: Actor, name: str, allowed: Collection[ModelId] | None) -> Offered:
    """Return a model under the name that it was asked for. Raises `ModelUnknown` and `InvalidInput`."""
    asked = await named(session, actor, name, allowed)
    found = await list_offered(session, actor, frozenset([asked.model_id]))
    if not found:
        raise ModelUnknown("There is no model {name}.", name=name)
    return replace(found[0], name=name)


async def named(
    session: ReadSession,
    actor: Actor,
    name: str,
    allowed: Collection[ModelId] | None,
    *,
    is_embedder: bool | None = None,
) -> ModelTarget:
    """Return the model of that name: its own, or after its provider's and a slash.

    Raises `ModelUnknown`, and `InvalidInput` where several providers have one of that name, or it is of the other kind.
    """
    require(actor, Permission.CHAT)
    own = (await session.execute(_by_name(actor), {"name": name})).all()
    if not own and "/" in name:
        own = (await session.execute(_by_name(actor, is_full=True), {"name": name.lower()})).all()
    found = [one for one in own if allowed is None or one.AiModel.id in allowed]
    if len(found) > 1:
        # Of those that serve under one name, the one whose name it is.
        found = [one for one in found if one.AiModel.serves_id is None] or found
    if len(found) > 1:
        names = ", ".join(f"{one.AiProvider.name}/{one.AiModel.name}" for one in found)
        raise InvalidInput("Several providers have a model of that name. Ask for one of: {names}.", names=names)
    if not found:
        raise ModelUnknown(
            "There is no model {name}, or this key may not ask it. GET /v1/models lists those there are.",
            name=one_line(name, 100),
        )
    return target_of(found[0], is_embedder=is_embedder)


@lru_cache(KEPT)
def _by_name(actor: Actor, *, is_full: bool = False) -> Select[Any]:
    """Return the models of a name that the actor may ask; the full one has its provider's before it, in small letters.

    Put together once: that takes longer than to read them.
    """
    named = func.lower(AiProvider.name + "/" + AiModel.name) if is_full else AiModel.name
    return rows(actor).where(AiModel.is_enabled, AiProvider.is_enabled, may_ask(actor), named == bindparam("name"))


def _usable(actor: Actor) -> Select[AiModel]:
    query = readable(AiModel, actor).join(AiProvider, AiProvider.id == AiModel.provider_id)
    return query.where(AiModel.is_enabled, AiProvider.is_enabled, AiProvider.deleted_at.is_(None), may_ask(actor))
