"""Finding what was said, as a person does it."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import ask, new_chat, pick_model, sign_in
from tests.product import Product


@pytest.fixture
def said(page: Page, product: Product) -> Page:
    """Two chats; the page shows a new one."""
    sign_in(page, product, "bob")
    for text in ("Where do axolotls live?", "What is 47 * 89?"):
        new_chat(page)
        ask(page, text)
        expect(page.get_by_role("article", name="Assistant").last).to_contain_text(re.compile(r"\w"))
        expect(page.get_by_role("button", name="Send")).to_be_visible()
    new_chat(page)
    return page


def test_a_search_opens_the_chat_at_the_message(said: Page) -> None:
    said.keyboard.press("Control+k")
    said.get_by_role("searchbox", name="Search chats").fill("axolotl")
    result = said.get_by_role("dialog", name="Search chats").get_by_role("link").filter(has_text="You:").first
    expect(result.locator("mark")).to_have_text("axolotls")

    result.click()

    question = said.get_by_role("article", name="You").first
    expect(question).to_contain_text("Where do axolotls live?")
    expect(question).to_be_focused()
    expect(said).to_have_url(re.compile(r"/c/.+#m-"))
    said.reload()
    expect(question).to_be_focused()


def test_the_keyboard_alone_searches(said: Page) -> None:
    said.keyboard.press("Control+k")
    said.keyboard.type("47 89")
    expect(said.get_by_role("dialog").get_by_role("link").first).to_be_visible()
    said.keyboard.press("ArrowDown")
    said.keyboard.press("Enter")

    expect(said.get_by_role("article", name="Assistant").first).to_contain_text(re.compile(r"4,?183"))


def test_what_is_searched_is_narrowed_by_model_time_and_files(page: Page, product: Product) -> None:
    """Two chats with the same word: one a year old, the other with a file and the slow model's answer."""
    sign_in(page, product, "ada")
    demo = page.get_by_label("Model", exact=True).locator("option").first.inner_text()
    for model in (demo, "slow-words"):
        new_chat(page)
        pick_model(page, model)
        if model != demo:
            note = {"name": "newt.txt", "mimeType": "text/plain", "buffer": b"A newt is not an axolotl."}
            with page.expect_file_chooser() as chooser:
                page.get_by_role("button", name="Attach files").first.click()
            chooser.value.set_files([note])
        ask(page, f"Where do quolls live? {model}")
        expect(page.get_by_role("article", name="Assistant")).to_have_count(1)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    with product.connection() as connection:
        connection.execute(
            "UPDATE chat_histories SET last_message_at = '2025-01-01 00:00:00.000000' WHERE title LIKE ?", [f"%{demo}"]
        )
    page.keyboard.press("Control+k")
    dialog = page.get_by_role("dialog", name="Search chats")
    dialog.get_by_role("searchbox").fill("quolls")
    found = dialog.get_by_role("link").filter(has_text="You:")
    expect(found).to_have_count(2)

    for label, choice in (("Answered by", "slow-words"), ("Last written to", "Last 7 days"), ("Files", "With files")):
        dialog.get_by_label(label).select_option(label=choice)
        expect(found).to_have_count(1)
        expect(found).to_contain_text("slow-words")
        dialog.get_by_label(label).select_option(index=0)
        expect(found).to_have_count(2)
    dialog.get_by_label("Answered by").select_option(label="slow-words")
    dialog.get_by_role("searchbox").fill("nothing like it")
    expect(dialog.get_by_role("status")).to_contain_text("search everywhere")


def test_what_is_not_there_is_said(said: Page) -> None:
    said.get_by_role("button", name="Search").click()
    said.get_by_role("searchbox").fill('"quokka* OR (')

    expect(said.get_by_role("dialog").get_by_role("status")).to_contain_text("Nothing holds")
    said.keyboard.press("Escape")
    expect(said.get_by_role("dialog")).to_have_count(0)


def test_an_old_message_of_a_long_chat_is_shown_and_the_end_is_one_click_away(
    new_context: Callable[..., BrowserContext], product: Product
) -> None:
    chat, old = a_long_chat(product, "ada", 300)
    page = new_context().new_page()
    sign_in(page, product, "ada")

    page.goto(f"{product.url}/c/{chat}#m-{old}")

    expect(page.get_by_role("article").filter(has_text="Message 100 of many")).to_be_focused()
    expect(page.get_by_text("Message 299 of many")).to_have_count(0)
    page.get_by_role("button", name="Latest").click()
    expect(page.get_by_text("Message 299 of many")).to_be_visible()
    expect(page.get_by_text("Message 100 of many")).to_have_count(0)


def a_long_chat(product: Product, name: str, count: int) -> tuple[str, str]:
    """Store a chat of so many questions; return its id and that of message 100."""
    stamp = "2026-01-01 00:00:00.000000"
    with product.connection() as connection:
        (user,) = connection.execute("SELECT id FROM users WHERE name = ?", [name]).fetchone()
        connection.execute(
            "INSERT INTO chat_histories (id, user_id, title, is_title_automatic, next_position, active_leaf_id,"
            " last_message_at, created_at, updated_at) VALUES (?, ?, 'Long', 1, ?, ?, ?, ?, ?)",
            [f"{1:032x}", user, count, f"{count - 1 + 2**64:032x}", stamp, stamp, stamp],
        )
        rows = [
            (
                f"{n + 2**64:032x}",
                f"{1:032x}",
                f"{n - 1 + 2**64:032x}" if n else None,
                n,
                f"Message {n} of many",
                stamp,
                stamp,
            )
            for n in range(count)
        ]
        connection.executemany(
            "INSERT INTO chat_messages (id, chat_id, parent_id, position, role, status, text, reasoning, created_at,"
            " updated_at) VALUES (?, ?, ?, ?, 'user', 'complete', ?, '', ?, ?)",
            rows,
        )
    return dashed(1), dashed(100 + 2**64)


def dashed(number: int) -> str:
    digits = f"{number:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
