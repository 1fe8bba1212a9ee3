"""The second factor, on both databases."""

import asyncio

import pytest
from sqlalchemy import func, select

from llm_ui.db import Database
from llm_ui.errors import Conflict, Forbidden, InvalidInput, SignInRefused
from llm_ui.kit import totp
from llm_ui.models import AuditLog, RecoveryCode, SecondFactor
from llm_ui.services import second_factor, settings, users
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.second_factor import Step
from llm_ui.services.secrets import Secrets
from llm_ui.services.settings import SECOND_FACTOR


async def enrolled(database: Database, secrets: Secrets, actor: Actor) -> tuple[str, tuple[str, ...]]:
    """Turn somebody's second factor on; return the secret and the recovery codes."""
    secret, sealed = second_factor.propose(secrets.sealer, actor.user_id)
    async with database.writing() as session:
        typed = totp.code(secret, totp.counter_now() - 1)
        return secret, await second_factor.enrol(session, actor, secrets.sealer, sealed, typed)


async def give(database: Database, secrets: Secrets, actor: Actor, typed: str) -> None:
    async with database.writing() as session:
        await second_factor.give(session, secrets.sealer, actor.user_id, typed)


async def test_a_code_is_taken_once_and_none_before_it(database: Database, secrets: Secrets, a_user: Actor) -> None:
    secret, _ = await enrolled(database, secrets, a_user)
    now = totp.counter_now()
    code = totp.code(secret, now)

    await give(database, secrets, a_user, f" {code[:3]} {code[3:]} ")

    for typed in (code, totp.code(secret, now - 1), "", "000000", "½½½"):
        with pytest.raises(SignInRefused):
            await give(database, secrets, a_user, typed)


async def test_of_many_who_give_one_code_at_once_one_is_let_in(
    database: Database, secrets: Secrets, a_user: Actor
) -> None:
    secret, codes = await enrolled(database, secrets, a_user)

    for typed in (totp.code(secret, totp.counter_now()), codes[0]):
        done = await asyncio.gather(*(give(database, secrets, a_user, typed) for _ in range(5)), return_exceptions=True)
        assert [one for one in done if not isinstance(one, SignInRefused)] == [None]


async def test_a_recovery_code_is_taken_once_however_it_is_typed(
    database: Database, secrets: Secrets, a_user: Actor
) -> None:
    _, codes = await enrolled(database, secrets, a_user)
    assert len(set(codes)) == second_factor.RECOVERY_CODES

    await give(database, secrets, a_user, codes[3].upper().replace("-", " "))

    with pytest.raises(SignInRefused):
        await give(database, secrets, a_user, codes[3])
    async with database.writing() as session:
        assert await second_factor.codes_left(session, a_user.user_id) == 9
        entry = await session.scalar(select(AuditLog).where(AuditLog.action == "user.recovery_code_used"))
        assert entry is not None
        assert entry.detail == {"left": 9}
        renewed = await second_factor.renew_codes(session, a_user)
    with pytest.raises(SignInRefused):
        await give(database, secrets, a_user, codes[4])
    await give(database, secrets, a_user, renewed[4])


async def test_nothing_that_is_stored_signs_in(database: Database, secrets: Secrets, a_user: Actor) -> None:
    secret, codes = await enrolled(database, secrets, a_user)

    async with database.reading() as session:
        factor = await session.get_one(SecondFactor, a_user.user_id)
        hashes = set(await session.scalars(select(RecoveryCode.code_hash)))
        log = str([row.detail for row in await session.scalars(select(AuditLog))])

    assert secret not in factor.sealed_secret
    assert not hashes & {each.replace("-", "") for each in codes}
    assert not any(each in log for each in (secret, *codes))


async def test_a_secret_of_somebody_else_or_of_nobody_is_not_enrolled(
    database: Database, secrets: Secrets, a_user: Actor, an_admin: Actor
) -> None:
    secret, sealed = second_factor.propose(secrets.sealer, an_admin.user_id)
    code = totp.code(secret, totp.counter_now())
    _, own = second_factor.propose(secrets.sealer, a_user.user_id)

    async with database.writing() as session:
        for given, typed in ((sealed, code), (secret, code), (own, "000000"), ("", code)):
            with pytest.raises(InvalidInput):
                await second_factor.enrol(session, a_user, secrets.sealer, given, typed)
        assert await session.scalar(select(func.count()).select_from(SecondFactor)) == 0


async def test_whoever_has_one_sets_up_no_other(database: Database, secrets: Secrets, a_user: Actor) -> None:
    await enrolled(database, secrets, a_user)

    with pytest.raises(Conflict):
        await enrolled(database, secrets, a_user)


@pytest.mark.parametrize(
    ("whose", "of_user", "of_admin"),
    [("nobody", None, None), ("administrators", None, Step.ENROL), ("everybody", Step.ENROL, Step.ENROL)],
)
async def test_who_has_to_have_one(
    database: Database, secrets: Secrets, a_user: Actor, an_admin: Actor,
    whose: str, of_user: Step | None, of_admin: Step | None,
) -> None:  # fmt: skip
    async with database.writing() as session:
        await settings.change(session, an_admin, SECOND_FACTOR, whose)
    async with database.reading() as session:
        steps = [await second_factor.next_step(session, each.user_id) for each in (a_user, an_admin)]
    assert steps == [of_user, of_admin]

    await enrolled(database, secrets, an_admin)

    async with database.writing() as session:
        assert await second_factor.next_step(session, an_admin.user_id) is Step.CODE
        if of_admin is None:
            await second_factor.turn_off(session, an_admin)
        else:
            with pytest.raises(Forbidden):
                await second_factor.turn_off(session, an_admin)


async def test_an_administrator_resets_it_and_nobody_else(
    database: Database, secrets: Secrets, a_user: Actor, an_admin: Actor
) -> None:
    await enrolled(database, secrets, a_user)
    async with database.writing() as session:
        with pytest.raises(Forbidden):
            await second_factor.reset(session, a_user, a_user.user_id)

        await second_factor.reset(session, an_admin, a_user.user_id)

    async with database.writing() as session:
        assert await second_factor.next_step(session, a_user.user_id) is None
        assert await session.scalar(select(func.count()).select_from(RecoveryCode)) == 0
        with pytest.raises(Conflict):
            await second_factor.reset(session, an_admin, a_user.user_id)
        actions = set(await session.scalars(select(AuditLog.action)))
    assert {"user.second_factor_on", "user.second_factor_reset"} <= actions


async def test_a_disabled_account_gets_no_further(database: Database, secrets: Secrets, a_user: Actor) -> None:
    secret, _ = await enrolled(database, secrets, a_user)
    async with database.writing() as session:
        await users.set_active(session, SYSTEM, a_user.user_id, is_active=False)

    with pytest.raises(SignInRefused):
        await give(database, secrets, a_user, totp.code(secret, totp.counter_now()))
