"""A temporary chat: it lives in its page, comes back as long as that is open, and is stored nowhere."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Watch, ask, new_chat, pick_model, sign_in
from tests.product import Product

STORED = "JSON.stringify([{ ...localStorage }, { ...sessionStorage }])"


def answers(page: Page) -> Locator:
    return page.get_by_role("article", name="Assistant")


def toggle(page: Page) -> Locator:
    return page.get_by_role("button", name="Temporary chat")


@pytest.fixture
def temporary(page: Page, product: Product) -> Page:
    """An empty temporary chat with the model that calculates."""
    sign_in(page, product, "bob")
    new_chat(page)
    pick_model(page, page.get_by_label("Model", exact=True).locator("option").first.inner_text())
    toggle(page).click()
    expect(page.get_by_role("heading", name="A temporary chat")).to_be_visible()
    return page


def messages(product: Product) -> int:
    with product.connection() as connection:
        (count,) = connection.execute("SELECT count(*) FROM chat_messages").fetchone()
    return int(count)


def test_nothing_of_it_is_stored_and_its_use_is_counted(temporary: Page, product: Product) -> None:
    before = messages(product)
    ask(temporary, "What is 6 * 7?")
    expect(answers(temporary)).to_contain_text("42")
    expect(answers(temporary)).to_contain_text("free")
    temporary.get_by_role("textbox", name="Message").fill("a secret draft")

    assert messages(product) == before
    with product.connection() as connection:
        dump = "\n".join(connection.iterdump())
    assert "What is 6 * 7?" not in dump
    stored = temporary.evaluate(STORED)
    assert "6 * 7" not in stored
    assert "secret" not in stored
    expect(temporary.locator("#chats").get_by_role("link", name=re.compile("6"))).to_have_count(0)
    with product.connection() as connection:
        (booked,) = connection.execute(
            "SELECT count(*) FROM usage_logs WHERE run_id NOT IN (SELECT id FROM runs)"
        ).fetchone()
    assert booked == 1


def test_it_is_still_there_after_a_look_at_another_chat(temporary: Page) -> None:
    ask(temporary, "What is 6 * 7?")
    expect(answers(temporary)).to_contain_text("42")
    temporary.get_by_role("textbox", name="Message").fill("and then")
    new_chat(temporary)
    expect(answers(temporary)).to_have_count(0)
    expect(temporary.get_by_role("textbox", name="Message")).to_have_value("")

    toggle(temporary).click()

    expect(answers(temporary)).to_contain_text("42")
    expect(temporary.get_by_role("textbox", name="Message")).to_have_value("and then")


def test_it_ends_with_a_click_that_can_be_taken_back(temporary: Page) -> None:
    ask(temporary, "What is 6 * 7?")
    expect(answers(temporary)).to_contain_text("42")

    toggle(temporary).click()
    expect(temporary.get_by_text("The temporary chat is gone.")).to_be_visible()
    expect(answers(temporary)).to_have_count(0)
    expect(temporary).not_to_have_url(re.compile("temporary"))
    temporary.get_by_role("button", name="Undo").click()

    expect(answers(temporary)).to_contain_text("42")


def test_a_question_is_asked_again_in_other_words(temporary: Page) -> None:
    ask(temporary, "What is 6 * 7?")
    expect(answers(temporary)).to_contain_text("42")
    ask(temporary, "What is 1 + 1?")
    expect(answers(temporary)).to_have_count(2)
    expect(answers(temporary).last.get_by_role("button", name="Regenerate")).to_be_visible()

    temporary.get_by_role("button", name="Edit question").first.click()
    temporary.get_by_role("textbox", name="Edit question").fill("What is 6 * 8?")
    temporary.keyboard.press("Control+Enter")

    expect(answers(temporary)).to_have_count(1)
    expect(answers(temporary)).to_contain_text("48")
    temporary.get_by_role("button", name="Regenerate").click()
    expect(answers(temporary)).to_contain_text("48")
    expect(temporary.get_by_role("article", name="You said")).to_have_count(1)


def test_an_answer_is_stopped_or_queued_behind(temporary: Page) -> None:
    pick_model(temporary, "slow-words")
    ask(temporary, "Count slowly")
    expect(answers(temporary)).to_contain_text("w3")
    ask(temporary, "And once more")
    expect(temporary.get_by_role("group", name="Queued messages")).to_contain_text("And once more")
    assert "once more" not in temporary.evaluate(STORED)

    temporary.get_by_role("button", name="Stop").click()

    expect(answers(temporary).last).to_contain_text("Stopped")
    expect(answers(temporary).last.get_by_role("button", name="Continue")).to_have_count(0)
    temporary.get_by_role("button", name="Send now").click()
    expect(temporary.get_by_role("article", name="You said").last).to_contain_text("And once more")
    expect(answers(temporary)).to_have_count(2)
    temporary.get_by_role("button", name="Stop").click()


def test_a_lost_connection_loses_nothing_of_it(temporary: Page, product: Product, watch: Watch) -> None:
    watch.allowed |= {"ERR_", "WebSocket", "websocket", "Failed to load resource", "Lost", "[bokeh"}
    ask(temporary, "What is 6 * 7?")
    expect(answers(temporary)).to_contain_text("42")
    pick_model(temporary, "slow-words")
    ask(temporary, "Count slowly")
    expect(answers(temporary).last).to_contain_text("w3")

    product.child("llm_ui.app").kill()
    product.wait_ready()

    expect(answers(temporary).last).to_contain_text("w119", timeout=40_000)
    expect(answers(temporary)).to_have_count(2)
    expect(answers(temporary).first).to_contain_text("42")
    text = answers(temporary).last.inner_text()
    assert text.count("w60 ") == 1


def test_files_are_refused_with_the_reason(temporary: Page) -> None:
    box = temporary.get_by_role("textbox", name="Message")
    box.evaluate(
        """(box) => {
          const data = new DataTransfer()
          data.items.add(new File(["x"], "notes.txt", { type: "text/plain" }))
          box.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }))
        }"""
    )

    expect(temporary.get_by_role("alert").filter(has_text="takes no files")).to_be_visible()
    expect(temporary.get_by_role("button", name="Attach files")).to_be_hidden()


def test_leaving_the_page_is_asked_about_once_something_was_said(temporary: Page) -> None:
    asked: list[str] = []
    temporary.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    ask(temporary, "What is 6 * 7?")
    expect(answers(temporary)).to_contain_text("42")

    temporary.reload()

    expect(temporary.get_by_role("heading", name="A temporary chat")).to_be_visible()
    expect(answers(temporary)).to_have_count(0)
    assert asked == ["beforeunload"]


def test_an_agent_signs_its_answers_there_and_stays_with_the_chat(
    temporary: Page, product: Product, watch: Watch
) -> None:
    watch.allowed |= {"ERR_", "WebSocket", "websocket", "Failed to load resource", "Lost", "[bokeh"}
    box = temporary.get_by_role("textbox", name="Message")
    box.press_sequentially("@")
    temporary.get_by_role("option", name="Agents …").click()
    temporary.get_by_role("button", name="New agent").click()
    form = temporary.get_by_role("dialog", name="New agent")
    form.get_by_label("Name", exact=True).fill("Sphinx")
    form.get_by_role("textbox", name="Starters").fill("What is 1 + 1?")
    form.get_by_role("button", name="Save agent").click()
    temporary.get_by_role("dialog", name="Agents").get_by_role("button", name="Ask Sphinx").click()
    expect(temporary.get_by_role("heading", name="A temporary chat")).to_be_visible()
    expect(temporary.get_by_role("heading", name="Sphinx")).to_be_visible()

    temporary.get_by_role("button", name="What is 1 + 1?").click()
    expect(answers(temporary)).to_contain_text("2")
    ask(temporary, "What is 6 * 7, zanily?")
    expect(answers(temporary).last).to_contain_text("42")
    expect(answers(temporary).locator(".by")).to_have_text(["Sphinx", "Sphinx"])
    with product.connection() as connection:
        assert "zanily" not in "\n".join(connection.iterdump())

    product.child("llm_ui.app").kill()
    product.wait_ready()
    expect(temporary.get_by_role("button", name="Agent: Sphinx")).to_be_visible(timeout=40_000)
    ask(temporary, "What is 6 * 8?")
    expect(answers(temporary).last).to_contain_text("48")
    temporary.get_by_role("button", name="Agent: Sphinx").click()
    temporary.get_by_role("button", name="No agent").click()
    expect(temporary.get_by_role("button", name="Agent: none")).to_be_visible()
    ask(temporary, "What is 6 * 9?")
    expect(answers(temporary).last).to_contain_text("54")

    expect(answers(temporary).locator(".by")).to_have_count(3)
