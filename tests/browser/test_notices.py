"""A person who looks elsewhere is told that a long answer has ended."""

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.conftest import ARGUMENTS, ask, pick_model, sign_in
from tests.product import FakeProvider, Product

LONG_SCRIPT = {"pieces": 115, "delay_ms": 100}
"""More than eleven seconds."""
SHOWN = """window.shown = []
window.Notification = class extends window.Notification {
  constructor(title, options) { super(title, options); window.shown.push({ title, notice: this, ...options }) }
}"""
"""Notes the notifications that the page asks the browser for; they are made all the same."""
LOOK = """(isHidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => isHidden })
  document.dispatchEvent(new Event("visibilitychange"))
}"""
"""A page that a program drives counts as looked at even behind another one."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The whole of Chromium: its headless shell has no notifications."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def long_provider(product: Product) -> Iterator[FakeProvider]:
    fake = FakeProvider(json.dumps(LONG_SCRIPT))
    product.add_provider("Long", fake.url, "long-words")
    yield fake
    fake.stop()


@pytest.fixture
def reader(new_context: Callable[..., BrowserContext], product: Product) -> Page:
    """A page of a person who may be notified, once they want to be."""
    context = new_context()
    context.grant_permissions(["notifications"], origin=product.url)
    page = context.new_page()
    page.add_init_script(SHOWN)
    sign_in(page, product, "bob")
    return page


def switch_on(page: Page) -> None:
    page.get_by_label("Chat settings").click()
    page.get_by_role("checkbox", name="Notify me").check()
    page.keyboard.press("Escape")


def shown(page: Page) -> list[dict[str, str]]:
    return page.evaluate("window.shown.map(({ title, body, tag }) => ({ title, body, tag }))")


def test_one_notification_tells_of_a_long_answer_and_leads_to_it(
    reader: Page, product: Product, long_provider: FakeProvider
) -> None:
    switch_on(reader)
    pick_model(reader, "long-words")
    ask(reader, "Tell me a long story")
    expect(reader.get_by_role("button", name="Stop")).to_be_visible()
    chat = reader.url
    reader.evaluate(LOOK, True)
    expect(reader.get_by_role("button", name="Send")).to_be_visible(timeout=30_000)

    (notice,) = shown(reader)
    assert notice["body"] == "The answer has ended."
    assert f"(1) {notice['title']} · LLM UI" == reader.title()
    reader.get_by_role("button", name="New chat").first.click()
    expect(reader).not_to_have_url(chat)
    reader.evaluate("window.shown[0].notice.dispatchEvent(new Event('click'))")
    expect(reader).to_have_url(chat)
    reader.evaluate(LOOK, False)
    expect(reader).to_have_title(f"{notice['title']} · LLM UI")


def test_a_short_answer_marks_the_title_and_no_more(reader: Page) -> None:
    switch_on(reader)
    reader.evaluate(LOOK, True)
    ask(reader, "What is 3 * 3?")
    expect(reader.get_by_role("button", name="Edit answer").last).to_be_visible()

    assert reader.title().startswith("(1) ")
    assert shown(reader) == []


def test_it_is_off_until_it_is_switched_on_and_stays_as_it_was_left(reader: Page) -> None:
    reader.get_by_label("Chat settings").click()
    expect(reader.get_by_role("checkbox", name="Notify me")).not_to_be_checked()
    reader.get_by_role("checkbox", name="Notify me").check()
    reader.reload()
    reader.get_by_label("Chat settings").click()

    expect(reader.get_by_role("checkbox", name="Notify me")).to_be_checked()


def test_whoever_has_blocked_them_is_told_where_to_allow_them(page: Page, product: Product) -> None:
    page.add_init_script("Object.defineProperty(Notification, 'permission', { get: () => 'denied' })")
    sign_in(page, product, "bob")
    page.get_by_label("Chat settings").click()
    page.get_by_role("checkbox", name="Notify me").click()

    expect(page.get_by_role("checkbox", name="Notify me")).not_to_be_checked()
    expect(page.get_by_text("blocks notifications")).to_be_visible()
