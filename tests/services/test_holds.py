"""Legal holds: what is a held person's or in a held project stays, whoever or whatever wants it gone."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from llm_ui.db import Database
from llm_ui.errors import Conflict, Forbidden, InvalidInput
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ChatId, ProjectId, uuid7
from llm_ui.models import AuditLog, ChatHistory, HoldScope, Project, ProjectMember, ProjectRole, UserMemory
from llm_ui.services import chats, departures, holds, memories, project_members, projects, retention
from llm_ui.services.access import Actor
from llm_ui.services.holds import HoldInfo
from tests.documents.ready import a_project

MONTH = timedelta(days=31)


async def a_chat(database: Database, actor: Actor, project_id: ProjectId | None = None) -> ChatId:
    """A chat that went to the bin a month ago."""
    chat_id = ChatId(uuid7())
    async with database.writing() as session:
        long_ago = now() - MONTH
        row = ChatHistory(id=chat_id, user_id=actor.user_id, project_id=project_id, last_message_at=long_ago)
        session.add(row)
        row.deleted_at = long_ago
    return chat_id


async def held(database: Database, actor: Actor) -> list[HoldInfo]:
    async with database.reading() as session:
        return [one for one in await holds.list_holds(session, actor) if one.lifted_at is None]


async def purged(database: Database) -> int:
    async with database.writing() as session:
        return await retention.purge_bin(session)


async def test_a_held_person_keeps_everything_until_it_is_lifted(
    database: Database, an_admin: Actor, a_user: Actor
) -> None:
    chat_id = await a_chat(database, a_user)
    async with database.writing() as session:
        fact = await memories.save(session, a_user, None, "I like herons.")
        await holds.place_on_person(session, an_admin, a_user.user_id, "Case 7")
        with pytest.raises(Conflict, match="already"):
            await holds.place_on_person(session, an_admin, a_user.user_id, "Case 8")

    async with database.writing() as session:
        for deletion in (
            lambda: chats.purge(session, a_user, chat_id),
            lambda: memories.remove(session, a_user, fact),
            lambda: departures.remove(session, an_admin, a_user.user_id),
            lambda: departures.leave(session, a_user),
        ):
            with pytest.raises(Conflict, match="legal hold"):
                await deletion()
    assert await purged(database) == 0
    (hold,) = await held(database, an_admin)
    assert (hold.scope, hold.subject_name, hold.reason) == (HoldScope.USER, a_user.name, "Case 7")
    async with database.writing() as session:
        await holds.lift(session, an_admin, hold.id)
        await holds.lift(session, an_admin, hold.id)
    assert await purged(database) == 1
    async with database.writing() as session:
        await departures.remove(session, an_admin, a_user.user_id)
        assert await session.scalar(select(func.count()).select_from(UserMemory)) == 0

    async with database.reading() as session:
        actions = list(await session.scalars(select(AuditLog.action).order_by(AuditLog.number)))
    assert actions == ["hold.placed", "hold.lifted", "user.deleted"]


async def test_nothing_leaves_a_held_project(
    database: Database, an_admin: Actor, a_user: Actor, another_user: Actor
) -> None:
    project_id = await a_project(database, a_user)
    async with database.writing() as session:
        session.add(ProjectMember(project_id=project_id, user_id=another_user.user_id, role=ProjectRole.VIEWER))
    await a_chat(database, a_user, project_id)
    await a_chat(database, another_user)
    open_chat = await a_chat(database, a_user, project_id)
    async with database.writing() as session:
        await session.execute(update(ChatHistory).where(ChatHistory.id == open_chat).values(deleted_at=None))
        await session.execute(update(Project).values(keep_days=1))
        name = await session.scalar(select(Project.name)) or ""
        await holds.place_on_project(session, an_admin, name, "Case 7")

    async with database.writing() as session:
        for deletion in (
            lambda: projects.remove(session, a_user, project_id),
            lambda: projects.move(session, a_user, open_chat, None),
            lambda: project_members.remove(session, a_user, project_id, another_user.user_id),
            lambda: departures.remove(session, an_admin, a_user.user_id),
        ):
            with pytest.raises(Conflict, match="legal hold"):
                await deletion()
    async with database.writing() as session:
        assert await retention.expire_chats(session) == 0
    assert await purged(database) == 1, "of the chat outside of it"


async def test_a_hold_needs_a_reason_a_subject_and_an_administrator(
    database: Database, an_admin: Actor, a_user: Actor
) -> None:
    async with database.writing() as session:
        with pytest.raises(Forbidden):
            await holds.place_on_person(session, a_user, an_admin.user_id, "Because")
        with pytest.raises(Forbidden):
            await holds.list_holds(session, a_user)
        with pytest.raises(InvalidInput, match="why"):
            await holds.place_on_person(session, an_admin, a_user.user_id, " ")
        with pytest.raises(Exception, match="no project"):
            await holds.place_on_project(session, an_admin, "Nothing", "Case 7")
