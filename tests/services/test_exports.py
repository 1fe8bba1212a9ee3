"""A chat as a file, on both databases."""

import json
from html.parser import HTMLParser
from uuid import uuid4

import pytest

from llm_ui.db import Database
from llm_ui.errors import NotFound
from llm_ui.kit.ids import ChatId
from llm_ui.models import ChatMessage
from llm_ui.services.access import Actor
from llm_ui.services.exports import ExportKind, WholeChat, exported, read_whole_chat
from tests.services.test_attachments import uploaded
from tests.services.test_branches import answered

HOSTILE = "<script>alert(1)</script> [x](javascript:alert(1)) <img src=x onerror=alert(1)>"


class Tags(HTMLParser):
    """The names of all elements, and of their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.names.add(tag)
        self.attributes |= {
            f"{name}={value}" for name, value in attrs if name.startswith("on") or name in ("href", "src")
        }


async def whole(database: Database, actor: Actor, chat_id: ChatId) -> WholeChat:
    async with database.reading() as session:
        return await read_whole_chat(session, actor, chat_id)


async def test_markdown_holds_the_branch_that_is_shown(seeded: Database, a_user: Actor) -> None:
    first = await answered(seeded, a_user, "one", "# 1")
    await answered(seeded, a_user, "", "# 1 again", chat_id=first.chat_id, regenerate_of=first.answer_id)

    text = exported(await whole(seeded, a_user, first.chat_id), ExportKind.MARKDOWN)

    assert text.startswith("# one\n\n## You · ")
    assert text.endswith("UTC\n\n# 1 again\n")
    assert "# 1\n" not in text


async def test_json_holds_every_branch_and_where_each_answer_comes_from(seeded: Database, a_user: Actor) -> None:
    first = await answered(seeded, a_user, "one", "1")
    again = await answered(seeded, a_user, "", "1 again", chat_id=first.chat_id, regenerate_of=first.answer_id)

    told = json.loads(exported(await whole(seeded, a_user, first.chat_id), ExportKind.JSON))

    assert (told["format"], told["version"]) == ("llm-ui-chat", 1)
    assert told["chat"]["active_leaf_id"] == str(again.answer_id)
    assert [message["text"] for message in told["messages"]] == ["one", "1", "1 again"]
    assert {message["parent_id"] for message in told["messages"][1:]} == {str(first.question_id)}
    assert told["messages"][1]["run"]["provider"] == "Demo"


async def test_html_runs_and_loads_nothing(seeded: Database, a_user: Actor) -> None:
    turn = await answered(seeded, a_user, HOSTILE, f"{HOSTILE}\n\n**fine**")

    page = exported(await whole(seeded, a_user, turn.chat_id), ExportKind.HTML)

    tags = Tags(page)
    assert {"script", "img", "iframe", "link"} & tags.names == set()
    assert tags.attributes == set()
    assert "default-src 'none'" in page
    assert "<strong>fine</strong>" in page


async def test_somebody_elses_chat_is_not_there(seeded: Database, a_user: Actor, another_user: Actor) -> None:
    turn = await answered(seeded, a_user, "one", "1")

    with pytest.raises(NotFound):
        await whole(seeded, another_user, turn.chat_id)


async def test_every_kind_lists_what_was_attached(seeded: Database, a_user: Actor) -> None:
    file = await uploaded(seeded, a_user, "<i>cat.png")
    turn = await answered(seeded, a_user, "what is it?", "a cat", attachments=(file.id,))

    chat = await whole(seeded, a_user, turn.chat_id)

    assert "- Attached: <i>cat.png (1,234 bytes)\n\nwhat is it?" in exported(chat, ExportKind.MARKDOWN)
    assert "Attached: &lt;i&gt;cat.png (1,234 bytes)" in exported(chat, ExportKind.HTML)
    question, answer = json.loads(exported(chat, ExportKind.JSON))["messages"]
    about = {"name": "<i>cat.png", "media_type": "image/png", "size_bytes": 1_234, "sha256": "a" * 64}
    assert question["attachments"] == [about]
    assert "attachments" not in answer


async def test_every_kind_says_what_is_cited(seeded: Database, a_user: Actor) -> None:
    turn = await answered(seeded, a_user, "what weighs it?", "two kilograms [1]")
    source = {
        "number": 1, "document_id": str(uuid4()), "name": "<i>birds.pdf", "page": 3, "page_to": 3, "place": 3,
        "passage": 7, "text": "Two.",
    }  # fmt: skip
    async with seeded.writing() as session:
        answer = await session.get_one(ChatMessage, turn.answer_id)
        answer.citations = [source]

    chat = await whole(seeded, a_user, turn.chat_id)

    assert "two kilograms [1]\n\nSources:\n\n- [1] <i>birds.pdf, page 3" in exported(chat, ExportKind.MARKDOWN)
    assert "<li>[1] &lt;i&gt;birds.pdf, page 3</li>" in exported(chat, ExportKind.HTML)
    assert json.loads(exported(chat, ExportKind.JSON))["messages"][1]["sources"] == [source]
