"""Directories: issuers that keep accounts and teams here by themselves, with a token of SCIM (RFC 7644 §2)."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.util import find_spec

from sqlalchemy import func, or_, select, update

from llm_ui.db import ReadSession, Session
from llm_ui.errors import KeyRefused, NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import IssuerId, UserId
from llm_ui.kit.signing import sha256_hex
from llm_ui.models import DirectoryGroup, DirectoryPerson, DirectoryToken, Issuer, Role
from llm_ui.services import audit
from llm_ui.services.access import SYSTEM, Actor, Permission, require

HAS_SCIM = find_spec("scim2_models") is not None
"""Whether this was installed with what reads SCIM: `llm-ui[scim]`."""
BEGINNING = "llmui-scim-"
TOKEN_BYTES = 32
PREFIX_CHARS = len(BEGINNING) + 6
SEEN_EVERY = timedelta(minutes=1)
"""How exact `last_used_at` is."""


@dataclass(frozen=True, slots=True)
class Directory:
    """Whoever keeps accounts, as found by its token."""

    issuer_id: IssuerId
    name: str
    takes_over: bool
    is_seen: bool
    """Whether it is written down already that the token was in use just now."""

    @property
    def actor(self) -> Actor:
        """What its changes are done as, and written down as in the audit log."""
        return Actor(SYSTEM.user_id, f"{self.name} (SCIM)", Role.ADMIN)


@dataclass(frozen=True, slots=True)
class DirectoryInfo:
    """What administrators see of the directory of an issuer."""

    prefix: str
    """How its token begins; empty: it has none."""
    takes_over: bool
    created_at: datetime | None
    last_used_at: datetime | None
    people: int
    groups: int


async def read(session: ReadSession, actor: Actor, issuer_id: IssuerId) -> DirectoryInfo:
    """Return what there is of the directory of an issuer."""
    require(actor, Permission.MANAGE_SETTINGS)
    token = await session.get(DirectoryToken, issuer_id)
    # rights: numbers for an administrator
    people = select(func.count()).where(DirectoryPerson.issuer_id == issuer_id, DirectoryPerson.ended_at.is_(None))
    groups = select(func.count()).where(DirectoryGroup.issuer_id == issuer_id)
    return DirectoryInfo(
        prefix="" if token is None else token.prefix,
        takes_over=token is not None and token.takes_over,
        created_at=None if token is None else token.created_at,
        last_used_at=None if token is None else token.last_used_at,
        people=await session.scalar(people) or 0,
        groups=await session.scalar(groups) or 0,
    )


async def make_token(session: Session, actor: Actor, issuer_id: IssuerId, *, takes_over: bool) -> str:
    """Return a new token for the directory of an issuer; it is stored nowhere, and ends the one before.

    `takes_over`: `DirectoryToken.takes_over`. Raises `NotFound`.
    """
    require(actor, Permission.MANAGE_SETTINGS)
    issuer = await _issuer(session, issuer_id)
    token = BEGINNING + secrets.token_urlsafe(TOKEN_BYTES)
    row = await session.get(DirectoryToken, issuer_id) or DirectoryToken(issuer_id=issuer_id)
    row.token_hash, row.prefix, row.takes_over = sha256_hex(token), token[:PREFIX_CHARS], takes_over
    row.created_at, row.last_used_at = now(), None
    session.add(row)
    await audit.record(
        session, actor, "directory.token_made", issuer.name, target_id=issuer_id, prefix=row.prefix,
        takes_over=takes_over,
    )  # fmt: skip
    return token


async def set_takes_over(session: Session, actor: Actor, issuer_id: IssuerId, *, takes_over: bool) -> None:
    """Let the directory of an issuer take over accounts that were here before, or not any more. Raises `NotFound`."""
    require(actor, Permission.MANAGE_SETTINGS)
    issuer, row = await _issuer(session, issuer_id), await _token(session, issuer_id)
    if changes := audit.difference({"takes_over": row.takes_over}, {"takes_over": takes_over}):
        row.takes_over = takes_over
        await audit.record(
            session, actor, "directory.changed", issuer.name, target_id=issuer_id, changes=changes
        )  # fmt: skip


async def end_token(session: Session, actor: Actor, issuer_id: IssuerId) -> None:
    """End the token of a directory at once; accounts and teams stay as they are. Raises `NotFound`."""
    require(actor, Permission.MANAGE_SETTINGS)
    issuer, row = await _issuer(session, issuer_id), await _token(session, issuer_id)
    await session.delete(row)
    await audit.record(
        session, actor, "directory.token_ended", issuer.name, target_id=issuer_id, prefix=row.prefix
    )  # fmt: skip


async def keeper_of(session: ReadSession, user_id: UserId) -> str:
    """Return the name of the issuer whose directory keeps an account; empty: none does. The caller asks for rights."""
    kept = select(Issuer.name).join(DirectoryPerson, DirectoryPerson.issuer_id == Issuer.id)
    # rights: see above
    found = kept.where(DirectoryPerson.user_id == user_id, DirectoryPerson.ended_at.is_(None))
    return await session.scalar(found) or ""


async def directory_of(session: ReadSession, token: str) -> Directory:
    """Return whose token this is. Raises `KeyRefused`; for any token it is the same work."""
    # Rights begin here: this is how it becomes known who acts.
    found = select(DirectoryToken, Issuer.name).join(Issuer, Issuer.id == DirectoryToken.issuer_id)
    row = (await session.execute(found.where(DirectoryToken.token_hash == sha256_hex(token)))).one_or_none()
    if row is None:
        raise KeyRefused("This is no token of a directory, or it has ended. Make a new one on the page Sign-in.")
    held, name = row
    is_seen = held.last_used_at is not None and held.last_used_at > now() - SEEN_EVERY
    return Directory(held.issuer_id, name, held.takes_over, is_seen)


async def touch(session: Session, issuer_id: IssuerId) -> None:
    """Note that a token is in use; writes at most once a minute."""
    is_old = or_(DirectoryToken.last_used_at.is_(None), DirectoryToken.last_used_at < now() - SEEN_EVERY)
    await session.execute(
        update(DirectoryToken).where(DirectoryToken.issuer_id == issuer_id, is_old).values(last_used_at=now())
    )


async def _token(session: ReadSession, issuer_id: IssuerId) -> DirectoryToken:
    row = await session.get(DirectoryToken, issuer_id)
    if row is None:
        raise NotFound("This token has ended already. Reload the page.")
    return row


async def _issuer(session: ReadSession, issuer_id: IssuerId) -> Issuer:
    issuer = await session.get(Issuer, issuer_id)
    if issuer is None:
        raise NotFound("This issuer does not exist any more. Reload the page.")
    return issuer
