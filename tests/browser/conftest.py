"""A real Chromium against the real product. Whatever a page should never do fails the test that saw it."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.product import PASSWORD, FakeProvider, Product

CHROMIUM = "/usr/bin/chromium"
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
expect.set_options(timeout=15_000)
"""Three times what is usual: this runs beside other tests on a machine that may be slow."""
SLOW_SCRIPT = {"pieces": 120, "delay_ms": 50}
"""Six seconds of answer: long enough to reload, stop or leave in the middle."""


@dataclass
class Watch:
    """What a browser did that no page of ours should do."""

    allowed: set[str] = field(default_factory=set)
    """Parts of console messages that the test expects, such as a refused connection while the server is down."""
    problems: list[str] = field(default_factory=list)

    def request(self, request: Request) -> None:
        """Note a request that leaves this host."""
        host = urlsplit(request.url).hostname
        if host not in ("127.0.0.1", "localhost", None) and not request.url.startswith(("data:", "blob:")):
            self.problems.append(f"asked {request.url}")

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
    product.command(
        "providers", "add", "Slow", "--type", "openai", "--url", slow_provider.url, "--key-stdin",
        "--model", "slow-words", text="sk-slow-key",
    )  # fmt: skip
    return product.folder


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, furnished: Path) -> Iterator[Product]:
    """A running product with what is in the furnished folder."""
    product = Product(tmp_path_factory.mktemp("product") / "data", fetch_allow="127.0.0.1")
    shutil.copytree(furnished, product.folder)
    product.start()
    yield product
    code = product.stop()
    assert code == 0
    bad = [line for line in product.log().splitlines() if " warning " in line or " error " in line]
    unexpected = [line for line in bad if not any(event in line for event in DELIBERATE)]
    assert not unexpected, "\n".join(unexpected)


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    yield watch
    assert watch.problems == []


@pytest.fixture
def new_context(browser: Browser, watch: Watch) -> Iterator[Callable[..., BrowserContext]]:
    """Make browser contexts, each a browser of its own with no cookies; all are watched."""
    contexts: list[BrowserContext] = []

    def make(**options: object) -> BrowserContext:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        context.on("request", watch.request)
        context.on("console", watch.console)
        context.on("weberror", lambda error: watch.error(error.error))
        context.set_default_timeout(15_000)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_context: Callable[..., BrowserContext]) -> Page:
    """A page in a browser of its own, nobody signed in."""
    return new_context().new_page()


def sign_in(page: Page, product: Product, name: str) -> None:
    """Sign in on the sign-in page; returns once the chat can be used."""
    page.goto(f"{product.url}/login")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("textbox", name="Message")).to_be_enabled()


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
