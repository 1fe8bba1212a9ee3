"""Limits, from the administrator who sets one to the person who comes to its end."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import ask, sign_in
from tests.browser.test_admin import open_admin, row
from tests.product import Product


def test_a_limit_of_tokens_is_set_for_a_role_and_told_to_whoever_reaches_it(
    new_context: Callable[..., BrowserContext], product: Product
) -> None:
    admin = new_context().new_page()
    sign_in(admin, product, "ada")
    open_admin(admin, product, "Limits")
    row(admin, "Person").get_by_role("button", name="Change").click()
    form = admin.get_by_role("dialog", name="Limits of Person")
    form.get_by_label("Tokens a day").fill("1")
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden()
    expect(row(admin, "Person")).to_contain_text("1")

    person = new_context(viewport={"width": 390, "height": 844}).new_page()
    sign_in(person, product, "bob")
    ask(person, "What is 6 * 7?")
    expect(person.get_by_role("button", name="Regenerate")).to_be_visible()
    ask(person, "And 6 * 8?")
    expect(person.get_by_text("of your 1 tokens for today").first).to_be_visible()

    person.goto(f"{product.url}/account")
    expect(person.get_by_role("listitem").filter(has_text="Tokens a day")).to_contain_text("Used up")
    assert person.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than the phone"


def test_a_limit_of_requests_is_set_for_everybody_and_told_in_the_chat(
    new_context: Callable[..., BrowserContext], product: Product
) -> None:
    admin = new_context().new_page()
    sign_in(admin, product, "ada")
    open_admin(admin, product, "Limits")
    admin.get_by_role("button", name="Add limit").click()
    form = admin.get_by_role("dialog", name="New limit")
    form.get_by_label("Limit", exact=True).fill("1")
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden()
    expect(row(admin, "LLM UI Everybody together")).to_contain_text("It is refused")

    person = new_context(viewport={"width": 390, "height": 844}).new_page()
    sign_in(person, product, "ada")
    ask(person, "What is 6 * 7?")
    expect(person.get_by_role("button", name="Regenerate")).to_be_visible()
    ask(person, "And 6 * 8?")
    expect(person.get_by_text("1 requests in a minute are the limit").first).to_be_visible()

    person.goto(f"{product.url}/usage")
    expect(person.locator(".chat-title")).to_have_text("My usage")
    expect(row(person, "LLM UI Everybody together")).to_contain_text("Within a minute")
    assert person.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than the phone"
