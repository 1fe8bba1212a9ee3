"""One question to several models at once: answers side by side, one of them kept, or all merged."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import ask, new_chat, pick_model, sign_in
from tests.product import FakeProvider, Product


@pytest.fixture
def compared(page: Page, product: Product) -> Page:
    """A new chat in which the demo and a slow model were asked the same; the slow one still writes."""
    sign_in(page, product, "bob")
    new_chat(page)
    demo = page.get_by_label("Model", exact=True).locator("option").first.inner_text()
    pick_model(page, demo)
    page.get_by_role("button", name="Compare").click()
    page.get_by_role("checkbox", name="slow-words").check()
    page.keyboard.press("Escape")
    ask(page, "What is 6 * 7?")
    expect(answers(page)).to_have_count(2)
    expect(answers(page).nth(0)).to_contain_text("42")
    expect(answers(page).nth(1)).to_contain_text("w1 ")
    return page


def comparison(page: Page) -> Locator:
    return page.get_by_role("region", name="Answers side by side")


def answers(page: Page) -> Locator:
    return comparison(page).get_by_role("article", name="Assistant")


def test_the_answer_that_is_kept_is_the_chats_and_the_others_stay_as_versions(compared: Page) -> None:
    compared.get_by_role("button", name="Keep the answer of slow-words").click()

    expect(comparison(compared)).to_have_count(0)
    kept = compared.get_by_role("article", name="Assistant")
    expect(kept).to_have_count(1)
    expect(kept).to_contain_text("w1 ")
    expect(kept.get_by_label("Version 2 of 2")).to_be_visible()
    compared.reload()
    expect(kept).to_contain_text("Stopped.")


def test_a_reload_while_both_are_written_shows_both(compared: Page) -> None:
    compared.reload()

    expect(answers(compared)).to_have_count(2)
    expect(answers(compared).nth(1)).to_contain_text("w119", timeout=20_000)
    expect(compared.get_by_role("button", name="Send", exact=True)).to_be_visible()


def test_what_differs_between_the_answers_is_marked_in_each(compared: Page) -> None:
    show = compared.get_by_role("button", name="Show difference")
    expect(show).to_be_disabled()
    compared.get_by_role("button", name="Stop").click()
    show.click()

    first, second = comparison(compared).locator(".column-of").all()
    expect(first.locator("del").filter(has_text="42").first).to_be_visible()
    expect(first.locator("ins")).to_have_count(0)
    expect(second.locator("ins").filter(has_text="w1").first).to_be_visible()
    expect(second.locator("del")).to_have_count(0)
    expect(first.locator(".body")).to_be_hidden()
    show.click()
    expect(comparison(compared).locator(".difference")).to_have_count(0)
    expect(first.locator(".body")).to_contain_text("42")


def test_answers_are_merged_into_one_that_the_model_was_sent_all_of(compared: Page) -> None:
    merge = compared.get_by_role("button", name="Merge into one answer")
    expect(merge).to_be_disabled()
    compared.get_by_role("button", name="Stop").click()
    merge.click()

    expect(comparison(compared)).to_have_count(0)
    merged = compared.get_by_role("article", name="Assistant")
    expect(merged.get_by_label("Version 3 of 3")).to_be_visible()
    merged.get_by_role("button", name="What the model saw").click()
    expect(compared.get_by_role("dialog")).to_contain_text("Answers to merge")


def test_four_models_are_asked_at_once_and_a_fifth_is_refused(
    page: Page, product: Product, slow_provider: FakeProvider
) -> None:
    for name in ("third", "fourth", "fifth"):
        product.add_provider(f"Provider of {name}", slow_provider.url, f"the-{name}")
    sign_in(page, product, "ada")
    new_chat(page)
    pick_model(page, "the-third")
    page.get_by_role("button", name="Compare").click()
    for name in ("slow-words", "the-fourth", "the-fifth"):
        page.get_by_role("checkbox", name=name).check()
    page.get_by_role("group", name="Ask these too").get_by_role("checkbox", checked=False).first.click()
    expect(page.get_by_text("Four models at once are the most")).to_be_visible()
    page.keyboard.press("Escape")
    ask(page, "What do you say?")

    expect(answers(page)).to_have_count(4)
    for number in range(4):
        expect(answers(page).nth(number)).to_contain_text("w1 ")
    page.get_by_role("button", name="Keep the answer of the-fourth").click()
    expect(comparison(page)).to_have_count(0)
    expect(page.get_by_role("article", name="Assistant").get_by_label("of 4")).to_be_visible()


def test_versions_are_compared_later(compared: Page) -> None:
    compared.get_by_role("button", name="Stop").click()
    compared.get_by_role("button", name="Show one").click()
    expect(comparison(compared)).to_have_count(0)

    compared.get_by_role("article", name="Assistant").get_by_label("More", exact=True).click()
    compared.get_by_role("button", name="Compare versions side by side").click()

    expect(answers(compared)).to_have_count(2)


def test_a_chat_goes_on_with_the_first_answer_when_none_is_kept(compared: Page) -> None:
    compared.get_by_role("button", name="Stop").click()
    expect(compared.get_by_role("button", name="Send", exact=True)).to_be_visible()
    compared.get_by_role("button", name="Compare: 2 models").click()
    compared.get_by_role("checkbox", name="slow-words").uncheck()
    compared.keyboard.press("Escape")
    ask(compared, "What is 6 * 8?")

    expect(compared.get_by_role("article", name="Assistant").last).to_contain_text("48")
    expect(compared.get_by_role("article", name="Assistant")).to_have_count(2)
    expect(comparison(compared)).to_have_count(0)


@pytest.fixture
def explained(page: Page, product: Product) -> Page:
    """What the slow model saw before it gave its second answer of a chat."""
    sign_in(page, product, "bob")
    new_chat(page)
    pick_model(page, "slow-words")
    for number in (1, 2):
        ask(page, f"Question {number}")
        expect(page.get_by_role("article", name="Assistant")).to_have_count(number)
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    page.get_by_role("button", name="What the model saw").last.click()
    expect(page.get_by_role("dialog", name="What the model saw")).to_contain_text("Earlier messages")
    return page


def test_an_answer_is_replayed_beside_it_without_what_was_said_before(explained: Page) -> None:
    dialog = explained.get_by_role("dialog", name="What the model saw")
    dialog.get_by_label("Without the earlier messages").check()
    dialog.get_by_role("button", name="Replay beside this answer").click()

    expect(answers(explained)).to_have_count(2)
    explained.get_by_role("button", name="Stop").click()
    expect(explained.get_by_role("button", name="Show difference")).to_have_attribute("aria-pressed", "true")
    expect(comparison(explained).locator(".difference")).to_have_count(2)
    answers(explained).last.get_by_role("button", name="What the model saw").click()
    expect(dialog).to_contain_text("Left out this time: the earlier messages.")
    expect(dialog.locator(".part")).not_to_contain_text(["Earlier messages"])


@pytest.mark.parametrize(("name", "said"), [("As curl", 'curl "$PROVIDER_URL'), ("As Python", "httpx.post(")])
def test_the_request_is_copied_as_code(explained: Page, name: str, said: str) -> None:
    explained.get_by_role("button", name=name).click()

    code = explained.locator(".explanation pre")
    expect(code).to_contain_text(said)
    expect(code).to_contain_text("Question 2")
    expect(code).to_contain_text("$API_KEY")
    explained.get_by_role("dialog").get_by_role("button", name="Copy").click()
    expect(explained.get_by_role("dialog").get_by_role("button", name="Copied")).to_be_visible()
