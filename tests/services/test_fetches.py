"""What is to be fetched from the web: asked for, taken by one worker, tried again, given up; on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from llm_ui.db import Database
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.fetching import Fetched
from llm_ui.kit.ids import ProjectId
from llm_ui.models import DocumentFetch, User
from llm_ui.services import documents, fetches, projects
from llm_ui.services.access import Actor
from llm_ui.services.documents import Arrived, DocumentInfo
from llm_ui.services.fetches import GIVEN_UP, MAX_ATTEMPTS, FetchInfo, Held, name_of

ADDRESS = "https://example.org/report.pdf"


@pytest.fixture
async def project_id(seeded: Database, a_user: Actor) -> ProjectId:
    """A project of the user's."""
    async with seeded.writing() as session:
        return await projects.save(session, a_user, None, "House")


async def begin(database: Database, actor: Actor, project_id: ProjectId, address: str = ADDRESS) -> None:
    async with database.writing() as session:
        await fetches.begin(session, actor, project_id, address)


async def listed(database: Database, actor: Actor, project_id: ProjectId) -> tuple[FetchInfo, ...]:
    async with database.reading() as session:
        return await fetches.list_fetches(session, actor, project_id)


async def claim(database: Database) -> Held | None:
    async with database.writing() as session:
        return await fetches.claim(session)


async def test_what_is_asked_for_is_fetched_by_one_worker(
    seeded: Database, a_user: Actor, project_id: ProjectId
) -> None:
    await begin(seeded, a_user, project_id, " https://Example.org/report.pdf#page=3 ")
    await begin(seeded, a_user, project_id)
    (waiting,) = await listed(seeded, a_user, project_id)

    held, nothing = await claim(seeded), await claim(seeded)
    (begun,) = await listed(seeded, a_user, project_id)
    assert held is not None
    async with seeded.writing() as session:
        is_mine, is_twice = await fetches.finish(session, held), await fetches.finish(session, held)

    assert (waiting.address, waiting.is_begun, begun.is_begun) == (ADDRESS, False, True)
    assert (held.address, held.actor.user_id, nothing) == (ADDRESS, a_user.user_id, None)
    assert (is_mine, is_twice, await listed(seeded, a_user, project_id)) == (True, False, ())


async def test_what_fails_says_why_and_is_tried_again(seeded: Database, a_user: Actor, project_id: ProjectId) -> None:
    await begin(seeded, a_user, project_id)
    held = await claim(seeded)
    assert held is not None
    async with seeded.writing() as session:
        await fetches.fail(session, held, "It is gone.")
    (failed,) = await listed(seeded, a_user, project_id)
    assert (failed.error_message, await claim(seeded)) == ("It is gone.", None)

    async with seeded.writing() as session:
        await fetches.retry(session, a_user, failed.id)

    assert await claim(seeded) is not None


async def test_a_dead_workers_is_taken_over_but_not_for_ever(
    seeded: Database, a_user: Actor, project_id: ProjectId
) -> None:
    await begin(seeded, a_user, project_id)
    first = await claim(seeded)
    assert first is not None
    for attempt in range(MAX_ATTEMPTS):
        async with seeded.writing() as session:
            await session.execute(update(DocumentFetch).values(heartbeat_at=now() - timedelta(minutes=1)))
        again = await claim(seeded)
        assert (again is None) == (attempt == MAX_ATTEMPTS - 1)

    async with seeded.writing() as session:
        assert not await fetches.beat(session, first)
        assert not await fetches.finish(session, first)
    assert (await listed(seeded, a_user, project_id))[0].error_message == GIVEN_UP


async def test_nothing_is_fetched_for_who_may_not_be_here_any_more(
    seeded: Database, a_user: Actor, project_id: ProjectId
) -> None:
    await begin(seeded, a_user, project_id)
    async with seeded.writing() as session:
        await session.execute(update(User).where(User.id == a_user.user_id).values(is_active=False))

    assert await claim(seeded) is None
    assert await listed(seeded, a_user, project_id) == ()


async def test_too_many_addresses_are_refused(
    seeded: Database, a_user: Actor, project_id: ProjectId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetches, "MAX_FETCHES", 2)
    for number in range(2):
        await begin(seeded, a_user, project_id, f"{ADDRESS}?{number}")

    with pytest.raises(InvalidInput, match="2 addresses of this project wait"):
        await begin(seeded, a_user, project_id)


async def test_somebody_elses_do_not_exist(
    seeded: Database, a_user: Actor, another_user: Actor, an_admin: Actor, project_id: ProjectId
) -> None:
    await begin(seeded, a_user, project_id)
    (mine,) = await listed(seeded, a_user, project_id)

    for stranger in (another_user, an_admin):
        assert await listed(seeded, stranger, project_id) == ()
        async with seeded.writing() as session:
            for attempt in (
                lambda session=session, who=stranger: fetches.begin(session, who, project_id, ADDRESS),
                lambda session=session, who=stranger: fetches.retry(session, who, mine.id),
                lambda session=session, who=stranger: fetches.remove(session, who, mine.id),
            ):
                with pytest.raises(NotFound):
                    await attempt()
    async with seeded.writing() as session:
        await fetches.remove(session, a_user, mine.id)
    assert await listed(seeded, a_user, project_id) == ()


async def receive(
    database: Database, actor: Actor, project_id: ProjectId, name: str, content: str, source: str | None
) -> tuple[DocumentInfo, bool]:
    async with database.writing() as session:
        arrived = Arrived(name, 40, f"{hash(content) & 0xFFFF:064x}", source)
        return await documents.receive(session, actor, project_id, arrived)


async def test_a_document_from_the_web_replaces_only_what_came_from_there(
    seeded: Database, a_user: Actor, project_id: ProjectId
) -> None:
    mine, _ = await receive(seeded, a_user, project_id, "Home.html", "mine", None)
    theirs, _ = await receive(seeded, a_user, project_id, "Home.html", "theirs", "https://a.org/")
    third, _ = await receive(seeded, a_user, project_id, "Home.html", "third", "https://b.org/")
    newer, is_new = await receive(seeded, a_user, project_id, "New title.html", "newer", "https://a.org/")
    same, is_same_new = await receive(seeded, a_user, project_id, "Copy.html", "mine", "https://c.org/")

    assert [one.name for one in (mine, theirs, third)] == ["Home.html", "Home (2).html", "Home (3).html"]
    assert (newer.id, newer.name, newer.version, is_new) == (theirs.id, "Home (2).html", 2, True)
    assert (same.id, same.source_url, is_same_new) == (mine.id, "https://c.org/", False)
    async with seeded.writing() as session:
        await fetches.begin_again(session, a_user, newer.id)
    assert [one.address for one in await listed(seeded, a_user, project_id)] == ["https://a.org/"]


async def test_what_was_uploaded_is_not_fetched_again(seeded: Database, a_user: Actor, project_id: ProjectId) -> None:
    mine, _ = await receive(seeded, a_user, project_id, "lease.md", "mine", None)

    with pytest.raises(InvalidInput, match="was not fetched"):
        async with seeded.writing() as session:
            await fetches.begin_again(session, a_user, mine.id)


@pytest.mark.parametrize(
    ("fetched", "head", "name"),
    [
        (Fetched("https://a.org/x", "text/html", "told.pdf"), b"<title>No</title>", "told.pdf"),
        (Fetched("https://a.org/x", "text/html", ""), b"<TITLE lang=en>\n AC/DC &amp; I \n</TITLE>", "AC-DC & I.html"),
        (Fetched("https://a.org/x", "text/html", ""), b"<title>never ends", "x.html"),
        (Fetched("https://a.org/x", "text/html", ""), b"<title></title>", "x.html"),
        (Fetched("https://a.org/x.html", "text/html", ""), b"", "x.html"),
        (Fetched("https://a.org/", "text/html", ""), b"", "a.org.html"),
        (Fetched("https://a.org/r%C3%A4te/?q", "text/csv", ""), b"<title>no page</title>", "räte.csv"),
        (Fetched("https://a.org/report.pdf", "application/octet-stream", ""), b"", "report.pdf"),
        (Fetched("https://a.org/get", "application/octet-stream", ""), b"", "get"),
    ],
)
def test_a_document_is_called_as_its_server_title_or_address_say(fetched: Fetched, head: bytes, name: str) -> None:
    assert name_of(fetched, head) == name


def test_a_page_full_of_titles_takes_no_time() -> None:
    fetched = Fetched("https://a.org/x", "text/html", "")

    assert name_of(fetched, b"<title" * 10_000) == "x.html"
