"""Keys with which scripts ask the API: made, listed, renamed, replaced, revoked, and found again."""

import ipaddress
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, func, or_, select, update

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, InvalidInput, KeyRefused, NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import KeyId, ModelId, ProjectId, UserId, uuid7
from llm_ui.kit.signing import sha256_hex
from llm_ui.kit.text import one_line
from llm_ui.models import ApiKey, KeyScope, QuotaKind, User
from llm_ui.services import audit, budgets, limits, quotas
from llm_ui.services.access import Actor, KeyRights, Permission, is_in_project, readable, require
from llm_ui.services.limits import LimitInfo
from llm_ui.services.projects import require_open
from llm_ui.services.targets import target
from llm_ui.services.teams import teams_of

BEGINNING = "llmui-"
"""Of every key, so that scanners for secrets know one when they see it."""
TOKEN_BYTES = 32
"""256 random bits. Secrets of 112 bits and more need one approved hash and neither salt nor a slow one: NIST SP
800-63B §5.1.2.2."""
PREFIX_CHARS = len(BEGINNING) + 6
"""What is shown of a key: more than 200 of its bits stay unknown."""
MAX_NAME_CHARS = 64
MAX_DAYS = 3_650
MAX_ADDRESSES = 20
MAX_PER_MINUTE = 100_000
OVERLAP = timedelta(hours=24)
"""For how long a key that was replaced still works."""
SEEN_EVERY = timedelta(minutes=1)
"""How exact `last_used_at` is; writing it with every request would make each of them a write."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """What a person wants of a key."""

    name: str
    scopes: frozenset[KeyScope] = frozenset(KeyScope)
    models: frozenset[ModelId] | None = None
    """None: all that the person may ask."""
    project_id: ProjectId | None = None
    days: int | None = None
    """Until it ends; None: never."""
    budget_usd: Decimal | None = None
    """For each month."""
    requests_per_minute: int | None = None
    keeps_answers: bool = False
    """Whether answers to it are kept and given again to the same question, within its person's own wall."""
    keeps_similar: bool = False
    """Whether to one that means the same, too."""
    addresses: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key as its owner sees it."""

    id: KeyId
    name: str
    prefix: str
    owner: str
    scopes: frozenset[KeyScope]
    models: int | None
    """How many may be asked; None: all."""
    addresses: tuple[str, ...]
    requests_per_minute: int | None
    keeps_answers: bool
    keeps_similar: bool
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    budget_usd: Decimal | None
    spent_usd: Decimal | None
    """Of its budget, this month."""
    returns_at: datetime | None
    """When there is the whole of it again."""
    series_id: UUID
    limits: tuple[LimitInfo, ...]
    """That administrators have set of it."""


@dataclass(frozen=True, slots=True)
class Made:
    """A key that was just made. The token is shown once and stored nowhere."""

    id: KeyId
    token: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever asks with a key, and what the key allows."""

    actor: Actor
    key_id: KeyId
    series_id: UUID
    project_id: ProjectId | None
    scopes: frozenset[KeyScope]
    models: frozenset[ModelId] | None
    networks: tuple[str, ...]
    requests_per_minute: int | None
    is_seen: bool
    """Whether it is written down already that the key was in use just now."""

    def comes_from(self, address: str) -> bool:
        """Return whether the key may be used from an address."""
        if not self.networks:
            return True
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = getattr(found, "ipv4_mapped", None)
        return any((mapped or found) in ipaddress.ip_network(one) for one in self.networks)


async def create(session: Session, actor: Actor, new: NewKey, holder: Actor | None = None) -> Made:
    """Make a key of the actor's, or of the service account `holder` (`service_accounts.holder` asks for rights).

    What it may be is bounded by what its holder may. Raises `InvalidInput`, `NotFound`, `Forbidden` and `Conflict`.
    """
    require(actor, Permission.CHAT)
    holder = holder or actor
    live = readable(ApiKey, holder).where(ApiKey.user_id == holder.user_id, _is_live())
    there = await session.scalar(select(func.count()).select_from(live.subquery())) or 0
    most = await quotas.most(session, await teams_of(session, holder.user_id), holder.user_id, QuotaKind.API_KEYS)
    if most and there >= most:
        raise Conflict("{most} keys are the most. Revoke one that is not needed.", most=most)
    await require_open(session, holder, new.project_id)
    if not new.scopes:
        raise InvalidInput("A key that allows nothing is of no use. Choose at least one thing that it is for.")
    for model_id in new.models or ():
        await target(session, holder, model_id, is_embedder=None, may_choose=True)
    if new.days is not None and not 1 <= new.days <= MAX_DAYS:
        raise InvalidInput("A key lives for 1 to {most} days, or until it is revoked.", most=MAX_DAYS)
    limit = new.requests_per_minute
    if limit is not None and not 1 <= limit <= MAX_PER_MINUTE:
        raise InvalidInput("The requests in a minute are 1 to {most}, or as many as anybody.", most=MAX_PER_MINUTE)
    key_id = KeyId(uuid7())
    row = ApiKey(
        id=key_id,
        series_id=key_id,
        user_id=holder.user_id,
        project_id=new.project_id,
        name=_name(new.name),
        scopes=sorted(new.scopes),
        models=None if new.models is None else sorted(map(str, new.models)),
        addresses=_networks(new.addresses),
        requests_per_minute=limit,
        keeps_answers=new.keeps_answers,
        keeps_similar=new.keeps_similar,
        expires_at=None if new.days is None else now() + timedelta(days=new.days),
    )
    made = _issue(session, row)
    if new.budget_usd is not None:
        await budgets.set_of_key(session, key_id, new.budget_usd)
    told: dict[str, Any] = {} if holder is actor else {"holder": holder.name}
    await audit.record(session, actor, "key.created", row.name, prefix=row.prefix, **told)
    await session.flush()
    return made


async def list_keys(session: ReadSession, actor: Actor, owner: UserId | None = None) -> tuple[KeyInfo, ...]:
    """Return the live keys of a person, the newest first; None: all that the actor may see."""
    query = readable(ApiKey, actor).where(_is_live()).join(User, User.id == ApiKey.user_id).add_columns(User.name)
    if owner is not None:
        query = query.where(ApiKey.user_id == owner)
    rows = (await session.execute(query.order_by(ApiKey.id.desc()))).all()
    states = await budgets.of_keys(session, [row.series_id for row, _ in rows])
    rates = await limits.of_keys(session, [row.series_id for row, _ in rows])
    return tuple(_info(row, name, states.get(row.series_id), rates[row.series_id]) for row, name in rows)


async def rename(session: Session, actor: Actor, key_id: KeyId, name: str) -> None:
    """Give a key another name. Raises `InvalidInput` and `NotFound`."""
    row = await _row(session, actor, key_id)
    row.name = _name(name)
    await audit.record(session, actor, "key.renamed", row.name, prefix=row.prefix)


async def rotate(session: Session, actor: Actor, key_id: KeyId, overlap: timedelta = OVERLAP) -> Made:
    """Make a key like this one, which ends after the overlap. Raises `NotFound`."""
    old = await _row(session, actor, key_id)
    instant = now()
    lifetime = None if old.expires_at is None else old.expires_at - old.created_at
    row = ApiKey(
        id=KeyId(uuid7()),
        series_id=old.series_id,
        user_id=old.user_id,
        project_id=old.project_id,
        name=old.name,
        scopes=old.scopes,
        models=old.models,
        addresses=old.addresses,
        requests_per_minute=old.requests_per_minute,
        keeps_answers=old.keeps_answers,
        keeps_similar=old.keeps_similar,
        expires_at=None if lifetime is None else instant + lifetime,
    )
    made = _issue(session, row)
    ends_at = instant + overlap
    old.expires_at = ends_at if old.expires_at is None else min(old.expires_at, ends_at)
    await audit.record(session, actor, "key.rotated", old.name, prefix=old.prefix, new_prefix=row.prefix)
    await session.flush()
    return made


async def revoke(session: Session, actor: Actor, key_id: KeyId) -> None:
    """End a key at once. Raises `NotFound`."""
    row = await _row(session, actor, key_id)
    row.revoked_at = now()
    await audit.record(session, actor, "key.revoked", row.name, prefix=row.prefix)


async def find_by_prefix(session: ReadSession, actor: Actor, prefix: str) -> KeyInfo:
    """Return the one live key that begins like this. Raises `NotFound` and `Conflict`."""
    found = [key for key in await list_keys(session, actor) if prefix and key.prefix.startswith(prefix)]
    if not found:
        raise NotFound("There is no key that begins like this. List them with: llm-ui keys list")
    if len(found) > 1:
        raise Conflict("Several keys begin like this. Type more of it.")
    return found[0]


async def caller_of(session: ReadSession, token: str) -> Caller:
    """Return whoever holds a key, as they are now. Raises `KeyRefused`; for any token it is the same work."""
    found = (await session.execute(HOLDER, {"token_hash": sha256_hex(token), "instant": now()})).one_or_none()
    if found is None:
        raise KeyRefused
    row, user, is_of_project = found
    if not user.is_active or (row.project_id is not None and not is_of_project):
        raise KeyRefused
    models = None if row.models is None else frozenset(ModelId(UUID(one)) for one in row.models)
    rights = KeyRights(row.id, row.series_id, row.project_id, models, row.keeps_answers, row.keeps_similar)
    return Caller(
        actor=Actor(user.id, user.name, user.role, key=rights),
        key_id=row.id,
        series_id=row.series_id,
        project_id=row.project_id,
        scopes=frozenset(map(KeyScope, row.scopes)),
        models=models,
        networks=tuple(row.addresses),
        requests_per_minute=row.requests_per_minute,
        is_seen=row.last_used_at is not None and row.last_used_at > now() - SEEN_EVERY,
    )


async def still_good(session: ReadSession, key_ids: Collection[KeyId]) -> frozenset[KeyId]:
    """Return which of these keys may still be used."""
    return frozenset(await session.scalars(STILL_GOOD, {"key_ids": list(key_ids), "instant": now()}))


async def touch(session: Session, key_id: KeyId) -> None:
    """Note that a key is in use; writes at most once a minute."""
    is_old = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < now() - SEEN_EVERY)
    await session.execute(update(ApiKey).where(ApiKey.id == key_id, is_old).values(last_used_at=now()))


def _is_live(at: datetime | BindParameter[datetime] | None = None) -> ColumnElement[bool]:
    return ApiKey.revoked_at.is_(None) & or_(
        ApiKey.expires_at.is_(None), ApiKey.expires_at > (now() if at is None else at)
    )


def _holder() -> Select[ApiKey, User, bool]:
    # Rights begin here: this is how it becomes known who acts.
    is_member = is_in_project(ApiKey.project_id, ApiKey.user_id)
    query = select(ApiKey, User, is_member).join(User, User.id == ApiKey.user_id)
    return query.where(ApiKey.token_hash == bindparam("token_hash"), _is_live(bindparam("instant")))


HOLDER = _holder()
"""Who holds a key, put together once: for each request that took longer than to read it."""


def _still_good() -> Select[KeyId]:
    # rights: the product's own watch over calls that are being made; it learns only ids
    is_there = ApiKey.project_id.is_(None) | is_in_project(ApiKey.project_id, ApiKey.user_id)
    query = select(ApiKey.id).join(User, User.id == ApiKey.user_id)
    query = query.where(User.is_active, _is_live(bindparam("instant")), is_there)
    return query.where(ApiKey.id.in_(bindparam("key_ids", expanding=True)))


STILL_GOOD = _still_good()
"""Which of some keys may still be used; asked several times a second while they are."""


def _issue(session: Session, row: ApiKey) -> Made:
    token = BEGINNING + secrets.token_urlsafe(TOKEN_BYTES)
    row.prefix, row.token_hash, row.created_at = token[:PREFIX_CHARS], sha256_hex(token), now()
    session.add(row)
    return Made(row.id, token)


async def _row(session: Session, actor: Actor, key_id: KeyId) -> ApiKey:
    row = await session.scalar(readable(ApiKey, actor).where(ApiKey.id == key_id, _is_live()).with_for_update())
    if row is None:
        raise NotFound("This key has ended already. Reload the page.")
    return row


def _name(text: str) -> str:
    name = one_line(text, MAX_NAME_CHARS)
    if not name:
        raise InvalidInput("Give the key a name, such as what it is used by.")
    return name


def _networks(addresses: Sequence[str]) -> list[str]:
    if len(addresses) > MAX_ADDRESSES:
        raise InvalidInput("{most} networks are the most. Remove some.", most=MAX_ADDRESSES)
    found = []
    for one in addresses:
        try:
            found.append(str(ipaddress.ip_network(one.strip(), strict=False)))
        except ValueError:
            raise InvalidInput(
                "{text} is neither an address nor a network like 10.2.0.0/16. Correct it.", text=one_line(one, 60)
            ) from None
    return found


def _info(row: ApiKey, owner: str, state: budgets.BudgetState | None, rates: tuple[LimitInfo, ...]) -> KeyInfo:
    return KeyInfo(
        id=row.id,
        name=row.name,
        prefix=row.prefix,
        owner=owner,
        scopes=frozenset(map(KeyScope, row.scopes)),
        models=None if row.models is None else len(row.models),
        addresses=tuple(row.addresses),
        requests_per_minute=row.requests_per_minute,
        keeps_answers=row.keeps_answers,
        keeps_similar=row.keeps_similar,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        budget_usd=None if state is None else state.amount_usd,
        spent_usd=None if state is None else state.spent_usd,
        returns_at=None if state is None else state.returns_at,
        series_id=row.series_id,
        limits=rates,
    )
