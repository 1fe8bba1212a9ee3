"""No page and no state of it breaks a rule of WCAG 2.2 AA that axe-core can check, wide in both themes, and narrow."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Watch, ask, new_chat, pick_model, sign_in
from tests.browser.test_admin import open_admin
from tests.browser.test_attachments import CAT, NOTE, attach
from tests.browser.test_documents import LEASE, listed, payload, pick
from tests.browser.test_helper import helped
from tests.browser.test_rendering import a_chat, write
from tests.product import Product

__all__ = ["helped"]
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""All that another theme can break."""
THEMES = {1280: {"dark": CONTRAST, "light": RULES}, 390: {"light": RULES}}
"""What is checked at which width: colours are the same at each."""


Check = Callable[[str], None]


def broken_rules(page: Page, rules: dict[str, Any]) -> list[str]:
    """Return the rules that the page breaks, and where."""
    if not page.evaluate("() => Boolean(window.axe)"):
        page.evaluate(AXE)
    found = page.evaluate("(rules) => axe.run(document, rules)", rules)
    return [
        f"{rule['id']}: {rule['help']}: {node['html'][:200]} {[check['message'][:200] for check in node['any'][:1]]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@pytest.fixture(params=THEMES)
def screen(request: pytest.FixtureRequest, new_context: Callable[..., BrowserContext]) -> Page:
    return new_context(viewport={"width": request.param, "height": 800}, reduced_motion="reduce").new_page()


@pytest.fixture
def check(screen: Page) -> Iterator[Check]:
    """Note what is wrong with the page as it stands, under a name; all of it is told at the end."""
    found: list[str] = []
    width = (screen.viewport_size or {})["width"]

    def look(name: str) -> None:
        for theme, rules in THEMES[width].items():
            screen.emulate_media(color_scheme=theme)
            found.extend(f"{name}, {theme}: {broken}" for broken in broken_rules(screen, rules))

    yield look
    assert not found, "\n".join(found)


def test_a_broken_rule_is_found(page: Page, product: Product) -> None:
    page.goto(f"{product.url}/login")
    page.evaluate("document.querySelector('label').remove()")

    assert any("label" in broken for broken in broken_rules(page, RULES))


def test_too_little_contrast_is_found_in_the_dark(page: Page, product: Product) -> None:
    page.goto(f"{product.url}/login")
    page.add_style_tag(content="@media (prefers-color-scheme: dark) { label { color: #333 !important } }")
    assert broken_rules(page, CONTRAST) == []
    page.emulate_media(color_scheme="dark")

    assert any("contrast" in broken for broken in broken_rules(page, CONTRAST))


def open_menu(page: Page) -> None:
    """On a phone the list of chats is behind a button."""
    button = page.get_by_role("button", name="Open the menu")
    if button.is_visible():
        button.click()
        expect(button).to_have_attribute("aria-expanded", "true")


def test_the_pages_before_a_session(screen: Page, product: Product, check: Check) -> None:
    for path in ("/login", "/register", "/offline"):
        screen.goto(f"{product.url}{path}")
        check(path)


def test_the_account(screen: Page, product: Product, check: Check) -> None:
    sign_in(screen, product, "bob")
    screen.goto(f"{product.url}/account")

    check("account")
    notes = {"name": "notes.json", "mimeType": "application/json", "buffer": b'[{"title": "Only notes"}]'}
    screen.get_by_label("File to bring in").set_input_files(files=[notes])  # type: ignore[list-item]
    screen.get_by_role("button", name="Bring in", exact=True).click()
    screen.get_by_text("1 entry left out").click()
    check("account with what was left out")
    for name in ("second-factor", "delete"):
        screen.goto(f"{product.url}/account/{name}")
        check(name)
    screen.goto(f"{product.url}/keys")
    screen.locator("#name").fill("report")
    screen.get_by_text("Limits", exact=True).click()
    check("a new key")
    screen.get_by_role("button", name="Make the key").click()
    screen.get_by_label("Change report").first.click()
    check("a key that was made")


def test_the_chat_and_what_opens_on_it(screen: Page, product: Product, check: Check) -> None:
    sign_in(screen, product, "bob")
    new_chat(screen) if screen.viewport_size["width"] > 900 else None  # type: ignore[index]
    check("empty")
    screen.get_by_role("button", name="Temporary chat").click()
    expect(screen.get_by_role("heading", name="A temporary chat")).to_be_visible()
    check("temporary")
    screen.get_by_role("button", name="Temporary chat").click()
    pick_model(screen, screen.get_by_label("Model", exact=True).locator("option").first.inner_text())
    ask(screen, "Show me a table and some code")
    answer = screen.get_by_role("article", name="Assistant").last
    expect(answer.get_by_role("button", name="Copy", exact=True).last).to_be_visible()
    check("answered")
    answer.get_by_label("More", exact=True).click()
    check("menu of an answer")
    screen.keyboard.press("Escape")
    answer.get_by_role("button", name="Bad answer").click()
    check("rating")
    screen.keyboard.press("Escape")
    answer.get_by_role("button", name="Edit answer").click()
    check("editing")
    screen.keyboard.press("Escape")
    answer.get_by_role("button", name="What the model saw").click()
    expect(screen.get_by_role("dialog")).to_contain_text("Instructions")
    check("what the model saw")
    screen.keyboard.press("Escape")
    screen.get_by_label("Chat settings").click()
    check("settings")
    screen.keyboard.press("Escape")
    screen.get_by_role("log").click()
    screen.keyboard.press("?")
    check("shortcuts")
    screen.keyboard.press("Escape")
    screen.keyboard.press("Control+k")
    screen.keyboard.type("table")
    expect(screen.get_by_role("dialog").get_by_role("listitem").first).to_be_visible()
    check("search")
    screen.keyboard.press("Escape")
    screen.get_by_role("textbox", name="Message").press_sequentially("/")
    expect(screen.get_by_role("listbox", name="Prompts")).to_be_visible()
    check("prompts")
    screen.keyboard.press("Enter")
    screen.get_by_role("button", name="New prompt").click()
    check("a new prompt")
    screen.keyboard.press("Escape")
    open_menu(screen)
    screen.get_by_role("button", name="Bin", exact=True).click()
    expect(screen.get_by_role("button", name="← Chats")).to_be_visible()
    check("bin")


def check_members_and_limits(screen: Page, check: Check) -> None:
    screen.get_by_role("button", name="Members of the project").click()
    screen.get_by_label("E-mail address").fill("ada@example.org")
    screen.get_by_role("button", name="Add member").click()
    expect(screen.get_by_label("Role of ada")).to_be_visible()
    check("members of a project")
    screen.keyboard.press("Escape")
    screen.get_by_role("button", name="Limits of the project").click()
    screen.get_by_label("Chats that nobody touches").fill("30")
    screen.get_by_label("Most that may be spent").fill("2.50")
    expect(screen.get_by_text("No chat would go now.")).to_be_visible()
    check("limits of a project")
    screen.get_by_role("button", name="Save").click()
    expect(screen.get_by_text("$2.50 of $2.50 are left")).to_be_visible()
    check("a project with members and limits")


def test_projects_and_tags(screen: Page, product: Product, check: Check) -> None:
    sign_in(screen, product, "bob")
    pick_model(screen, screen.get_by_label("Model", exact=True).locator("option").first.inner_text())
    ask(screen, "What is 3 * 3?")
    screen.get_by_role("article", name="Assistant").last.locator(".step summary").click()
    screen.locator("#tools summary").click()
    check("a tool that was used, and the menu of tools")
    screen.locator("#tools summary").click()
    expect(screen.get_by_role("button", name="Edit answer").last).to_be_visible()
    for entry in ("Tags …", "Move …"):
        open_menu(screen)
        row = screen.get_by_role("listitem").filter(has_text="What is 3 * 3?").first
        row.hover()
        row.get_by_label("Actions for").click()
        row.get_by_role("button", name=entry).click()
        if entry == "Tags …":
            screen.get_by_role("textbox", name="New tag").fill("numbers")
            screen.keyboard.press("Enter")
            expect(screen.get_by_role("button", name="Take away numbers")).to_be_visible()
        check(entry)
        screen.keyboard.press("Escape")
    open_menu(screen)
    screen.get_by_role("button", name="New project").click()
    check("a new project")
    screen.get_by_role("textbox", name="Name").fill(f"At {screen.viewport_size} {screen.evaluate('Math.random()')}")
    screen.get_by_role("button", name="Create").click()
    expect(screen.get_by_role("button", name="Upload files")).to_be_visible()
    check("a project")
    screen.get_by_role("button", name="Settings of the project", exact=True).click()
    check("settings of a project")
    screen.keyboard.press("Escape")
    check_members_and_limits(screen, check)
    screen.keyboard.press("Escape")
    actions = screen.get_by_role("main").get_by_role("button", name="Actions for the project")
    actions.click()
    screen.get_by_role("button", name="Delete …").click()
    expect(screen.get_by_role("dialog").get_by_text("This is deleted for good:")).to_be_visible()
    check("what goes with a project")
    screen.keyboard.press("Escape")
    actions.click()
    screen.get_by_role("button", name="Archive the project").click()
    open_menu(screen)
    screen.get_by_role("button", name="Archived projects").click()
    check("archived projects")
    screen.get_by_role("dialog").get_by_role("listitem").get_by_role("button").first.click()
    expect(screen.get_by_text("is archived: it is only read.")).to_be_visible()
    check("an archived project")


def test_a_project_with_documents(screen: Page, product: Product, check: Check) -> None:
    sign_in(screen, product, "bob")
    open_menu(screen)
    screen.get_by_role("button", name="New project").click()
    screen.get_by_role("textbox", name="Name").fill(f"Documents {screen.evaluate('Math.random()')}")
    screen.get_by_role("button", name="Create").click()
    pick(screen, payload("lease.md", LEASE), payload("copy.md", LEASE), payload("scan.pdf", b"%PDF-1.7 \xff\xfe"))
    expect(screen.get_by_role("list", name="Uploads").get_by_text("Already there")).to_be_visible()
    expect(listed(screen, "Could not be read")).to_be_visible()
    check("documents")
    screen.get_by_role("button", name="From the web").click()
    screen.get_by_role("textbox", name="Address").fill("http://10.0.0.1/report.pdf")
    check("from the web")
    screen.get_by_role("dialog").get_by_role("button", name="Fetch").click()
    expect(screen.get_by_text("10.0.0.1 is not on the public internet")).to_be_visible()
    check("not fetched")
    for button in ("Add instructions", "Add text"):
        screen.get_by_role("button", name=button).click()
        check(button)
        screen.keyboard.press("Escape")
    expect(listed(screen, "Ready")).to_have_count(1)
    screen.get_by_role("button", name="Passages …").click()
    expect(screen.get_by_role("list", name="Passages of the document")).to_contain_text("The rent is due")
    check("how documents are cut")
    screen.keyboard.press("Escape")
    screen.get_by_role("button", name="Search on trial …").click()
    bench = screen.get_by_role("dialog", name="Search on trial")
    bench.get_by_role("searchbox", name="Question").fill("When is the rent due?")
    screen.keyboard.press("Enter")
    bench.get_by_role("button", name="This is wanted").click()
    check("what a question finds")
    bench.get_by_role("button", name="Test set: 1").click()
    check("a test set")
    bench.get_by_role("button", name="Edit the case").click()
    check("a case")
    bench.get_by_role("button", name="Compare").click()
    bench.get_by_role("checkbox", name="Also cut otherwise").check()
    bench.get_by_role("button", name="Measure").click()
    expect(bench.get_by_role("row", name="By words")).to_be_visible()
    check("ways to search, compared")
    screen.keyboard.press("Escape")
    screen.get_by_role("button", name=re.compile(r"^(lease|copy)\.md$")).click()
    expect(screen.get_by_role("complementary").get_by_text("The rent is due")).to_be_visible()
    check("a document")
    screen.keyboard.press("Escape")
    screen.get_by_role("textbox", name="Message").press_sequentially("#")
    expect(screen.get_by_role("listbox", name="Documents")).to_be_visible()
    screen.keyboard.press("Enter")
    expect(screen.get_by_role("list", name="Documents to answer from")).to_be_visible()
    check("a document that is picked")


def test_the_preview(screen: Page, product: Product, check: Check, watch: Watch) -> None:
    # axe asks the frame whether it can look into it.
    watch.allowed.add("does not match the recipient window's origin")
    a_chat(screen, product)
    write(screen, "```csv\nname,size\nb,10\na,9\n```\n\n```html\n<p>Hello</p>\n```")
    for number, inside in enumerate(("table", "iframe")):
        screen.get_by_role("button", name="Preview", exact=True).nth(number).click()
        expect(screen.get_by_role("complementary", name="Page" if number else "Table").locator(inside)).to_be_visible()
        check(f"preview of a {inside}")
        screen.keyboard.press("Escape")


def test_what_models_know_of_a_person(screen: Page, product: Product, check: Check) -> None:
    sign_in(screen, product, "bob")
    screen.get_by_label("Chat settings").click()
    screen.get_by_role("button", name="What models know of you").click()
    screen.get_by_role("button", name="Add a fact").click()
    check("a new fact")
    screen.get_by_label("One fact, in a sentence").fill("I am a baker.")
    screen.get_by_role("button", name="Save fact").click()
    expect(screen.get_by_role("checkbox", name="I am a baker.")).to_be_visible()
    check("memory")
    screen.get_by_role("button", name="Delete: I am a baker.").click()
    screen.get_by_role("button", name="Close").last.click()
    screen.get_by_role("button", name="Agent: none").click()
    screen.get_by_role("button", name="Agents …").click()
    screen.get_by_role("button", name="New agent").click()
    check("a new agent")
    screen.get_by_role("dialog", name="New agent").get_by_label("Name", exact=True).fill(
        f"Baker {screen.viewport_size}"
    )
    screen.get_by_role("textbox", name="Starters").fill("Which flour?")
    screen.get_by_role("button", name="Save agent").click()
    check("agents")
    screen.get_by_role("button", name=re.compile("^Ask Baker")).first.click()
    expect(screen.get_by_role("button", name="Which flour?")).to_be_visible()
    check("a chat with an agent")
    screen.get_by_label("Chat settings").click()
    screen.get_by_role("button", name="What models are told …").click()
    expect(screen.get_by_text("You are a helpful assistant.")).to_be_visible()
    screen.get_by_role("button", name=re.compile("Write your own|Edit")).first.click()
    screen.get_by_role("textbox", name="Your instructions").fill(f"Be brief at {screen.viewport_size}.")
    screen.get_by_role("button", name="Save instructions").click()
    check("what models are told")
    screen.get_by_role("button", name="Versions of Your instructions").click()
    expect(screen.get_by_text("What changed").first).to_be_visible()
    check("versions")


def test_what_a_helper_model_makes(screen: Page, helped: Product, check: Check) -> None:
    sign_in(screen, helped, "bob")
    pick_model(screen, screen.get_by_label("Model", exact=True).locator("option").first.inner_text())
    ask(screen, "What is 6 * 7?")
    expect(screen.get_by_role("button", name="How far is it?")).to_be_visible()
    check("suggestions")
    screen.get_by_label("Chat settings").click()
    check("settings with suggestions")
    screen.get_by_role("button", name="Summary of older messages").click()
    expect(screen.get_by_role("dialog", name="Summary of older messages")).to_contain_text("There is none")
    check("summary")


def test_a_shared_chat(screen: Page, product: Product, check: Check, watch: Watch) -> None:
    watch.allowed.add("404 (Not Found)")
    sign_in(screen, product, "bob")
    pick_model(screen, screen.get_by_label("Model", exact=True).locator("option").first.inner_text())
    ask(screen, "Show me a table and some code")
    expect(screen.get_by_role("button", name="Edit answer").last).to_be_visible()
    open_menu(screen)
    # By its place, not by its title, which the helper model may change meanwhile.
    row = screen.locator("#chats li").filter(has=screen.get_by_label("Actions for")).first
    row.hover()
    row.get_by_label("Actions for").click()
    row.get_by_role("button", name="Share …").click()
    screen.get_by_role("button", name="Create link").click()
    address = screen.get_by_role("textbox", name="Link").input_value()
    check("sharing")

    screen.goto(address)
    expect(screen.get_by_role("article", name="Answer")).to_be_visible()
    check("shared")
    screen.goto(f"{product.url}/s/nowhere")
    check("leads nowhere")
    screen.goto(f"{product.url}/account")
    check("account with links")


def test_a_comparison_and_what_waits(screen: Page, product: Product, check: Check) -> None:
    sign_in(screen, product, "bob")
    pick_model(screen, "slow-words")
    screen.get_by_role("button", name="Compare").click()
    screen.get_by_role("checkbox").nth(0).check()
    check("choice")
    screen.keyboard.press("Escape")
    ask(screen, "Which is best?")
    expect(screen.get_by_role("region", name="Answers side by side").get_by_role("article")).to_have_count(2)
    ask(screen, "And then?")
    expect(screen.get_by_role("group", name="Queued messages")).to_be_visible()

    check("comparison")


def test_the_administration(screen: Page, product: Product, check: Check) -> None:
    sign_in(screen, product, "ada")
    for name in ("Providers", "Models", "Settings"):
        open_admin(screen, product, name)
        check(name)
    for name, there in (("Sign-in", "Add issuer"), ("Teams", "New team"), ("Alerts", "Add rule"), ("System", "")):
        screen.goto(f"{product.url}/admin/{name.lower()}")
        expect(screen.get_by_role("heading", level=1, name=name)).to_be_visible()
        shown = screen.get_by_role("button", name=there) if there else screen.get_by_role("row").nth(1)
        expect(shown).to_be_visible()
        check(name)
    open_admin(screen, product, "Providers")
    screen.get_by_role("button", name="Add provider").first.click()
    expect(screen.get_by_role("dialog")).to_be_visible()
    check("adding a provider")


def test_files_in_the_composer_and_under_a_question(screen: Page, product: Product, check: Check, watch: Watch) -> None:
    sign_in(screen, product, "bob")
    screen.goto(product.url)
    watch.allowed.add("400 (Bad Request)")
    pick_model(screen, "slow-words")
    attach(screen, CAT, NOTE, {"name": "report.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7\n\x00\xff"})
    expect(screen.get_by_text("Not attached")).to_be_visible()
    check("files in the composer, one refused")
    screen.get_by_role("button", name="Remove report.pdf").click()
    expect(screen.get_by_text("slow-words cannot see images.")).to_be_visible()
    check("an image that the model cannot see")
    pick_model(screen, screen.get_by_label("Model", exact=True).locator("option").first.inner_text())
    expect(screen.get_by_text("slow-words cannot see images.")).to_be_hidden()
    ask(screen, "What is this?")
    expect(screen.get_by_role("button", name="Edit answer")).to_be_visible()
    check("files under a question")
    screen.get_by_role("button", name="cat.png").click()
    expect(screen.get_by_role("dialog", name="cat.png")).to_be_visible()
    check("an image in full")
    screen.keyboard.press("Escape")
    screen.get_by_role("article", name="You said").hover()
    screen.get_by_role("button", name="Edit question").click()
    check("a question with files, edited")
