"""The models of providers: which may be asked, what they cost, which is the default."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, or_, select

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, InvalidInput, NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ModelId, ProviderId, uuid7
from llm_ui.kit.text import one_line, storable
from llm_ui.models import AiModel, AiProvider, PriceSource, ProviderKind, TeamModel
from llm_ui.models.cached_answer import CacheMode
from llm_ui.services import audit, auto_abilities, cached_answers, price_history, settings
from llm_ui.services.access import Actor, Permission, may_ask, readable, require
from llm_ui.services.capabilities import can_see_images, can_use_tools, makes_embeddings
from llm_ui.services.price_history import prices_of
from llm_ui.services.prices import Prices, check, listed
from llm_ui.services.reach import checked_timeouts
from llm_ui.services.settings import DEFAULT_MODEL
from llm_ui.services.targets import target


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model as lists show it."""

    id: ModelId
    provider_id: ProviderId
    provider_name: str
    kind: ProviderKind
    name: str
    display_name: str
    is_enabled: bool
    is_provider_enabled: bool
    is_default: bool
    context_window: int | None
    max_output_tokens: int | None
    can_see_images: bool
    can_use_tools: bool
    makes_embeddings: bool
    prices: Prices
    price_source: PriceSource
    timeouts: Mapping[str, float]
    cache_mode: CacheMode
    cache_similar: bool
    place: int | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ModelPage:
    """A stretch of the models, by provider and name."""

    items: tuple[ModelInfo, ...]
    total: int
    """How many there are in all stretches."""


@dataclass(frozen=True, slots=True)
class NewModel:
    """A model to add: by hand, or as a provider listed it."""

    name: str
    display_name: str = ""
    context_window: int | None = None
    max_output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ModelChange:
    """What an administrator may set on a model."""

    display_name: str
    context_window: int | None
    max_output_tokens: int | None
    prices: Prices
    can_see_images: bool | None = None
    """None leaves it as it is."""
    can_use_tools: bool | None = None
    """None leaves it as it is."""
    makes_embeddings: bool | None = None
    """None leaves it as it is."""
    timeouts: Mapping[str, float | None] | None = None
    """Of this model alone (services/reach.py). None leaves them as they are."""


async def list_models(session: ReadSession, actor: Actor) -> tuple[ModelInfo, ...]:
    """Return the models that may be picked, the default one first, then by provider and name."""
    named = _usable(actor).with_only_columns(AiModel.id).order_by(None).correlate(None)
    is_named = or_(AiModel.serves_id.is_(None), AiModel.serves_id.not_in(named))
    query = _usable(actor).where(~AiModel.makes_embeddings, is_named)
    return tuple(sorted(await _infos(session, query), key=lambda model: not model.is_default))


async def list_embedders(session: ReadSession, actor: Actor) -> tuple[ModelInfo, ...]:
    """Return the models that may make vectors, by provider and name."""
    require(actor, Permission.MANAGE_PROVIDERS)
    return await _infos(session, _usable(actor).where(AiModel.makes_embeddings))


async def list_rerankers(session: ReadSession, actor: Actor) -> tuple[ModelInfo, ...]:
    """Return the models that may put passages in order, by provider and name; trying one shows whether it does."""
    return tuple(model for model in await list_embedders(session, actor) if model.kind is ProviderKind.OPENAI)


async def find_models(
    session: ReadSession,
    actor: Actor,
    *,
    search: str = "",
    provider_id: ProviderId | None = None,
    offset: int = 0,
    limit: int = 50,
) -> ModelPage:
    """Return a stretch of all models, enabled or not, whose names or provider hold the search text."""
    require(actor, Permission.MANAGE_PROVIDERS)
    # *Auto* models have a page of their own.
    query = _models(actor).where(AiProvider.kind != ProviderKind.AUTO)
    if provider_id is not None:
        query = query.where(AiModel.provider_id == provider_id)
    if words := storable(search).strip():
        columns = (AiModel.name, AiModel.display_name, AiProvider.name)
        query = query.where(or_(*(column.icontains(words, autoescape=True) for column in columns)))
    total = await session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    return ModelPage(await _infos(session, query.offset(offset).limit(limit)), total)


async def added_names(session: ReadSession, actor: Actor, provider_id: ProviderId) -> frozenset[str]:
    """Return the names of the models that were added to a provider."""
    require(actor, Permission.MANAGE_PROVIDERS)
    query = readable(AiModel, actor).where(AiModel.provider_id == provider_id).with_only_columns(AiModel.name)
    return frozenset(await session.scalars(query))


async def get_model(session: ReadSession, actor: Actor, model_id: ModelId) -> ModelInfo:
    """Return one model, enabled or not. Raises `NotFound`."""
    require(actor, Permission.MANAGE_PROVIDERS)
    found = await _infos(session, _models(actor).where(AiModel.id == model_id))
    if not found:
        raise _not_found()
    return found[0]


async def add_models(
    session: Session, actor: Actor, provider_id: ProviderId, new_models: Sequence[NewModel]
) -> tuple[ModelId, ...]:
    """Add models to a provider, enabled. Those it has already stay as they are; deleted ones come back.

    When there is no default model yet, the first one that answers becomes it. Raises `NotFound` and `InvalidInput`.
    """
    require(actor, Permission.MANAGE_PROVIDERS)
    provider = await session.scalar(readable(AiProvider, actor).where(AiProvider.id == provider_id))
    if provider is None:
        raise NotFound("This provider does not exist any more. Reload the list.")
    known_rows = await session.scalars(select(AiModel).where(AiModel.provider_id == provider_id))  # rights: above
    known = {row.name: row for row in known_rows}
    added: list[ModelId] = []
    new_ids: set[ModelId] = set()
    for new in new_models:
        name = _model_name(new.name)
        row = known.get(name)
        if row is None:
            row = known[name] = _new_row(provider, name, new)
            session.add(row)
            added.append(row.id)
            new_ids.add(row.id)
        elif row.deleted_at is not None:
            row.deleted_at, row.is_enabled = None, True
            added.append(row.id)
    await session.flush()
    for row in known.values():
        if row.id in new_ids and row.price_source is not PriceSource.UNKNOWN:
            price_history.note(session, actor, row)
    if added:
        names = one_line(", ".join(new.name for new in new_models), 500)
        await audit.record(session, actor, "models.added", provider.name, target_id=provider.id, models=names)
        answers = [row.id for row in known.values() if row.id in added and not row.makes_embeddings]
        if answers and await settings.get(session, DEFAULT_MODEL) is None:
            await settings.store(session, DEFAULT_MODEL, str(answers[0]))
    return tuple(added)


async def change_model(
    session: Session, actor: Actor, model_id: ModelId, change: ModelChange, *, seen: datetime | None = None
) -> None:
    """Set what an administrator may set; prices that are changed become the administrator's own.

    `seen` is the `updated_at` the form was filled from; `Conflict` when somebody saved meanwhile.
    """
    require(actor, Permission.MANAGE_PROVIDERS)
    row = await _row(session, actor, model_id)
    if seen is not None and row.updated_at != seen:
        raise Conflict(
            "{name} was changed by somebody else meanwhile. Open it again and repeat it.", name=row.display_name
        )
    before = _audited(row)
    row.display_name = one_line(change.display_name, 200) or row.name
    row.context_window = _count(change.context_window)
    row.max_output_tokens = _count(change.max_output_tokens)
    if change.can_see_images is not None:
        row.can_see_images = change.can_see_images
    if change.can_use_tools is not None:
        row.can_use_tools = change.can_use_tools
    if change.makes_embeddings is not None and change.makes_embeddings != row.makes_embeddings:
        await refuse_default(session, row)
        row.makes_embeddings = change.makes_embeddings
    if change.timeouts is not None:
        row.timeouts = checked_timeouts(change.timeouts)
    check(prices := change.prices)
    if prices != prices_of(row):
        price_history.change(session, actor, row, prices, PriceSource.ADMIN)
    await _note_change(session, actor, row, before)


async def use_list_prices(session: Session, actor: Actor, model_id: ModelId) -> Prices:
    """Go back to the public list's prices. Raises `InvalidInput` when the list does not know the model."""
    require(actor, Permission.MANAGE_PROVIDERS)
    row = await _row(session, actor, model_id)
    provider = await session.get_one(AiProvider, row.provider_id)
    known = listed(provider.kind, provider.base_url, row.name)
    if known is None or known.prices.input_usd_per_mtok is None:
        raise InvalidInput("The public price list does not know {name}. Type its prices in.", name=row.name)
    before = _audited(row)
    price_history.change(session, actor, row, known.prices, PriceSource.LIST)
    await _note_change(session, actor, row, before)
    return known.prices


async def set_model_enabled(session: Session, actor: Actor, model_id: ModelId, *, is_enabled: bool) -> None:
    """Let people ask the model, or not. Raises `InvalidInput` for the default model, which must stay usable."""
    require(actor, Permission.MANAGE_PROVIDERS)
    row = await _row(session, actor, model_id)
    if not is_enabled:
        await refuse_default(session, row)
    row.is_enabled = is_enabled
    await auto_abilities.refresh(session)
    await audit.record(session, actor, "model.enabled" if is_enabled else "model.disabled", row.name, target_id=row.id)


async def set_default(session: Session, actor: Actor, model_id: ModelId) -> None:
    """Make the model the one new chats start with."""
    require(actor, Permission.MANAGE_PROVIDERS)
    chosen = await target(session, actor, model_id, may_choose=True)
    # rights: asked above; of a model that everybody is to be offered
    if await session.scalar(select(TeamModel.team_id).where(TeamModel.model_id == model_id).limit(1)) is not None:
        raise InvalidInput("{name} is kept for teams, so not everybody could ask it.", name=chosen.display_name)
    await settings.change(session, actor, DEFAULT_MODEL, str(chosen.model_id))


async def delete_model(session: Session, actor: Actor, model_id: ModelId) -> None:
    """Take the model off the list. Chats that used it stay. Raises `InvalidInput` for the default model."""
    require(actor, Permission.MANAGE_PROVIDERS)
    row = await _row(session, actor, model_id)
    await refuse_default(session, row)
    row.deleted_at = now()
    await auto_abilities.refresh(session)
    await cached_answers.forget(session, model_id=row.id)
    await audit.record(session, actor, "model.deleted", row.name, target_id=row.id)


def _audited(row: AiModel) -> dict[str, object]:
    can = "can_see_images", "can_use_tools", "makes_embeddings"
    named = audit.fields(row, "display_name", "context_window", "max_output_tokens", *can, "price_source", "timeouts")
    return {**named, **price_history.told(prices_of(row))}


async def _note_change(session: Session, actor: Actor, row: AiModel, before: dict[str, object]) -> None:
    changes = audit.difference(before, _audited(row))
    await cached_answers.forget(session, model_id=row.id)
    await auto_abilities.refresh(session)
    await audit.record(session, actor, "model.changed", row.name, target_id=row.id, changes=changes)


def _usable(actor: Actor) -> Select[AiModel, AiProvider]:
    return _models(actor).where(AiModel.is_enabled, AiProvider.is_enabled, may_ask(actor))


def _models(actor: Actor) -> Select[AiModel, AiProvider]:
    """Return the models with their providers: those with a place first, then by provider and name."""
    query = readable(AiModel, actor).join(AiProvider, AiProvider.id == AiModel.provider_id)
    query = query.order_by(AiModel.place.nulls_last(), AiProvider.place.nulls_last())
    by_name = query.order_by(AiProvider.name_key, func.lower(AiModel.display_name), AiModel.id)
    return by_name.where(AiProvider.deleted_at.is_(None)).add_columns(AiProvider)


async def _infos(session: ReadSession, query: Select[AiModel, AiProvider]) -> tuple[ModelInfo, ...]:
    default = await settings.get(session, DEFAULT_MODEL)
    rows = await session.execute(query)
    return tuple(_info(model, provider, is_default=str(model.id) == default) for model, provider in rows)


def _info(model: AiModel, provider: AiProvider, *, is_default: bool) -> ModelInfo:
    return ModelInfo(
        id=model.id,
        provider_id=provider.id,
        provider_name=provider.name,
        kind=provider.kind,
        name=model.name,
        display_name=model.display_name,
        is_enabled=model.is_enabled,
        is_provider_enabled=provider.is_enabled,
        is_default=is_default,
        context_window=model.context_window,
        max_output_tokens=model.max_output_tokens,
        can_see_images=model.can_see_images,
        can_use_tools=model.can_use_tools,
        makes_embeddings=model.makes_embeddings,
        prices=prices_of(model),
        price_source=model.price_source,
        timeouts=model.timeouts or {},
        cache_mode=model.cache_mode,
        cache_similar=model.cache_similar,
        place=model.place,
        updated_at=model.updated_at,
    )


async def _row(session: Session, actor: Actor, model_id: ModelId) -> AiModel:
    """Return the row, locked until the end of the transaction, so that two who save are told apart."""
    query = readable(AiModel, actor).where(AiModel.id == model_id).with_for_update()
    row = await session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise _not_found()
    return row


async def refuse_default(session: ReadSession, row: AiModel) -> None:
    """Raise `InvalidInput` for the default model, which everybody can ask."""
    if await settings.get(session, DEFAULT_MODEL) == str(row.id):
        raise InvalidInput("{name} is the default model. Make another one the default first.", name=row.display_name)


def _not_found() -> NotFound:
    return NotFound("This model does not exist any more. Reload the list.")


def _new_row(provider: AiProvider, name: str, new: NewModel) -> AiModel:
    known = listed(provider.kind, provider.base_url, name)
    prices = known.prices if known else Prices()
    return AiModel(
        id=ModelId(uuid7()),
        provider_id=provider.id,
        name=name,
        display_name=one_line(new.display_name, 200) or name,
        context_window=new.context_window or (known.context_window if known else None),
        max_output_tokens=new.max_output_tokens,
        can_see_images=can_see_images(provider.kind, name),
        can_use_tools=can_use_tools(provider.kind, name),
        makes_embeddings=makes_embeddings(name),
        **price_history.columns(prices, PriceSource.LIST),
    )


def _model_name(value: str) -> str:
    name = value.strip()
    if not name or len(name) > 200 or not name.isprintable():
        raise InvalidInput("A model's name must have 1 to 200 printable characters, as its provider writes it.")
    return name


def _count(value: int | None) -> int | None:
    if value is not None and not 1 <= value <= 100_000_000:
        raise InvalidInput(
            "The context window and the longest answer must be between 1 and 100,000,000 tokens, or empty."
        )
    return value
