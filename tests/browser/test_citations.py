"""Answers from documents: what they cite is seen beside them, and opened where it stands."""

import re
from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import ask, sign_in
from tests.browser.test_documents import drop, listed
from tests.browser.test_projects import begin_project
from tests.documents.pdf_files import lines, pdf
from tests.product import Product

BEFORE = [f"On day {day} nothing was seen but water, reeds, and the far bank of the river." for day in range(20)]
AFTER = [f"In night {night} only the wind was heard, and once a dog far away on a farm." for night in range(20)]
"""Enough that what stands between is in a passage of its page alone."""
BOOK = pdf(
    lines(*BEFORE, "Storks clap their bills when they greet each other.", *AFTER),
    lines(*BEFORE, "Kingfishers dig tunnels into steep banks.", *AFTER),
    lines(*BEFORE, "A grey heron weighs about two kilograms.", "Its wingspan reaches almost two metres.", *AFTER),
)
QUESTION = "How much does a grey heron weigh?"


def read_documents(page: Page, name: str) -> None:
    """Begin a project with documents, and wait until they are read."""
    begin_project(page, name)
    expect(page.get_by_role("button", name="Upload files")).to_be_visible()
    drop(page, {"birds.pdf": BOOK, "boats.md": b"# Boats\n\nA skiff is rowed by one person with two oars."})
    expect(listed(page).filter(has_text="Ready")).to_have_count(2, timeout=40_000)


def test_a_citation_opens_the_document_at_its_page(page: Page, product: Product) -> None:
    sign_in(page, product, "bob")
    read_documents(page, "Birds of the river")
    page.get_by_role("textbox", name="Message", exact=True).fill(QUESTION)
    expect(page.locator("#gauge")).to_have_attribute(
        "title", re.compile("3 passages of the documents go along, with about")
    )
    ask(page, QUESTION)
    answer = page.get_by_role("article", name="Assistant")
    chip = answer.get_by_role("button", name="Source 1: birds.pdf, page 3").first
    expect(page.get_by_role("button", name="Edit answer")).to_be_visible()
    expect(answer).to_contain_text("A grey heron weighs about two kilograms.")

    assert "two kilograms. [1]" in answer.inner_text(), "which is what is copied as plain text"

    chip.hover()
    expect(page.get_by_role("tooltip")).to_contain_text("Its wingspan reaches almost two metres.")
    page.keyboard.press("Escape")
    expect(page.get_by_role("tooltip")).to_be_hidden()

    answer.get_by_role("list", name="Sources").get_by_role("button", name="birds.pdf, page 3").click()
    document = page.get_by_role("complementary", name="birds.pdf")
    expect(document.get_by_role("spinbutton", name="Page")).to_have_value("3")
    expect(document.locator(".cited").first).to_contain_text("A grey heron weighs about two kilograms.")
    # The page is one block of text: of it only what is cited is marked.
    marked = document.locator("mark.cited")
    expect(marked).to_have_count(1)
    expect(marked).to_contain_text("Its wingspan reaches almost two metres.")
    expect(marked).not_to_contain_text("On day 0 nothing was seen")
    expect(document).to_contain_text("On day 0 nothing was seen")
    expect(marked).to_be_in_viewport()
    document.get_by_role("button", name="Previous page").click()
    expect(document).to_contain_text("Kingfishers dig tunnels")
    document.get_by_role("button", name="Close the document").click()
    expect(document).to_be_hidden()

    page.reload()
    expect(chip).to_be_visible()
    page.get_by_role("button", name="What the model saw").click()
    expect(page.get_by_role("dialog")).to_contain_text("Looking through the documents")
    expect(page.get_by_role("dialog")).to_contain_text("Passages of documents")
    expect(page.get_by_role("dialog")).to_contain_text("Passages around these")
    page.keyboard.press("Escape")

    # Read anew, its passages are others; what was said is found again by its words.
    with product.connection() as connection:
        connection.execute("UPDATE document_chunks SET id = id + 1000")
    chip.click()
    expect(document.locator(".cited").first).to_contain_text("A grey heron weighs about two kilograms.")


def test_sources_are_reached_with_the_keyboard_and_on_a_phone(
    new_context: Callable[..., BrowserContext], product: Product
) -> None:
    page = new_context(viewport={"width": 390, "height": 800}).new_page()
    sign_in(page, product, "bob")
    page.get_by_role("button", name="Open the menu").click()
    read_documents(page, "Birds of the lake")
    ask(page, QUESTION)
    chip = page.get_by_role("button", name="Source 1: birds.pdf, page 3").first
    expect(page.get_by_role("button", name="Edit answer")).to_be_visible()

    chip.focus()
    card = page.get_by_role("tooltip")
    expect(card).to_contain_text("Its wingspan reaches almost two metres.")
    box = card.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary", name="birds.pdf")).to_contain_text("A grey heron weighs")


def test_a_document_that_is_named_is_the_only_one_asked(page: Page, product: Product) -> None:
    sign_in(page, product, "bob")
    read_documents(page, "Boats of the river")
    box = page.get_by_role("textbox", name="Message")
    box.press_sequentially("#boa")
    page.get_by_role("option", name=re.compile("boats.md")).click()
    box.press_sequentially("How much does a grey heron weigh with two oars?")
    box.press("Enter")

    expect(page.get_by_role("button", name="Edit answer")).to_be_visible()
    sources = page.get_by_role("article", name="Assistant").get_by_role("list", name="Sources")
    expect(sources.get_by_role("button")).to_have_text([re.compile("boats.md")])


def test_an_answer_that_no_document_supports_says_so(page: Page, product: Product) -> None:
    sign_in(page, product, "bob")
    read_documents(page, "Birds of the sea")
    ask(page, "Wozu dienen Quarks?")

    expect(page.get_by_role("button", name="Edit answer")).to_be_visible()
    expect(page.get_by_role("article", name="Assistant")).to_contain_text("No document of the project is cited.")
