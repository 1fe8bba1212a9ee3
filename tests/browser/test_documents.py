"""Documents of a project as a person brings, finds and loses them."""

import asyncio
import base64
import hashlib
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from playwright.sync_api import BrowserContext, FilePayload, Locator, Page, Route, expect

from llm_ui.db import Database
from llm_ui.kit.ids import ProjectId
from llm_ui.kit.reading import Block, BlockKind
from llm_ui.kit.reading import Page as Sheet
from llm_ui.models import Document, Role
from llm_ui.services import documents, ingestion
from llm_ui.services.access import Actor
from llm_ui.services.documents import Arrived
from llm_ui.services.ingestion import NewChunk, Reading
from tests.browser.conftest import Watch, ask, sign_in
from tests.browser.test_projects import begin_project, choose_for_project
from tests.fakes.web import PAGE, Answer, a_web_elsewhere
from tests.product import Product

DROP = """(files) => {
  const carried = new DataTransfer()
  for (const [name, data] of files) {
    carried.items.add(new File([Uint8Array.from(atob(data), (char) => char.charCodeAt(0))], name))
  }
  const init = { bubbles: true, cancelable: true, dataTransfer: carried }
  const place = document.getElementById("messages")
  place.dispatchEvent(new DragEvent("dragenter", init))
  place.dispatchEvent(new DragEvent("drop", init))
}"""
LEASE = b"# Lease\n\nThe rent is due on the third day of each month.\n\n## Notice\n\nThree months, in writing."


REPORT = [
    Sheet(
        number,
        (
            Block(BlockKind.HEADING, f"Chapter {number}", 1),
            Block(BlockKind.TEXT, f"What the <b>architect</b> has seen in the cellar on day {number}."),
            Block(BlockKind.ITEM, "damp walls"),
            Block(BlockKind.TABLE_HEAD, "part | price"),
            Block(BlockKind.TABLE_ROW, f"door | {number} EUR"),
            *(Block(BlockKind.TEXT, f"A long remark, the {each}th of page {number}.") for each in range(40)),
            Block(BlockKind.TEXT, f"The wall of page {number} is to be dried before winter."),
            Block(BlockKind.CODE, f"let x = {number}"),
        ),
    )
    for number in range(1, 13)
]


def store(product: Product, address: str, name: str) -> tuple[str, int]:
    """Have a report in the project of an address, as a worker would have read it; return its id and a passage's."""
    user_id, _ = product.sign_in("bob")
    actor = Actor(user_id, "bob", Role.USER)
    project_id = ProjectId(UUID(address.rpartition("/")[2]))

    async def work() -> tuple[str, int]:
        database = Database.open(product.config)
        async with database.writing() as session:
            found, _ = await documents.receive(
                session, actor, project_id, Arrived(name, 9_000, hashlib.sha256(name.encode()).hexdigest())
            )
            (await session.get_one(Document, found.id)).lease_owner = "test"
            await session.flush()
            held = Reading(found.id, project_id, "test", name, found.sha256, found.stage, 0)
            await ingestion.add_pages(session, held, REPORT)
            await ingestion.end_pages(session, held, media_type="application/pdf", has_pages=True, remark="")
            chunks = [
                NewChunk("", f"{page.blocks[-2].text}\n\n{page.blocks[-1].text}", page.number, page.number, 9)
                for page in REPORT
            ]
            await ingestion.add_chunks(session, held, 0, chunks)
            await ingestion.finish(session, held, chunk_count=len(chunks), tokens=100)
            (passage,) = await documents.passages_on(session, actor, found.id, 5)
        await database.close()
        return str(found.id), passage.id

    # Playwright's loop runs in this thread.
    with ThreadPoolExecutor() as elsewhere:
        return elsewhere.submit(asyncio.run, work()).result()


def viewer(page: Page) -> Locator:
    return page.get_by_role("complementary")


def drop(page: Page, files: dict[str, bytes]) -> None:
    """Let the browser drop files on the page."""
    page.evaluate(DROP, [[name, base64.b64encode(data).decode()] for name, data in files.items()])


def listed(page: Page, name: str = "") -> Locator:
    """The documents that are listed, or those with this in their line."""
    return page.get_by_role("list", name="Documents").get_by_role("listitem").filter(has_text=name)


def choose(page: Page, name: str, action: str) -> None:
    """Open the menu of a document and press an entry."""
    page.get_by_label(f"Actions for {name}").click()
    listed(page, name).get_by_text(action, exact=True).click()


def payload(name: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": "text/markdown", "buffer": content}


def pick(page: Page, *files: FilePayload) -> None:
    """Pick files with the button."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload files").click()
    chooser.value.set_files(list(files))


@pytest.fixture
def home(page: Page, product: Product, request: pytest.FixtureRequest) -> Page:
    """The home of a new project."""
    sign_in(page, product, "bob")
    begin_project(page, request.node.name.removeprefix("test_")[:70])
    expect(page.get_by_role("button", name="Upload files")).to_be_visible()
    return page


def test_ten_files_are_dropped_and_listed_with_how_far_they_are(home: Page) -> None:
    expect(home.get_by_text("Drop files anywhere on this page")).to_be_visible()

    drop(home, {f"Minutes {n:02}.md": b"# Minutes\n\nWe met %d times." % n for n in range(1, 11)})

    expect(home.get_by_text("10 files uploaded")).to_be_visible()
    expect(listed(home)).to_have_count(10)
    expect(home.get_by_text(re.compile("^10 documents · "))).to_be_visible()
    expect(listed(home).filter(has_text=re.compile("Ready|Waiting|Reading"))).to_have_count(10)
    home.get_by_role("searchbox", name="Find documents").fill("07")
    expect(listed(home)).to_have_count(1)
    address = home.url
    home.reload()
    expect(listed(home)).to_have_count(10)
    assert (home.url, "/p/" in address) == (address, True)


def test_a_document_is_renamed_saved_and_deleted(home: Page) -> None:
    pick(home, payload("lease.md", LEASE))
    choose(home, "lease.md", "Rename")
    home.get_by_role("textbox", name="Name").fill("Lease of 2026.md")
    home.keyboard.press("Enter")
    expect(listed(home, "Lease of 2026.md")).to_be_visible()

    with home.expect_download() as download:
        choose(home, "Lease of 2026.md", "Download")
    choose(home, "Lease of 2026.md", "Delete")
    home.get_by_role("dialog").get_by_role("button", name="Delete").click()

    assert download.value.path().read_bytes() == LEASE
    assert download.value.suggested_filename == "Lease of 2026.md"
    expect(home.get_by_text("Lease of 2026.md is deleted.")).to_be_visible()
    expect(listed(home)).to_have_count(0)
    expect(home.get_by_text("Drop files anywhere on this page")).to_be_visible()


def test_each_file_says_what_became_of_it(home: Page) -> None:
    pick(home, payload("lease.md", LEASE), payload("note.md", b"Call the landlord."))
    expect(listed(home)).to_have_count(2)

    pick(
        home,
        payload("copy.md", b"Call the landlord."),
        payload("lease.md", LEASE + b"!"),
        payload("empty.md", b""),
    )

    uploads = home.get_by_role("list", name="Uploads")
    expect(uploads.get_by_text("Already there as note.md")).to_be_visible()
    expect(uploads.get_by_text("Replaced: this is version 2")).to_be_visible()
    expect(uploads.get_by_text("empty.md is empty. Pick another file.")).to_be_visible()
    expect(home.get_by_text("2 files uploaded · 1 not taken")).to_be_visible()
    expect(listed(home)).to_have_count(2)


def test_what_cannot_be_read_says_why_and_is_read_again_when_asked(home: Page) -> None:
    pick(home, payload("scan.pdf", b"%PDF-1.4 \xff\xfe nothing of it is whole"))
    expect(listed(home, "Could not be read: ")).to_be_visible()

    home.get_by_role("button", name="Read scan.pdf once more").click()

    expect(home.get_by_text("1 not read yet").or_(home.get_by_text("1 could not be read"))).to_be_visible()
    expect(listed(home, "Could not be read: ")).to_be_visible()


def test_an_upload_is_cancelled_and_one_that_was_cut_off_tried_again(home: Page, watch: Watch) -> None:
    watch.allowed.add("net::ERR_FAILED")
    held: list[Route] = []
    home.route("**/documents", lambda route: held.append(route))
    pick(home, *(payload(f"{name}.md", name.encode()) for name in ("one", "two", "three")))
    expect(home.get_by_text("Uploading: 0 of 3")).to_be_visible()
    assert home.evaluate("() => !dispatchEvent(new Event('beforeunload', { cancelable: true }))"), "leaves unasked"
    home.get_by_role("button", name="Cancel three.md").click()
    expect(home.get_by_text("Uploading: 1 of 3")).to_be_visible()

    held[0].abort()
    held[1].continue_()
    home.unroute("**/documents")
    home.get_by_role("button", name="Try one.md again").click()

    expect(home.get_by_text("2 files uploaded · 1 cancelled")).to_be_visible()
    expect(listed(home)).to_have_count(2)


def test_text_and_instructions_are_written_on_the_page(home: Page) -> None:
    home.get_by_role("button", name="Add text").click()
    home.get_by_role("textbox", name="Title").fill("Heating 1/2")
    home.get_by_role("textbox", name="Text").fill("Bleed the radiators in October.")
    home.get_by_role("dialog").get_by_role("button", name="Add", exact=True).click()
    expect(listed(home, "Heating 1-2.md")).to_be_visible()

    home.get_by_role("button", name="Add instructions").click()
    home.get_by_role("textbox", name="What models are told").fill("Answer briefly.")
    home.get_by_role("button", name="Save", exact=True).click()
    expect(home.get_by_role("button", name="Edit the instructions")).to_be_visible()
    home.reload()

    expect(home.get_by_text("Answer briefly.")).to_be_visible()
    expect(listed(home, "Heating 1-2.md")).to_be_visible()


def test_a_page_of_the_web_becomes_a_document_and_is_fetched_again(home: Page) -> None:
    with a_web_elsewhere() as web:
        web.answers["/birds"] = Answer(PAGE, headers=("Content-Type: text/html",))
        home.get_by_role("button", name="From the web").click()
        home.get_by_role("textbox", name="Address").fill(web.url("/birds"))
        home.keyboard.press("Enter")
        expect(listed(home, "Herons & Storks.html")).to_contain_text("Ready")
        expect(home.get_by_role("dialog")).to_have_count(0)

        choose(home, "Herons & Storks.html", "Fetch again")
        expect(home.get_by_text("Herons & Storks.html is still the same.")).to_be_visible()
        web.answers["/birds"] = Answer(PAGE.replace(b"nest", b"wade"), headers=("Content-Type: text/html",))
        choose(home, "Herons & Storks.html", "Fetch again")
        expect(listed(home, "version 2")).to_contain_text("Ready")
        home.get_by_role("button", name="Herons & Storks.html", exact=True).click()
        expect(viewer(home).get_by_text("Herons wade.")).to_be_visible()
        expect(viewer(home).get_by_role("link", name="from 127.0.0.1")).to_have_attribute("href", web.url("/birds"))
        home.get_by_role("button", name="Close the document").click()

        home.get_by_role("button", name="From the web").click()
        home.get_by_role("textbox", name="Address").fill("http://10.0.0.1/secret")
        home.get_by_role("dialog").get_by_role("button", name="Fetch").click()
        waiting = home.get_by_role("list", name="To be fetched")
        expect(waiting).to_contain_text("10.0.0.1 is not on the public internet")
        home.reload()
        expect(waiting.get_by_role("button", name="Fetch 10.0.0.1/secret once more")).to_be_visible()
        waiting.get_by_role("button", name="Do not fetch 10.0.0.1/secret").click()
        expect(waiting).to_be_hidden()


def test_a_document_that_there_is_no_room_for_is_refused(home: Page, product: Product, watch: Watch) -> None:
    watch.allowed.add("413")
    with product.connection() as connection:
        connection.execute(
            "INSERT INTO settings (name, value, updated_at) VALUES"
            " ('project_documents_mb', '{\"value\": 1}', datetime('now'))"
        )
    try:
        pick(home, payload("lease.md", LEASE), payload("long.md", b"x" * 1_200_000))

        expect(home.get_by_text("long.md does not fit: the documents of this project take 0 MB")).to_be_visible()
        expect(home.get_by_text(re.compile(r"^1 document · \d+ bytes of 1 MB"))).to_be_visible()
    finally:
        with product.connection() as connection:
            connection.execute("DELETE FROM settings WHERE name = 'project_documents_mb'")


def test_a_question_at_home_begins_a_chat_and_the_way_back_leads_home(home: Page) -> None:
    address = home.url
    ask(home, "What is 6 * 7?")
    expect(home.get_by_role("article", name="Assistant")).to_contain_text("42")
    expect(home.get_by_role("button", name="Upload files")).to_have_count(0)
    expect(home.get_by_role("link", name="What is 6 * 7?")).to_be_visible()

    home.go_back()

    expect(home.get_by_role("button", name="Upload files")).to_be_visible()
    assert home.url == address
    home.get_by_role("button", name="← Chats").click()
    expect(home.get_by_role("heading", name="What is on your mind?")).to_be_visible()


def test_a_project_that_is_gone_is_said_to_be(page: Page, product: Product) -> None:
    sign_in(page, product, "bob")

    page.goto(f"{product.url}/p/{'0' * 8}-0000-0000-0000-{'0' * 12}")

    expect(page.get_by_text("This project does not exist any more")).to_be_visible()
    expect(page.get_by_role("heading", name="What is on your mind?")).to_be_visible()


def test_what_goes_with_a_project_is_said_before_it_is_deleted(home: Page) -> None:
    pick(home, payload("lease.md", LEASE))
    expect(listed(home)).to_have_count(1)

    home.get_by_role("navigation").get_by_role("button", name=re.compile("^Actions for the project")).click()
    home.get_by_role("button", name="Delete …").click()
    expect(home.get_by_role("dialog")).to_contain_text("1 document, ")
    home.get_by_role("dialog").get_by_role("button", name="Delete").click()

    expect(home.get_by_text("is gone; its chats are in the list")).to_be_visible()
    expect(home.get_by_role("heading", name="What is on your mind?")).to_be_visible()


def test_a_project_begins_like_a_template_with_its_documents(home: Page) -> None:
    pick(home, payload("lease.md", LEASE))
    expect(listed(home, "Ready")).to_have_count(1)
    name = home.get_by_role("heading", level=2).inner_text()
    home.get_by_role("button", name="Settings of the project", exact=True).click()
    home.get_by_role("radio", name="Teal").check()
    home.get_by_role("checkbox", name="A template").check()
    home.get_by_role("button", name="Save").click()
    expect(home.get_by_role("dialog")).to_have_count(0)

    home.get_by_role("button", name="← Chats").click()
    home.get_by_role("button", name="New project").click()
    form = home.get_by_role("dialog", name="New project")
    form.get_by_label("Begin with").select_option(label=name)
    expect(form.get_by_role("radio", name="Teal")).to_be_checked()
    expect(form.get_by_role("checkbox", name="With the documents of the template")).to_be_checked()
    form.get_by_role("textbox", name="Name").fill(f"After {name}")
    form.get_by_role("button", name="Create").click()
    expect(home.get_by_role("heading", name=f"After {name}", level=2)).to_be_visible()
    expect(listed(home, "lease.md")).to_contain_text("Ready")

    choose_for_project(home, f"After {name}", "Duplicate …")
    form = home.get_by_role("dialog", name="Duplicate the project")
    expect(form.get_by_role("textbox", name="Name")).to_have_value(f"After {name} (copy)")
    form.get_by_role("checkbox", name="With its documents").uncheck()
    form.get_by_role("button", name="Duplicate").click()
    expect(home.get_by_role("heading", name=f"After {name} (copy)", level=2)).to_be_visible()
    expect(listed(home)).to_have_count(0)


def test_a_document_is_read_page_by_page_beside_its_project(home: Page, product: Product) -> None:
    address = home.url
    store(product, address, "Report.pdf")
    home.reload()

    home.get_by_role("button", name="Report.pdf", exact=True).click()
    expect(viewer(home).get_by_role("heading", name="Report.pdf")).to_be_focused()
    expect(viewer(home).get_by_text("What the <b>architect</b> has seen in the cellar on day 1.")).to_be_visible()
    expect(viewer(home).get_by_role("cell", name="1 EUR")).to_be_visible()
    viewer(home).get_by_role("button", name="Next page").click()
    expect(viewer(home).get_by_role("heading", name="Chapter 2")).to_be_visible()
    viewer(home).get_by_role("spinbutton", name="Page").fill("99")
    home.keyboard.press("Enter")
    expect(viewer(home).get_by_role("heading", name="Chapter 12")).to_be_visible()
    home.reload()

    expect(viewer(home).get_by_role("heading", name="Chapter 12")).to_be_visible()
    expect(viewer(home).get_by_role("button", name="Next page")).to_be_disabled()
    home.get_by_role("button", name="Close the document").click()
    expect(viewer(home)).to_have_count(0)
    assert home.url == address


def test_a_cited_passage_is_shown_where_it_stands_also_on_a_phone(
    home: Page, product: Product, new_context: Callable[..., BrowserContext]
) -> None:
    document, passage = store(product, home.url, "Cited.pdf")
    address = f"{home.url}?document={document}&page=5&passage={passage}"
    phone = new_context(viewport={"width": 390, "height": 780}, storage_state=home.context.storage_state()).new_page()

    for page in (home, phone):
        page.goto(address)
        cited = viewer(page).locator(".cited")
        expect(cited).to_have_count(2)
        expect(cited.first).to_contain_text("The wall of page 5 is to be dried before winter.")
        expect(cited.first).to_be_in_viewport()
    choose(home, "Cited.pdf", "Delete")
    home.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(home.get_by_text("Cited.pdf is deleted.")).to_be_visible()
    phone.reload()
    expect(viewer(phone).get_by_role("heading", name="This document is gone")).to_be_visible()


def test_passages_are_seen_before_all_documents_are_cut_anew(home: Page) -> None:
    chapters = [f"## Chapter {n}\n\n" + f"The heron of chapter {n} stands in the reeds. " * 12 for n in range(1, 5)]
    pick(home, payload("herons.md", "\n\n".join(chapters).encode()), payload("lease.md", LEASE))
    expect(listed(home, "Ready")).to_have_count(2)
    home.get_by_role("button", name="Passages …").click()
    dialog = home.get_by_role("dialog", name="Passages")
    passages = dialog.get_by_role("list", name="Passages of the document").get_by_role("listitem")
    dialog.get_by_role("combobox", name="How it looks in").select_option(label="herons.md")
    expect(passages.first).to_contain_text("The heron of chapter 1")
    few = passages.count()

    dialog.get_by_role("spinbutton", name="Tokens of a passage").fill("60")
    dialog.get_by_role("spinbutton", name="of these repeated").fill("0")
    expect(dialog.get_by_role("status")).to_contain_text(re.compile(r"passages, \d+ tokens each on average"))
    expect(passages.nth(few)).to_be_visible()
    many = passages.count()
    expect(listed(home, "herons.md")).to_contain_text(f"{few} passages")
    dialog.get_by_role("button", name="Cut all documents this way").click()

    expect(home.get_by_text("2 documents are cut anew.")).to_be_visible()
    expect(listed(home, "herons.md")).to_contain_text(f"{many} passages")
    home.reload()
    home.get_by_role("button", name="Passages …").click()
    expect(dialog.get_by_role("spinbutton", name="Tokens of a passage")).to_have_value("60")


def test_documents_are_picked_for_a_question_with_the_keyboard_alone(home: Page, product: Product) -> None:
    store(product, home.url, "Picked.pdf")
    store(product, home.url, "Other.pdf")
    box = home.get_by_role("textbox", name="Message")
    box.focus()
    home.keyboard.type("When is the wall dried? #pick")
    expect(home.get_by_role("listbox", name="Documents").get_by_role("option")).to_have_text(["Picked.pdf12 pages"])
    home.keyboard.press("Enter")
    expect(box).to_have_value("When is the wall dried? ")
    home.reload()
    expect(home.get_by_role("list", name="Documents to answer from")).to_contain_text("Picked.pdf")

    home.get_by_role("textbox", name="Message").press("Enter")

    expect(home.get_by_role("article", name="Assistant")).to_be_visible()
    expect(home.get_by_role("list", name="Documents to answer from")).to_have_count(0)
    assert re.search("/c/", home.url)


def test_outside_of_a_project_a_hash_says_where_documents_are(page: Page, product: Product) -> None:
    sign_in(page, product, "bob")

    page.get_by_role("textbox", name="Message").press_sequentially("#")

    expect(page.get_by_text("Documents belong to projects")).to_be_visible()
    page.keyboard.type("5")
    expect(page.get_by_text("Documents belong to projects")).to_be_hidden()


def test_a_search_is_tried_judged_compared_and_taken_over(home: Page) -> None:
    herons = "# Birds\n\n" + "A grey heron weighs about two kilograms. It stands in the reeds. " * 4
    pick(home, payload("birds.md", herons.encode()), payload("lease.md", LEASE))
    expect(listed(home, "Ready")).to_have_count(2)
    home.get_by_role("button", name="Search on trial …").click()
    bench = home.get_by_role("dialog", name="Search on trial")
    bench.get_by_role("searchbox", name="Question").fill("When is the rent due for the heron?")
    home.keyboard.press("Enter")
    found = bench.get_by_role("list").get_by_role("listitem")
    expect(found).to_have_count(2)
    expect(bench.get_by_role("status")).to_contain_text("no model is set that tells what passages mean")

    rent, heron = found.filter(has_text="The rent is due"), found.filter(has_text="A grey heron")
    expect(bench.get_by_role("button", name="As in answers")).to_have_attribute("aria-pressed", "true")
    expect(bench.get_by_role("status")).to_contain_text("would be sent 2 passages")
    expect(rent).to_contain_text("By words: 1")
    assert set(rent.locator("mark").all_inner_texts()) == {"rent", "due"}
    rent.get_by_role("button", name="This is wanted").click()
    expect(rent.get_by_role("button", name="This is wanted")).to_have_attribute("aria-pressed", "true")
    expect(rent.get_by_role("button", name="This is wanted")).to_be_focused()
    heron.get_by_role("button", name="This is wanted").click()
    heron.get_by_role("button", name="This is not wanted").click()
    expect(heron.get_by_role("button", name="This is wanted")).to_have_attribute("aria-pressed", "false")
    bench.get_by_role("button", name="Test set: 2").click()
    bench.get_by_role("listitem").filter(has_text="The rent is due").get_by_role("button", name="Edit").click()
    bench.get_by_role("textbox", name="Passage").fill("due on the third day")
    bench.get_by_role("button", name="Save").click()
    expect(bench.get_by_role("listitem").filter(has_text="wanted").first).to_contain_text("due on the third day")
    expect(bench.get_by_role("textbox", name="Passage")).to_have_count(0)

    bench.get_by_role("button", name="Compare").click()
    bench.get_by_role("checkbox", name="Also cut otherwise").check()
    bench.get_by_role("spinbutton", name="Tokens of a passage").fill("60")
    bench.get_by_role("spinbutton", name="of these repeated").fill("0")
    bench.get_by_role("button", name="Measure").click()
    rows = bench.get_by_role("row", name="By words")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("350 tokens, 50 repeated")
    expect(rows.first).to_contain_text("in use")
    expect(rows.last.get_by_role("cell").nth(2)).to_have_text("1.000")
    rows.last.get_by_role("button", name="Use").click()

    expect(home.get_by_text("Taken over. 2 documents are cut anew.")).to_be_visible()
    expect(listed(home, "Ready")).to_have_count(2)
    home.reload()
    home.get_by_role("button", name="Search on trial …").click()
    bench.get_by_role("button", name="Test set: 2").click()
    bench.get_by_role("listitem").filter(has_text="A grey heron").get_by_role("button", name="Delete").click()
    expect(bench.get_by_role("button", name="Test set: 1")).to_be_visible()
    bench.get_by_role("button", name="Compare").click()
    bench.get_by_role("button", name="Measure").click()
    expect(rows).to_contain_text("60 tokens, 0 repeated")
    expect(rows.get_by_role("cell").nth(2)).to_have_text("1.000")
