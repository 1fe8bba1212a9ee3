"""The download of everything, over HTTP."""

import io
import json
import zipfile
from typing import Any

import pytest
from tornado.simple_httpclient import HTTPStreamClosedError

from llm_ui.app import archive
from llm_ui.errors import DatabaseDown
from tests.app.conftest import Workspace


async def test_a_person_gets_an_archive_as_a_file(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")

    page = await ann.get("/export/everything.zip")

    assert (page.code, page.headers["Content-Type"]) == (200, "application/zip")
    assert page.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''LLM%20UI%20ann%20")
    assert page.headers["Cache-Control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(page.body)) as found:
        assert json.loads(found.read("account.json"))["name"] == "ann"


async def test_asking_for_it_again_and_again_is_slowed_down(workspace: Workspace) -> None:
    ann, bob = await workspace.signed_in("ann"), await workspace.signed_in("bob")
    for _ in range(10):
        workspace.site.throttle.archive(str(workspace.people["ann"].user_id))

    refused, others = await ann.get("/export/everything.zip"), await bob.get("/export/everything.zip")

    assert (refused.code, others.code) == (429, 200)
    assert 0 < int(refused.headers["Retry-After"]) <= 3_600
    assert b"Try again in" in refused.body


async def test_what_breaks_off_is_no_whole_file(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any) -> Any:
        yield b"PK"
        raise DatabaseDown

    monkeypatch.setattr(archive, "archive", broken)
    ann = await workspace.signed_in("ann")

    with pytest.raises(HTTPStreamClosedError):
        await ann.get("/export/everything.zip")
