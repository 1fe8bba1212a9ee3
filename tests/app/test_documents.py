"""Documents over HTTP: taken into one's own project, refused in one sentence, given back to whoever may see them."""

import asyncio
import json
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import pytest
from tornado.httpclient import HTTPResponse

from llm_ui.config import Config
from llm_ui.kit.ids import DocumentId, ProjectId
from llm_ui.models import ProjectRole
from llm_ui.services import documents, project_members, projects, settings
from llm_ui.services.settings import PROJECT_DOCUMENTS_MB
from tests.app.browser import Browser, until
from tests.app.conftest import Workspace

TEXT = b"# Lease\n\nThe rent is due on the third day."


@pytest.fixture
def config(config: Config) -> Config:
    """Settings that allow a megabyte a document."""
    return config.model_copy(update={"max_document_mb": 1})


async def begin(workspace: Workspace, name: str) -> ProjectId:
    async with workspace.site.backend.database.writing() as session:
        return await projects.save(session, workspace.people[name], None, "House")


async def upload(
    browser: Browser, project_id: ProjectId, data: bytes, name: str = "lease.md", **headers: str
) -> HTTPResponse:
    if not browser.csrf:
        await browser.get("/account")
    sent = {"X-Xsrftoken": browser.csrf, "X-File-Name": quote(name), "Content-Type": "application/octet-stream"}
    return await browser._fetch(f"/p/{project_id}/documents", "POST", data, {**sent, **headers})  # type: ignore[arg-type]


def told(response: HTTPResponse) -> dict[str, object]:
    return dict(json.loads(response.body))


def sentence(response: HTTPResponse) -> str:
    return str(json.loads(response.body)["error"]["message"])


def files(workspace: Workspace) -> list[Path]:
    folder = workspace.site.backend.config.files_path
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_document_is_taken_in_and_given_back_to_be_saved(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    project_id = await begin(workspace, "ann")

    taken = await upload(ann, project_id, TEXT, "größe, lease.html")
    found = told(taken)
    given = await ann.get(f"/documents/{found['id']}/file")

    assert taken.code == 201
    assert found == {"id": found["id"], "name": "größe, lease.html", "is_new": True, "version": 1}
    assert (given.code, given.body, given.headers["Content-Type"]) == (200, TEXT, "application/octet-stream")
    disposition = f"attachment; filename*=UTF-8''{quote('größe, lease.html', safe='')}"
    assert given.headers["Content-Disposition"] == disposition
    assert given.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in given.headers["Content-Security-Policy"]


async def test_a_viewer_saves_documents_and_adds_none_until_they_are_an_editor(workspace: Workspace) -> None:
    ann, bob = await workspace.signed_in("ann"), await workspace.signed_in("bob")
    owner, member = workspace.people["ann"], workspace.people["bob"]
    project_id = await begin(workspace, "ann")
    found = told(await upload(ann, project_id, TEXT))
    async with workspace.site.backend.database.writing() as session:
        await project_members.add(session, owner, project_id, "bob@example.org", ProjectRole.VIEWER)

    refused = await upload(bob, project_id, b"More.", "more.md")

    assert (refused.code, sentence(refused)[:31]) == (403, "You may ask in the project Hous")
    assert (await bob.get(f"/documents/{found['id']}/file")).body == TEXT
    async with workspace.site.backend.database.writing() as session:
        await project_members.change_role(session, owner, project_id, member.user_id, ProjectRole.EDITOR)
    assert (await upload(bob, project_id, b"More.", "more.md")).code == 201


async def test_what_is_there_already_and_what_is_replaced_is_told(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    project_id = await begin(workspace, "ann")
    first = told(await upload(ann, project_id, TEXT))

    again = told(await upload(ann, project_id, TEXT, "copy of lease.md"))
    changed = told(await upload(ann, project_id, TEXT + b" Of each month."))

    assert again == {**first, "is_new": False}
    assert changed == {**first, "version": 2}


async def test_the_same_bytes_at_the_same_moment_are_one_document(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    project_id = await begin(workspace, "ann")
    await ann.get("/account")

    taken = await asyncio.gather(*(upload(ann, project_id, TEXT, f"{name}.md") for name in "abcd"))

    assert {each.code for each in taken} == {201}
    assert sorted(bool(told(each)["is_new"]) for each in taken) == [False, False, False, True]
    assert len(files(workspace)) == 1


async def test_a_document_is_for_its_owner_only(workspace: Workspace) -> None:
    ann, bob = await workspace.signed_in("ann"), await workspace.signed_in("bob")
    project_id = await begin(workspace, "ann")
    found = told(await upload(ann, project_id, TEXT))

    refused = await upload(bob, project_id, b"mine now")

    assert (refused.code, sentence(refused)[:29]) == (404, "This project does not exist a")
    assert (await bob.get(f"/documents/{found['id']}/file")).code == 404
    assert (await workspace.browser().get(f"/documents/{found['id']}/file")).headers["Location"] == "/login"
    assert (await ann.get(f"/documents/{'0' * 36}/file")).code == 404
    await until(lambda: len(files(workspace)) == 1)


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [(b"", 400, "lease.md is empty."), (b"x" * 1_000_001, 413, "lease.md is larger than 1 MB, which is the most.")],
)
async def test_what_cannot_be_used_is_refused_and_leaves_nothing(
    workspace: Workspace, data: bytes, code: int, said: str
) -> None:
    ann = await workspace.signed_in("ann")

    refused = await upload(ann, await begin(workspace, "ann"), data)

    assert refused.code == code
    assert sentence(refused).startswith(said)
    await until(lambda: files(workspace) == [])


async def test_strangers_and_foreign_pages_cannot_upload(workspace: Workspace) -> None:
    ann, stranger = await workspace.signed_in("ann"), workspace.browser()
    project_id = await begin(workspace, "ann")
    await stranger.get("/login")

    unsigned = await upload(stranger, project_id, TEXT)
    no_token = await upload(ann, project_id, TEXT, **{"X-Xsrftoken": "guessed"})
    foreign = await upload(ann, project_id, TEXT, **{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"})

    assert (unsigned.code, no_token.code, foreign.code) == (401, 403, 403)
    await until(lambda: files(workspace) == [])


async def test_a_document_that_goes_while_its_bytes_arrive_again_keeps_them(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    project_id = await begin(workspace, "ann")
    database = workspace.site.backend.database
    found = told(await upload(ann, project_id, TEXT))
    async with database.writing() as session:
        sha256 = await documents.remove(session, workspace.people["ann"], DocumentId(UUID(str(found["id"]))))
    assert sha256 is not None

    again = told(await upload(ann, project_id, TEXT))

    async with database.reading() as session:
        assert await documents.is_needed(session, sha256)
    assert (await ann.get(f"/documents/{again['id']}/file")).body == TEXT


async def test_what_there_is_no_room_for_is_refused_and_leaves_nothing(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    project_id = await begin(workspace, "ann")
    async with workspace.site.backend.database.writing() as session:
        await settings.store(session, PROJECT_DOCUMENTS_MB, 1)
    first = await upload(ann, project_id, b"a" * 600_000, "a.txt")

    refused = await upload(ann, project_id, b"b" * 600_000, "b.txt")
    replaced = await upload(ann, project_id, b"c" * 700_000, "a.txt")

    assert (first.code, refused.code, replaced.code) == (201, 413, 201)
    assert sentence(refused).startswith(
        "b.txt does not fit: the documents of this project take 0 MB and may take 1 MB."
    )
    await until(lambda: len(files(workspace)) == 2)
