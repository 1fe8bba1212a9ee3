"""Through which server alerts are sent as e-mail, and what those to webhooks are signed with."""

import secrets
from dataclasses import dataclass
from typing import Any

from llm_ui.db import ReadSession, Session
from llm_ui.errors import InvalidInput
from llm_ui.kit.encryption import Sealer
from llm_ui.kit.mail import MailServer
from llm_ui.kit.text import storable
from llm_ui.services import audit, settings
from llm_ui.services.access import Actor, Permission, require
from llm_ui.services.settings import (
    MAIL_HOST,
    MAIL_PASSWORD,
    MAIL_PORT,
    MAIL_SENDER,
    MAIL_TLS,
    MAIL_USER,
    WEBHOOK_SECRET,
    WorkspaceSetting,
)

SECRET_BYTES = 32
PLAIN: tuple[WorkspaceSetting[Any], ...] = (MAIL_HOST, MAIL_PORT, MAIL_TLS, MAIL_USER, MAIL_SENDER)


@dataclass(frozen=True, slots=True)
class NewMail:
    """What an administrator fills in. An empty password keeps the one that is there."""

    host: str
    port: int
    tls: str
    user: str
    sender: str
    password: str


async def save(session: Session, actor: Actor, sealer: Sealer, new: NewMail) -> None:
    """Change the server. Raises `InvalidInput`."""
    require(actor, Permission.MANAGE_SETTINGS)
    if new.host.strip() and not new.sender.strip():
        raise InvalidInput("Write whom the e-mails come from, such as llm-ui@example.org.")
    if not all(text.isprintable() for text in (new.host, new.user, new.sender)):
        raise InvalidInput("The fields must not hold line breaks.")
    typed = (new.host.strip(), new.port, new.tls, new.user.strip(), new.sender.strip())
    for setting, value in zip(PLAIN, typed, strict=True):
        kept = storable(value) if isinstance(value, str) else value
        if kept != await settings.get(session, setting):
            await settings.change(session, actor, setting, kept)
    if new.password:
        await settings.store(session, MAIL_PASSWORD, sealer.seal(new.password, MAIL_PASSWORD.name), actor.name)
        await audit.record(session, actor, "setting.changed", MAIL_PASSWORD.name)


async def current(session: ReadSession, actor: Actor) -> NewMail:
    """Return the server as the form shows it, without the password. Raises `Forbidden`."""
    require(actor, Permission.MANAGE_SETTINGS)
    held = await settings.get_all(session, *PLAIN)
    host, port, tls, user, sender = (held[setting.name] for setting in PLAIN)
    return NewMail(host, port, tls, user, sender, "")


async def server(session: ReadSession, sealer: Sealer) -> MailServer:
    """Return the server with its password, for who sends. Raises `InvalidInput` while there is none."""
    held = await settings.get_all(session, *PLAIN, MAIL_PASSWORD)
    if not held[MAIL_HOST.name]:
        raise InvalidInput("No server for e-mails is set. Set one on the page of alerts.")
    host, port, tls, user, sender = (held[setting.name] for setting in PLAIN)
    sealed = held[MAIL_PASSWORD.name]
    password = "" if sealed is None else sealer.open(sealed, MAIL_PASSWORD.name)
    return MailServer(host, port, tls, user, password, sender)


async def signing_secret(session: Session, sealer: Sealer) -> str:
    """Return what alerts to webhooks are signed with; it is made when it is first wanted."""
    sealed = await settings.get(session, WEBHOOK_SECRET)
    if sealed is not None:
        return sealer.open(sealed, WEBHOOK_SECRET.name)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    await settings.store(session, WEBHOOK_SECRET, sealer.seal(secret, WEBHOOK_SECRET.name))
    return secret


async def shown_secret(session: Session, actor: Actor, sealer: Sealer) -> str:
    """Return the same for an administrator, who gives it to whoever checks the signature."""
    require(actor, Permission.MANAGE_SETTINGS)
    await audit.record(session, actor, "alert.secret_seen", WEBHOOK_SECRET.name)
    return await signing_secret(session, sealer)
