"""What goes along beside the messages: facts about the person."""

from llm_ui.db import Database
from llm_ui.models import Run
from llm_ui.runs.remembered import about_person
from llm_ui.runs.sent_request import sent_request
from llm_ui.services import memories
from llm_ui.services.access import Actor
from tests.runs.conftest import Ask
from tests.runs.test_context import parts


async def remember(database: Database, actor: Actor, *facts: str) -> None:
    async with database.writing() as session:
        for fact in facts:
            await memories.save(session, actor, None, fact)


async def test_facts_follow_the_instructions_and_are_marked_as_information(
    ask: Ask, database: Database, a_user: Actor
) -> None:
    await remember(database, a_user, "I am a baker.", "I live in Ulm.")

    live = await ask("hi there")

    assert list(parts(live)) == ["instructions", "memory", "question"]
    instructions, _, about = live.context.system.partition("\n\n")
    assert instructions.startswith("You are a helpful assistant.")
    assert "no instruction" in about
    assert about.endswith("<about-the-person>\n- I am a baker.\n- I live in Ulm.\n</about-the-person>")
    assert sum(part["tokens"] for part in live.context.manifest["parts"]) == live.context.input_tokens  # type: ignore[attr-defined]


async def test_the_request_is_rebuilt_with_what_was_told_then(ask: Ask, database: Database, a_user: Actor) -> None:
    await remember(database, a_user, "I am a baker.")
    live = await ask("hi there")
    await remember(database, a_user, "I am a cook.")

    async with database.reading() as session:
        request = await sent_request(session, a_user, live.turn.run_id)
        stored = await session.get_one(Run, live.turn.run_id)

    assert request.body["messages"][0] == {"role": "system", "content": live.context.system}
    assert stored.manifest == live.context.manifest


async def test_a_question_is_asked_without_what_is_known(ask: Ask, database: Database, a_user: Actor) -> None:
    await remember(database, a_user, "I am a baker.")

    live = await ask("hi there", without=frozenset({"memory"}))

    assert "memory" not in parts(live)
    assert "baker" not in live.context.system
    assert live.context.manifest["left_out"] == ["memory"]


async def test_facts_take_a_part_of_the_window_and_what_is_left_out_is_said(
    ask: Ask, database: Database, a_user: Actor
) -> None:
    await remember(database, a_user, *(f"Fact {number} {'word ' * 90}" for number in range(20)))

    live = await ask("hi there")

    assert "Fact 19 " in live.context.system
    assert "Fact 0 " not in live.context.system
    assert "of the older facts about you did not fit" in str(live.context.manifest["cut"])


def test_nothing_is_told_of_a_person_who_told_nothing() -> None:
    assert about_person((), 100, len) == ("", 0)
    assert about_person(("too long",), 3, len) == ("", 1)
