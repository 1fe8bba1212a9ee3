"""Whose accounts at issuers are whose here: known by issuer and subject, and never by an e-mail address."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, Forbidden, NotFound, SignInRefused
from llm_ui.kit.clock import now
from llm_ui.kit.ids import IssuerId, UserId
from llm_ui.kit.text import name_key, one_line
from llm_ui.models import DirectoryPerson, Issuer, LinkedSignIn, Role, User
from llm_ui.services import audit, issuer_teams
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.issuers import require_way_in
from llm_ui.services.sign_in import revoke_all
from llm_ui.services.users import NAME, NewUser, address_problems, insert, require_another

NOT_IN_NAMES = re.compile(r"[^\w.\- ]+")
NAME_CHARS = 56
"""Of what an issuer calls somebody, so that a number fits behind it."""
NAMES_TRIED = 100


@dataclass(frozen=True, slots=True)
class Linked:
    """A way to sign in through an issuer, as the account's page shows it."""

    issuer_id: IssuerId
    name: str
    email: str
    """Empty while it is not connected, or when the issuer tells none."""
    is_connected: bool
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Known:
    """What an issuer says of somebody, as far as it is used."""

    subject: str
    name: str
    email: str
    is_email_verified: bool | None
    groups: frozenset[str]


async def list_linked(session: ReadSession, actor: Actor) -> tuple[Linked, ...]:
    """Return through whom the actor can sign in, or could once that is connected."""
    mine = (LinkedSignIn.issuer_id == Issuer.id) & (LinkedSignIn.user_id == actor.user_id)
    found = select(Issuer.id, Issuer.name, LinkedSignIn.subject, LinkedSignIn.email, LinkedSignIn.last_used_at)
    query = found.outerjoin(LinkedSignIn, mine).order_by(Issuer.created_at, Issuer.id)
    # rights: one's own
    rows = await session.execute(query.where(Issuer.is_active | LinkedSignIn.subject.is_not(None)))
    return tuple(
        Linked(row.id, row.name, row.email or "", is_connected=bool(row.subject), last_used_at=row.last_used_at)
        for row in rows
    )


async def enter(
    session: Session, issuer_id: IssuerId, claims: Mapping[str, Any], end_session_endpoint: str | None
) -> UserId:
    """Return whose account signs in; whoever comes for the first time gets one, where that is so.

    Roles and teams follow the groups. `claims` were verified. Raises `Forbidden` and `Conflict` with what to do.
    """
    issuer = await session.get(Issuer, issuer_id)
    if issuer is None or not issuer.is_active:
        raise SignInRefused("Nobody can sign in this way any more. Choose another one.")
    if issuer.end_session_endpoint != end_session_endpoint:
        issuer.end_session_endpoint = end_session_endpoint
    known = _known(issuer, claims)
    _require_allowed(issuer, known)
    # rights: the issuer says who it is
    link = await session.get(LinkedSignIn, (issuer_id, known.subject))
    if link is None:
        user = await _kept_account(session, issuer, known, claims) or await _new_account(session, issuer, known)
        link = await _link(session, issuer, known, user)
    else:
        user = await session.get_one(User, link.user_id)
    if not user.is_active:
        raise Forbidden("Your account here is disabled. Ask an administrator.")
    link.last_used_at, link.email = now(), known.email
    await _follow_groups(session, issuer, known, user)
    await issuer_teams.follow(session, issuer_id, known.groups, user.id)
    return user.id


async def connect(session: Session, actor: Actor, issuer_id: IssuerId, claims: Mapping[str, Any]) -> str:
    """Let the actor sign in through the issuer from now on; return its name.

    Raises `Conflict` when this account there is somebody else's here, or the actor has another one there.
    """
    issuer = await session.get_one(Issuer, issuer_id)
    known = _known(issuer, claims)
    # rights: one's own account, for whoever has shown both
    user = await session.get_one(User, actor.user_id)
    link = await session.get(LinkedSignIn, (issuer_id, known.subject))
    if link is None:
        await _link(session, issuer, known, user)
    elif link.user_id != actor.user_id:
        raise Conflict("This account at {name} signs in to another account here. Use another one.", name=issuer.name)
    return issuer.name


async def disconnect(session: Session, actor: Actor, issuer_id: IssuerId) -> None:
    """Sign in through the issuer no more. Raises `Conflict` when there would be no way in."""
    # rights: one's own
    user = await session.get_one(User, actor.user_id)
    mine = delete(LinkedSignIn).where(LinkedSignIn.user_id == actor.user_id)
    if await session.scalar(mine.where(LinkedSignIn.issuer_id == issuer_id).returning(LinkedSignIn.subject)) is None:
        raise NotFound("This is not connected any more. Reload the page.")
    others = select(LinkedSignIn.subject).where(LinkedSignIn.user_id == actor.user_id).limit(1)
    if not user.password_hash and await session.scalar(others) is None:
        raise Conflict("This is the only way to sign in to your account. Ask an administrator for a password first.")
    await require_way_in(session)
    await audit.record(session, actor, "user.sign_in_disconnected", user.name, target_id=issuer_id)


async def free_name(session: ReadSession, called: str, email: str) -> str:
    """Return what somebody is called elsewhere, made fit for a username, with a number behind it if it is taken."""
    told = NOT_IN_NAMES.sub("", called.partition("@")[0])[:NAME_CHARS].strip(" .-")
    wanted = told if NAME.fullmatch(told) else email.partition("@")[0][:NAME_CHARS]
    wanted = wanted if NAME.fullmatch(wanted) else "person"
    names = [wanted, *(f"{wanted}-{number}" for number in range(2, NAMES_TRIED))]
    # rights: only which are taken
    taken = set(await session.scalars(select(User.name_key).where(User.name_key.in_(map(name_key, names)))))
    return next((name for name in names if name_key(name) not in taken), wanted)


def _known(issuer: Issuer, claims: Mapping[str, Any]) -> _Known:
    groups = claims.get(issuer.groups_claim)
    listed = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
    is_verified = claims.get("email_verified")
    return _Known(
        subject=str(claims["sub"]),
        name=one_line(_text(claims, issuer.name_claim) or _text(claims, "name"), NAME_CHARS),
        email=one_line(_text(claims, issuer.email_claim), 254),
        is_email_verified=is_verified if isinstance(is_verified, bool) else None,
        groups=frozenset(each for each in listed if isinstance(each, str)),
    )


def _text(claims: Mapping[str, Any], name: str) -> str:
    found = claims.get(name)
    return found if isinstance(found, str) else ""


def _require_allowed(issuer: Issuer, known: _Known) -> None:
    """Raise `Forbidden` unless somebody may sign in through the issuer."""
    if issuer.groups and not known.groups & set(issuer.groups):
        raise Forbidden(
            "{name} knows you, but you are in none of the groups that may sign in here. Ask an administrator.",
            name=issuer.name,
        )
    if not issuer.domains:
        return
    # Where anybody can claim any address, a domain says nothing.
    domain = name_key(known.email).rpartition("@")[2]
    if domain not in issuer.domains or known.is_email_verified is not True:
        raise Forbidden(
            "Only verified e-mail addresses of {domains} may sign in here. Ask an administrator.",
            domains=", ".join(issuer.domains),
        )


async def _kept_account(session: ReadSession, issuer: Issuer, known: _Known, claims: Mapping[str, Any]) -> User | None:
    """Return the account that the issuer's own directory keeps for somebody, if it does.

    It knows them by what it tells as `externalId`: the subject, or Entra ID's `oid`; else by a verified address.
    """
    # rights: the issuer says who it is
    kept = select(User).join(DirectoryPerson, DirectoryPerson.user_id == User.id)
    kept = kept.where(DirectoryPerson.issuer_id == issuer.id, DirectoryPerson.ended_at.is_(None))
    ids = [known.subject, *filter(None, [_text(claims, "oid")])]
    found = await session.scalar(kept.where(DirectoryPerson.external_id.in_(ids)).limit(1))
    if found is None and known.email and known.is_email_verified is True:
        found = await session.scalar(kept.where(User.email_key == name_key(known.email)))
    return found


async def _new_account(session: Session, issuer: Issuer, known: _Known) -> User:
    if not issuer.makes_accounts:
        raise Forbidden(
            "No account here is connected with this one at {name}. Sign in with your password and connect it on the "
            "account page, or ask an administrator for an account.",
            name=issuer.name,
        )
    if known.is_email_verified is False or address_problems("name", known.email):
        raise Forbidden(
            "{name} tells no verified e-mail address of you, and an account needs one. Verify it there, or ask an "
            "administrator.",
            name=issuer.name,
        )
    taken = select(User.id).where(User.email_key == name_key(known.email))
    # rights: only whether there is one
    if await session.scalar(taken) is not None:
        raise Conflict(
            "There is an account with the address {email} here already. Sign in to it with its password, then connect "
            "{name} on the account page.",
            email=known.email,
            name=issuer.name,
        )
    name = await free_name(session, known.name, known.email)
    user = await insert(session, NewUser(name, known.email, ""), Role.USER, "")
    await audit.record(session, SYSTEM, "user.registered", user.name, target_id=user.id, issuer=issuer.name)
    return user


async def _link(session: Session, issuer: Issuer, known: _Known, user: User) -> LinkedSignIn:
    link = LinkedSignIn(issuer_id=issuer.id, subject=known.subject, user_id=user.id, email=known.email)
    session.add(link)
    try:
        await session.flush()
    except IntegrityError:
        raise Conflict(
            "Another account of yours at {name} is connected. Disconnect it first.", name=issuer.name
        ) from None
    itself = Actor(user.id, user.name, user.role)
    await audit.record(session, itself, "user.sign_in_connected", user.name, target_id=issuer.id, issuer=issuer.name)
    return link


async def _follow_groups(session: Session, issuer: Issuer, known: _Known, user: User) -> None:
    """Give the account the role of its groups, where groups decide; the only administrator stays one."""
    if not issuer.admin_groups and not issuer.operator_groups:
        return
    is_admin, is_operator = known.groups & set(issuer.admin_groups), known.groups & set(issuer.operator_groups)
    role = Role.ADMIN if is_admin else Role.OPERATOR if is_operator else Role.USER
    if role is user.role:
        return
    if user.role is Role.ADMIN:
        try:
            await require_another(session, SYSTEM, user)
        except Conflict:
            return
    changes = audit.difference({"role": user.role}, {"role": role})
    user.role = role
    await revoke_all(session, user.id, "role changed")
    await audit.record(
        session, SYSTEM, "user.role_changed", user.name, target_id=user.id, changes=changes, issuer=issuer.name
    )
