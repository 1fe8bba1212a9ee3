"""The worker fetches what people gave addresses of, says what it could not get, and goes on after another one."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.kit.clock import now
from llm_ui.kit.file_store import FileStore
from llm_ui.kit.ids import ProjectId
from llm_ui.models import DocumentFetch, DocumentStage
from llm_ui.services import documents, fetches
from llm_ui.services.access import Actor
from llm_ui.services.documents import DocumentInfo
from llm_ui.services.fetches import FetchInfo
from llm_ui.worker.fetching import keep_fetching
from llm_ui.worker.ingestion import keep_ingesting
from tests.documents.ready import a_project
from tests.fakes.web import PAGE, Answer, Web, a_web
from tests.worker.conftest import at_work
from tests.worker.test_ingestion import ended

HTML = ("Content-Type: text/html",)


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    async with a_web() as web:
        yield web


@pytest.fixture
def opened(database_config: Config) -> Config:
    """Settings that let the worker fetch from this machine."""
    return database_config.model_copy(update={"fetch_allow": ("127.0.0.1",), "max_document_mb": 1})


async def ask(database: Database, actor: Actor, project_id: ProjectId, address: str) -> None:
    async with database.writing() as session:
        await fetches.begin(session, actor, project_id, address)


async def settled(
    database: Database, actor: Actor, project_id: ProjectId
) -> tuple[tuple[DocumentInfo, ...], tuple[FetchInfo, ...]]:
    """Return documents and failed fetches once nothing is to be fetched any more."""
    async with asyncio.timeout(30):
        while True:
            async with database.reading() as session:
                waiting = await fetches.list_fetches(session, actor, project_id)
                listing = await documents.list_documents(session, actor, project_id)
            if all(one.error_message for one in waiting):
                return listing.documents, waiting
            await asyncio.sleep(0.05)


async def test_a_page_becomes_a_document_and_is_read(
    database: Database, opened: Config, a_user: Actor, web: Web
) -> None:
    project_id = await a_project(database, a_user)
    web.answers["/"] = Answer(status="302 Found", headers=("Location: /herons",))
    web.answers["/herons"] = Answer(PAGE, headers=HTML)
    await ask(database, a_user, project_id, web.url("/"))

    async with at_work(keep_fetching, opened, database), at_work(keep_ingesting, opened, database):
        ((found,), failed) = await settled(database, a_user, project_id)
        read = await ended(database, a_user, found.id)

    assert (found.name, found.source_url, failed) == ("Herons & Storks.html", web.url("/"), ())
    assert (read.stage, read.media_type) == (DocumentStage.READY, "text/html")
    assert await asyncio.to_thread(FileStore(opened.files_path).read, found.sha256) == PAGE


async def test_what_is_fetched_again_is_a_new_version_only_when_it_is_new(
    database: Database, opened: Config, a_user: Actor, web: Web
) -> None:
    project_id = await a_project(database, a_user)
    web.answers["/herons"] = Answer(PAGE, headers=HTML)
    await ask(database, a_user, project_id, web.url("/herons"))
    versions = []
    async with at_work(keep_fetching, opened, database):
        for body in (PAGE, PAGE, PAGE.replace(b"Storks", b"Cranes")):
            web.answers["/herons"] = Answer(body, headers=HTML)
            ((found,), _) = await settled(database, a_user, project_id)
            async with database.writing() as session:
                await fetches.begin_again(session, a_user, found.id)
            ((found,), _) = await settled(database, a_user, project_id)
            versions.append((found.name, found.version))

    assert versions == [("Herons & Storks.html", version) for version in (1, 1, 2)]


async def test_what_cannot_be_fetched_says_why_and_leaves_nothing(
    database: Database, opened: Config, a_user: Actor, web: Web
) -> None:
    project_id = await a_project(database, a_user)
    web.answers["/endless"] = Answer(endless=True)
    web.answers["/inside"] = Answer(status="302 Found", headers=(f"Location: http://127.0.0.2:{web.port}/",))
    for path in ("/endless", "/inside", "/nothing"):
        await ask(database, a_user, project_id, web.url(path))

    async with at_work(keep_fetching, opened, database):
        found, failed = await settled(database, a_user, project_id)

    assert found == ()
    assert {
        one.address.rpartition("/")[2]: one.error_message.partition(",")[0] for one in failed if one.error_message
    } == {
        "endless": "What 127.0.0.1 sends is larger than 1 MB",
        "inside": "127.0.0.2 is not on the public internet",
        "nothing": "127.0.0.1 has nothing under this address. Check it.",
    }
    assert await asyncio.to_thread(lambda: list(FileStore(opened.files_path).names())) == []
    assert await asyncio.to_thread(lambda: list(opened.files_path.glob("*.partial"))) == []


async def test_what_is_no_document_is_told_by_its_reader(
    database: Database, opened: Config, a_user: Actor, web: Web
) -> None:
    project_id = await a_project(database, a_user)
    web.answers["/film"] = Answer(bytes(range(256)) * 99, headers=("Content-Type: application/pdf",))
    await ask(database, a_user, project_id, web.url("/film"))

    async with at_work(keep_fetching, opened, database), at_work(keep_ingesting, opened, database):
        ((found,), _) = await settled(database, a_user, project_id)
        read = await ended(database, a_user, found.id)

    assert (read.stage, found.name) == (DocumentStage.FAILED, "film.pdf")
    assert "no document that can be read" in (read.error_message or "")


async def test_a_worker_that_ends_gives_it_back_and_a_dead_ones_is_taken_over(
    database: Database, opened: Config, a_user: Actor, web: Web
) -> None:
    project_id = await a_project(database, a_user)
    web.answers["/slow"] = Answer(trickles=True)
    await ask(database, a_user, project_id, web.url("/slow"))
    async with at_work(keep_fetching, opened, database):
        async with asyncio.timeout(30):
            while not web.asked:
                await asyncio.sleep(0.01)
    async with database.reading() as session:
        (given_back,) = await fetches.list_fetches(session, a_user, project_id)
    assert (given_back.is_begun, given_back.error_message) == (False, None)

    async with database.writing() as session:
        assert await fetches.claim(session) is not None
        await session.execute(update(DocumentFetch).values(heartbeat_at=now() - timedelta(minutes=1)))
    web.answers["/slow"] = Answer(PAGE, headers=HTML)
    async with at_work(keep_fetching, opened, database):
        ((found,), _) = await settled(database, a_user, project_id)

    assert found.version == 1


async def test_what_is_not_wanted_any_more_does_not_arrive(
    database: Database, opened: Config, a_user: Actor, web: Web
) -> None:
    project_id = await a_project(database, a_user)
    web.answers["/slow"] = Answer(trickles=True)
    await ask(database, a_user, project_id, web.url("/slow"))
    async with at_work(keep_fetching, opened, database):
        async with asyncio.timeout(30):
            while not web.asked:
                await asyncio.sleep(0.01)
        async with database.writing() as session:
            (one,) = await fetches.list_fetches(session, a_user, project_id)
            await fetches.remove(session, a_user, one.id)
        # The next look of the worker's, at which it hangs up.
        async with asyncio.timeout(30):
            while web.at_work:
                await asyncio.sleep(0.05)
        found, failed = await settled(database, a_user, project_id)

    assert (found, failed) == ((), ())


async def test_where_it_is_switched_off_nothing_is_fetched(
    database: Database, opened: Config, a_user: Actor, web: Web
) -> None:
    project_id = await a_project(database, a_user)
    await ask(database, a_user, project_id, web.url("/"))

    await keep_fetching(opened.model_copy(update={"fetch_web": False}), database, asyncio.Event())

    assert web.asked == []
