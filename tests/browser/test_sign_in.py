"""From the first start to the first answer, and out again."""

import re
from collections.abc import Callable, Iterator

import httpx2
import pytest
from playwright.sync_api import BrowserContext, Page, Route, WebSocketRoute, expect

from llm_ui.kit import totp
from tests.browser.conftest import Watch, ask, sign_in
from tests.browser.test_chat import answers
from tests.fakes.issuer import RealIssuer
from tests.product import PASSWORD, Product, running, wait_until

CLOSED_BY_THE_SERVER = {"401", "403", "ebsocket", "WebSocket"}
"""Parts of what the browser and Bokeh say themselves when a websocket is closed and its page asks who is signed in."""


@pytest.fixture(scope="module")
def empty_product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product on its first start: nobody has an account."""
    with running(Product(tmp_path_factory.mktemp("empty") / "data")) as product:
        yield product


def setup_link(product: Product) -> str:
    """The one-time link that the first start prints."""
    pattern = re.compile(r"https?://\S+/setup\?token=\S+")
    wait_until(lambda: bool(pattern.search(product.log())), "the set-up link")
    found = pattern.search(product.log())
    assert found is not None
    return found.group()


def test_the_setup_link_makes_the_first_administrator_who_can_chat_at_once(page: Page, empty_product: Product) -> None:
    page.goto(setup_link(empty_product))
    page.get_by_label("Username").fill("grace")
    page.get_by_label("E-mail").fill("grace@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create administrator").click()

    expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    ask(page, "What is 47 * 89?")

    expect(answers(page).last).to_contain_text(re.compile("4,?183"))
    expect(answers(page).last).to_contain_text(re.compile("not a language model", re.I))


def test_the_setup_link_works_once(page: Page, empty_product: Product, watch: Watch) -> None:
    watch.allowed.add("403")
    page.goto(setup_link(empty_product))

    expect(page.get_by_label("E-mail")).to_have_count(0)


def test_a_stranger_registers_and_chats(page: Page, product: Product) -> None:
    page.goto(product.url)
    expect(page).to_have_url(re.compile("/login"))
    page.get_by_role("link", name=re.compile("register|create", re.I)).click()
    page.get_by_label("Username").fill("carol")
    page.get_by_label("E-mail").fill("carol@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()

    expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    ask(page, "What is 3 * 3?")

    expect(answers(page).last).to_contain_text("9")


def test_a_wrong_password_says_so_and_keeps_the_name(page: Page, product: Product, watch: Watch) -> None:
    watch.allowed.add("401")
    page.goto(f"{product.url}/login")
    page.get_by_label("Username").fill("bob")
    page.get_by_label("Password").fill("this is not the one")
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("alert")).to_contain_text("wrong")
    expect(page.get_by_label("Username")).to_have_value("bob")
    expect(page.get_by_label("Password")).to_have_value("")


def test_signing_out_ends_every_tab(new_context: Callable[..., BrowserContext], product: Product, watch: Watch) -> None:
    watch.allowed |= CLOSED_BY_THE_SERVER
    context = new_context()
    first, second = context.new_page(), context.new_page()
    sign_in(first, product, "bob")
    second.goto(product.url)
    expect(second.get_by_role("textbox", name="Message")).to_be_visible()

    first.get_by_role("button", name=re.compile("account|user menu|bob", re.I)).first.click()
    first.get_by_role("button", name="Sign out").or_(first.get_by_role("menuitem", name="Sign out")).click()

    expect(first).to_have_url(re.compile("/login"))
    expect(second).to_have_url(re.compile("/login"), timeout=5_000)


def breaking_once(page: Page) -> None:
    """Let the page's first connection break before anything has come over it."""
    is_first = iter([True])

    def route(socket: WebSocketRoute) -> None:
        if next(is_first, False):
            socket.close()
        else:
            socket.connect_to_server()

    page.route_web_socket(re.compile(r"/ws$"), route)


def test_a_page_whose_connection_breaks_while_it_loads_is_there_a_moment_later(
    page: Page, product: Product, watch: Watch
) -> None:
    watch.allowed |= CLOSED_BY_THE_SERVER
    sign_in(page, product, "bob")
    breaking_once(page)

    page.reload()

    expect(page.get_by_role("textbox", name="Message")).to_be_enabled()


def test_a_session_that_ends_while_a_page_loads_leads_to_the_sign_in(
    new_context: Callable[..., BrowserContext], product: Product, watch: Watch
) -> None:
    watch.allowed |= CLOSED_BY_THE_SERVER
    context = new_context()
    page = context.new_page()
    sign_in(page, product, "bob")
    page.route_web_socket(re.compile(r"/ws$"), lambda socket: (context.clear_cookies(), socket.close()))

    page.reload()

    expect(page).to_have_url(re.compile("/login"))


def test_a_session_ended_elsewhere_ends_this_page(
    new_context: Callable[..., BrowserContext], product: Product, watch: Watch
) -> None:
    watch.allowed |= CLOSED_BY_THE_SERVER
    product.add_person("dora")
    page = new_context().new_page()
    sign_in(page, product, "dora")

    product.command("users", "disable", "dora")

    expect(page).to_have_url(re.compile("/login"), timeout=5_000)


def test_a_page_whose_session_ended_goes_to_the_sign_in_page_once(
    new_context: Callable[..., BrowserContext], product: Product, watch: Watch
) -> None:
    watch.allowed |= CLOSED_BY_THE_SERVER | {"Service Worker registration blocked"}
    product.add_person("gwen")
    page = new_context(service_workers="block").new_page()
    sign_in(page, product, "gwen")
    asked: list[Route] = []
    page.route(re.compile("/login"), lambda route: asked.append(route))
    product.command("users", "disable", "gwen")
    page.wait_for_timeout(6_000)  # a slow server: meanwhile the page notices several times that it is cut off

    assert len(asked) == 1, "an ended navigation loses what the server had begun to answer"
    asked[0].continue_()
    expect(page.get_by_label("Username")).to_be_visible()


def test_a_chat_of_somebody_else_is_not_found(new_context: Callable[..., BrowserContext], product: Product) -> None:
    theirs = new_context().new_page()
    sign_in(theirs, product, "ada")
    ask(theirs, "The secret word is albatross")
    expect(answers(theirs).last).to_be_visible()
    expect(theirs).to_have_url(re.compile("/c/"))
    mine = new_context().new_page()
    sign_in(mine, product, "bob")

    mine.goto(theirs.url)

    expect(mine.get_by_text("albatross")).to_have_count(0)
    expect(mine.get_by_text(re.compile("not found|does not exist|no such chat", re.I)).first).to_be_visible()


@pytest.fixture(scope="module")
def issuer() -> Iterator[RealIssuer]:
    issuer = RealIssuer()
    yield issuer
    issuer.stop()


def type_password(page: Page, product: Product, name: str) -> None:
    page.goto(f"{product.url}/login")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_a_phone_or_a_recovery_code_is_asked_for_once_it_is_set_up(
    new_context: Callable[..., BrowserContext], product: Product
) -> None:
    product.add_person("edith")
    page = new_context().new_page()
    type_password(page, product, "edith")
    page.get_by_role("button", name="Account menu of edith").click()
    page.get_by_role("link", name="Account", exact=True).click()
    page.get_by_role("link", name="Set it up").click()
    expect(page.get_by_role("img", name="QR code for the authenticator app")).to_be_visible()
    page.get_by_text("It cannot be scanned").click()
    secret = page.locator(".secret").inner_text()
    page.get_by_label("Code of the app").fill(totp.code(secret, totp.counter_now()))
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Turn on").click()
    recovery = page.get_by_role("listitem").all_inner_texts()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("10 recovery codes are left.")).to_be_visible()

    # A code is taken once, and none before it: the next one, which an app whose clock is ahead shows already.
    for code in (totp.code(secret, totp.counter_now() + 1), recovery[0]):
        browser = new_context().new_page()
        type_password(browser, product, "edith")
        browser.get_by_label("Code of the authenticator app").fill(code)
        browser.get_by_role("button", name="Sign in", exact=True).click()
        expect(browser.get_by_role("textbox", name="Message")).to_be_visible()


def add_issuer(admin: Page, product: Product, issuer: RealIssuer, name: str, newcomers: str) -> None:
    """Have an administrator add an issuer that runs here."""
    admin.goto(f"{product.url}/admin/sign-in")
    admin.get_by_role("button", name="Add issuer").click()
    form = admin.get_by_role("dialog")
    form.get_by_label("Name on the button").fill(name)
    form.get_by_label("Address", exact=True).fill(issuer.url)
    form.get_by_label("Client id").fill("workspace")
    form.get_by_label("Client secret").fill("a secret of ours")
    form.get_by_label("Where it is", exact=True).select_option(label="On the private network, even without TLS")
    form.get_by_label("Who comes for the first time").select_option(label=newcomers)
    form.get_by_role("button", name="Save").click()
    expect(admin.get_by_role("cell", name=re.compile(name))).to_be_visible()


def test_an_administrator_adds_an_issuer_through_which_a_stranger_signs_in(
    new_context: Callable[..., BrowserContext], product: Product, issuer: RealIssuer, watch: Watch
) -> None:
    issuer.knows("f-1", email="fay@example.org", email_verified=True, preferred_username="fay")
    admin = new_context().new_page()
    sign_in(admin, product, "ada")
    add_issuer(admin, product, issuer, "Harbour", "Gets an account")

    page = new_context().new_page()
    page.goto(f"{product.url}/login")
    page.get_by_role("link", name="Sign in with Harbour").click()
    page.get_by_placeholder("sub").fill("f-1")
    page.get_by_role("button", name="Authorize").click()

    expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    page.get_by_role("button", name="Account menu of fay").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign out of Harbour").click()
    page.get_by_role("button", name="End session").click()
    expect(page).to_have_url(re.compile("/login"))
    # The issuer's own pages ask another host for their style sheet.
    watch.problems[:] = [each for each in watch.problems if "pico" not in each and "NOT_RESOLVED" not in each]


def test_a_directory_makes_an_account_that_its_person_signs_in_to_until_it_is_disabled(
    new_context: Callable[..., BrowserContext], product: Product, issuer: RealIssuer, watch: Watch
) -> None:
    watch.allowed |= CLOSED_BY_THE_SERVER
    issuer.knows("d-1", email="dee@example.org", email_verified=True, preferred_username="dee")
    admin = new_context(viewport={"width": 390, "height": 800}).new_page()
    sign_in(admin, product, "ada")
    add_issuer(admin, product, issuer, "Lighthouse", "Has to have an account here")
    admin.get_by_role("row", name=re.compile("Lighthouse")).get_by_role("button", name="Directory …").click()
    sheet = admin.get_by_role("dialog", name="Directory of Lighthouse")
    sheet.get_by_role("button", name="Make a token").click()
    token = sheet.get_by_label("Token; it is shown this once")
    expect(token).to_have_value(re.compile("llmui-scim-"))

    with httpx2.Client(
        base_url=sheet.get_by_label("Address; enter it at the issuer").input_value(),
        headers={"Authorization": f"Bearer {token.input_value()}"}, trust_env=False,
    ) as directory:  # fmt: skip
        schemas, emails = ["urn:ietf:params:scim:schemas:core:2.0:User"], [{"value": "dee@example.org"}]
        made = directory.post("/Users", json={"schemas": schemas, "userName": "dee", "emails": emails})
        assert made.status_code == 201, made.text
        group = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Keepers"}
        assert directory.post("/Groups", json={**group, "members": [{"value": made.json()["id"]}]}).status_code == 201

        page = new_context().new_page()
        page.goto(f"{product.url}/login")
        page.get_by_role("link", name="Sign in with Lighthouse").click()
        page.get_by_placeholder("sub").fill("d-1")
        page.get_by_role("button", name="Authorize").click()
        expect(page.get_by_role("button", name="Account menu of dee")).to_be_visible()

        gone = {"op": "Replace", "path": "active", "value": "False"}
        body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [gone]}
        assert directory.patch(f"/Users/{made.json()['id']}", json=body).status_code == 200
    expect(page).to_have_url(re.compile("/login"))
    admin.reload()
    admin.get_by_role("row", name=re.compile("Lighthouse")).get_by_role("button", name="Directory …").click()
    expect(sheet).to_contain_text("It keeps 1 account and 1 group.")
    watch.problems[:] = [each for each in watch.problems if "pico" not in each and "NOT_RESOLVED" not in each]
