"""Teams, from the administrator who makes one to the answer that its instructions reach."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import ask, sign_in
from tests.browser.test_admin import open_admin, row
from tests.product import Product


def begin_team(admin: Page, product: Product, name: str) -> None:
    """Sign in as an administrator and begin a team with bob as its owner; its page is open then."""
    sign_in(admin, product, "ada")
    open_admin(admin, product, "Users")
    admin.goto(f"{product.url}/admin/teams")
    admin.get_by_role("button", name="New team").click()
    admin.get_by_role("dialog", name="New team").get_by_label("Name").fill(name)
    admin.get_by_role("button", name="Begin").click()
    row(admin, name).get_by_role("link").click()
    admin.get_by_role("button", name="Add a person").click()
    form = admin.get_by_role("dialog", name=f"Add somebody to {name}")
    form.get_by_label("E-mail").fill("bob@example.org")
    form.get_by_label("Role").select_option("Owner")
    form.get_by_role("button", name="Add").click()
    expect(row(admin, "bob")).to_contain_text("Owner")


def test_a_team_is_made_and_its_owner_looks_after_it_on_a_phone(
    new_context: Callable[..., BrowserContext], product: Product
) -> None:
    admin = new_context().new_page()
    begin_team(admin, product, "Ornithology")
    admin.get_by_role("button", name="Set budget …").click()
    admin.get_by_label("Dollars a month").fill("12.50")
    admin.get_by_role("button", name="Save").last.click()
    expect(row(admin, "Left of it")).to_contain_text("$12.50")

    owner = new_context(viewport={"width": 390, "height": 844}).new_page()
    sign_in(owner, product, "bob")
    owner.get_by_role("button", name="Open the menu").click()
    owner.get_by_role("button", name="Account menu of bob").click()
    owner.get_by_role("link", name="My teams").click()
    expect(owner.get_by_role("button", name="New team")).to_have_count(0)
    owner.get_by_role("link", name="Ornithology").click()
    owner.get_by_role("button", name="Add a person").click()
    owner.get_by_role("dialog").get_by_label("E-mail").fill("ada@example.org")
    owner.get_by_role("dialog").get_by_role("button", name="Add").click()
    expect(owner.get_by_role("button", name="Make an owner ada")).to_be_visible()
    expect(owner.get_by_role("button", name="Set budget …")).to_have_count(0)
    owner.get_by_label("Instructions").fill("Name birds in Latin too.")
    owner.get_by_role("button", name="Save").click()
    expect(owner.get_by_text("Models are told so from the next answer on.").first).to_be_visible()
    assert owner.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than the phone"

    admin.goto(f"{product.url}/")
    ask(admin, "What is 6 * 7?")
    admin.get_by_role("button", name="What the model saw").click()
    saw = admin.get_by_role("dialog", name="What the model saw")
    saw.get_by_text("Instructions of the team").click()
    expect(saw).to_contain_text("Name birds in Latin too.")
