"""Projects and tags, as a person sorts chats by them."""

import itertools
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import ask, new_chat, pick_model, sign_in
from tests.browser.test_sidebar import choose, shelf
from tests.product import Product

NewContext = Callable[..., BrowserContext]
NUMBERS = itertools.count(1)


@pytest.fixture
def title() -> str:
    """The title of a chat that no other test has."""
    return f"Sort me number {next(NUMBERS)} away"


@pytest.fixture
def chat(page: Page, product: Product, title: str) -> Page:
    """A chat of that title, which is open."""
    sign_in(page, product, "bob")
    new_chat(page)
    ask(page, title)
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    expect(page.get_by_role("link", name=title)).to_be_visible()
    return page


def begin_project(page: Page, name: str) -> None:
    page.get_by_role("button", name="New project").click()
    page.get_by_role("textbox", name="Name").fill(name)
    page.get_by_role("button", name="Create").click()
    # On a phone the list closes as the project opens.
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


def test_a_project_looks_as_picked_and_its_chats_begin_with_its_model(page: Page, product: Product) -> None:
    sign_in(page, product, "bob")
    new_chat(page)
    begin_project(page, "Orchard")
    expect(page.get_by_text("Nothing was used yet.")).to_be_visible()
    model = page.get_by_label("Model", exact=True).first
    expect(model.locator("option:checked")).to_have_text(re.compile("^Demo"))

    page.get_by_role("button", name="Settings of the project", exact=True).click()
    settings = page.get_by_role("dialog", name="Settings of the project")
    settings.get_by_role("radio", name="Green").check()
    settings.get_by_role("radio", name="Leaf").check()
    settings.get_by_label("Model").select_option(label="slow-words")
    settings.get_by_label("Temperature").fill("0.5")
    settings.get_by_role("button", name="Save").click()

    expect(page.get_by_text("It begins with slow-words. Temperature: 0.5.")).to_be_visible()
    expect(model.locator("option:checked")).to_have_text("slow-words")
    page.get_by_role("button", name="← Chats").click()
    expect(model.locator("option:checked")).to_have_text(re.compile("^Demo"))
    expect(projects(page).filter(has_text="Orchard").locator("svg.tint-green")).to_be_visible()
    projects(page).filter(has_text="Orchard").click()
    expect(model.locator("option:checked")).to_have_text("slow-words")


def test_a_project_is_shared_and_its_members_do_what_they_may_at_once(
    page: Page, product: Product, title: str, new_context: NewContext
) -> None:
    sign_in(page, product, "bob")
    theirs = new_context().new_page()
    sign_in(theirs, product, "ada")
    new_chat(page)
    begin_project(page, "Beehives")
    page.get_by_role("button", name="Members of the project").click()
    members = page.get_by_role("dialog", name="Members of “Beehives”")
    for address, said in (("nobody@example.org", "Nobody here has"), ("ada@example.org", "Role of ada")):
        members.get_by_label("E-mail address").fill(address)
        members.get_by_role("button", name="Add member").click()
        expect(page.get_by_text(said).or_(page.get_by_label(said))).to_be_visible()

    projects(theirs).filter(has_text="Beehives").filter(has_text="bob").click()
    expect(theirs.get_by_text("Shared by bob. You ask here and read its documents.")).to_be_visible()
    expect(theirs.get_by_role("button", name="Upload files")).to_be_hidden()
    expect(theirs.get_by_role("button", name="Settings of the project", exact=True)).to_have_count(0)
    ask(theirs, title)
    expect(theirs.get_by_role("link", name=title)).to_be_visible()
    expect(theirs.get_by_role("button", name="Send")).to_be_visible()
    theirs.get_by_role("navigation").get_by_role("button", name="Actions for the project").click()
    expect(theirs.get_by_role("button", name="Delete …").last).to_be_hidden()
    theirs.get_by_role("button", name="Members …").last.click()
    expect(theirs.get_by_text("Nobody reads the chats of another member, nor")).to_be_visible()
    theirs.get_by_role("dialog").get_by_role("button", name="Close").click()
    theirs.go_back()

    members.get_by_label("Role of ada").select_option("editor")
    expect(theirs.get_by_role("button", name="Upload files")).to_be_visible()
    theirs.get_by_role("link", name=title).click()
    members.get_by_role("button", name="Remove ada").click()
    page.get_by_role("dialog", name="Remove ada?").get_by_role("button", name="Remove").click()

    expect(theirs.get_by_text("you are no member of it any more")).to_be_visible()
    expect(projects(theirs).filter(has_text="Beehives")).to_have_count(0)
    expect(theirs.get_by_role("link", name=title)).to_be_visible()
    members.get_by_role("button", name="Close").click()
    expect(page.get_by_role("link", name=title)).to_have_count(0)


def test_limits_of_a_project_are_told_before_they_hold(page: Page, product: Product, title: str) -> None:
    sign_in(page, product, "bob")
    new_chat(page)
    begin_project(page, "Budgeted")
    ask(page, title)
    expect(page.get_by_role("link", name=title)).to_be_visible()
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    with product.connection() as connection:
        dollars = 1_000 * 10**12
        connection.execute(
            "UPDATE ai_models SET input_usd_per_mtok = ?, output_usd_per_mtok = ? WHERE name = 'slow-words'",
            (dollars, dollars),
        )
        connection.execute("UPDATE chat_histories SET updated_at = '2026-01-01 00:00:00' WHERE title = ?", (title,))
        connection.commit()
    page.get_by_role("button", name="← Chats").click()
    projects(page).filter(has_text="Budgeted").click()

    page.get_by_role("button", name="Limits of the project").click()
    limits = page.get_by_role("dialog", name="Limits of “Budgeted”")
    expect(limits.get_by_text("They are kept until somebody deletes them.")).to_be_visible()
    limits.get_by_label("Chats that nobody touches").fill("30")
    expect(limits.get_by_text(f"1 chat would go with the next night. Of yours: {title}.")).to_be_visible()
    limits.get_by_label("Most that may be spent").fill("0.05")
    limits.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Chats that nobody touches for 30 days go to the bin; pinned ones stay.")).to_be_visible()
    expect(page.get_by_text("$0.05 of $0.05 are left until")).to_be_visible()
    pick_model(page, "slow-words")
    page.get_by_role("textbox", name="Message").fill("What does it cost?")
    expect(page.get_by_text("budget left: $0.05")).to_be_visible()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("has $0.05 left of its $0.05 for this month, and this may cost $4.")).to_be_visible()
    expect(page.get_by_role("textbox", name="Message")).to_have_value("What does it cost?")


def test_an_archived_project_is_out_of_the_way_and_only_read_until_it_is_restored(
    page: Page, product: Product, title: str
) -> None:
    sign_in(page, product, "bob")
    new_chat(page)
    begin_project(page, "Old house")
    ask(page, title)
    expect(page.get_by_role("link", name=title)).to_be_visible()
    expect(page.get_by_role("button", name="Send")).to_be_visible()

    # In a chat that has just begun there, too.
    choose_for_project(page, "Old house", "Archive the project")

    expect(page.get_by_text("The project Old house is archived: it is only read.")).to_be_visible()
    expect(page.get_by_role("textbox", name="Message")).to_be_hidden()
    expect(page.get_by_role("button", name="Archived projects")).to_be_visible()
    expect(projects(page).filter(has_text="Old house")).to_have_count(0)
    page.get_by_role("button", name="Archived projects").click()
    page.get_by_role("dialog", name="Archived projects").get_by_role("button", name="Old house", exact=True).click()
    expect(page.get_by_role("heading", name="Old house", level=2)).to_be_visible()
    expect(page.get_by_role("link", name=title)).to_be_visible()
    expect(page.get_by_role("button", name="Upload files")).to_be_hidden()

    page.get_by_role("button", name="Restore", exact=True).click()
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    page.get_by_role("link", name=title).click()
    expect(page.get_by_text(title, exact=True).last).to_be_visible()
    ask(page, "And now?")
    expect(page.get_by_role("main").get_by_text("And now?")).to_be_visible()


def choose_for_project(page: Page, name: str, entry: str) -> None:
    page.get_by_role("navigation").get_by_role("button", name=f"Actions for the project {name}").click()
    page.get_by_role("button", name=entry, exact=True).last.click()


def delete_project(page: Page, name: str) -> None:
    choose_for_project(page, name, "Delete …")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()


def projects(page: Page) -> Locator:
    return shelf(page, "Projects").get_by_role("button")


def test_a_chat_that_begins_in_a_project_is_kept_there(page: Page, product: Product, title: str) -> None:
    sign_in(page, product, "bob")
    new_chat(page)
    begin_project(page, "Thesis")
    expect(page.get_by_text("No chats here yet.")).to_be_visible()
    expect(page.get_by_role("heading", name="Thesis", level=2)).to_be_visible()

    ask(page, title)

    expect(page.get_by_role("link", name=title)).to_be_visible()
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    page.get_by_role("button", name="← Chats").click()
    expect(projects(page).filter(has_text="Thesis")).to_be_visible()
    expect(page.get_by_role("link", name=title)).to_have_count(0)
    page.reload()
    projects(page).filter(has_text="Thesis").click()
    expect(page.get_by_role("link", name=title)).to_be_visible()
    expect(page.get_by_role("row", name=re.compile(r"^This month 1 2 \d+ free$"))).to_be_visible()


def test_another_tab_learns_of_projects_at_once(chat: Page) -> None:
    other = chat.context.new_page()
    other.goto(chat.url)
    expect(other.get_by_role("textbox", name="Message")).to_be_enabled()
    begin_project(chat, "Shared by tabs")

    projects(other).filter(has_text="Shared by tabs").click()
    expect(other.get_by_text("No chats here yet.")).to_be_visible()
    delete_project(chat, "Shared by tabs")

    expect(other.get_by_role("button", name="← Chats")).to_have_count(0)
    expect(projects(other).filter(has_text="Shared by tabs")).to_have_count(0)


def test_a_chat_is_moved_to_a_new_project_and_back(chat: Page, title: str) -> None:
    choose(chat, title, "Move …")
    chat.get_by_role("button", name="New project …").click()
    chat.get_by_role("textbox", name="Name").fill("Travel")
    chat.get_by_role("button", name="Create").click()
    # What lies behind an open dialog is hidden from these roles: the list is looked at once it is closed.
    expect(projects(chat).filter(has_text="Travel")).to_be_visible()
    expect(chat.get_by_role("link", name=title)).to_have_count(0)

    projects(chat).filter(has_text="Travel").click()
    choose(chat, title, "Move …")
    chat.get_by_role("button", name="No project").click()

    expect(chat.get_by_text("No chats here yet.")).to_be_visible()
    chat.get_by_role("button", name="← Chats").click()
    expect(chat.get_by_role("link", name=title)).to_be_visible()


def test_a_project_is_renamed_and_deleted_and_its_chats_stay(chat: Page, title: str) -> None:
    begin_project(chat, "Garden")
    chat.get_by_role("button", name="← Chats").click()
    choose(chat, title, "Move …")
    chat.get_by_role("dialog").get_by_role("button", name="Garden").click()
    projects(chat).filter(has_text="Garden").click()
    choose_for_project(chat, "Garden", "Settings …")
    chat.get_by_role("textbox", name="Name").fill("thesis?")
    chat.get_by_role("button", name="Save", exact=True).click()
    choose_for_project(chat, "thesis?", "Delete …")
    sure = chat.get_by_role("dialog", name="Delete the project “thesis?”?")
    expect(sure).to_contain_text("Its 1 chat stays: it goes back to the list.")
    sure.get_by_role("button", name="Delete").click()

    expect(chat.get_by_text("The project thesis? is gone; its chats are in the list.")).to_be_visible()
    expect(chat.get_by_role("link", name=title)).to_be_visible()
    expect(projects(chat).filter(has_text=re.compile("Garden|thesis\\?"))).to_have_count(0)


def test_a_chat_is_tagged_and_found_by_it(chat: Page, title: str) -> None:
    tag = f"sea{next(NUMBERS)}"
    choose(chat, title, "Tags …")
    chat.get_by_role("textbox", name="New tag").fill(f"#{tag.upper()}, rome")
    chat.keyboard.press("Enter")
    expect(chat.get_by_role("button", name=f"Take away {tag}")).to_be_visible()
    chat.get_by_role("button", name="Take away rome").click()
    chat.get_by_role("button", name="Done").click()
    expect(chat.get_by_role("link", name=title)).to_contain_text(f"#{tag}")

    chat.keyboard.press("Control+k")
    search = chat.get_by_role("dialog", name="Search chats")
    search.get_by_label("With the tag").select_option(tag)

    expect(search.get_by_role("link")).to_contain_text([title])
    search.get_by_role("searchbox").fill("quokka")
    expect(search.get_by_role("status")).to_contain_text("or search everywhere")
    search.get_by_label("With the tag").select_option("")
    search.get_by_role("searchbox").fill("sort me")
    search.get_by_label("Answered by").select_option(index=2)
    expect(search.get_by_role("status")).to_contain_text("Nothing holds")
