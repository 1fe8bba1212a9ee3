"""The logo and colour of the workspace, over HTTP."""

import io
import json

from PIL import Image
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse

from llm_ui.models import Role
from llm_ui.services import settings
from llm_ui.services.access import SYSTEM
from llm_ui.services.settings import ACCENT, BANNER
from tests.app.browser import Browser
from tests.app.conftest import Workspace
from tests.app.test_pictures import photo


async def upload(browser: Browser, data: bytes, name: str = "logo.png") -> HTTPResponse:
    await browser.get("/account")
    headers = browser._sent({"X-XSRFToken": browser.csrf, "X-File-Name": name})
    request = HTTPRequest(browser.origin + "/admin/logo", "POST", headers, data, request_timeout=20)
    return await AsyncHTTPClient().fetch(request, raise_error=False)


async def look(browser: Browser) -> dict[str, str]:
    told: dict[str, str] = json.loads((await browser.get("/look")).body)
    return told


async def test_a_logo_is_drawn_anew_and_shown_to_strangers_too(workspace: Workspace) -> None:
    ada, stranger = await workspace.signed_in("ada", Role.ADMIN), workspace.browser()
    before = await look(stranger)

    assert (await upload(ada, photo("PNG"))).code == 201

    told = await look(stranger)
    assert told["logo"] != before["logo"]
    assert told["logo"].encode() in (await stranger.get("/login")).body
    answer = await stranger.get(told["logo"])
    assert (answer.headers["Content-Type"], "immutable" in answer.headers["Cache-Control"]) == ("image/png", True)
    assert b"harbour" not in answer.body
    manifest = json.loads((await stranger.get("/app.webmanifest")).body)
    assert len(manifest["icons"]) == 3
    for icon in manifest["icons"]:
        with Image.open(io.BytesIO((await stranger.get(icon["src"])).body)) as shown:
            assert f"{shown.width}x{shown.height}" == icon["sizes"]
    assert (await upload(ada, photo("PNG", (20, 20)))).code == 201
    assert (await look(stranger))["logo"] != told["logo"]
    assert (await stranger.get(told["logo"])).code == 404


async def test_what_is_no_picture_and_who_is_no_administrator_is_refused(workspace: Workspace) -> None:
    ada, bob = await workspace.signed_in("ada", Role.ADMIN), await workspace.signed_in("bob")
    before = await look(ada)

    drawing = await upload(ada, b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "a.svg")
    others = await upload(bob, photo("PNG"))

    assert (drawing.code, others.code) == (400, 403)
    assert b"a.svg is no picture. Pick a PNG" in drawing.body
    assert await look(bob) == before


async def test_how_it_looks_is_sent_once_and_anew_when_it_changed(workspace: Workspace) -> None:
    stranger = workspace.browser()
    first = await stranger.get("/look")

    again = await stranger.get("/look", **{"If-None-Match": first.headers["ETag"]})
    async with workspace.site.backend.database.writing() as session:
        await settings.change(session, SYSTEM, ACCENT, "#a11d5b")
        await settings.change(session, SYSTEM, BANNER, "Down at noon")
    changed = await stranger.get("/look", **{"If-None-Match": first.headers["ETag"]})

    assert (again.code, changed.code) == (304, 200)
    told = json.loads(changed.body)
    assert ("--accent:#a11d5b;" in told["styles"], told["banner"]) == (True, "Down at noon")
    assert json.loads((await stranger.get("/app.webmanifest")).body)["theme_color"] == "#a11d5b"


async def test_open_pages_are_told_whoever_changed_it(workspace: Workspace) -> None:
    ann, bob = await workspace.signed_in("ann"), await workspace.signed_in("bob")
    pages = [await ann.open(), await bob.open()]
    async with workspace.site.backend.database.writing() as session:
        # As another process does: nothing here knows of it.
        await settings.store(session, ACCENT, "#a11d5b")

    for page in pages:
        header, _, content = [await page.read_message() for _ in range(3)]
        assert json.loads(header)["msgtype"] == "PATCH-DOC"
        (event,) = json.loads(content)["events"]
        assert (event["kind"], event["msg_type"]) == ("MessageSent", "look")
