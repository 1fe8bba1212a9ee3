import pytest

from llm_ui.db import Database
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ChatId, MessageId, SummaryId, uuid7
from llm_ui.models import ChatHistory, ChatMessage
from llm_ui.services import summaries
from llm_ui.services.access import Actor
from llm_ui.services.summaries import MAX_CHARS, NewSummary, Summary


@pytest.fixture
async def chat(database: Database, a_user: Actor) -> tuple[ChatId, list[MessageId]]:
    """A chat of six messages in a row and a seventh beside the sixth."""
    async with database.writing() as session:
        row = ChatHistory(user_id=a_user.user_id, last_message_at=now())
        session.add(row)
        await session.flush()
        ids: list[MessageId] = []
        for position in range(7):
            parent = ids[4] if position == 6 else ids[-1] if ids else None
            message = ChatMessage(
                chat_id=row.id, position=position, parent_id=parent, role="user", status="complete", text="x"
            )
            session.add(message)
            await session.flush()
            ids.append(message.id)
        row.active_leaf_id = ids[5]
    return row.id, ids


async def keep(
    database: Database, actor: Actor, chat_id: ChatId, upto: MessageId, text: str, after: Summary | None = None
) -> bool:
    async with database.writing() as session:
        return await summaries.keep(session, actor, chat_id, NewSummary(upto, text, "Small", after))


async def latest(database: Database, actor: Actor, chat_id: ChatId, leaf: MessageId) -> Summary | None:
    async with database.reading() as session:
        return await summaries.latest(session, actor, chat_id, leaf)


Chat = tuple[ChatId, list[MessageId]]


async def test_the_summary_that_reaches_furthest_on_a_branch_counts(
    database: Database, a_user: Actor, chat: Chat
) -> None:
    chat_id, ids = chat
    assert await latest(database, a_user, chat_id, ids[5]) is None
    await keep(database, a_user, chat_id, ids[1], "early")
    await keep(database, a_user, chat_id, ids[5], "late")

    on_branch = await latest(database, a_user, chat_id, ids[5])
    beside = await latest(database, a_user, chat_id, ids[6])

    assert on_branch is not None
    assert (on_branch.text, on_branch.model_name, on_branch.is_edited) == ("late", "Small", False)
    assert on_branch.tokens > 0
    assert beside is not None
    assert beside.text == "early"
    assert await latest(database, a_user, chat_id, ids[0]) is None


async def test_a_place_is_summed_up_once(database: Database, a_user: Actor, chat: Chat) -> None:
    chat_id, ids = chat
    assert await keep(database, a_user, chat_id, ids[1], "first")

    assert not await keep(database, a_user, chat_id, ids[1], "second")

    found = await latest(database, a_user, chat_id, ids[5])
    assert found is not None
    assert found.text == "first"


async def test_words_of_the_person_are_kept_and_nothing_older_replaces_them(
    database: Database, a_user: Actor, chat: Chat
) -> None:
    chat_id, ids = chat
    await keep(database, a_user, chat_id, ids[1], "the model's")
    seen = await latest(database, a_user, chat_id, ids[5])
    assert seen is not None
    async with database.writing() as session:
        mine = await summaries.edit(session, a_user, seen.id, "  my own  ")

    assert not await keep(database, a_user, chat_id, ids[3], "built on what was not mine", after=seen)
    assert (mine.text, mine.is_edited) == ("my own", True)
    async with database.reading() as session:
        assert await summaries.current(session, a_user, chat_id) == mine
    assert await keep(database, a_user, chat_id, ids[3], "built on mine", after=mine)


async def test_a_removed_summary_is_not_made_again(database: Database, a_user: Actor, chat: Chat) -> None:
    chat_id, ids = chat
    await keep(database, a_user, chat_id, ids[1], "the model's")
    seen = await latest(database, a_user, chat_id, ids[5])
    assert seen is not None

    async with database.writing() as session:
        await summaries.remove(session, a_user, seen.id)

    async with database.reading() as session:
        assert await summaries.current(session, a_user, chat_id) is None
    left = await latest(database, a_user, chat_id, ids[5])
    assert left is not None
    assert (left.text, left.upto_id) == ("", ids[1])


@pytest.mark.parametrize("said", ["in my words", None])
async def test_one_that_was_written_meanwhile_does_not_bring_back_what_was_changed(
    database: Database, a_user: Actor, chat: Chat, said: str | None
) -> None:
    chat_id, ids = chat
    await keep(database, a_user, chat_id, ids[1], "the model's")
    seen = await latest(database, a_user, chat_id, ids[5])
    assert seen is not None
    await keep(database, a_user, chat_id, ids[3], "the model's, and more", after=seen)

    async with database.writing() as session:
        if said is None:
            await summaries.remove(session, a_user, seen.id)
        else:
            await summaries.edit(session, a_user, seen.id, said)

    async with database.reading() as session:
        found = await summaries.current(session, a_user, chat_id)
    assert (None if found is None else found.text) == said


async def test_a_chats_summary_is_its_owners_alone(
    database: Database, a_user: Actor, another_user: Actor, chat: Chat
) -> None:
    chat_id, ids = chat
    await keep(database, a_user, chat_id, ids[1], "secret")
    mine = await latest(database, a_user, chat_id, ids[5])
    assert mine is not None

    assert await latest(database, another_user, chat_id, ids[5]) is None
    async with database.writing() as session:
        for attempt in (
            summaries.current(session, another_user, chat_id),
            summaries.edit(session, another_user, mine.id, "mine now"),
            summaries.remove(session, another_user, mine.id),
            summaries.keep(session, another_user, chat_id, NewSummary(ids[3], "x", "Small", None)),
        ):
            with pytest.raises(NotFound):
                await attempt


@pytest.mark.parametrize(("text", "said"), [(" ", "empty"), ("x" * (MAX_CHARS + 1), "8,001 characters")])
async def test_words_of_the_person_have_a_length(
    database: Database, a_user: Actor, chat: Chat, text: str, said: str
) -> None:
    async with database.writing() as session:
        with pytest.raises(InvalidInput, match=said):
            await summaries.edit(session, a_user, SummaryId(uuid7()), text)
