"""The second step of signing in, over HTTP."""

import html
import re

import pytest
from tornado.httpclient import HTTPResponse

from llm_ui.auth.plain import FIRST_STEP_COOKIE
from llm_ui.auth.site import SESSION_COOKIE
from llm_ui.kit import totp
from llm_ui.services import account_links, second_factor, settings
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.settings import SECOND_FACTOR
from tests.app.browser import Browser
from tests.app.conftest import PASSWORD, Workspace
from tests.auth.test_pages import alert

FORM = {"username": "ann", "password": PASSWORD}


def read(page: HTTPResponse, name: str) -> str:
    """A hidden field, or the secret, of the form in which the app is set up."""
    pattern = r'class="secret">([^<]+)' if name == "secret" else rf'name="{name}" value="([^"]+)'
    found = re.search(pattern, page.body.decode())
    assert found is not None, page.body
    return html.unescape(found[1])


async def enrolled(workspace: Workspace, actor: Actor) -> tuple[str, tuple[str, ...]]:
    """Turn somebody's second factor on; return the secret and the recovery codes."""
    sealer = workspace.site.backend.secrets.sealer
    secret, sealed = second_factor.propose(sealer, actor.user_id)
    async with workspace.site.backend.database.writing() as session:
        typed = totp.code(secret, totp.counter_now() - 1)
        return secret, await second_factor.enrol(session, actor, sealer, sealed, typed)


async def first_step(workspace: Workspace, next_path: str = "/") -> Browser:
    """A browser in which ann's password was right."""
    browser = workspace.browser()
    page = await browser.submit("/login", {**FORM, "next": next_path})
    assert page.headers["Location"] == "/login/second"
    assert (await browser.get("/api/me")).code == 401
    await browser.get("/login/second")
    return browser


async def test_it_is_set_up_with_the_password_and_other_sessions_go_on(workspace: Workspace) -> None:
    other, ann = await workspace.signed_in("ann"), await workspace.signed_in("ann")
    page = await ann.get("/account/second-factor")
    assert b"data:image/svg+xml" in page.body
    secret = read(page, "secret")
    fields = {"action": "enrol", "sealed": read(page, "sealed"), "code": totp.code(secret, totp.counter_now())}

    refused = await ann.post("/account/second-factor", {**fields, "password": "wrong"})
    assert refused.code == 400
    assert read(refused, "secret") == secret
    assert (await ann.post("/account/second-factor", {**fields, "password": PASSWORD, "code": "1"})).code == 400
    done = await ann.post("/account/second-factor", {**fields, "password": PASSWORD})

    assert done.body.count(b"<li><code>") == 10
    assert secret.encode() not in done.body
    for browser in (other, ann):
        assert (await browser.get("/api/me")).code == 204
    assert b"10 recovery codes are left" in (await ann.get("/account/second-factor")).body


async def test_a_code_lets_in_once_and_goes_on_to_where_somebody_wanted(workspace: Workspace) -> None:
    secret, codes = await enrolled(workspace, await workspace.add("ann"))
    code = totp.code(secret, totp.counter_now())
    ann, thief = await first_step(workspace, "/keys"), await first_step(workspace, "//evil.example")

    page = await ann.post("/login/second", {"code": code})

    assert (page.code, page.headers["Location"]) == (303, "/keys")
    assert (await ann.get("/api/me")).code == 204
    refused = await thief.post("/login/second", {"code": code})
    assert (refused.code, (await thief.get("/api/me")).code) == (401, 401)
    assert "wrong or was used" in alert(refused.body)
    recovered = await thief.post("/login/second", {"code": codes[0]})
    assert recovered.headers["Location"] == "/"


async def test_codes_cannot_be_guessed_through(workspace: Workspace) -> None:
    secret, _ = await enrolled(workspace, await workspace.add("ann"))
    thief = await first_step(workspace)

    answers = [(await thief.post("/login/second", {"code": f"{n:06}"})).code for n in range(9)]

    assert answers == [401] * 8 + [429]
    right = await thief.post("/login/second", {"code": totp.code(secret, totp.counter_now())})
    assert right.code == 429


@pytest.mark.parametrize("cookie", ["", "forged", "sealed for something else"])
async def test_nobody_takes_the_second_step_first(workspace: Workspace, cookie: str) -> None:
    ann = await workspace.add("ann")
    secret, _ = await enrolled(workspace, ann)
    browser = workspace.browser()
    await browser.get("/login")
    if cookie.startswith("sealed"):
        cookie = workspace.site.backend.secrets.sealer.seal(f'["{ann.user_id}", "/"]', "something else")
    browser.cookies[FIRST_STEP_COOKIE] = cookie

    page = await browser.post("/login/second", {"code": totp.code(secret, totp.counter_now())})

    assert page.headers["Location"] == "/login"
    assert SESSION_COOKIE not in browser.cookies


async def test_where_it_is_a_must_it_is_set_up_before_the_session_begins(workspace: Workspace) -> None:
    signed_in = await workspace.signed_in("ann")
    async with workspace.site.backend.database.writing() as session:
        await settings.change(session, SYSTEM, SECOND_FACTOR, "everybody")
    assert (await signed_in.get("/api/me")).code == 204
    browser = await first_step(workspace, "/keys")
    page = await browser.get("/login/second")
    secret = read(page, "secret")
    fields = {"sealed": read(page, "sealed"), "action": "enrol"}

    refused = await browser.post("/login/second", {**fields, "code": "123"})
    assert (refused.code, read(refused, "secret"), (await browser.get("/api/me")).code) == (400, secret, 401)
    done = await browser.post("/login/second", {**fields, "code": totp.code(secret, totp.counter_now())})

    assert b'href="/keys"' in done.body
    assert done.body.count(b"<li><code>") == 10
    assert (await browser.get("/api/me")).code == 204


async def test_a_link_for_a_new_password_does_not_go_round_it(workspace: Workspace) -> None:
    ann = await workspace.add("ann")
    await enrolled(workspace, ann)
    async with workspace.site.backend.database.writing() as session:
        link = await account_links.offer_reset(session, SYSTEM, ann.user_id)
    browser = workspace.browser()
    token = link.path.partition("token=")[2]

    page = await browser.submit(link.path, {"token": token, "password": "another walk by the sea"})

    assert page.headers["Location"] == "/login/second"
    assert (await browser.get("/api/me")).code == 401


async def test_turning_it_off_takes_a_code(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    _, codes = await enrolled(workspace, workspace.people["ann"])
    await ann.get("/account/second-factor")

    refused = await ann.post("/account/second-factor", {"action": "off", "code": "123456"})
    renewed = await ann.post("/account/second-factor", {"action": "codes", "code": codes[0]})
    assert (refused.code, renewed.code) == (400, 200)
    code = re.findall(r"<li><code>([^<]+)", renewed.body.decode())[0]
    off = await ann.submit("/account/second-factor", {"action": "off", "code": code})

    assert b"It is off" in off.body
    assert (await workspace.browser().submit("/login", FORM)).headers["Location"] == "/"
