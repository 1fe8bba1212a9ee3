"""The library of prompts, on both databases."""

import pytest

from llm_ui.db import Database
from llm_ui.errors import Forbidden, InvalidInput, NotFound
from llm_ui.kit.ids import SavedPromptId
from llm_ui.services import library
from llm_ui.services.access import Actor


async def save(
    database: Database, actor: Actor, name: str = "sum-up", text: str = "Sum up:", *, shared: bool = False
) -> None:
    async with database.writing() as session:
        await library.save(session, actor, None, name, text, is_shared=shared)


async def listed(database: Database, actor: Actor) -> list[tuple[str, str, bool]]:
    async with database.reading() as session:
        return [(one.name, one.text, one.is_mine) for one in await library.list_prompts(session, actor)]


async def test_a_prompt_is_its_owners_alone_until_an_administrator_shares_one(
    database: Database, a_user: Actor, another_user: Actor, an_admin: Actor
) -> None:
    await save(database, a_user)
    await save(database, an_admin, "house-style", "Write as we do:", shared=True)

    assert await listed(database, a_user) == [("house-style", "Write as we do:", False), ("sum-up", "Sum up:", True)]
    assert await listed(database, another_user) == [("house-style", "Write as we do:", False)]
    with pytest.raises(Forbidden):
        await save(database, a_user, "mine-for-all", shared=True)


async def test_a_prompt_is_changed_and_deleted_by_its_owner_only(
    database: Database, a_user: Actor, another_user: Actor
) -> None:
    await save(database, a_user)
    async with database.reading() as session:
        (saved,) = await library.list_prompts(session, a_user)

    async with database.writing() as session:
        await library.save(session, a_user, saved.id, "shorter", "Shorter:", is_shared=False)
        await library.remove(session, another_user, saved.id)
    assert await listed(database, a_user) == [("shorter", "Shorter:", True)]
    async with database.writing() as session:
        with pytest.raises(NotFound):
            await library.save(session, another_user, saved.id, "stolen", "Stolen", is_shared=False)
        await library.remove(session, a_user, SavedPromptId(saved.id))
    assert await listed(database, a_user) == []


@pytest.mark.parametrize(
    ("name", "text"), [("", "x"), ("two words", "x"), ("a" * 41, "x"), ("ok", " \x00 "), ("sum-up", "x")]
)
async def test_what_cannot_be_kept_is_said(database: Database, a_user: Actor, name: str, text: str) -> None:
    await save(database, a_user)

    with pytest.raises(InvalidInput):
        await save(database, a_user, name, text)
