"""Attached files, on both databases: whose they are, what keeps them, what takes them along."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from llm_ui.db import Database
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import AttachmentId, uuid7
from llm_ui.kit.media import Media
from llm_ui.models import Attachment, ChatHistory
from llm_ui.services import attachments, branches, chats, retention
from llm_ui.services.access import Actor
from llm_ui.services.attachments import AttachmentInfo, Received, file_name, find_attachments
from llm_ui.services.search import Filters, search
from tests.services.test_branches import answered
from tests.services.test_chats import ask, end, read

SHA = "a" * 64


async def uploaded(database: Database, actor: Actor, name: str = "cat.png", sha256: str = SHA) -> AttachmentInfo:
    media = Media("image/png", 640, 480) if name.endswith(".png") else Media("text/plain", text="some words")
    async with database.writing() as session:
        return await attachments.receive(session, actor, Received(name, media, 1_234, sha256))


async def found(database: Database, actor: Actor, *ids: AttachmentId) -> tuple[AttachmentInfo, ...]:
    async with database.reading() as session:
        return await find_attachments(session, actor, ids)


async def test_a_search_finds_the_chats_that_have_files(seeded: Database, a_user: Actor) -> None:
    file = await uploaded(seeded, a_user)
    turn = await ask(seeded, a_user, "which whale is it?", attachments=(file.id,))
    await end(seeded, turn, "A blue one.")
    await answered(seeded, a_user, "another whale", "reply")

    for typed in ("whale", ""):
        async with seeded.reading() as session:
            page = await search(session, a_user, typed, Filters(has_file=True))
        assert {one.chat_id for one in page.items} == {turn.chat_id}
    async with seeded.writing() as session:
        await branches.delete(session, a_user, turn.question_id)
        page = await search(session, a_user, "", Filters(has_file=True))
    assert page.items == ()


async def test_files_go_with_the_question_in_the_order_they_were_put(seeded: Database, a_user: Actor) -> None:
    first, second = [await uploaded(seeded, a_user, name) for name in ("b.png", "a.txt")]

    turn = await ask(seeded, a_user, "what is it?", attachments=(second.id, first.id))

    page = await read(seeded, a_user, turn.chat_id)
    assert [file.name for file in page.items[0].attachments] == ["a.txt", "b.png"]
    assert [file.id for file in turn.attachments] == [second.id, first.id]


async def test_a_file_alone_is_a_question(seeded: Database, a_user: Actor) -> None:
    file = await uploaded(seeded, a_user)

    turn = await ask(seeded, a_user, "", attachments=(file.id,))

    assert turn.title == "cat.png"
    with pytest.raises(InvalidInput, match="empty"):
        await ask(seeded, a_user, "", attachments=())


async def test_a_file_is_its_owners_alone(
    seeded: Database, a_user: Actor, another_user: Actor, an_admin: Actor
) -> None:
    file = await uploaded(seeded, a_user)

    for stranger in (another_user, an_admin):
        with pytest.raises(NotFound):
            await found(seeded, stranger, file.id)
        with pytest.raises(NotFound, match="attach it again"):
            await ask(seeded, stranger, "mine now", attachments=(file.id,))
    assert (await found(seeded, a_user, file.id))[0] == file


async def test_an_edited_question_keeps_its_files_unless_others_are_named(seeded: Database, a_user: Actor) -> None:
    cat, note = [await uploaded(seeded, a_user, name) for name in ("cat.png", "note.txt")]
    first = await ask(seeded, a_user, "one", attachments=(cat.id,))
    await end(seeded, first)

    again = await ask(seeded, a_user, "two", chat_id=first.chat_id, edit_of=first.question_id)
    await end(seeded, again)
    other = await ask(
        seeded, a_user, "three", chat_id=first.chat_id, edit_of=again.question_id,
        attachments=(note.id, again.attachments[0].id),
    )  # fmt: skip
    await end(seeded, other)
    bare = await ask(seeded, a_user, "four", chat_id=first.chat_id, edit_of=other.question_id, attachments=())

    names = [[file.name for file in turn.attachments] for turn in (first, again, other, bare)]
    assert names == [["cat.png"], ["cat.png"], ["note.txt", "cat.png"], []]
    assert len({file.id for turn in (first, again, other) for file in turn.attachments}) == 4


async def test_an_answer_made_once_more_has_the_questions_files(seeded: Database, a_user: Actor) -> None:
    file = await uploaded(seeded, a_user)
    turn = await ask(seeded, a_user, "one", attachments=(file.id,))
    await end(seeded, turn)

    again = await ask(seeded, a_user, "", chat_id=turn.chat_id, regenerate_of=turn.answer_id)

    assert again.attachments == turn.attachments


async def test_a_branch_takes_its_files_along_and_keeps_them(seeded: Database, a_user: Actor) -> None:
    file = await uploaded(seeded, a_user)
    turn = await ask(seeded, a_user, "one", attachments=(file.id,))
    await end(seeded, turn)

    async with seeded.writing() as session:
        branch = await branches.branch_off(session, a_user, turn.answer_id)
        await chats.delete(session, a_user, turn.chat_id)
        await chats.purge(session, a_user, turn.chat_id)

    copied = (await read(seeded, a_user, branch)).items[0].attachments
    assert [one.name for one in copied] == ["cat.png"]
    assert await found(seeded, a_user, copied[0].id)
    with pytest.raises(NotFound):
        await found(seeded, a_user, file.id)


async def test_what_is_in_the_bin_or_deleted_is_not_given(seeded: Database, a_user: Actor) -> None:
    file, other = [await uploaded(seeded, a_user) for _ in range(2)]
    turn = await ask(seeded, a_user, "one", attachments=(file.id,))
    await end(seeded, turn)
    later = await answered(seeded, a_user, "two", "2", chat_id=turn.chat_id, attachments=(other.id,))

    async with seeded.writing() as session:
        gone = await branches.delete(session, a_user, later.question_id)
    with pytest.raises(NotFound):
        await found(seeded, a_user, other.id)
    async with seeded.writing() as session:
        await branches.restore(session, a_user, gone)
        await chats.delete(session, a_user, turn.chat_id)
    with pytest.raises(NotFound):
        await found(seeded, a_user, file.id)
    async with seeded.writing() as session:
        await chats.restore(session, a_user, turn.chat_id)

    assert len(await found(seeded, a_user, file.id, other.id)) == 2


async def test_what_was_never_sent_goes_after_a_day(seeded: Database, a_user: Actor) -> None:
    sent, old, young = [await uploaded(seeded, a_user, sha256=digit * 64) for digit in "123"]
    turn = await ask(seeded, a_user, "one", attachments=(sent.id,))
    yesterday = update(Attachment).where(Attachment.id.in_([sent.id, old.id]))
    async with seeded.writing() as session:
        await session.execute(yesterday.values(created_at=now() - timedelta(days=2)))

    async with seeded.writing() as session:
        assert await retention.purge_unsent(session) == 1
    async with seeded.reading() as session:
        assert await attachments.stored_names(session) == {"1" * 64, "3" * 64}

    async with seeded.writing() as session:
        gone = update(ChatHistory).where(ChatHistory.id == turn.chat_id)
        await session.execute(gone.values(deleted_at=now() - timedelta(days=40)))
        await retention.purge_bin(session)
    async with seeded.reading() as session:
        assert (await session.scalars(select(Attachment.id))).all() == [young.id]


async def test_nobody_keeps_more_waiting_than_a_draft_needs(
    seeded: Database, a_user: Actor, another_user: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "MAX_UNSENT", 1)
    await uploaded(seeded, a_user)
    await uploaded(seeded, another_user)

    with pytest.raises(InvalidInput, match="Send some first"):
        await uploaded(seeded, a_user)


async def test_a_file_that_is_not_there_stops_the_question(seeded: Database, a_user: Actor) -> None:
    with pytest.raises(NotFound):
        await ask(seeded, a_user, "one", attachments=(uuid7(),))

    async with seeded.reading() as session:
        assert (await session.scalars(select(ChatHistory))).all() == []


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("cat.png", "cat.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ann\\note.txt", "note.txt"),
        ("a\nb\x00c\u202egnp.exe", "a b c gnp.exe"),
        ("", "file"),
        ("..", "file"),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_a_name_is_only_a_name(sent: str, shown: str) -> None:
    assert file_name(sent) == shown
