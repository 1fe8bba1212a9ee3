"""The pages in German: by what the browser asks for, by choice, and kept; nothing on them is left in English."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import sign_in
from tests.product import PASSWORD, FakeProvider, Product

ENGLISH = re.compile(
    r"\b(?:the|and|with|your|you|which|people|new|add|edit|switch|save|delete|not|from|no|of|to|is|are|be)\b", re.I
)
"""Words that no German sentence has, and one of which stands in almost every English one."""
CONTENT = re.compile(r"^ *- (?:/url:.*|\w+)|You are a helpful.*")
"""Roles, addresses, and the words of instructions that the seed wrote, which are for administrators to change."""


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
    answer = german.get_by_role("article", name="Der Assistent hat geantwortet")
    expect(answer).to_contain_text("Eingebaute Demo, kein Sprachmodell.")
    expect(answer).to_contain_text("Demo (kein Sprachmodell)")
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


@pytest.fixture
def german_admin(page: Page, product: Product) -> Page:
    """A page of an administrator who chose German."""
    sign_in(page, product, "ada")
    page.context.add_cookies([{"name": "llm-ui-language", "value": "de", "url": product.url}])
    return page


def left_in_english(page: Page) -> list[str]:
    """The lines of what a screen reader is told of the page that look English."""
    lines = page.locator("body").aria_snapshot().splitlines()
    return [line.strip() for line in lines if ENGLISH.search(CONTENT.sub("", line))]


def test_nothing_of_the_providers_page_is_left_in_english(
    german_admin: Page, product: Product, slow_provider: FakeProvider
) -> None:
    page = german_admin
    page.goto(f"{product.url}/admin/providers")
    expect(page.get_by_role("heading", level=1, name="Anbieter")).to_be_visible()
    expect(page.get_by_role("row").nth(1)).to_be_visible()
    assert left_in_english(page) == []

    page.get_by_role("button", name="Anbieter hinzufügen").click()
    form = page.get_by_role("dialog", name="Anbieter hinzufügen")
    form.get_by_label("Dienst").select_option("OpenAI")
    expect(form.get_by_text("Schlüssel von platform.openai.com.")).to_be_visible()
    assert left_in_english(page) == []

    form.get_by_label("Name").fill("Labor")
    form.get_by_label("Adresse").fill("nowhere.example")
    form.get_by_role("button", name="Speichern und testen").click()
    expect(form.get_by_role("alert")).to_contain_text("Die Adresse muss mit http:// oder https:// beginnen")
    form.get_by_label("Adresse").fill(slow_provider.url)
    form.get_by_role("button", name="Speichern und testen").click()
    served = page.get_by_role("dialog", name="Modelle von Labor")
    expect(served.get_by_role("status")).to_have_text("Labor antwortet und bietet 2 Modelle.")
    assert left_in_english(page) == []

    served.get_by_role("button", name="Jetzt nicht").click()
    page.get_by_role("button", name="Bearbeiten Labor").click()
    page.get_by_role("button", name="Löschen …").click()
    question = page.get_by_role("dialog", name="Labor löschen?")
    expect(question).to_contain_text("lässt sich nicht rückgängig machen")
    assert left_in_english(page) == []
    question.get_by_role("button", name="Endgültig löschen").click()
    expect(page.get_by_role("status").filter(has_text="Labor ist gelöscht.")).to_be_visible()


def test_nothing_of_the_models_page_is_left_in_english_and_prices_have_commas(
    german_admin: Page, product: Product
) -> None:
    page = german_admin
    page.goto(f"{product.url}/admin/models")
    expect(page.get_by_role("heading", level=1, name="Modelle")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="Demo")).to_contain_text("1.000.000")
    assert left_in_english(page) == []

    page.get_by_role("button", name="Bearbeiten slow-words").click()
    form = page.get_by_role("dialog", name="slow-words bearbeiten")
    form.get_by_label("Eingabe, Dollar je Million Tokens", exact=True).fill("1.25")
    form.get_by_label("Ausgabe, Dollar je Million Tokens").fill("10")
    form.get_by_role("button", name="Speichern").click()
    expect(form.get_by_role("alert")).to_contain_text("muss ein Betrag in Dollar sein, etwa 0,15")
    assert left_in_english(page) == []

    form.get_by_label("Eingabe, Dollar je Million Tokens", exact=True).fill("1,25")
    form.get_by_role("button", name="Speichern").click()
    expect(form).to_be_hidden()
    expect(page.get_by_role("row").filter(has_text="slow-words")).to_contain_text("1,25 $")


def test_nothing_of_the_settings_page_is_left_in_english(german_admin: Page, product: Product) -> None:
    page = german_admin
    page.goto(f"{product.url}/admin/settings")
    expect(page.get_by_role("heading", level=1, name="Einstellungen")).to_be_visible()
    expect(page.get_by_label("Standardmodell")).to_have_value(re.compile("."))
    assert left_in_english(page) == []

    page.get_by_role("switch", name="Alle dürfen ein Konto anlegen").click()
    expect(page.get_by_text("Neue Konten legt jetzt nur die Administration an.")).to_be_visible()
    page.get_by_role("switch", name="Alle dürfen ein Konto anlegen").click()
    expect(page.get_by_text("Alle dürfen jetzt ein Konto anlegen.")).to_be_visible()


def test_nothing_around_a_chat_is_left_in_english(german_admin: Page, product: Product) -> None:
    page = german_admin
    page.goto(f"{product.url}/")
    expect(page.get_by_role("heading", name="Was möchten Sie wissen?")).to_be_visible()
    assert left_in_english(page) == []

    page.goto(f"{product.url}/account")
    expect(page.get_by_role("heading", name="Ihr Konto")).to_be_visible()
    assert left_in_english(page) == []
