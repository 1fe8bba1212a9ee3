"""Files in the composer and under questions: picked, dropped, pasted, removed, kept, sent, looked at."""

import base64
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, FilePayload, Locator, Page, Route, expect

from tests.browser.conftest import Watch, ask, new_chat, pick_model, sign_in
from tests.browser.test_admin import open_admin
from tests.fakes import images
from tests.product import Product

DEMO = "Demo (no language model)"
CAT: FilePayload = {"name": "cat.png", "mimeType": "image/png", "buffer": images.png(640, 360)}
NOTE: FilePayload = {"name": "note.md", "mimeType": "text/markdown", "buffer": b"# Boats\n\nOld *harbours*."}
DROP = """([type, name, mime, data, place]) => {
  const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0))
  const carried = new DataTransfer()
  carried.items.add(new File([bytes], name, { type: mime }))
  const init = { bubbles: true, cancelable: true }
  const event = type === "paste" ? new ClipboardEvent(type, { ...init, clipboardData: carried })
    : new DragEvent(type, { ...init, dataTransfer: carried })
  document.querySelector(place).dispatchEvent(event)
}"""


@pytest.fixture
def chat(page: Page, product: Product) -> Page:
    """A new chat with the demo."""
    sign_in(page, product, "bob")
    new_chat(page)
    pick_model(page, DEMO)
    return page


def attach(page: Page, *files: FilePayload) -> None:
    """Attach files with the button."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Attach files").first.click()
    chooser.value.set_files(list(files))


def attached(page: Page) -> Locator:
    return page.get_by_role("list", name="Attached files").get_by_role("listitem")


def question(page: Page) -> Locator:
    return page.get_by_role("article", name="You said").last


def answer(page: Page) -> Locator:
    return page.get_by_role("article", name="Assistant").last


def carry(page: Page, event: str, file: FilePayload, place: str) -> None:
    """Let the browser paste or drop a file."""
    data = base64.b64encode(file["buffer"]).decode()
    page.evaluate(DROP, [event, file["name"], file["mimeType"], data, place])


def test_files_stay_with_the_draft_and_go_with_the_question(chat: Page) -> None:
    attach(chat, CAT, NOTE, {**NOTE, "name": "wrong.md"})
    expect(attached(chat)).to_contain_text(["cat.png", "note.md", "wrong.md"])
    chat.get_by_role("button", name="Remove wrong.md").click()
    chat.get_by_role("textbox", name="Message").fill("What is this?")
    expect(chat.get_by_role("progressbar")).to_have_count(0)

    chat.reload()
    expect(attached(chat)).to_contain_text(["cat.png", "note.md"])
    chat.get_by_role("button", name="Send").click()

    expect(answer(chat)).to_contain_text("With your message came cat.png (image/png")
    expect(answer(chat)).to_contain_text("note.md (text)")
    expect(attached(chat)).to_have_count(0)
    for _ in range(2):
        expect(question(chat).get_by_role("img", name="cat.png")).to_be_visible()
        expect(question(chat).get_by_role("link", name="note.md")).to_be_visible()
        expect(question(chat)).to_contain_text("What is this?")
        chat.reload()
    expect(attached(chat)).to_have_count(0)


def test_a_thumbnail_keeps_its_place_and_opens_the_whole_image(chat: Page) -> None:
    attach(chat, CAT)
    chat.get_by_role("button", name="Send").click()
    expect(answer(chat)).to_contain_text("cat.png")
    thumbnail = question(chat).get_by_role("img", name="cat.png")
    expect(thumbnail).to_have_attribute("width", "220")
    expect(thumbnail).to_have_attribute("height", "124")
    expect(chat.get_by_role("heading", level=1)).to_have_text("cat.png")

    question(chat).get_by_role("button", name="cat.png").click()

    viewer = chat.get_by_role("dialog", name="cat.png")
    expect(viewer.get_by_role("img", name="cat.png")).to_be_visible()
    expect(viewer).to_contain_text("640 × 360, ")
    chat.keyboard.press("Escape")
    expect(viewer).to_be_hidden()


def test_an_image_is_pasted_and_a_file_is_dropped(chat: Page) -> None:
    carry(chat, "paste", CAT, "#message")
    expect(attached(chat)).to_contain_text(["cat.png"])

    carry(chat, "dragenter", NOTE, "#chat")
    expect(chat.get_by_text("Drop files to attach them")).to_be_visible()
    carry(chat, "drop", NOTE, ".drop-target")

    expect(chat.get_by_text("Drop files to attach them")).to_be_hidden()
    expect(attached(chat)).to_contain_text(["cat.png", "note.md"])
    chat.get_by_role("textbox", name="Message").press("Enter")
    expect(answer(chat)).to_contain_text("With your message came cat.png")


def test_a_model_that_cannot_see_images_is_named_before_anything_is_sent(chat: Page) -> None:
    pick_model(chat, "slow-words")
    attach(chat, CAT)
    refusal = chat.get_by_text("slow-words cannot see images. Pick another model, or remove the image.")
    expect(refusal).to_be_visible()
    expect(chat.get_by_role("button", name="Send")).to_be_disabled()

    pick_model(chat, DEMO)

    expect(refusal).to_be_hidden()
    chat.get_by_role("button", name="Send").click()
    expect(answer(chat)).to_contain_text("cat.png")


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ({"name": "report.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7\n\x00\xff"}, "report.pdf is a PDF"),
        ({**CAT, "buffer": images.png()[:50]}, "cat.png is a broken picture."),
        ({**NOTE, "buffer": b""}, "note.md is empty. Pick another file."),
        ({**NOTE, "buffer": b"x" * 20_000_001}, "note.md is larger than 20 MB, which is the most."),
    ],
)
def test_what_cannot_be_attached_is_said_in_one_sentence(
    chat: Page, watch: Watch, file: FilePayload, sentence: str
) -> None:
    watch.allowed.add("400 (Bad Request)")
    attach(chat, file)

    expect(chat.get_by_role("alert").filter(has_text=sentence)).to_be_visible()
    for button in chat.get_by_role("button", name=re.compile("^Remove ")).all():
        button.click()
    expect(attached(chat)).to_have_count(0)
    chat.get_by_role("textbox", name="Message").fill("What is 6 * 7?")
    chat.get_by_role("textbox", name="Message").press("Enter")
    expect(answer(chat)).to_contain_text("42")


def test_more_files_than_a_message_may_have_are_refused(chat: Page) -> None:
    attach(chat, *({**NOTE, "name": f"note-{number}.md"} for number in range(11)))

    expect(chat.get_by_role("alert").filter(has_text="10 files are the most for one message.")).to_be_visible()
    expect(attached(chat)).to_have_count(10)
    for _ in range(10):
        chat.get_by_role("button", name=re.compile("^Remove ")).first.click()
    expect(chat.get_by_role("textbox", name="Message")).to_be_focused()


def test_sending_waits_for_the_files(chat: Page) -> None:
    held: list[Route] = []
    chat.route("**/files", lambda route: held.append(route))
    attach(chat, NOTE)
    expect(chat.get_by_role("progressbar", name="Uploading note.md")).to_be_visible()
    ask(chat, "What is 6 * 7?")

    expect(chat.get_by_text("Sent as soon as its files are there")).to_be_visible()
    expect(chat.get_by_role("article", name="You said")).to_have_count(0)
    held[0].continue_()

    expect(answer(chat)).to_contain_text("42")
    expect(question(chat).get_by_role("link", name="note.md")).to_be_visible()


def test_an_edited_question_shows_its_files_and_can_change_them(chat: Page) -> None:
    attach(chat, CAT, NOTE)
    ask(chat, "What is this?")
    expect(answer(chat)).to_contain_text("note.md")
    expect(chat.get_by_role("button", name="Edit answer")).to_be_visible()

    question(chat).hover()
    question(chat).get_by_role("button", name="Edit question").click()
    question(chat).get_by_role("button", name="Remove cat.png").click()
    with chat.expect_file_chooser() as chooser:
        question(chat).get_by_role("button", name="Attach files").click()
    chooser.value.set_files([{**NOTE, "name": "more.md"}])
    expect(chat.get_by_role("progressbar")).to_have_count(0)
    question(chat).get_by_role("button", name="Send").click()

    expect(question(chat).get_by_label("Version 2 of 2")).to_be_visible()
    expect(answer(chat)).to_contain_text("With your message came note.md (text), more.md (text).")
    expect(question(chat).get_by_role("img", name="cat.png")).to_have_count(0)
    expect(chat.get_by_role("button", name="Edit answer")).to_be_visible()
    question(chat).get_by_role("button", name="Previous version").click()
    expect(question(chat).get_by_role("img", name="cat.png")).to_be_visible()


def test_a_queued_message_carries_its_files(chat: Page) -> None:
    pick_model(chat, "slow-words")
    ask(chat, "Say something long.")
    expect(answer(chat).locator(".body")).not_to_be_empty()
    attach(chat, NOTE)
    expect(chat.get_by_role("progressbar")).to_have_count(0)
    ask(chat, "Then read this.")
    queued = chat.get_by_role("group", name="Queued messages").get_by_role("listitem")
    expect(queued).to_contain_text("note.md · Then read this.")

    queued.get_by_role("button", name="Edit queued message").click()
    expect(attached(chat)).to_contain_text(["note.md"])
    chat.get_by_role("textbox", name="Message").press("Enter")
    queued.get_by_role("button", name="Send now").click()

    expect(question(chat).get_by_role("link", name="note.md")).to_be_visible()
    expect(question(chat)).to_contain_text("Then read this.")


def test_each_chat_keeps_the_files_of_its_own_draft(chat: Page) -> None:
    ask(chat, "What is 6 * 7?")
    expect(answer(chat)).to_contain_text("42")
    attach(chat, NOTE)
    expect(chat.get_by_role("progressbar")).to_have_count(0)

    new_chat(chat)
    expect(attached(chat)).to_have_count(0)
    chat.go_back()

    expect(attached(chat)).to_contain_text(["note.md"])


def test_what_the_model_saw_lists_the_files(chat: Page) -> None:
    attach(chat, CAT, NOTE)
    ask(chat, "What is this?")
    answer(chat).get_by_role("button", name="What the model saw").click()
    dialog = chat.get_by_role("dialog", name="What the model saw")

    dialog.get_by_text("Files", exact=True).click()

    expect(dialog.get_by_text("cat.png")).to_be_visible()
    expect(dialog.get_by_text("note.md")).to_be_visible()


def test_an_administrator_says_that_a_model_sees(page: Page, product: Product) -> None:
    sign_in(page, product, "ada")
    open_admin(page, product, "Models")
    for sees, shown in (("It can see them", False), ("It cannot see them", True)):
        page.goto(f"{product.url}/admin/models")
        page.get_by_role("button", name="Edit slow-words").click()
        page.get_by_label("Images").select_option(label=sees)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("slow-words is saved.").first).to_be_visible()
        page.goto(product.url)
        expect(page.get_by_role("textbox", name="Message")).to_be_enabled()
        pick_model(page, "slow-words")
        if page.get_by_role("button", name="Remove cat.png").count() == 0:
            attach(page, CAT)
        expect(attached(page)).to_contain_text(["cat.png"])
        expect(page.get_by_text("slow-words cannot see images.")).to_have_count(int(shown))


def test_it_works_on_a_phone(product: Product, new_context: Callable[..., BrowserContext]) -> None:
    phone = new_context(viewport={"width": 390, "height": 780}, has_touch=True).new_page()
    sign_in(phone, product, "bob")
    attach(phone, CAT, {**NOTE, "name": "a very long name of a file that no phone can show in one line.md"}, NOTE)
    expect(attached(phone)).to_have_count(3)
    ask(phone, "What is this?")

    expect(answer(phone)).to_contain_text("cat.png")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    send = phone.get_by_role("button", name="Send").bounding_box()
    assert send is not None
    assert send["x"] > 300
