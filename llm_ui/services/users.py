"""Accounts: set-up, registration, roles, disabling. Whatever takes rights away ends the sessions too."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Select, func, or_, select
from sqlalchemy.exc import IntegrityError

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, Forbidden, InvalidInput, NotFound
from llm_ui.kit.i18n import later
from llm_ui.kit.ids import SessionId, UserId, uuid7
from llm_ui.kit.passwords import require_acceptable
from llm_ui.kit.signing import sha256_hex
from llm_ui.kit.text import name_key, one_line
from llm_ui.models import Pending, Role, Setting, User
from llm_ui.services import audit, settings
from llm_ui.services.access import SYSTEM, Actor, Permission, readable, require
from llm_ui.services.settings import PASSWORD_MIN_CHARS, SETUP_TOKEN
from llm_ui.services.sign_in import revoke_all, revoke_session

NAME = re.compile(r"[\w][\w.\- ]{0,62}[\w]|\w")
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}")
TAKEN = "This username or e-mail address has an account already. Sign in, or choose another one."
MAX_NAME_KEY_CHARS = 64
MAX_EMAIL_KEY_CHARS = 254
"""What their columns hold. Folding makes two letters of some, so keys may be longer than what was typed."""


@dataclass(frozen=True, slots=True)
class NewUser:
    """An account to be made. `password` is clear and is checked, never stored."""

    name: str
    email: str
    password: str


class UserState(StrEnum):
    """What becomes of somebody who signs in."""

    ACTIVE = "active"
    INVITED = "invited"
    WAITING = "waiting"
    """For an administrator to let them in."""
    DISABLED = "disabled"


PENDING_STATES = {Pending.INVITATION: UserState.INVITED, Pending.APPROVAL: UserState.WAITING}


@dataclass(frozen=True, slots=True)
class UserInfo:
    """An account as lists show it."""

    id: UserId
    name: str
    email: str
    role: Role
    is_active: bool
    state: UserState
    created_at: datetime
    last_sign_in_at: datetime | None
    last_seen_at: datetime | None


def problems(new: NewUser) -> dict[str, str]:
    """Return what is wrong with a new account: a sentence for each field that cannot be used."""
    found = address_problems(new.name, new.email)
    try:
        require_acceptable(new.password, (new.name.strip(), new.email.strip()))
    except InvalidInput as error:
        found["password"] = error.message
    return found


def address_problems(name: str, email: str) -> dict[str, str]:
    """Return what is wrong with a name and an e-mail address."""
    found = {}
    name, email = name.strip(), email.strip()
    if not NAME.fullmatch(name) or len(name_key(name)) > MAX_NAME_KEY_CHARS:
        found["username"] = later("The username needs 1 to 64 letters, digits, dots, dashes or spaces.")
    is_email = EMAIL.fullmatch(email) and email.isprintable() and len(name_key(email)) <= MAX_EMAIL_KEY_CHARS
    if not is_email:
        found["email"] = later("The e-mail address must look like name@example.org.")
    return found


def check_new(new: NewUser) -> None:
    """Raise `InvalidInput` with one sentence unless the name, address and password can be used."""
    if found := problems(new):
        raise InvalidInput(next(iter(found.values())))


async def needs_setup(session: ReadSession) -> bool:
    """Return whether there is no administrator yet."""
    # rights: asked before anybody can sign in; tells only yes or no
    return await session.scalar(select(User.id).where(User.role == Role.ADMIN).limit(1)) is None


async def new_setup_token(session: Session) -> str | None:
    """Return a new one-time set-up token, which ends any older one; None when there is an administrator."""
    if not await needs_setup(session):
        return None
    token = secrets.token_urlsafe(24)
    await settings.store(session, SETUP_TOKEN, sha256_hex(token))
    return token


async def is_setup_token(session: ReadSession, token: str) -> bool:
    """Return whether the set-up token opens the set-up page."""
    stored = await settings.get(session, SETUP_TOKEN)
    return stored is not None and secrets.compare_digest(stored, sha256_hex(token))


async def require_setup(session: ReadSession, token: str) -> None:
    """Raise `Forbidden` unless the token makes the first administrator now."""
    if not await is_setup_token(session, token) or not await needs_setup(session):
        raise Forbidden("This set-up link was used or replaced. Restart LLM UI for a new one, or sign in.")


async def set_up(session: Session, token: str, new: NewUser, password_hash: str) -> UserId:
    """Create the first administrator. Of any number of attempts at once exactly one succeeds.

    Raises `Forbidden` when the token is wrong or used.
    """
    check_new(new)
    # The token's row is the lock: whoever comes second finds it spent.
    await session.execute(select(Setting).where(Setting.name == SETUP_TOKEN.name).with_for_update())
    await require_setup(session, token)
    await settings.store(session, SETUP_TOKEN, None)
    user = await insert(session, new, Role.ADMIN, password_hash)
    await audit.record(session, SYSTEM, "user.set_up", user.name, target_id=user.id)
    return user.id


async def require_long(session: ReadSession, password: str) -> None:
    """Raise `InvalidInput` unless a new password is as long as the workspace wants it."""
    least = await settings.get(session, PASSWORD_MIN_CHARS)
    if len(password) < least:
        raise InvalidInput("The password needs at least {least} characters here. Choose a longer one.", least=least)


async def create(session: Session, actor: Actor, new: NewUser, role: Role, password_hash: str) -> UserInfo:
    """Create an account as an administrator."""
    require(actor, Permission.MANAGE_USERS)
    check_new(new)
    await require_long(session, new.password)
    user = await insert(session, new, role, password_hash)
    await audit.record(session, actor, "user.created", user.name, target_id=user.id, role=role.value)
    return info_of(user)


async def list_users(session: ReadSession, actor: Actor) -> tuple[UserInfo, ...]:
    """Return all people's accounts by name."""
    require(actor, Permission.MANAGE_USERS)
    return tuple(info_of(user) for user in await session.scalars(_people(actor).order_by(User.name_key)))


async def find_user(session: ReadSession, actor: Actor, name: str) -> UserInfo:
    """Return the account of that name or e-mail address. Raises `NotFound`."""
    require(actor, Permission.MANAGE_USERS)
    key = name_key(name)
    user = await session.scalar(_people(actor).where(or_(User.name_key == key, User.email_key == key)).limit(1))
    if user is None:
        raise NotFound(f"There is no account named {one_line(name, 64)!r}. List them with: llm-ui users list")
    return info_of(user)


async def find_person(session: ReadSession, actor: Actor, name: str) -> UserInfo:
    """Return the account of that name or e-mail address, for a page. Raises `NotFound`."""
    try:
        return await find_user(session, actor, name)
    except NotFound:
        raise NotFound("There is nobody of the name {name}. Type a username.", name=one_line(name, 64)) from None


async def set_active(session: Session, actor: Actor, user_id: UserId, *, is_active: bool) -> None:
    """Disable an account, which ends its sessions, or enable it again. One that waits for something goes on waiting."""
    require(actor, Permission.MANAGE_USERS)
    user = await user_row(session, actor, user_id)
    if user.pending is not None:
        raise Conflict("{name} has not been let in yet. Approve or delete the account.", name=user.name)
    if not is_active:
        await require_another(session, actor, user)
        await revoke_all(session, user.id, "disabled")
    user.is_active = is_active
    action = "user.enabled" if is_active else "user.disabled"
    await audit.record(session, actor, action, user.name, target_id=user.id)


async def set_role(session: Session, actor: Actor, user_id: UserId, role: Role) -> None:
    """Change what an account may do; it has to sign in again."""
    require(actor, Permission.MANAGE_USERS)
    user = await user_row(session, actor, user_id)
    before = user.role
    if role is not Role.ADMIN:
        await require_another(session, actor, user)
    changes = audit.difference({"role": before}, {"role": role})
    user.role = role
    await revoke_all(session, user.id, "role changed")
    await audit.record(session, actor, "user.role_changed", user.name, target_id=user.id, changes=changes)


async def end_sessions(session: Session, actor: Actor, user_id: UserId, session_id: SessionId | None = None) -> None:
    """End one of a person's sessions, or all of them. Raises `NotFound`."""
    require(actor, Permission.MANAGE_USERS)
    user = await user_row(session, actor, user_id)
    if session_id is None:
        await revoke_all(session, user.id, "ended by an administrator")
    else:
        await revoke_session(session, Actor(user.id, user.name, user.role), session_id, "ended by an administrator")
    is_all = session_id is None
    await audit.record(session, actor, "user.sessions_ended", user.name, target_id=user.id, all=is_all)


async def reset_password(session: Session, actor: Actor, user_id: UserId, password: str, password_hash: str) -> None:
    """Set somebody's password as an administrator; ends all their sessions."""
    require(actor, Permission.MANAGE_USERS)
    user = await user_row(session, actor, user_id)
    require_acceptable(password, (user.name, user.email))
    await require_long(session, password)
    user.password_hash = password_hash
    await revoke_all(session, user.id, "password reset")
    await audit.record(session, actor, "user.password_reset", user.name, target_id=user.id)


async def require_own_acceptable(session: ReadSession, actor: Actor, password: str) -> None:
    """Raise `InvalidInput` unless the actor may use the password, before any work is done for it."""
    user = await user_row(session, actor, actor.user_id)
    require_acceptable(password, (user.name, user.email))
    await require_long(session, password)


async def rename(session: Session, actor: Actor, name: str) -> str:
    """Give the actor's own account another username; return it. Raises `InvalidInput` and `Conflict`."""
    user = await user_row(session, actor, actor.user_id)
    if found := address_problems(name, user.email).get("username"):
        raise InvalidInput(found)
    before = user.name
    user.name, user.name_key = name.strip(), name_key(name)
    try:
        await session.flush()
    except IntegrityError:
        raise Conflict("This username is somebody else's. Choose another one.") from None
    changes = audit.difference({"name": before}, {"name": user.name})
    await audit.record(session, actor, "user.renamed", before, target_id=user.id, changes=changes)
    return user.name


async def has_password(session: ReadSession, actor: Actor) -> bool:
    """Return whether the actor can sign in with a password."""
    return bool((await user_row(session, actor, actor.user_id)).password_hash)


async def change_password(session: Session, actor: Actor, password: str, password_hash: str) -> None:
    """Set the actor's own password, the old one having been checked; ends all other sessions."""
    await require_own_acceptable(session, actor, password)
    user = await user_row(session, actor, actor.user_id)
    user.password_hash = password_hash
    await revoke_all(session, user.id, "password changed", but=actor.session_id or SessionId(user.id))
    await audit.record(session, actor, "user.password_changed", user.name, target_id=user.id)


async def insert(
    session: Session, new: NewUser, role: Role, password_hash: str, pending: Pending | None = None
) -> User:
    """Store an account; what it is made of was checked. Raises `Conflict` when the name or address is taken."""
    name, email = new.name.strip(), new.email.strip()
    # Rights were asked by the caller; this tells only whether a name is taken.
    taken = select(func.count()).where(or_(User.name_key == name_key(name), User.email_key == name_key(email)))
    if await session.scalar(taken):
        raise Conflict(TAKEN)
    user = User(
        id=UserId(uuid7()),
        name=name,
        name_key=name_key(name),
        email=email,
        email_key=name_key(email),
        password_hash=password_hash,
        role=role,
        is_active=pending is None,
        pending=pending,
    )
    session.add(user)
    try:
        await session.flush()
    except IntegrityError:
        # Somebody took the name since the question above.
        raise Conflict(TAKEN) from None
    return user


async def user_row(session: ReadSession, actor: Actor, user_id: UserId) -> User:
    """Return the row of a person's account that the actor may see. Raises `NotFound`."""
    user = await session.scalar(_people(actor).where(User.id == user_id))
    if user is None:
        raise NotFound("This account does not exist any more. Reload the list.")
    return user


def _people(actor: Actor) -> Select[User]:
    """Return the accounts that the actor may see. Service accounts are looked after on the page of their team."""
    return readable(User, actor).where(User.is_service.is_(False))


async def require_another(session: Session, actor: Actor, user: User) -> None:
    """Raise `Conflict` when rights would be taken from the actor's own account, or from the only administrator."""
    if user.id == actor.user_id:
        raise Conflict("This is your own account. Ask another administrator.")
    await require_admin_beside(session, user)


async def require_admin_beside(session: Session, user: User) -> None:
    """Raise `Conflict` for the only administrator."""
    # Rights were asked by the caller. The administrators' rows are the lock: two who demote each other at once must
    # not both succeed.
    admins = select(User.id).where(User.role == Role.ADMIN, User.is_active).order_by(User.id).with_for_update()
    if set(await session.scalars(admins)) == {user.id}:
        raise Conflict("{name} is the only administrator. Make somebody else one first.", name=user.name)


def info_of(user: User) -> UserInfo:
    """Return the account of a row."""
    state = UserState.ACTIVE if user.is_active else UserState.DISABLED
    return UserInfo(
        id=user.id,
        name=user.name,
        email=user.email,
        role=user.role,
        is_active=user.is_active,
        state=state if user.pending is None else PENDING_STATES[user.pending],
        created_at=user.created_at,
        last_sign_in_at=user.last_sign_in_at,
        last_seen_at=user.last_seen_at,
    )
