"""Writing a message: what it will take, which model is asked, texts kept for later."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import ask, new_chat, pick_model, sign_in
from tests.product import Product


@pytest.fixture
def chat(page: Page, product: Product) -> Page:
    """An empty new chat with the slow model."""
    sign_in(page, product, "bob")
    new_chat(page)
    pick_model(page, "slow-words")
    return page


def test_what_will_be_sent_is_shown_before_it_is(chat: Page) -> None:
    chat.get_by_role("textbox", name="Message").fill("How much of the window does this take?")
    expect(chat.get_by_text("of 32.0k tokens")).to_be_visible()

    chat.get_by_role("textbox", name="Message").fill("word " * 40_000)

    expect(chat.get_by_text("more than this model takes")).to_be_visible()


def test_a_model_is_picked_by_name_while_writing(chat: Page) -> None:
    demo = chat.get_by_label("Model", exact=True).locator("option").first.inner_text()
    box = chat.get_by_role("textbox", name="Message")
    box.press_sequentially("Ask @demo")
    expect(chat.get_by_role("listbox", name="Models").get_by_role("option", name=demo)).to_be_visible()

    box.press("Enter")

    expect(box).to_have_value("Ask ")
    expect(chat.get_by_label("Model", exact=True).locator("option:checked")).to_have_text(demo)


def test_a_prompt_is_kept_and_used_with_its_variables_filled_in(chat: Page) -> None:
    box = chat.get_by_role("textbox", name="Message")
    box.press_sequentially("/")
    chat.get_by_role("option", name="Your prompts …").click()
    chat.get_by_role("button", name="New prompt").click()
    chat.get_by_label("Name").fill("translate")
    chat.get_by_label("Text").fill("Translate into {{language}}:")
    chat.get_by_role("button", name="Save prompt").click()
    expect(chat.get_by_text("/translate")).to_be_visible()
    chat.get_by_role("button", name="Close").click()

    box.press_sequentially("/tra")
    expect(chat.get_by_role("option", name="translate")).to_be_visible()
    box.press("Enter")
    chat.get_by_role("textbox", name="language").fill("German")
    chat.get_by_role("button", name="Use it").click()

    expect(box).to_have_value("Translate into German:")


def test_many_prompts_leave_room_for_the_way_to_keep_them(chat: Page) -> None:
    box = chat.get_by_role("textbox", name="Message")
    box.press_sequentially("/")
    chat.get_by_role("option", name="Your prompts …").click()
    for number in range(9):
        chat.get_by_role("button", name="New prompt").click()
        chat.get_by_label("Name").fill(f"many-{number}")
        chat.get_by_label("Text").fill("Hello")
        chat.get_by_role("button", name="Save prompt").click()
        expect(chat.get_by_text(f"/many-{number}")).to_be_visible()
    chat.get_by_role("button", name="Close").click()

    box.press_sequentially("/many")

    expect(chat.get_by_role("option", name="many-0")).to_be_visible()
    expect(chat.get_by_role("option", name="Your prompts …")).to_be_visible()


def test_what_is_typed_after_a_search_is_not_lost(chat: Page) -> None:
    box = chat.get_by_role("textbox", name="Message")
    box.click()
    chat.keyboard.press("Control+k")
    chat.keyboard.type("whale")
    chat.keyboard.press("Escape")
    expect(box).to_be_focused()

    chat.keyboard.type("hello")

    expect(box).to_have_value("hello")


def test_the_round_button_is_at_the_right_on_a_phone(
    new_context: Callable[..., BrowserContext], product: Product
) -> None:
    page = new_context(viewport={"width": 390, "height": 800}).new_page()
    sign_in(page, product, "bob")

    composer, button = page.locator("#composer").bounding_box(), page.get_by_label("Send").bounding_box()
    assert composer is not None
    assert button is not None
    assert composer["x"] + composer["width"] - button["x"] - button["width"] < 20


def test_an_agent_is_made_picked_and_named_and_its_chats_outlive_it(page: Page, product: Product) -> None:
    sign_in(page, product, "ada")
    new_chat(page)
    box = page.get_by_role("textbox", name="Message")
    box.press_sequentially("@")
    page.get_by_role("option", name="Agents …").click()
    agents = page.get_by_role("dialog", name="Agents")
    agents.get_by_role("button", name="New agent").click()
    form = page.get_by_role("dialog", name="New agent")
    form.get_by_label("Name", exact=True).fill("Tutor")
    form.get_by_role("textbox", name="Instructions").fill("You are a patient tutor.")
    form.get_by_role("textbox", name="Starters").fill("What is 6 * 7?\nHow do I begin?")
    form.get_by_label("Model").select_option(label="slow-words")
    form.get_by_role("button", name="Save agent").click()
    agents.get_by_role("button", name="Duplicate Tutor").click()
    form.get_by_role("button", name="Save agent").click()
    agents.get_by_role("button", name="Delete Tutor (copy)").click()
    expect(agents.get_by_role("listitem")).to_have_count(1)
    agents.get_by_role("button", name="Close").click()

    box.fill("@Tut")
    box.press("Enter")
    expect(page.get_by_role("heading", name="Tutor")).to_be_visible()
    expect(page.get_by_label("Model", exact=True).locator("option:checked")).to_have_text("slow-words")
    page.reload()
    expect(page.get_by_role("heading", name="Tutor")).to_be_visible()
    pick_model(page, page.get_by_label("Model", exact=True).locator("option").first.inner_text())
    page.get_by_role("button", name="What is 6 * 7?").click()
    answer = page.get_by_role("article", name="Assistant answered").last
    expect(answer.locator(".by")).to_have_text("Tutor")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    page.get_by_role("button", name="Agent: Tutor").click()
    page.get_by_role("button", name="No agent").click()
    ask(page, "And you?")
    expect(page.get_by_text("The agent Tutor answers no more from here on")).to_be_visible()
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    page.get_by_role("button", name="What the model saw").last.click()
    page.get_by_text("Who has answered before").click()
    expect(page.get_by_text("were written by the agent “Tutor”. You answer without an agent")).to_be_visible()
    page.keyboard.press("Escape")

    page.get_by_role("button", name="Agent: none").click()
    page.get_by_role("button", name="Tutor").click()
    ask(page, "You again?")
    expect(page.locator(".answer .by")).to_have_count(2)
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    page.get_by_role("button", name="Agent: Tutor").click()
    page.get_by_role("button", name="Agents …").click()
    agents.get_by_role("button", name="Delete Tutor").click()
    agents.get_by_role("button", name="Close").click()
    page.reload()
    expect(page.get_by_text("The agent Tutor was deleted or is not shared any more.")).to_be_visible()
    expect(page.locator(".answer .by").first).to_have_text("Tutor")


def test_what_models_are_told_is_shown_written_and_taken_back(chat: Page) -> None:
    chat.get_by_label("Chat settings").click()
    chat.get_by_role("button", name="What models are told …").click()
    told = chat.get_by_role("dialog", name="What models are told")
    expect(told.get_by_text("You are a helpful assistant.")).to_be_visible()
    told.get_by_role("button", name="Write your own").click()
    for text in ("Answer briefly.", "Answer very briefly."):
        told.get_by_role("textbox", name="Your instructions").fill(text)
        told.get_by_role("button", name="Save instructions").click()
        expect(told.locator(".words").last).to_have_text(text)
        if text == "Answer briefly.":
            told.get_by_role("button", name="Edit").click()
    told.get_by_role("button", name="Versions of Your instructions").click()
    versions = chat.get_by_role("dialog", name="Versions of Your instructions")
    expect(versions.locator("ins").first).to_have_text("very ")
    versions.get_by_role("button", name="Restore version 1").click()
    expect(versions.get_by_text("Version 3")).to_be_visible()
    versions.get_by_role("button", name="Close").click()
    expect(told.locator(".words").last).to_have_text("Answer briefly.")
    told.get_by_role("button", name="Close").click()

    ask(chat, "Am I heard?")
    expect(chat.get_by_role("button", name="Send")).to_be_visible()
    chat.get_by_role("button", name="What the model saw").last.click()
    saw = chat.get_by_role("dialog", name="What the model saw")
    saw.get_by_text("Your instructions", exact=True).click()
    expect(saw.get_by_text("Answer briefly.")).to_be_visible()
    chat.keyboard.press("Escape")

    new_chat(chat)
    box = chat.get_by_role("textbox", name="Message")
    box.press_sequentially("/")
    chat.get_by_role("option", name="Your prompts").click()
    library = chat.get_by_role("dialog", name="Your prompts")
    library.get_by_role("button", name="New prompt").click()
    library.get_by_label("Name").fill("times")
    library.get_by_role("textbox", name="Text").fill("What is {{a}} * 7?")
    library.get_by_role("textbox", name="Tags").fill("maths, short")
    library.get_by_role("button", name="Save prompt").click()
    library.get_by_label("Tagged").select_option(label="maths")
    expect(library.get_by_text("not used yet · maths · short")).to_be_visible()
    library.get_by_role("button", name="Try times in a temporary chat").click()
    chat.get_by_role("dialog", name="/times").get_by_label("a", exact=True).fill("6")
    chat.get_by_role("button", name="Use it").click()
    expect(chat.get_by_role("article", name="You said").last).to_contain_text("What is 6 * 7?")
