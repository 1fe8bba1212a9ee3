"""Safety filters, from the administrator who sets them to the chat that says what they did."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import ask, sign_in
from tests.browser.test_admin import row
from tests.product import Product


def test_filters_are_set_and_tried_and_a_chat_says_what_they_did(
    new_context: Callable[..., BrowserContext], product: Product
) -> None:
    page = new_context().new_page()
    sign_in(page, product, "ada")
    page.goto(f"{product.url}/admin/filters")
    row(page, "Personal data").get_by_role("button", name="Change").click()
    form = page.get_by_role("dialog", name="Personal data")
    form.get_by_label("What is sent to models").select_option("mask")
    form.get_by_role("button", name="Save").click()
    expect(row(page, "Personal data")).to_contain_text("Mask")
    row(page, "Banned terms").get_by_role("button", name="Change").click()
    form = page.get_by_role("dialog", name="Banned terms")
    form.get_by_label("What is sent to models").select_option("block")
    form.get_by_label("Terms, one a line").fill("Heron\nblue whale")
    form.get_by_role("button", name="Save").click()
    expect(row(page, "Banned terms")).to_contain_text("Block")
    page.get_by_label("Text").fill("Write to ann@example.org")
    page.get_by_role("button", name="Try", exact=True).click()
    expect(page.get_by_text("A model would be sent: Write to [EMAIL_1]")).to_be_visible()

    page.goto(f"{product.url}/")
    ask(page, "Write to ann@example.org")
    page.get_by_role("button", name="What the model saw").click()
    saw = page.get_by_role("dialog", name="What the model saw")
    saw.get_by_text("Safety filters").click()
    expect(saw).to_contain_text("Personal data: e-mail address × 1, in what was sent (Mask)")
    expect(saw).to_contain_text("Write to [EMAIL_1]")
    page.keyboard.press("Escape")
    ask(page, "What does a heron eat?")

    expect(page.get_by_text("The filter for banned terms stopped this message.").first).to_be_visible()
    expect(page.get_by_text("What does a heron eat?").first).to_be_visible()
