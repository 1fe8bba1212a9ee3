"""Chats that a project keeps no longer, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from llm_ui.db import Database
from llm_ui.errors import Forbidden, InvalidInput, NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ChatId, ProjectId
from llm_ui.models import ChatHistory, ProjectRole
from llm_ui.services import chats, keeping, project_members, projects, retention
from llm_ui.services.access import Actor
from llm_ui.services.chats import Shelf
from llm_ui.services.retention import Expiring
from tests.documents.ready import a_project
from tests.services.test_branches import answered


async def an_old_chat(database: Database, actor: Actor, title: str, project_id: ProjectId | None) -> ChatId:
    chat_id = (await answered(database, actor, title, "reply", project_id=project_id)).chat_id
    async with database.writing() as session:
        long_ago = now() - timedelta(days=40)
        await session.execute(update(ChatHistory).where(ChatHistory.id == chat_id).values(updated_at=long_ago))
    return chat_id


async def binned(database: Database, actor: Actor) -> set[ChatId]:
    async with database.reading() as session:
        return {chat.id for chat in (await chats.list_chats(session, actor, shelf=Shelf.BIN)).items}


async def test_untouched_chats_of_the_project_go_to_the_bin_and_nothing_else(
    seeded: Database, a_user: Actor, another_user: Actor
) -> None:
    project_id, other = await a_project(seeded, a_user), await a_project(seeded, a_user, "Storks")
    async with seeded.writing() as session:
        await project_members.add(session, a_user, project_id, "eve@example.org", ProjectRole.EDITOR)
    mine = await an_old_chat(seeded, a_user, "mine", project_id)
    theirs = await an_old_chat(seeded, another_user, "theirs", project_id)
    pinned = await an_old_chat(seeded, a_user, "pinned", project_id)
    for place in (other, None):
        await an_old_chat(seeded, a_user, "elsewhere", place)
    moved = await an_old_chat(seeded, a_user, "moved in today", other)
    await answered(seeded, a_user, "new", "reply", project_id=project_id)
    async with seeded.writing() as session:
        await session.execute(
            update(ChatHistory)
            .where(ChatHistory.id == pinned)
            .values(pinned_at=now(), updated_at=now() - timedelta(days=40))
        )
        await projects.move(session, a_user, moved, project_id)

    async with seeded.reading() as session:
        assert await retention.weigh_keeping(session, a_user, project_id, 30) == Expiring(2, 2, ("mine",))
        assert await retention.weigh_keeping(session, a_user, project_id, 60) == Expiring(0, 0, ())
    async with seeded.writing() as session:
        assert await retention.expire_chats(session) == 0, "nobody has asked for it"
        await retention.keep_for(session, a_user, project_id, 30)
        assert await retention.expire_chats(session) == 2

    assert await binned(seeded, a_user) == {mine}
    assert await binned(seeded, another_user) == {theirs}
    async with seeded.writing() as session:
        await chats.restore(session, a_user, mine)
        assert await retention.expire_chats(session) == 0, "what was taken out of the bin counts as touched"


async def test_only_owners_say_how_long(seeded: Database, a_user: Actor, another_user: Actor, an_admin: Actor) -> None:
    project_id = await a_project(seeded, a_user)
    async with seeded.writing() as session:
        await project_members.add(session, a_user, project_id, "eve@example.org", ProjectRole.EDITOR)

    for actor, error in ((another_user, Forbidden), (an_admin, NotFound)):
        async with seeded.writing() as session:
            with pytest.raises(error):
                await retention.keep_for(session, actor, project_id, 30)
            with pytest.raises(error):
                await retention.weigh_keeping(session, actor, project_id, 30)
    for days in (0, keeping.MAX_KEEP_DAYS + 1):
        async with seeded.writing() as session:
            with pytest.raises(InvalidInput, match="1 to 3,650 days"):
                await retention.keep_for(session, a_user, project_id, days)

    async with seeded.reading() as session:
        assert (await projects.read(session, a_user, project_id)).keep_days is None
