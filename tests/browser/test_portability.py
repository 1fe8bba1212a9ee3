"""A person takes everything along, and another brings it in; so do chats of other products."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import ask, new_chat, pick_model, sign_in
from tests.browser.test_documents import listed, payload, pick
from tests.browser.test_projects import begin_project
from tests.browser.test_sidebar import choose, shelf
from tests.fakes.exports import as_json, chatgpt_chat, chatgpt_zip
from tests.product import Product

NewContext = Callable[..., BrowserContext]
LONG_MS = 60_000
# In the page itself: from outside one may look when it is over.
WATCH_BAR = """window.bars = new Set()
const look = () => {
  const bar = document.querySelector("progress")
  if (bar?.checkVisibility() && bar.position > 0) window.bars.add(bar.position)
  requestAnimationFrame(look)
}
look()"""


def bring_in(page: Page, product: Product, file: Path) -> Locator:
    """Upload a file on the account page; return the line that says how far it is."""
    page.goto(f"{product.url}/account")
    page.get_by_label("File to bring in").set_input_files(file)
    page.get_by_role("button", name="Bring in", exact=True).click()
    return page.locator("#import").get_by_role("status")


def downloaded(page: Page, product: Product, folder: Path) -> Path:
    """Download everything; return the file."""
    page.goto(f"{product.url}/account")
    with page.expect_download() as coming:
        page.get_by_role("link", name="Download everything").click()
    assert coming.value.suggested_filename.endswith(".zip")
    file = folder / coming.value.suggested_filename
    coming.value.save_as(file)
    return file


def test_everything_goes_along_to_somebody_else_and_comes_in_once(
    page: Page, product: Product, new_context: NewContext, tmp_path: Path
) -> None:
    sign_in(page, product, "bob")
    new_chat(page)
    pick_model(page, page.get_by_label("Model", exact=True).locator("option").first.inner_text())
    ask(page, "What is 6 * 7?")
    expect(page.get_by_role("button", name="Edit answer")).to_be_visible()
    file = downloaded(page, product, tmp_path)

    other = new_context().new_page()
    sign_in(other, product, "ada")
    expect(bring_in(other, product, file)).to_contain_text("1 new chat, 2 messages.", timeout=LONG_MS)
    expect(bring_in(other, product, file)).to_contain_text("1 chat that was here already.", timeout=LONG_MS)

    other.goto(product.url)
    other.get_by_role("link", name="What is 6 * 7?").first.click()
    expect(other.get_by_role("article", name="You")).to_have_text(["What is 6 * 7?"])
    expect(other.get_by_role("article", name="Assistant")).to_contain_text("42")
    expect(other.get_by_role("article", name="Assistant")).to_contain_text("imported")


def test_projects_documents_tags_and_pins_go_along(
    page: Page, product: Product, new_context: NewContext, tmp_path: Path
) -> None:
    sign_in(page, product, "bob")
    new_chat(page)
    begin_project(page, "Herbarium")
    expect(page.get_by_role("heading", name="Herbarium", level=2)).to_be_visible()
    pick(page, payload("moss.md", b"# Moss\n\nStar moss grows on dunes."))
    expect(listed(page, "moss.md")).to_contain_text("Ready")
    ask(page, "Which moss is this?")
    expect(page.get_by_role("button", name="Edit answer")).to_be_visible()
    choose(page, "Which moss is this?", "Tags …")
    page.get_by_role("textbox", name="New tag").fill("moss")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Done").click()
    choose(page, "Which moss is this?", "Pin")
    page.get_by_role("button", name="Good answer").click()
    file = downloaded(page, product, tmp_path)

    other = new_context().new_page()
    sign_in(other, product, "ada")
    expect(bring_in(other, product, file)).to_contain_text("1 project, 1 document", timeout=LONG_MS)

    other.goto(product.url)
    link = shelf(other, "Pinned").get_by_role("link", name="Which moss is this?")
    expect(link).to_contain_text("#moss")
    shelf(other, "Projects").get_by_role("button").filter(has_text="Herbarium").click()
    expect(listed(other, "moss.md")).to_contain_text("Ready")
    link.click()
    expect(other.get_by_role("button", name="Good answer")).to_have_attribute("aria-pressed", "true")


def test_chats_of_another_product_come_in_while_a_bar_moves(page: Page, product: Product, tmp_path: Path) -> None:
    file = tmp_path / "export.zip"
    file.write_bytes(chatgpt_zip([*(chatgpt_chat(number) for number in range(1_500)), {"title": "Only notes"}]))
    sign_in(page, product, "bob")
    page.add_init_script(WATCH_BAR)

    said = bring_in(page, product, file)

    bar = page.get_by_role("progressbar", name="Bringing chats in")
    page.wait_for_function("() => window.bars.size > 1", timeout=LONG_MS)
    page.reload()
    expect(said).to_contain_text("1,500 new chats", timeout=LONG_MS)
    expect(bar).to_be_hidden()
    page.get_by_text("1 entry left out").click()
    expect(page.get_by_role("listitem").filter(has_text="Only notes")).to_contain_text("It is no chat")


def test_cancelling_keeps_what_came_in(page: Page, product: Product, tmp_path: Path) -> None:
    file = tmp_path / "export.json"
    file.write_bytes(as_json([chatgpt_chat(number) for number in range(1_000, 2_500)]))
    sign_in(page, product, "ada")
    said = bring_in(page, product, file)
    expect(said).to_contain_text("so far", timeout=LONG_MS)

    page.get_by_role("button", name="Cancel").click()

    expect(said).to_contain_text(re.compile(r"export.json, cancelled: [\d,]+ new chats"))
    expect(page.get_by_role("button", name="Bring in", exact=True)).to_be_visible()


@pytest.mark.parametrize("content", ["hello", "[]"])
def test_a_file_that_is_no_export_is_refused_with_what_to_do(
    page: Page, product: Product, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text(content)
    sign_in(page, product, "bob")

    said = bring_in(page, product, file)

    expect(said).to_contain_text("Choose", timeout=LONG_MS)
