"""How answers look: formulas, drawn without anything from another host."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import ask, new_chat, pick_model, sign_in
from tests.product import Product


def a_chat(page: Page, product: Product) -> None:
    """Sign in and begin a chat with one answer."""
    sign_in(page, product, "bob")
    if page.get_by_role("button", name="New chat").first.is_visible():
        new_chat(page)
    pick_model(page, page.get_by_label("Model", exact=True).locator("option").first.inner_text())
    ask(page, "What is 6 * 7?")
    expect(page.get_by_role("button", name="Edit answer")).to_be_visible()


@pytest.fixture
def chat(page: Page, product: Product) -> Page:
    """A new chat with one answer."""
    a_chat(page, product)
    return page


def answer(page: Page) -> Locator:
    return page.get_by_role("article", name="Assistant").last


def write(page: Page, text: str) -> None:
    """Put a text in the place of the answer."""
    answer(page).get_by_role("button", name="Edit answer").click()
    page.get_by_role("textbox", name="Edit answer").fill(text)
    page.get_by_role("button", name="Save").click()
    expect(answer(page)).to_contain_text("Edited by you.")


def test_formulas_are_drawn_and_prices_are_not(chat: Page) -> None:
    write(chat, "Energy $E = mc^2$ costs $5 to $6.\n\n$$\n\\int_0^1 x\\,dx = \\frac12\n$$\n")

    expect(answer(chat).locator("math")).to_have_count(2)
    expect(answer(chat).locator("math[display=block]")).to_have_count(1)
    expect(answer(chat)).to_contain_text("costs $5 to $6.")
    chat.reload()
    expect(answer(chat).locator("math")).to_have_count(2)


def test_reasoning_is_folded_and_says_how_long_it_took(page: Page, product: Product) -> None:
    sign_in(page, product, "bob")
    new_chat(page)
    pick_model(page, "slow-words")
    ask(page, "Please think first")
    thoughts = answer(page).locator("details.thoughts")
    expect(thoughts.get_by_text("Thinking …")).to_be_visible()

    expect(answer(page)).to_contain_text("w5")
    page.get_by_role("button", name="Stop").click()

    took = thoughts.get_by_text(re.compile(r"Thought for [1-9]\.\d\d s"))
    expect(took).to_be_visible()
    expect(thoughts.get_by_text("t19")).to_be_hidden()
    took.click()
    expect(thoughts.get_by_text("t0 t1 t2")).to_be_visible()
    page.reload()
    expect(took).to_be_visible()


def test_a_formula_that_is_none_stands_as_written(chat: Page) -> None:
    write(chat, "This $\\frac{1$ is broken, this $\\href{javascript:alert(1)}{x}$ is not followed.")

    expect(answer(chat)).to_contain_text("$\\frac{1$")
    expect(answer(chat).locator("a")).to_have_count(0)


def test_printed_the_whole_conversation_is_on_paper(chat: Page) -> None:
    write(chat, "\n\n".join(f"Paragraph {number}" for number in range(60)))

    chat.emulate_media(media="print", color_scheme="dark")

    expect(chat.get_by_role("textbox", name="Message")).to_be_hidden()
    expect(chat.get_by_role("button", name="New chat")).to_be_hidden()
    expect(chat.get_by_role("heading", level=1)).to_be_visible()
    assert chat.evaluate("document.documentElement.scrollHeight") > 1_600
    assert chat.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
