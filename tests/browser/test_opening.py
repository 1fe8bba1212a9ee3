"""A chat is there to be read, and to be used, before the page is connected."""

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import ask, pick_model, sign_in
from tests.product import Product

SCRIPTS = "**/bokeh.min.js*"


def test_a_chat_is_read_and_used_while_the_page_is_still_being_connected(page: Page, product: Product) -> None:
    sign_in(page, product, "bob")
    pick_model(page, page.get_by_label("Model", exact=True).locator("option").first.inner_text())
    ask(page, "What is 6 * 7?")
    answer = page.get_by_role("article", name="Assistant")
    expect(answer.locator(".body")).to_contain_text("42")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    held: list[Route] = []
    page.route(SCRIPTS, lambda route: held.append(route))

    page.reload(wait_until="commit")

    expect(answer.locator(".body")).to_contain_text("42")
    expect(page.get_by_role("heading", level=1)).to_contain_text("What is 6")
    expect(page.get_by_label("Message", exact=True)).to_be_disabled()
    answer.hover()
    answer.get_by_role("button", name="Good answer").click()
    held[0].continue_()
    page.unroute(SCRIPTS)
    expect(page.get_by_label("Message", exact=True)).to_be_enabled()
    expect(answer).to_have_count(1)
    # What is asked comes after it: once that is answered the rating is stored.
    ask(page, "What is 6 * 8?")
    expect(answer.last.locator(".body")).to_contain_text("48")
    page.reload()
    expect(answer.first.get_by_role("button", name="Good answer")).to_have_attribute("aria-pressed", "true")
