"""Finding titles and messages, on both databases."""

import pytest
from sqlalchemy import delete

from llm_ui.db import Database
from llm_ui.models import ChatHistory
from llm_ui.services import branches, chats, search
from llm_ui.services.access import Actor
from llm_ui.services.search import Filters, FoundPage
from llm_ui.services.tags import tag
from tests.services.test_branches import answered
from tests.services.test_chats import ask, end


async def found(database: Database, actor: Actor, typed: str, offset: int = 0) -> FoundPage:
    async with database.reading() as session:
        return await search.search(session, actor, typed, offset=offset)


def marked(page: FoundPage) -> list[str]:
    """The snippets, with what matched in brackets."""
    return ["".join(f"[{p.text}]" if p.is_match else p.text for p in one.snippet) for one in page.items]


async def test_titles_come_first_then_messages(seeded: Database, a_user: Actor) -> None:
    turn = await answered(seeded, a_user, "Tell me of the whale", "A whale is no fish.")

    page = await found(seeded, a_user, "whale")

    assert marked(page) == ["Tell me of the [whale]", "A [whale] is no fish.", "Tell me of the [whale]"]
    assert [one.message_id for one in page.items] == [None, turn.answer_id, turn.question_id]
    assert {one.chat_id for one in page.items} == {turn.chat_id}
    assert not page.has_more


async def test_all_words_must_occur_and_the_last_may_be_begun_only(seeded: Database, a_user: Actor) -> None:
    await answered(seeded, a_user, "x", "A white whale swims by Nantucket.")

    assert marked(await found(seeded, a_user, "whale nan")) == ["A white [whale] swims by [Nantucket]."]
    assert marked(await found(seeded, a_user, "wha nantucket")) == []
    assert marked(await found(seeded, a_user, "whale shark")) == []


async def test_one_letter_or_two_find_what_begins_with_them(seeded: Database, a_user: Actor) -> None:
    await answered(seeded, a_user, "x", "There she blows")

    assert marked(await found(seeded, a_user, "th")) == ["[There] she blows"]
    assert marked(await found(seeded, a_user, "she bl")) == ["There [she] [blows]"]
    assert marked(await found(seeded, a_user, "b")) == ["There she [blows]"]
    assert marked(await found(seeded, a_user, "w")) == []
    assert marked(await found(seeded, a_user, "hs")) == []


async def test_names_with_underscores_are_found(seeded: Database, a_user: Actor) -> None:
    await answered(seeded, a_user, "x", "Call read_file() and _close_ it.")

    for typed in ("read_file", "read_fi", "file", "close", "_close_"):
        assert len((await found(seeded, a_user, typed)).items) == 1, typed
    assert marked(await found(seeded, a_user, "read_nothing")) == []


async def test_case_does_not_matter(seeded: Database, a_user: Actor) -> None:
    await answered(seeded, a_user, "x", "Über den WOLKEN")

    assert marked(await found(seeded, a_user, "wolken")) == ["Über den [WOLKEN]"]
    assert marked(await found(seeded, a_user, "über")) == ["[Über] den WOLKEN"]


async def test_everybody_finds_their_own_only(
    seeded: Database, a_user: Actor, another_user: Actor, an_admin: Actor
) -> None:
    await answered(seeded, a_user, "a secret", "secret indeed")

    for stranger in (another_user, an_admin):
        assert (await found(seeded, stranger, "secret")).items == ()


async def test_what_is_being_written_is_found_once_it_has_ended(seeded: Database, a_user: Actor) -> None:
    turn = await ask(seeded, a_user, "x")
    assert marked(await found(seeded, a_user, "leviathan")) == []

    await end(seeded, turn, "Leviathan!")

    assert marked(await found(seeded, a_user, "leviathan")) == ["[Leviathan]!"]


async def test_what_is_deleted_or_renamed_is_found_as_it_is_now(seeded: Database, a_user: Actor) -> None:
    turn = await answered(seeded, a_user, "old name", "reply")
    async with seeded.writing() as session:
        await chats.rename(session, a_user, turn.chat_id, "new title")
        await branches.delete(session, a_user, turn.question_id)
    assert marked(await found(seeded, a_user, "name")) == []
    assert marked(await found(seeded, a_user, "title")) == ["new [title]"]

    async with seeded.writing() as session:
        await chats.delete(session, a_user, turn.chat_id)
    assert marked(await found(seeded, a_user, "title")) == []

    async with seeded.writing() as session:
        await session.execute(delete(ChatHistory).where(ChatHistory.id == turn.chat_id))
    assert marked(await found(seeded, a_user, "title")) == []


async def test_many_finds_come_in_pages(seeded: Database, a_user: Actor) -> None:
    for number in range(15):
        await answered(seeded, a_user, f"whale {number}", "-")

    pages = [await found(seeded, a_user, "whale", offset) for offset in (0, 20)]

    assert [len(page.items) for page in pages] == [20, 10]
    assert [page.has_more for page in pages] == [True, False]
    assert len({(one.chat_id, one.message_id) for page in pages for one in page.items}) == 30


async def test_all_is_found_of_what_very_many_messages_hold(
    seeded: Database, a_user: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "NEWEST_MESSAGES", 4)
    for number in range(15):
        await answered(seeded, a_user, f"whale {number}", "whales")

    pages = [await found(seeded, a_user, "whale", offset) for offset in (0, 20, 40)]

    assert [len(page.items) for page in pages] == [20, 20, 5]
    assert len({(one.chat_id, one.message_id) for page in pages for one in page.items}) == 45


async def test_the_newest_are_found_first_whether_looked_through_or_by_the_index(
    seeded: Database, a_user: Actor, another_user: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = [await answered(seeded, a_user, f"- {number}", "Thar she blows") for number in range(24)]
    await answered(seeded, another_user, "-", "Thar she blows")
    await ask(seeded, a_user, "The oldest chat has the newest", chat_id=turns[0].chat_id)
    by_index = await found(seeded, a_user, "t", 20)
    monkeypatch.setattr(search, "LOOKED_THROUGH", ((3, 1), (30, 2)))

    pages = [await found(seeded, a_user, "t", offset) for offset in (0, 20)]

    assert marked(pages[0])[0] == "[The] oldest chat has [the] newest"
    assert [one.message_id for one in pages[0].items[1:]] == [turn.answer_id for turn in reversed(turns[5:])]
    assert pages[1] == by_index
    assert [one.message_id for one in by_index.items] == [turn.answer_id for turn in reversed(turns[:5])]


async def test_an_old_chat_that_passes_is_found_behind_very_many_that_do_not(
    seeded: Database, a_user: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "NEWEST_MESSAGES", 2)
    old = await answered(seeded, a_user, "x", "An old whale.")
    async with seeded.writing() as session:
        await tag(session, a_user, old.chat_id, ["sea"])
    for _ in range(5):
        await answered(seeded, a_user, "y", "A whale.")

    async with seeded.reading() as session:
        page = await search.search(session, a_user, "whale", Filters(tag="sea"))

    assert marked(page) == ["An old [whale]."]


@pytest.mark.parametrize(
    "typed",
    ["", "   ", '"', "'", "a OR b", "NEAR(", "text:", "-", "*", "a*b", "\0", "\ud800", "'; DROP TABLE runs; --", "%_",
     "(" * 5_000, "word " * 5_000, "x" * 10_000, "∀ 日本語 👩‍👩‍👧", "a & b | !c", "owner:u1", "_", "a_",
     "\u1980\u19b0\u1980"],
)  # fmt: skip
async def test_whatever_is_typed_is_no_error(seeded: Database, a_user: Actor, typed: str) -> None:
    await answered(seeded, a_user, "question", "answer")

    await found(seeded, a_user, typed)


async def test_a_long_text_shows_where_the_word_is(seeded: Database, a_user: Actor) -> None:
    await answered(seeded, a_user, "x", "lorem " * 500 + "needle " + "ipsum " * 500)

    (line,) = marked(await found(seeded, a_user, "needle"))
    assert line.startswith("… ")
    assert line.endswith(" …")
    assert "[needle]" in line
