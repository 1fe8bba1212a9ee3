"""Issuers: through whom people sign in besides, or instead of, with a password."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, Forbidden, InvalidInput, NotFound
from llm_ui.kit import fetching
from llm_ui.kit.encryption import Sealer
from llm_ui.kit.ids import IssuerId, SessionId
from llm_ui.kit.openid import Client, Discovered
from llm_ui.kit.text import name_key, one_line
from llm_ui.models import Issuer, LinkedSignIn, Role, User, UserSession
from llm_ui.services import audit, issuer_teams, settings
from llm_ui.services.access import Actor, Permission, require
from llm_ui.services.settings import PASSWORDS

MAX_NAME_CHARS = 64
MAX_CHARS = 255
MAX_SECRET_CHARS = 4_096
MAX_LISTED = 100
"""Of groups, and of domains."""
SCOPES, NAME_CLAIM, EMAIL_CLAIM, GROUPS_CLAIM = "openid profile email", "preferred_username", "email", "groups"
AUDITED = (
    "name", "client_id", "scopes", "name_claim", "email_claim", "groups_claim", "domains", "groups", "admin_groups",
    "operator_groups", "makes_accounts", "is_private",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NewIssuer:
    """What an administrator fills in. Lists are separated by commas."""

    name: str
    address: str
    client_id: str
    secret: str = ""
    scopes: str = SCOPES
    name_claim: str = NAME_CLAIM
    email_claim: str = EMAIL_CLAIM
    groups_claim: str = GROUPS_CLAIM
    domains: str = ""
    groups: str = ""
    admin_groups: str = ""
    operator_groups: str = ""
    team_groups: str = ""
    """Each as `group = team`."""
    makes_accounts: bool = False
    is_private: bool = False


@dataclass(frozen=True, slots=True)
class IssuerInfo:
    """An issuer as administrators see it; never with its secret."""

    id: IssuerId
    address: str
    has_secret: bool
    is_active: bool
    updated_at: datetime
    filled: NewIssuer
    """What its form begins with; the secret is left out."""


async def list_issuers(session: ReadSession, actor: Actor) -> tuple[IssuerInfo, ...]:
    """Return all issuers, oldest first."""
    require(actor, Permission.MANAGE_SETTINGS)
    rows = await session.scalars(select(Issuer).order_by(Issuer.created_at, Issuer.id))
    return tuple([_info(row, await issuer_teams.text_of(session, row.id)) for row in rows])


async def offered(session: ReadSession) -> tuple[tuple[IssuerId, str], ...]:
    """Return id and name of those through whom somebody can sign in now."""
    # Rights are not asked: their buttons are on the sign-in page.
    query = select(Issuer.id, Issuer.name).where(Issuer.is_active).order_by(Issuer.created_at, Issuer.id)
    return tuple((row.id, row.name) for row in await session.execute(query))


async def client_of(session: ReadSession, sealer: Sealer, issuer_id: IssuerId) -> tuple[Client, tuple[str, ...]]:
    """Return how to ask an issuer, and for which claims. Raises `NotFound` unless people may sign in through it."""
    # Rights are not asked: whoever wants to sign in has none yet. The secret stays in this process.
    row = await session.get(Issuer, issuer_id)
    if row is None or not row.is_active:
        raise NotFound("Nobody can sign in this way any more. Choose another one.")
    claims = (row.name_claim, row.email_claim, row.groups_claim)
    return _client(row, sealer), claims


async def end_session_of(session: ReadSession, session_id: SessionId) -> tuple[str, str, str] | None:
    """Return name, address for signing out, and our client id of the issuer through whom a session began."""
    # rights: asked by whoever has this session
    query = select(Issuer).join(UserSession, UserSession.issuer_id == Issuer.id).where(UserSession.id == session_id)
    row = await session.scalar(query)
    if row is None or row.end_session_endpoint is None:
        return None
    return row.name, row.end_session_endpoint, row.client_id


def checked(new: NewIssuer) -> Client:
    """Return how to ask the issuer, before it is stored. Raises `InvalidInput` for what cannot be used."""
    return _client(_filled(Issuer(address=fetching_address(new.address)), new), None, new.secret.strip())


def fetching_address(typed: str) -> str:
    """Return an issuer's address as it is stored. Raises `InvalidInput`."""
    address = typed.strip()
    fetching.checked(address)
    if "?" in address or "#" in address or len(address) > 500:
        raise InvalidInput("The address of an issuer looks like https://login.example.org, without ? and #.")
    return address


async def add(
    session: Session, actor: Actor, sealer: Sealer, issuer_id: IssuerId, new: NewIssuer, found: Discovered | None
) -> IssuerInfo:
    """Store an issuer that has answered, with its secret sealed. Raises `InvalidInput`.

    `found` is what it said of itself; None: it is asked when the first person signs in.
    """
    require(actor, Permission.MANAGE_SETTINGS)
    row = _filled(Issuer(id=issuer_id, address=fetching_address(new.address), sealed_secret=""), new)
    row.is_active, row.end_session_endpoint = True, None if found is None else found.end_session_endpoint
    _set_secret(row, sealer, new.secret)
    session.add(row)
    await session.flush()
    await audit.record(session, actor, "issuer.added", row.name, target_id=row.id, address=row.address)
    await issuer_teams.set_groups(session, actor, row, _listed(new.team_groups))
    return _info(row, await issuer_teams.text_of(session, row.id))


async def change(
    session: Session, actor: Actor, sealer: Sealer, issuer_id: IssuerId, new: NewIssuer, *, seen: datetime
) -> None:
    """Change all but the address, and the secret unless it is empty. Raises `Conflict` when somebody else did, too."""
    require(actor, Permission.MANAGE_SETTINGS)
    row = await _row(session, issuer_id)
    if row.updated_at != seen:
        raise Conflict(
            "{name} was changed by somebody else meanwhile. Open it again and repeat your change.", name=row.name
        )
    before = _told(row)
    _filled(row, new)
    if new.secret.strip():
        _set_secret(row, sealer, new.secret)
    await session.flush()
    await issuer_teams.set_groups(session, actor, row, _listed(new.team_groups))
    changes = audit.difference(before, _told(row))
    await audit.record(session, actor, "issuer.changed", row.name, target_id=row.id, changes=changes)


async def set_active(session: Session, actor: Actor, issuer_id: IssuerId, *, is_active: bool) -> None:
    """Let people sign in through the issuer, or not; sessions that began go on."""
    require(actor, Permission.MANAGE_SETTINGS)
    row = await _row(session, issuer_id)
    row.is_active = is_active
    await session.flush()
    await require_way_in(session)
    done = "issuer.enabled" if is_active else "issuer.disabled"
    await audit.record(session, actor, done, row.name, target_id=row.id)


async def delete(session: Session, actor: Actor, issuer_id: IssuerId) -> None:
    """Delete an issuer and whose accounts there are whose here; the accounts here stay."""
    require(actor, Permission.MANAGE_SETTINGS)
    row = await _row(session, issuer_id)
    await session.delete(row)
    await session.flush()
    await require_way_in(session)
    await audit.record(session, actor, "issuer.deleted", row.name, target_id=row.id, address=row.address)


async def set_passwords(session: Session, actor: Actor, *, are_taken: bool) -> None:
    """Let people sign in with passwords, or through issuers alone. Raises `Conflict` when nobody could get in then."""
    require(actor, Permission.MANAGE_SETTINGS)
    await settings.change(session, actor, PASSWORDS, are_taken)
    await session.flush()
    await require_way_in(session)


async def require_passwords(session: ReadSession) -> None:
    """Raise `Forbidden` where people sign in through issuers alone."""
    if not await settings.get(session, PASSWORDS):
        raise Forbidden("Passwords are switched off here. Sign in with one of the buttons of the sign-in page.")


async def require_way_in(session: ReadSession) -> None:
    """Raise `Conflict` when no administrator could sign in any more."""
    if await settings.get(session, PASSWORDS):
        return
    # rights: only whether there is one
    linked = select(User.id).join(LinkedSignIn, LinkedSignIn.user_id == User.id).join(Issuer)
    admins = linked.where(User.role == Role.ADMIN, User.is_active, Issuer.is_active).limit(1)
    if await session.scalar(admins) is None:
        raise Conflict(
            "No administrator could sign in then. Connect an administrator's account with an issuer first, "
            "on their account page, or switch passwords on."
        )


def _client(row: Issuer, sealer: Sealer | None, secret: str = "") -> Client:
    if sealer is not None and row.sealed_secret:
        secret = sealer.open(row.sealed_secret, _context(row))
    return Client(row.address, row.client_id, secret, row.scopes, row.is_private)


def _filled(row: Issuer, new: NewIssuer) -> Issuer:
    row.name = one_line(new.name, MAX_NAME_CHARS)
    row.client_id, row.scopes = one_line(new.client_id, MAX_CHARS), one_line(new.scopes, MAX_CHARS) or SCOPES
    if not row.name or not row.client_id:
        raise InvalidInput("Enter a name for the button, and the client id that the issuer gave out.")
    if "openid" not in row.scopes.split():
        raise InvalidInput("The scopes must hold openid, as in: openid profile email.")
    row.name_claim = one_line(new.name_claim, MAX_NAME_CHARS) or NAME_CLAIM
    row.email_claim = one_line(new.email_claim, MAX_NAME_CHARS) or EMAIL_CLAIM
    row.groups_claim = one_line(new.groups_claim, MAX_NAME_CHARS) or GROUPS_CLAIM
    row.domains = [name_key(each).lstrip("@") for each in _listed(new.domains)]
    row.groups, row.admin_groups = _listed(new.groups), _listed(new.admin_groups)
    row.operator_groups = _listed(new.operator_groups)
    row.makes_accounts, row.is_private = new.makes_accounts, new.is_private
    return row


def _listed(typed: str) -> list[str]:
    found = list(dict.fromkeys(filter(None, (one_line(each, MAX_CHARS) for each in typed.split(",")))))
    if len(found) > MAX_LISTED:
        raise InvalidInput("These are more than {most}. Make one group for them at the issuer.", most=MAX_LISTED)
    return found


def _set_secret(row: Issuer, sealer: Sealer, typed: str) -> None:
    secret = typed.strip()
    if len(secret) > MAX_SECRET_CHARS or not secret.isprintable():
        raise InvalidInput("This cannot be a client secret. Copy it anew.")
    row.sealed_secret = sealer.seal(secret, _context(row)) if secret else ""


def _context(row: Issuer) -> str:
    return f"issuer {row.id}"


def _told(row: Issuer) -> dict[str, object]:
    """Return what the audit log compares; a secret is told to have changed, and nothing of it."""
    found = audit.fields(row, *AUDITED)
    lists = {name: ", ".join(value) for name, value in found.items() if isinstance(value, list)}
    return {**found, **lists, "secret": row.sealed_secret}


async def _row(session: ReadSession, issuer_id: IssuerId) -> Issuer:
    row = await session.get(Issuer, issuer_id)
    if row is None:
        raise NotFound("This issuer does not exist any more. Reload the page.")
    return row


def _info(row: Issuer, team_groups: str) -> IssuerInfo:
    lists = {name: ", ".join(getattr(row, name)) for name in ("domains", "groups", "admin_groups", "operator_groups")}
    texts = ("name", "address", "client_id", "scopes", "name_claim", "email_claim", "groups_claim")
    filled = NewIssuer(
        **{name: getattr(row, name) for name in texts},
        **lists,
        team_groups=team_groups,
        makes_accounts=row.makes_accounts,
        is_private=row.is_private,
    )
    return IssuerInfo(row.id, row.address, bool(row.sealed_secret), row.is_active, row.updated_at, filled)
