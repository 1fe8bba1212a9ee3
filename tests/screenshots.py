"""The README's pictures: `python -m tests.screenshots` draws the main states, wide and narrow, light and dark."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM, ask, new_chat, sign_in
from tests.browser.test_documents import drop, listed
from tests.browser.test_projects import begin_project
from tests.product import Product

FOLDER = Path(__file__).parents[1] / "assets" / "screenshots"
SIZES = {1280: 800, 390: 780}
QUALITY = 82
QUESTION = "Show me a table and some code"
ON_BIRDS = "How much does a grey heron weigh?"
BIRDS = """# Birds of the river

## White stork

Storks clap their bills when they greet each other. They come back to the same nest in April and leave in August. The
young are fed with frogs and voles, and fly after nine weeks.

## Kingfisher

Kingfishers dig tunnels into steep banks, up to a metre deep. They dive from a branch for fish as long as a finger. In
hard winters most of them die; two or three broods in a summer make up for it.

## Grey heron

Herons stand still in shallow water for half an hour at a time. A grey heron weighs about two kilograms, and its
wingspan reaches almost two metres. It nests in colonies high up in old trees. In flight the neck is drawn in, which
tells it from a stork.
"""
BOATS = b"""# Boats

A skiff is rowed by one person with two oars. It is light enough to be pulled over a dam.
"""
PAGE = """Three days, in the order of the walk.

```html
<!doctype html><style>body { margin: 40px; font: 17px/1.6 system-ui } h1 { color: #3d5bd9 } li { margin: 8px 0 }</style>
<h1>Rome in three days</h1><ol><li>Colosseum and Forum</li><li>Vatican Museums</li><li>Trastevere</li></ol>
```

| day | place | ticket |
|---|---|---|
| 1 | Colosseum | 18 € |
| 2 | Vatican Museums | 20 € |
| 3 | Trastevere | free |
"""


def prepare(page: Page, product: Product) -> None:
    """Give the account some chats, a project and tags."""
    sign_in(page, product, "ada")
    for question in ("Plan three days in Rome", "What is 47 * 89?", QUESTION):
        new_chat(page)
        ask(page, question)
        expect(page.get_by_role("button", name="Edit answer")).to_be_visible()
        expect(page.get_by_role("link", name=question)).to_be_visible()
    page.get_by_role("link", name="Plan three days in Rome").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Plan three days in Rome")
    page.get_by_role("button", name="Edit answer").click()
    page.get_by_role("textbox", name="Edit answer").fill(PAGE)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Edited by you.")).to_be_visible()
    begin_project(page, "River")
    expect(page.get_by_role("button", name="Upload files")).to_be_visible()
    drop(page, {"birds.md": BIRDS.encode(), "boats.md": BOATS})
    expect(listed(page).filter(has_text="Ready")).to_have_count(2, timeout=40_000)
    ask(page, ON_BIRDS)
    expect(page.get_by_role("button", name="Edit answer")).to_be_visible()
    page.get_by_role("button", name="← Chats").click()
    expect(page.get_by_role("list", name="Projects")).to_contain_text("River")


def go_to(page: Page, title: str) -> None:
    """Open a chat; on a phone the list is behind a button."""
    menu = page.get_by_role("button", name="Open the menu")
    if menu.is_visible():
        menu.click()
    page.get_by_role("link", name=title).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.get_by_role("button", name="Edit answer")).to_be_visible()


def start(page: Page) -> None:
    """Show an empty chat."""
    expect(page.get_by_role("heading", name="What is on your mind?")).to_be_visible()


def answer(page: Page) -> None:
    """Show an answer with a table and code."""
    go_to(page, QUESTION)


def preview(page: Page) -> None:
    """Show a page of an answer beside the chat."""
    go_to(page, "Plan three days in Rome")
    page.get_by_role("button", name="Preview", exact=True).click()
    expect(page.frame_locator("iframe").get_by_role("heading")).to_be_visible()


def explanation(page: Page) -> None:
    """Show what the model saw."""
    page.keyboard.press("Escape")
    go_to(page, QUESTION)
    page.get_by_role("button", name="What the model saw").click()
    expect(page.get_by_role("dialog")).to_contain_text("Instructions")


def search(page: Page) -> None:
    """Show what a search finds."""
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("rome")
    expect(page.get_by_role("dialog").get_by_role("listitem").first).to_be_visible()


def project(page: Page) -> None:
    """Show a project: its documents, chats and figures."""
    page.keyboard.press("Escape")
    menu = page.get_by_role("button", name="Open the menu")
    if menu.is_visible():
        menu.click()
    page.get_by_role("list", name="Projects").get_by_role("button", name="River", exact=True).click()
    expect(listed(page).filter(has_text="Ready")).to_have_count(2)


def sources(page: Page) -> None:
    """Show an answer from documents, with what it cites beside it."""
    menu = page.get_by_role("button", name="Open the menu")
    if menu.is_visible():
        menu.click()
    page.get_by_role("link", name=ON_BIRDS).first.click()
    page.locator(".cite").first.click()
    page.mouse.move(0, 0)
    page.get_by_role("complementary", name="birds.md").get_by_role("heading").first.click()
    expect(page.get_by_role("complementary", name="birds.md").locator(".cited").first).to_be_in_viewport()


STATES: list[Callable[[Page], None]] = [start, answer, preview, explanation, search, project, sources]


def main() -> int:
    """Draw all of them."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        product = Product(Path(folder) / "data")
        product.add_person("ada", "admin")
        product.start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            prepare(browser.new_page(viewport={"width": 1280, "height": 800}), product)
            for width, height in SIZES.items():
                for theme in ("light", "dark"):
                    page = browser.new_page(
                        viewport={"width": width, "height": height},
                        color_scheme="dark" if theme == "dark" else "light",
                        reduced_motion="reduce",
                    )
                    sign_in(page, product, "ada")
                    for state in STATES:
                        state(page)
                        path = FOLDER / f"{state.__name__}-{width}-{theme}.jpg"
                        page.screenshot(path=path, type="jpeg", quality=QUALITY)
        finally:
            browser.close()
            product.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
