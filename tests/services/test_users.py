"""Accounts on both databases: who may make and change them, and what ends with which change."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import func, select, update

from llm_ui.db import Database, Session
from llm_ui.errors import Conflict, Forbidden, InvalidInput, LLMUIError, NotFound
from llm_ui.kit.ids import UserId, uuid7
from llm_ui.models import AuditLog, Role, User, UserSession
from llm_ui.services import account_links, departures, registration, settings, users
from llm_ui.services.access import SYSTEM, Actor, Permission
from llm_ui.services.settings import REGISTRATION_OPEN
from llm_ui.services.users import NewUser
from tests.conftest import make_actor

PASSWORD = "a long walk by the river"
RACERS = 200


def new(name: str = "carol", **changes: str) -> NewUser:
    """An account to be made."""
    return NewUser(**{"name": name, "email": f"{name}@example.org", "password": PASSWORD, **changes})


async def setup_token(database: Database) -> str:
    """The token of a set-up link."""
    async with database.writing() as session:
        token = await users.new_setup_token(session)
    assert token is not None
    return token


async def count(database: Database, role: Role) -> int:
    """How many accounts have the role."""
    async with database.reading() as session:
        return await session.scalar(select(func.count()).where(User.role == role)) or 0


async def raced(attempts: list[Awaitable[object]]) -> list[str]:
    """What became of attempts that were made at once."""
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert all(not isinstance(result, BaseException) or isinstance(result, LLMUIError) for result in results), results
    return ["refused" if isinstance(result, BaseException) else "done" for result in results]


async def test_two_hundred_who_set_up_at_once_make_one_administrator(database: Database) -> None:
    token = await setup_token(database)

    async def set_up(number: int) -> None:
        async with database.writing() as session:
            await users.set_up(session, token, new(f"admin{number}"), "hash")

    outcomes = await raced([set_up(number) for number in range(RACERS)])

    assert outcomes.count("done") == 1
    assert await count(database, Role.ADMIN) == 1


async def test_a_setup_token_is_good_for_one_administrator_only(database: Database) -> None:
    token = await setup_token(database)
    async with database.writing() as session:
        await users.set_up(session, token, new("ada"), "hash")

    with pytest.raises(Forbidden, match="set-up link"):
        async with database.writing() as session:
            await users.set_up(session, token, new("eve"), "hash")
    async with database.writing() as session:
        assert await users.new_setup_token(session) is None


@pytest.mark.parametrize("token", ["", "wrong", "None", "\0", "é"])
async def test_a_wrong_setup_token_is_refused(database: Database, token: str) -> None:
    await setup_token(database)

    with pytest.raises(Forbidden):
        async with database.writing() as session:
            await users.set_up(session, token, new("eve"), "hash")


async def test_without_a_setup_token_nobody_sets_up(database: Database) -> None:
    with pytest.raises(Forbidden):
        async with database.writing() as session:
            await users.set_up(session, "", new("eve"), "hash")


async def test_registration_waits_for_the_first_administrator(database: Database) -> None:
    with pytest.raises(Forbidden, match="Registration is closed"):
        async with database.writing() as session:
            await registration.register(session, new(), "hash")


async def test_registration_can_be_closed(database: Database, an_admin: Actor) -> None:
    async with database.writing() as session:
        await registration.register(session, new("carol"), "hash")
        await settings.change(session, an_admin, REGISTRATION_OPEN, value=False)

    with pytest.raises(Forbidden, match="Registration is closed"):
        async with database.writing() as session:
            await registration.register(session, new("dave"), "hash")
    assert await count(database, Role.USER) == 1


async def test_two_of_one_name_at_once_make_one_account(database: Database, an_admin: Actor) -> None:
    async def register(name: str) -> None:
        async with database.writing() as session:
            await registration.register(session, new(name), "hash")

    outcomes = await raced([register(name) for name in ("carol", "Carol", "CAROL", "ｃａｒｏｌ")])

    assert outcomes.count("done") == 1
    assert await count(database, Role.USER) == 1


@pytest.mark.parametrize(
    "taken", [new("BOB", email="x@example.org"), new("carol", email="Bob@Example.org"), new("ｂｏｂ", email="x@y.z")]
)
async def test_a_name_or_address_that_is_taken_is_refused(
    database: Database, an_admin: Actor, a_user: Actor, taken: NewUser
) -> None:
    with pytest.raises(Conflict, match="has an account already"):
        async with database.writing() as session:
            await registration.register(session, taken, "hash")


@pytest.mark.parametrize("name", ["", " ", "a" * 65, "<b>", "a\0b", "a\nb", "-a", "a@b", "\ud800", "ﷺ" * 10, "a/b"])
async def test_names_that_cannot_be_used_are_refused(database: Database, an_admin: Actor, name: str) -> None:
    with pytest.raises(InvalidInput, match="username"):
        async with database.writing() as session:
            await registration.register(session, new(name, email="x@example.org"), "hash")


@pytest.mark.parametrize("email", ["", "x", "x@", "@x", "x@y@z", "a b@c.d", "a\0@b.c", "\ud800@b.c", "a" * 65 + "@b.c"])
async def test_addresses_that_cannot_be_used_are_refused(database: Database, an_admin: Actor, email: str) -> None:
    with pytest.raises(InvalidInput, match="e-mail"):
        async with database.writing() as session:
            await registration.register(session, new(email=email), "hash")


@pytest.mark.parametrize("name", ["a", "Ada Lovelace", "ada.lovelace-2", "ß" * 32, "山田太郎", "ada_l"])
async def test_names_that_can_be_used_are_kept_as_written(database: Database, an_admin: Actor, name: str) -> None:
    async with database.writing() as session:
        made = await users.create(session, an_admin, new(name, email="x@example.org"), Role.USER, "hash")
    async with database.reading() as session:
        found = await users.find_user(session, an_admin, name.upper())

    assert (made.name, found.id) == (name, made.id)


def test_every_field_with_a_problem_is_named() -> None:
    assert set(users.problems(NewUser("", "", ""))) == {"username", "email", "password"}
    assert users.problems(new()) == {}


Change = Callable[[Session, Actor, UserId], Awaitable[object]]
CHANGES: dict[str, Change] = {
    "create": lambda session, actor, _: users.create(session, actor, new(), Role.USER, "hash"),
    "list": lambda session, actor, _: users.list_users(session, actor),
    "find": lambda session, actor, _: users.find_user(session, actor, "bob"),
    "disable": lambda session, actor, whom: users.set_active(session, actor, whom, is_active=False),
    "enable": lambda session, actor, whom: users.set_active(session, actor, whom, is_active=True),
    "promote": lambda session, actor, whom: users.set_role(session, actor, whom, Role.ADMIN),
    "reset password": lambda session, actor, whom: users.reset_password(session, actor, whom, PASSWORD, "hash"),
    "end sessions": lambda session, actor, whom: users.end_sessions(session, actor, whom),
    "invite": lambda session, actor, _: account_links.invite(session, actor, "", "carol@example.org", Role.USER),
    "offer reset": lambda session, actor, whom: account_links.offer_reset(session, actor, whom),
    "weigh": lambda session, actor, whom: departures.weigh(session, actor, whom),
    "delete": lambda session, actor, whom: departures.remove(session, actor, whom),
    "allow domains": lambda session, actor, _: registration.set_domains(session, actor, "example.org"),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_only_administrators_manage_accounts(
    database: Database, an_admin: Actor, a_user: Actor, another_user: Actor, name: str
) -> None:
    async with database.writing() as session:
        await CHANGES[name](session, an_admin, another_user.user_id)

    operator = Actor(a_user.user_id, a_user.name, Role.OPERATOR)
    for nobody in (a_user, operator):
        with pytest.raises(Forbidden):
            async with database.writing() as session:
                await CHANGES[name](session, nobody, another_user.user_id)


ENDING: dict[str, Change] = {
    "disable": CHANGES["disable"],
    "promote": CHANGES["promote"],
    "demote": lambda session, actor, whom: users.set_role(session, actor, whom, Role.USER),
    "reset password": CHANGES["reset password"],
    "end sessions": CHANGES["end sessions"],
    "delete": CHANGES["delete"],
}


@pytest.mark.parametrize("name", ENDING)
async def test_changes_of_rights_end_the_persons_sessions_and_nobody_elses(
    database: Database, an_admin: Actor, a_user: Actor, another_user: Actor, name: str
) -> None:
    async with database.writing() as session:
        await ENDING[name](session, an_admin, a_user.user_id)

    async with database.reading() as session:
        live = set(await session.scalars(select(UserSession.id).where(UserSession.revoked_at.is_(None))))
    assert live == {an_admin.session_id, another_user.session_id}


async def test_changing_ones_own_password_ends_the_other_sessions(
    database: Database, a_user: Actor, another_user: Actor
) -> None:
    elsewhere = Actor(a_user.user_id, a_user.name, a_user.role, another_user.session_id)
    async with database.writing() as session:
        mine = update(UserSession).where(UserSession.id == another_user.session_id)
        await session.execute(mine.values(user_id=a_user.user_id))

    async with database.writing() as session:
        await users.change_password(session, elsewhere, PASSWORD, "new hash")

    async with database.reading() as session:
        live = set(await session.scalars(select(UserSession.id).where(UserSession.revoked_at.is_(None))))
        stored = await session.scalar(select(User.password_hash).where(User.id == a_user.user_id))
    assert live == {another_user.session_id}
    assert stored == "new hash"


@pytest.mark.parametrize("password", ["short", "bobbobbobbobbobb", "bob@example.org1"])
async def test_an_easy_password_is_refused_wherever_it_is_set(
    database: Database, an_admin: Actor, a_user: Actor, password: str
) -> None:
    with pytest.raises(InvalidInput):
        async with database.writing() as session:
            await users.change_password(session, a_user, password, "hash")
    with pytest.raises(InvalidInput):
        async with database.writing() as session:
            await users.reset_password(session, an_admin, a_user.user_id, password, "hash")


async def test_the_last_administrator_stays(database: Database, an_admin: Actor, a_user: Actor) -> None:
    with pytest.raises(Conflict, match="only administrator"):
        async with database.writing() as session:
            await users.set_role(session, SYSTEM, an_admin.user_id, Role.USER)
    with pytest.raises(Conflict, match="only administrator"):
        async with database.writing() as session:
            await users.set_active(session, SYSTEM, an_admin.user_id, is_active=False)


async def test_two_administrators_who_demote_each_other_at_once_leave_one(
    database: Database, an_admin: Actor, a_user: Actor
) -> None:
    async with database.writing() as session:
        await users.set_role(session, SYSTEM, a_user.user_id, Role.ADMIN)

    async def demote(whom: UserId) -> None:
        async with database.writing() as session:
            await users.set_role(session, SYSTEM, whom, Role.USER)

    outcomes = await raced([demote(an_admin.user_id), demote(a_user.user_id)])

    assert sorted(outcomes) == ["done", "refused"]
    assert await count(database, Role.ADMIN) == 1


async def test_an_account_that_is_not_there_is_not_found(database: Database, an_admin: Actor) -> None:
    with pytest.raises(NotFound):
        async with database.writing() as session:
            await users.set_active(session, an_admin, UserId(uuid7()), is_active=False)
    with pytest.raises(NotFound, match="llm-ui users list"):
        async with database.reading() as session:
            await users.find_user(session, an_admin, "nobody")


async def test_changes_are_in_the_audit_log_without_passwords(
    database: Database, an_admin: Actor, a_user: Actor
) -> None:
    async with database.writing() as session:
        await users.create(session, an_admin, new(), Role.USER, "secret hash")
        await users.set_role(session, an_admin, a_user.user_id, Role.ADMIN)
        await users.reset_password(session, an_admin, a_user.user_id, PASSWORD, "secret hash")
        await users.set_active(session, an_admin, a_user.user_id, is_active=False)

    async with database.reading() as session:
        rows = list(await session.scalars(select(AuditLog).order_by(AuditLog.number)))
    assert [(row.action, row.target) for row in rows] == [
        ("user.created", "carol"),
        ("user.role_changed", "bob"),
        ("user.password_reset", "bob"),
        ("user.disabled", "bob"),
    ]
    assert all(row.actor_id == an_admin.user_id for row in rows)
    assert not any(secret in f"{row.detail}{row.changes}" for row in rows for secret in (PASSWORD, "secret hash"))


SELF: dict[str, Change] = {
    "disable": CHANGES["disable"],
    "demote": lambda session, actor, whom: users.set_role(session, actor, whom, Role.OPERATOR),
    "delete": CHANGES["delete"],
}


@pytest.mark.parametrize("name", SELF)
async def test_nobody_takes_rights_from_their_own_account(database: Database, an_admin: Actor, name: str) -> None:
    await make_actor(database, "zoe", Role.ADMIN)

    with pytest.raises(Conflict, match="your own account"):
        async with database.writing() as session:
            await SELF[name](session, an_admin, an_admin.user_id)


async def test_the_audit_log_says_what_was_and_what_is(database: Database, an_admin: Actor, a_user: Actor) -> None:
    async with database.writing() as session:
        await users.set_role(session, an_admin, a_user.user_id, Role.OPERATOR)
        await users.set_active(session, an_admin, a_user.user_id, is_active=False)

    async with database.reading() as session:
        entries = (await session.scalars(select(AuditLog).order_by(AuditLog.id))).all()
    assert [(entry.action, entry.target, entry.changes) for entry in entries] == [
        ("user.role_changed", "bob", {"role": ["user", "operator"]}),
        ("user.disabled", "bob", {}),
    ]


async def test_an_operator_may_see_figures_and_nothing_of_the_administration(a_user: Actor) -> None:
    operator = Actor(a_user.user_id, a_user.name, Role.OPERATOR)

    allowed = {permission for permission in Permission if operator.may(permission)}

    assert allowed == {Permission.CHAT, Permission.SEE_FIGURES}
    assert not a_user.may(Permission.SEE_FIGURES)
