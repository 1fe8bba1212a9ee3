"""Experiments, from the administrator who splits a model to the chat that says what it got."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import ask, pick_model, sign_in
from tests.browser.test_admin import row
from tests.product import Product


def test_a_model_is_split_promoted_and_removed(new_context: Callable[..., BrowserContext], product: Product) -> None:
    admin = new_context().new_page()
    sign_in(admin, product, "ada")
    admin.goto(f"{product.url}/admin/experiments")
    admin.get_by_role("button", name="Split a model").click()
    form = admin.get_by_role("dialog", name="Split a model")
    form.get_by_label("Name", exact=True).fill("Slow words")
    form.get_by_label("Model", exact=True).select_option(index=1)
    form.get_by_label("Weight of variant B").fill("many")
    form.get_by_label("Variant B asks").select_option(index=2)
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_text("A weight is a whole number")).to_be_visible()
    form.get_by_label("Weight of variant B").fill("50")
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden()
    expect(row(admin, "Slow words")).to_contain_text("Not started")
    row(admin, "Slow words").get_by_role("button", name="Start").click()
    expect(row(admin, "Slow words")).to_contain_text("Goes on")
    asked, other = (
        row(admin, f"Variant {key}").get_by_role("rowheader").inner_text().removeprefix(f"Variant {key}: ")
        for key in "AB"
    )

    person = new_context(viewport={"width": 390, "height": 844}).new_page()
    sign_in(person, product, "bob")
    pick_model(person, asked)
    ask(person, "What is 6 * 7?")
    person.get_by_role("button", name="What the model saw").click()
    saw = person.get_by_role("dialog", name="What the model saw")
    expect(saw).to_contain_text("Experiment Slow words")

    row(admin, "Variant B").get_by_role("button", name="Promote").click()
    question = admin.get_by_role("dialog", name="Promote variant B of Slow words?")
    expect(question).to_contain_text(f"All who ask for {asked} get this variant")
    question.get_by_role("button", name="Promote").click()
    expect(row(admin, "Slow words")).to_contain_text("Variant B is promoted")
    row(admin, "Slow words").get_by_role("button", name="Change").click()
    form = admin.get_by_role("dialog", name="Edit Slow words")
    assert form.get_by_label("Variant B asks").locator("option:checked").inner_text().startswith(other)
    form.get_by_role("button", name="Remove").click()
    admin.get_by_role("dialog", name="Remove Slow words?").get_by_role("button", name="Remove").click()
    expect(admin.get_by_text("There is none yet.")).to_be_visible()
