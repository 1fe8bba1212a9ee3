"""Registration: who waits for an administrator, and whose addresses are let in."""

from datetime import timedelta

import pytest

from llm_ui.db import Database
from llm_ui.errors import Conflict, Forbidden, InvalidInput, NotFound
from llm_ui.kit.ids import UserId
from llm_ui.services import registration, settings, users
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.settings import REGISTRATION_APPROVAL
from llm_ui.services.sign_in import TimeOuts, password_hash_of, start_session
from llm_ui.services.users import NewUser, UserState

CAROL = NewUser("carol", "carol@Example.org", "a long walk by the river")
TIME_OUTS = TimeOuts(timedelta(hours=1), timedelta(days=1))


async def waiting(database: Database, admin: Actor) -> UserId:
    """Somebody who has registered and waits."""
    async with database.writing() as session:
        await settings.change(session, admin, REGISTRATION_APPROVAL, value=True)
        assert await registration.register(session, CAROL, "hash") is None
    async with database.reading() as session:
        carol = await users.find_user(session, admin, "carol")
    assert carol.state is UserState.WAITING
    return carol.id


async def sign_in(database: Database, user_id: UserId) -> None:
    async with database.writing() as session:
        await start_session(session, user_id, TIME_OUTS, user_agent="", address="")


async def test_whoever_waits_is_told_so_and_comes_in_once_approved(database: Database, an_admin: Actor) -> None:
    carol = await waiting(database, an_admin)
    async with database.reading() as session:
        assert await password_hash_of(session, "carol") == (carol, "hash")
    with pytest.raises(Forbidden, match="waiting for an administrator"):
        await sign_in(database, carol)
    with pytest.raises(Conflict):
        async with database.writing() as session:
            await users.set_active(session, an_admin, carol, is_active=True)

    async with database.writing() as session:
        await registration.approve(session, an_admin, carol)

    await sign_in(database, carol)
    with pytest.raises(Conflict, match="does not wait"):
        async with database.writing() as session:
            await registration.reject(session, an_admin, carol)


async def test_whoever_is_rejected_is_gone(database: Database, an_admin: Actor) -> None:
    carol = await waiting(database, an_admin)

    async with database.writing() as session:
        await registration.reject(session, an_admin, carol)

    with pytest.raises(NotFound):
        async with database.reading() as session:
            await users.find_user(session, SYSTEM, "carol")


async def test_only_administrators_let_somebody_in(database: Database, an_admin: Actor, a_user: Actor) -> None:
    carol = await waiting(database, an_admin)

    for act in (registration.approve, registration.reject):
        with pytest.raises(Forbidden):
            async with database.writing() as session:
                await act(session, a_user, carol)


async def test_addresses_of_other_domains_are_refused(database: Database, an_admin: Actor) -> None:
    async with database.writing() as session:
        assert await registration.set_domains(session, an_admin, "@Example.org, lab.test example.org") == (
            "example.org lab.test"
        )

    async with database.writing() as session:
        assert await registration.register(session, CAROL, "hash") is not None
    for email in ("dave@evil-example.org", "dave@example.org.evil.test", "dave@sub.example.org"):
        with pytest.raises(InvalidInput, match=r"example\.org, lab\.test"):
            async with database.writing() as session:
                await registration.register(session, NewUser("dave", email, CAROL.password), "hash")


@pytest.mark.parametrize("typed", ["example", "http://example.org", "a@example.org", "<b>.org"])
async def test_what_is_no_domain_is_refused(database: Database, an_admin: Actor, typed: str) -> None:
    with pytest.raises(InvalidInput, match="is no domain"):
        async with database.writing() as session:
            await registration.set_domains(session, an_admin, typed)
