"""How long chats of roles, teams and projects are kept: what a preview says is what goes, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from llm_ui.db import Database
from llm_ui.errors import Forbidden, InvalidInput, NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ChatId, ProjectId, TeamId, uuid7
from llm_ui.models import AuditLog, ChatHistory, Project, Role, TeamRole
from llm_ui.services import holds, keeping, retention, teams
from llm_ui.services.access import Actor
from llm_ui.services.keeping import Preview, Subject
from tests.documents.ready import a_project
from tests.services.test_project_retention import binned
from tests.services.test_teams import a_team

USERS = Subject(role=Role.USER)


async def a_chat(
    database: Database, actor: Actor, days: int, project_id: ProjectId | None = None, *, is_pinned: bool = False
) -> ChatId:
    """A chat that nobody has touched for so many days."""
    chat_id = ChatId(uuid7())
    at = now() - timedelta(days=days, minutes=1)
    async with database.writing() as session:
        row = ChatHistory(id=chat_id, user_id=actor.user_id, project_id=project_id, last_message_at=at)
        row.pinned_at = at if is_pinned else None
        session.add(row)
        await session.flush()
        await session.execute(update(ChatHistory).where(ChatHistory.id == chat_id).values(updated_at=at))
    return chat_id


async def previewed(database: Database, actor: Actor, subject: Subject, days: int | None) -> Preview:
    async with database.reading() as session:
        return await keeping.preview(session, actor, subject, days)


async def ruled(database: Database, actor: Actor, subject: Subject, days: int | None) -> None:
    async with database.writing() as session:
        await keeping.set_rule(session, actor, subject, days)


async def expired(database: Database) -> int:
    async with database.writing() as session:
        return await retention.expire_chats(session)


async def test_the_shortest_rule_decides_and_the_preview_says_what_goes(
    seeded: Database, an_admin: Actor, a_user: Actor, another_user: Actor
) -> None:
    team = Subject(team_id=await a_team(seeded, bob=TeamRole.MEMBER))
    project = await a_project(seeded, a_user)
    async with seeded.writing() as session:
        await retention.keep_for(session, a_user, project, 5)
    gone = {await a_chat(seeded, a_user, days, place) for days, place in ((40, None), (12, None), (6, project))}
    kept = await a_chat(seeded, a_user, 8)
    await a_chat(seeded, a_user, 90, is_pinned=True)
    theirs = {await a_chat(seeded, another_user, 40)}
    await a_chat(seeded, another_user, 12)
    await a_chat(seeded, an_admin, 90)

    of_users = await previewed(seeded, an_admin, USERS, 30)
    await ruled(seeded, an_admin, USERS, 30)
    of_team = await previewed(seeded, an_admin, team, 10)
    await ruled(seeded, an_admin, team, 10)

    assert (of_users.chats, of_users.people) == (3, 2), "that of the project is one of a user, too"
    assert (of_team.chats, of_team.people) == (3, 1)
    async with seeded.reading() as session:
        first = await session.scalar(select(ChatHistory.updated_at).where(ChatHistory.id == kept))
    assert of_team.first_at is not None
    assert first is not None
    assert of_team.first_at >= first + timedelta(days=10) - timedelta(days=2)
    assert await expired(seeded) == 4
    assert (await binned(seeded, a_user), await binned(seeded, another_user)) == (gone, theirs)
    assert (await previewed(seeded, an_admin, team, 10)).chats == 0


@pytest.mark.parametrize("days", [None, 1, 10, 30, 400])
async def test_a_preview_and_the_deletion_never_disagree(
    seeded: Database, an_admin: Actor, a_user: Actor, another_user: Actor, days: int | None
) -> None:
    team = Subject(team_id=await a_team(seeded, bob=TeamRole.MEMBER, eve=TeamRole.OWNER))
    held = await a_project(seeded, another_user, "Held")
    for person in (a_user, another_user):
        for age in (0, 1, 9, 10, 29, 31, 399, 401):
            await a_chat(seeded, person, age)
    await a_chat(seeded, another_user, 900, held)
    async with seeded.writing() as session:
        await holds.place_on_project(session, an_admin, "Held", "Case 7")
        await session.execute(update(Project).values(keep_days=2))
    await ruled(seeded, an_admin, USERS, 350)
    await ruled(seeded, an_admin, team, 20)

    told = await previewed(seeded, an_admin, team, days)
    await ruled(seeded, an_admin, team, days)

    assert await expired(seeded) == told.chats
    async with seeded.reading() as session:
        in_bin = ChatHistory.deleted_at.is_not(None)
        people = await session.scalar(select(func.count(ChatHistory.user_id.distinct())).where(in_bin))
    assert people == told.people


async def test_rules_are_listed_with_who_set_them_and_told_to_whom_they_hold_for(
    seeded: Database, an_admin: Actor, a_user: Actor, another_user: Actor
) -> None:
    team_id = await a_team(seeded, bob=TeamRole.MEMBER)
    project = await a_project(seeded, a_user, "Herons")
    await a_chat(seeded, a_user, 0, project)
    async with seeded.writing() as session:
        await retention.keep_for(session, a_user, project, 5)
    await ruled(seeded, an_admin, USERS, 30)
    await ruled(seeded, an_admin, USERS, 31)
    await ruled(seeded, an_admin, Subject(team_id=team_id), 10)

    async with seeded.reading() as session:
        listed = {(one.subject, one.days, one.set_by) for one in await keeping.list_rules(session, an_admin)}
        mine = [(one.name, one.days) for one in await keeping.rules_of(session, a_user)]
        theirs = [one.days for one in await keeping.rules_of(session, another_user)]
        entries = await session.scalars(select(AuditLog).where(AuditLog.action == "retention.rule_changed"))
        changes = [entry.changes["keep_days"] for entry in entries]
    assert {(USERS, 31, an_admin.name), (Subject(team_id=team_id), 10, an_admin.name)} <= listed
    assert {(Subject(project_id=project), 5, a_user.name), (Subject(role=Role.ADMIN), None, "")} <= listed
    assert (mine, theirs) == ([("Herons", 5), ("Ornithology", 10), ("", 31)], [31])
    assert changes == [[None, 30], [30, 31], [None, 10]]
    async with seeded.writing() as session:
        await teams.remove(session, an_admin, team_id)
        await keeping.set_rule(session, an_admin, USERS, None)
    async with seeded.reading() as session:
        assert [one.days for one in await keeping.rules_of(session, a_user)] == [5], "a team takes its rule along"


async def test_only_administrators_make_rules(seeded: Database, an_admin: Actor, a_user: Actor) -> None:
    async with seeded.writing() as session:
        for refused in (
            lambda: keeping.set_rule(session, a_user, USERS, 30),
            lambda: keeping.preview(session, a_user, USERS, 30),
            lambda: keeping.list_rules(session, a_user),
            lambda: keeping.find_team(session, a_user, "Ornithology"),
        ):
            with pytest.raises(Forbidden):
                await refused()
        with pytest.raises(InvalidInput, match="1 to 3,650 days"):
            await keeping.set_rule(session, an_admin, USERS, 0)
        with pytest.raises(NotFound):
            await keeping.set_rule(session, an_admin, Subject(team_id=TeamId(uuid7())), 30)
