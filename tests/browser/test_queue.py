"""Writing on while an answer is being written: what waits, what steers, what interrupts."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import ask, new_chat, pick_model, sign_in
from tests.product import Product


@pytest.fixture
def writing(page: Page, product: Product) -> Page:
    """A new chat in which a slow answer has begun."""
    sign_in(page, product, "bob")
    new_chat(page)
    pick_model(page, "slow-words")
    ask(page, "Say something long, in paragraphs.")
    expect(page.get_by_role("article", name="Assistant").locator(".body")).not_to_be_empty()
    return page


def queued(page: Page) -> Locator:
    return page.get_by_role("group", name="Queued messages").get_by_role("listitem")


def questions(page: Page) -> Locator:
    return page.get_by_role("article", name="You")


def test_messages_wait_in_order_and_are_sent_one_after_the_other(writing: Page) -> None:
    ask(writing, "Then this.")
    ask(writing, "And then that.")

    expect(queued(writing)).to_have_count(2)
    expect(writing.get_by_role("textbox", name="Message")).to_have_value("")
    expect(questions(writing)).to_have_text(
        ["Say something long, in paragraphs.", "Then this.", "And then that."], timeout=30_000
    )
    expect(queued(writing)).to_have_count(0)
    expect(writing.get_by_role("article", name="Assistant")).to_have_count(3)


def test_queued_messages_are_edited_reordered_and_taken_out(writing: Page) -> None:
    for text in ("First", "Second", "Third"):
        ask(writing, text)

    queued(writing).nth(2).get_by_role("button", name="Move up").click()
    expect(queued(writing).locator(".text")).to_have_text(["First", "Third", "Second"])
    queued(writing).nth(0).get_by_role("button", name="Remove from queue").click()
    expect(queued(writing).locator(".text")).to_have_text(["Third", "Second"])
    writing.get_by_role("button", name="Undo").click()
    expect(queued(writing).locator(".text")).to_have_text(["First", "Third", "Second"])
    queued(writing).nth(1).get_by_role("button", name="Edit queued message").click()

    expect(writing.get_by_role("textbox", name="Message")).to_have_value("Third")
    expect(queued(writing).locator(".text")).to_have_text(["First", "Second"])


def test_what_waits_survives_a_reload(writing: Page) -> None:
    ask(writing, "Not to be lost.")

    writing.reload()

    expect(queued(writing).locator(".text")).to_have_text(["Not to be lost."])
    expect(questions(writing)).to_have_text(["Say something long, in paragraphs.", "Not to be lost."], timeout=30_000)


def test_an_answer_that_is_stopped_holds_what_waits_until_it_is_sent(writing: Page) -> None:
    ask(writing, "Only when I say so.")
    writing.get_by_role("button", name="Stop").click()
    expect(writing.get_by_role("button", name="Send", exact=True)).to_be_visible()
    expect(writing.get_by_text("These were not sent.")).to_be_visible()

    queued(writing).get_by_role("button", name="Send now").click()

    expect(questions(writing)).to_have_text(["Say something long, in paragraphs.", "Only when I say so."])


def test_an_interruption_stops_the_answer_and_asks_at_once(writing: Page) -> None:
    writing.get_by_role("textbox", name="Message").fill("No, this instead.")
    writing.get_by_role("button", name="Interrupt").click()

    expect(questions(writing)).to_have_text(["Say something long, in paragraphs.", "No, this instead."])
    expect(writing.get_by_role("article", name="Assistant").first).to_contain_text("Stopped.")


def test_a_message_that_steers_is_taken_up_after_the_paragraph(writing: Page) -> None:
    writing.get_by_label("Chat settings").click()
    writing.get_by_label("While an answer is written, Enter").select_option("steer")
    writing.keyboard.press("Escape")
    ask(writing, "Rather about trains.")

    expect(writing.get_by_text("The answer ends after this paragraph")).to_be_visible()
    expect(questions(writing)).to_have_text(
        ["Say something long, in paragraphs.", "Rather about trains."], timeout=30_000
    )
