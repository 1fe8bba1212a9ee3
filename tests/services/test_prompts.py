from typing import Any

import pytest

from llm_ui.db import Database
from llm_ui.errors import Conflict, Forbidden, InvalidInput, NotFound
from llm_ui.kit.ids import PromptId, uuid7
from llm_ui.models import SystemPrompt
from llm_ui.services import prompts
from llm_ui.services.access import Actor
from llm_ui.services.prompts import PromptInfo


async def shared(database: Database, actor: Actor) -> dict[str, PromptInfo]:
    async with database.reading() as session:
        return {prompt.name: prompt for prompt in await prompts.list_shared(session, actor)}


async def test_one_prompt_is_the_default_at_a_time(seeded: Database, an_admin: Actor) -> None:
    concise = (await shared(seeded, an_admin))["Concise"]

    for _ in range(2):
        async with seeded.writing() as session:
            await prompts.set_default(session, an_admin, concise.id)

        found = await shared(seeded, an_admin)
        assert [name for name, prompt in found.items() if prompt.is_default] == ["Concise"]


async def test_new_chats_can_start_without_instructions(seeded: Database, an_admin: Actor, a_user: Actor) -> None:
    async with seeded.writing() as session:
        await prompts.set_default(session, an_admin, None)

    async with seeded.reading() as session:
        assert await prompts.instructions(session, a_user, None) is None


async def test_a_chat_keeps_the_prompt_it_chose(seeded: Database, a_user: Actor) -> None:
    translator = (await shared(seeded, a_user))["Translator"]

    async with seeded.reading() as session:
        assert await prompts.instructions(session, a_user, translator.id) == translator


async def test_somebody_elses_prompt_is_not_used(seeded: Database, a_user: Actor, another_user: Actor) -> None:
    theirs = SystemPrompt(id=PromptId(uuid7()), owner_id=another_user.user_id, name="Theirs", text="Secret.")
    async with seeded.writing() as session:
        session.add(theirs)

    async with seeded.reading() as session:
        found = await prompts.instructions(session, a_user, theirs.id)
    assert found is not None
    assert found.name == "Helpful assistant"
    assert "Theirs" not in await shared(seeded, a_user)


async def test_changed_words_are_used_at_once(seeded: Database, an_admin: Actor, a_user: Actor) -> None:
    default = (await shared(seeded, an_admin))["Helpful assistant"]

    async with seeded.writing() as session:
        await prompts.change_text(session, an_admin, default.id, " Be kind.\x00 ", seen=default.updated_at)

    async with seeded.reading() as session:
        found = await prompts.instructions(session, a_user, None)
    assert found is not None
    assert found.text == "Be kind."


@pytest.mark.parametrize("text", ["", " \n", "x" * 20_001])
async def test_words_that_cannot_be_used_are_refused(seeded: Database, an_admin: Actor, text: str) -> None:
    default = (await shared(seeded, an_admin))["Helpful assistant"]

    with pytest.raises(InvalidInput):
        async with seeded.writing() as session:
            await prompts.change_text(session, an_admin, default.id, text)


async def test_a_change_of_what_somebody_changed_meanwhile_is_refused(seeded: Database, an_admin: Actor) -> None:
    seen = (await shared(seeded, an_admin))["Concise"]
    async with seeded.writing() as session:
        await prompts.change_text(session, an_admin, seen.id, "First.")

    with pytest.raises(Conflict):
        async with seeded.writing() as session:
            await prompts.change_text(session, an_admin, seen.id, "Second.", seen=seen.updated_at)


async def test_an_unknown_prompt_is_not_found(seeded: Database, an_admin: Actor) -> None:
    async with seeded.writing() as session:
        with pytest.raises(NotFound):
            await prompts.set_default(session, an_admin, PromptId(uuid7()))


async def test_only_administrators_may_change_prompts(seeded: Database, a_user: Actor) -> None:
    async with seeded.writing() as session:
        attempts: list[Any] = [
            prompts.set_default(session, a_user, None),
            prompts.change_text(session, a_user, PromptId(uuid7()), "X"),
        ]
        for attempt in attempts:
            with pytest.raises(Forbidden):
                await attempt
