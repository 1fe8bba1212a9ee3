"""Sessions: their beginning, their time-outs, their end, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from llm_ui.db import Database
from llm_ui.errors import NotFound, NotSignedIn, SignInRefused
from llm_ui.kit.clock import now
from llm_ui.kit.ids import SessionId, uuid7
from llm_ui.models import Role, User, UserSession
from llm_ui.services import sign_in, users
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.sign_in import NewSession, TimeOuts

TIME_OUTS = TimeOuts(idle=timedelta(hours=1), absolute=timedelta(days=1))


async def begin(database: Database, person: Actor, **options: str) -> NewSession:
    """Sign a person in."""
    async with database.writing() as session:
        return await sign_in.start_session(
            session, person.user_id, TIME_OUTS, **{"user_agent": "Browser", "address": "10.0.0.1", **options}
        )


async def actor_of(database: Database, token: str) -> Actor:
    """Whoever the token belongs to."""
    async with database.reading() as session:
        return await sign_in.actor_of_token(session, token, TIME_OUTS)


async def test_the_token_names_the_person(database: Database, a_user: Actor) -> None:
    started = await begin(database, a_user)

    actor = await actor_of(database, started.token)

    assert actor == started.actor == Actor(a_user.user_id, "bob", Role.USER, started.actor.session_id)


async def test_the_session_names_the_person_as_they_are_now(database: Database, a_user: Actor) -> None:
    started = await begin(database, a_user)
    async with database.writing() as session:
        await session.execute(update(User).where(User.id == a_user.user_id).values(name="Bobby", role=Role.ADMIN))

    async with database.reading() as session:
        assert started.actor.session_id is not None
        actor = await sign_in.actor_of_session(session, started.actor.session_id, TIME_OUTS)

    assert (actor.name, actor.role) == ("Bobby", Role.ADMIN)


@pytest.mark.parametrize("token", ["", "unknown", "\0", "é", "a" * 10_000])
async def test_other_tokens_name_nobody(database: Database, a_user: Actor, token: str) -> None:
    with pytest.raises(NotSignedIn):
        await actor_of(database, token)


@pytest.mark.parametrize(
    ("column", "ago"),
    [("last_seen_at", timedelta(hours=1, seconds=1)), ("expires_at", timedelta(0)), ("revoked_at", timedelta(0))],
)
async def test_a_session_ends(database: Database, a_user: Actor, column: str, ago: timedelta) -> None:
    started = await begin(database, a_user)
    async with database.writing() as session:
        await session.execute(update(UserSession).values({column: now() - ago}))

    with pytest.raises(NotSignedIn):
        await actor_of(database, started.token)


async def test_use_is_noted_at_most_once_a_minute(database: Database, a_user: Actor) -> None:
    started = await begin(database, a_user)
    assert started.actor.session_id is not None
    seen = []
    for ago in (timedelta(seconds=50), timedelta(seconds=70)):
        instant = now() - ago
        async with database.writing() as session:
            await session.execute(update(UserSession).values(last_seen_at=instant))
        async with database.writing() as session:
            await sign_in.touch(session, started.actor.session_id)
        async with database.reading() as session:
            seen.append(
                await session.scalar(select(UserSession.last_seen_at).where(UserSession.id == started.actor.session_id))
                == instant
            )

    assert seen == [True, False]


async def test_a_disabled_account_has_no_password_and_no_session(database: Database, a_user: Actor) -> None:
    started = await begin(database, a_user)
    async with database.writing() as session:
        await users.set_active(session, SYSTEM, a_user.user_id, is_active=False)

    with pytest.raises(NotSignedIn):
        await actor_of(database, started.token)
    with pytest.raises(SignInRefused):
        await begin(database, a_user)
    async with database.reading() as session:
        assert await sign_in.password_hash_of(session, "bob") is None


@pytest.mark.parametrize("name", ["bob", "BOB", " Bob ", "bob@example.org", "BOB@Example.ORG", "ｂｏｂ"])
async def test_names_and_addresses_find_the_account_however_they_are_written(
    database: Database, a_user: Actor, name: str
) -> None:
    async with database.reading() as session:
        found = await sign_in.password_hash_of(session, name)

    assert found is not None
    assert found[0] == a_user.user_id


@pytest.mark.parametrize("name", ["", "bobby", "b%b", "b_b", "'; --", "bob\0", "\ud800", "a" * 100_000])
async def test_other_names_find_nobody_and_are_no_error(database: Database, a_user: Actor, name: str) -> None:
    async with database.reading() as session:
        found = await sign_in.password_hash_of(session, name)

    assert found is None or name == "bob\0"


async def test_ones_own_live_sessions_are_listed(database: Database, a_user: Actor, another_user: Actor) -> None:
    kept, ended = await begin(database, a_user, user_agent="Kept\nline"), await begin(database, a_user)
    await begin(database, another_user)
    async with database.writing() as session:
        await sign_in.sign_out(session, ended.actor)

    async with database.reading() as session:
        listed = await sign_in.list_sessions(session, kept.actor, TIME_OUTS)

    assert [info.id for info in listed if info.is_this] == [kept.actor.session_id]
    assert {info.id for info in listed} == {kept.actor.session_id, a_user.session_id}
    assert "Kept line" in {info.user_agent for info in listed}


async def test_an_administrator_sees_their_own_sessions_only(
    database: Database, an_admin: Actor, another_user: Actor
) -> None:
    async with database.reading() as session:
        listed = await sign_in.list_sessions(session, an_admin, TIME_OUTS)

    assert {info.id for info in listed} == {an_admin.session_id}


async def test_nobody_elses_session_can_be_ended(database: Database, an_admin: Actor, another_user: Actor) -> None:
    assert another_user.session_id is not None
    for session_id in (another_user.session_id, SessionId(uuid7())):
        with pytest.raises(NotFound):
            async with database.writing() as session:
                await sign_in.revoke_session(session, an_admin, session_id)


async def test_sessions_that_ended_or_are_gone_are_found_among_those_that_are_open(
    database: Database, a_user: Actor, another_user: Actor
) -> None:
    started = await begin(database, a_user)
    async with database.writing() as session:
        await sign_in.sign_out(session, started.actor)
    gone = SessionId(uuid7())
    assert started.actor.session_id is not None
    assert another_user.session_id is not None

    async with database.reading() as session:
        ended = await sign_in.ended_among(session, {started.actor.session_id, another_user.session_id, gone})

    assert ended == {started.actor.session_id, gone}
