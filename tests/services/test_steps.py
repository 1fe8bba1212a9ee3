"""Tools that were used for answers, wherever answers go: branches, links, exports, archives. On both databases."""

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from llm_ui.contract.steps import Step
from llm_ui.db import Database
from llm_ui.errors import NotFound
from llm_ui.kit.i18n import speak
from llm_ui.models import Audience, ChatMessage
from llm_ui.services import branches, chats, sharing
from llm_ui.services.access import Actor
from llm_ui.services.archive import archive
from llm_ui.services.exports import ExportKind, exported
from llm_ui.services.steps import answer_blocks, title, used_tool, used_tools
from llm_ui.services.turns import Turn
from tests.services.test_branches import answered
from tests.services.test_exports import whole
from tests.services.test_imports import all_chats, beside, brought_in

EVIL = "<img src=x onerror=alert(1)>"
SUM = Step(
    number=1, round=1, at=9, name="calculate", arguments={"expression": "2 * 3"}, state="done", result="2 * 3 = 6", ms=1
)
SEARCH = Step(
    number=2, round=1, at=9, name="search_documents", arguments={"query": f"a {EVIL}"}, state="done",
    result=f"<passage>secret {EVIL}</passage>", ms=1_500,
)  # fmt: skip
ODD = Step(number=3, round=2, at=9, name=EVIL, arguments={"x": EVIL}, state="failed", result="The tool failed.")
TEXT = "A moment.\n\nIt is **six**."


async def with_steps(database: Database, actor: Actor) -> Turn:
    """A chat with an answer for which tools were used."""
    turn = await answered(database, actor, "2 * 3?", TEXT)
    async with database.writing() as session:
        answer = await session.get_one(ChatMessage, turn.answer_id)
        answer.steps = [step.model_dump(mode="json") for step in (SUM, SEARCH, ODD)]
    return turn


async def test_markdown_quotes_them_where_they_stand(seeded: Database, a_user: Actor) -> None:
    turn = await with_steps(seeded, a_user)

    text = exported(await whole(seeded, a_user, turn.chat_id), ExportKind.MARKDOWN)

    assert "A moment.\n\n> *Calculated 2 * 3*\n>\n> 2 * 3 = 6\n\n> *Searched the documents for" in text
    assert text.index("The tool failed.") < text.index("It is **six**.")


class Tags(HTMLParser):
    """The tags of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)


async def test_html_folds_them_and_runs_nothing(seeded: Database, a_user: Actor) -> None:
    turn = await with_steps(seeded, a_user)

    page = exported(await whole(seeded, a_user, turn.chat_id), ExportKind.HTML)

    assert "details" in Tags(page).seen
    assert "img" not in Tags(page).seen
    assert page.index("A moment.") < page.index("2 * 3 = 6") < page.index("<strong>six</strong>")


async def test_they_come_along_in_an_archive(
    seeded: Database, a_user: Actor, another_user: Actor, tmp_path: Path
) -> None:
    await with_steps(seeded, a_user)
    file = tmp_path / "upload"
    content = b"".join([piece async for piece in archive(seeded, beside(file), a_user)])

    await brought_in(seeded, another_user, content, file)

    (mine,), (theirs,) = await all_chats(seeded, a_user), await all_chats(seeded, another_user)
    assert [message.steps for message in theirs.messages] == [message.steps for message in mine.messages]
    assert len(theirs.messages[1].steps or ()) == 3


async def test_a_branch_keeps_them_and_ones_own_words_do_not(seeded: Database, a_user: Actor) -> None:
    turn = await with_steps(seeded, a_user)

    async with seeded.writing() as session:
        branched = await branches.branch_off(session, a_user, turn.answer_id)
        await branches.edit_answer(session, a_user, turn.answer_id, "Mine.")
    async with seeded.reading() as session:
        rows = await session.scalars(select(ChatMessage).where(ChatMessage.chat_id == branched))
        copied = [row.steps for row in rows if row.steps]
        edited = await session.scalar(select(ChatMessage).where(ChatMessage.text == "Mine."))

    assert [len(steps) for steps in copied] == [3]
    assert edited is not None
    assert not edited.steps


async def test_a_link_shows_them_but_not_what_documents_hold(
    seeded: Database, a_user: Actor, another_user: Actor
) -> None:
    turn = await with_steps(seeded, a_user)
    async with seeded.writing() as session:
        _, token = await sharing.share(session, a_user, turn.chat_id, Audience.SIGNED_IN, 7)
    async with seeded.reading() as session:
        shared = (await sharing.open_link(session, token, another_user)).messages[-1]

    drawn = "".join(answer_blocks(shared.text, shared.steps))
    assert "2 * 3 = 6" in drawn
    assert "secret" not in drawn
    assert "What was found is not part of this copy." in drawn
    assert hash(shared), "pages of links are kept by their messages"


@pytest.mark.parametrize(
    ("language", "step", "words"),
    [
        ("en", SUM, "Calculated 2 * 3"),
        ("de", SUM, "2 * 3 gerechnet"),
        ("en", SUM.model_copy(update={"state": "running"}), "Calculating 2 * 3"),
        ("en", SUM.model_copy(update={"arguments": None}), "Calculated …"),
        ("en", SUM.model_copy(update={"name": "fly", "arguments": {"to": "the moon"}}), "Used fly (to: the moon)"),
    ],
)
def test_what_was_done_is_said_in_plain_words(language: str, step: Step, words: str) -> None:
    speak(language)
    try:
        assert title(used_tool(step)) == words
    finally:
        speak("en")


@pytest.mark.parametrize("text", ["", "short", TEXT])
def test_no_place_in_the_text_is_lost(text: str) -> None:
    steps: list[dict[str, Any]] = [
        SUM.model_copy(update={"at": at}).model_dump(mode="json") for at in (0, 3, 3, 9, 9_000)
    ]

    drawn = "".join(answer_blocks(text, used_tools(steps)))

    assert drawn.count("<details") == 5
    assert "script" not in drawn


async def test_which_tools_are_off_is_the_persons_own(seeded: Database, a_user: Actor, another_user: Actor) -> None:
    turn = await answered(seeded, a_user, "one", "1")
    async with seeded.writing() as session:
        await chats.choose_tools(session, a_user, turn.chat_id, frozenset({"calculate"}))
    async with seeded.reading() as session:
        assert (await chats.open_chat(session, a_user, turn.chat_id)).tools_off == {"calculate"}
    with pytest.raises(NotFound):
        async with seeded.writing() as session:
            await chats.choose_tools(session, another_user, turn.chat_id, frozenset())
