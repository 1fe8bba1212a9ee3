"""Chats that somebody brings in, on both databases."""

import asyncio
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from llm_ui.db import Database, Session
from llm_ui.errors import InvalidInput
from llm_ui.kit.file_store import FileStore
from llm_ui.models import ChatHistory, ChatMessage, MessageOrigin, Role
from llm_ui.services import branches, chats, library
from llm_ui.services.access import Actor
from llm_ui.services.archive import archive
from llm_ui.services.exports import ExportKind, WholeChat, exported, read_whole_chat, read_whole_chats
from llm_ui.services.import_progress import Progress
from llm_ui.services.imports import import_file
from llm_ui.services.search import search
from llm_ui.services.soundness import find_problems
from tests.conftest import make_actor
from tests.fakes.exports import as_json, chatgpt_chat, chatgpt_zip, librechat_chat, open_webui_chat
from tests.services.test_branches import answered

MOST_MB = 2


def beside(path: Path) -> FileStore:
    """Return a place for what is attached, beside a file."""
    return FileStore(path.parent / "files")


async def brought_in(
    database: Database, actor: Actor, content: bytes, path: Path, begun: Progress | None = None
) -> Progress:
    """Import a file; return what came of it."""
    await asyncio.to_thread(path.write_bytes, content)
    progress = begun or Progress()

    async def note(session: Session, _: Progress, done: int, total: int) -> bool:
        assert 0 < done <= total
        return True

    assert await import_file(database, beside(path), actor, path, progress, note, max_document_mb=MOST_MB)
    return progress


async def all_chats(database: Database, actor: Actor) -> list[WholeChat]:
    """Return the actor's chats, the oldest first."""
    async with database.reading() as session:
        # rights: of a test
        rows = await session.execute(
            select(ChatHistory.id).where(ChatHistory.user_id == actor.user_id).order_by(ChatHistory.created_at)
        )
        return list(await read_whole_chats(session, actor, [row.id for row in rows]))


def shape(chat: WholeChat) -> Any:
    """Return all of a chat that must survive: its tree by places in place of ids, texts, times, what was shown."""
    place = {message.id: number for number, message in enumerate(chat.messages)}
    told = [
        (
            None if chat.parents[message.id] is None else place[chat.parents[message.id]],  # type: ignore[index]
            message.role, message.status, message.text, message.reasoning, message.created_at,
            message.model_name or (chat.runs[message.id].model_name if message.id in chat.runs else ""),
        )
        for message in chat.messages
    ]  # fmt: skip
    leaf = None if chat.active_leaf_id is None else place[chat.active_leaf_id]
    lies = chat.is_archived, chat.is_pinned, chat.project and chat.project.name, chat.tags
    asked = chat.temperature, chat.max_tokens
    thought = {place[answer]: (row.rating, row.reason, row.comment) for answer, row in chat.feedback.items()}
    summed_up = [(place[one.upto_id], one.text, one.tokens, one.model_name, one.is_edited) for one in chat.summaries]
    return chat.title, chat.created_at, lies, asked, leaf, told, thought, summed_up


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "upload"


async def test_our_archive_comes_in_equal_for_somebody_else(
    seeded: Database, a_user: Actor, another_user: Actor, file: Path
) -> None:
    first = await answered(seeded, a_user, "one <b> 東京", "1\n\n```py\nx\n```")
    again = await answered(seeded, a_user, "", "1 again", chat_id=first.chat_id, regenerate_of=first.answer_id)
    await answered(seeded, a_user, "two", "2", chat_id=first.chat_id)
    async with seeded.writing() as session:
        await branches.show(session, a_user, first.answer_id)
        await branches.edit_answer(session, a_user, again.answer_id, "in my words")
        await library.save(session, a_user, None, "short", "In one line.", is_shared=False)
    other = await answered(seeded, a_user, "three", "3")
    async with seeded.writing() as session:
        await chats.archive(session, a_user, other.chat_id, is_archived=True)
    content = b"".join([piece async for piece in archive(seeded, beside(file), a_user)])

    progress = await brought_in(seeded, another_user, content, file)

    assert (progress.chats_added, progress.prompts_added, progress.skipped) == (2, 1, 0)
    mine, theirs = await all_chats(seeded, a_user), await all_chats(seeded, another_user)
    assert [shape(chat) for chat in theirs] == [shape(chat) for chat in mine]
    assert {message.origin for chat in theirs for message in chat.messages} == {MessageOrigin.IMPORT}
    again_progress = await brought_in(seeded, another_user, content, file)
    assert (again_progress.chats_same, again_progress.messages_added, again_progress.prompts_added) == (2, 0, 0)
    async with seeded.reading() as session:
        problems = await find_problems(session, seeded.dialect)
    assert not any("answers" in problem for problem in problems)


async def test_what_is_exported_and_brought_in_again_by_its_owner_adds_nothing(
    seeded: Database, a_user: Actor, another_user: Actor, file: Path
) -> None:
    turn = await answered(seeded, a_user, "one", "1")
    async with seeded.reading() as session:
        told = exported(await read_whole_chat(session, a_user, turn.chat_id), ExportKind.JSON).encode()

    assert (await brought_in(seeded, a_user, told, file)).chats_same == 1
    # The same file of somebody else's chat is a chat of one's own, and the original stays its owner's.
    assert (await brought_in(seeded, another_user, told, file)).chats_added == 1
    assert len(await all_chats(seeded, a_user)) == 1


FORMATS: dict[str, tuple[Callable[..., dict[str, Any]], str]] = {
    "chatgpt": (chatgpt_chat, "gpt-4o"),
    "open-webui": (open_webui_chat, "Llama 3.2"),
    "librechat": (librechat_chat, "claude-sonnet-4"),
    "librechat-tree": (lambda *given: librechat_chat(*given, is_tree=True), "claude-sonnet-4"),
}


@pytest.mark.parametrize("name", FORMATS)
async def test_another_products_chats_come_in_whole(seeded: Database, a_user: Actor, file: Path, name: str) -> None:
    make, model = FORMATS[name]
    told = [make(number) for number in range(3)]

    progress = await brought_in(seeded, a_user, as_json(told), file)

    assert (progress.chats_added, progress.skipped) == (3, 0)
    for chat, original in zip(await all_chats(seeded, a_user), told, strict=True):
        assert chat.title == original["title"]
        shown = chat.branch()
        assert [message.role.value for message in shown] == ["user", "assistant"] * 6
        assert len(chat.messages) == 13
        assert chat.messages[-1].id == chat.active_leaf_id
        assert {message.model_name for message in shown if message.role == "assistant"} == {model}
        assert all(message.created_at.year in (2023, 2024, 2025) for message in shown)
        assert any(message.reasoning for message in shown)
        assert not any("<details" in message.text or "search(" in message.text for message in chat.messages)
        second = shown[3]
        async with seeded.reading() as session:
            beside = await branches.siblings(session, a_user, chat.id, [second])
        assert beside[second.id][-1] == second.id
        assert len(beside[second.id]) == 2


@pytest.mark.parametrize("name", FORMATS)
async def test_the_same_again_adds_nothing_and_what_is_new_is_added(
    seeded: Database, a_user: Actor, file: Path, name: str
) -> None:
    make, _ = FORMATS[name]
    await brought_in(seeded, a_user, as_json([make(1, 4), make(2, 4)]), file)

    same = await brought_in(seeded, a_user, as_json([make(1, 4), make(2, 4)]), file)
    longer = await brought_in(seeded, a_user, as_json([make(1, 5), make(2, 4), make(3, 4)]), file)

    assert (same.chats_same, same.chats_added, same.chats_extended, same.messages_added) == (2, 0, 0, 0)
    if name == "librechat":
        # Later turns do not change the earlier ones.
        assert (longer.chats_same, longer.chats_added, longer.chats_extended) == (1, 1, 1)
    found = {chat.title.rpartition(" ")[2]: chat for chat in await all_chats(seeded, a_user)}
    assert longer.chats_added == 1
    assert longer.chats_extended == 1
    assert len(next(iter(found.values())).branch()) in (8, 10)
    async with seeded.reading() as session:
        # rights: of a test
        assert await session.scalar(select(func.count()).select_from(ChatHistory)) == 3


async def test_a_chat_gone_on_with_here_stays_where_it_is(seeded: Database, a_user: Actor, file: Path) -> None:
    await brought_in(seeded, a_user, as_json([chatgpt_chat(1, 2)]), file)
    (chat,) = await all_chats(seeded, a_user)
    turn = await answered(seeded, a_user, "and now?", "here", chat_id=chat.id)

    progress = await brought_in(seeded, a_user, as_json([chatgpt_chat(1, 3)]), file)

    assert progress.chats_extended == 1
    (chat,) = await all_chats(seeded, a_user)
    assert chat.active_leaf_id == turn.answer_id
    assert len({message.position for message in chat.messages}) == len(chat.messages)


async def test_what_was_binned_or_deleted_does_not_come_back(seeded: Database, a_user: Actor, file: Path) -> None:
    content = as_json([open_webui_chat(1, 2), open_webui_chat(2, 2)])
    await brought_in(seeded, a_user, content, file)
    first, second = await all_chats(seeded, a_user)
    async with seeded.writing() as session:
        await chats.delete(session, a_user, first.id)
        await branches.delete(session, a_user, second.messages[-1].id)

    progress = await brought_in(seeded, a_user, content, file)

    assert (progress.chats_same, progress.messages_added) == (2, 0)
    (kept,) = await all_chats(seeded, a_user)
    assert len(kept.messages) == len(second.messages) - 1


async def test_search_finds_what_came_in_and_nobody_else_does(
    seeded: Database, a_user: Actor, another_user: Actor, file: Path
) -> None:
    chat = chatgpt_chat(1, 1)
    last = chat["mapping"][chat["current_node"]]["message"]["content"]
    last["parts"] = ["The quick xylophone."]

    await brought_in(seeded, a_user, as_json([chat]), file)

    async with seeded.reading() as session:
        (hit,) = (await search(session, a_user, "xyloph")).items
        assert (await search(session, another_user, "xyloph")).items == ()
    assert hit.title == chat["title"]


async def test_bad_entries_are_told_and_the_rest_comes_in(seeded: Database, a_user: Actor, file: Path) -> None:
    circle = open_webui_chat(1, 2)
    circle["title"] = "Round"
    ids = list(circle["chat"]["history"]["messages"])
    circle["chat"]["history"]["messages"][ids[0]]["parentId"] = ids[-1]
    empty = {**chatgpt_chat(2, 1), "title": "Empty", "mapping": {}}
    content = as_json([circle, chatgpt_chat(3, 1), {"title": "What"}, empty, 7, "x", None, [], librechat_chat(4, 1)])  # type: ignore[list-item]

    progress = await brought_in(seeded, a_user, content, file)

    assert progress.chats_added == 2
    assert [one["what"] for one in progress.skipped_told] == [
        "Round",
        "What",
        "Empty",
        *(f"Entry {n}" for n in (5, 6, 7, 8)),
    ]
    assert "circle" in progress.skipped_told[0]["why"]
    assert all(one["why"].endswith(".") for one in progress.skipped_told)


async def test_chatgpts_archive_is_found_by_what_is_in_it(seeded: Database, a_user: Actor, file: Path) -> None:
    progress = await brought_in(seeded, a_user, chatgpt_zip([chatgpt_chat(number, 1) for number in range(3)]), file)

    assert (progress.chats_added, progress.skipped) == (3, 0)


async def test_older_chats_that_are_lists_come_in(seeded: Database, a_user: Actor, file: Path) -> None:
    inner = open_webui_chat(1, 2)["chat"]
    old = {"models": inner["models"], "title": "Old", "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "What is this?"}, {"type": "image_url"}]},
        {"role": "assistant", "content": "A cat.", "model": "llava"},
    ]}  # fmt: skip

    assert (await brought_in(seeded, a_user, json.dumps(old).encode(), file)).chats_added == 1
    assert (await brought_in(seeded, a_user, as_json([old]), file)).chats_same == 1
    (chat,) = await all_chats(seeded, a_user)
    assert [message.text for message in chat.branch()] == ["What is this?\n\n[image]", "A cat."]


async def test_it_goes_on_where_it_was_interrupted(seeded: Database, a_user: Actor, file: Path) -> None:
    content = as_json([chatgpt_chat(number, 2) for number in range(80)])
    await asyncio.to_thread(file.write_bytes, content)
    kept: dict[str, Any] = {}

    async def note(session: Session, progress: Progress, done: int, total: int) -> bool:
        kept.update(progress.stored())
        return False

    assert not await import_file(seeded, beside(file), a_user, file, Progress(), note, max_document_mb=MOST_MB)
    assert 0 < kept["chats_added"] < 80
    progress = await brought_in(seeded, a_user, content, file, Progress.of(kept))

    assert (progress.chats_added, progress.chats_same, progress.entries) == (80, 0, 80)
    async with seeded.reading() as session:
        # rights: of a test
        assert await session.scalar(select(func.count()).select_from(ChatMessage)) == progress.messages_added


def zipped(**named: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as made:
        for name, inside in named.items():
            # Of a fixed day: the bytes name tests, and each worker makes them for itself.
            made.writestr(zipfile.ZipInfo(name.replace("_", ".")), inside, zipfile.ZIP_DEFLATED)
    return content.getvalue()


DEEP = b"[" * 100_000 + b"]" * 100_000
GOOD = as_json([chatgpt_chat(1, 1)])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"   \n", "empty"),
        (b"hello", "neither JSON nor a zip"),
        (b"%PDF-1.7", "neither JSON nor a zip"),
        (b"[]", "no chat in this file"),
        (b"\xff\xfe[\x00", "not text in UTF-8"),
        (b"{", "breaks off"),
        (GOOD[:-20], "breaks off"),
        (b"[" + DEEP + b"]", "nested too deeply"),
        (b'{"a":' * 50_000, "nested too deeply"),
        (b"[" + b"[]," * 20_000 + b"[]]", "10,000 entries that are no chats"),
        (b"[[" + b"[]," * 3_000_000 + b"[]]]", "larger than any chat"),
        (b'["' + b"x" * 60_000_000 + b'"]', "larger than any chat"),
        (b"PK\x03\x04 nothing else", "damaged"),
        (zipped(readme_txt=b"hello"), "no chat in this file"),
        (zipped(user_json=b"{}", other_json=b"["), "no chat in this file"),
        (zipped(conversations_json=GOOD)[:-30], "damaged"),
        (zipped(conversations_json=GOOD).replace(b"PK\x01\x02", b"PK\x01\x03", 1), "damaged"),
    ],
    ids=lambda value: value[:24].decode(errors="replace") if isinstance(value, bytes) else None,
)
async def test_what_is_no_export_is_refused_in_one_sentence(
    sqlite_database: Database, file: Path, content: bytes, said: str
) -> None:
    actor = await make_actor(sqlite_database, "bob", Role.USER)

    with pytest.raises(InvalidInput, match=said) as refusal:
        await brought_in(sqlite_database, actor, content, file)

    assert refusal.value.message.endswith(".")
