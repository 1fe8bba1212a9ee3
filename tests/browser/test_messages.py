"""What a person does with messages that are there: branches, edits, retries, ratings, and looking behind an answer."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import ask, pick_model, sign_in
from tests.product import Product


@pytest.fixture
def chat(page: Page, product: Product) -> Page:
    """A new chat with one question that the demo has answered."""
    sign_in(page, product, "bob")
    pick_model(page, page.get_by_label("Model", exact=True).locator("option").first.inner_text())
    ask(page, "What is 6 * 7?")
    expect(words(page)).to_contain_text("42")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    return page


def answer(page: Page) -> Locator:
    return page.get_by_role("article", name="Assistant").last


def words(page: Page) -> Locator:
    """What the last answer says, without the figures below it."""
    return answer(page).locator(".body")


def ask_more(page: Page, text: str, said: str) -> None:
    """Ask in a chat that has an answer; returns once the new one is there."""
    count = page.get_by_role("article", name="Assistant").count()
    ask(page, text)
    expect(page.get_by_role("article", name="Assistant")).to_have_count(count + 1)
    expect(words(page)).to_contain_text(said)
    expect(page.get_by_role("button", name="Send")).to_be_visible()


def question(page: Page) -> Locator:
    return page.get_by_role("article", name="You").last


def edit_question(page: Page, old: Locator, text: str) -> None:
    old.hover()
    old.get_by_role("button", name="Edit question").click()
    page.get_by_role("textbox", name="Edit question").fill(text)
    page.get_by_role("button", name="Send", exact=True).first.click()


def test_the_bar_of_an_answer_holds_what_people_know_and_its_price_and_time_are_always_there(chat: Page) -> None:
    chat.mouse.move(0, 0)
    expect(answer(chat).locator(".figures")).to_contain_text(re.compile(r"\d m?s to first token"))
    expect(answer(chat).locator(".figures")).to_contain_text("free")
    expect(answer(chat).locator(".figures")).to_be_in_viewport()
    answer(chat).get_by_role("button", name="Regenerate").click()
    expect(answer(chat).get_by_label("Version 2 of 2")).to_be_visible()
    expect(chat.get_by_role("button", name="Send", exact=True)).to_be_visible()

    names = "all => all.map((node) => (node.ariaLabel ? node : node.querySelector('[aria-label]')).ariaLabel)"
    shown = answer(chat).locator(".actions > *").evaluate_all(names)

    asked = ["Previous version", "Copy", "Edit answer", "Regenerate", "Good answer", "Bad answer", "What the model saw"]
    assert shown[:7] == asked
    assert len(shown) == 8
    answer(chat).get_by_label("More", exact=True).click()
    expect(chat.get_by_role("button", name="Branch into new chat")).to_be_visible()


def test_an_edited_question_is_a_branch_beside_the_old_one(chat: Page) -> None:
    edit_question(chat, question(chat), "What is 6 * 8?")

    expect(words(chat)).to_contain_text("48")
    expect(question(chat).get_by_label("Version 2 of 2")).to_be_visible()
    question(chat).get_by_role("button", name="Previous version").click()
    expect(words(chat)).to_contain_text("42")
    expect(question(chat).get_by_label("Version 1 of 2")).to_be_visible()
    chat.reload()
    expect(words(chat)).to_contain_text("42")


def test_another_try_is_a_version_of_the_answer(chat: Page) -> None:
    answer(chat).hover()
    answer(chat).get_by_role("button", name="Regenerate").click()

    expect(answer(chat).get_by_label("Version 2 of 2")).to_be_visible()
    expect(chat.get_by_role("article", name="You")).to_have_count(1)


def test_an_answer_is_wished_shorter_and_the_model_is_told(chat: Page) -> None:
    answer(chat).hover()
    answer(chat).get_by_label("More ways to answer").click()
    chat.get_by_role("button", name="In your words …").click()
    chat.get_by_role("textbox", name="How the answer should be").fill("As a pirate would say it.")
    chat.get_by_role("button", name="Retry", exact=True).click()
    expect(answer(chat).get_by_label("Version 2 of 2")).to_be_visible()

    answer(chat).get_by_role("button", name="What the model saw").click()

    seen = chat.get_by_role("dialog", name="What the model saw")
    seen.get_by_text("How the answer should be").click()
    expect(seen).to_contain_text("As a pirate would say it.")


def test_what_the_model_saw_is_told(chat: Page) -> None:
    ask_more(chat, "And what is 3 * 3?", "9")
    answer(chat).get_by_role("button", name="What the model saw").click()

    seen = chat.get_by_role("dialog", name="What the model saw")
    expect(seen.get_by_role("img")).to_have_attribute("aria-label", re.compile(r"About \d+ tokens of"))
    seen.get_by_text("Earlier messages", exact=True).click()
    expect(seen).to_contain_text("What is 6 * 7?")
    expect(seen).to_contain_text("Waiting for the first token")
    expect(seen).to_contain_text("Tokens out")
    chat.keyboard.press("Escape")
    expect(seen).to_be_hidden()


def test_an_answer_is_rewritten_and_the_models_own_stays(chat: Page) -> None:
    answer(chat).hover()
    answer(chat).get_by_role("button", name="Edit answer").click()
    chat.get_by_role("textbox", name="Edit answer").fill("It is **forty-two**.")
    chat.get_by_role("textbox", name="Edit answer").press("Control+Enter")

    expect(answer(chat).locator("strong")).to_have_text("forty-two")
    expect(answer(chat)).to_contain_text("Edited by you")
    answer(chat).get_by_role("button", name="Previous version").click()
    expect(words(chat)).not_to_contain_text("forty-two")


def test_an_answer_is_edited_in_parts(chat: Page) -> None:
    ask_more(chat, "Show me a table and some code", "The same from the command line")
    answer(chat).get_by_label("More", exact=True).click()
    chat.get_by_role("button", name="Edit in parts").click()
    form = chat.get_by_role("form", name="Edit answer in parts")
    expect(form.get_by_role("button", name="Save")).to_be_disabled()

    form.locator(".part").filter(has_text="The same from the command line").click()
    form.get_by_role("textbox").fill("In a *terminal*:")
    form.get_by_role("button", name="Edit part 1", exact=True).press("Enter")
    form.get_by_role("textbox", name="Part 1").fill("")
    form.get_by_role("button", name="Save").click()

    expect(words(chat).locator("em").filter(has_text="terminal")).to_be_visible()
    expect(words(chat)).not_to_contain_text("not a language model")
    expect(words(chat).get_by_role("table")).to_contain_text("Choose another model")
    expect(answer(chat).get_by_label("Version 2 of 2")).to_be_visible()
    answer(chat).get_by_role("button", name="Previous version").click()
    expect(words(chat)).to_contain_text("The same from the command line")


def test_a_question_is_deleted_and_taken_back(chat: Page) -> None:
    ask_more(chat, "What is 5 * 5?", "25")
    first = chat.get_by_role("article", name="You").first
    first.hover()
    first.get_by_role("button", name="Delete question and answer").click()
    expect(chat.get_by_role("article", name="You")).to_have_count(1)
    expect(chat.get_by_role("article", name="Assistant")).to_have_count(1)

    chat.get_by_role("button", name="Undo").click()

    expect(chat.get_by_role("article", name="You")).to_have_count(2)
    expect(chat.get_by_role("article", name="Assistant").first).to_contain_text("42")


def test_an_answer_is_rated_with_a_reason(chat: Page) -> None:
    answer(chat).hover()
    answer(chat).get_by_role("button", name="Bad answer").click()
    chat.get_by_role("radio", name="Wrong").check()
    chat.get_by_role("textbox", name="Comment").fill("It is 41.")
    chat.get_by_role("button", name="Send", exact=True).first.click()
    expect(chat.get_by_text("Thank you.")).to_be_visible()

    chat.reload()

    answer(chat).hover()
    expect(answer(chat).get_by_role("button", name="Bad answer")).to_have_attribute("aria-pressed", "true")


def test_a_chat_is_branched_off_with_what_was_said(chat: Page) -> None:
    ask_more(chat, "What is 5 * 5?", "25")
    old = chat.url
    first = chat.get_by_role("article", name="Assistant").first
    first.hover()
    first.get_by_label("More", exact=True).click()
    chat.get_by_role("button", name="Branch into new chat").click()

    expect(chat.get_by_role("heading", level=1)).to_contain_text("(branch)")
    assert chat.url != old
    expect(chat.get_by_role("article", name="Assistant")).to_have_count(1)
    expect(words(chat)).to_contain_text("42")


def test_a_stopped_answer_goes_on_where_it_stopped(page: Page, product: Product) -> None:
    sign_in(page, product, "bob")
    pick_model(page, "slow-words")
    ask(page, "Count, please")
    expect(words(page)).to_contain_text("w5 ")
    page.get_by_role("button", name="Stop").click()
    expect(answer(page)).to_contain_text("Stopped.")
    said = answer(page).locator(".body").inner_text()

    page.get_by_role("button", name="Continue").click()

    expect(answer(page).get_by_label("Version 2 of 2")).to_be_visible(timeout=20_000)
    expect(answer(page).locator(".body")).to_contain_text(said)
    assert len(answer(page).locator(".body").inner_text()) > len(said)


def test_the_last_question_is_edited_with_the_arrow_key(chat: Page) -> None:
    chat.get_by_role("textbox", name="Message").focus()
    chat.keyboard.press("ArrowUp")
    expect(chat.get_by_role("textbox", name="Edit question")).to_be_focused()
    chat.keyboard.press("Escape")
    expect(chat.get_by_role("textbox", name="Edit question")).to_have_count(0)


def test_a_selection_is_quoted_into_the_composer(chat: Page) -> None:
    answer(chat).locator(".body").evaluate(
        "(node) => { const range = document.createRange(); range.selectNodeContents(node);"
        " getSelection().removeAllRanges(); getSelection().addRange(range) }"
    )

    chat.get_by_role("button", name="Quote").click()

    expect(chat.get_by_role("textbox", name="Message")).to_have_value(re.compile(r"^> .*42", re.DOTALL))
