"""Files over HTTP: taken in, refused in one sentence, given back to whoever owns them."""

import asyncio
import json
from pathlib import Path
from urllib.parse import quote

import pytest
from tornado.httpclient import HTTPResponse

from llm_ui.config import Config
from llm_ui.services import attachments
from tests.app.browser import Browser, until
from tests.app.conftest import Workspace
from tests.fakes import images

PICTURE = images.png(64, 48)
HTML = b"<!doctype html><script>alert(1)</script>"


@pytest.fixture
def config(config: Config) -> Config:
    """Settings that allow a megabyte a file."""
    return config.model_copy(update={"max_file_mb": 1})


async def upload(browser: Browser, data: bytes, name: str = "cat.png", **headers: str) -> HTTPResponse:
    if not browser.csrf:
        await browser.get("/account")
    sent = {"X-Xsrftoken": browser.csrf, "X-File-Name": quote(name), "Content-Type": "application/octet-stream"}
    return await browser._fetch("/files", "POST", data, {**sent, **headers})  # type: ignore[arg-type]


def sentence(response: HTTPResponse) -> str:
    return str(json.loads(response.body)["error"]["message"])


def files(workspace: Workspace) -> list[Path]:
    folder = workspace.site.backend.config.files_path
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_picture_is_taken_in_and_given_back(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")

    taken = await upload(ann, PICTURE, "größe, cat.png")
    told = json.loads(taken.body)
    given = await ann.get(f"/files/{told['id']}")

    assert taken.code == 201
    size = {"size": len(PICTURE), "is_image": True, "width": 64, "height": 48}
    assert told == {"id": told["id"], "name": "größe, cat.png", **size}
    assert (given.code, given.body, given.headers["Content-Type"]) == (200, PICTURE, "image/png")
    assert given.headers["Content-Disposition"] == f"inline; filename*=UTF-8''{quote('größe, cat.png', safe='')}"
    assert given.headers["Cache-Control"] == "private, no-cache"
    assert "sandbox" in given.headers["Content-Security-Policy"]
    assert given.headers["X-Content-Type-Options"] == "nosniff"
    again = await ann.get(f"/files/{told['id']}", **{"If-None-Match": given.headers["ETag"]})
    assert (again.code, again.body) == (304, b"")


@pytest.mark.parametrize("name", ["page.html", "picture.svg", "cat.png"])
async def test_what_is_written_is_never_shown_as_a_page(workspace: Workspace, name: str) -> None:
    ann = await workspace.signed_in("ann")

    told = json.loads((await upload(ann, HTML, name)).body)
    given = await ann.get(f"/files/{told['id']}")

    assert told["is_image"] is False
    assert given.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert given.headers["Content-Disposition"].startswith("attachment; ")
    assert "sandbox" in given.headers["Content-Security-Policy"]


async def test_a_file_is_for_its_owner_only(workspace: Workspace) -> None:
    ann, bob = await workspace.signed_in("ann"), await workspace.signed_in("bob")
    told = json.loads((await upload(ann, PICTURE)).body)

    assert (await bob.get(f"/files/{told['id']}")).code == 404
    assert (await workspace.browser().get(f"/files/{told['id']}")).headers["Location"] == "/login"
    assert (await ann.get(f"/files/{'0' * 36}")).code == 404


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        (b"", 400, "cat.png is empty. Pick another file."),
        (b" \n ", 400, "cat.png is empty. Pick another file."),
        (PICTURE[:60], 400, "cat.png is a broken picture. Save it anew, or pick another one."),
        (b"%PDF-1.4\n\x00\xff", 400, "cat.png is a PDF: it is read as a document of a project."),
        (b"\x00\x01\x02", 400, "cat.png is neither a picture nor text."),
        (b"x" * 1_000_001, 413, "cat.png is larger than 1 MB, which is the most."),
        (images.png_header(60_000, 2), 413, "cat.png has 60,000 × 2 pixels"),
    ],
)
async def test_what_cannot_be_used_is_refused_and_leaves_nothing(
    workspace: Workspace, data: bytes, code: int, said: str
) -> None:
    ann = await workspace.signed_in("ann")

    refused = await upload(ann, data)

    assert refused.code == code
    assert sentence(refused).startswith(said)
    await until(lambda: files(workspace) == [])


async def test_strangers_and_foreign_pages_cannot_upload(workspace: Workspace) -> None:
    ann, stranger = await workspace.signed_in("ann"), workspace.browser()
    await stranger.get("/login")

    unsigned = await upload(stranger, PICTURE)
    no_token = await upload(ann, PICTURE, **{"X-Xsrftoken": "guessed"})
    foreign = await upload(ann, PICTURE, **{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"})

    assert (unsigned.code, no_token.code, foreign.code) == (401, 403, 403)
    assert sentence(unsigned) == "You are signed out. Sign in again to go on."
    await until(lambda: files(workspace) == [])


@pytest.mark.parametrize(
    "name", ["../../../etc/cron.d/x", "..\\..\\x", "/etc/passwd", "a\x00b", "%2e%2e%2fx", "x" * 5_000]
)
async def test_no_name_becomes_a_path(workspace: Workspace, name: str) -> None:
    ann = await workspace.signed_in("ann")

    told = json.loads((await upload(ann, PICTURE, name)).body)

    assert "/" not in told["name"].replace("%2f", "")
    assert len(told["name"]) <= 200
    (path,) = files(workspace)
    assert path.parent.parent == workspace.site.backend.config.files_path


async def test_an_upload_that_is_cut_off_leaves_nothing(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    await ann.get("/account")
    host, port = ann.origin.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    cookies = "; ".join(f"{name}={value}" for name, value in ann.cookies.items())
    head = (
        f"POST /files HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: {cookies}\r\nX-Xsrftoken: {ann.csrf}\r\n"
        f"Content-Length: 500000\r\n\r\n"
    )
    writer.write(head.encode() + b"x" * 100_000)
    await writer.drain()
    await until(lambda: len(files(workspace)) == 1)

    writer.close()
    await writer.wait_closed()

    await until(lambda: files(workspace) == [])


async def test_a_body_longer_than_it_says_is_bounded(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    await ann.get("/account")

    async def pieces(write: object) -> None:
        for _ in range(30):
            await write(b"x" * 65_536)  # type: ignore[operator]

    from tornado.httpclient import AsyncHTTPClient, HTTPRequest  # noqa: PLC0415 - only here

    request = HTTPRequest(
        f"{ann.origin}/files", "POST", ann._sent({"X-Xsrftoken": ann.csrf, "X-File-Name": "long.txt"}),
        body_producer=pieces,
    )  # fmt: skip
    refused = await AsyncHTTPClient().fetch(request, raise_error=False)

    assert refused.code == 413
    assert sentence(refused).startswith("long.txt is larger than 1 MB")
    await until(lambda: files(workspace) == [])


async def test_the_same_file_twice_lies_once(workspace: Workspace) -> None:
    ann, bob = await workspace.signed_in("ann"), await workspace.signed_in("bob")

    ids = {json.loads((await upload(browser, PICTURE)).body)["id"] for browser in (ann, ann, bob)}

    assert len(ids) == 3
    assert len(files(workspace)) == 1


async def test_a_file_whose_content_is_gone_is_said_to_be(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    told = json.loads((await upload(ann, PICTURE)).body)
    (path,) = files(workspace)
    path.unlink()

    given = await ann.get(f"/files/{told['id']}")

    assert given.code == 404
    assert b"not on the server any more" in given.body
    assert "Content-Disposition" not in given.headers


async def test_a_full_disk_is_told(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = await workspace.signed_in("ann")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("llm_ui.kit.file_store.NewFile.__init__", full)
    refused = await upload(ann, PICTURE)

    assert refused.code == 507
    assert "disk is full" in sentence(refused)


async def test_too_many_that_wait_are_refused(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MAX_UNSENT", 1)
    ann = await workspace.signed_in("ann")
    assert (await upload(ann, PICTURE)).code == 201

    refused = await upload(ann, HTML)

    assert (refused.code, sentence(refused)[:18]) == (400, "1 of your files wa")
