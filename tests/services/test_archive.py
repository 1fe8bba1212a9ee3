"""Everything of one person as one archive, on both databases."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from llm_ui.db import Database
from llm_ui.kit.file_store import FileStore
from llm_ui.kit.ids import ChatId, uuid7
from llm_ui.services import archive as service
from llm_ui.services import branches, chats, library
from llm_ui.services.access import Actor
from llm_ui.services.archive import archive
from tests.services.test_branches import answered

NO_FILES = FileStore(Path("nowhere"))


async def opened(database: Database, actor: Actor) -> zipfile.ZipFile:
    pieces = [piece async for piece in archive(database, NO_FILES, actor)]
    found = zipfile.ZipFile(io.BytesIO(b"".join(pieces)))
    assert found.testzip() is None
    return found


def chats_in(found: zipfile.ZipFile) -> list[dict[str, object]]:
    return [json.loads(found.read(name)) for name in found.namelist() if name.startswith("chats/") and "json" in name]


async def test_it_holds_every_branch_the_prompts_and_says_what_it_is(seeded: Database, a_user: Actor) -> None:
    first = await answered(seeded, a_user, "one <b> two", "1")
    await answered(seeded, a_user, "", "1 again", chat_id=first.chat_id, regenerate_of=first.answer_id)
    async with seeded.writing() as session:
        await library.save(session, a_user, None, "short", "Say it in one line.", is_shared=False)

    found = await opened(seeded, a_user)

    manifest = json.loads(found.read("manifest.json"))
    assert (manifest["format"], manifest["chats"], manifest["prompts"]) == ("llm-ui-archive", 1, 1)
    (chat,) = chats_in(found)
    assert [message["text"] for message in chat["messages"]] == ["one <b> two", "1", "1 again"]  # type: ignore[attr-defined]
    assert json.loads(found.read("prompts.json")) == [{"name": "short", "text": "Say it in one line."}]
    assert json.loads(found.read("account.json"))["name"] == a_user.name
    (text,) = (name for name in found.namelist() if name.endswith(".md"))
    index = found.read("index.html").decode()
    assert f'<a href="{text}">one &lt;b&gt; two</a>' in index
    assert found.read(text).decode().endswith("1 again\n")


async def test_it_holds_nothing_of_others_and_nothing_that_was_deleted(
    seeded: Database, a_user: Actor, an_admin: Actor
) -> None:
    kept = await answered(seeded, a_user, "one", "1")
    binned = await answered(seeded, a_user, "two", "2")
    await answered(seeded, an_admin, "a secret", "3")
    async with seeded.writing() as session:
        await chats.delete(session, a_user, binned.chat_id)
        await library.save(session, an_admin, None, "theirs", "For everybody", is_shared=True)

    found = await opened(seeded, a_user)

    assert [chat["chat"]["id"] for chat in chats_in(found)] == [str(kept.chat_id)]  # type: ignore[index]
    assert json.loads(found.read("prompts.json")) == []
    assert not any("secret" in name for name in found.namelist())


async def test_what_follows_a_deleted_answer_is_still_there(seeded: Database, a_user: Actor) -> None:
    first = await answered(seeded, a_user, "one", "1")
    second = await answered(seeded, a_user, "two", "2", chat_id=first.chat_id)
    async with seeded.writing() as session:
        await branches.delete(session, a_user, first.answer_id)
        await branches.delete(session, a_user, second.answer_id)

    found = await opened(seeded, a_user)

    (chat,) = chats_in(found)
    messages = chat["messages"]
    assert isinstance(messages, list)
    assert [(message["text"], message["parent_id"]) for message in messages] == [
        ("one", None),
        ("two", str(first.question_id)),
    ]
    assert chat["chat"]["active_leaf_id"] == str(second.question_id)  # type: ignore[index]
    (text,) = (name for name in found.namelist() if name.endswith(".md"))
    assert "one" in found.read(text).decode()


@pytest.mark.parametrize(
    ("counts", "sizes"),
    [([], []), ([1, 1], [2]), ([1] * 120, [50, 50, 20]), ([5_000, 1, 1_999, 1], [1, 2, 1]), ([0], [1])],
)
def test_a_page_fits_into_little_memory(counts: list[int], sizes: list[int]) -> None:
    rows = [(ChatId(uuid7()), count) for count in counts]

    pages = service._pages(rows)

    assert [len(page) for page in pages] == sizes
    assert [chat_id for page in pages for chat_id in page] == [chat_id for chat_id, _ in rows]
