"""Registration: who may make an account of their own, and who waits for an administrator."""

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, Forbidden, InvalidInput
from llm_ui.kit.ids import UserId
from llm_ui.kit.text import name_key
from llm_ui.models import Pending, Role, User
from llm_ui.services import audit, settings
from llm_ui.services.access import SYSTEM, Actor, Permission, require
from llm_ui.services.settings import REGISTRATION_APPROVAL, REGISTRATION_DOMAINS, REGISTRATION_OPEN
from llm_ui.services.users import NewUser, check_new, insert, needs_setup, require_long, user_row

MAX_DOMAINS_CHARS = 2_000


async def require_registration(session: ReadSession) -> None:
    """Raise `Forbidden` unless anybody may create an account now."""
    if not await settings.get(session, REGISTRATION_OPEN) or await needs_setup(session):
        raise Forbidden("Registration is closed. Ask an administrator for an account.")


async def require_domain(session: ReadSession, email: str) -> None:
    """Raise `InvalidInput` unless an account may be made with the e-mail address."""
    domains = (await settings.get(session, REGISTRATION_DOMAINS)).split()
    if domains and name_key(email).rpartition("@")[2] not in domains:
        raise InvalidInput(
            "Accounts are made with an address of {domains} only. Type another one, or ask an administrator.",
            domains=", ".join(domains),
        )


async def register(session: Session, new: NewUser, password_hash: str) -> UserId | None:
    """Create an account for whoever asks; None when it waits for an administrator now.

    Raises `Forbidden` when registration is closed.
    """
    check_new(new)
    await require_registration(session)
    await require_domain(session, new.email)
    await require_long(session, new.password)
    waits = await settings.get(session, REGISTRATION_APPROVAL)
    user = await insert(session, new, Role.USER, password_hash, Pending.APPROVAL if waits else None)
    await audit.record(session, SYSTEM, "user.registered", user.name, target_id=user.id, waits=waits)
    return None if waits else user.id


async def approve(session: Session, actor: Actor, user_id: UserId) -> None:
    """Let somebody in who has registered."""
    require(actor, Permission.MANAGE_USERS)
    user = await _waiting(session, actor, user_id)
    user.pending, user.is_active = None, True
    await audit.record(session, actor, "user.approved", user.name, target_id=user.id)


async def reject(session: Session, actor: Actor, user_id: UserId) -> None:
    """Delete the account of somebody who has registered and was never let in."""
    require(actor, Permission.MANAGE_USERS)
    user = await _waiting(session, actor, user_id)
    await session.delete(user)
    await audit.record(session, actor, "user.rejected", user.name, target_id=user.id, email=user.email)


async def set_domains(session: Session, actor: Actor, typed: str) -> str:
    """Let accounts be made with addresses of these domains only; empty: with any. Return them as they are stored."""
    require(actor, Permission.MANAGE_SETTINGS)
    found = dict.fromkeys(name_key(each).lstrip("@") for each in typed.replace(",", " ").replace(";", " ").split())
    wrong = next((each for each in found if not _is_domain(each)), "")
    if wrong or len(typed) > MAX_DOMAINS_CHARS:
        raise InvalidInput(
            "“{domain}” is no domain. Type domains such as example.org, separated by spaces.", domain=wrong
        )
    await settings.change(session, actor, REGISTRATION_DOMAINS, " ".join(found))
    return " ".join(found)


def _is_domain(text: str) -> bool:
    return "." in text.strip(".") and text.isprintable() and not set(text) & set("@/\\:'\"<>")


async def _waiting(session: Session, actor: Actor, user_id: UserId) -> User:
    user = await user_row(session, actor, user_id)
    if user.pending is not Pending.APPROVAL:
        raise Conflict("{name} does not wait for approval any more. Reload the list.", name=user.name)
    return user
