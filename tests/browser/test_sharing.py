"""A chat is shared by a link: read by somebody else, continued, revoked; allowed or not by an administrator."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import ask, new_chat, pick_model, sign_in
from tests.browser.test_admin import open_admin
from tests.browser.test_attachments import CAT, NOTE
from tests.browser.test_sidebar import choose
from tests.product import PASSWORD, Product, wait_until

NewContext = Callable[..., BrowserContext]


@pytest.fixture
def chat(page: Page, product: Product) -> Page:
    """A chat with one answer."""
    sign_in(page, product, "bob")
    new_chat(page)
    pick_model(page, page.get_by_label("Model", exact=True).locator("option").first.inner_text())
    ask(page, "What is 6 * 7?")
    expect(page.get_by_role("button", name="Edit answer")).to_be_visible()
    return page


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Share")


def shared(page: Page, audience: str = "People of this workspace, signed in") -> str:
    """Make a link to the newest chat; return its address."""
    choose(page, "What is 6 * 7?", "Share …")
    dialog(page).get_by_label("Who may read it").select_option(label=audience)
    dialog(page).get_by_role("button", name="Create link").click()
    address = dialog(page).get_by_role("textbox", name="Link").input_value()
    dialog(page).get_by_role("button", name="Close").click()
    return address


def test_a_colleague_reads_a_copy_and_continues_it(chat: Page, product: Product, new_context: NewContext) -> None:
    address = shared(chat)
    ask(chat, "What is 6 * 8?")
    expect(chat.get_by_role("article", name="Assistant")).to_have_count(2)

    colleague = new_context().new_page()
    sign_in(colleague, product, "ada")
    colleague.goto(address)
    expect(colleague.get_by_role("article", name="Question")).to_have_text(["What is 6 * 7?"])
    expect(colleague.get_by_role("article", name="Answer")).to_contain_text("42")
    colleague.get_by_role("button", name="Continue in my own chats").click()
    expect(colleague.get_by_role("textbox", name="Message")).to_be_enabled()

    expect(colleague.get_by_role("article", name="You")).to_have_text(["What is 6 * 7?"])


def test_a_stranger_sees_nothing_until_signed_in(chat: Page, product: Product, new_context: NewContext) -> None:
    address = shared(chat)
    stranger = new_context().new_page()
    refused = stranger.request.get(address)
    assert refused.status == 404
    assert "42" not in refused.text()

    stranger.goto(f"{product.url}/login?next={address.removeprefix(product.url)}")
    stranger.get_by_label("Username").fill("ada")
    stranger.get_by_label("Password").fill(PASSWORD)
    stranger.get_by_role("button", name="Sign in").click()

    expect(stranger.get_by_role("article", name="Answer")).to_contain_text("42")


def test_anyone_reads_where_that_is_allowed_until_it_is_revoked(
    chat: Page, product: Product, new_context: NewContext
) -> None:
    admin = new_context().new_page()
    sign_in(admin, product, "ada")
    open_admin(admin, product, "Settings")
    admin.get_by_label("Who may be given links").select_option(label="Anyone who has the link")
    expect(admin.get_by_text("Links to chats follow this from now on")).to_be_visible()
    address = shared(chat, "Anyone who has the link")

    stranger = new_context(java_script_enabled=False).new_page()
    stranger.goto(address)
    expect(stranger.get_by_role("article", name="Answer")).to_contain_text("42")
    assert stranger.locator("meta[name=robots]").get_attribute("content") == "noindex"
    chat.goto(f"{product.url}/account")
    chat.get_by_role("listitem").filter(has_text="What is 6 * 7?").first.get_by_role("button", name="Revoke").click()
    expect(chat.get_by_text("The link leads nowhere now.")).to_be_visible()

    assert stranger.request.get(address).status == 404


def test_a_link_is_copied_and_revoked_where_it_was_made(chat: Page, new_context: NewContext) -> None:
    # Over plain HTTP from another host browsers have no clipboard object.
    chat.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    choose(chat, "What is 6 * 7?", "Share …")
    for _ in range(2):
        dialog(chat).get_by_role("button", name="Create link").click()
    addresses = dialog(chat).get_by_role("textbox", name="Link")
    expect(addresses).to_have_count(2)
    newest = addresses.first.input_value()
    dialog(chat).get_by_role("button", name="Copy link").first.click()
    expect(dialog(chat).get_by_role("button", name="Copied")).to_be_visible()

    dialog(chat).get_by_role("button", name="Revoke").last.click()

    expect(addresses).to_have_count(1)
    assert addresses.input_value() == newest
    dialog(chat).get_by_role("button", name="Close").click()
    chat.get_by_role("textbox", name="Message").press("Control+v")
    expect(chat.get_by_role("textbox", name="Message")).to_have_value(newest)
    choose(chat, "What is 6 * 7?", "Share …")
    expect(dialog(chat).get_by_role("listitem")).to_contain_text([newest.partition("/s/")[2][:6]])
    expect(addresses).to_have_count(0)


def test_images_are_seen_in_the_copy_until_the_link_ends(chat: Page, product: Product, new_context: NewContext) -> None:
    with chat.expect_file_chooser() as chooser:
        chat.get_by_role("button", name="Attach files").first.click()
    chooser.value.set_files([CAT, NOTE])
    ask(chat, "What is on it?")
    expect(chat.get_by_role("article", name="Assistant")).to_have_count(2)
    expect(chat.get_by_role("button", name="Edit answer")).to_have_count(2)
    reader = new_context(viewport={"width": 390, "height": 800}).new_page()
    sign_in(reader, product, "ada")
    reader.goto(shared(chat))

    image = reader.get_by_role("article", name="Question").last.get_by_role("img", name="cat.png")
    expect(image).to_be_visible()
    image.scroll_into_view_if_needed()
    reader.wait_for_function("image => image.naturalWidth === 640", arg=image.element_handle())
    expect(reader.get_by_text("Attached: note.md")).to_be_visible()
    assert reader.evaluate("document.documentElement.scrollWidth <= innerWidth")
    address = image.get_attribute("src") or ""
    choose(chat, "What is 6 * 7?", "Share …")
    dialog(chat).get_by_role("button", name="Revoke").first.click()
    expect(dialog(chat).get_by_role("listitem")).to_have_count(0)

    assert reader.request.get(f"{product.url}{address}").status == 404


def test_formulas_and_code_are_drawn_on_a_phone(chat: Page, product: Product, new_context: NewContext) -> None:
    chat.get_by_role("button", name="Edit answer").click()
    chat.get_by_role("textbox", name="Edit answer").fill("It is $6 x 7$.\n\n```python\ndef f(): pass\n```\n")
    chat.get_by_role("button", name="Save").click()
    expect(chat.get_by_role("article", name="Assistant").last).to_contain_text("Edited by you.")

    reader = new_context(viewport={"width": 390, "height": 800}).new_page()
    sign_in(reader, product, "ada")
    reader.goto(shared(chat))

    expect(reader.locator("math")).to_have_count(1)
    expect(reader.locator(".code .h-k")).to_have_text(["def", "pass"])
    assert reader.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_later_deletion_ends_the_link_and_taking_it_back_opens_it(
    chat: Page, product: Product, new_context: NewContext
) -> None:
    address = shared(chat)
    reader = new_context().new_page()
    sign_in(reader, product, "ada")
    title = chat.get_by_role("heading", level=1).inner_text()

    choose(chat, title, "Delete")
    expect(chat.get_by_text("The chat is in the bin.")).to_be_visible()
    assert reader.request.get(address).status == 404
    chat.get_by_role("button", name="Undo").click()

    expect(chat.get_by_role("link", name=title).first).to_be_visible()
    wait_until(lambda: reader.request.get(address).status == 200, "the link to lead somewhere again")
