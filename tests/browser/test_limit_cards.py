"""Limits where one looks for them: on the pages of a person, a team, a model and a key."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import sign_in
from tests.browser.test_admin import open_admin, row
from tests.product import Product


def test_limits_of_a_person_are_seen_and_set_on_their_page(
    new_context: Callable[..., BrowserContext], product: Product
) -> None:
    admin = new_context(viewport={"width": 390, "height": 844}).new_page()
    sign_in(admin, product, "ada")
    admin.goto(f"{product.url}/admin/users")
    admin.get_by_role("link", name="bob").first.click()
    expect(row(admin, "Tokens a day")).to_contain_text("Everybody")
    admin.get_by_role("button", name="Set limits …").click()
    form = admin.get_by_role("dialog", name="Limits of bob")
    form.get_by_label("Tokens a day").fill("500")
    form.get_by_role("button", name="Save").click()
    expect(row(admin, "Tokens a day")).to_contain_text("Only them")
    expect(row(admin, "Tokens a day")).to_contain_text("500")

    admin.get_by_role("button", name="Add limit").click()
    form = admin.get_by_role("dialog", name="New limit")
    expect(form.get_by_label("Whose")).to_have_count(0)
    form.get_by_label("Limit", exact=True).fill("30")
    form.get_by_role("button", name="Save").click()
    expect(row(admin, "bob")).to_contain_text("Requests in a minute")
    assert admin.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than the phone"


def test_a_limit_of_a_model_is_set_above_its_form_which_keeps_what_was_typed(
    new_context: Callable[..., BrowserContext], product: Product
) -> None:
    admin = new_context().new_page()
    sign_in(admin, product, "ada")
    open_admin(admin, product, "Models")
    row(admin, "Demo").get_by_role("button", name="Edit").click()
    form = admin.get_by_role("dialog", name="Edit")
    form.get_by_label("Context window").fill("4321")
    form.get_by_role("button", name="Limits …").click()
    listed = admin.get_by_role("dialog", name="Limits of")
    listed.get_by_role("button", name="Add limit").click()
    new = admin.get_by_role("dialog", name="New limit")
    new.get_by_label("Limit", exact=True).fill("7")
    new.get_by_role("button", name="Save").click()
    expect(listed).to_contain_text("Requests in a minute")
    expect(listed.get_by_role("button", name="Change: Requests in a minute")).to_be_visible()
    listed.get_by_role("button", name="Close").click()
    expect(form.get_by_label("Context window")).to_have_value("4321")
