"""An administrator lets a model's answers be given again; the chat says where an answer comes from."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import ask, new_chat, sign_in
from tests.browser.test_admin import fill_provider, open_admin, row
from tests.fakes.embeddings import serving
from tests.product import Product, wait_until

QUESTION = "What is kept here?"


def test_a_kept_answer_is_given_again_and_forgotten(page: Page, product: Product) -> None:
    sign_in(page, product, "ada")
    open_admin(page, product, "Models")
    row(page, "Demo").get_by_role("button", name="Edit").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Give an answer again to the same question").select_option(
        label="Yes, for whoever asked, in the same project"
    )
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden()

    page.goto(product.url)
    figures = page.locator(".figures")
    for number in (1, 2):
        if number == 2:
            new_chat(page)
        ask(page, QUESTION)
        expect(figures.last).to_contain_text("tokens" if number == 1 else "from the cache of")
    page.get_by_role("article").last.get_by_role("button", name="What the model saw").click()
    saw = page.get_by_role("dialog", name="What the model saw")
    expect(saw).to_contain_text("From the cache of")
    expect(saw.get_by_role("heading", name="Time")).to_have_count(0)
    page.keyboard.press("Escape")

    page.goto(f"{product.url}/admin/usage")
    expect(page.get_by_text("1 answer from the cache")).to_be_visible()
    open_admin(page, product, "Models")
    row(page, "Demo").get_by_role("button", name="Edit").click()
    expect(form).to_contain_text("1 answer is kept.")
    form.get_by_role("button", name="Forget kept answers").click()
    expect(form).to_contain_text("1 kept answer is forgotten.")
    expect(form).not_to_contain_text("1 answer is kept.")


def test_an_answer_to_a_question_that_means_the_same_shows_that_one(page: Page, product: Product) -> None:
    sign_in(page, product, "ada")
    with serving() as address:
        open_admin(page, product, "Providers")
        fill_provider(page, "Meanings", address)
        page.get_by_role("button", name="Save and test").click()
        models = page.get_by_role("dialog", name="Models of Meanings")
        models.get_by_role("checkbox", name="things-embed").check()
        models.get_by_role("button", name="Add models").click()
        expect(models).to_be_hidden()
        open_admin(page, product, "Settings")
        page.get_by_label("Embedding model").select_option(label="things-embed · Meanings")
        expect(page.get_by_text("It works.")).to_be_visible()
        page.goto(f"{product.url}/admin/registry")
        page.get_by_label("Search settings").fill("cache_wait_ms")
        page.get_by_role("button", name="Change cache_wait_ms", exact=True).click()
        form = page.get_by_role("dialog")
        form.get_by_label("Value").fill("5000")
        form.get_by_role("button", name="Save").click()
        expect(form).to_be_hidden()
        open_admin(page, product, "Models")
        row(page, "Demo").get_by_role("button", name="Edit").click()
        form = page.get_by_role("dialog")
        form.get_by_label("Give an answer again to the same question").select_option(index=1)
        form.get_by_label("Give a kept answer to a question that means the same, too").select_option(label="Yes")
        form.get_by_role("button", name="Save").click()
        expect(form).to_be_hidden()

        page.goto(product.url)
        ask(page, "How big is a heron?")
        expect(page.locator(".figures").last).to_contain_text("tokens")
        # Nobody waits for that: the answer is shown before its question has a vector and both are stored.
        wait_until(lambda: kept_with_vectors(product) == 1, "the answer to be kept")
        new_chat(page)
        ask(page, "Tell me how big a heron is.")
        other = "A kept answer to a question that means the same: How big is a heron?"
        expect(page.get_by_text(other)).to_be_visible()
        page.reload()
        expect(page.get_by_text(other)).to_be_visible()
        page.get_by_role("button", name="Ask anew").click()
        expect(page.get_by_label("Version 2 of 2")).to_be_visible()
        expect(page.get_by_text(other)).to_be_hidden()


def kept_with_vectors(product: Product) -> int:
    """Return how many answers are kept for questions that mean the same."""
    with product.connection() as connection:
        (count,) = connection.execute("SELECT count(*) FROM cached_answers WHERE vector IS NOT NULL").fetchone()
    return int(count)
