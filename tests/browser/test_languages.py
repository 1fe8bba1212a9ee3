"""The pages in German: by what the browser asks for, by choice, and kept."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import sign_in
from tests.product import PASSWORD, Product


@pytest.fixture
def german(new_context: Callable[..., BrowserContext], product: Product) -> Page:
    """A page of bob, in a browser that asks for German."""
    page = new_context(locale="de-DE").new_page()
    page.goto(f"{product.url}/login")
    page.get_by_label("Benutzername").fill("bob")
    page.get_by_label("Passwort").fill(PASSWORD)
    page.get_by_role("button", name="Anmelden").click()
    expect(page.get_by_role("textbox", name="Nachricht")).to_be_enabled()
    return page


def test_a_german_browser_gets_german_pages_and_scripts(german: Page) -> None:
    expect(german.locator("html")).to_have_attribute("lang", "de")
    expect(german.get_by_role("heading", name="Was möchten Sie wissen?")).to_be_visible()
    german.get_by_role("textbox", name="Nachricht").fill("Was ist 3 * 3?")
    german.keyboard.press("Enter")
    expect(german.get_by_role("article", name="Der Assistent hat geantwortet")).to_be_visible()
    german.get_by_role("button", name="Was das Modell gesehen hat").click()

    expect(german.get_by_role("dialog")).to_contain_text("Anweisungen")
    expect(german.get_by_role("dialog")).to_contain_text("Tokens")


def test_the_choice_comes_before_the_browser_and_is_kept(german: Page, product: Product) -> None:
    german.get_by_label("Kontomenü von bob").click()
    german.get_by_label("Sprache").select_option("English")
    expect(german.get_by_role("button", name="Search")).to_be_visible()
    german.goto(f"{product.url}/account")

    expect(german.get_by_role("heading", name="Your account")).to_be_visible()
    german.get_by_label("Language").select_option("Deutsch")
    expect(german.get_by_role("heading", name="Ihr Konto")).to_be_visible()


def test_an_english_browser_stays_with_english(page: Page, product: Product) -> None:
    sign_in(page, product, "bob")

    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert page.evaluate("tn('{n} token', '{n} tokens', 1) + tn('{n} token', '{n} tokens', 2)") == "1 token2 tokens"
