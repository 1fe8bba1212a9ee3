"""A small model helps in the background: it names a chat and suggests what to ask next."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ask, new_chat, pick_model, sign_in
from tests.browser.test_admin import open_admin
from tests.browser.test_sidebar import choose
from tests.product import Product

WATCH_TOPS = """() => {
  const answer = [...document.querySelectorAll("article .body")].at(-1)
  window.tops = new Set()
  window.looks = setInterval(() => tops.add(answer.getBoundingClientRect().top), 5)
}"""


@pytest.fixture(scope="module")
def helped(product: Product) -> Product:
    """The product with a helper model."""
    model = product.model("slow-words")
    with product.connection() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO settings (name, value, updated_at) VALUES ('helper_model_id', ?, '2026-01-01')",
            [f'{{"value": "{model}"}}'],
        )
    return product


@pytest.fixture
def chat(page: Page, helped: Product) -> Page:
    """A chat whose first answer has just ended."""
    sign_in(page, helped, "bob")
    new_chat(page)
    pick_model(page, page.get_by_label("Model", exact=True).locator("option").first.inner_text())
    ask(page, "What is 6 * 7?")
    expect(page.get_by_role("button", name="Edit answer")).to_be_visible()
    return page


def suggested(page: Page, count: int = 3) -> list[str]:
    """Return what is suggested once it is: the model always thinks of the same, less what was just asked."""
    expect(page.get_by_role("group", name="Suggested questions").get_by_role("button")).to_have_count(count)
    return page.get_by_role("group", name="Suggested questions").get_by_role("button").all_inner_texts()


def test_an_administrator_chooses_who_helps(page: Page, product: Product) -> None:
    sign_in(page, product, "ada")
    open_admin(page, product, "Settings")
    chosen = page.get_by_label("Model for titles, tags, suggestions and summaries")
    expect(chosen.locator("option")).to_have_text(["None: nothing is made", "slow-words · Slow"])

    chosen.select_option(label="slow-words · Slow")
    expect(page.get_by_text("It begins with the next answer.")).to_be_visible()
    page.get_by_role("switch", name="Suggest up to three questions").click()
    expect(page.get_by_text("It holds from the next answer on.")).to_be_visible()
    page.get_by_role("switch", name="Suggest up to three questions").click()
    chosen.select_option(label="None: nothing is made")

    expect(page.get_by_text("Nothing is made in the background now.")).to_be_visible()
    expect(page.get_by_role("switch", name="Suggest up to three questions")).to_be_hidden()


def test_a_chat_is_named_once_it_is_answered(chat: Page) -> None:
    expect(chat.get_by_role("heading", level=1)).to_have_text("A walk by the river")
    expect(chat.get_by_role("navigation").get_by_role("link", name="A walk by the river").first).to_be_visible()

    chat.reload()

    expect(chat.get_by_role("heading", level=1)).to_have_text("A walk by the river")


def test_a_chat_is_tagged_once_it_is_answered_and_its_person_has_the_last_word(chat: Page) -> None:
    # Chats of other tests have the same name: the newest is the first once it has its own.
    expect(chat.get_by_role("heading", level=1)).to_have_text("A walk by the river")
    link = chat.get_by_role("navigation").get_by_role("link", name="A walk by the river").first
    expect(link).to_contain_text("#a walk #river")

    choose(chat, "A walk by the river", "Tags …")
    chat.get_by_role("button", name="Take away a walk").click()
    chat.get_by_role("button", name="Take away river").click()
    chat.get_by_role("button", name="Done").click()
    expect(link).not_to_contain_text("#")
    chat.get_by_role("button", name="Regenerate").click()
    suggested(chat)

    expect(link).not_to_contain_text("#")


def test_a_suggested_question_is_asked_with_a_click(chat: Page) -> None:
    assert suggested(chat) == ["How far is it?", "Is there an inn on the way?", "What if it rains?"]
    chat.reload()
    assert len(suggested(chat)) == 3

    chat.get_by_role("button", name="Is there an inn on the way?").click()

    expect(chat.get_by_role("article", name="You")).to_have_text(["What is 6 * 7?", "Is there an inn on the way?"])
    expect(chat.get_by_role("article", name="Assistant")).to_have_count(2)
    assert suggested(chat, 2) == ["How far is it?", "What if it rains?"]


def test_a_suggestion_does_not_send_what_is_being_written(chat: Page) -> None:
    suggested(chat)
    chat.get_by_role("textbox", name="Message").fill("And besides:")

    chat.get_by_role("button", name="What if it rains?").click()

    expect(chat.get_by_role("textbox", name="Message")).to_have_value("And besides:\n\nWhat if it rains?")
    expect(chat.get_by_role("article", name="You")).to_have_count(1)


def test_nothing_moves_when_suggestions_arrive(chat: Page) -> None:
    suggested(chat)
    pick_model(chat, "slow-words")
    chat.get_by_role("button", name="What if it rains?").click()
    expect(chat.get_by_role("article", name="Assistant")).to_have_count(2)
    expect(chat.get_by_role("article", name="Assistant").last).to_contain_text("w118", timeout=15_000)
    chat.evaluate(WATCH_TOPS)

    suggested(chat, 2)

    chat.evaluate("clearInterval(looks)")
    assert chat.evaluate("tops.size") == 1


def test_a_person_switches_suggestions_off(chat: Page) -> None:
    suggested(chat)
    chat.get_by_label("Chat settings").click()

    chat.get_by_label("Suggest questions to ask next").uncheck()

    expect(chat.get_by_role("group", name="Suggested questions")).to_be_hidden()
    chat.reload()
    expect(chat.get_by_role("article", name="Assistant")).to_be_visible()
    expect(chat.get_by_role("group", name="Suggested questions")).to_be_hidden()
    chat.get_by_label("Chat settings").click()
    chat.get_by_label("Suggest questions to ask next").check()
    chat.reload()
    suggested(chat)
