from typing import Any

import pytest

from llm_ui.db import Database
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.kit.ids import MemoryId, uuid7
from llm_ui.services import memories, projects
from llm_ui.services.access import Actor
from llm_ui.services.memories import MAX_FACT_CHARS, MAX_FACTS
from tests.documents.ready import a_project


async def save(database: Database, actor: Actor, text: str, memory_id: MemoryId | None = None, **how: Any) -> MemoryId:
    async with database.writing() as session:
        return await memories.save(session, actor, memory_id, text, **how)


async def facts(database: Database, actor: Actor) -> tuple[str, ...]:
    async with database.reading() as session:
        return await memories.facts(session, actor)


async def test_facts_are_kept_changed_and_deleted(database: Database, a_user: Actor) -> None:
    first = await save(database, a_user, "  I am a\nbaker. ")
    second = await save(database, a_user, "I live in Ulm.")
    await save(database, a_user, "I am a cook.", first)
    assert await facts(database, a_user) == ("I live in Ulm.", "I am a cook.")

    async with database.writing() as session:
        await memories.remove(session, a_user, second)
        await memories.remove(session, a_user, second)

    assert await facts(database, a_user) == ("I am a cook.",)


async def test_one_fact_or_all_of_them_are_switched_off(database: Database, a_user: Actor) -> None:
    first = await save(database, a_user, "I am a baker.")
    await save(database, a_user, "I live in Ulm.")

    await save(database, a_user, "I am a baker.", first, is_on=False)
    assert await facts(database, a_user) == ("I live in Ulm.",)
    async with database.writing() as session:
        await memories.set_used(session, a_user, is_used=False)

    assert await facts(database, a_user) == ()
    async with database.reading() as session:
        assert len(await memories.list_memories(session, a_user)) == 2
        assert not await memories.is_used(session, a_user)


async def test_what_a_person_keeps_is_theirs_alone(database: Database, a_user: Actor, another_user: Actor) -> None:
    mine = await save(database, a_user, "I am a baker.")

    assert await facts(database, another_user) == ()
    with pytest.raises(NotFound):
        await save(database, another_user, "You are not.", mine)
    async with database.writing() as session:
        await memories.remove(session, another_user, mine)
    assert await facts(database, a_user) == ("I am a baker.",)


@pytest.mark.parametrize(
    ("text", "said"), [(" \n ", "empty"), ("x" * (MAX_FACT_CHARS + 1), "501 characters; 500 are the most")]
)
async def test_a_fact_is_one_sentence(database: Database, a_user: Actor, text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        await save(database, a_user, text)


async def test_there_is_an_end_to_facts(database: Database, a_user: Actor) -> None:
    async with database.writing() as session:
        for number in range(MAX_FACTS):
            last = await memories.save(session, a_user, None, f"fact {number}")

    with pytest.raises(InvalidInput, match="100 facts, which is the most"):
        await save(database, a_user, "one more")
    await save(database, a_user, "but old ones can be changed", last)


async def test_a_fact_that_is_gone_cannot_be_changed(database: Database, a_user: Actor) -> None:
    with pytest.raises(NotFound, match="does not exist any more"):
        await save(database, a_user, "x", MemoryId(uuid7()))


async def test_a_project_is_a_wall_for_facts(database: Database, a_user: Actor, another_user: Actor) -> None:
    await save(database, a_user, "I am a baker.")
    ovens, boats = await a_project(database, a_user, "Ovens"), await a_project(database, a_user, "Boats")
    await save(database, a_user, "The oven is from 1950.", project_id=ovens)
    await save(database, a_user, "The boat leaks.", project_id=boats)
    async with database.reading() as session:
        assert await memories.facts_of(session, a_user, ovens) == ("The oven is from 1950.",)
        assert await memories.facts_of(session, a_user, boats) == ("The boat leaks.",)
        assert await memories.facts_of(session, another_user, ovens) == ()
        assert await memories.facts(session, a_user) == ("I am a baker.",)
        assert await memories.facts(session, a_user, ovens) == (), "nothing enters unasked"
    async with database.writing() as session:
        await projects.let_memory_in(session, a_user, ovens, is_in=True)
        with pytest.raises(NotFound):
            await projects.let_memory_in(session, another_user, ovens, is_in=True)
        with pytest.raises(NotFound):
            await memories.save(session, another_user, None, "Mine.", project_id=ovens)

    async with database.reading() as session:
        assert await memories.facts(session, a_user, ovens) == ("I am a baker.",)
        assert await memories.facts(session, a_user, boats) == ()
    async with database.writing() as session:
        await projects.remove(session, a_user, ovens)
    async with database.reading() as session:
        assert await memories.facts_of(session, a_user, ovens) == ()
        assert await memories.facts_of(session, a_user, boats) == ("The boat leaks.",)
