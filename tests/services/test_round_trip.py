"""What belongs to chats goes along with them and comes in again: projects, tags, pins, ratings; on both databases."""

import asyncio
import io
import json
import random
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from llm_ui.db import Database
from llm_ui.kit.file_store import FileStore
from llm_ui.kit.ids import AttachmentId, ChatId, ProjectId, uuid7
from llm_ui.kit.media import inspect
from llm_ui.models import AiModel, ChatMessage, Cutting, FeedbackReason, ProjectColor, ProjectIcon, Rating, Strategy
from llm_ui.services import (
    agents,
    attachments,
    chats,
    documents,
    ingestion,
    memories,
    projects,
    retrieval,
    settings,
    summaries,
    tags,
)
from llm_ui.services.access import Actor
from llm_ui.services.agents import AgentSettings
from llm_ui.services.ai_models import list_models
from llm_ui.services.archive import archive
from llm_ui.services.attachments import AttachmentInfo, Received
from llm_ui.services.cutting import CuttingInfo, read_cutting, set_cutting
from llm_ui.services.documents import Arrived, DocumentInfo
from llm_ui.services.exports import ExportKind, exported, read_whole_chat
from llm_ui.services.feedback import Feedback, rate
from llm_ui.services.projects import ProjectSettings
from llm_ui.services.retrieval import NewCase
from llm_ui.services.settings import PROJECT_DOCUMENTS_MB
from llm_ui.services.summaries import NewSummary
from tests.fakes.exports import as_json, chatgpt_chat, librechat_chat, open_webui_chat
from tests.fakes.images import png
from tests.services.test_branches import answered
from tests.services.test_imports import all_chats, beside, brought_in, shape

SOURCE = {
    "number": 1, "document_id": str(uuid7()), "name": "birds.pdf", "page": 3, "page_to": 3, "place": 3, "passage": 7,
    "text": "Two.",
}  # fmt: skip
"""A passage that an answer cites."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "upload"


async def one_file(database: Database, actor: Actor, chat_id: ChatId) -> bytes:
    """Return the chat as its JSON export."""
    async with database.reading() as session:
        return exported(await read_whole_chat(session, actor, chat_id), ExportKind.JSON).encode()


async def put_in(database: Database, actor: Actor, chat_id: ChatId, name: str, *given: str) -> ProjectId:
    """Put a chat into a new project, and give it tags."""
    async with database.writing() as session:
        project_id = await projects.save(session, actor, None, name)
        await projects.move(session, actor, chat_id, project_id)
        await tags.tag(session, actor, chat_id, given)
    return project_id


async def project_names(database: Database, actor: Actor) -> list[str]:
    async with database.reading() as session:
        return [one.name for one in await projects.list_projects(session, actor)]


async def test_where_a_chat_lies_and_what_was_thought_of_it_come_along(
    seeded: Database, a_user: Actor, another_user: Actor, file: Path
) -> None:
    first = await answered(seeded, a_user, "one", "1")
    again = await answered(seeded, a_user, "", "1 again", chat_id=first.chat_id, regenerate_of=first.answer_id)
    archived = await answered(seeded, a_user, "two", "2")
    await put_in(seeded, a_user, first.chat_id, "Thesis", "river", "東京 2026")
    await put_in(seeded, a_user, archived.chat_id, "Old")
    async with seeded.writing() as session:
        model_id = (await list_models(session, a_user))[0].id
        looks = ProjectSettings(ProjectColor.TEAL, ProjectIcon.STAR, model_id, "", 0.5, 700, is_template=True)
        empty = await projects.save(session, a_user, None, "Empty", looks)
        await projects.let_memory_in(session, a_user, empty, is_in=True)
        await projects.change(session, a_user, empty, instructions="Be brief.")
        await set_cutting(session, a_user, empty, CuttingInfo(Cutting.PAGES, 200, 20))
        await retrieval.set_strategy(session, a_user, empty, Strategy.LEXICAL)
        await memories.save(session, a_user, None, "It is empty.", is_on=False, project_id=empty)
        await projects.archive(session, a_user, empty, is_archived=True)
        tutor = AgentSettings(
            "Tutor", "Asks", "Ask first.", model_id=model_id, temperature=0.3, project_id=empty, starters=("How?",),
            model_name="Demo (no language model)",
        )  # fmt: skip
        await agents.save(session, a_user, None, tutor)
        await chats.pin(session, a_user, first.chat_id, is_pinned=True)
        await chats.set_options(session, a_user, first.chat_id, temperature=0.5, max_tokens=900)
        await chats.archive(session, a_user, archived.chat_id, is_archived=True)
        await rate(session, a_user, first.answer_id, Feedback(Rating.DOWN, FeedbackReason.WRONG, "It is 2."))
        await rate(session, a_user, again.answer_id, Feedback(Rating.UP))
        new = NewSummary(first.answer_id, "They count.", "small", None)
        assert await summaries.keep(session, a_user, first.chat_id, new)
        await memories.save(session, a_user, None, "I count from zero.", is_on=False)
        (await session.get_one(ChatMessage, again.answer_id)).citations = [SOURCE]
    content = b"".join([piece async for piece in archive(seeded, beside(file), a_user)])

    progress = await brought_in(seeded, another_user, content, file)
    same = await brought_in(seeded, another_user, content, file)

    mine, theirs = await all_chats(seeded, a_user), await all_chats(seeded, another_user)
    assert [shape(chat) for chat in theirs] == [shape(chat) for chat in mine]
    assert [message.citations for message in theirs[0].messages] == [None, None, [SOURCE]]
    assert (theirs[0].is_pinned, theirs[1].is_archived) == (True, True)
    assert await project_names(seeded, another_user) == ["Empty", "Old", "Thesis"]
    async with seeded.reading() as session:
        (fact,) = await memories.list_memories(session, another_user)
        (theirs_empty, *_) = await projects.list_projects(session, another_user)
        (known,) = await memories.list_memories(session, another_user, theirs_empty.id)
        assert await read_cutting(session, another_user, theirs_empty.id) == CuttingInfo(Cutting.PAGES, 200, 20)
        assert await retrieval.strategy_of(session, another_user, theirs_empty.id) is Strategy.LEXICAL
    assert (known.text, known.is_on) == ("It is empty.", False)
    assert (theirs_empty.instructions, theirs_empty.lets_memory_in, theirs_empty.is_archived) == (
        "Be brief.",
        True,
        True,
    )
    assert theirs_empty.settings == replace(looks, model_name="Demo (no language model)")
    async with seeded.reading() as session:
        (agent,) = await agents.list_agents(session, another_user)
    assert agent.settings == replace(tutor, project_id=theirs_empty.id)
    assert (progress.agents_added, same.agents_added) == (1, 0)
    assert (fact.text, fact.is_on) == ("I count from zero.", False)
    assert (progress.projects_added, progress.memories_added, progress.skipped) == (3, 1, 0)
    assert (same.chats_same, same.projects_added, same.memories_added, same.skipped) == (2, 0, 0, 0)


async def test_a_model_that_is_not_here_is_named_where_chats_were_to_begin_with_it(
    seeded: Database, a_user: Actor, another_user: Actor, file: Path
) -> None:
    async with seeded.writing() as session:
        model_id = (await list_models(session, a_user))[0].id
        await projects.save(session, a_user, None, "Thesis", ProjectSettings(model_id=model_id))
    content = b"".join([piece async for piece in archive(seeded, beside(file), a_user)])
    async with seeded.writing() as session:
        (await session.get_one(AiModel, model_id)).is_enabled = False

    await brought_in(seeded, another_user, content, file)

    async with seeded.reading() as session:
        (theirs,) = await projects.list_projects(session, another_user)
    assert theirs.settings == ProjectSettings(model_name="Demo (no language model)")


async def attached(database: Database, actor: Actor, store: FileStore, name: str, content: bytes) -> AttachmentId:
    """Upload a file."""

    def kept() -> str:
        new = store.begin()
        new.write(content)
        return new.keep()

    received = Received(name, inspect(content, name), len(content), await asyncio.to_thread(kept))
    async with database.writing() as session:
        return (await attachments.receive(session, actor, received)).id


async def test_files_come_along_once_and_whole(
    seeded: Database, a_user: Actor, another_user: Actor, file: Path
) -> None:
    here, there = beside(file), beside(file.parent / "other" / "upload")
    picture = await attached(seeded, a_user, here, "cat.png", png())
    notes = await attached(seeded, a_user, here, "notes.md", b"# A cat")
    turn = await answered(seeded, a_user, "what is it?", "a cat", attachments=(picture, notes))
    await answered(seeded, a_user, "and now?", "a cat", chat_id=turn.chat_id, attachments=(picture,))
    content = b"".join([piece async for piece in archive(seeded, here, a_user)])
    other = file.parent / "other" / "upload"
    await asyncio.to_thread(other.parent.mkdir)

    progress = await brought_in(seeded, another_user, content, other)

    assert (progress.chats_added, progress.skipped) == (1, 0)
    (mine,), (theirs,) = await all_chats(seeded, a_user), await all_chats(seeded, another_user)
    assert [look(files) for files in theirs.files.values()] == [look(files) for files in mine.files.values()]
    assert len(theirs.files) == 2
    assert await asyncio.to_thread(contents, there) == {png(), b"# A cat"}


def contents(store: FileStore) -> set[bytes]:
    return {store.read(name) for name in store.names()}


def look(files: Sequence[AttachmentInfo]) -> list[AttachmentInfo]:
    """Return what is told of files, but for whose they are."""
    return [replace(one, id=AttachmentId(UUID(int=0))) for one in files]


async def test_a_file_that_is_only_named_is_nobodys_elses(
    seeded: Database, a_user: Actor, another_user: Actor, file: Path
) -> None:
    picture = await attached(seeded, a_user, beside(file), "cat.png", png())
    turn = await answered(seeded, a_user, "what is it?", "a cat", attachments=(picture,))
    told = await one_file(seeded, a_user, turn.chat_id)

    progress = await brought_in(seeded, another_user, told, file)

    (chat,) = await all_chats(seeded, another_user)
    assert chat.files == {}
    (skipped,) = progress.skipped_told
    assert skipped["what"] == "cat.png"
    assert "without this file" in skipped["why"]


async def test_a_file_that_is_no_file_of_a_chat_is_left_out(
    seeded: Database, a_user: Actor, another_user: Actor, file: Path
) -> None:
    notes = await attached(seeded, a_user, beside(file), "notes.md", b"# A cat")
    await answered(seeded, a_user, "what is it?", "a cat", attachments=(notes,))
    (name,) = await asyncio.to_thread(list, beside(file).names())
    await asyncio.to_thread(beside(file).path(name).write_bytes, b"MZ\x00\x01")
    content = b"".join([piece async for piece in archive(seeded, beside(file), a_user)])

    progress = await brought_in(seeded, another_user, content, file)

    (chat,) = await all_chats(seeded, another_user)
    assert chat.files == {}
    (skipped,) = progress.skipped_told
    assert "neither a picture nor text" in skipped["why"]


async def test_a_project_of_the_same_name_takes_the_chat_and_a_renamed_one_is_known_again(
    seeded: Database, a_user: Actor, another_user: Actor, file: Path
) -> None:
    chat_id = (await answered(seeded, a_user, "one", "1")).chat_id
    mine = await put_in(seeded, a_user, chat_id, "Thesis")
    async with seeded.writing() as session:
        theirs = await projects.save(session, another_user, None, "THESIS")
    told = await one_file(seeded, a_user, chat_id)
    async with seeded.writing() as session:
        await projects.save(session, a_user, mine, "Book")
        await chats.delete(session, a_user, chat_id)
        await chats.purge(session, a_user, chat_id)

    assert (await brought_in(seeded, a_user, told, file)).projects_added == 0
    assert (await brought_in(seeded, another_user, told, file)).projects_added == 0

    assert [chat.project.id for chat in await all_chats(seeded, a_user) if chat.project] == [mine]
    assert [chat.project.id for chat in await all_chats(seeded, another_user) if chat.project] == [theirs]
    assert await project_names(seeded, a_user) == ["Book"]
    assert await project_names(seeded, another_user) == ["THESIS"]


async def test_where_a_chat_was_put_here_is_not_changed(seeded: Database, a_user: Actor, file: Path) -> None:
    chat_id = (await answered(seeded, a_user, "one", "1")).chat_id
    await put_in(seeded, a_user, chat_id, "Thesis", "river")
    told = await one_file(seeded, a_user, chat_id)
    async with seeded.writing() as session:
        await projects.move(session, a_user, chat_id, None)
        await tags.tag(session, a_user, chat_id, ["mine"])

    assert (await brought_in(seeded, a_user, told, file)).chats_same == 1

    (chat,) = await all_chats(seeded, a_user)
    assert (chat.project, chat.tags) == (None, ("mine",))


async def test_an_export_of_an_older_version_comes_in(seeded: Database, a_user: Actor, file: Path) -> None:
    turn = await answered(seeded, a_user, "one", "1")
    told = json.loads(await one_file(seeded, a_user, turn.chat_id))
    del told["summaries"]
    for newer in ("project", "tags", "temperature", "max_tokens", "is_pinned"):
        del told["chat"][newer]
    told["chat"]["id"] = str(uuid7())

    assert (await brought_in(seeded, a_user, json.dumps(told).encode(), file)).chats_added == 1

    _, chat = await all_chats(seeded, a_user)
    assert (chat.project, chat.tags, chat.is_pinned, chat.title) == (None, (), False, "one")


async def test_no_more_is_pinned_than_a_person_can_pin(seeded: Database, a_user: Actor, file: Path) -> None:
    told = [{**open_webui_chat(number, 1), "pinned": True} for number in range(52)]

    progress = await brought_in(seeded, a_user, as_json(told), file)

    assert (progress.chats_added, progress.skipped) == (52, 1)
    assert "not pinned" in progress.skipped_told[0]["why"]
    assert sum(chat.is_pinned for chat in await all_chats(seeded, a_user)) == 50


async def test_where_chats_lay_in_another_product_is_kept(seeded: Database, a_user: Actor, file: Path) -> None:
    folder = "3f2a91c0-1b1e-4d57-9a2f-0f6f3b8b7a55"
    sorted_there = {**open_webui_chat(1, 1), "pinned": True, "folder_id": folder, "meta": {"tags": ["far_away", "sea"]}}
    beside = {**open_webui_chat(2, 1), "folder_id": folder, "archived": True}
    rated = next(one for one in beside["chat"]["history"]["messages"].values() if one["role"] == "assistant")
    rated["annotation"] = {"rating": -1, "comment": "No.", "reason": "Other"}
    in_project = {**chatgpt_chat(3, 1), "is_starred": True, "gizmo_id": "g-p-695c5d2ac4f4", "gizmo_type": "snorlax"}
    with_gpt = {**chatgpt_chat(4, 1), "gizmo_id": "g-2fkFE8rbu", "is_archived": True}
    tagged = {**librechat_chat(5, 1), "tags": ["River"], "isArchived": True}
    tagged["messages"][-1]["feedback"] = {"rating": "thumbsUp", "tag": "accurate", "text": "Yes."}
    content = as_json([sorted_there, beside, in_project, with_gpt, tagged])

    progress = await brought_in(seeded, a_user, content, file)
    async with seeded.writing() as session:
        (first, *_) = await projects.list_projects(session, a_user)
        await projects.save(session, a_user, first.id, "GPT")
    again = await brought_in(seeded, a_user, as_json([{**in_project, "id": "7", "conversation_id": "7"}]), file)

    assert (progress.chats_added, progress.projects_added, progress.skipped) == (5, 2, 0)
    assert again.projects_added == 0
    lies = {
        (chat.is_pinned, chat.is_archived, chat.tags, chat.project and chat.project.name)
        for chat in await all_chats(seeded, a_user)
    }
    assert lies == {
        (True, False, ("far away", "sea"), "Open WebUI folder 3f2a91c0"),
        (False, True, (), "Open WebUI folder 3f2a91c0"),
        (True, False, (), "GPT"),
        (False, True, (), None),
        (False, True, ("river",), None),
    }
    given = [(row.rating, row.comment) for chat in await all_chats(seeded, a_user) for row in chat.feedback.values()]
    assert sorted(given) == [(-1, "No."), (1, "Yes.")]


async def test_a_chat_comes_in_without_a_project_where_its_person_has_too_many(
    seeded: Database, a_user: Actor, file: Path
) -> None:
    async with seeded.writing() as session:
        for number in range(projects.MAX_PROJECTS):
            await projects.save(session, a_user, None, f"Project {number}")

    progress = await brought_in(seeded, a_user, as_json([{**open_webui_chat(1, 1), "folder_id": "sea"}]), file)

    (chat,) = await all_chats(seeded, a_user)
    assert (progress.chats_added, chat.project) == (1, None)
    (skipped,) = progress.skipped_told
    assert skipped["what"] == "Open WebUI folder sea"
    assert "Delete one first" in skipped["why"]


def kept(store: FileStore, content: bytes) -> str:
    new = store.begin()
    new.write(content)
    return new.keep()


async def a_document(
    database: Database, actor: Actor, store: FileStore, project_id: ProjectId, name: str, content: bytes, **told: str
) -> DocumentInfo:
    """Upload a document."""
    sha256 = await asyncio.to_thread(kept, store, content)
    async with database.writing() as session:
        arrived = Arrived(name, len(content), sha256, told.get("source_url"))
        return (await documents.receive(session, actor, project_id, arrived))[0]


async def documents_of(database: Database, actor: Actor) -> dict[str, list[tuple[str, str, str | None, int]]]:
    """Return what the documents of a person's projects are, by the names of these."""
    found = {}
    async with database.reading() as session:
        for one in await projects.list_projects(session, actor):
            listing = await documents.list_documents(session, actor, one.id)
            found[one.name] = [(each.name, each.sha256, each.source_url, each.version) for each in listing.documents]
    return found


async def cases_of(database: Database, actor: Actor) -> list[tuple[str, str, str, bool]]:
    """Return the test sets of a person's projects."""
    async with database.reading() as session:
        return [
            (one.question, one.document_name, one.passage, one.is_wanted)
            for project in await projects.list_projects(session, actor)
            for one in await retrieval.list_cases(session, actor, project.id)
        ]


async def judged_otherwise(database: Database, actor: Actor) -> None:
    """Have a person want whatever their test sets do not."""
    async with database.writing() as session:
        for project in await projects.list_projects(session, actor):
            await projects.archive(session, actor, project.id, is_archived=False)
            for one in await retrieval.list_cases(session, actor, project.id):
                await retrieval.judge(session, actor, project.id, replace(one.told(), is_wanted=True))


async def test_documents_come_along_into_their_projects_and_come_in_once(
    seeded: Database, a_user: Actor, another_user: Actor, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = beside(file), beside(file.parent / "other" / "upload")
    turn = await answered(seeded, a_user, "one", "1")
    house = await put_in(seeded, a_user, turn.chat_id, "House: 1/2")
    async with seeded.writing() as session:
        garden = await projects.save(session, a_user, None, "Garden")
        await projects.change(session, a_user, house, instructions="Be brief.")
    large = b"%PDF-" + random.Random(1).randbytes(1_500_000)
    lease = await a_document(seeded, a_user, here, house, "lease.pdf", large)
    async with seeded.writing() as session:
        for passage in ("the third day", ""):
            await retrieval.judge(session, a_user, house, NewCase("When is it due?", lease.id, passage, not passage))
    await a_document(seeded, a_user, here, house, "..", b"two dots")
    await a_document(seeded, a_user, here, house, "page?.html", b"<p>", source_url="https://example.org/page")
    await a_document(seeded, a_user, here, garden, "page-.html", b"<p>")
    lost = await a_document(seeded, a_user, here, garden, "lost.md", b"lost")
    await asyncio.to_thread(here.remove, lost.sha256)
    async with seeded.writing() as session:
        await projects.archive(session, a_user, house, is_archived=True)
    with monkeypatch.context() as few_at_once:
        few_at_once.setattr(documents, "LISTED", 2)
        content = b"".join([piece async for piece in archive(seeded, here, a_user)])
    other = file.parent / "other" / "upload"
    await asyncio.to_thread(other.parent.mkdir)

    progress = await brought_in(seeded, another_user, content, other)
    await judged_otherwise(seeded, another_user)
    same = await brought_in(seeded, another_user, content, other)
    own = await brought_in(seeded, a_user, content, file)

    cases = [("When is it due?", "lease.pdf", "the third day", True), ("When is it due?", "lease.pdf", "", True)]
    assert await cases_of(seeded, another_user) == cases, "what was changed meanwhile stays"
    mine, theirs = await documents_of(seeded, a_user), await documents_of(seeded, another_user)
    assert theirs["House: 1/2"] == mine["House: 1/2"]
    assert len(theirs["House: 1/2"]) == 3
    assert theirs["Garden"] == [one for one in mine["Garden"] if one[0] != "lost.md"]
    assert (progress.documents_added, progress.skipped) == (4, 0)
    assert (same.documents_added, same.skipped, own.documents_added) == (0, 0, 0)
    assert await asyncio.to_thread(contents, there) == {large, b"two dots", b"<p>"}
    async with seeded.reading() as session:
        assert [one.instructions for one in await projects.list_projects(session, another_user)] == ["", "Be brief."]
        assert await ingestion.is_any_waiting(session)
    with zipfile.ZipFile(io.BytesIO(content)) as found:
        assert found.testzip() is None
        assert sorted(name for name in found.namelist() if name.startswith("documents/")) == [
            "documents/Garden/page-.html", "documents/House- 1-2/file", "documents/House- 1-2/lease.pdf",
            "documents/House- 1-2/page-.html",
        ]  # fmt: skip
    assert list(await asyncio.to_thread(lambda: list(there.folder.glob("*.partial")))) == []


async def test_a_document_of_before_does_not_replace_what_is_there(seeded: Database, a_user: Actor, file: Path) -> None:
    async with seeded.writing() as session:
        house = await projects.save(session, a_user, None, "House")
    await a_document(seeded, a_user, beside(file), house, "lease.md", b"before")
    content = b"".join([piece async for piece in archive(seeded, beside(file), a_user)])
    await a_document(seeded, a_user, beside(file), house, "lease.md", b"now")

    progress = await brought_in(seeded, a_user, content, file)

    named = {name: version for name, _, _, version in (await documents_of(seeded, a_user))["House"]}
    assert (named, progress.documents_added) == ({"lease.md": 2, "lease (2).md": 1}, 1)


async def test_a_document_that_cannot_come_in_is_told_and_leaves_nothing(
    seeded: Database, a_user: Actor, file: Path
) -> None:
    of = {"project": {"id": "1", "name": "House"}}
    listed = [
        {**of, "name": "large.md", "path": "documents/House/large.md"},
        {**of, "name": "none.md", "path": "documents/House/none.md"},
        {**of, "name": "passwd", "path": "/etc/passwd"},
        {"name": "nowhere.md", "path": "documents/House/fits.md"},
        {**of, "name": "fits.md", "path": "documents/House/fits.md", "source_url": "javascript:alert(1)"},
        {**of, "name": "twice.md", "path": "documents/House/fits.md"},
        {**of, "name": "room.md", "path": "documents/House/room.md"},
    ]
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as made:
        made.writestr("manifest.json", json.dumps({"format": "llm-ui-archive"}))
        made.writestr("documents/House/large.md", random.Random(2).randbytes(2_000_001))
        made.writestr("documents/House/fits.md", b"# It fits")
        made.writestr("documents/House/room.md", random.Random(3).randbytes(1_000_000))
        made.writestr("documents.json", json.dumps(listed))
    async with seeded.writing() as session:
        await settings.store(session, PROJECT_DOCUMENTS_MB, 1)

    progress = await brought_in(seeded, a_user, written.getvalue(), file)

    assert [(name, source) for name, _, source, _ in (await documents_of(seeded, a_user))["House"]] == [
        ("fits.md", None)
    ]
    assert (progress.documents_added, progress.projects_added) == (1, 1)
    assert {one["what"]: one["why"].partition(",")[0] for one in progress.skipped_told} == {
        "large.md": "large.md is larger than 2 MB",
        "none.md": "The archive does not hold this document.",
        "passwd": "The archive does not hold this document.",
        "Entry 4": "It is a document without a project.",
        "twice.md": "The archive does not hold this document.",
        "room.md": "room.md does not fit: the documents of this project take 0 MB and may take 1 MB. "
        "Delete some of them",
    }
    assert await asyncio.to_thread(lambda: list(beside(file).folder.glob("*.partial"))) == []
