"""Sign-in, registration, set-up and sign-out, over HTTP."""

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from llm_ui.config import Config
from llm_ui.kit.clock import now
from llm_ui.kit.signing import sha256_hex
from llm_ui.models import Role, User, UserSession
from llm_ui.services import settings, users
from llm_ui.services.access import SYSTEM
from llm_ui.services.settings import REGISTRATION_OPEN
from tests.app.browser import Browser, greeting
from tests.app.conftest import PASSWORD, Workspace

ALERT = re.compile(r'role="alert">([^<]*)')


def alert(body: bytes) -> str:
    """The one sentence a page alerts with."""
    found = ALERT.findall(body.decode())
    assert len(found) == 1, body
    return found[0]


async def setup_token(workspace: Workspace) -> str:
    async with workspace.site.backend.database.writing() as session:
        token = await users.new_setup_token(session)
    assert token is not None
    return token


async def test_the_right_password_signs_in(workspace: Workspace) -> None:
    await workspace.add("ann")
    browser = workspace.browser()

    answer = await browser.submit("/login", {"username": "ANN", "password": PASSWORD})

    assert (answer.code, answer.headers["Location"]) == (303, "/")
    assert (await browser.get("/")).code == 200


async def test_an_email_address_signs_in_too(workspace: Workspace) -> None:
    await workspace.add("ann")

    answer = await workspace.browser().submit("/login", {"username": "Ann@Example.org ", "password": PASSWORD})

    assert answer.code == 303


async def test_a_wrong_password_says_so_and_keeps_the_name_only(workspace: Workspace) -> None:
    await workspace.add("ann")

    answer = await workspace.browser().submit("/login", {"username": "ann", "password": "wrong-canary"})

    assert answer.code == 401
    assert alert(answer.body) == "Username or password is wrong. Check both and try again."
    assert b'value="ann"' in answer.body
    assert b"wrong-canary" not in answer.body


async def test_the_answer_does_not_tell_whether_there_is_such_an_account(workspace: Workspace) -> None:
    await workspace.add("ann")
    gone = await workspace.add("gon")
    async with workspace.site.backend.database.writing() as session:
        await users.set_active(session, SYSTEM, gone.user_id, is_active=False)
    answers = []

    for name, password in (("ann", "wrong"), ("bob", "wrong"), ("gon", PASSWORD), ("", ""), ("a\0b", "wrong")):
        answer = await workspace.browser().submit("/login", {"username": name, "password": password})
        answers.append((answer.code, alert(answer.body)))

    assert len(set(answers)) == 1


async def test_an_unknown_name_costs_as_many_hashes_as_a_known_one(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workspace.add("ann")
    context = workspace.site.passwords._context
    costs: list[list[str]] = []

    def counted(check: Callable[[str, str], object]) -> Callable[[str, str], object]:
        def wrapper(secret: str, stored: str) -> object:
            # The parameters that make a hash costly, such as m=65536,t=3,p=4.
            costs[-1].append(stored.split("$")[3])
            return check(secret, stored)

        return wrapper

    monkeypatch.setattr(context, "verify", counted(context.verify))
    monkeypatch.setattr(context, "verify_and_update", counted(context.verify_and_update))
    for name in ("ann", "nobody"):
        costs.append([])
        await workspace.browser().submit("/login", {"username": name, "password": "not this one"})

    assert costs[0] == costs[1]
    assert len(costs[0]) == 1


async def test_an_outdated_hash_is_renewed_at_the_next_sign_in(workspace: Workspace) -> None:
    ann = await workspace.add("ann")
    weak = str(workspace.site.passwords._context.handler("argon2").using(time_cost=1, memory_cost=64).hash(PASSWORD))
    database = workspace.site.backend.database
    async with database.writing() as session:
        await session.execute(update(User).where(User.id == ann.user_id).values(password_hash=weak))

    await workspace.browser().submit("/login", {"username": "ann", "password": PASSWORD})

    async with database.reading() as session:
        renewed = await session.scalar(select(User.password_hash).where(User.id == ann.user_id))
    assert renewed is not None
    assert "m=65536,t=3" in renewed
    assert (await workspace.browser().submit("/login", {"username": "ann", "password": PASSWORD})).code == 303


async def test_the_cookie_is_for_this_host_and_not_for_scripts(workspace: Workspace) -> None:
    await workspace.add("ann")
    browser = workspace.browser()

    answer = await browser.submit("/login", {"username": "ann", "password": PASSWORD})

    cookies = {line.split("=")[0]: line for line in answer.headers.get_list("Set-Cookie")}
    assert set(cookies) == {"__Host-llm-ui-session", "llm-ui-session"}
    for name, line in cookies.items():
        assert all(part in line for part in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="))
        assert "Domain" not in line
        assert ("Secure" in line) == name.startswith("__Host-")


class TestBehindATrustedProxy:
    """With TLS ended by a proxy that says so."""

    @pytest.fixture
    def sqlite_config(self, sqlite_config: Config) -> Config:
        """Settings that believe the proxy."""
        return sqlite_config.model_copy(update={"trust_proxy": True, "origins": ("https://ai.example.org",)})

    async def test_cookies_are_for_tls_only(self, workspace: Workspace) -> None:
        await workspace.add("ann")
        proxied = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7", "Host": "ai.example.org"}
        browser = workspace.browser(**proxied)

        answer = await browser.submit("/login", {"username": "ann", "password": PASSWORD})

        (cookie,) = answer.headers.get_list("Set-Cookie")
        assert cookie.startswith("__Host-llm-ui-session=")
        assert "Secure" in cookie
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert b"192.0.2.7" in (await browser.get("/account")).body

    async def test_a_cookie_that_was_set_without_tls_is_not_believed(self, workspace: Workspace) -> None:
        planted = await workspace.signed_in("ann")
        planted.headers = {"X-Forwarded-Proto": "https", "Host": "ai.example.org"}

        assert (await planted.get("/api/me")).code == 401

    async def test_forms_come_through_a_proxy_that_names_itself_as_host(self, workspace: Workspace) -> None:
        await workspace.add("ann")
        browser = workspace.browser()
        await browser.get("/login")

        answers = [
            await browser.post("/login", {"username": "ann", "password": PASSWORD}, Origin=origin)
            for origin in ("https://evil.example", "https://ai.example.org")
        ]

        assert [answer.code for answer in answers] == [403, 303]

    async def test_the_page_may_open_its_websocket_from_the_public_address(self, workspace: Workspace) -> None:
        ann = await workspace.signed_in("ann")

        opened = await greeting(await ann.socket(await ann.token(), Origin="https://ai.example.org"))

        assert opened == "ACK"


async def test_the_token_is_stored_as_a_hash_only(workspace: Workspace) -> None:
    browser = await workspace.signed_in("ann")
    (token,) = browser.cookies.values()

    async with workspace.site.backend.database.reading() as session:
        stored = list(await session.scalars(select(UserSession.token_hash)))

    assert stored == [sha256_hex(token)]
    assert len(token) >= 43


async def test_each_sign_in_has_a_new_token_and_ends_the_one_before_in_this_browser(workspace: Workspace) -> None:
    await workspace.add("ann")
    browser = workspace.browser()
    await browser.submit("/login", {"username": "ann", "password": PASSWORD})
    before = Browser(browser.origin, dict(browser.cookies))

    await browser.get("/account")
    await browser.post("/login", {"username": "ann", "password": PASSWORD})

    assert before.cookies != browser.cookies
    assert (await before.get("/api/me")).code == 401
    assert (await browser.get("/api/me")).code == 204


@pytest.mark.parametrize(("column", "ago"), [("last_seen_at", 15), ("expires_at", 0)])
async def test_a_sign_in_ends_after_its_time(workspace: Workspace, column: str, ago: int) -> None:
    browser = await workspace.signed_in("ann")
    past = now() - timedelta(days=ago)
    async with workspace.site.backend.database.writing() as session:
        await session.execute(update(UserSession).values({column: past}))

    assert (await browser.get("/")).headers["Location"] == "/login"


async def test_a_form_without_its_token_is_refused(workspace: Workspace) -> None:
    await workspace.add("ann")
    browser = workspace.browser()
    await browser.get("/login")
    browser.csrf = "2|00000000|00000000000000000000000000000000|0"

    forged = await browser.post("/login", {"username": "ann", "password": PASSWORD})
    signed_in = await workspace.signed_in("ann")
    logout = await signed_in.post("/logout", {})

    assert (forged.code, logout.code) == (403, 403)
    assert (await signed_in.get("/api/me")).code == 204


@pytest.mark.parametrize("sent", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
async def test_a_form_that_another_site_sends_is_refused(workspace: Workspace, sent: dict[str, str]) -> None:
    browser = await workspace.signed_in("ann")
    await browser.get("/account")

    answer = await browser.post("/logout", {}, **sent)

    assert answer.code == 403


async def test_signing_out_ends_the_session_and_the_cookie(workspace: Workspace) -> None:
    browser = await workspace.signed_in("ann")
    stolen = Browser(browser.origin, dict(browser.cookies))
    await browser.get("/account")

    answer = await browser.post("/logout", {})

    assert (answer.code, answer.headers["Location"]) == (303, "/login")
    assert not any(browser.cookies[name] for name in ("llm-ui-session", "__Host-llm-ui-session"))
    assert (await stolen.get("/api/me")).code == 401


async def test_signing_out_takes_a_form_not_a_link(workspace: Workspace) -> None:
    browser = await workspace.signed_in("ann")

    assert (await browser.get("/logout")).code == 405
    assert (await browser.get("/api/me")).code == 204


async def test_signing_out_twice_is_no_error(workspace: Workspace) -> None:
    browser = await workspace.signed_in("ann")
    await browser.get("/account")

    answers = await asyncio.gather(browser.post("/logout", {}), browser.post("/logout", {}))

    assert [answer.code for answer in answers] == [303, 303]


async def test_too_many_wrong_passwords_have_to_wait_and_a_signed_in_person_has_not(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    attacker = workspace.browser()
    await attacker.get("/login")
    for _ in range(8):
        assert (await attacker.post("/login", {"username": "ann", "password": "guess"})).code == 401

    answer = await attacker.post("/login", {"username": "Ann", "password": PASSWORD})

    assert answer.code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 300
    assert "Try again in" in alert(answer.body)
    assert (await ann.get("/")).code == 200


async def test_throttling_says_the_same_of_accounts_that_are_not_there(workspace: Workspace) -> None:
    browser = workspace.browser()
    await browser.get("/login")

    codes = [(await browser.post("/login", {"username": "nobody", "password": "guess"})).code for _ in range(9)]

    assert codes == [401] * 8 + [429]


async def test_many_guesses_at_once_are_no_more_than_one_after_the_other(workspace: Workspace) -> None:
    await workspace.add("ann")
    browser = workspace.browser()
    await browser.get("/login")

    answers = await asyncio.gather(
        *(browser.post("/login", {"username": "ann", "password": f"guess {n}"}) for n in range(25))
    )

    codes = [answer.code for answer in answers]
    assert codes.count(401) == 8
    assert codes.count(429) == 17


async def test_where_the_form_may_send_people_on_to(workspace: Workspace) -> None:
    await workspace.add("ann")
    browser = workspace.browser()

    answer = await browser.submit(
        "/login", {"username": "ann", "password": PASSWORD, "next": "https://evil.example/c/1"}
    )
    onwards = await browser.get("/login?next=/c/1")

    assert answer.headers["Location"] == "/"
    assert onwards.headers["Location"] == "/c/1"


async def test_a_stranger_registers_and_is_an_ordinary_person(workspace: Workspace) -> None:
    await workspace.add("ada", Role.ADMIN)
    browser = workspace.browser()
    fields = {"username": "Bob", "email": "bob@example.org", "password": PASSWORD, "role": "admin"}

    answer = await browser.submit("/register", fields)

    assert (answer.code, answer.headers["Location"]) == (303, "/")
    assert (await browser.get("/")).code == 200
    assert (await browser.get("/admin/providers")).code == 403


async def test_each_field_that_cannot_be_used_is_marked_and_what_was_typed_is_kept(workspace: Workspace) -> None:
    await workspace.add("ada", Role.ADMIN)
    fields = {"username": "<bob>", "email": "nowhere", "password": "short"}

    answer = await workspace.browser().submit("/register", fields)

    page = answer.body.decode()
    assert answer.code == 400
    assert re.findall(r'class="problem" id="(\w+)-problem"', page) == ["username", "email", "password"]
    assert page.count('aria-invalid="true"') == 3
    assert 'value="&lt;bob&gt;"' in page
    assert 'value="nowhere"' in page
    assert "short" not in page


async def test_a_name_that_is_taken_is_refused(workspace: Workspace) -> None:
    await workspace.add("ada", Role.ADMIN)
    fields = {"username": "ADA", "email": "other@example.org", "password": PASSWORD}

    answer = await workspace.browser().submit("/register", fields)

    assert answer.code == 409
    assert "has an account already" in alert(answer.body)


async def test_registration_that_is_closed_is_neither_shown_nor_done(workspace: Workspace) -> None:
    await workspace.add("ada", Role.ADMIN)
    browser = workspace.browser()
    await browser.get("/register")
    async with workspace.site.backend.database.writing() as session:
        await settings.change(session, SYSTEM, REGISTRATION_OPEN, value=False)

    form = await browser.get("/register")
    sent = await browser.post("/register", {"username": "bob", "email": "bob@example.org", "password": PASSWORD})
    sign_in = await browser.get("/login")

    assert (form.code, sent.code) == (403, 403)
    assert b"/register" not in sign_in.body


async def test_registrations_from_one_address_have_a_limit(workspace: Workspace) -> None:
    await workspace.add("ada", Role.ADMIN)
    browser = workspace.browser()
    await browser.get("/register")
    for _ in range(300):
        workspace.site.throttle.new_account("127.0.0.1")

    answer = await browser.post("/register", {"username": "bob", "email": "bob@example.org", "password": PASSWORD})

    assert answer.code == 429


async def test_the_first_start_says_where_the_setup_link_is(workspace: Workspace) -> None:
    page = await workspace.browser().get("/login")

    assert b"set-up link" in page.body
    assert b"/register" not in page.body


async def test_the_setup_link_makes_one_administrator_and_works_once(workspace: Workspace) -> None:
    token = await setup_token(workspace)
    browser = workspace.browser()
    fields = {"token": token, "username": "ada", "email": "ada@example.org", "password": PASSWORD}

    answer = await browser.submit(f"/setup?token={token}", fields)
    again = await workspace.browser().get(f"/setup?token={token}")

    assert (answer.code, again.code) == (303, 403)
    assert (await browser.get("/admin/providers")).code == 200


@pytest.mark.parametrize("token", ["", "wrong", "None", "%00", "é" * 50])
async def test_a_wrong_setup_link_shows_nothing(workspace: Workspace, token: str) -> None:
    await setup_token(workspace)

    page = await workspace.browser().get(f"/setup?token={token}" if token.isascii() else "/setup?token=%C3%A9")

    assert page.code == 403
    assert b"<form" not in page.body


async def test_a_new_setup_link_ends_the_old_one(workspace: Workspace) -> None:
    old, new = await setup_token(workspace), await setup_token(workspace)

    codes = [(await workspace.browser().get(f"/setup?token={token}")).code for token in (old, new)]

    assert codes == [403, 200]


async def test_many_who_set_up_at_once_make_one_administrator(workspace: Workspace) -> None:
    token = await setup_token(workspace)
    browsers = [workspace.browser() for _ in range(24)]
    await asyncio.gather(*(browser.get(f"/setup?token={token}") for browser in browsers))

    def fields(number: int) -> dict[str, str]:
        name = f"admin{number}"
        return {"token": token, "username": name, "email": f"{name}@example.org", "password": PASSWORD}

    answers = await asyncio.gather(*(browser.post("/setup", fields(number)) for number, browser in enumerate(browsers)))

    async with workspace.site.backend.database.reading() as session:
        everybody = list(await session.scalars(select(User.role)))
    assert everybody == [Role.ADMIN]
    assert sorted(answer.code for answer in answers) == [303] + [403] * 23


async def test_a_flood_of_forms_finds_the_door_closed_before_the_hashing(workspace: Workspace) -> None:
    workspace.site.passwords._waiting = 60
    await workspace.add("ann")

    answer = await workspace.browser().submit("/login", {"username": "ann", "password": PASSWORD})

    assert (answer.code, answer.headers["Retry-After"]) == (503, "3")


async def test_a_page_that_fails_shows_an_id_and_no_traceback(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> bool:
        raise KeyError("a secret detail")

    monkeypatch.setattr(users, "needs_setup", broken)

    page = await workspace.browser().get("/login")

    assert page.code == 500
    assert re.search(r"tell an administrator: [0-9a-f]{8}", page.body.decode())
    assert not any(word in page.body for word in (b"Traceback", b"KeyError", b"a secret detail", b".py"))
