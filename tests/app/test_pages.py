"""Pages of the workspace: who gets one, what is in it, what is not."""

import contextlib
import re

import pytest
from bokeh.util.token import get_token_payload

from llm_ui.app import room
from llm_ui.errors import TooManyRequests
from llm_ui.models import Role
from tests.app.browser import nonce, pulled
from tests.app.conftest import Workspace

SCRIPT = re.compile(r"<script\b[^>]*>")


async def test_a_person_gets_a_page(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")

    page = await ann.get("/")

    assert page.code == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert (await pulled(await ann.open("/c/1")))["roots"]


@pytest.mark.parametrize(
    ("path", "sign_in"),
    [("/", "/login"), ("/c/12", "/login?next=/c/12"), ("/admin/providers", "/login?next=/admin/providers")],
)
async def test_a_stranger_goes_to_the_sign_in_page_and_nothing_is_built(
    workspace: Workspace, path: str, sign_in: str
) -> None:
    page = await workspace.browser().get(path)

    assert (page.code, page.headers["Location"]) == (302, sign_in)
    assert workspace.served.documents == []


async def test_the_way_back_after_the_sign_in_is_a_page_that_exists(workspace: Workspace) -> None:
    stranger = workspace.browser()

    page = await stranger.get("/c/12")

    assert (await stranger.get(page.headers["Location"])).code == 200


async def test_the_token_in_a_page_holds_no_cookie_and_no_header(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    ann.headers |= {"Authorization": "Bearer canary", "X-Forwarded-User": "canary", "X-Anything": "canary"}

    token = await ann.token()

    payload = get_token_payload(token)
    assert (payload["headers"], payload["cookies"], payload["arguments"]) == ({}, {}, {})
    assert payload["owner"] == str(workspace.people["ann"].user_id)
    assert "canary" not in str(payload)
    assert not any(cookie in str(payload) for cookie in ann.cookies.values())


@pytest.mark.parametrize("query", ["bokeh-session-id=chosen", "bokeh-token=chosen", "bokeh-session-id="])
async def test_a_session_id_from_the_address_is_refused(workspace: Workspace, query: str) -> None:
    ann = await workspace.signed_in("ann")

    page = await ann.get(f"/?{query}")

    assert page.code == 400
    assert workspace.served.documents == []


async def test_a_session_id_from_a_header_is_refused(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")

    page = await ann.get("/", **{"Bokeh-Session-Id": "chosen"})

    assert page.code == 400
    assert workspace.served.documents == []


async def test_scripts_of_the_page_carry_the_nonce_and_those_of_values_do_not(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")

    page = await ann.get("/")

    scripts = SCRIPT.findall(page.body.decode())
    assert len(scripts) >= 3
    assert all(f'nonce="{nonce(page)}"' in script for script in scripts)
    assert b"&lt;script&gt;value()" in page.body


async def test_each_page_has_a_nonce_of_its_own(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")

    nonces = {nonce(await ann.get(path)) for path in ("/", "/", "/login", "/account", "/nowhere")}

    assert len(nonces) == 5


async def test_a_crash_shows_an_id_and_no_traceback(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")

    page = await ann.get("/broken")

    assert re.search(rb"tell an administrator: error [0-9a-f]{8}", page.body)
    assert not any(word in page.body for word in (b"Traceback", b"KeyError", b"a secret detail", b".py"))


async def test_an_administrators_page_is_not_built_for_others(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    ada = await workspace.signed_in("ada", Role.ADMIN)

    refused, shown = await ann.get("/admin/providers"), await ada.get("/admin/providers")

    assert (refused.code, shown.code) == (403, 200)
    assert len(workspace.served.documents) == 1


async def test_an_address_that_is_not_set_up_is_told_how(workspace: Workspace) -> None:
    for path in ("/", "/login", "/nowhere"):
        page = await workspace.browser().get(path, Host="rebound.example.org:5006")

        assert page.code == 421
        assert b"LLM_UI_ORIGINS" in page.body


async def test_what_a_reload_leaves_behind_makes_room(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")

    for _ in range(room.MAX_PAGES_A_PERSON + 5):
        assert (await ann.get("/")).code == 200

    assert len(workspace.served.documents) <= room.MAX_PAGES_A_PERSON


async def test_more_open_pages_than_a_person_may_have_are_refused(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_PAGES_A_PERSON", 2)
    ann, bob = await workspace.signed_in("ann"), await workspace.signed_in("bob")
    for _ in range(2):
        await ann.open()

    refused, others = await ann.get("/"), await bob.get("/")

    assert (refused.code, others.code) == (503, 200)
    assert refused.headers["Retry-After"] == "30"
    assert b"Close some" in refused.body


async def test_opening_pages_without_end_is_slowed_down(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    with contextlib.suppress(TooManyRequests):
        for _ in range(1_000):
            workspace.site.throttle.page(str(workspace.people["ann"].user_id))

    refused = await ann.get("/")

    assert refused.code == 503
    assert 0 < int(refused.headers["Retry-After"]) <= 60
