"""Providers: the addresses that serve models, their sealed keys, and whether they answered lately."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, InvalidInput, NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.encryption import Sealer
from llm_ui.kit.ids import ModelId, ProviderId, uuid7
from llm_ui.kit.text import one_line
from llm_ui.models import AiModel, AiProvider, AiType, ProviderKind
from llm_ui.services import audit, cached_answers, settings
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.reach import Reach, checked_key, hint_of, reach_of
from llm_ui.services.settings import DEFAULT_MODEL

MAX_NAME_CHARS = 64
MAX_ADDRESS_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class NewProvider:
    """What an administrator fills in. An empty `base_url` means the kind's usual address."""

    name: str
    kind: str
    base_url: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class ProviderInfo:
    """A provider as administrators see it; never with its key."""

    id: ProviderId
    kind: ProviderKind
    name: str
    base_url: str
    has_key: bool
    key_hint: str
    needs_key: bool
    is_key_refused: bool
    is_enabled: bool
    last_tested_at: datetime | None
    last_test_error: str | None
    model_count: int
    updated_at: datetime
    key_count: int
    header_names: str
    """Of the extra headers; never with their values."""
    timeouts: Mapping[str, float]
    most_at_once: int | None
    place: int | None


@dataclass(frozen=True, slots=True)
class TypeInfo:
    """A kind of AI service: one wire protocol."""

    kind: ProviderKind
    name: str
    description: str
    default_url: str
    needs_key: bool


@dataclass(frozen=True, slots=True)
class ProviderTarget:
    """What the LLM API needs to reach a provider."""

    id: ProviderId
    kind: ProviderKind
    name: str
    base_url: str
    sealed_key: str | None
    reach: Reach


async def list_types(session: ReadSession) -> tuple[TypeInfo, ...]:
    """Return the kinds of AI service, by name."""
    rows = await session.scalars(select(AiType).where(AiType.kind != ProviderKind.AUTO).order_by(AiType.name))
    return tuple(TypeInfo(row.kind, row.name, row.description, row.default_url, row.needs_key) for row in rows)


async def list_providers(session: ReadSession, actor: Actor) -> tuple[ProviderInfo, ...]:
    """Return all providers: those with a place first, then the oldest."""
    require(actor, Permission.MANAGE_PROVIDERS)
    counts = (
        select(AiModel.provider_id, func.count().label("models"))
        .where(AiModel.deleted_at.is_(None))
        .group_by(AiModel.provider_id)
        .subquery()
    )
    query = (
        readable(AiProvider, actor)
        .add_columns(AiType.needs_key, func.coalesce(counts.c.models, 0))
        .join(AiType, AiType.kind == AiProvider.kind)
        .outerjoin(counts, counts.c.provider_id == AiProvider.id)
        .order_by(AiProvider.place.nulls_last(), AiProvider.created_at, AiProvider.id)
    )
    return tuple(_info(row, needs_key, models) for row, needs_key, models in await session.execute(query))


async def get_provider(session: ReadSession, actor: Actor, provider_id: ProviderId) -> ProviderInfo:
    """Return one provider. Raises `NotFound`."""
    for provider in await list_providers(session, actor):
        if provider.id == provider_id:
            return provider
    raise _not_found()


async def find_by_name(session: ReadSession, actor: Actor, name: str) -> ProviderInfo:
    """Return the provider of that name, upper and lower case alike. Raises `NotFound`."""
    for provider in await list_providers(session, actor):
        if provider.name.casefold() == name.strip().casefold():
            return provider
    raise NotFound(f"There is no provider named {one_line(name, 64)!r}. List them with: llm-ui providers list")


async def provider_target(session: ReadSession, actor: Actor, provider_id: ProviderId) -> ProviderTarget:
    """Return how to reach a provider, to test it. Raises `NotFound`."""
    require(actor, Permission.MANAGE_PROVIDERS)
    row = await _row(session, actor, provider_id)
    return ProviderTarget(row.id, row.kind, row.name, row.base_url, row.sealed_key, reach_of(row))


async def add(session: Session, actor: Actor, sealer: Sealer, new: NewProvider) -> ProviderInfo:
    """Store a provider with its key sealed. Raises `InvalidInput` or `Conflict` with a sentence."""
    require(actor, Permission.MANAGE_PROVIDERS)
    kind = _kind(new.kind)
    ai_type = await session.get_one(AiType, kind)
    row = AiProvider(
        id=ProviderId(uuid7()),
        kind=kind,
        name=_name(new.name),
        name_key=_name(new.name).casefold(),
        base_url=_address(new.base_url.strip() or ai_type.default_url, kind),
    )
    _set_key(row, sealer, new.key)
    session.add(row)
    await _flush_name(session, row.name)
    await audit.record(
        session, actor, "provider.added", row.name, target_id=row.id, kind=kind.value, base_url=row.base_url
    )
    return _info(row, ai_type.needs_key, 0)


async def change(
    session: Session,
    actor: Actor,
    sealer: Sealer,
    provider_id: ProviderId,
    new: NewProvider,
    *,
    seen: datetime | None = None,
) -> None:
    """Change name, address and, unless empty, the key. The kind stays.

    `seen` is the `updated_at` the form was filled from; `Conflict` when somebody saved meanwhile.
    """
    require(actor, Permission.MANAGE_PROVIDERS)
    row = await _row_to_change(session, actor, provider_id)
    if seen is not None and row.updated_at != seen:
        raise Conflict(
            "{name} was changed by somebody else meanwhile. Open it again and repeat your change.", name=row.name
        )
    before = _audited(row)
    row.name, row.name_key = _name(new.name), _name(new.name).casefold()
    address = _address(new.base_url, row.kind)
    if address != row.base_url:
        if row.sealed_key is not None and not new.key.strip():
            # A key must never be sent to an address it was not entered for.
            raise InvalidInput("The address is new, so enter the key again.")
        row.base_url, row.last_tested_at, row.last_test_error = address, None, None
        row.more_keys, row.sealed_headers, row.header_names = None, None, ""
    if new.key.strip():
        _set_key(row, sealer, new.key)
    await _flush_name(session, row.name)
    await cached_answers.forget(session, provider_id=row.id)
    changes = audit.difference(before, _audited(row))
    await audit.record(session, actor, "provider.changed", row.name, target_id=row.id, changes=changes)


async def set_enabled(session: Session, actor: Actor, provider_id: ProviderId, *, is_enabled: bool) -> None:
    """Let people use the provider's models, or not."""
    require(actor, Permission.MANAGE_PROVIDERS)
    row = await _row(session, actor, provider_id)
    row.is_enabled = is_enabled
    done = "provider.enabled" if is_enabled else "provider.disabled"
    await audit.record(session, actor, done, row.name, target_id=row.id)


async def delete(session: Session, actor: Actor, provider_id: ProviderId) -> None:
    """Delete a provider and its models. Chats and figures stay; the key is wiped.

    When the default model was one of them, there is none until an administrator sets another.
    """
    require(actor, Permission.MANAGE_PROVIDERS)
    row = await _row_to_change(session, actor, provider_id)
    if await _serves_default(session, row.id):
        await settings.change(session, actor, DEFAULT_MODEL, None)
    row.deleted_at = now()
    row.sealed_key, row.key_hint, row.more_keys, row.sealed_headers = None, "", None, None
    await session.execute(
        update(AiModel).where(AiModel.provider_id == row.id, AiModel.deleted_at.is_(None)).values(deleted_at=now())
    )
    await cached_answers.forget(session, provider_id=row.id)
    await audit.record(session, actor, "provider.deleted", row.name, target_id=row.id)


def _audited(row: AiProvider) -> dict[str, object]:
    return {**audit.fields(row, "name", "base_url"), "key": row.sealed_key}


async def mark_key_refused(session: Session, provider_id: ProviderId, *, is_refused: bool = True) -> None:
    """Note that the provider refused the key, so that administrators see it; or that it takes it again."""
    # Not a change of the provider itself: whoever has its form open may still save.
    refused_at = now() if is_refused else None
    values: dict[Any, object] = {AiProvider.key_refused_at: refused_at, AiProvider.updated_at: AiProvider.updated_at}
    await session.execute(update(AiProvider).where(AiProvider.id == provider_id).values(values))


async def record_test(session: Session, actor: Actor, provider_id: ProviderId, error: str | None) -> None:
    """Note how a test went. A good one takes back *key refused*."""
    require(actor, Permission.MANAGE_PROVIDERS)
    row = await _row(session, actor, provider_id)
    values: dict[str, object] = {"last_tested_at": now(), "last_test_error": error, "updated_at": row.updated_at}
    if error is None:
        values["key_refused_at"] = None
    await session.execute(update(AiProvider).where(AiProvider.id == row.id).values(values))


async def _serves_default(session: ReadSession, provider_id: ProviderId) -> bool:
    default = await settings.get(session, DEFAULT_MODEL)
    model = None if default is None else await session.get(AiModel, ModelId(UUID(default)))
    return model is not None and model.provider_id == provider_id


async def _row_to_change(session: Session, actor: Actor, provider_id: ProviderId) -> AiProvider:
    """Return the row, locked until the end of the transaction, so that two who save are told apart."""
    query = readable(AiProvider, actor).where(AiProvider.id == provider_id).with_for_update()
    row = await session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise _not_found()
    return row


async def _row(session: ReadSession, actor: Actor, provider_id: ProviderId) -> AiProvider:
    row = await session.scalar(readable(AiProvider, actor).where(AiProvider.id == provider_id))
    if row is None:
        raise _not_found()
    return row


def _not_found() -> NotFound:
    return NotFound("This provider does not exist any more. Reload the list.")


def _kind(value: str) -> ProviderKind:
    real = {kind.value: kind for kind in ProviderKind if kind is not ProviderKind.AUTO}
    if value not in real:
        raise InvalidInput(
            "“{name}” is not a type of provider. Use one of: {kinds}.", name=one_line(value, 32), kinds=", ".join(real)
        )
    return real[value]


def _name(value: str) -> str:
    name = one_line(value, MAX_NAME_CHARS + 1)
    if not name:
        raise InvalidInput("The provider needs a name.")
    if len(name) > MAX_NAME_CHARS:
        raise InvalidInput("The name is longer than {most} characters. Shorten it.", most=MAX_NAME_CHARS)
    return name


def _address(value: str, kind: ProviderKind) -> str:
    """Return the address without a trailing slash. Only plain http and https addresses are taken."""
    if kind is ProviderKind.DEMO:
        return ""
    address = value.strip().rstrip("/")
    if not address:
        raise InvalidInput("The provider needs an address, such as https://api.example.com/v1.")
    if len(address) > MAX_ADDRESS_CHARS or not address.isprintable() or set(address) & set(" \\"):
        raise InvalidInput("The address holds characters no address has, or is too long. Copy it again.")
    try:
        parts = urlsplit(address)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        raise InvalidInput("The address has a port or host that cannot be. Correct it.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_fine:
        raise InvalidInput("The address must begin with http:// or https:// and name a host.")
    if "@" in parts.netloc or "?" in address or "#" in address:
        raise InvalidInput("The address must not hold a user, a password or a query. Put the key into its own field.")
    if "YOUR-RESOURCE" in address:
        raise InvalidInput("Put your own resource's name into the address in place of YOUR-RESOURCE.")
    return address


def _set_key(row: AiProvider, sealer: Sealer, key: str) -> None:
    key = checked_key(key)
    row.sealed_key = sealer.seal(key, str(row.id)) if key else None
    row.key_hint = hint_of(key)
    row.key_refused_at = None


async def _flush_name(session: Session, name: str) -> None:
    try:
        await session.flush()
    except IntegrityError:
        raise Conflict("There is a provider named “{name}” already. Choose another name.", name=name) from None


def _info(row: AiProvider, needs_key: bool, model_count: int) -> ProviderInfo:
    return ProviderInfo(
        id=row.id,
        kind=row.kind,
        name=row.name,
        base_url=row.base_url,
        has_key=row.sealed_key is not None,
        key_hint=row.key_hint,
        needs_key=needs_key,
        is_key_refused=row.key_refused_at is not None,
        is_enabled=row.is_enabled,
        last_tested_at=row.last_tested_at,
        last_test_error=row.last_test_error,
        model_count=model_count,
        updated_at=row.updated_at,
        key_count=bool(row.sealed_key) + len(row.more_keys or ()),
        header_names=row.header_names,
        timeouts=row.timeouts or {},
        most_at_once=row.most_at_once,
        place=row.place,
    )
