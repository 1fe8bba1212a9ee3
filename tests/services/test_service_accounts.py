"""Service accounts of teams on both databases: who decides on them, what they may, and that they are nobody."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from llm_ui.db import Database, Session
from llm_ui.errors import Conflict, InvalidInput, KeyRefused, NotFound, SignInRefused
from llm_ui.kit.ids import ModelId, TeamId, UserId, uuid7
from llm_ui.models import AuditLog, ProjectRole, Role, User
from llm_ui.services import (
    account_links,
    departures,
    keys,
    listing,
    project_members,
    project_teams,
    second_factor,
    service_accounts,
    sign_in,
    team_list,
    team_members,
    teams,
    user_list,
    users,
)
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.keys import Made, NewKey
from llm_ui.services.listing import Asked
from llm_ui.services.sign_in import TimeOuts
from tests.conftest import make_actor
from tests.documents.ready import a_project
from tests.services.test_teams import MEMBER, OWNER, a_team, outcome

TIME_OUTS = TimeOuts(timedelta(hours=1), timedelta(hours=2))


async def an_account(database: Database, team_id: TeamId, name: str = "report") -> UserId:
    """A service account of a team."""
    async with database.writing() as session:
        return await service_accounts.create(session, SYSTEM, team_id, name, "Sums of each night")


async def holder(database: Database, account_id: UserId) -> Actor:
    async with database.reading() as session:
        return await service_accounts.holder(session, SYSTEM, account_id)


async def a_key(database: Database, actor: Actor, account_id: UserId, new: NewKey | None = None) -> Made:
    """A key of a service account, which an actor makes."""
    async with database.writing() as session:
        found = await service_accounts.holder(session, actor, account_id)
        return await keys.create(session, actor, new or NewKey("nightly"), found)


async def is_good(database: Database, key: Made) -> bool:
    """Whether a key lets somebody in, and lets go on what is being done with it."""
    async with database.reading() as session:
        lasts = key.id in await keys.still_good(session, [key.id])
        try:
            await keys.caller_of(session, key.token)
        except KeyRefused:
            assert not lasts
            return False
    assert lasts
    return True


Action = Callable[[Session, Actor, TeamId, UserId, Made], Awaitable[object]]
SEE, MANAGE = "see", "manage"
ACTIONS: dict[str, tuple[str, Action]] = {
    "list_accounts": (SEE, lambda s, a, team, _one, _key: service_accounts.list_accounts(s, a, team)),
    "create": (MANAGE, lambda s, a, team, _one, _key: service_accounts.create(s, a, team, "new", "")),
    "read": (MANAGE, lambda s, a, _team, one, _key: service_accounts.read(s, a, one)),
    "find": (MANAGE, lambda s, a, _team, _one, _key: service_accounts.find(s, a, "ornithology/REPORT")),
    "holder": (MANAGE, lambda s, a, _team, one, _key: service_accounts.holder(s, a, one)),
    "switch": (MANAGE, lambda s, a, _team, one, _key: service_accounts.set_active(s, a, one, is_active=False)),
    "remove": (MANAGE, lambda s, a, _team, one, _key: service_accounts.remove(s, a, one)),
}
OF_KEYS: dict[str, Action] = {
    "rename": lambda s, a, _team, _one, key: keys.rename(s, a, key.id, "weekly"),
    "rotate": lambda s, a, _team, _one, key: keys.rotate(s, a, key.id),
    "revoke": lambda s, a, _team, _one, key: keys.revoke(s, a, key.id),
}
"""Done by whoever decides on it; for anybody else there are no such keys."""
MAY = {
    "admin": {SEE, MANAGE}, "owner": {SEE, MANAGE}, "member": {SEE}, "itself": {SEE}, "stranger": set(),
    "owner of another team": set(),
}  # fmt: skip


async def test_who_may_do_what(database: Database) -> None:
    people = {name: await make_actor(database, name, Role.USER) for name in ("owner", "member", "stranger", "rival")}
    people["admin"] = await make_actor(database, "admin", Role.ADMIN)
    people["owner of another team"] = people.pop("rival")
    team_id = await a_team(database, owner=OWNER, member=MEMBER)
    await a_team(database, "Rivals", rival=OWNER)
    account_id = await an_account(database, team_id)
    key = await a_key(database, SYSTEM, account_id)
    people["itself"] = await holder(database, account_id)

    for who, may in MAY.items():
        expected = {
            name: "done" if needed in may else "refused" if SEE in may else "hidden"
            for name, (needed, _) in ACTIONS.items()
        }
        theirs = MANAGE in may or who == "itself"
        expected |= dict.fromkeys(OF_KEYS, "done" if theirs else "hidden")
        for name, (_, act) in {**ACTIONS, **{one: ("", act) for one, act in OF_KEYS.items()}}.items():
            async with database.writing() as session:
                found = await outcome(act(session, people[who], team_id, account_id, key))
                await session.rollback()
            assert found == expected[name], (who, name)
        async with database.reading() as session:
            shown = await keys.list_keys(session, people[who], account_id)
        assert bool(shown) == theirs, who


async def test_it_is_nobody_among_people(database: Database, an_admin: Actor, a_user: Actor) -> None:
    team_id = await a_team(database, bob=OWNER)
    account_id = await an_account(database, team_id)
    async with database.reading() as session:
        row = await session.get_one(User, account_id)
        listed = await listing.find(session, user_list.rows(an_admin, Asked()), Asked())
        team = await listing.find(session, team_list.rows(an_admin, Asked()), Asked())
        assert [one.user.name for one in listed.items] == ["ada", "bob"]
        assert [one.name for one in await users.list_users(session, SYSTEM)] == ["ada", "bob"]
        assert [one.members for one in team.items] == [1]
        assert [one.name for one in await team_members.list_members(session, a_user, team_id)] == ["bob"]
        assert [one.members for one in await teams.list_mine(session, a_user)] == [1]
        for name in (row.name, row.email):
            assert await sign_in.password_hash_of(session, name) is None
            with pytest.raises(NotFound):
                await users.find_user(session, SYSTEM, name)
            with pytest.raises(InvalidInput):
                await project_members.named_user(session, name)
    refused: list[Callable[[Session], Awaitable[object]]] = [
        lambda s: users.set_role(s, an_admin, account_id, Role.ADMIN),
        lambda s: users.reset_password(s, an_admin, account_id, "a long enough password", "hash"),
        lambda s: account_links.offer_reset(s, an_admin, account_id),
        lambda s: second_factor.reset(s, an_admin, account_id),
        lambda s: departures.remove(s, an_admin, account_id),
        lambda s: team_members.change_role(s, an_admin, team_id, account_id, OWNER),
        lambda s: team_members.remove(s, an_admin, team_id, account_id),
        lambda s: team_members.join(s, SYSTEM, team_id, account_id),
    ]
    for attempt in refused:
        async with database.writing() as session:
            with pytest.raises(NotFound):
                await attempt(session)
    async with database.writing() as session:
        with pytest.raises(SignInRefused):
            await sign_in.start_session(session, account_id, TIME_OUTS, user_agent="", address="")


async def test_it_may_what_members_may_and_nothing_of_another_team(
    database: Database, a_user: Actor, another_user: Actor
) -> None:
    mine, theirs = await a_team(database, bob=OWNER), await a_team(database, "Rivals", eve=OWNER)
    places = {}
    for owner, team_id in ((a_user, mine), (another_user, theirs)):
        places[team_id] = await a_project(database, owner, f"Of {owner.name}")
        async with database.writing() as session:
            await project_teams.share(session, owner, places[team_id], team_id, ProjectRole.VIEWER)
    account_id = await an_account(database, mine)
    await an_account(database, theirs)

    key = await a_key(database, a_user, account_id, NewKey("nightly", project_id=places[mine]))

    async with database.reading() as session:
        assert (await keys.caller_of(session, key.token)).project_id == places[mine]
        itself = await holder(database, account_id)
        with pytest.raises(NotFound):
            await service_accounts.list_accounts(session, itself, theirs)
    for wrong in (NewKey("x", project_id=places[theirs]), NewKey("x", models=frozenset({ModelId(uuid7())}))):
        with pytest.raises(NotFound):
            await a_key(database, a_user, account_id, wrong)
    async with database.writing() as session:
        await project_teams.unshare(session, a_user, places[mine], mine)
    assert not await is_good(database, key)


@pytest.mark.parametrize("end", ["switched off", "deleted", "team deleted", "nothing", "maker deleted"])
async def test_its_keys_end_with_it_and_not_with_who_has_made_it(
    database: Database, a_user: Actor, another_user: Actor, an_admin: Actor, end: str
) -> None:
    team_id = await a_team(database, bob=OWNER, eve=OWNER)
    async with database.writing() as session:
        account_id = await service_accounts.create(session, a_user, team_id, "report", "")
    key = await a_key(database, a_user, account_id)
    assert await is_good(database, key)

    async with database.writing() as session:
        match end:
            case "switched off":
                await service_accounts.set_active(session, another_user, account_id, is_active=False)
            case "deleted":
                await service_accounts.remove(session, another_user, account_id)
            case "team deleted":
                await teams.remove(session, an_admin, team_id)
            case "maker deleted":
                await departures.remove(session, an_admin, a_user.user_id)

    assert await is_good(database, key) == (end in ("nothing", "maker deleted"))
    async with database.reading() as session:
        kept = await session.scalar(select(func.count()).where(User.is_service))
    assert kept == (end not in ("deleted", "team deleted"))
    if end == "switched off":
        async with database.writing() as session:
            await service_accounts.set_active(session, a_user, account_id, is_active=True)
        assert await is_good(database, key)


async def test_it_is_called_after_its_team_and_what_cannot_be_is_refused(database: Database, a_user: Actor) -> None:
    team_id = await a_team(database, bob=OWNER)
    account_id = await an_account(database, team_id)
    async with database.writing() as session:
        for name in ("", "a/b", "x" * 60):
            with pytest.raises(InvalidInput):
                await service_accounts.create(session, a_user, team_id, name, "")
        with pytest.raises(InvalidInput):
            await teams.rename(session, SYSTEM, team_id, "y" * 60)
        await session.rollback()
    async with database.writing() as session:
        with pytest.raises(Conflict):
            await service_accounts.create(session, a_user, team_id, "Report", "")
        await session.rollback()

    async with database.writing() as session:
        await teams.rename(session, SYSTEM, team_id, "Birds")

    async with database.reading() as session:
        found = await service_accounts.find(session, SYSTEM, "birds/report")
        told = [row.action for row in await session.scalars(select(AuditLog).order_by(AuditLog.number))]
    assert (found.id, found.full_name, found.purpose) == (account_id, "Birds/report", "Sums of each night")
    assert told[-2:] == ["service_account.created", "team.changed"]
