"""One's own account, over HTTP."""

from sqlalchemy import select

from llm_ui.models import AuditLog, Role, User
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

    signed_in = page.body.split(b"Where you are signed in")[1].split(b"</ul>")[0]
    assert signed_in.count(b"<li>") == 2
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


async def test_an_unknown_action_is_refused(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")

    assert (await ann.submit("/account", {"action": "delete everything"})).code == 400


async def test_all_other_sign_ins_are_ended_at_once(workspace: Workspace) -> None:
    other, bob = await workspace.signed_in("ann"), await workspace.signed_in("bob")
    ann = await workspace.signed_in("ann")

    await ann.submit("/account", {"action": "end_others"})

    assert [(await each.get("/api/me")).code for each in (other, bob, ann)] == [401, 204, 204]


async def test_a_username_is_changed_unless_it_is_taken(workspace: Workspace) -> None:
    await workspace.add("bob")
    ann = await workspace.signed_in("ann")

    codes = [
        (await ann.submit("/account", {"action": "rename", "username": name})).code
        for name in ("BOB", " ", "<script>", "anna")
    ]

    assert codes == [409, 400, 400, 200]
    assert b"<strong>anna</strong>" in (await ann.get("/account")).body
    login = await workspace.browser().submit("/login", {"username": "anna", "password": PASSWORD})
    assert login.code == 303


async def test_an_account_is_deleted_once_its_person_has_shown_who_they_are(workspace: Workspace) -> None:
    ann, root = await workspace.signed_in("ann"), await workspace.signed_in("root", Role.ADMIN)

    for name, password in (("ann", "wrong"), ("bob", PASSWORD), ("", "")):
        page = await ann.submit("/account/delete", {"username": name, "password": password})
        assert page.code == 400
    only = await root.submit("/account/delete", {"username": "root", "password": PASSWORD})
    assert (only.code, "the only administrator" in alert(only.body)) == (409, True)
    done = await ann.submit("/account/delete", {"username": "ann", "password": PASSWORD})

    assert b"Your account is deleted" in done.body
    assert [(await each.get("/api/me")).code for each in (ann, root)] == [401, 204]
    async with workspace.site.backend.database.reading() as session:
        assert list(await session.scalars(select(User.name))) == ["root"]
        entry = await session.scalar(select(AuditLog).where(AuditLog.action == "user.deleted"))
    assert entry is not None
    assert (entry.actor_name, entry.target) == ("ann", "ann")
