"""The tree of messages, on both databases: siblings, other words, deleting, branching off, ratings."""

import pytest
from sqlalchemy import select

from llm_ui.db import Database
from llm_ui.errors import Conflict, InvalidInput, NotFound
from llm_ui.kit.ids import ChatId, MessageId
from llm_ui.models import ChatMessage, FeedbackReason, MessageOrigin, MessageRole, Rating
from llm_ui.services import branches, feedback, soundness
from llm_ui.services.access import Actor
from llm_ui.services.feedback import Feedback
from llm_ui.services.messages import MessagePage
from llm_ui.services.turns import Turn
from tests.services.test_chats import ask, end, read


async def answered(database: Database, actor: Actor, text: str, reply: str, **fields: object) -> Turn:
    turn = await ask(database, actor, text, **fields)
    await end(database, turn, reply)
    return turn


def texts(page: MessagePage) -> list[str]:
    return [message.text for message in page.items]


async def shown(database: Database, actor: Actor, chat_id: ChatId) -> list[str]:
    return texts(await read(database, actor, chat_id))


async def test_an_edited_question_begins_a_branch_beside_the_old_one(seeded: Database, a_user: Actor) -> None:
    first = await answered(seeded, a_user, "one", "1")
    second = await answered(seeded, a_user, "two", "2", chat_id=first.chat_id)
    await answered(seeded, a_user, "three", "3", chat_id=first.chat_id)

    edited = await answered(seeded, a_user, "TWO", "2!", chat_id=first.chat_id, edit_of=second.question_id)

    page = await read(seeded, a_user, first.chat_id)
    assert texts(page) == ["one", "1", "TWO", "2!"]
    assert page.items[2].siblings == (second.question_id, edited.question_id)
    assert [len(message.siblings) for message in page.items] == [0, 0, 2, 0]
    assert edited.before_id == first.answer_id


async def test_the_first_question_can_be_edited_too(seeded: Database, a_user: Actor) -> None:
    first = await answered(seeded, a_user, "one", "1")
    edited = await answered(seeded, a_user, "ONE", "1!", chat_id=first.chat_id, edit_of=first.question_id)

    page = await read(seeded, a_user, first.chat_id)
    assert texts(page) == ["ONE", "1!"]
    assert page.items[0].siblings == (first.question_id, edited.question_id)


async def test_questions_are_siblings_with_a_note_between(seeded: Database, a_user: Actor) -> None:
    first = await answered(seeded, a_user, "one", "1")
    async with seeded.writing() as session:
        note = ChatMessage(
            chat_id=first.chat_id, parent_id=first.answer_id, position=2, role=MessageRole.NOTE, status="complete",
            text="Model changed.",
        )  # fmt: skip
        session.add(note)
        chat = await branches.chat_row(session, a_user, first.chat_id)
        await session.flush()
        chat.active_leaf_id, chat.next_position = note.id, 3
    second = await answered(seeded, a_user, "two", "2", chat_id=first.chat_id)

    edited = await answered(seeded, a_user, "TWO", "2!", chat_id=first.chat_id, edit_of=second.question_id)

    page = await read(seeded, a_user, first.chat_id)
    assert texts(page) == ["one", "1", "TWO", "2!"]
    assert page.items[2].siblings == (second.question_id, edited.question_id)
    async with seeded.writing() as session:
        await branches.show(session, a_user, second.question_id)
    assert await shown(seeded, a_user, first.chat_id) == ["one", "1", "Model changed.", "two", "2"]
    for limit in (1, 2, 3):
        stretch = await read(seeded, a_user, first.chat_id, limit=limit)
        assert {m.id: m.siblings for m in stretch.items}.get(second.question_id, page.items[2].siblings) == (
            second.question_id,
            edited.question_id,
        )


async def test_a_branch_is_shown_as_far_as_it_was_written_last(seeded: Database, a_user: Actor) -> None:
    first = await answered(seeded, a_user, "one", "1")
    await answered(seeded, a_user, "two", "2", chat_id=first.chat_id)
    again = await answered(seeded, a_user, "", "1 again", chat_id=first.chat_id, regenerate_of=first.answer_id)
    assert await shown(seeded, a_user, first.chat_id) == ["one", "1 again"]

    async with seeded.writing() as session:
        await branches.show(session, a_user, first.answer_id)

    page = await read(seeded, a_user, first.chat_id)
    assert texts(page) == ["one", "1", "two", "2"]
    assert page.items[1].siblings == (first.answer_id, again.answer_id)


async def test_an_answer_goes_on_with_the_text_it_had(seeded: Database, a_user: Actor) -> None:
    first = await answered(seeded, a_user, "count", "one, two,")

    turn = await ask(seeded, a_user, "", chat_id=first.chat_id, continue_of=first.answer_id)

    assert (turn.question_id, turn.opening) == (first.question_id, "one, two,")
    assert await shown(seeded, a_user, first.chat_id) == ["count", "one, two,"]


async def test_an_answer_without_text_cannot_go_on(seeded: Database, a_user: Actor) -> None:
    first = await answered(seeded, a_user, "count", " ")

    with pytest.raises(InvalidInput, match="Retry"):
        await ask(seeded, a_user, "", chat_id=first.chat_id, continue_of=first.answer_id)


@pytest.mark.parametrize("field", ["edit_of", "continue_of", "regenerate_of"])
async def test_only_messages_of_the_own_chat_and_the_right_kind_are_asked_about(
    seeded: Database, a_user: Actor, another_user: Actor, field: str
) -> None:
    mine = await answered(seeded, a_user, "mine", "1")
    theirs = await answered(seeded, another_user, "theirs", "2")
    wrong_kind = mine.answer_id if field == "edit_of" else mine.question_id
    right_kind = theirs.question_id if field == "edit_of" else theirs.answer_id
    text = "x" if field == "edit_of" else ""

    for message_id in (wrong_kind, right_kind):
        with pytest.raises(NotFound):
            await ask(seeded, a_user, text, chat_id=mine.chat_id, **{field: message_id})


async def test_an_answer_in_own_words_stands_beside_the_models(seeded: Database, a_user: Actor) -> None:
    first = await answered(seeded, a_user, "one", "1")

    async with seeded.writing() as session:
        await branches.edit_answer(session, a_user, first.answer_id, "uno")

    page = await read(seeded, a_user, first.chat_id)
    assert texts(page) == ["one", "uno"]
    assert page.items[1].origin is MessageOrigin.EDIT
    assert len(page.items[1].siblings) == 2
    await answered(seeded, a_user, "two", "2", chat_id=first.chat_id)
    async with seeded.reading() as session:
        problems = await soundness.find_problems(session, seeded.dialect)
    assert not any("have no run" in problem for problem in problems)


async def test_a_question_goes_with_its_answers_and_what_follows_stays(seeded: Database, a_user: Actor) -> None:
    first = await answered(seeded, a_user, "one", "1")
    await answered(seeded, a_user, "two", "2", chat_id=first.chat_id)

    async with seeded.writing() as session:
        gone = await branches.delete(session, a_user, first.question_id)

    assert set(gone) == {first.question_id, first.answer_id}
    assert await shown(seeded, a_user, first.chat_id) == ["two", "2"]
    async with seeded.writing() as session:
        await branches.restore(session, a_user, gone)
    assert await shown(seeded, a_user, first.chat_id) == ["one", "1", "two", "2"]


async def test_of_a_deleted_answer_the_other_version_is_shown(seeded: Database, a_user: Actor) -> None:
    first = await answered(seeded, a_user, "one", "1")
    again = await answered(seeded, a_user, "", "1 again", chat_id=first.chat_id, regenerate_of=first.answer_id)

    async with seeded.writing() as session:
        await branches.delete(session, a_user, again.answer_id)

    page = await read(seeded, a_user, first.chat_id)
    assert texts(page) == ["one", "1"]
    assert page.items[1].siblings == ()


async def test_a_stretch_of_deleted_messages_hides_nothing_before_it(seeded: Database, a_user: Actor) -> None:
    first = await answered(seeded, a_user, "one", "1")
    second = await answered(seeded, a_user, "two", "2", chat_id=first.chat_id)
    async with seeded.writing() as session:
        await branches.delete(session, a_user, second.question_id)

    page = await read(seeded, a_user, first.chat_id, limit=2)

    assert texts(page) == ["one", "1"]


async def test_a_branch_becomes_a_chat_of_its_own(seeded: Database, a_user: Actor) -> None:
    first = await answered(seeded, a_user, "one", "1")
    await answered(seeded, a_user, "two", "2", chat_id=first.chat_id)

    async with seeded.writing() as session:
        chat_id = await branches.branch_off(session, a_user, first.answer_id)

    assert await shown(seeded, a_user, chat_id) == ["one", "1"]
    await answered(seeded, a_user, "other", "3", chat_id=chat_id)
    assert await shown(seeded, a_user, chat_id) == ["one", "1", "other", "3"]
    assert await shown(seeded, a_user, first.chat_id) == ["one", "1", "two", "2"]
    async with seeded.reading() as session:
        problems = await soundness.find_problems(session, seeded.dialect)
    assert not any("have no run" in problem for problem in problems)


async def test_nothing_moves_while_an_answer_is_being_written(seeded: Database, a_user: Actor) -> None:
    first = await answered(seeded, a_user, "one", "1")
    await ask(seeded, a_user, "two", chat_id=first.chat_id)

    async with seeded.writing() as session:
        for work in (branches.show, branches.delete):
            with pytest.raises(Conflict):
                await work(session, a_user, first.answer_id)
        with pytest.raises(Conflict):
            await branches.edit_answer(session, a_user, first.answer_id, "x")


async def test_somebody_elses_messages_are_not_there(seeded: Database, a_user: Actor, another_user: Actor) -> None:
    turn = await answered(seeded, a_user, "one", "1")

    async with seeded.writing() as session:
        for work in (branches.show, branches.delete, branches.branch_off):
            with pytest.raises(NotFound):
                await work(session, another_user, turn.answer_id)
        with pytest.raises(NotFound):
            await branches.edit_answer(session, another_user, turn.answer_id, "x")
        with pytest.raises(NotFound):
            await feedback.rate(session, another_user, turn.answer_id, Feedback(Rating.UP))
        gone = await branches.delete(session, a_user, turn.question_id)
        await branches.restore(session, another_user, gone)
        still = await session.scalar(select(ChatMessage.deleted_at).where(ChatMessage.id == turn.answer_id))
        assert still is not None


async def test_a_rating_takes_the_place_of_the_one_before(seeded: Database, a_user: Actor) -> None:
    turn = await answered(seeded, a_user, "one", "1")

    async def rated(given: Feedback | None) -> Feedback | None:
        async with seeded.writing() as session:
            await feedback.rate(session, a_user, turn.answer_id, given)
        return (await read(seeded, a_user, turn.chat_id)).items[-1].feedback

    assert await rated(Feedback(Rating.UP)) == Feedback(Rating.UP)
    bad = Feedback(Rating.DOWN, FeedbackReason.WRONG, "It is 2.")
    assert await rated(bad) == bad
    assert await rated(None) is None


async def test_only_answers_are_rated(seeded: Database, a_user: Actor) -> None:
    turn = await answered(seeded, a_user, "one", "1")

    async with seeded.writing() as session:
        for message_id in (turn.question_id, MessageId(turn.run_id)):
            with pytest.raises(NotFound):
                await feedback.rate(session, a_user, message_id, Feedback(Rating.UP))
        with pytest.raises(InvalidInput, match="2,000"):
            await feedback.rate(session, a_user, turn.answer_id, Feedback(Rating.DOWN, None, "x" * 2_001))
