"""Invitations and links for new passwords, on both databases."""

import asyncio
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import func, select, update

from llm_ui.db import Database
from llm_ui.errors import Conflict, InvalidInput, NotFound, SignInRefused
from llm_ui.kit.clock import now
from llm_ui.models import AccountLink, AuditLog, LinkKind, Role, User, UserSession
from llm_ui.services import account_links, retention, users
from llm_ui.services.access import Actor
from llm_ui.services.account_links import NewLink
from llm_ui.services.sign_in import TimeOuts, password_hash_of, start_session
from llm_ui.services.users import UserState

TIME_OUTS = TimeOuts(timedelta(hours=1), timedelta(days=1))


def token_of(link: NewLink) -> str:
    return parse_qs(urlsplit(link.path).query)["token"][0]


async def invited(database: Database, admin: Actor, role: Role = Role.USER) -> NewLink:
    async with database.writing() as session:
        return await account_links.invite(session, admin, "carol", "carol@example.org", role)


async def take(database: Database, kind: LinkKind, token: str) -> None:
    async with database.writing() as session:
        await account_links.take(session, kind, token, "hash")


async def test_whoever_takes_an_invitation_can_sign_in_with_the_role_of_it(database: Database, an_admin: Actor) -> None:
    link = await invited(database, an_admin, Role.OPERATOR)
    assert link.user.state is UserState.INVITED
    async with database.reading() as session:
        assert await password_hash_of(session, "carol") is None

    await take(database, LinkKind.INVITATION, token_of(link))

    async with database.writing() as session:
        carol = await users.find_user(session, an_admin, "carol@example.org")
        assert (carol.state, carol.role) == (UserState.ACTIVE, Role.OPERATOR)
        await start_session(session, carol.id, TIME_OUTS, user_agent="", address="")


async def test_only_the_hash_of_a_link_is_stored_and_the_audit_log_holds_none_of_it(
    database: Database, an_admin: Actor
) -> None:
    token = token_of(await invited(database, an_admin))

    async with database.reading() as session:
        stored = (await session.scalars(select(AccountLink.token_hash))).one()
        entry = (await session.scalars(select(AuditLog))).one()
    assert token not in stored
    assert (entry.action, entry.detail) == ("user.invited", {"role": "user", "email": "carol@example.org"})


async def test_a_link_works_once_however_many_take_it_at_once(database: Database, an_admin: Actor) -> None:
    token = token_of(await invited(database, an_admin))

    results = await asyncio.gather(
        *(take(database, LinkKind.INVITATION, token) for _ in range(8)), return_exceptions=True
    )

    assert [type(result) for result in results if result is not None] == [NotFound] * 7


async def test_links_that_are_old_replaced_or_of_another_kind_lead_nowhere(database: Database, an_admin: Actor) -> None:
    first = await invited(database, an_admin)
    async with database.writing() as session:
        second = await account_links.renew_invitation(session, an_admin, first.user.id)
    for kind, token in (
        (LinkKind.INVITATION, token_of(first)),
        (LinkKind.RESET, token_of(second)),
        (LinkKind.INVITATION, "guessed"),
    ):
        with pytest.raises(NotFound):
            await take(database, kind, token)
    async with database.writing() as session:
        await session.execute(update(AccountLink).values(expires_at=now()))

    with pytest.raises(NotFound):
        await take(database, LinkKind.INVITATION, token_of(second))
    async with database.writing() as session:
        assert await retention.purge_account_links(session) == 1


async def test_a_new_password_ends_all_sessions_and_the_old_one_holds_until_then(
    database: Database, an_admin: Actor, a_user: Actor
) -> None:
    async with database.writing() as session:
        link = await account_links.offer_reset(session, an_admin, a_user.user_id)
    async with database.reading() as session:
        live = select(func.count()).where(UserSession.user_id == a_user.user_id, UserSession.revoked_at.is_(None))
        assert await session.scalar(live) == 1

    await take(database, LinkKind.RESET, token_of(link))

    async with database.reading() as session:
        assert await session.scalar(live) == 0
        assert await session.scalar(select(User.password_hash).where(User.id == a_user.user_id)) == "hash"


async def test_the_link_of_somebody_who_was_disabled_meanwhile_leads_nowhere(
    database: Database, an_admin: Actor, a_user: Actor
) -> None:
    async with database.writing() as session:
        link = await account_links.offer_reset(session, an_admin, a_user.user_id)
        await users.set_active(session, an_admin, a_user.user_id, is_active=False)

    with pytest.raises(NotFound):
        await take(database, LinkKind.RESET, token_of(link))
    with pytest.raises(SignInRefused):
        async with database.writing() as session:
            await start_session(session, a_user.user_id, TIME_OUTS, user_agent="", address="")
    with pytest.raises(Conflict):
        async with database.writing() as session:
            await account_links.offer_reset(session, an_admin, a_user.user_id)


async def test_an_invitation_needs_a_free_name_and_an_address(
    database: Database, an_admin: Actor, a_user: Actor
) -> None:
    for name, email, error in (("bob", "x@example.org", Conflict), ("x", "nowhere", InvalidInput)):
        with pytest.raises(error):
            async with database.writing() as session:
                await account_links.invite(session, an_admin, name, email, Role.USER)
