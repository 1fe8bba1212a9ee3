"""Tools: used while an answer is written, shown folded in it, switched off and on for a chat."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import ask, new_chat, pick_model, sign_in
from tests.product import Product


def answers(page: Page) -> Locator:
    return page.get_by_role("article", name="Assistant")


def menu(page: Page) -> Locator:
    return page.locator("#tools")


def switch(page: Page, name: str) -> None:
    """Press a switch of the menu and close it."""
    menu(page).locator("summary").click()
    menu(page).get_by_role("switch", name=name).click()
    menu(page).locator("summary").click()


def test_a_person_sees_what_tools_did_and_decides_which_may(page: Page, product: Product) -> None:
    sign_in(page, product, "bob")
    new_chat(page)
    pick_model(page, page.get_by_label("Model", exact=True).locator("option").first.inner_text())

    ask(page, "What is 47 * 89?")
    first = answers(page).first
    expect(first).to_contain_text("4,183")
    step = first.locator("details.step")
    expect(step.locator("summary")).to_have_text(re.compile(r"Calculated 47 \* 89 +\d+ ms"))
    expect(step.locator("pre")).to_be_hidden()
    step.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(step.locator("pre")).to_have_text("47 * 89 = 4183")

    switch(page, "Calculate")
    expect(menu(page).locator("summary")).to_have_text("Tools: 1 of 2")
    ask(page, "What is 6 * 7?")
    expect(answers(page).nth(1)).to_contain_text("42")
    expect(answers(page).nth(1).locator(".step")).to_have_count(0)

    page.reload()
    expect(answers(page).first.locator("details.step summary")).to_contain_text("Calculated 47 * 89")
    expect(menu(page).locator("summary")).to_have_text("Tools: 1 of 2")
    switch(page, "Calculate")
    ask(page, "What is 6 * 8?")
    expect(answers(page).nth(2).locator(".step")).to_contain_text("Calculated 6 * 8")
    answers(page).nth(2).get_by_role("button", name="What the model saw").click()
    saw = page.get_by_role("dialog", name="What the model saw")
    expect(saw).to_contain_text("What tools gave")
    expect(saw).to_contain_text("Using tools")
    page.keyboard.press("Escape")

    pick_model(page, "slow-words")
    expect(menu(page)).to_be_hidden()
