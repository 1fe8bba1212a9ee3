"""How a provider is reached: its further keys, extra headers, time-outs, and how many questions it gets at once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from llm_ui.db import ReadSession, Session
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.kit.encryption import Sealer
from llm_ui.kit.ids import ModelId, ProviderId
from llm_ui.models import AiModel, AiProvider, Balancing
from llm_ui.services import audit
from llm_ui.services.access import Actor, Permission, readable, require

MAIN = "main"
"""Names the key that a provider was added with."""
MOST_KEYS = 10
MAX_KEY_CHARS = 4_096
HINT_CHARS = 4
MAX_WEIGHT = 100
MOST_HEADERS = 10
MAX_HEADER_CHARS = 2_000
MAX_AT_ONCE = 1_000
LONGEST_S = 3_600
TIMEOUTS = ("connect_s", "first_byte_s", "idle_s", "total_s", "hedge_s")
HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
"""RFC 9110 §5.1."""
OURS = frozenset({"host", "content-length", "content-type", "transfer-encoding", "connection", "accept-encoding"})
"""Headers of the connection itself."""


@dataclass(frozen=True, slots=True)
class SealedKey:
    """One of a provider's keys."""

    id: str
    sealed: str
    weight: int
    """How often it is used, beside the others."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What administrators have set beyond address and key."""

    more_keys: tuple[SealedKey, ...] = ()
    key_weight: int = 1
    """Of the key that the provider was added with."""
    sealed_headers: str | None = None
    timeouts: Mapping[str, float] = field(default_factory=dict)
    """In seconds, by name as in `providers.base.Timeouts`; what is left out is as for all providers."""
    most_at_once: int | None = None
    """None: as for all providers."""


USUAL = Reach()


@dataclass(frozen=True, slots=True)
class Share:
    """How a model shares questions with others of its name."""

    serves_id: ModelId | None = None
    """The model under whose name it is asked; None: its own."""
    weight: int = 1
    balancing: Balancing | None = None
    """None: nobody serves under its name."""


ALONE = Share()


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key as administrators see it."""

    id: str
    hint: str
    weight: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What an administrator sets of a provider beside its keys."""

    headers: str = ""
    """`Name: value`, separated by semicolons; empty leaves them as they are, `-` takes them away."""
    timeouts: Mapping[str, float | None] = field(default_factory=dict)
    most_at_once: int | None = None


def reach_of(provider: AiProvider, model: AiModel | None = None) -> Reach:
    """Return how a provider is reached, for one of its models; what is set on the model goes first."""
    more = tuple(SealedKey(one["id"], one["sealed"], one["weight"]) for one in provider.more_keys or ())
    timeouts = {**(provider.timeouts or {}), **((model.timeouts if model is not None else None) or {})}
    return Reach(more, provider.key_weight, provider.sealed_headers, timeouts, provider.most_at_once)


async def list_keys(session: ReadSession, actor: Actor, provider_id: ProviderId) -> tuple[KeyView, ...]:
    """Return a provider's keys, the first one first. Raises `NotFound`."""
    require(actor, Permission.MANAGE_PROVIDERS)
    row = await session.scalar(readable(AiProvider, actor).where(AiProvider.id == provider_id))
    if row is None:
        raise _not_found()
    main = [KeyView(MAIN, row.key_hint, row.key_weight)] if row.sealed_key else []
    return (*main, *(KeyView(one["id"], one["hint"], one["weight"]) for one in row.more_keys or ()))


async def add_key(
    session: Session, actor: Actor, sealer: Sealer, provider_id: ProviderId, key: str, weight: int
) -> None:
    """Use a further key beside those that are there. Raises `InvalidInput`."""
    row = await _row(session, actor, provider_id)
    key = checked_key(key)
    if not key or row.sealed_key is None:
        raise InvalidInput("Type a key. The first one of a provider is entered in its form.")
    more = list(row.more_keys or ())
    if len(more) + 1 >= MOST_KEYS:
        raise InvalidInput("{most} keys are the most for one provider. Retire one.", most=MOST_KEYS)
    sealed = sealer.seal(key, str(row.id))
    hint = hint_of(key)
    row.more_keys = [*more, {"id": uuid4().hex, "sealed": sealed, "hint": hint, "weight": _weight(weight)}]
    await audit.record(session, actor, "provider.key_added", row.name, target_id=row.id, key=hint)


async def weigh_key(session: Session, actor: Actor, provider_id: ProviderId, key_id: str, weight: int) -> None:
    """Set how often a key is used. Raises `InvalidInput` and `NotFound`."""
    row = await _row(session, actor, provider_id)
    _require_key(row, key_id)
    if key_id == MAIN:
        row.key_weight = _weight(weight)
    else:
        changed = {"weight": _weight(weight)}
        row.more_keys = [{**one, **changed} if one["id"] == key_id else one for one in row.more_keys or ()]
    await audit.record(session, actor, "provider.key_weighed", row.name, target_id=row.id, weight=weight)


async def retire_key(session: Session, actor: Actor, provider_id: ProviderId, key_id: str) -> None:
    """Use a key no more and wipe it; calls that go on with it end as they would have. Raises `InvalidInput`."""
    row = await _row(session, actor, provider_id)
    _require_key(row, key_id)
    more = list(row.more_keys or ())
    if not more:
        raise InvalidInput("This is the only key. Add its successor first; then nobody has to wait.")
    gone = row.key_hint if key_id == MAIN else next(one["hint"] for one in more if one["id"] == key_id)
    if key_id == MAIN:
        first = more[0]
        row.sealed_key, row.key_hint, row.key_weight = first["sealed"], first["hint"], first["weight"]
        key_id = first["id"]
    row.more_keys = [one for one in more if one["id"] != key_id]
    row.key_refused_at = None
    await audit.record(session, actor, "provider.key_retired", row.name, target_id=row.id, key=gone)


async def set_limits(session: Session, actor: Actor, sealer: Sealer, provider_id: ProviderId, limits: Limits) -> None:
    """Set headers, time-outs and how many questions a provider gets at once. Raises `InvalidInput`."""
    row = await _row(session, actor, provider_id)
    before = audit.fields(row, "timeouts", "most_at_once", "header_names")
    row.timeouts = checked_timeouts(limits.timeouts)
    most = limits.most_at_once
    if most is not None and not 1 <= most <= MAX_AT_ONCE:
        raise InvalidInput("Questions at once are 1 to {most}, or as many as usual.", most=MAX_AT_ONCE)
    row.most_at_once = most
    if limits.headers.strip() == "-":
        row.sealed_headers, row.header_names = None, ""
    elif limits.headers.strip():
        headers = _headers(limits.headers)
        lines = "\n".join(f"{name}: {value}" for name, value in headers.items())
        row.sealed_headers, row.header_names = sealer.seal(lines, str(row.id)), ", ".join(headers)
    after = audit.fields(row, "timeouts", "most_at_once", "header_names")
    if changes := audit.difference(before, after):
        await audit.record(session, actor, "provider.limits_set", row.name, target_id=row.id, changes=changes)


def opened_headers(sealer: Sealer, sealed: str | None, provider_id: ProviderId) -> tuple[tuple[str, str], ...]:
    """Return the extra headers of a provider."""
    lines = "" if sealed is None else sealer.open(sealed, str(provider_id))
    pairs = (line.partition(": ") for line in lines.splitlines())
    return tuple((name, value) for name, _, value in pairs)


def checked_key(key: str) -> str:
    """Return a key without blanks around it. Raises `InvalidInput`."""
    key = key.strip()
    if len(key) > MAX_KEY_CHARS or not key.isascii() or not key.isprintable():
        raise InvalidInput("The key holds characters no key has, or is too long. Copy it again.")
    return key


def hint_of(key: str) -> str:
    """Return the last characters of a key, to tell keys apart; nothing of a short one."""
    return key[-HINT_CHARS:] if len(key) > 4 * HINT_CHARS else ""


def checked_timeouts(timeouts: Mapping[str, float | None]) -> dict[str, float] | None:
    """Return those that are set; None: none is. Raises `InvalidInput`."""
    found = {name: float(seconds) for name, seconds in timeouts.items() if name in TIMEOUTS and seconds is not None}
    if any(not 1 <= seconds <= LONGEST_S for seconds in found.values()):
        raise InvalidInput("A time-out is 1 to {most} seconds, or empty for the usual one.", most=LONGEST_S)
    return found or None


def _headers(typed: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in filter(None, map(str.strip, typed.split(";"))):
        name, colon, value = (part.strip() for part in pair.partition(":"))
        if not colon or not HEADER.fullmatch(name) or not value.isascii() or not value.isprintable() or not value:
            raise InvalidInput("Write extra headers as Name: value, separated by semicolons.")
        if name.lower() in OURS:
            raise InvalidInput("The header {name} belongs to the connection itself. Leave it out.", name=name)
        found[name] = value
    if len(found) > MOST_HEADERS or len(typed) > MAX_HEADER_CHARS:
        raise InvalidInput("{most} extra headers are the most, of 2,000 characters together.", most=MOST_HEADERS)
    return found


def _require_key(row: AiProvider, key_id: str) -> None:
    if key_id not in {MAIN, *(one["id"] for one in row.more_keys or ())}:
        raise NotFound("This key does not exist any more. Reload the list.")


def _weight(weight: int) -> int:
    if not 1 <= weight <= MAX_WEIGHT:
        raise InvalidInput("A weight is a whole number from 1 to {most}.", most=MAX_WEIGHT)
    return weight


async def _row(session: Session, actor: Actor, provider_id: ProviderId) -> AiProvider:
    """Return the row, locked until the end of the transaction."""
    require(actor, Permission.MANAGE_PROVIDERS)
    query = readable(AiProvider, actor).where(AiProvider.id == provider_id).with_for_update()
    row = await session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise _not_found()
    return row


def _not_found() -> NotFound:
    return NotFound("This provider does not exist any more. Reload the list.")
