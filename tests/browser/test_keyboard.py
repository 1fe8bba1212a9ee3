"""Without a mouse, with a screen reader, with large text: all can be reached, and nothing is lost on the way."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import ask, new_chat, pick_model, sign_in
from tests.browser.test_admin import open_admin
from tests.product import Product, wait_until

HELD = "() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.id"
SMALL = """() => [...document.querySelectorAll("a, button, input:not([type=hidden]), select, summary, textarea")]
  .filter((node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
  .map((node) => node.matches("input[type=checkbox]") ? node.closest("label") : node)
  // A link in a line of text may be as high as the line.
  .filter((node) => getComputedStyle(node).display !== "inline")
  .map((node) => [node.outerHTML.slice(0, 100), node.getBoundingClientRect()])
  .filter(([, box]) => box.width && (box.width < 24 || box.height < 24))
  .map(([html]) => html)"""
"""Targets smaller than WCAG 2.5.8 allows."""
WIDER = """() => [document.documentElement, document.querySelector("main")]
  .some((node) => node.scrollWidth > node.clientWidth + 1)"""
SPACED = "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }"
"""What WCAG 1.4.12 lets a person set."""
SAID = """() => {
  window.said = []
  const place = document.getElementById("status")
  new MutationObserver(() => window.said.push(place.textContent)).observe(place, { childList: true })
}"""


@pytest.fixture
def answered(page: Page, product: Product) -> Page:
    """A chat with one answer."""
    sign_in(page, product, "bob")
    new_chat(page)
    pick_model(page, page.get_by_label("Model", exact=True).locator("option").first.inner_text())
    ask(page, "Show me a table and some code")
    expect(page.get_by_role("button", name="Edit answer").last).to_be_visible()
    return page


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).last.focus()
    page.keyboard.press("Enter")


def open_menu_of_chat(page: Page) -> str:
    menu = page.locator("#chats summary").first
    menu.focus()
    page.keyboard.press("Enter")
    return str(menu.get_attribute("aria-label"))


def expect_focus(page: Page, name: str) -> None:
    wait_until(lambda: page.evaluate(f"({HELD})()") == name, f"the focus on {name!r}")


def test_the_tab_key_goes_through_the_page_in_the_order_it_is_read(answered: Page) -> None:
    answered.locator(".skip").focus()
    visited = []
    while len(visited) < 80 and (not visited or visited[-1] != "Message"):
        answered.keyboard.press("Tab")
        visited.append(answered.evaluate("""() => {
          const node = document.activeElement
          const box = node.getBoundingClientRect()
          if (!box.width || box.bottom < 0 || box.top > innerHeight) return "out of sight"
          return node.getAttribute("aria-label") ?? node.id
        }"""))  # fmt: skip

    wanted = ["new-chat", "search", "Account menu of bob", "Chat settings", "Edit question", "Edit answer", "Message"]
    assert [name for name in visited if name in wanted] == wanted
    assert "out of sight" not in visited


def test_the_skip_link_goes_to_the_content(answered: Page) -> None:
    answered.locator(".skip").focus()
    answered.keyboard.press("Enter")

    expect_focus(answered, "main")


def test_focus_comes_back_from_what_was_opened(answered: Page) -> None:
    press(answered, "Edit answer")
    expect(answered.get_by_role("textbox", name="Edit answer")).to_be_focused()
    answered.keyboard.press("Escape")
    expect_focus(answered, "Edit answer")

    press(answered, "Bad answer")
    expect(answered.get_by_role("radio").first).to_be_focused()
    answered.keyboard.press("Escape")
    expect_focus(answered, "Bad answer")

    press(answered, "What the model saw")
    expect(answered.get_by_role("dialog")).to_be_visible()
    answered.keyboard.press("Escape")
    expect_focus(answered, "What the model saw")

    menu = open_menu_of_chat(answered)
    press(answered, "Share …")
    expect(answered.get_by_role("dialog")).to_contain_text("Create link")
    answered.keyboard.press("Escape")
    expect_focus(answered, menu)


def test_focus_comes_back_to_a_menu_that_was_drawn_again_meanwhile(answered: Page) -> None:
    menu = open_menu_of_chat(answered)
    other = answered.context.new_page()
    other.goto(answered.url)
    new_chat(other)
    ask(other, "A chat beside it")
    expect(answered.get_by_role("link", name="A chat beside it")).to_have_count(0)
    answered.bring_to_front()

    press(answered, "Share …")
    expect(answered.get_by_role("dialog")).to_contain_text("Create link")
    expect(answered.get_by_role("link", name="A chat beside it")).to_have_count(1)
    answered.keyboard.press("Escape")

    expect_focus(answered, menu)


def test_focus_stays_where_something_is_drawn_again_or_deleted(answered: Page) -> None:
    press(answered, "Edit answer")
    answered.keyboard.type(" More.")
    answered.keyboard.press("Control+Enter")
    expect(answered.get_by_label("Version 2 of 2")).to_be_visible()
    press(answered, "Previous version")
    expect(answered.get_by_label("Version 1 of 2")).to_be_visible()
    expect_focus(answered, "Next version")

    menu = open_menu_of_chat(answered)
    press(answered, "Pin")
    expect(answered.get_by_role("heading", name="Pinned")).to_be_visible()
    expect_focus(answered, menu)

    more = answered.locator("article.answer summary[aria-label=More]").last
    more.focus()
    answered.keyboard.press("Enter")
    press(answered, "Delete answer")
    expect(answered.get_by_text("The answer is gone.")).to_be_visible()
    wait_until(lambda: bool(answered.evaluate("document.activeElement !== document.body")), "the focus to be somewhere")


def test_an_answer_is_announced_when_it_begins_and_when_it_ends(page: Page, product: Product) -> None:
    sign_in(page, product, "bob")
    pick_model(page, "slow-words")
    page.evaluate(SAID)
    ask(page, "Say something slowly")
    expect(page.get_by_role("button", name="Edit answer").last).to_be_visible(timeout=20_000)

    begun, ended = page.evaluate("window.said")
    assert begun == "An answer is being written."
    assert ended.startswith("The answer is complete. ")
    assert page.get_by_role("log").get_attribute("aria-live") == "off"


@pytest.mark.parametrize("width", [320, 390])
def test_a_small_screen_with_wide_letters_needs_no_scrolling_to_the_side(
    new_context: Callable[..., BrowserContext], product: Product, width: int
) -> None:
    page = new_context(viewport={"width": width, "height": 700}).new_page()
    found = {}

    def look(name: str) -> None:
        found[f"{name}: small"] = page.evaluate(SMALL)
        page.add_style_tag(content=SPACED)
        found[f"{name}: wider"] = page.evaluate(WIDER)

    for path in ("/login", "/register", "/offline"):
        page.goto(f"{product.url}{path}")
        look(path)
    sign_in(page, product, "ada")
    ask(page, "Show me a table and some code")
    expect(page.get_by_role("button", name="Edit answer").last).to_be_visible()
    look("chat")
    page.get_by_label("Chat settings").click()
    look("settings of the chat")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Open the menu").click()
    page.get_by_label("Account menu of ada").click()
    look("menu")
    page.goto(f"{product.url}/account")
    look("account")
    for name in ("Providers", "Models", "Settings"):
        open_admin(page, product, name)
        look(name)

    assert {name: what for name, what in found.items() if what} == {}
