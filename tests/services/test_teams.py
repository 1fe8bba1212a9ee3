"""Teams on both databases: who may see and change them, who comes and who goes."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import select

from llm_ui.db import Database, Session
from llm_ui.errors import Conflict, Forbidden, InvalidInput, ModelUnknown, NotFound, TooLarge
from llm_ui.kit.ids import ModelId, TeamId, UserId, uuid7
from llm_ui.models import AuditLog, ChatHistory, Document, ProjectRole, Role, TeamMember, TeamRole
from llm_ui.services import (
    ai_models,
    departures,
    documents,
    listing,
    offered,
    project_members,
    project_teams,
    projects,
    providers,
    targets,
    team_list,
    team_members,
    team_models,
    teams,
)
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.ai_models import NewModel
from llm_ui.services.listing import Asked
from llm_ui.services.team_details import details
from tests.conftest import make_actor
from tests.documents.ready import a_document, a_project
from tests.services.test_branches import answered

MEMBER, OWNER = TeamRole.MEMBER, TeamRole.OWNER


async def a_team(database: Database, name: str = "Ornithology", **members: TeamRole) -> TeamId:
    """A team with these people in it, who have accounts."""
    async with database.writing() as session:
        team_id = await teams.begin(session, SYSTEM, name)
    for member, role in members.items():
        async with database.writing() as session:
            await team_members.add(session, SYSTEM, team_id, f"{member}@example.org", role)
    return team_id


async def roles(database: Database, team_id: TeamId) -> dict[str, TeamRole]:
    async with database.reading() as session:
        return {one.name: one.role for one in await team_members.list_members(session, SYSTEM, team_id)}


Action = Callable[[Session, Actor, TeamId, UserId], Awaitable[object]]
SEE, MANAGE, ADMINISTER = "see", "manage", "administer"
ACTIONS: dict[str, tuple[str, Action]] = {
    "read": (SEE, lambda s, a, team, _: teams.read(s, a, team)),
    "list_members": (SEE, lambda s, a, team, _: team_members.list_members(s, a, team)),
    "details": (SEE, lambda s, a, team, _: details(s, a, team)),
    "instruct": (MANAGE, lambda s, a, team, _: teams.instruct(s, a, team, "Be brief.")),
    "add": (MANAGE, lambda s, a, team, _: team_members.add(s, a, team, "new@example.org", MEMBER)),
    "change_role": (MANAGE, lambda s, a, team, other: team_members.change_role(s, a, team, other, OWNER)),
    "remove": (MANAGE, lambda s, a, team, other: team_members.remove(s, a, team, other)),
    "rename": (ADMINISTER, lambda s, a, team, _: teams.rename(s, a, team, "Ornithologists")),
    "delete": (ADMINISTER, lambda s, a, team, _: teams.remove(s, a, team)),
    "begin": (ADMINISTER, lambda s, a, _team, _: teams.begin(s, a, "Another")),
    "join": (ADMINISTER, lambda s, a, team, other: team_members.join(s, a, team, other)),
    "leave": (ADMINISTER, lambda s, a, team, other: team_members.leave(s, a, team, other)),
}
MAY = {"admin": {SEE, MANAGE, ADMINISTER}, "owner": {SEE, MANAGE}, "member": {SEE}, "stranger": set()}


async def test_who_may_do_what(database: Database) -> None:
    people = {name: await make_actor(database, name, Role.USER) for name in ("owner", "member", "stranger", "other")}
    people["admin"] = await make_actor(database, "admin", Role.ADMIN)
    await make_actor(database, "new", Role.USER)
    team_id = await a_team(database, owner=OWNER, member=MEMBER, other=MEMBER)

    for who, may in MAY.items():
        for name, (needed, action) in ACTIONS.items():
            expected = (
                "done" if needed in may else "hidden" if who == "stranger" and needed != ADMINISTER else "refused"
            )
            async with database.writing() as session:
                found = await outcome(action(session, people[who], team_id, people["other"].user_id))
                await session.rollback()
            assert found == expected, (who, name)


async def outcome(trial: Awaitable[object]) -> str:
    try:
        await trial
    except (NotFound, ModelUnknown):
        return "hidden"
    except (Forbidden, InvalidInput):
        return "refused"
    return "done"


async def test_members_come_by_address_and_go(database: Database, an_admin: Actor, a_user: Actor) -> None:
    team_id = await a_team(database, bob=OWNER)
    async with database.writing() as session:
        with pytest.raises(Conflict, match="a member already"):
            await team_members.add(session, a_user, team_id, " BOB@example.org", MEMBER)
        with pytest.raises(InvalidInput, match="Nobody here"):
            await team_members.add(session, a_user, team_id, "nobody@example.org", MEMBER)
        with pytest.raises(Conflict, match="without an owner"):
            await team_members.remove(session, a_user, team_id, a_user.user_id)
        with pytest.raises(Conflict, match="without an owner"):
            await team_members.change_role(session, a_user, team_id, a_user.user_id, MEMBER)
        await team_members.add(session, a_user, team_id, f"{an_admin.name}@example.org", OWNER)
        await team_members.remove(session, a_user, team_id, a_user.user_id)

    assert await roles(database, team_id) == {an_admin.name: OWNER}
    async with database.reading() as session:
        assert await teams.list_mine(session, a_user) == ()
        told = [row.action for row in await session.scalars(select(AuditLog).order_by(AuditLog.number))]
    assert told[-2:] == ["team.member_added", "team.member_left"]


async def test_groups_join_and_leave_as_often_as_they_like(database: Database, a_user: Actor) -> None:
    team_id = await a_team(database)
    async with database.writing() as session:
        first, second = [await team_members.join(session, SYSTEM, team_id, a_user.user_id) for _ in range(2)]
        assert (first, second) == (True, False)
        with pytest.raises(NotFound):
            await team_members.join(session, SYSTEM, team_id, UserId(uuid7()))
    assert await roles(database, team_id) == {"bob": MEMBER}

    async with database.writing() as session:
        assert [await team_members.leave(session, SYSTEM, team_id, a_user.user_id) for _ in range(2)] == [True, False]
    assert await roles(database, team_id) == {}


async def test_who_is_deleted_leaves_and_the_team_goes_on(database: Database, an_admin: Actor, a_user: Actor) -> None:
    team_id = await a_team(database, bob=OWNER)

    async with database.writing() as session:
        await departures.remove(session, an_admin, a_user.user_id)

    assert await roles(database, team_id) == {}
    async with database.reading() as session:
        left = select(AuditLog).where(AuditLog.action == "team.member_removed")
        assert (await session.scalars(left)).one().detail == {"member": "bob"}


async def test_names_are_no_two_teams_and_instructions_are_not_too_long(database: Database, a_user: Actor) -> None:
    team_id = await a_team(database, bob=OWNER)
    other = await a_team(database, "Botany")

    async with database.writing() as session:
        with pytest.raises(Conflict, match="already"):
            await teams.begin(session, SYSTEM, " ORNITHOLOGY ")
        with pytest.raises(Conflict, match="already"):
            await teams.rename(session, SYSTEM, other, "ornithology")
        with pytest.raises(InvalidInput, match="name"):
            await teams.rename(session, SYSTEM, other, "  ")
        await teams.rename(session, SYSTEM, team_id, "ORNITHOLOGY")
        with pytest.raises(TooLarge, match="Shorten"):
            await teams.instruct(session, a_user, team_id, "x" * 20_001)


async def test_teams_of_a_person_are_always_in_the_same_order(database: Database, a_user: Actor) -> None:
    ids = [await a_team(database, name, bob=MEMBER) for name in ("Zoology", "Anatomy")]

    async with database.reading() as session:
        assert [one.id for one in await teams.list_mine(session, a_user)] == ids


async def test_the_list_is_of_all_for_administrators_and_of_ones_own_for_others(
    database: Database, an_admin: Actor, a_user: Actor
) -> None:
    await a_team(database, "Ornithology", bob=OWNER)
    await a_team(database, "Botany")

    async def listed(actor: Actor, asked: Asked) -> list[tuple[str, int, tuple[str, ...]]]:
        async with database.reading() as session:
            found = await listing.find(session, team_list.rows(actor, asked), asked)
        return [(one.name, one.members, one.owners) for one in found.items]

    assert await listed(an_admin, Asked(sort="members", is_descending=True)) == [
        ("Ornithology", 1, ("bob",)), ("Botany", 0, ()),
    ]  # fmt: skip
    assert await listed(an_admin, Asked(search="BOT")) == [("Botany", 0, ())]
    assert await listed(a_user, Asked()) == [("Ornithology", 1, ("bob",))]


async def test_a_deleted_team_takes_its_members_rows_along(database: Database, a_user: Actor) -> None:
    team_id = await a_team(database, bob=OWNER)

    async with database.writing() as session:
        await teams.remove(session, SYSTEM, team_id)
        await teams.remove(session, SYSTEM, team_id)

    async with database.reading() as session:
        assert (await session.scalars(select(TeamMember))).all() == []
        with pytest.raises(NotFound):
            await teams.read(session, a_user, team_id)


async def a_model(database: Database, name: str) -> ModelId:
    async with database.writing() as session:
        (provider,) = await providers.list_providers(session, SYSTEM)
        (model_id,) = await ai_models.add_models(session, SYSTEM, provider.id, [NewModel(name)])
    return model_id


async def may_ask(database: Database, actor: Actor, model_id: ModelId) -> bool:
    """Whether a model is offered, in pages and to scripts; and asked, which is the same."""
    async with database.reading() as session:
        shown = model_id in {one.id for one in await ai_models.list_models(session, actor)}
        listed = "heron-9" in {one.name for one in await offered.list_offered(session, actor, None)}
        asked = [await outcome(trial) for trial in (
            targets.target(session, actor, model_id), offered.named(session, actor, "heron-9", None),
        )]  # fmt: skip
    assert {shown, listed, *(each == "done" for each in asked)} == {shown}
    return shown


async def test_a_kept_model_is_asked_by_its_teams_alone(
    seeded: Database, an_admin: Actor, a_user: Actor, another_user: Actor
) -> None:
    model_id = await a_model(seeded, "heron-9")
    team_id = await a_team(seeded, bob=MEMBER)
    assert await may_ask(seeded, another_user, model_id)

    async with seeded.writing() as session:
        await team_models.keep(session, an_admin, team_id, [model_id])
        with pytest.raises(Conflict, match="alone"):
            await teams.remove(session, an_admin, team_id)
        with pytest.raises(InvalidInput, match="kept"):
            await ai_models.set_default(session, an_admin, model_id)
        with pytest.raises(Forbidden):
            await team_models.keep(session, a_user, team_id, [])
    assert [await may_ask(seeded, each, model_id) for each in (an_admin, a_user, another_user)] == [True, True, False]
    async with seeded.reading() as session:
        (kept,) = await team_models.list_kept(session, a_user, team_id)
        default = next(one for one in await ai_models.list_models(session, an_admin) if one.is_default)
    assert (kept.name, kept.teams, kept.is_kept) == ("heron-9", ("Ornithology",), True)

    async with seeded.writing() as session:
        await team_members.leave(session, SYSTEM, team_id, a_user.user_id)
        with pytest.raises(InvalidInput, match="default"):
            await team_models.keep(session, an_admin, team_id, [default.id])
    assert not await may_ask(seeded, a_user, model_id)
    async with seeded.writing() as session:
        await team_models.keep(session, an_admin, team_id, [])
        await teams.remove(session, an_admin, team_id)
    assert await may_ask(seeded, another_user, model_id)


async def test_who_leaves_a_team_is_out_of_its_projects_at_once(
    seeded: Database, an_admin: Actor, a_user: Actor, another_user: Actor
) -> None:
    project_id = await a_project(seeded, a_user)
    team_id = await a_team(seeded, bob=OWNER, eve=MEMBER)
    async with seeded.writing() as session:
        await project_teams.share(session, a_user, project_id, team_id, ProjectRole.EDITOR)
    document_id = await a_document(seeded, another_user, project_id, ["A heron."])
    chat_id = (await answered(seeded, another_user, "mine", "reply", project_id=project_id)).chat_id
    async with seeded.reading() as session:
        (seen,) = await projects.list_projects(session, another_user)
        assert (seen.role, seen.is_own, seen.members) == (ProjectRole.EDITOR, False, 2)
        (shared,) = (await details(session, an_admin, team_id)).projects
        assert (shared.name, shared.owner, shared.role) == ("Herons", "bob", ProjectRole.EDITOR)

    async with seeded.writing() as session:
        await team_members.remove(session, a_user, team_id, another_user.user_id)

    async with seeded.reading() as session:
        assert await projects.list_projects(session, another_user) == ()
        with pytest.raises(NotFound):
            await documents.find(session, another_user, document_id)
        assert (await session.get_one(ChatHistory, chat_id)).project_id is None
        assert (await session.get_one(Document, document_id)).user_id == a_user.user_id


@pytest.mark.parametrize("end", ["unshare", "delete"])
async def test_who_is_a_member_themselves_stays_when_the_team_goes(
    seeded: Database, a_user: Actor, another_user: Actor, end: str
) -> None:
    project_id = await a_project(seeded, a_user)
    team_id = await a_team(seeded, bob=OWNER, eve=MEMBER)
    third = await make_actor(seeded, "tom", Role.USER)
    async with seeded.writing() as session:
        await team_members.join(session, SYSTEM, team_id, third.user_id)
        await project_teams.share(session, a_user, project_id, team_id, ProjectRole.EDITOR)
        await project_members.add(session, a_user, project_id, "eve@example.org", ProjectRole.VIEWER)
        with pytest.raises(InvalidInput, match="cannot own"):
            await project_teams.share(session, a_user, project_id, team_id, ProjectRole.OWNER)
    kept = (await answered(seeded, another_user, "kept", "reply", project_id=project_id)).chat_id
    parted = (await answered(seeded, third, "parted", "reply", project_id=project_id)).chat_id

    async with seeded.writing() as session:
        if end == "unshare":
            await project_teams.unshare(session, a_user, project_id, team_id)
            await project_teams.unshare(session, a_user, project_id, team_id)
        else:
            await teams.remove(session, SYSTEM, team_id)

    async with seeded.reading() as session:
        (seen,) = await projects.list_projects(session, another_user)
        assert (seen.role, seen.members) == (ProjectRole.VIEWER, 2)
        assert await projects.list_projects(session, third) == ()
        assert [(await session.get_one(ChatHistory, each)).project_id for each in (kept, parted)] == [project_id, None]
        assert await project_teams.list_teams(session, a_user, project_id) == ()


async def test_a_project_is_shared_with_a_team_of_ones_own_alone(
    seeded: Database, a_user: Actor, another_user: Actor
) -> None:
    project_id, team_id = await a_project(seeded, a_user), await a_team(seeded, eve=OWNER)

    async with seeded.writing() as session:
        with pytest.raises(NotFound):
            await project_teams.share(session, a_user, project_id, team_id, ProjectRole.VIEWER)
        with pytest.raises(NotFound):
            await project_teams.share(session, another_user, project_id, team_id, ProjectRole.VIEWER)
