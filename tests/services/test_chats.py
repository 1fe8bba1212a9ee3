"""Chats and their messages, on both databases."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import event, select, update

from llm_ui.contract import ChatRequest
from llm_ui.db import Database
from llm_ui.errors import Conflict, InvalidInput, NotFound, TooLarge
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ChatId, MessageId, uuid7
from llm_ui.models import ChatHistory, ChatMessage, MessageRole, MessageStatus, Run, RunStatus
from llm_ui.services import chats, messages, turns
from llm_ui.services.access import Actor
from llm_ui.services.chats import Shelf
from llm_ui.services.targets import target
from llm_ui.services.turns import NewRun, Turn


async def ask(database: Database, actor: Actor, text: str = "hi there", **fields: object) -> Turn:
    """Store a turn; its answer is not made."""
    request = ChatRequest(**{"idempotency_key": str(uuid7()), "text": text, **fields})
    async with database.writing() as session:
        chat = await turns.open_turn_chat(session, actor, request)
        model = await target(session, actor, None)
        turn = await turns.append_turn(session, actor, chat, request, turns.Answerer(model))
        await turns.add_run(session, actor, request, turn, model, NewRun({}, "owner", "request"))
    return turn


async def end(database: Database, turn: Turn, text: str = "an answer") -> None:
    """End the run of a turn."""
    async with database.writing() as session:
        ended = update(Run).where(Run.id == turn.run_id)
        await session.execute(ended.values(status=RunStatus.COMPLETED, finished_at=now()))
        answer = update(ChatMessage).where(ChatMessage.id == turn.answer_id)
        await session.execute(answer.values(status=MessageStatus.COMPLETE, text=text))


async def a_chat(database: Database, actor: Actor, text: str = "hi there") -> ChatId:
    turn = await ask(database, actor, text)
    await end(database, turn)
    return turn.chat_id


async def listed(database: Database, actor: Actor) -> list[str]:
    async with database.reading() as session:
        return [chat.title for chat in (await chats.list_chats(session, actor)).items]


async def read(
    database: Database, actor: Actor, chat_id: ChatId, before: MessageId | None = None, limit: int = 50
) -> messages.MessagePage:
    async with database.reading() as session:
        return await messages.read_messages(session, actor, chat_id, before=before, limit=limit)


async def test_the_chat_written_to_last_comes_first(seeded: Database, a_user: Actor) -> None:
    first = await a_chat(seeded, a_user, "first")
    await a_chat(seeded, a_user, "second")
    assert await listed(seeded, a_user) == ["second", "first"]

    await ask(seeded, a_user, "more", chat_id=first)

    assert await listed(seeded, a_user) == ["first", "second"]


async def test_a_list_comes_in_pages_without_gaps_or_repeats(seeded: Database, a_user: Actor) -> None:
    for number in range(7):
        await a_chat(seeded, a_user, f"chat {number}")
    async with seeded.writing() as session:
        # All at the same instant: the id decides, so that no chat is shown twice or never.
        await session.execute(update(ChatHistory).values(last_message_at=now()))

    found, cursor = [], None
    async with seeded.reading() as session:
        while not found or cursor is not None:
            page = await chats.list_chats(session, a_user, after=cursor, limit=3)
            found += [chat.title for chat in page.items]
            cursor = page.next

    assert sorted(found) == [f"chat {number}" for number in range(7)]
    assert found == sorted(found, reverse=True)


async def test_a_list_tells_which_chats_are_answering(seeded: Database, a_user: Actor) -> None:
    turn = await ask(seeded, a_user)
    async with seeded.reading() as session:
        (answering,) = (await chats.list_chats(session, a_user)).items
    assert answering.is_answering

    await end(seeded, turn)

    async with seeded.reading() as session:
        (ended,) = (await chats.list_chats(session, a_user)).items
    assert not ended.is_answering


async def on_shelf(database: Database, actor: Actor, shelf: Shelf) -> list[str]:
    async with database.reading() as session:
        return [chat.title for chat in (await chats.list_chats(session, actor, shelf=shelf)).items]


async def test_pinned_chats_lead_the_list_and_come_once(seeded: Database, a_user: Actor) -> None:
    first = await a_chat(seeded, a_user, "first")
    for number in range(3):
        await a_chat(seeded, a_user, f"chat {number}")

    async with seeded.writing() as session:
        await chats.pin(session, a_user, first, is_pinned=True)

    async with seeded.reading() as session:
        page = await chats.list_chats(session, a_user, limit=2)
        rest = await chats.list_chats(session, a_user, after=page.next, limit=2)
    assert [(chat.title, chat.is_pinned) for chat in page.items] == [
        ("first", True),
        ("chat 2", False),
        ("chat 1", False),
    ]
    assert [chat.title for chat in rest.items] == ["chat 0"]
    async with seeded.writing() as session:
        await chats.pin(session, a_user, first, is_pinned=False)
    assert (await listed(seeded, a_user))[-1] == "first"


async def test_only_so_many_chats_are_pinned(seeded: Database, a_user: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chats, "MAX_PINNED", 1)
    first, second = await a_chat(seeded, a_user, "first"), await a_chat(seeded, a_user, "second")

    async with seeded.writing() as session:
        await chats.pin(session, a_user, first, is_pinned=True)
        await chats.pin(session, a_user, first, is_pinned=True)
        with pytest.raises(InvalidInput, match="Unpin one"):
            await chats.pin(session, a_user, second, is_pinned=True)


async def test_an_archived_chat_leaves_the_list_and_can_be_opened(seeded: Database, a_user: Actor) -> None:
    chat_id = await a_chat(seeded, a_user, "old")
    async with seeded.writing() as session:
        await chats.pin(session, a_user, chat_id, is_pinned=True)
        await chats.archive(session, a_user, chat_id, is_archived=True)

    assert await listed(seeded, a_user) == []
    assert await on_shelf(seeded, a_user, Shelf.ARCHIVE) == ["old"]
    assert len((await read(seeded, a_user, chat_id)).items) == 2

    async with seeded.writing() as session:
        await chats.archive(session, a_user, chat_id, is_archived=False)
    assert await listed(seeded, a_user) == ["old"]


async def test_only_what_is_in_ones_bin_is_deleted_for_good(
    seeded: Database, a_user: Actor, another_user: Actor
) -> None:
    chat_id = await a_chat(seeded, a_user, "rubbish")
    async with seeded.writing() as session:
        with pytest.raises(NotFound):
            await chats.purge(session, a_user, chat_id)
        await chats.delete(session, a_user, chat_id)
        with pytest.raises(NotFound):
            await chats.purge(session, another_user, chat_id)
    assert await on_shelf(seeded, a_user, Shelf.BIN) == ["rubbish"]
    assert await on_shelf(seeded, another_user, Shelf.BIN) == []

    async with seeded.writing() as session:
        await chats.purge(session, a_user, chat_id)

    assert await on_shelf(seeded, a_user, Shelf.BIN) == []
    async with seeded.reading() as session:
        assert await session.scalar(select(ChatMessage).where(ChatMessage.chat_id == chat_id)) is None


async def test_everybody_sees_their_own_chats_only(
    seeded: Database, a_user: Actor, another_user: Actor, an_admin: Actor
) -> None:
    chat_id = await a_chat(seeded, a_user)

    for stranger in (another_user, an_admin):
        assert await listed(seeded, stranger) == []
        async with seeded.writing() as session:
            for attempt in (
                chats.open_chat(session, stranger, chat_id),
                chats.rename(session, stranger, chat_id, "mine"),
                chats.delete(session, stranger, chat_id),
                chats.restore(session, stranger, chat_id),
                chats.set_options(session, stranger, chat_id, temperature=1, max_tokens=1),
                messages.read_messages(session, stranger, chat_id),
            ):
                with pytest.raises(NotFound, match="not yours"):
                    await attempt
    assert await listed(seeded, a_user) == ["hi there"]


async def test_a_chat_opens_with_its_options(seeded: Database, a_user: Actor) -> None:
    turn = await ask(seeded, a_user, temperature=0.5, max_tokens=77)
    async with seeded.reading() as session:
        asked = await chats.open_chat(session, a_user, turn.chat_id)
        model = await target(session, a_user, None)
    assert (asked.title, asked.model_id, asked.temperature, asked.max_tokens) == ("hi there", model.model_id, 0.5, 77)

    async with seeded.writing() as session:
        await chats.set_options(session, a_user, turn.chat_id, temperature=None, max_tokens=5)

    async with seeded.reading() as session:
        changed = await chats.open_chat(session, a_user, turn.chat_id)
    assert (changed.temperature, changed.max_tokens) == (None, 5)


async def test_a_chat_is_renamed(seeded: Database, a_user: Actor) -> None:
    chat_id = await a_chat(seeded, a_user)

    async with seeded.writing() as session:
        stored = await chats.rename(session, a_user, chat_id, "  A \n name\0 ")
        with pytest.raises(InvalidInput, match="at least one character"):
            await chats.rename(session, a_user, chat_id, " \0\n ")

    assert stored == "A name"
    assert await listed(seeded, a_user) == ["A name"]
    async with seeded.reading() as session:
        assert not (await session.get_one(ChatHistory, chat_id)).is_title_automatic


async def test_a_long_name_is_cut_where_the_column_ends(seeded: Database, a_user: Actor) -> None:
    chat_id = await a_chat(seeded, a_user)

    async with seeded.writing() as session:
        stored = await chats.rename(session, a_user, chat_id, "👩‍👩‍👧" * 200)

    assert len(stored) <= chats.MAX_TITLE_CHARS
    assert stored.endswith("…")


async def test_a_deleted_chat_is_gone_until_it_is_restored(seeded: Database, a_user: Actor) -> None:
    turn = await ask(seeded, a_user)

    async with seeded.writing() as session:
        await chats.delete(session, a_user, turn.chat_id)
    assert await listed(seeded, a_user) == []
    with pytest.raises(NotFound):
        await read(seeded, a_user, turn.chat_id)
    with pytest.raises(NotFound):
        await ask(seeded, a_user, chat_id=turn.chat_id)
    async with seeded.reading() as session:
        assert (await session.get_one(Run, turn.run_id)).stop_requested_at is not None, "its answer is asked to stop"

    async with seeded.writing() as session:
        await chats.restore(session, a_user, turn.chat_id)
        with pytest.raises(NotFound):
            await chats.restore(session, a_user, turn.chat_id)
    assert await listed(seeded, a_user) == ["hi there"]


async def test_messages_come_oldest_first_with_their_runs(seeded: Database, a_user: Actor) -> None:
    turn = await ask(seeded, a_user, "one")
    await end(seeded, turn, "two")
    await ask(seeded, a_user, "three", chat_id=turn.chat_id)

    page = await read(seeded, a_user, turn.chat_id)

    assert [message.text for message in page.items] == ["one", "two", "three", ""]
    assert [message.status for message in page.items] == ["complete", "complete", "complete", "streaming"]
    assert [message.run and message.run.status for message in page.items] == [None, "completed", None, "queued"]
    assert not page.has_older


async def test_older_messages_come_in_pages(seeded: Database, a_user: Actor) -> None:
    turn = await ask(seeded, a_user, "0")
    for number in range(1, 7):
        await end(seeded, turn, f"answer {turn.question}")
        turn = await ask(seeded, a_user, str(number), chat_id=turn.chat_id)
    found: list[str] = []

    page = await read(seeded, a_user, turn.chat_id, limit=4)
    while page.has_older:
        found = [message.text for message in page.items] + found
        page = await read(seeded, a_user, turn.chat_id, before=page.items[0].id, limit=4)
    found = [message.text for message in page.items] + found

    expected = [text for number in range(7) for text in (str(number), f"answer {number}")]
    assert found == [*expected[:-1], ""]


async def test_a_page_of_a_long_chat_costs_what_one_of_a_short_chat_costs(seeded: Database, a_user: Actor) -> None:
    turn = await ask(seeded, a_user)
    await lengthen(seeded, turn.chat_id, 500)
    rows: list[int] = []

    def count(context: object, _cursor: object, _statement: str, *_rest: object) -> None:
        rows.append(1)

    event.listen(seeded.engine.sync_engine, "before_cursor_execute", count)
    page = await read(seeded, a_user, turn.chat_id)

    assert len(page.items) == 50
    assert page.has_older
    assert page.items[-1].text == "499"
    # On SQLite one of these begins the transaction.
    assert len(rows) <= 7


async def lengthen(database: Database, chat_id: ChatId, count: int) -> None:
    async with database.writing() as session:
        chat = await session.get_one(ChatHistory, chat_id)
        parent = chat.active_leaf_id
        for number in range(count):
            message = ChatMessage(
                id=MessageId(uuid7()),
                chat_id=chat.id,
                parent_id=parent,
                position=chat.next_position + number,
                role=MessageRole.USER,
                status=MessageStatus.COMPLETE,
                text=str(number),
            )
            session.add(message)
            await session.flush()
            parent = message.id
        chat.active_leaf_id, chat.next_position = parent, chat.next_position + count


async def test_an_answer_made_again_is_shown_in_its_place(seeded: Database, a_user: Actor) -> None:
    first = await ask(seeded, a_user, "question")
    await end(seeded, first, "first try")

    second = await ask(seeded, a_user, "", chat_id=first.chat_id, regenerate_of=first.answer_id)
    await end(seeded, second, "second try")

    page = await read(seeded, a_user, first.chat_id)
    assert [message.text for message in page.items] == ["question", "second try"]
    async with seeded.reading() as session:
        tries = list(await session.scalars(select(ChatMessage).where(ChatMessage.parent_id == first.question_id)))
    assert {row.text for row in tries} == {"first try", "second try"}
    assert second.before_id is None


async def test_one_message_is_read_by_its_owner_only(seeded: Database, a_user: Actor, another_user: Actor) -> None:
    turn = await ask(seeded, a_user)

    async with seeded.reading() as session:
        mine = await messages.read_message(session, a_user, turn.answer_id)
        with pytest.raises(NotFound):
            await messages.read_message(session, another_user, turn.answer_id)

    assert mine.run is not None
    assert mine.run.id == turn.run_id


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("hello", "hello"),
        ("\n\n  # A heading\nand text", "A heading"),
        ("> quoted\nreply", "quoted"),
        ("***", "***"),
        ("word " * 50, "word word word word word word word word word word word word…"[:60]),
    ],
)
def test_a_title_is_the_first_line_that_says_something(text: str, title: str) -> None:
    made = turns.title_of(text)

    assert len(made) <= turns.TITLE_CHARS
    assert made.rstrip("…") == title.rstrip("…")


def test_a_question_is_refused_when_it_is_empty_or_too_long() -> None:
    assert turns.question_text("\n  a\n b \n") == "  a\n b "
    with pytest.raises(InvalidInput, match="Write something"):
        turns.question_text(" \0 ")
    with pytest.raises(TooLarge, match="2,000,001 characters; 2,000,000 are the most"):
        turns.question_text("x" * 2_000_001)


async def test_a_turn_waits_for_the_answer_before_it(seeded: Database, a_user: Actor) -> None:
    turn = await ask(seeded, a_user)

    with pytest.raises(Conflict, match="still being written"):
        await ask(seeded, a_user, "more", chat_id=turn.chat_id)

    await end(seeded, turn)
    await ask(seeded, a_user, "more", chat_id=turn.chat_id)


async def test_turns_of_one_chat_at_once_are_stored_one_after_the_other(seeded: Database, a_user: Actor) -> None:
    chat_id = await a_chat(seeded, a_user)

    found = await asyncio.gather(
        *(ask(seeded, a_user, str(number), chat_id=chat_id) for number in range(8)), return_exceptions=True
    )

    assert sum(isinstance(one, Turn) for one in found) == 1
    assert sum(isinstance(one, Conflict) for one in found) == 7
    page = await read(seeded, a_user, chat_id)
    assert len(page.items) == 4


async def test_a_restored_chat_keeps_its_place(seeded: Database, a_user: Actor) -> None:
    old = await a_chat(seeded, a_user, "old")
    async with seeded.writing() as session:
        await session.execute(update(ChatHistory).values(last_message_at=now() - timedelta(days=3)))
    await a_chat(seeded, a_user, "new")

    async with seeded.writing() as session:
        await chats.delete(session, a_user, old)
        await chats.restore(session, a_user, old)

    assert await listed(seeded, a_user) == ["new", "old"]
