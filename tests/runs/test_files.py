"""Attached files on their way to a model: what is sent, what is only named, what is refused; on both databases."""

import asyncio
import base64
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from llm_ui.contract import PreviewRequest
from llm_ui.db import Database
from llm_ui.errors import ContextTooLong, InvalidInput, NotFound
from llm_ui.kit.file_store import FileStore
from llm_ui.kit.ids import ModelId
from llm_ui.kit.media import inspect
from llm_ui.models import AiModel, ChatMessage
from llm_ui.providers.base import PromptMessage
from llm_ui.runs import context, sent_request
from llm_ui.runs.files import Room, with_contents
from llm_ui.runs.live_run import LiveRun
from llm_ui.services import attachments
from llm_ui.services.access import Actor
from llm_ui.services.attachments import AttachmentInfo, Received
from llm_ui.services.chats import chat_row
from llm_ui.services.explanations import explain_answer
from llm_ui.services.targets import target
from tests.fakes import images
from tests.runs.conftest import Ask
from tests.runs.test_context import answered, parts

CAT = images.png(640, 480)
NOTE = "Boats & harbours.".encode("utf-16")


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files")


@pytest.fixture
async def sees(database: Database, model_id: ModelId) -> None:
    """The model can see images."""
    async with database.writing() as session:
        await session.execute(update(AiModel).where(AiModel.id == model_id).values(can_see_images=True))


async def put(database: Database, store: FileStore, actor: Actor, data: bytes, name: str) -> AttachmentInfo:
    def kept() -> str:
        new = store.begin()
        new.write(data)
        return new.keep()

    received = Received(name, inspect(data, name), len(data), await asyncio.to_thread(kept))
    async with database.writing() as session:
        return await attachments.receive(session, actor, received)


async def prompt(live: LiveRun, store: FileStore) -> tuple[PromptMessage, ...]:
    return await asyncio.to_thread(with_contents, store, live.context.messages)


async def test_a_question_goes_with_its_files(
    ask: Ask, database: Database, a_user: Actor, store: FileStore, sees: None
) -> None:
    cat = await put(database, store, a_user, CAT, "cat.png")
    note = await put(database, store, a_user, NOTE, 'a "note".md')

    live = await ask("what is it?", attachments=(cat.id, note.id))

    (message,) = await prompt(live, store)
    assert message.text == '<file name="a &quot;note&quot;.md">\nBoats & harbours.\n</file>\n\nwhat is it?'
    (image,) = message.images
    assert (image.name, image.media_type) == ("cat.png", "image/png")
    assert base64.b64decode(image.data) == CAT
    assert parts(live) == {"instructions": 1, "attachments": 2, "question": 1}


async def test_the_next_question_goes_with_the_files_of_earlier_ones(
    ask: Ask, database: Database, a_user: Actor, store: FileStore, sees: None
) -> None:
    cat = await put(database, store, a_user, CAT, "cat.png")
    first = await ask("", attachments=(cat.id,))
    await answered(database, first, "a cat")

    second = await ask("what colour?", chat_id=first.turn.chat_id)

    sent = await prompt(second, store)
    assert [(one.role, one.text, len(one.images)) for one in sent] == [
        ("user", "", 1), ("assistant", "a cat", 0), ("user", "what colour?", 0),
    ]  # fmt: skip
    assert parts(second) == {"instructions": 1, "history": 2, "attachments": 1, "question": 1}


async def test_a_model_that_cannot_see_is_not_asked_about_an_image(
    ask: Ask, database: Database, a_user: Actor, store: FileStore
) -> None:
    cat = await put(database, store, a_user, CAT, "cat.png")

    with pytest.raises(
        InvalidInput, match=r"Model One cannot see images\. Remove cat\.png, or pick a model that can\."
    ):
        await ask("what is it?", attachments=(cat.id,))

    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(ChatMessage)) == 0


async def test_a_model_that_cannot_see_is_told_the_name_of_an_earlier_image(
    ask: Ask, database: Database, a_user: Actor, store: FileStore, sees: None
) -> None:
    cat = await put(database, store, a_user, CAT, "cat.png")
    first = await ask("what is it?", attachments=(cat.id,))
    await answered(database, first, "a cat")
    async with database.writing() as session:
        await session.execute(update(AiModel).values(can_see_images=False))

    second = await ask("sure?", chat_id=first.turn.chat_id)

    (message, *_) = await prompt(second, store)
    assert message.images == ()
    assert message.text == "[cat.png: an image that you are not shown]\n\nwhat is it?"
    async with database.reading() as session:
        explained = await explain_answer(session, a_user, second.turn.answer_id)
    (part,) = [part for part in explained.parts if part.origin == "attachments"]
    assert [(file.name, file.is_shown) for file in part.files] == [("cat.png", False)]


async def test_a_text_that_does_not_fit_is_refused_with_what_to_do(
    ask: Ask, database: Database, a_user: Actor, store: FileStore
) -> None:
    book = await put(database, store, a_user, b"word " * 5_000, "book.txt")

    with pytest.raises(ContextTooLong, match=r"has about 5,\d\d\d tokens.*Remove a file"):
        await ask("summarise it", attachments=(book.id,))


async def test_an_old_message_whose_files_do_not_fit_is_left_out(
    ask: Ask, database: Database, a_user: Actor, store: FileStore
) -> None:
    note = await put(database, store, a_user, b"word " * 1_200, "note.txt")
    first = await ask("read it", attachments=(note.id,))
    await answered(database, first, "done")

    second = await ask("word " * 1_000, chat_id=first.turn.chat_id)

    assert len(await prompt(second, store)) == 1
    assert "did not fit" in str(second.context.manifest["cut"])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"size_bytes": 21_000_000}, r"cat\.png is larger than 20\.0 MB, the most Acme takes"),
        ({"width": 20_000}, r"cat\.png is wider or higher than 16,384 pixels"),
        ({"media_type": "image/heic"}, "Acme does not take HEIC images"),
    ],
)
async def test_what_a_provider_does_not_take_is_said_before_it_is_sent(
    database: Database, a_user: Actor, model_id: ModelId, store: FileStore, sees: None,
    change: dict[str, object], sentence: str,
) -> None:  # fmt: skip
    cat = await put(database, store, a_user, CAT, "cat.png")
    async with database.reading() as session:
        model = await target(session, a_user, model_id)

    with pytest.raises(InvalidInput, match=sentence):
        Room(model).required([replace(cat, **change)])  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="together larger than 50 MB"):
        Room(model).required([replace(cat, size_bytes=18_000_000)] * 3)


async def test_a_question_is_not_asked_without_a_file_of_its_own(
    ask: Ask, database: Database, a_user: Actor, store: FileStore, sees: None
) -> None:
    cat = await put(database, store, a_user, CAT, "cat.png")
    live = await ask("what is it?", attachments=(cat.id,))
    await answered(database, live, "a cat")
    store.path(cat.sha256).unlink()

    with pytest.raises(NotFound, match="not on the server any more"):
        await prompt(live, store)
    later = await ask("sure?", chat_id=live.turn.chat_id)
    assert "[cat.png: a file that is not on the server any more]" in (await prompt(later, store))[0].text


async def test_the_gauge_counts_what_would_go_along(
    ask: Ask, database: Database, a_user: Actor, model_id: ModelId, store: FileStore, sees: None
) -> None:
    cat = await put(database, store, a_user, CAT, "cat.png")
    note = await put(database, store, a_user, b"word " * 100, "note.txt")
    live = await ask("what is it?", attachments=(cat.id,))
    await answered(database, live, "a cat")

    async with database.reading() as session:
        model = await target(session, a_user, model_id)
        request = PreviewRequest(attachments=(note.id,))
        chat = await chat_row(session, a_user, live.turn.chat_id)
        found = await context.preview(session, a_user, request, model, chat)

    # 425 tokens: 85 and two tiles of 170.
    assert found.attachments > 100
    assert 425 < found.history < 450


async def test_the_request_is_told_with_the_beginning_of_each_file(
    ask: Ask, database: Database, a_user: Actor, store: FileStore, sees: None
) -> None:
    cat = await put(database, store, a_user, CAT, "cat.png")
    note = await put(database, store, a_user, b"word " * 600, "note.txt")
    live = await ask("what is it?", attachments=(cat.id, note.id))

    async with database.reading() as session:
        told = await sent_request.sent_request(session, a_user, store, live.turn.run_id)

    image, text = told.body["messages"][-1]["content"]
    assert image["image_url"]["url"] == f"data:image/png;base64,… {len(CAT):,} bytes of cat.png as base64 …"
    assert "… 1,000 more characters of note.txt …" in text["text"]
    assert text["text"].endswith("what is it?")
