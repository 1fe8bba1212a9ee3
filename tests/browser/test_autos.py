"""*Auto* models, from the administrator who makes one to the chat that says whom it picked and why."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import ask, pick_model, sign_in
from tests.browser.test_admin import row
from tests.product import Product


def test_one_is_made_tried_and_picks_for_a_chat(new_context: Callable[..., BrowserContext], product: Product) -> None:
    admin = new_context().new_page()
    sign_in(admin, product, "ada")
    admin.goto(f"{product.url}/admin/auto")
    admin.get_by_role("button", name="Add an Auto model").click()
    form = admin.get_by_role("dialog", name="New Auto model")
    form.get_by_label("Name", exact=True).fill("Best")
    form.get_by_label("Demo (no language model)").check()
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_text("Choose from 2 to 20 models")).to_be_visible()
    form.get_by_label("slow-words").check()
    form.get_by_label("It leans to").select_option(label="What costs least")
    form.get_by_label("Rule 1: if a question").select_option(label="contains code")
    form.get_by_label("Rule 1 asks").select_option(index=2)
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden()
    expect(row(admin, "Best")).to_contain_text("What costs least")

    admin.get_by_label("Question").fill("What is 6 * 7?")
    admin.get_by_role("button", name="Try", exact=True).click()
    expect(admin.get_by_text("Demo (no language model) has the best score of 2 models.")).to_be_visible()
    expect(row(admin, "Demo (no language model)")).to_contain_text("Picked")
    person = new_context(viewport={"width": 390, "height": 844}).new_page()
    sign_in(person, product, "bob")
    pick_model(person, "Best")
    ask(person, "What is 6 * 7?")

    expect(person.get_by_text("Best → Demo (no language model)").first).to_be_visible()
    person.get_by_role("button", name="What the model saw").click()
    saw = person.get_by_role("dialog", name="What the model saw")
    # Chats offer tools, which the other one cannot use.
    expect(saw).to_contain_text("Demo (no language model) is the only one that can be asked this.")
    expect(saw).to_contain_text("not possible: it calls no tools")
    assert person.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than the phone"
