"""The page with one's own keys, over HTTP."""

import re

from llm_ui.models import TeamRole
from llm_ui.services.keys import caller_of
from tests.app.conftest import Workspace
from tests.auth.test_pages import alert
from tests.services.test_service_accounts import an_account
from tests.services.test_teams import a_team

NEW = {
    "action": "create",
    "name": "nightly <report>",
    "scope": "chat",
    "budget": "9.50",
    "days": "30",
}


def token_on(page: bytes) -> str:
    found = re.findall(rb'value="(llmui-[\w-]{43})"', page)
    return str(found[0].decode()) if found else ""


async def test_a_key_is_made_shown_once_replaced_and_revoked(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")

    page = await ann.submit("/keys", NEW)
    token = token_on(page.body)
    again = (await ann.get("/keys")).body.decode()

    assert token
    assert token not in again
    assert token[:12] in again
    assert "nightly &lt;report&gt;" in again
    assert "of $9.50 this month" in again
    (key_id,) = re.findall(r'name="key" value="([^"]+)"', again)
    replaced = await ann.submit("/keys", {"action": "rotate", "key": key_id})
    assert token_on(replaced.body) not in ("", token)
    assert (await ann.submit("/keys", {"action": "rename", "key": key_id, "name": "weekly"})).code == 200
    assert (await ann.submit("/keys", {"action": "revoke", "key": key_id})).code == 200
    last = (await ann.get("/keys")).body.decode()
    assert token[:12] not in last
    assert last.count('name="key"') == 1


async def test_an_owner_of_a_team_makes_keys_for_its_service_account_and_nobody_else_does(workspace: Workspace) -> None:
    people = {name: await workspace.signed_in(name) for name in ("ann", "bob", "eve")}
    database = workspace.site.backend.database
    team_id = await a_team(database, ann=TeamRole.OWNER, bob=TeamRole.MEMBER)
    address = f"/keys?account={await an_account(database, team_id)}"

    form = (await people["ann"].get(address)).body.decode()
    assert f'action="{address}"' in form
    token = token_on((await people["ann"].post(address, NEW)).body)

    page = (await people["ann"].get(address)).body.decode()
    assert "Ornithology/report" in page
    assert token[:12] in page
    assert token[:12] not in (await people["ann"].get("/keys")).body.decode()
    async with database.reading() as session:
        assert (await caller_of(session, token)).actor.name == "Ornithology/report"
    for name, code in (("bob", 403), ("eve", 404)):
        assert (await people[name].get(address)).code == code
        assert (await people[name].get("/keys")).code == 200
        assert (await people[name].post(address, NEW)).code == code


async def test_what_cannot_be_is_told_beside_the_form(workspace: Workspace) -> None:
    bob = await workspace.signed_in("bob")
    theirs = (await bob.submit("/keys", NEW)).body.decode()
    (key_id,) = re.findall(r'name="key" value="([^"]+)"', theirs)
    ann = await workspace.signed_in("ann")

    wrong = [
        ({**NEW, "scope": ""}, 400), ({**NEW, "days": "soon"}, 400), ({**NEW, "budget": "nan"}, 400),
        ({**NEW, "models": "none"}, 404), ({**NEW, "project": "x"}, 400), ({"action": "sing"}, 400),
        ({"action": "revoke", "key": key_id}, 404), ({"action": "rotate", "key": "1"}, 400),
    ]  # fmt: skip
    for fields, code in wrong:
        page = await ann.submit("/keys", fields)
        assert (page.code, bool(alert(page.body))) == (code, True), fields

    assert b'name="key"' not in (await ann.get("/keys")).body


async def test_a_stranger_is_sent_to_sign_in(workspace: Workspace) -> None:
    page = await workspace.browser().get("/keys")

    assert page.headers["Location"] == "/login?next=/keys"
