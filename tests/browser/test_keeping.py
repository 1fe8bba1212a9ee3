"""How long chats are kept, from the administrator who says it to the person who reads it."""

import json
from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import ask, sign_in
from tests.browser.test_admin import row
from tests.product import PASSWORD, Product


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


def test_the_receipt_of_a_deleted_account_is_downloaded(
    new_context: Callable[..., BrowserContext], product: Product
) -> None:
    admin, person = new_context().new_page(), new_context(viewport={"width": 390, "height": 844}).new_page()
    sign_in(person, product, "bob")
    ask(person, "What is 6 * 7?")
    expect(person.get_by_role("button", name="Regenerate")).to_be_visible()
    person.goto(f"{product.url}/account/delete")
    person.get_by_label("Type bob to confirm").fill("bob")
    person.get_by_label("Password").fill(PASSWORD)
    person.get_by_role("button", name="Delete").click()
    expect(person.get_by_text("Your account is deleted")).to_be_visible()

    sign_in(admin, product, "ada")
    admin.goto(f"{product.url}/admin/keeping")
    table = admin.get_by_role("table", name="Deleted accounts")
    with admin.expect_download() as download:
        table.get_by_role("link").click()
    told = json.loads(download.value.path().read_text())
    assert told["gone"]["chat_messages"] == 2
    assert told["left"] == {}
    assert "bob" not in json.dumps(told)
