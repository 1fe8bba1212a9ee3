"""A long chat is summed up; the person sees the summary, puts it in other words, and takes it away."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import ask, new_chat, pick_model, sign_in
from tests.browser.test_helper import helped
from tests.product import Product

__all__ = ["helped"]
LONG = "word. " * 450


@pytest.fixture
def long_chat(page: Page, helped: Product) -> Page:
    """A chat whose beginning no longer fits its model's window."""
    with helped.connection() as connection:
        connection.execute("UPDATE ai_models SET context_window = 3000 WHERE name = 'demo'")
    sign_in(page, helped, "bob")
    new_chat(page)
    pick_model(page, page.get_by_label("Model", exact=True).locator("option").first.inner_text())
    for number in range(2):
        ask(page, f"{number} {LONG}")
        expect(page.get_by_role("article", name="Assistant")).to_have_count(number + 1)
        expect(page.get_by_role("button", name="Edit answer")).to_have_count(number + 1, timeout=20_000)
    return page


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Summary of older messages")


def open_summary(page: Page) -> None:
    page.get_by_label("Chat settings").click()
    page.get_by_role("button", name="Summary of older messages").click()


def saw(page: Page) -> Locator:
    page.get_by_role("article", name="Assistant").last.get_by_role("button", name="What the model saw").click()
    return page.get_by_role("dialog", name="What the model saw")


def test_a_summary_is_seen_edited_and_removed(long_chat: Page) -> None:
    page = long_chat
    expect(page.get_by_role("heading", level=1)).to_have_text("A walk by the river")
    page.wait_for_timeout(500)
    open_summary(page)
    text = dialog(page).get_by_role("textbox", name="Written by slow-words")
    expect(text).to_have_value("The person walks by the river and wants to know how far it is.")
    text.fill("I asked about words.")
    dialog(page).get_by_role("button", name="Save summary").click()
    expect(page.get_by_text("The summary is saved")).to_be_visible()

    ask(page, "and now?")
    expect(page.get_by_role("button", name="Edit answer")).to_have_count(3)
    saw(page).get_by_text("Summary of earlier messages").click()
    expect(page.get_by_role("dialog")).to_contain_text("I asked about words.")
    page.get_by_role("button", name="Change the summary").click()
    dialog(page).get_by_role("button", name="Remove").click()

    expect(page.get_by_text("The summary is removed.")).to_be_attached()
    page.keyboard.press("Escape")
    open_summary(page)
    expect(dialog(page)).to_contain_text("There is none")
