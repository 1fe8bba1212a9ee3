"""A real Chromium against the real product. Whatever a page should never do fails the test that saw it."""

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

from llm_ui.auth.site import SESSION_COOKIE
from tests.product import DATABASE, PASSWORD, FakeProvider, Product

CHROMIUM = "/usr/bin/chromium-headless-shell"
"""Chromium without the parts that draw a window: a quarter less work for the same pages."""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]
DELIBERATE = ("process.crashed", "sign_in.refused", "websocket.message_failed", "reference already known")
"""Events of the log that tests bring about: they type a wrong password and kill a process, after which a page that was
built by the old one tells the new one of widgets it does not know."""
LIMIT_MS = 30_000
"""Six times what is usual: this runs beside other tests on a machine that may be slow."""
expect.set_options(timeout=LIMIT_MS)
DESKTOP = {"width": 1280, "height": 800}
STORED = "local_storage,indexeddb,service_workers,cache_storage"
_sessions: dict[tuple[str, str], Any] = {}
"""The cookie of each session there is, by product and name."""
_read: dict[Path, int] = {}
"""How many characters of each log have been looked at."""
SLOW_SCRIPT = {"pieces": 120, "delay_ms": 50}
"""Six seconds of answer: long enough to reload, stop or leave in the middle."""


@dataclass
class Watch:
    """What a browser did that no page of ours should do."""

    allowed: set[str] = field(default_factory=set)
    """Parts of console messages that the test expects, such as a refused connection while the server is down."""
    problems: list[str] = field(default_factory=list)
    origins: set[str] = field(default_factory=set)
    """Where it has been: who may have left something in it."""

    @contextlib.contextmanager
    def over(self, context: BrowserContext) -> Iterator[None]:
        """Watch a browser context for the length of a block."""
        seen = {"request": self.request, "console": self.console, "weberror": lambda error: self.error(error.error)}
        for event, note in seen.items():
            context.on(event, note)  # type: ignore[call-overload]
        yield
        for event, note in seen.items():
            context.remove_listener(event, note)

    def request(self, request: Request) -> None:
        """Note a request that leaves this host."""
        host = urlsplit(request.url).hostname
        if host not in ("127.0.0.1", "localhost", None) and not request.url.startswith(("data:", "blob:")):
            self.problems.append(f"asked {request.url}")
        elif host:
            self.origins.add("{0.scheme}://{0.netloc}".format(urlsplit(request.url)))

    def console(self, message: ConsoleMessage) -> None:
        """Note an error, a warning or a violation of the content security policy."""
        is_bad = message.type in ("error", "warning") or "Content Security Policy" in message.text
        if is_bad and not any(part in message.text for part in self.allowed):
            self.problems.append(f"console: {message.text}")

    def error(self, error: Exception) -> None:
        """Note an exception nobody caught."""
        self.problems.append(f"uncaught: {error}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for one module: while Playwright runs its loop counts as running, and no async test could follow."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def slow_provider() -> Iterator[FakeProvider]:
    fake = FakeProvider(json.dumps(SLOW_SCRIPT))
    yield fake
    fake.stop()


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory, slow_provider: FakeProvider) -> Path:
    """A data folder with an administrator *ada*, a person *bob* and a slow model beside the demo one."""
    product = Product(tmp_path_factory.mktemp("furnished") / "data")
    product.add_person("ada", "admin")
    product.add_person("bob")
    product.add_provider("Slow", slow_provider.url, "slow-words")
    return product.folder


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, furnished: Path) -> Iterator[Product]:
    """The running product of all modules of a worker: its start takes as long as ten tests."""
    product = Product(tmp_path_factory.mktemp("product") / "data", fetch_allow="127.0.0.1")
    shutil.copytree(furnished, product.folder)
    product.start()
    yield product
    assert product.stop() == 0
    assert not complaints(product)


@pytest.fixture(scope="module")
def product(served: Product, furnished: Path) -> Iterator[Product]:
    """A running product with what is in the furnished folder, and nothing that another module did."""
    served.restore(furnished / DATABASE)
    _sessions.clear()
    yield served
    bad = complaints(served)
    assert not bad, "\n".join(bad)


def complaints(product: Product) -> list[str]:
    """Return the warnings and errors that came into the log since they were last asked for, but for deliberate ones."""
    lines = product.log()[_read.get(product.log_path, 0) :]
    _read[product.log_path] = len(product.log())
    bad = [line for line in lines.splitlines() if " warning " in line or " error " in line]
    return [line for line in bad if not any(event in line for event in DELIBERATE)]


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    yield watch
    assert watch.problems == []


@pytest.fixture
def new_context(browser: Browser, watch: Watch) -> Iterator[Callable[..., BrowserContext]]:
    """Make browser contexts, each a browser of its own with no cookies and an empty cache; all are watched."""
    with contextlib.ExitStack() as stack:

        def make(**options: object) -> BrowserContext:
            context = browser.new_context(**{"viewport": DESKTOP, **options})
            stack.callback(context.close)
            stack.enter_context(watch.over(context))
            context.set_default_timeout(LIMIT_MS)
            return context

        yield make


@pytest.fixture(scope="module")
def kept_context(browser: Browser) -> Iterator[BrowserContext]:
    """The browser context of all pages of a module, so that scripts are fetched once."""
    context = browser.new_context(viewport=DESKTOP)
    context.set_default_timeout(LIMIT_MS)
    yield context
    context.close()


@pytest.fixture
def page(kept_context: BrowserContext, watch: Watch) -> Iterator[Page]:
    """A page in a browser that holds nothing but its cache of scripts, nobody signed in."""
    with watch.over(kept_context):
        yield kept_context.new_page()
        for page in kept_context.pages:
            page.close()
    _forget(kept_context, watch.origins)


def _forget(context: BrowserContext, origins: set[str]) -> None:
    """Leave nothing of a test in its browser context but the cache of scripts."""
    context.clear_cookies()
    context.clear_permissions()
    page = context.new_page()
    chromium = context.new_cdp_session(page)
    for origin in origins:
        chromium.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": STORED})
    page.close()


def sign_in(page: Page, product: Product, name: str) -> None:
    """Have somebody signed in; returns once the chat can be used.

    On the sign-in page the first time, with the session from then on, as long as it lives.
    """
    session = _sessions.get((product.url, name))
    if session:
        page.context.add_cookies([session])
        page.goto(product.url)
    if not session or urlsplit(page.url).path == "/login":
        page.goto(f"{product.url}/login")
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("textbox", name="Message")).to_be_enabled()
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies(product.url)}
    _sessions[product.url, name] = cookies[SESSION_COOKIE]


def ask(page: Page, text: str) -> None:
    """Type a question and send it with Enter."""
    page.get_by_role("textbox", name="Message").fill(text)
    page.get_by_role("textbox", name="Message").press("Enter")


def new_chat(page: Page) -> None:
    """Begin a new chat; returns once it is shown."""
    page.get_by_role("button", name="New chat").first.click()
    expect(page.get_by_role("heading", name="What is on your mind?")).to_be_visible()


def pick_model(page: Page, name: str) -> None:
    """Pick a model in the top bar."""
    page.get_by_label("Model", exact=True).select_option(label=name)
