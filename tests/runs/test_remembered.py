"""What goes along beside the messages: facts about the person, a summary of what no longer fits."""

from pathlib import Path

from llm_ui.db import Database
from llm_ui.kit.file_store import FileStore
from llm_ui.models import Run
from llm_ui.runs.live_run import LiveRun
from llm_ui.runs.remembered import about_person
from llm_ui.runs.sent_request import sent_request
from llm_ui.services import memories, summaries
from llm_ui.services.access import Actor
from llm_ui.services.summaries import NewSummary
from tests.runs.conftest import Ask
from tests.runs.test_context import LONG, answered, parts, sent


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


async def test_the_request_is_rebuilt_with_what_was_told_then(
    ask: Ask, database: Database, a_user: Actor, tmp_path: Path
) -> None:
    await remember(database, a_user, "I am a baker.")
    live = await ask("hi there")
    await remember(database, a_user, "I am a cook.")

    async with database.reading() as session:
        request = await sent_request(session, a_user, FileStore(tmp_path), live.turn.run_id)
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
    assert "of the older facts did not fit" in str(live.context.manifest["cut"])


def test_nothing_is_told_of_a_person_who_told_nothing() -> None:
    assert about_person((), 100, len) == ("", 0)
    assert about_person(("too long",), 3, len) == ("", 1)


async def long_chat(ask: Ask, database: Database, turns: int = 4) -> list[LiveRun]:
    """A chat of which two turns fit into the window."""
    asked: list[LiveRun] = []
    for number in range(turns):
        chat_id = asked[0].turn.chat_id if asked else None
        asked.append(await ask(f"{number} {LONG}", chat_id=chat_id))
        await answered(database, asked[-1], f"answer {number}")
    return asked


async def sum_up(database: Database, actor: Actor, live: LiveRun, text: str) -> None:
    async with database.writing() as session:
        new = NewSummary(live.turn.answer_id, text, "Small", None)
        assert await summaries.keep(session, actor, live.turn.chat_id, new)


async def test_a_summary_stands_for_the_messages_that_do_not_fit(
    ask: Ask, database: Database, a_user: Actor, tmp_path: Path
) -> None:
    chat = await long_chat(ask, database)
    await sum_up(database, a_user, chat[2], "They talked about words.")

    live = await ask("and now?", chat_id=chat[0].turn.chat_id)

    assert list(parts(live)) == ["instructions", "summary", "history", "question"]
    assert "They talked about words." in live.context.system
    assert [text for _, text in sent(live)] == [f"3 {LONG}", "answer 3", "and now?"]
    assert live.context.manifest["cut"] == ""
    async with database.reading() as session:
        request = await sent_request(session, a_user, FileStore(tmp_path), live.turn.run_id)
    assert request.body["messages"][0]["content"] == live.context.system


async def test_all_messages_are_better_than_a_summary_of_them(ask: Ask, database: Database, a_user: Actor) -> None:
    first = await ask("one")
    await answered(database, first, "two")
    await sum_up(database, a_user, first, "A number was said.")

    live = await ask("three", chat_id=first.turn.chat_id)

    assert list(parts(live)) == ["instructions", "history", "question"]


async def test_a_replay_without_the_summary_is_cut_as_without_a_helper(
    ask: Ask, database: Database, a_user: Actor
) -> None:
    chat = await long_chat(ask, database)
    await sum_up(database, a_user, chat[2], "They talked about words.")

    live = await ask("and now?", chat_id=chat[0].turn.chat_id, without=frozenset({"summary"}))

    assert "summary" not in parts(live)
    assert "did not fit" in str(live.context.manifest["cut"])


async def test_what_lies_between_summary_and_window_is_said_to_be_missing(
    ask: Ask, database: Database, a_user: Actor
) -> None:
    chat = await long_chat(ask, database)
    await sum_up(database, a_user, chat[0], "It began with words.")

    live = await ask("and now?", chat_id=chat[0].turn.chat_id)

    assert "summary" in parts(live)
    assert sent(live)[0] == ("user", f"3 {LONG}") or sent(live)[0] == ("user", f"2 {LONG}")
    assert "did not fit" in str(live.context.manifest["cut"])
