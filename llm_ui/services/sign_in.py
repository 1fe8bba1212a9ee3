"""Signing in and out: sessions, their time-outs and their end."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select, update

from llm_ui.config import Config
from llm_ui.db import ReadSession, Session
from llm_ui.errors import Forbidden, NotFound, NotSignedIn, SignInRefused
from llm_ui.kit.clock import now
from llm_ui.kit.ids import IssuerId, SessionId, UserId, uuid7
from llm_ui.kit.signing import sha256_hex
from llm_ui.kit.text import name_key, one_line
from llm_ui.models import Pending, Setting, User, UserSession
from llm_ui.services import audit, settings
from llm_ui.services.access import SYSTEM, Actor, Permission, readable, require
from llm_ui.services.settings import SESSION_HOURS, SESSION_IDLE_HOURS

TOKEN_BYTES = 32
AWAITS_APPROVAL = "Your account is waiting for an administrator to let you in. Sign in here once they have."
SEEN_EVERY = timedelta(minutes=1)
"""How exact `last_seen_at` is; writing it on every request would make each read a write."""


@dataclass(frozen=True, slots=True)
class TimeOuts:
    """How long a sign-in lasts without use, and at most."""

    idle: timedelta
    absolute: timedelta

    @classmethod
    def of(cls, config: Config) -> "TimeOuts":
        """Return those of the settings."""
        return cls(timedelta(seconds=config.session_idle_s), timedelta(seconds=config.session_absolute_s))


async def time_outs_here(session: ReadSession, usual: TimeOuts) -> TimeOuts:
    """Return the time-outs of the workspace, which are the usual ones unless an administrator has set others."""
    held = await settings.get_all(session, SESSION_IDLE_HOURS, SESSION_HOURS)
    idle, absolute = held[SESSION_IDLE_HOURS.name], held[SESSION_HOURS.name]
    return TimeOuts(
        timedelta(hours=idle) if idle else usual.idle, timedelta(hours=absolute) if absolute else usual.absolute
    )


@dataclass(frozen=True, slots=True)
class NewSession:
    """A sign-in that just happened. The token goes into the cookie and is stored nowhere."""

    token: str
    actor: Actor
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A sign-in as its owner sees it."""

    id: SessionId
    created_at: datetime
    last_seen_at: datetime
    user_agent: str
    address: str
    is_this: bool


async def password_hash_of(session: ReadSession, name: str) -> tuple[UserId, str] | None:
    """Return the account of that name or e-mail address and its password hash.

    None unless it is active, or waits for an administrator: its person is told so once the password is right.
    """
    # Rights are not asked: nobody is signed in yet.
    key = name_key(name)
    query = select(User.id, User.password_hash).where(or_(User.name_key == key, User.email_key == key))
    query = query.where(User.is_service.is_(False))
    is_known = User.is_active | (User.pending == Pending.APPROVAL)
    row = (await session.execute(query.where(is_known))).one_or_none()
    return None if row is None else (row[0], row[1])


async def renew_hash(session: Session, user_id: UserId, password_hash: str) -> None:
    """Store the hash of a password that was right, made anew because the one before is out of date."""
    await session.execute(update(User).where(User.id == user_id).values(password_hash=password_hash))


async def admitted(session: ReadSession, user_id: UserId) -> User:
    """Return the account of whoever passed the first step of signing in.

    Raises `SignInRefused` if disabled, `Forbidden` while an administrator has to let them in.
    """
    # Rights begin here: nobody is signed in yet.
    user = await session.get(User, user_id)
    if user is not None and user.pending is Pending.APPROVAL:
        raise Forbidden(AWAITS_APPROVAL)
    if user is None or not user.is_active or user.is_service:
        raise SignInRefused
    return user


async def person(session: ReadSession, user_id: UserId) -> Actor:
    """Return whoever passed the first step, without a session yet. Raises as `admitted` does."""
    user = await admitted(session, user_id)
    return Actor(user.id, user.name, user.role)


async def start_session(
    session: Session,
    user_id: UserId,
    time_outs: TimeOuts,
    *,
    user_agent: str,
    address: str,
    issuer_id: IssuerId | None = None,
) -> NewSession:
    """Sign a person in who has passed every step, with a password or through an issuer. Always makes a new token.

    Raises `SignInRefused` if disabled, `Forbidden` while an administrator has to let them in.
    """
    user = await admitted(session, user_id)
    time_outs = await time_outs_here(session, time_outs)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    instant = now()
    user.last_sign_in_at = user.last_seen_at = instant
    row = UserSession(
        id=SessionId(uuid7()),
        user_id=user_id,
        token_hash=sha256_hex(token),
        created_at=instant,
        last_seen_at=instant,
        expires_at=instant + time_outs.absolute,
        user_agent=one_line(user_agent, 256),
        address=one_line(address, 64),
        issuer_id=issuer_id,
    )
    session.add(row)
    actor = Actor(user_id, user.name, user.role, row.id)
    await audit.record(session, actor, "session.started", user.name, target_id=row.id)
    return NewSession(token, actor, time_outs.absolute)


async def actor_of_token(session: ReadSession, token: str, time_outs: TimeOuts) -> Actor:
    """Return whoever holds the session token. Raises `NotSignedIn` when it is unknown, ended or too old."""
    return await _live_actor(session, UserSession.token_hash == sha256_hex(token), time_outs)


async def actor_of_session(session: ReadSession, session_id: SessionId, time_outs: TimeOuts) -> Actor:
    """Return whoever is signed in with this session, as they are now. Raises `NotSignedIn`."""
    return await _live_actor(session, UserSession.id == session_id, time_outs)


async def touch(session: Session, session_id: SessionId) -> None:
    """Note that the session is in use; writes at most once a minute."""
    stale = UserSession.last_seen_at < now() - SEEN_EVERY
    this = update(UserSession).where(UserSession.id == session_id, stale).values(last_seen_at=now())
    user_id = await session.scalar(this.returning(UserSession.user_id))
    if user_id is not None:
        await session.execute(
            update(User).where(User.id == user_id).values(last_seen_at=now(), updated_at=User.updated_at)
        )


async def list_sessions(
    session: ReadSession, actor: Actor, time_outs: TimeOuts, user_id: UserId | None = None
) -> tuple[SessionInfo, ...]:
    """Return the actor's own live sessions, or somebody else's for an administrator, the one used last first."""
    if user_id is not None:
        require(actor, Permission.MANAGE_USERS)
    time_outs = await time_outs_here(session, time_outs)
    query = readable(UserSession, actor).where(
        UserSession.user_id == (user_id or actor.user_id),
        UserSession.revoked_at.is_(None),
        UserSession.expires_at > now(),
        UserSession.last_seen_at > now() - time_outs.idle,
    )
    rows = await session.scalars(query.order_by(UserSession.last_seen_at.desc()))
    return tuple(
        SessionInfo(
            row.id, row.created_at, row.last_seen_at, row.user_agent, row.address, is_this=row.id == actor.session_id
        )
        for row in rows
    )


async def revoke_session(session: Session, actor: Actor, session_id: SessionId, reason: str = "ended") -> None:
    """End one of the actor's own sessions. Raises `NotFound` for anybody else's."""
    mine = update(UserSession).where(UserSession.id == session_id, UserSession.user_id == actor.user_id)
    ended = await session.scalar(
        mine.where(UserSession.revoked_at.is_(None))
        .values(revoked_at=now(), revoked_reason=reason)
        .returning(UserSession.id)
    )
    if ended is None:
        raise NotFound("This session has ended already.")
    await audit.record(session, actor, "session.ended", actor.name, target_id=session_id, reason=reason)


async def end_others(session: Session, actor: Actor) -> None:
    """End all of the actor's own sessions but the present one."""
    await revoke_all(session, actor.user_id, "ended", but=actor.session_id)
    await audit.record(session, actor, "user.sessions_ended", actor.name, target_id=actor.user_id, all=False)


async def sign_out(session: Session, actor: Actor) -> None:
    """End the session the actor is signed in with; nothing happens when it has ended already."""
    this = update(UserSession).where(UserSession.id == actor.session_id, UserSession.revoked_at.is_(None))
    ended = this.values(revoked_at=now(), revoked_reason="signed out").returning(UserSession.id)
    if (session_id := await session.scalar(ended)) is not None:
        await audit.record(session, actor, "session.ended", actor.name, target_id=session_id, reason="signed out")


async def revoke_all(session: Session, user_id: UserId, reason: str, *, but: SessionId | None = None) -> None:
    """End every session of a person, except one."""
    theirs = update(UserSession).where(UserSession.user_id == user_id, UserSession.revoked_at.is_(None))
    if but is not None:
        theirs = theirs.where(UserSession.id != but)
    await session.execute(theirs.values(revoked_at=now(), revoked_reason=reason))


async def ended_among(session: ReadSession, open_now: Collection[SessionId]) -> set[SessionId]:
    """Return those of some sessions that anybody ended or whose account was deleted, so that pages can be closed."""
    # Rights are not asked: the product closes everybody's pages, and learns only ids.
    live = select(UserSession.id).where(UserSession.id.in_(open_now), UserSession.revoked_at.is_(None))
    return set(open_now) - set(await session.scalars(live))


async def end_every_session(session: Session, reason: str) -> None:
    """End all sessions of everybody, as after a restored backup."""
    live = update(UserSession).where(UserSession.revoked_at.is_(None))
    await session.execute(live.values(revoked_at=now(), revoked_reason=reason))
    await audit.record(session, SYSTEM, "session.all_ended", "workspace", reason=reason)


async def _live_actor(session: ReadSession, which: ColumnElement[bool], time_outs: TimeOuts) -> Actor:
    query = SIGNED_IN.where(which)
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise NotSignedIn
    row, user, idle, absolute = found
    instant = now()
    is_unused = row.last_seen_at <= instant - (_hours(idle) or time_outs.idle)
    is_old = row.expires_at <= instant or (absolute is not None and row.created_at <= instant - _hours(absolute))
    is_over = row.revoked_at is not None or is_old or is_unused
    if is_over or not user.is_active or user.is_service:
        raise NotSignedIn
    return Actor(user.id, user.name, user.role, row.id)


def _signed_in() -> Select[Any]:
    # Rights begin here: this is how it becomes known who acts.
    # The settings come with the same query: this is asked for whatever anybody does.
    hours = [
        select(Setting.value).where(Setting.name == one.name).scalar_subquery()
        for one in (SESSION_IDLE_HOURS, SESSION_HOURS)
    ]
    return select(UserSession, User, *hours).join(User, User.id == UserSession.user_id)


SIGNED_IN = _signed_in()
"""Put together once: for each request that took longer than to read it."""


def _hours(held: dict[str, int] | None) -> timedelta:
    return timedelta(hours=held["value"]) if held else timedelta()
