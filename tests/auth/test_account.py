"""One's own account, over HTTP."""

import pytest

from llm_ui.auth.account import described
from tests.app.conftest import PASSWORD, Workspace
from tests.auth.test_pages import alert

NEW_PASSWORD = "another walk by the sea"


async def test_a_stranger_is_sent_to_sign_in(workspace: Workspace) -> None:
    page = await workspace.browser().get("/account")

    assert page.headers["Location"] == "/login?next=/account"


async def test_all_sign_ins_are_listed_and_only_ones_own(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    await workspace.signed_in("ann")
    await workspace.signed_in("bob")

    page = await ann.get("/account")

    assert page.body.count(b"<li>") == 2
    assert page.body.count(b"This browser") == 1


async def test_another_sign_in_can_be_ended(workspace: Workspace) -> None:
    other = await workspace.signed_in("ann")
    other_id = workspace.people["ann"].session_id
    ann = await workspace.signed_in("ann")

    page = await ann.submit("/account", {"action": "end", "session": str(other_id)})

    assert page.code == 200
    assert (await other.get("/api/me")).code == 401
    assert (await ann.get("/api/me")).code == 204


async def test_nobody_elses_sign_in_can_be_ended(workspace: Workspace) -> None:
    bob = await workspace.signed_in("bob")
    ann = await workspace.signed_in("ann")

    for session in (str(workspace.people["bob"].session_id), "nonsense", ""):
        page = await ann.submit("/account", {"action": "end", "session": session})
        assert page.code in (400, 404)

    assert (await bob.get("/api/me")).code == 204


async def test_a_new_password_takes_the_old_one_and_ends_the_other_sign_ins(workspace: Workspace) -> None:
    other, ann = await workspace.signed_in("ann"), await workspace.signed_in("ann")
    fields = {"action": "password", "password": PASSWORD, "new-password": NEW_PASSWORD}

    page = await ann.submit("/account", fields)

    assert page.code == 200
    assert (await other.get("/api/me")).code == 401
    assert (await ann.get("/api/me")).code == 204
    codes = [
        (await workspace.browser().submit("/login", {"username": "ann", "password": password})).code
        for password in (PASSWORD, NEW_PASSWORD)
    ]
    assert codes == [401, 303]


async def test_a_wrong_old_password_changes_nothing_and_counts(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    fields = {"action": "password", "password": "wrong", "new-password": NEW_PASSWORD}

    codes = [(await ann.submit("/account", fields)).code for _ in range(9)]

    assert codes == [400] * 8 + [429]
    assert (await ann.get("/api/me")).code == 204


async def test_a_password_that_is_easy_to_guess_is_refused(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")

    for password in ("short", "annannannannann1", "passwordpassword"):
        fields = {"action": "password", "password": PASSWORD, "new-password": password}
        page = await ann.submit("/account", fields)
        assert page.code == 400, password
        assert "password" in alert(page.body)


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 "
         "Safari/537.36 Edg/150.0.0.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
         "Version/18.0 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
        ("curl/8.9", "curl/8.9"),
        ("", "Unknown browser"),
    ],
)  # fmt: skip
def test_browsers_are_called_what_people_call_them(user_agent: str, name: str) -> None:
    assert described(user_agent) == name


async def test_an_unknown_action_is_refused(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")

    assert (await ann.submit("/account", {"action": "delete everything"})).code == 400
