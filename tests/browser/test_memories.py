"""A person writes down what models should know of them, and sees that it went along."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import ask, new_chat, pick_model, sign_in
from tests.browser.test_projects import begin_project
from tests.product import Product


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog", name="What models know of you")


def open_memory(page: Page) -> None:
    page.get_by_label("Chat settings").click()
    page.get_by_role("button", name="What models know of you").click()


def test_a_fact_goes_along_until_it_is_switched_off(page: Page, product: Product) -> None:
    sign_in(page, product, "bob")
    new_chat(page)
    open_memory(page)
    expect(dialog(page)).to_contain_text("Nothing yet.")
    dialog(page).get_by_role("button", name="Add a fact").click()
    dialog(page).get_by_label("One fact, in a sentence").fill("I am a baker in Ulm.")
    dialog(page).get_by_role("button", name="Save fact").click()
    expect(dialog(page).get_by_role("checkbox", name="I am a baker in Ulm.")).to_be_checked()
    dialog(page).get_by_role("button", name="Close").click()
    pick_model(page, page.get_by_label("Model", exact=True).locator("option").first.inner_text())
    ask(page, "What is 6 * 7?")

    page.get_by_role("button", name="What the model saw").click()
    saw = page.get_by_role("dialog", name="What the model saw")
    saw.get_by_text("What you told of yourself").click()
    expect(saw).to_contain_text("- I am a baker in Ulm.")
    saw.get_by_label("Without the facts about you").check()
    saw.get_by_role("button", name="Replay beside this answer").click()
    answers = page.get_by_role("region", name="Answers side by side").get_by_role("article")
    expect(answers).to_have_count(2)
    answers.last.get_by_role("button", name="What the model saw").click()
    expect(saw).to_contain_text("Left out this time: the facts about you.")
    saw.get_by_role("button", name="Close").click()

    open_memory(page)
    dialog(page).get_by_role("button", name="Edit: I am a baker in Ulm.").click()
    dialog(page).get_by_label("One fact, in a sentence").fill("I am a cook.")
    dialog(page).get_by_role("button", name="Save fact").click()
    dialog(page).get_by_label("Tell models these facts").uncheck()
    dialog(page).get_by_role("button", name="Delete: I am a cook.").click()
    expect(dialog(page)).to_contain_text("Nothing yet.")
    expect(dialog(page).get_by_label("Tell models these facts")).not_to_be_checked()


def test_what_is_known_in_a_project_stays_there(page: Page, product: Product) -> None:
    sign_in(page, product, "bob")
    begin_project(page, "Ovens")
    page.get_by_role("button", name="What models know …").click()
    known = page.get_by_role("dialog", name="What models know in “Ovens”")
    expect(known.get_by_label("Tell models here what they know of me, too")).not_to_be_checked()
    known.get_by_role("button", name="Add a fact").click()
    known.get_by_label("One fact, in a sentence").fill("The oven is from 1950.")
    known.get_by_role("button", name="Save fact").click()
    expect(known.get_by_role("checkbox", name="The oven is from 1950.")).to_be_checked()
    known.get_by_role("button", name="Close").click()
    ask(page, "What is 6 * 7?")
    page.get_by_role("button", name="What the model saw").click()
    saw = page.get_by_role("dialog", name="What the model saw")
    saw.get_by_text("Facts of the project").click()
    expect(saw).to_contain_text("- The oven is from 1950.")
    saw.get_by_role("button", name="Close").click()

    new_chat(page)
    open_memory(page)
    expect(dialog(page)).to_be_visible()
    expect(dialog(page)).not_to_contain_text("The oven")
