"""Documents of a project and what models are told in it, on both databases."""

import pytest

from llm_ui.db import Database
from llm_ui.errors import InvalidInput, NotFound, TooLarge
from llm_ui.kit.ids import ProjectId
from llm_ui.kit.reading import Block, BlockKind, Page
from llm_ui.models import DocumentStage
from llm_ui.services import documents, ingestion, projects
from llm_ui.services.access import Actor
from llm_ui.services.documents import Arrived, DocumentInfo, Listing
from llm_ui.services.ingestion import NewChunk

TEXT = "The rent is due on the third day."


@pytest.fixture
async def project_id(seeded: Database, a_user: Actor) -> ProjectId:
    """A project of the user's."""
    async with seeded.writing() as session:
        return await projects.save(session, a_user, None, "House")


async def receive(
    database: Database, actor: Actor, project_id: ProjectId, name: str, content: str = ""
) -> tuple[DocumentInfo, bool]:
    async with database.writing() as session:
        arrived = Arrived(name, 40, f"{hash(content or name) & 0xFFFF:064x}")
        return await documents.receive(session, actor, project_id, arrived)


async def read_one(database: Database, *, text: str = TEXT) -> None:
    """Do the work of a worker for the document that has waited longest."""
    async with database.writing() as session:
        held = await ingestion.claim(session)
        assert held is not None
        await ingestion.add_pages(session, held, [Page(1, (Block(BlockKind.TEXT, text),)), Page(2, ())])
        await ingestion.end_pages(session, held, media_type="text/plain", has_pages=True, remark="")
        await ingestion.add_chunks(session, held, 0, [NewChunk("", text, 1, 1, 9)])
        await ingestion.finish(session, held, chunk_count=1, tokens=9)


async def listed(database: Database, actor: Actor, project_id: ProjectId, name: str = "", offset: int = 0) -> Listing:
    async with database.reading() as session:
        return await documents.list_documents(session, actor, project_id, name=name, offset=offset)


def names(listing: Listing) -> list[str]:
    return [one.name for one in listing.documents]


async def test_documents_are_listed_by_name_with_figures_of_all(
    seeded: Database, a_user: Actor, project_id: ProjectId
) -> None:
    for name in ("b.md", "A 100%.md", "c.md"):
        await receive(seeded, a_user, project_id, name)

    everything = await listed(seeded, a_user, project_id)
    some = await listed(seeded, a_user, project_id, name="100%")

    assert names(everything) == ["A 100%.md", "b.md", "c.md"]
    assert (everything.count, everything.busy, everything.size_bytes) == (3, 3, 120)
    assert (names(some), some.count) == (["A 100%.md"], 3)


async def test_a_long_list_comes_in_pages(
    seeded: Database, a_user: Actor, project_id: ProjectId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "LISTED", 2)
    for name in ("a.md", "b.md", "c.md"):
        await receive(seeded, a_user, project_id, name)

    first = await listed(seeded, a_user, project_id)
    second = await listed(seeded, a_user, project_id, offset=2)

    assert (names(first), first.has_more) == (["a.md", "b.md"], True)
    assert (names(second), second.has_more) == (["c.md"], False)


async def test_what_is_being_read_is_told_while_it_is(seeded: Database, a_user: Actor, project_id: ProjectId) -> None:
    found, _ = await receive(seeded, a_user, project_id, "lease.md")
    async with seeded.writing() as session:
        held = await ingestion.claim(session)
        assert held is not None
        await ingestion.add_pages(session, held, [Page(1, (Block(BlockKind.TEXT, TEXT),))])

    async with seeded.reading() as session:
        now = await documents.look_at(session, a_user, project_id, [found.id])

    assert [(one.name, one.page_count) for one in now.being_read] == [("lease.md", 1)]
    assert [(one.stage, one.is_busy) for one in now.documents] == [(DocumentStage.RECEIVED, True)]


async def test_only_what_can_be_searched_is_offered(seeded: Database, a_user: Actor, project_id: ProjectId) -> None:
    await receive(seeded, a_user, project_id, "lease.md")
    await read_one(seeded)
    await receive(seeded, a_user, project_id, "lease 2.md")

    async with seeded.reading() as session:
        found = await documents.offer(session, a_user, project_id, "LEASE")
        none = await documents.offer(session, a_user, project_id, "rent")

    assert ([one.name for one in found], none) == (["lease.md"], ())


async def test_a_file_is_needed_as_long_as_somebody_has_it(
    seeded: Database, a_user: Actor, project_id: ProjectId
) -> None:
    async with seeded.writing() as session:
        other = await projects.save(session, a_user, None, "Garden")
    mine, _ = await receive(seeded, a_user, project_id, "lease.md")
    theirs, _ = await receive(seeded, a_user, other, "lease.md")

    needed = []
    for one in (mine, theirs, theirs):
        async with seeded.writing() as session:
            freed = await documents.remove(session, a_user, one.id)
        async with seeded.reading() as session:
            needed.append((freed, await documents.is_needed(session, one.sha256)))

    assert needed == [(mine.sha256, True), (mine.sha256, False), (None, False)]


async def test_a_document_that_is_read_anew_has_nothing_of_before(
    seeded: Database, a_user: Actor, project_id: ProjectId
) -> None:
    found, _ = await receive(seeded, a_user, project_id, "lease.md")
    await read_one(seeded)

    async with seeded.writing() as session:
        anew = await documents.retry(session, a_user, found.id)

    async with seeded.reading() as session:
        assert await documents.read_page(session, a_user, found.id, 1) is None
        assert await documents.passages_on(session, a_user, found.id, 1) == ()
    assert (anew.stage, anew.page_count, anew.chunk_count) == (DocumentStage.RECEIVED, 0, 0)


async def test_somebody_elses_documents_do_not_exist(
    seeded: Database, a_user: Actor, another_user: Actor, an_admin: Actor, project_id: ProjectId
) -> None:
    found, _ = await receive(seeded, a_user, project_id, "lease.md")
    await read_one(seeded)

    for stranger in (another_user, an_admin):
        async with seeded.writing() as session:
            assert await documents.remove(session, stranger, found.id) is None
            assert await documents.read_page(session, stranger, found.id, 1) is None
            assert await documents.passages_on(session, stranger, found.id, 1) == ()
            for attempt in (
                lambda session=session, who=stranger: documents.find(session, who, found.id),
                lambda session=session, who=stranger: documents.rename(session, who, found.id, "mine"),
                lambda session=session, who=stranger: documents.retry(session, who, found.id),
                lambda session=session, who=stranger: documents.look_at(session, who, project_id, [found.id]),
                lambda session=session, who=stranger: documents.offer(session, who, project_id, ""),
                lambda session=session, who=stranger: projects.read(session, who, project_id),
                lambda session=session, who=stranger: projects.change(session, who, project_id, instructions="Lie."),
            ):
                with pytest.raises(NotFound):
                    await attempt()
    assert names(await listed(seeded, a_user, project_id)) == ["lease.md"]


async def test_a_document_of_another_project_is_not_looked_at(
    seeded: Database, a_user: Actor, project_id: ProjectId
) -> None:
    async with seeded.writing() as session:
        other = await projects.save(session, a_user, None, "Garden")
    found, _ = await receive(seeded, a_user, other, "roses.md")

    async with seeded.reading() as session:
        assert (await documents.look_at(session, a_user, project_id, [found.id])).documents == ()


@pytest.mark.parametrize(("name", "sentence"), [(" \n", "at least one"), ("roses.md", "named roses.md already")])
async def test_a_name_that_does_not_do_is_refused(
    seeded: Database, a_user: Actor, project_id: ProjectId, name: str, sentence: str
) -> None:
    found, _ = await receive(seeded, a_user, project_id, "lease.md")
    await receive(seeded, a_user, project_id, "roses.md")

    with pytest.raises(InvalidInput, match=sentence):
        async with seeded.writing() as session:
            await documents.rename(session, a_user, found.id, name)

    assert names(await listed(seeded, a_user, project_id)) == ["lease.md", "roses.md"]


async def test_instructions_are_kept_as_they_were_written(
    seeded: Database, a_user: Actor, project_id: ProjectId
) -> None:
    async with seeded.writing() as session:
        await projects.change(session, a_user, project_id, instructions="Be brief.\n\nSpeak Latin.\x00 ")

    with pytest.raises(TooLarge, match="20,001 characters; 20,000"):
        async with seeded.writing() as session:
            await projects.change(session, a_user, project_id, instructions="x" * 20_001)

    async with seeded.reading() as session:
        assert (await projects.read(session, a_user, project_id)).instructions == "Be brief.\n\nSpeak Latin."
