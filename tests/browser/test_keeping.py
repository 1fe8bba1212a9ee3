"""How long chats are kept, from the administrator who says it to the person who reads it."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import sign_in
from tests.browser.test_admin import row
from tests.product import Product


def test_a_rule_is_seen_before_it_is_saved_and_told_to_whom_it_holds_for(
    new_context: Callable[..., BrowserContext], product: Product
) -> None:
    admin = new_context(viewport={"width": 390, "height": 844}).new_page()
    sign_in(admin, product, "ada")
    admin.goto(f"{product.url}/admin/keeping")
    row(admin, "Person").get_by_role("button", name="Change").click()
    form = admin.get_by_role("dialog", name="How long chats are kept: Person")
    form.get_by_label("Days").fill("30")
    form.get_by_role("button", name="Show what goes").click()
    expect(form).to_contain_text("no chat goes to the bin")
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden()
    expect(row(admin, "Person")).to_contain_text("30 days")
    assert admin.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than the phone"

    person = new_context().new_page()
    sign_in(person, product, "bob")
    person.goto(f"{product.url}/account")
    expect(person.get_by_role("listitem").filter(has_text="by the role of your account")).to_contain_text("30 days")
