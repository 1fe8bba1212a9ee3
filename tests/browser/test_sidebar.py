"""The list of chats: pinned, archived, in the bin; and the shortcuts."""

import itertools
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import ask, new_chat, sign_in
from tests.product import Product

NUMBERS = itertools.count(1)


@pytest.fixture
def title() -> str:
    """The title of a chat that no other test has."""
    return f"Keep me number {next(NUMBERS)} for later"


@pytest.fixture
def chat(page: Page, product: Product, title: str) -> Page:
    """A chat of that title and a newer one, which is open."""
    sign_in(page, product, "bob")
    for text in (title, "What is 1 + 1?"):
        new_chat(page)
        ask(page, text)
        expect(page.get_by_role("article", name="Assistant")).to_have_count(1)
        expect(page.get_by_role("button", name="Send")).to_be_visible()
        expect(page.get_by_role("link", name=text).first).to_be_visible()
    return page


def choose(page: Page, title: str, entry: str) -> None:
    """Choose an entry of the chat's menu."""
    row = page.get_by_role("listitem").filter(has_text=title).first
    row.hover()
    row.get_by_label("Actions for").click()
    row.get_by_role("button", name=entry, exact=True).click()


def shelf(page: Page, name: str) -> Locator:
    return page.get_by_role("list", name=name)


def test_a_chat_is_pinned_and_let_go(chat: Page, title: str) -> None:
    choose(chat, title, "Pin")
    expect(shelf(chat, "Pinned").get_by_role("link")).to_contain_text([title])
    chat.reload()
    expect(shelf(chat, "Pinned").get_by_role("link")).to_contain_text([title])

    choose(chat, title, "Unpin")

    expect(shelf(chat, "Pinned")).to_have_count(0)


def test_a_chat_is_archived_and_comes_back(chat: Page, title: str) -> None:
    choose(chat, title, "Archive")
    expect(chat.get_by_role("link", name=title)).to_have_count(0)
    chat.get_by_role("button", name="Archive", exact=True).click()
    expect(chat.get_by_role("link", name=title)).to_have_count(1)

    choose(chat, title, "Take out of the archive")
    chat.get_by_role("button", name="← Chats").click()

    expect(chat.get_by_role("link", name=title)).to_have_count(1)


def test_a_deleted_chat_is_restored_from_the_bin_or_deleted_for_good(chat: Page, title: str) -> None:
    choose(chat, title, "Delete")
    expect(chat.get_by_role("link", name=title)).to_have_count(0)
    chat.get_by_role("button", name="Bin", exact=True).click()
    expect(chat.get_by_role("button", name="← Chats")).to_be_visible()
    binned = chat.get_by_role("listitem").filter(has_text=title)
    expect(binned).to_have_count(1)

    choose(chat, title, "Restore")
    expect(binned).to_have_count(0)
    chat.get_by_role("button", name="← Chats").click()
    expect(chat.get_by_role("link", name=title)).to_have_count(1)
    choose(chat, title, "Delete")
    expect(chat.get_by_role("link", name=title)).to_have_count(0)
    chat.get_by_role("button", name="Bin", exact=True).click()
    expect(binned).to_have_count(1)
    choose(chat, title, "Delete for good")

    expect(binned).to_have_count(0)


def test_the_shortcuts_are_listed_and_work(chat: Page) -> None:
    chat.get_by_role("log").click()
    chat.keyboard.press("?")
    listed = chat.get_by_role("dialog", name="Keyboard shortcuts")
    for what in ("Search all chats", "Your prompts", "Pick a model or an agent", "Pick a document of the project"):
        expect(listed).to_contain_text(what)
    chat.keyboard.press("Escape")

    chat.keyboard.press("Control+Shift+O")

    expect(chat.get_by_role("heading", name="What is on your mind?")).to_be_visible()
    chat.get_by_role("textbox", name="Message").press("?")
    expect(chat.get_by_role("dialog")).to_have_count(0)


def test_code_and_tables_are_taken_along(chat: Page) -> None:
    ask(chat, "Show me a table and some code")
    answer = chat.get_by_role("article", name="Assistant").last
    expect(answer.get_by_role("button", name="Copy table as CSV").first).to_be_visible()

    with chat.expect_download() as table:
        answer.get_by_role("button", name="Download table as CSV").first.click()
    with chat.expect_download() as code:
        answer.get_by_role("button", name="Download code").first.click()
    answer.get_by_role("button", name="Wrap long lines").first.click()

    assert table.value.suggested_filename == "table.csv"
    assert "," in table.value.path().read_text()
    assert re.fullmatch(r"code\.\w+", code.value.suggested_filename)
    expect(answer.get_by_role("button", name="Wrap long lines").first).to_have_attribute("aria-pressed", "true")


def test_a_chat_is_exported(chat: Page, title: str) -> None:
    choose(chat, title, "Export …")
    dialog = chat.get_by_role("dialog", name=f"Export “{title}”")

    with chat.expect_download() as download:
        dialog.get_by_role("link", name="Markdown").click()

    assert download.value.suggested_filename == f"{title}.md"
    assert title in download.value.path().read_text()


def test_a_click_is_not_lost_to_news_that_comes_while_the_finger_is_down(chat: Page, title: str) -> None:
    other = chat.context.new_page()
    other.goto(chat.url)
    with chat.expect_websocket() as socket:
        chat.reload()
    button = chat.get_by_role("button", name="Archive", exact=True)
    button.hover()
    chat.mouse.down()

    with socket.value.expect_event("framereceived", lambda frame: f"{title}, told anew" in str(frame)):
        new_chat(other)
        ask(other, f"{title}, told anew")
    expect(other.get_by_role("link", name=f"{title}, told anew")).to_be_visible()
    chat.mouse.up()

    expect(chat.get_by_text("Nothing is archived.")).to_be_visible()
    chat.get_by_role("button", name="← Chats").click()
    expect(chat.get_by_role("link", name=f"{title}, told anew")).to_be_visible()
