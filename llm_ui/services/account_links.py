"""One-time links: an invitation to an account, and a new password for one."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, InvalidInput, NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import UserId
from llm_ui.kit.passwords import require_acceptable
from llm_ui.kit.signing import sha256_hex
from llm_ui.models import AccountLink, LinkKind, Pending, Role, User
from llm_ui.services import audit
from llm_ui.services.access import Actor, Permission, require
from llm_ui.services.sign_in import revoke_all
from llm_ui.services.users import NewUser, UserInfo, address_problems, info_of, insert, require_long, user_row

TOKEN_BYTES = 32
VALID = {LinkKind.INVITATION: timedelta(days=7), LinkKind.RESET: timedelta(days=1)}
"""How long a link can be used."""
PATHS = {LinkKind.INVITATION: "/invitation", LinkKind.RESET: "/reset"}
GONE = "This link was used, replaced or is too old. Ask an administrator for a new one."


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link that was just made. Its token is in the path and is stored nowhere."""

    user: UserInfo
    path: str
    expires_at: datetime


async def invite(session: Session, actor: Actor, name: str, email: str, role: Role) -> NewLink:
    """Make an account whose person has yet to choose a password, and the link for that."""
    require(actor, Permission.MANAGE_USERS)
    name = name.strip() or email.strip().partition("@")[0]
    if found := address_problems(name, email):
        raise InvalidInput(next(iter(found.values())))
    user = await insert(session, NewUser(name, email, ""), role, "", Pending.INVITATION)
    await audit.record(session, actor, "user.invited", user.name, target_id=user.id, role=role.value, email=user.email)
    return await _new_link(session, user, LinkKind.INVITATION)


async def renew_invitation(session: Session, actor: Actor, user_id: UserId) -> NewLink:
    """Make a new link for somebody who was invited; the one before leads nowhere from now on."""
    require(actor, Permission.MANAGE_USERS)
    user = await user_row(session, actor, user_id)
    if user.pending is not Pending.INVITATION:
        raise Conflict("{name} has taken the invitation already. Reload the list.", name=user.name)
    await audit.record(session, actor, "user.invited_again", user.name, target_id=user.id)
    return await _new_link(session, user, LinkKind.INVITATION)


async def offer_reset(session: Session, actor: Actor, user_id: UserId) -> NewLink:
    """Make a link with which a person chooses a new password; until then the old one holds."""
    require(actor, Permission.MANAGE_USERS)
    user = await user_row(session, actor, user_id)
    if not user.is_active:
        raise Conflict("{name} cannot sign in now. Enable the account first.", name=user.name)
    await audit.record(session, actor, "user.reset_offered", user.name, target_id=user.id)
    return await _new_link(session, user, LinkKind.RESET)


async def of_link(session: ReadSession, kind: LinkKind, token: str) -> UserInfo:
    """Return the account that a link is for. Raises `NotFound` when it leads nowhere."""
    # rights: whoever has the link is whom it was made for
    held = select(User).join(AccountLink, AccountLink.user_id == User.id)
    held = held.where(AccountLink.token_hash == sha256_hex(token), AccountLink.kind == kind)
    user = await session.scalar(held.where(AccountLink.expires_at > now()))
    if user is None or (kind is LinkKind.RESET and not user.is_active):
        raise NotFound(GONE)
    return info_of(user)


async def require_password(session: ReadSession, user: UserInfo, password: str) -> None:
    """Raise `InvalidInput` unless the password can be used for the account."""
    require_acceptable(password, (user.name, user.email))
    await require_long(session, password)


async def take(session: Session, kind: LinkKind, token: str, password_hash: str) -> UserId:
    """Set the password of a link's account, which can be signed in to from now on; return whose it is.

    Of any number of attempts at once exactly one succeeds. Raises `NotFound`.
    """
    user_id = (await of_link(session, kind, token)).id
    # The link's row is the lock: whoever comes second finds it gone.
    spent = delete(AccountLink).where(AccountLink.token_hash == sha256_hex(token)).returning(AccountLink.user_id)
    if await session.scalar(spent) is None:
        raise NotFound(GONE)
    # rights: the link gives them
    user = await session.get_one(User, user_id)
    user.password_hash = password_hash
    if user.pending is Pending.INVITATION:
        user.pending, user.is_active = None, True
    await revoke_all(session, user.id, "password reset")
    itself = Actor(user.id, user.name, user.role)
    action = "user.invitation_taken" if kind is LinkKind.INVITATION else "user.password_reset"
    await audit.record(session, itself, action, user.name, target_id=user.id)
    return user.id


async def _new_link(session: Session, user: User, kind: LinkKind) -> NewLink:
    await session.execute(delete(AccountLink).where(AccountLink.user_id == user.id))
    token = secrets.token_urlsafe(TOKEN_BYTES)
    instant = now()
    expires_at = instant + VALID[kind]
    session.add(
        AccountLink(user_id=user.id, kind=kind, token_hash=sha256_hex(token), created_at=instant, expires_at=expires_at)
    )
    return NewLink(info_of(user), f"{PATHS[kind]}?token={token}", expires_at)
