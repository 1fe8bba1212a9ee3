"""Name, logo, colour and banner of the workspace: changed by one, seen by all whose pages are open."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserContext, Locator, Page, expect

from llm_ui.kit.picture import LOGO_SIZES
from tests.app.test_pictures import photo
from tests.browser.conftest import sign_in
from tests.browser.test_admin import row
from tests.product import Product

BERRY = "rgb(161, 29, 91)"
LOGO = re.compile(r"^/logo/[0-9a-f]{64}/logo\.png$")


def change(admin: Page, setting: str, value: str) -> Locator:
    """Open the form of a setting and save a value."""
    row(admin, setting).get_by_role("button", name="Change").click()
    form = admin.get_by_role("dialog")
    form.get_by_label("Value").fill(value)
    form.get_by_role("button", name="Save").click()
    return form


def test_a_new_look_is_on_all_open_pages_at_once(
    page: Page, product: Product, new_context: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    logo = tmp_path / "logo.png"
    logo.write_bytes(photo("PNG"))
    chat, stranger = new_context().new_page(), new_context().new_page()
    sign_in(chat, product, "bob")
    stranger.goto(f"{product.url}/login")
    chat.get_by_role("textbox", name="Message").fill("Half a question")
    stranger.get_by_label("Username").fill("bo")
    buttons = (chat.locator("#send"), stranger.get_by_role("button", name="Sign in"))
    sign_in(page, product, "ada")
    page.goto(f"{product.url}/admin/registry")

    form = change(page, "The colour of buttons", "#A11D5B")
    expect(form).to_be_hidden()
    for button in buttons:
        expect(button).to_have_css("background-color", BERRY)
    expect(change(page, "What this workspace is called", "Heron Lab")).to_be_hidden()
    expect(change(page, "What everybody reads at the top", "Down at noon")).to_be_hidden()
    page.get_by_label("New logo").set_input_files(logo)
    expect(page.get_by_role("button", name="Back to ours")).to_be_visible()

    for shown in (chat, stranger):
        expect(shown.locator(".brand")).to_have_text("Heron Lab")
        expect(shown.get_by_text("Down at noon")).to_be_visible()
        picture = shown.locator(".brand img")
        expect(picture).to_have_attribute("src", LOGO)
        expect(shown.locator("link[rel=icon]")).to_have_attribute("href", LOGO)
        expect(picture).to_have_js_property("naturalWidth", LOGO_SIZES["logo"].side_px)
        expect(shown).to_have_title(re.compile("Heron Lab$"))
    expect(chat.get_by_role("textbox", name="Message")).to_have_value("Half a question")
    expect(stranger.get_by_label("Username")).to_have_value("bo")
    page.get_by_role("button", name="Back to ours").click()
    expect(chat.locator(".brand img")).to_have_attribute("src", re.compile(r"/icon\.svg$"))
    expect(page.get_by_role("button", name="Back to ours")).to_be_hidden()


def test_amounts_are_shown_in_the_currency_of_the_workspace(
    page: Page, product: Product, new_context: Callable[..., BrowserContext]
) -> None:
    with product.connection() as connection:
        connection.execute("UPDATE ai_models SET output_usd_per_mtok = 40000 * 1000000000000, "
                           "input_usd_per_mtok = 40000 * 1000000000000 WHERE name = 'demo'")  # fmt: skip
        connection.commit()
    chat = new_context().new_page()
    sign_in(chat, product, "bob")
    chat.get_by_role("textbox", name="Message").fill("What is it?")
    expect(chat.locator("#gauge")).to_contain_text(re.compile(r"about \$\d"))
    sign_in(page, product, "ada")
    page.goto(f"{product.url}/admin/registry")

    expect(change(page, "How many of that currency", "0.5 euros")).to_contain_text("It must be a number such as 0.92")
    page.get_by_role("dialog").get_by_label("Value").fill("100")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    row(page, "The currency in which").get_by_role("button", name="Change").click()
    page.get_by_label("Value").select_option("JPY")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(row(page, "The currency in which")).to_contain_text("JPY")

    chat.get_by_role("textbox", name="Message").fill("What is it now?")
    expect(chat.locator("#gauge")).to_contain_text(re.compile(r"about ¥\d"))
    chat.get_by_role("button", name="Send").click()
    expect(chat.locator("article.answer .figures").last).to_contain_text(re.compile(r"¥\d"))
    page.goto(f"{product.url}/admin/usage")
    expect(page.get_by_text(re.compile(r"^¥[\d.,]+$")).first).to_be_visible()


def test_a_colour_nobody_would_see_is_refused_with_one_that_works(page: Page, product: Product) -> None:
    sign_in(page, product, "ada")
    page.goto(f"{product.url}/admin/registry")

    form = change(page, "The colour of buttons", "#ffe14d")

    expect(
        form.get_by_text("This colour is too pale to be seen on white: its contrast is 1.3, and 3 is the least.")
    ).to_be_visible()
    expect(form.get_by_label("Value")).to_have_value("#ffe14d")
