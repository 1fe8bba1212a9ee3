"""One-time links and registration with approval, over HTTP."""

from urllib.parse import urlsplit

from llm_ui.models import Role
from llm_ui.services import account_links, registration, settings, users
from llm_ui.services.access import SYSTEM
from llm_ui.services.settings import REGISTRATION_APPROVAL
from tests.app.conftest import PASSWORD, Workspace


async def path_for(workspace: Workspace, name: str) -> str:
    """The path of an invitation."""
    async with workspace.site.backend.database.writing() as session:
        link = await account_links.invite(session, SYSTEM, name, f"{name}@example.org", Role.USER)
    return link.path


def token_of(path: str) -> str:
    return urlsplit(path).query.removeprefix("token=")


async def test_an_invitation_is_taken_once(workspace: Workspace) -> None:
    path = await path_for(workspace, "carol")
    browser = workspace.browser()
    form = await browser.get(path)
    assert (form.code, b"Welcome, carol" in form.body) == (200, True)

    refused = await browser.post("/invitation", {"token": token_of(path), "password": "short"})
    taken = await browser.post("/invitation", {"token": token_of(path), "password": PASSWORD})
    again = await workspace.browser().get(path)

    assert (refused.code, b"at least 15 characters" in refused.body) == (400, True)
    assert (taken.code, taken.headers["Location"]) == (303, "/")
    assert (await browser.get("/api/me")).code == 204
    assert (again.code, b"used, replaced or is too old" in again.body) == (404, True)


async def test_a_link_for_a_new_password_signs_out_everywhere_else(workspace: Workspace) -> None:
    before = await workspace.signed_in("bob")
    async with workspace.site.backend.database.writing() as session:
        link = await account_links.offer_reset(session, SYSTEM, workspace.people["bob"].user_id)
    browser = workspace.browser()
    await browser.get(link.path)

    taken = await browser.post("/reset", {"token": token_of(link.path), "password": "another walk in the rain"})

    assert taken.code == 303
    assert (await before.get("/api/me")).code == 401
    assert (await browser.get("/api/me")).code == 204


async def test_guessing_links_is_slowed_down(workspace: Workspace) -> None:
    codes = [(await workspace.browser().get(f"/invitation?token={n}")).code for n in range(61)]

    assert codes == [404] * 60 + [429]


async def test_whoever_registers_waits_and_is_told_so_until_approved(workspace: Workspace) -> None:
    await workspace.add("ada", Role.ADMIN)
    async with workspace.site.backend.database.writing() as session:
        await settings.change(session, SYSTEM, REGISTRATION_APPROVAL, value=True)
        await registration.set_domains(session, SYSTEM, "example.org")
    browser = workspace.browser()
    await browser.get("/register")
    carol = {"username": "carol", "email": "carol@example.org", "password": PASSWORD}
    elsewhere = await browser.post("/register", {**carol, "email": "carol@example.net"})
    made = await browser.post("/register", carol)
    waiting = await browser.post("/login", {"username": "carol", "password": PASSWORD})
    wrong = await browser.post("/login", {"username": "carol", "password": "wrong and wrong again"})
    async with workspace.site.backend.database.writing() as session:
        found = await users.find_user(session, SYSTEM, "carol")
        await registration.approve(session, SYSTEM, found.id)

    assert (elsewhere.code, b"example.org only" in elsewhere.body) == (400, True)
    assert (made.code, b"waiting for an administrator" in made.body) == (202, True)
    assert (waiting.code, b"waiting for an administrator" in waiting.body) == (403, True)
    assert (wrong.code, b"waiting for an administrator" in wrong.body) == (401, False)
    assert (await browser.post("/login", {"username": "carol", "password": PASSWORD})).code == 303
