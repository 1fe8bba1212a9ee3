"""Uploading a file with chats, over HTTP."""

import asyncio
import json
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse

from llm_ui.app import imports
from llm_ui.models import JobKind
from llm_ui.services import jobs
from tests.app.browser import Browser, until
from tests.app.conftest import Workspace
from tests.fakes.exports import as_json, chatgpt_chat

CONTENT = as_json([chatgpt_chat(1, 1)])


async def uploaded(browser: Browser, content: bytes, method: str = "POST") -> HTTPResponse:
    """Send a file as the page does."""
    await browser.get("/account")
    headers = browser._sent({"X-XSRFToken": browser.csrf, "X-File-Name": "My%20chats.json"})
    request = HTTPRequest(browser.origin + "/import", method, headers, content if method == "POST" else None)
    return await AsyncHTTPClient().fetch(request, raise_error=False)


def told(page: HTTPResponse) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page.body)["import"]
    return found


def files(workspace: Workspace) -> dict[str, int]:
    folder = workspace.site.backend.config.folder / "imports"
    return {path.name: path.stat().st_size for path in folder.glob("*")}


async def test_a_file_waits_to_be_brought_in(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    assert json.loads((await ann.get("/import")).body) == {"import": None}

    page = await uploaded(ann, CONTENT)

    assert page.code == 200
    assert (told(page)["state"], told(page)["name"]) == ("queued", "My chats.json")
    assert list(files(workspace).values()) == [len(CONTENT)]
    assert told(await ann.get("/import"))["state"] == "queued"
    assert json.loads((await (await workspace.signed_in("bob")).get("/import")).body) == {"import": None}


async def test_one_at_a_time_until_it_is_cancelled(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    await uploaded(ann, CONTENT)

    refused = await uploaded(ann, CONTENT)
    cancelled = await uploaded(ann, b"", "DELETE")
    again = await uploaded(ann, CONTENT)

    assert (refused.code, told(refused)["error"]) == (
        409,
        "Another file is still being brought in. Wait for its end, or cancel it.",
    )
    assert told(cancelled)["state"] == "cancelled"
    assert told(again)["state"] == "queued"
    assert len(files(workspace)) == 2


async def test_what_is_too_large_is_refused_before_it_is_taken(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "MAX_UPLOAD_BYTES", len(CONTENT) - 1)
    ann = await workspace.signed_in("ann")

    page = await uploaded(ann, CONTENT)

    assert page.code == 413
    assert "in parts" in told(page)["error"]
    assert files(workspace) == {}
    assert (await uploaded(ann, b"")).code == 400


async def test_an_upload_that_breaks_off_leaves_nothing(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    await ann.get("/account")
    config = workspace.site.backend.config
    _, writer = await asyncio.open_connection(config.host, config.port)
    head = {"Host": f"{config.host}:{config.port}", "Content-Length": "1000000", "X-XSRFToken": ann.csrf}
    lines = [f"{name}: {value}" for name, value in ann._sent(head).items()]
    writer.write("\r\n".join(["POST /import HTTP/1.1", *lines, "", ""]).encode() + CONTENT)
    await until(lambda: len(files(workspace)) == 1)

    writer.close()

    await until(lambda: files(workspace) == {})
    async with workspace.site.backend.database.reading() as session:
        assert await jobs.newest(session, workspace.people["ann"], JobKind.IMPORT) is None


async def test_a_stranger_and_a_foreign_page_upload_nothing(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    stranger = workspace.browser()
    ann.csrf = "guessed"

    request = HTTPRequest(ann.origin + "/import", "POST", ann._sent({"X-XSRFToken": "guessed"}), CONTENT)
    page = await AsyncHTTPClient().fetch(request, raise_error=False)

    assert page.code == 403
    assert (await stranger.get("/import")).code == 401
    assert files(workspace) == {}
