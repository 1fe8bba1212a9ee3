"""The second factor: codes of an authenticator app, and recovery codes that take its place."""

import secrets
from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import delete, func, select, update

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, Forbidden, InvalidInput, SignInRefused
from llm_ui.kit import totp
from llm_ui.kit.encryption import Sealer
from llm_ui.kit.ids import UserId
from llm_ui.kit.signing import sha256_hex
from llm_ui.models import RecoveryCode, Role, SecondFactor
from llm_ui.services import audit, settings
from llm_ui.services.access import Actor, Permission, require
from llm_ui.services.settings import SECOND_FACTOR
from llm_ui.services.sign_in import person
from llm_ui.services.users import user_row

RECOVERY_CODES = 10
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look like others."""
CODE_CHARS = 16
"""79 random bits, so that a plain hash of them tells nothing."""
PART_CHARS = 4
WRONG = "This code is wrong or was used already. Wait for the next one, or type a recovery code."


class Step(StrEnum):
    """What somebody who has given the right password has to do besides."""

    CODE = "code"
    """Give a code."""
    ENROL = "enrol"
    """Set up a second factor, for there has to be one."""


async def next_step(session: ReadSession, user_id: UserId) -> Step | None:
    """Return what comes before the session of whoever passed the first step; None: nothing.

    Raises `SignInRefused` if disabled, `Forbidden` while an administrator has to let them in.
    """
    role = (await person(session, user_id)).role
    if await codes_left(session, user_id) is not None:
        return Step.CODE
    return Step.ENROL if await _is_required(session, role) else None


async def codes_left(session: ReadSession, user_id: UserId) -> int | None:
    """Return how many recovery codes a person has left; None without a second factor."""
    # rights: a number, asked for whoever signs in
    if await session.get(SecondFactor, user_id) is None:
        return None
    codes = select(func.count()).select_from(RecoveryCode).where(RecoveryCode.user_id == user_id)
    return await session.scalar(codes) or 0


def propose(sealer: Sealer, user_id: UserId) -> tuple[str, str]:
    """Return a new secret, and the same sealed, which only this person's `enrol` opens. Nothing is stored yet."""
    secret = totp.new_secret()
    return secret, sealer.seal(secret, _context(user_id))


def proposed(sealer: Sealer, user_id: UserId, sealed: str) -> str:
    """Return the secret that was proposed. Raises `InvalidInput`."""
    secret = sealer.opened(sealed, _context(user_id))
    if secret is None:
        raise InvalidInput("This form is out of date. Reload the page and scan the code again.")
    return secret


async def enrol(session: Session, actor: Actor, sealer: Sealer, sealed: str, typed: str) -> tuple[str, ...]:
    """Turn the second factor on once the app shows the right code; return the recovery codes, shown only this once.

    Sessions that began before go on. Raises `InvalidInput`, and `Conflict` when there is one already.
    """
    counter = totp.matched(proposed(sealer, actor.user_id, sealed), _plain(typed))
    if counter is None:
        raise InvalidInput("This is not the code that the app shows now. Type the present one.")
    # rights: one's own
    if await session.get(SecondFactor, actor.user_id) is not None:
        raise Conflict("There is a second factor already. Reload the page.")
    session.add(SecondFactor(user_id=actor.user_id, sealed_secret=sealed, last_counter=counter))
    await session.flush()
    codes = await _store_codes(session, actor.user_id)
    await audit.record(session, actor, "user.second_factor_on", actor.name, target_id=actor.user_id)
    return codes


async def give(session: Session, sealer: Sealer, user_id: UserId, typed: str) -> None:
    """Take a code of the app or a recovery code, each only once. Raises `SignInRefused`."""
    # rights: whoever gives the right code has them
    itself = await person(session, user_id)
    factor = await session.get(SecondFactor, user_id)
    if factor is None:
        raise SignInRefused(WRONG)
    plain = _plain(typed)
    counter = totp.matched(sealer.open(factor.sealed_secret, _context(user_id)), plain)
    if counter is not None:
        # The row is the lock: of two who give the same code at once one is refused.
        newer = update(SecondFactor).where(SecondFactor.user_id == user_id, SecondFactor.last_counter < counter)
        if await session.scalar(newer.values(last_counter=counter).returning(SecondFactor.user_id)) is None:
            raise SignInRefused(WRONG)
        return
    spent = delete(RecoveryCode).where(RecoveryCode.user_id == user_id, RecoveryCode.code_hash == sha256_hex(plain))
    if await session.scalar(spent.returning(RecoveryCode.user_id)) is None:
        raise SignInRefused(WRONG)
    left = await codes_left(session, user_id)
    await audit.record(session, itself, "user.recovery_code_used", itself.name, target_id=user_id, left=left)


async def renew_codes(session: Session, actor: Actor) -> tuple[str, ...]:
    """Make new recovery codes in place of those before; a code having been given."""
    codes = await _store_codes(session, actor.user_id)
    await audit.record(session, actor, "user.recovery_codes_renewed", actor.name, target_id=actor.user_id)
    return codes


async def turn_off(session: Session, actor: Actor) -> None:
    """Sign in without a second factor from now on; a code having been given. Raises `Forbidden` where one is a must."""
    if await _is_required(session, actor.role):
        raise Forbidden("This workspace asks for a second factor. Make new recovery codes, or ask an administrator.")
    await _forget(session, actor.user_id)
    await audit.record(session, actor, "user.second_factor_off", actor.name, target_id=actor.user_id)


async def reset(session: Session, actor: Actor, user_id: UserId) -> None:
    """Take somebody's second factor away as an administrator, for whoever has lost the app and the codes."""
    require(actor, Permission.MANAGE_USERS)
    user = await user_row(session, actor, user_id)
    if await codes_left(session, user_id) is None:
        raise Conflict("{name} has no second factor.", name=user.name)
    await _forget(session, user_id)
    await audit.record(session, actor, "user.second_factor_reset", user.name, target_id=user_id)


async def _is_required(session: ReadSession, role: Role) -> bool:
    whose = await settings.get(session, SECOND_FACTOR)
    return whose == "everybody" or (whose == "administrators" and role is Role.ADMIN)


async def _store_codes(session: Session, user_id: UserId) -> tuple[str, ...]:
    codes = ["".join(secrets.choice(LETTERS) for _ in range(CODE_CHARS)) for _ in range(RECOVERY_CODES)]
    await session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    session.add_all(RecoveryCode(user_id=user_id, code_hash=sha256_hex(code)) for code in codes)
    return tuple("-".join(_parts(code)) for code in codes)


async def _forget(session: Session, user_id: UserId) -> None:
    for table in (RecoveryCode, SecondFactor):
        await session.execute(delete(table).where(table.user_id == user_id))


def _parts(code: str) -> Sequence[str]:
    return [code[at : at + PART_CHARS] for at in range(0, len(code), PART_CHARS)]


def _plain(typed: str) -> str:
    """Return a code as it is compared: people type it with spaces and dashes, and phones capitalise."""
    return "".join(typed.split()).replace("-", "").lower()


def _context(user_id: UserId) -> str:
    return f"second factor of {user_id}"
