"""Several answers to one question at once, and what merging them asks for; on both databases."""

import pytest

from llm_ui.contract import MAX_BESIDE
from llm_ui.db import Database
from llm_ui.errors import Conflict, InvalidInput
from llm_ui.services import messages
from llm_ui.services.access import Actor
from llm_ui.services.turns import Turn
from tests.services.test_chats import ask, end, read


async def beside(database: Database, actor: Actor, turn: Turn) -> Turn:
    return await ask(database, actor, "", chat_id=turn.chat_id, regenerate_of=turn.answer_id, is_beside=True)


async def test_answers_beside_each_other_are_written_at_once_and_the_chat_shows_the_first(
    seeded: Database, a_user: Actor
) -> None:
    first = await ask(seeded, a_user, "which is best?")
    second = await beside(seeded, a_user, first)
    await end(seeded, first, "one")
    third = await beside(seeded, a_user, first)
    for turn, text in ((second, "two"), (third, "three")):
        await end(seeded, turn, text)

    shown = await read(seeded, a_user, first.chat_id)
    async with seeded.reading() as session:
        siblings = await messages.read_siblings(session, a_user, second.answer_id)
    assert [message.text for message in shown.items] == ["which is best?", "one"]
    assert [message.text for message in siblings] == ["one", "two", "three"]


async def test_while_one_of_them_is_written_nothing_else_is_asked(seeded: Database, a_user: Actor) -> None:
    earlier = await ask(seeded, a_user, "before")
    await end(seeded, earlier)
    first = await ask(seeded, a_user, "which is best?", chat_id=earlier.chat_id)
    await beside(seeded, a_user, first)
    await end(seeded, first)

    for fields in ({"text": "next"}, {"text": "", "regenerate_of": first.answer_id}):
        with pytest.raises(Conflict, match="still being written"):
            await ask(seeded, a_user, chat_id=first.chat_id, **fields)
    with pytest.raises(Conflict, match="still being written"):
        await beside(seeded, a_user, earlier)


async def test_more_than_a_few_at_once_are_refused(seeded: Database, a_user: Actor) -> None:
    first = await ask(seeded, a_user, "which is best?")
    for _ in range(MAX_BESIDE - 1):
        await beside(seeded, a_user, first)

    with pytest.raises(Conflict, match="the most"):
        await beside(seeded, a_user, first)


async def test_what_is_merged_are_answers_to_that_question(
    seeded: Database, a_user: Actor, another_user: Actor
) -> None:
    first = await ask(seeded, a_user, "which is best?")
    second = await beside(seeded, a_user, first)
    await end(seeded, second, "two")
    await end(seeded, first, "one")
    foreign = await ask(seeded, another_user, "theirs")
    await end(seeded, foreign, "secret")
    merge = {"chat_id": first.chat_id, "regenerate_of": first.answer_id}

    with pytest.raises(InvalidInput, match="At least two"):
        await ask(seeded, a_user, "", **merge, merge_of=(first.answer_id, foreign.answer_id))
    merged = await ask(seeded, a_user, "", **merge, merge_of=(second.answer_id, first.answer_id))

    assert merged.merged == ("one", "two")
