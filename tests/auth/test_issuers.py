"""Signing in through an issuer, over HTTP: a real one, and one that lies."""

import base64
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc.jwk import OctKey
from sqlalchemy import select
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse

from llm_ui.auth.issuers import ATTEMPT_COOKIE
from llm_ui.auth.site import SESSION_COOKIE
from llm_ui.errors import Conflict, InvalidInput
from llm_ui.kit import openid
from llm_ui.kit.ids import IssuerId, uuid7
from llm_ui.models import AuditLog, LinkedSignIn, Role, TeamRole, User
from llm_ui.services import issuers, settings, team_members, teams, users
from llm_ui.services.access import SYSTEM
from llm_ui.services.issuers import NewIssuer
from llm_ui.services.settings import SECOND_FACTOR
from tests.app.browser import Browser
from tests.app.conftest import PASSWORD, Workspace
from tests.auth.test_pages import alert
from tests.fakes.issuer import CLIENT_ID, Liar, RealIssuer, a_key
from tests.fakes.web import Answer, a_web

FORM = {"username": "ann", "password": PASSWORD}


@pytest.fixture(scope="module")
def real() -> Iterator[RealIssuer]:
    issuer = RealIssuer()
    yield issuer
    issuer.stop()


@pytest.fixture
async def liar() -> AsyncIterator[Liar]:
    async with a_web() as web:
        liar = Liar(web)
        liar.describe()
        yield liar


async def add(workspace: Workspace, address: str, **other: Any) -> IssuerId:
    """Have an administrator add an issuer."""
    new = NewIssuer("Harbour", address, CLIENT_ID, "a secret of ours", is_private=True, makes_accounts=True)
    new = replace(new, **other)
    backend = workspace.site.backend
    found = await openid.discover(issuers.checked(new))
    async with backend.database.writing() as session:
        issuer_id = IssuerId(uuid7())
        return (await issuers.add(session, SYSTEM, backend.secrets.sealer, issuer_id, new, found)).id


async def set_off(browser: Browser, issuer_id: IssuerId, next_path: str = "/") -> str:
    """Press the issuer's button; return where the browser is sent."""
    page = await browser.get(f"/oidc/{issuer_id}?{urlencode({'next': next_path})}")
    assert page.code == 302, page.body
    return page.headers["Location"]


async def at_the_issuer(location: str, subject: str) -> str:
    """Sign in there; return the path that it sends back to."""
    form = HTTPRequest(location, "POST", body=urlencode({"sub": subject}), follow_redirects=False)
    answer = await AsyncHTTPClient().fetch(form, raise_error=False)
    assert answer.code == 302, answer.body
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


async def through(workspace: Workspace, issuer_id: IssuerId, subject: str, next_path: str = "/") -> HTTPResponse:
    """Sign in through the real issuer; return the answer to the browser that comes back."""
    browser = workspace.browser()
    return await browser.get(await at_the_issuer(await set_off(browser, issuer_id, next_path), subject))


async def back_from(liar: Liar, browser: Browser, issuer_id: IssuerId, **query: str) -> HTTPResponse:
    """Come back from the liar with what it was sent, but for what is given."""
    asked = {"code": "a-code", "state": liar.asked["state"], **query}
    return await browser.get(f"/oidc/{issuer_id}/callback?{urlencode(asked)}")


async def one(workspace: Workspace, name: str) -> User:
    async with workspace.site.backend.database.reading() as session:
        return (await session.scalars(select(User).where(User.name == name))).one()


async def test_whoever_comes_first_gets_an_account_and_has_it_the_next_time(
    workspace: Workspace, real: RealIssuer
) -> None:
    real.knows("s-1", email="cleo@example.org", preferred_username="cleo <script>", email_verified=True)
    issuer_id = await add(workspace, real.url)
    page = await workspace.browser().get("/login?next=/keys")
    assert f'href="/oidc/{issuer_id}?next=/keys"'.encode() in page.body
    browser = workspace.browser()

    answer = await browser.get(await at_the_issuer(await set_off(browser, issuer_id, "/keys"), "s-1"))

    assert (answer.code, answer.headers["Location"]) == (303, "/keys")
    assert (await browser.get("/api/me")).code == 204
    real.knows("s-1", email="other@example.org", preferred_username="other")
    assert (await through(workspace, issuer_id, "s-1", "//evil.example")).headers["Location"] == "/"
    async with workspace.site.backend.database.reading() as session:
        (user,) = await session.scalars(select(User))
        (link,) = await session.scalars(select(LinkedSignIn))
    assert (user.name, user.email, user.password_hash) == ("cleo script", "cleo@example.org", "")
    assert (link.subject, link.email) == ("s-1", "other@example.org")
    assert (await workspace.browser().submit("/login", {"username": "cleo@example.org", "password": ""})).code == 401
    out = await browser.submit("/account", {"action": "end"})
    assert out.code == 400
    out = await browser.post("/logout", {})
    assert f"{real.url}/oauth2/end_session?client_id={CLIENT_ID}".encode() in out.body
    assert (await browser.get("/api/me")).code == 401


async def test_an_address_is_no_proof_of_an_account_which_its_owner_connects(
    workspace: Workspace, real: RealIssuer
) -> None:
    ann = await workspace.signed_in("ann")
    bob = await workspace.signed_in("bob")
    real.knows("s-2", email="ANN@example.org", email_verified=True)
    issuer_id = await add(workspace, real.url)

    refused = await through(workspace, issuer_id, "s-2")
    assert refused.code == 409
    assert "There is an account with the address ANN@example.org here already." in alert(refused.body)
    await ann.get("/account")
    page = await ann.post(f"/oidc/{issuer_id}/connect", {})
    there = page.body.decode().split('class="button" href="')[1].split('"')[0].replace("&amp;", "&")
    back = await at_the_issuer(there, "s-2")
    # Whoever is made to open another one's way back connects nothing.
    bob.cookies |= {name: value for name, value in ann.cookies.items() if ATTEMPT_COOKIE in name}
    assert (await bob.get(back)).code == 400
    connected = await ann.get(await at_the_issuer(there, "s-2"))

    assert connected.headers["Location"] == "/account"
    assert (await through(workspace, issuer_id, "s-2")).code == 303
    async with workspace.site.backend.database.reading() as session:
        assert (await session.scalars(select(LinkedSignIn.user_id))).one() == workspace.people["ann"].user_id
    off = await ann.submit("/account", {"action": "disconnect", "issuer": str(issuer_id)})
    assert off.code == 200
    assert (await through(workspace, issuer_id, "s-2")).code == 409


@pytest.mark.parametrize(
    ("rules", "claims", "sentence"),
    [
        ({"makes_accounts": False}, {}, "No account here is connected"),
        ({"groups": "crew, guests"}, {"groups": ["Crew"]}, "in none of the groups"),
        ({"groups": "crew"}, {}, "in none of the groups"),
        ({"domains": "example.org"}, {"email": "x@evil.example", "email_verified": True}, "Only verified"),
        ({"domains": "example.org"}, {"email_verified": None}, "Only verified"),
        ({}, {"email_verified": False}, "no verified e-mail address"),
        ({}, {"email": "nonsense"}, "no verified e-mail address"),
    ],
)
async def test_only_those_whom_an_administrator_lets_in_get_an_account(
    workspace: Workspace, liar: Liar, rules: dict[str, Any], claims: dict[str, Any], sentence: str
) -> None:
    issuer_id = await add(workspace, liar.url, **rules)
    browser = workspace.browser()
    liar.sent_with(await set_off(browser, issuer_id))
    liar.gives(liar.token(**claims))

    page = await back_from(liar, browser, issuer_id)

    assert page.code == 403
    assert sentence in alert(page.body)
    assert SESSION_COOKIE not in browser.cookies


async def test_roles_follow_the_groups_at_each_sign_in_but_the_only_administrator_stays_one(
    workspace: Workspace, liar: Liar
) -> None:
    issuer_id = await add(workspace, liar.url, admin_groups="captains", operator_groups="mates", groups="crew")
    roles = []

    for groups in (["crew", "captains"], ["crew"], ["crew", "mates"], ["crew", "captains"]):
        browser = workspace.browser()
        liar.sent_with(await set_off(browser, issuer_id))
        liar.gives(liar.token(groups=groups))
        assert (await back_from(liar, browser, issuer_id)).code == 303
        roles.append((await one(workspace, "ann")).role)
        if len(roles) == 2:
            await workspace.add("root", Role.ADMIN)
    async with workspace.site.backend.database.reading() as session:
        told = list(await session.scalars(select(AuditLog.changes).where(AuditLog.action == "user.role_changed")))

    assert roles == [Role.ADMIN, Role.ADMIN, Role.OPERATOR, Role.ADMIN]
    assert [each["role"] for each in told] == [["user", "admin"], ["admin", "operator"], ["operator", "admin"]]


async def test_teams_follow_the_groups_at_each_sign_in_but_who_was_taken_in_by_hand_stays(
    workspace: Workspace, real: RealIssuer
) -> None:
    database = workspace.site.backend.database
    async with database.writing() as session:
        ids = {name: await teams.begin(session, SYSTEM, name) for name in ("Deck", "Bridge", "Galley")}
    issuer_id = await add(workspace, real.url, team_groups="crew=deck, mates = Bridge, mates = Galley")
    seen: list[dict[str, str]] = []

    for groups in (["crew"], ["crew", "mates"], ["mates"], []):
        real.knows("s-9", email="dora@example.org", preferred_username="dora", groups=groups)
        assert (await through(workspace, issuer_id, "s-9")).code == 303
        async with database.writing() as session:
            if groups == ["crew"]:
                await team_members.add(session, SYSTEM, ids["Galley"], "dora@example.org", TeamRole.OWNER)
            members = {name: await team_members.list_members(session, SYSTEM, team) for name, team in ids.items()}
        seen.append({name: one.issuer_name for name, listed in members.items() for one in listed})
    async with database.reading() as session:
        query = select(AuditLog.action, AuditLog.target).where(AuditLog.action.startswith("team.member"))
        told = [tuple(row) for row in await session.execute(query.order_by(AuditLog.number))]

    by_hand = {"Galley": ""}
    assert seen[0] == {"Deck": "Harbour", **by_hand}
    assert seen[1:] == [{"Deck": "Harbour", "Bridge": "Harbour", **by_hand}, {"Bridge": "Harbour", **by_hand}, by_hand]
    came, went = "team.member_added", "team.member_removed"
    assert told == [(came, "Deck"), (came, "Galley"), (came, "Bridge"), (went, "Deck"), (went, "Bridge")]


async def test_groups_name_teams_that_there_are_and_who_they_brought_stays_when_the_issuer_goes(
    workspace: Workspace, real: RealIssuer
) -> None:
    database = workspace.site.backend.database
    for wrong, sentence in (("crew", "names no group"), ("crew = Deck", "no team named Deck")):
        with pytest.raises(InvalidInput, match=sentence):
            await add(workspace, real.url, team_groups=wrong)
    async with database.writing() as session:
        deck = await teams.begin(session, SYSTEM, "Deck")
    issuer_id = await add(workspace, real.url, team_groups="a=b = Deck")
    real.knows("s-10", email="eve@example.org", preferred_username="eve", groups=["a=b"])
    await through(workspace, issuer_id, "s-10")

    async with database.writing() as session:
        await teams.rename(session, SYSTEM, deck, "Poop")
        (listed,) = await issuers.list_issuers(session, SYSTEM)
        await issuers.delete(session, SYSTEM, issuer_id)
    async with database.reading() as session:
        (member,) = await team_members.list_members(session, SYSTEM, deck)

    assert listed.filled.team_groups == "a=b = Poop"
    assert (member.name, member.issuer_name) == ("eve", "")


async def test_a_disabled_account_is_refused_and_a_second_factor_is_asked_for(workspace: Workspace, liar: Liar) -> None:
    issuer_id = await add(workspace, liar.url)
    answers = []
    for step in ("first", "must", "disabled"):
        async with workspace.site.backend.database.writing() as session:
            if step == "must":
                await settings.change(session, SYSTEM, SECOND_FACTOR, "everybody")
            if step == "disabled":
                await users.set_active(session, SYSTEM, (await one(workspace, "ann")).id, is_active=False)
        browser = workspace.browser()
        liar.sent_with(await set_off(browser, issuer_id))
        liar.gives(liar.token())
        page = await back_from(liar, browser, issuer_id)
        answers.append((page.code, page.headers.get("Location")))

    assert answers == [(303, "/"), (303, "/login/second"), (403, None)]


def unsigned(token: str, algorithm: str) -> str:
    header = base64.urlsafe_b64encode(json.dumps({"alg": algorithm}).encode()).rstrip(b"=").decode()
    return f"{header}.{token.split('.')[1]}."


FORGED = {
    "another nonce": lambda liar: liar.token(nonce="another"),
    "no nonce": lambda liar: liar.token(nonce=None),
    "another issuer": lambda liar: liar.token(iss="https://evil.example"),
    "almost the issuer": lambda liar: liar.token(iss=liar.url + "/"),
    "another audience": lambda liar: liar.token(aud="others"),
    "for others, too": lambda liar: liar.token(aud=[CLIENT_ID, "others"]),
    "for another party": lambda liar: liar.token(aud=[CLIENT_ID, "others"], azp="others"),
    "expired": lambda liar: liar.token(exp=1_700_000_000),
    "never expires": lambda liar: liar.token(exp=None),
    "of tomorrow": lambda liar: liar.token(iat=4_000_000_000, nbf=4_000_000_000),
    "nobody": lambda liar: liar.token(sub=None),
    "an empty subject": lambda liar: liar.token(sub=""),
    "a number": lambda liar: liar.token(sub=7),
    "not signed": lambda liar: unsigned(liar.token(), "none"),
    "not signed, in capitals": lambda liar: unsigned(liar.token(), "NONE"),
    "signed by another": lambda liar: replace(liar, key=a_key("stranger")).token(),
    "an unknown key": lambda liar: liar.token({"kid": "two"}),
    "signed with our secret": lambda liar: replace(liar, key=OctKey.import_key("a secret of ours")).token(
        {"alg": "HS256"}
    ),
    "signed with the public key": lambda liar: replace(
        liar, key=OctKey.import_key(liar.key.as_pem(private=False).hex())
    ).token({"alg": "HS256"}),
    "no token": lambda _: "nonsense",
    "nothing": lambda _: "",
}


async def test_a_token_that_is_not_right_signs_nobody_in(workspace: Workspace, liar: Liar) -> None:
    issuer_id = await add(workspace, liar.url)

    for what, forge in FORGED.items():
        browser = workspace.browser()
        liar.sent_with(await set_off(browser, issuer_id))
        liar.gives(forge(liar))
        page = await back_from(liar, browser, issuer_id)

        assert (page.code, "cannot be trusted" in alert(page.body)) == (401, True), what
        assert SESSION_COOKIE not in browser.cookies, what
    async with workspace.site.backend.database.reading() as session:
        assert list(await session.scalars(select(User))) == []


async def test_the_answer_has_to_fit_to_what_this_browser_began_and_counts_once(
    workspace: Workspace, liar: Liar
) -> None:
    issuer_id, other_id = await add(workspace, liar.url), await add(workspace, liar.url, name="Other")
    victim, codes = workspace.browser(), []
    for query in (
        {"state": "guessed"}, {"state": ""}, {"iss": "https://evil.example"}, {"error": "access_denied"},
        {"error": "<script>"},
    ):  # fmt: skip
        liar.sent_with(await set_off(victim, issuer_id))
        liar.gives(liar.token())
        page = await back_from(liar, victim, issuer_id, **query)
        assert b"<script>alert" not in page.body
        codes.append(page.code)
    liar.sent_with(await set_off(victim, other_id))
    codes.append((await back_from(liar, victim, issuer_id)).code)
    # An attacker's own way back, in the browser of somebody who began nothing, or something else.
    liar.sent_with(await set_off(workspace.browser(), issuer_id))
    liar.gives(liar.token())
    codes += [(await back_from(liar, workspace.browser(), issuer_id)).code]
    await set_off(victim, issuer_id)
    codes += [(await back_from(liar, victim, issuer_id)).code]
    assert codes == [400] * 8
    assert "/token" not in liar.web.asked

    liar.sent_with(await set_off(victim, issuer_id))
    liar.gives(liar.token())
    before = dict(victim.cookies)
    assert (await back_from(liar, victim, issuer_id)).code == 303
    first = victim.cookies[SESSION_COOKIE]
    assert (await back_from(liar, victim, issuer_id)).code == 400
    assert before.get(SESSION_COOKIE) != first
    # The code was sent once, with what only this browser's server knows.
    (body,) = liar.web.bodies
    sent = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    assert sent["client_secret"] == "a secret of ours"
    assert openid.hashlib.sha256(sent["code_verifier"].encode()).digest() == base64.urlsafe_b64decode(
        liar.asked["code_challenge"] + "="
    )


async def test_a_session_that_was_there_before_ends(workspace: Workspace, liar: Liar) -> None:
    issuer_id = await add(workspace, liar.url)
    browser = await workspace.signed_in("bob")
    before = browser.cookies[SESSION_COOKIE]
    liar.sent_with(await set_off(browser, issuer_id))
    liar.gives(liar.token())

    assert (await back_from(liar, browser, issuer_id)).code == 303

    fixed = Browser(browser.origin, {SESSION_COOKIE: before})
    assert (await fixed.get("/api/me")).code == 401
    assert (await browser.get("/api/me")).code == 204


async def test_new_keys_of_the_issuer_are_known_at_once(workspace: Workspace, liar: Liar) -> None:
    issuer_id = await add(workspace, liar.url)
    for name in ("one", "two"):
        browser = workspace.browser()
        liar.key = a_key(name)
        liar.describe()
        liar.sent_with(await set_off(browser, issuer_id))
        liar.gives(liar.token({"kid": name}))

        assert (await back_from(liar, browser, issuer_id)).code == 303


LIES = [
    ({"issuer": "https://evil.example"}, "calls itself https://evil.example"),
    ({"token_endpoint": "http://127.0.0.2:1/token"}, "not on the public internet"),
    ({"jwks_uri": "http://169.254.169.254/latest/meta-data"}, "not on the public internet"),
    ({"authorization_endpoint": "javascript:alert(1)"}, "not an address that can be fetched"),
    ({"jwks_uri": None}, "does not answer as an issuer"),
]


async def test_what_an_issuer_says_of_itself_is_not_believed(workspace: Workspace, liar: Liar) -> None:
    issuer_id = await add(workspace, liar.url)

    for told, sentence in LIES:
        browser = workspace.browser()
        liar.describe()
        liar.sent_with(await set_off(browser, issuer_id))
        liar.gives(liar.token())
        liar.describe(**told)
        page = await back_from(liar, browser, issuer_id)

        assert sentence in alert(page.body)
        assert SESSION_COOKIE not in browser.cookies


async def test_an_issuer_that_is_down_or_slow_or_broken_is_told_in_a_sentence(workspace: Workspace, liar: Liar) -> None:
    issuer_id = await add(workspace, liar.url)
    said = []

    for answer in (Answer(status="500 Oops"), Answer(b"<html>"), Answer(status="302 Found"), Answer(b"x" * 1_100_000)):
        liar.web.answers["/.well-known/openid-configuration"] = answer
        page = await workspace.browser().get(f"/oidc/{issuer_id}")
        said.append((page.code, alert(page.body)))

    assert {code for code, _ in said} <= {400, 413}
    assert all("127.0.0.1" in sentence for _, sentence in said)


async def test_the_private_network_is_closed_until_an_administrator_opens_it(workspace: Workspace, liar: Liar) -> None:
    for address, sentence in (
        (liar.url, "begins with https://"),
        (liar.url.replace("http:", "https:"), "not on the public internet"),
    ):
        client = issuers.checked(NewIssuer("Harbour", address, CLIENT_ID))
        with pytest.raises(Exception, match=sentence):
            await openid.discover(client)
    assert liar.web.asked == []


async def test_passwords_are_switched_off_only_where_an_administrator_gets_in_without(
    workspace: Workspace, liar: Liar
) -> None:
    issuer_id = await add(workspace, liar.url, admin_groups="captains")
    database, late = workspace.site.backend.database, workspace.browser()
    await late.get("/login")
    with pytest.raises(Conflict):
        async with database.writing() as session:
            await issuers.set_passwords(session, SYSTEM, are_taken=False)
    browser = workspace.browser()
    liar.sent_with(await set_off(browser, issuer_id))
    liar.gives(liar.token(email="root@example.org", preferred_username="root", groups=["captains"]))
    assert (await back_from(liar, browser, issuer_id)).code == 303

    async with database.writing() as session:
        await issuers.set_passwords(session, SYSTEM, are_taken=False)

    page = await workspace.browser().get("/login")
    assert b'name="password"' not in page.body
    assert (await browser.get("/api/me")).code == 204
    # Whoever had the form open before.
    assert (await late.post("/login", FORM)).code == 403
    for change in (
        lambda session: issuers.set_active(session, SYSTEM, issuer_id, is_active=False),
        lambda session: issuers.delete(session, SYSTEM, issuer_id),
    ):
        with pytest.raises(Conflict):
            async with database.writing() as session:
                await change(session)
