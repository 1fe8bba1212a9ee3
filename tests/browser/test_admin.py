"""What an administrator does: connect a provider, choose models and prices, decide for everybody."""

import contextlib
import re
import socket
from collections.abc import Callable, Iterator

import httpx2
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from llm_ui.providers.local import USUAL_PORTS
from tests.browser.conftest import Watch, ask, pick_model, sign_in
from tests.browser.test_documents import drop, listed
from tests.browser.test_projects import begin_project
from tests.browser.test_sign_in import CLOSED_BY_THE_SERVER
from tests.fakes.embeddings import serving
from tests.fakes.postgresql import free_port
from tests.product import FakeProvider, Product

NewContext = Callable[..., BrowserContext]

SILENT_PORT = USUAL_PORTS[-1].port
"""A port that is looked at when the providers page opens."""


def open_admin(page: Page, product: Product, name: str) -> None:
    """Go to a page of the administration; returns once it shows its data."""
    page.goto(f"{product.url}/admin/{name.lower()}")
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
    if name != "Settings":
        expect(page.get_by_role("row").nth(1)).to_be_visible()


def row(page: Page, name: str) -> Locator:
    """The row of a table whose first cell begins with the name."""
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=re.compile(f"^{re.escape(name)}")))


@pytest.fixture
def admin(page: Page, product: Product) -> Page:
    """A page on which an administrator has signed in."""
    sign_in(page, product, "ada")
    return page


def fill_provider(page: Page, name: str, address: str) -> None:
    """Open the form and type a provider in."""
    page.get_by_role("button", name="Add provider").click()
    form = page.get_by_role("dialog", name="Add provider")
    form.get_by_label("Name").fill(name)
    form.get_by_label("Address").fill(address)
    form.get_by_label("Key", exact=True).fill("sk-typed-in-the-browser-9876")


def test_a_provider_is_connected_and_its_model_can_be_asked(
    admin: Page, product: Product, slow_provider: FakeProvider
) -> None:
    open_admin(admin, product, "Providers")
    fill_provider(admin, "Lab", slow_provider.url)
    admin.get_by_role("button", name="Save and test").click()
    models = admin.get_by_role("dialog", name="Models of Lab")
    expect(models.get_by_role("status")).to_have_text("Lab answers and serves 2 models.")
    models.get_by_role("checkbox", name="fake-small").check()

    models.get_by_role("button", name="Add models").click()

    expect(models).to_be_hidden()
    expect(row(admin, "Lab")).to_contain_text("Works")
    expect(row(admin, "Lab")).to_contain_text("…9876")
    admin.goto(f"{product.url}/")
    expect(admin.get_by_label("Model", exact=True)).to_contain_text("fake-small")
    assert "sk-typed-in-the-browser" not in admin.content()


def test_what_is_refused_is_said_beside_the_form_and_stays_typed(admin: Page, product: Product) -> None:
    open_admin(admin, product, "Providers")
    fill_provider(admin, "Nowhere", "nowhere.example")

    admin.get_by_label("Key", exact=True).press("Enter")

    form = admin.get_by_role("dialog", name="Add provider")
    expect(form.get_by_role("alert")).to_have_text("The address must begin with http:// or https:// and name a host.")
    expect(form.get_by_label("Name")).to_have_value("Nowhere")
    expect(form.get_by_label("Key", exact=True)).to_have_value("sk-typed-in-the-browser-9876")


def test_a_known_service_fills_the_form(admin: Page, product: Product) -> None:
    open_admin(admin, product, "Providers")
    admin.get_by_role("button", name="Add provider").click()

    admin.get_by_label("Service").select_option("Anthropic")

    expect(admin.get_by_label("Address")).to_have_value("https://api.anthropic.com")
    expect(admin.get_by_label("Type")).to_have_value("anthropic")


def test_the_form_is_filled_while_the_page_still_looks_around(admin: Page, product: Product) -> None:
    with socket.create_server(("127.0.0.1", SILENT_PORT)) as silent:
        silent.settimeout(20)
        open_admin(admin, product, "Providers")
        # Taken but never answered: the search of this computer waits for it.
        connection, _ = silent.accept()
        admin.get_by_role("button", name="Add provider").click()

        admin.get_by_label("Service").select_option("Anthropic")

        expect(admin.get_by_label("Address")).to_have_value("https://api.anthropic.com", timeout=1_000)
        connection.close()


def test_a_provider_is_switched_off_and_deleted_after_saying_what_breaks(
    admin: Page, product: Product, slow_provider: FakeProvider
) -> None:
    open_admin(admin, product, "Providers")
    fill_provider(admin, "Short-lived", slow_provider.url)
    admin.get_by_role("button", name="Save", exact=True).click()
    admin.get_by_role("button", name="Switch off Short-lived").click()
    expect(row(admin, "Short-lived")).to_contain_text("Off")
    admin.get_by_role("button", name="Edit Short-lived").click()

    admin.get_by_role("button", name="Delete …").click()

    question = admin.get_by_role("dialog", name="Delete Short-lived?")
    expect(question).to_contain_text("cannot be undone")
    question.get_by_role("button", name="Delete for good").click()
    expect(row(admin, "Short-lived")).to_have_count(0)


def test_before_a_provider_is_switched_off_the_page_says_what_depends_on_it(admin: Page, product: Product) -> None:
    open_admin(admin, product, "Providers")

    admin.get_by_role("button", name="Switch off Demo").click()

    question = admin.get_by_role("dialog", name="Switch Demo off?")
    expect(question).to_contain_text("The default model goes with it: choose another default")
    question.get_by_role("button", name="Leave it as it is").click()
    expect(question).to_have_count(0)
    expect(row(admin, "Demo")).to_contain_text("On")


def test_what_is_pressed_while_a_provider_is_tested_is_done_afterwards(admin: Page, product: Product) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(20)
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        product.command("providers", "add", "Mute", "--type", "ollama", "--url", address)
        open_admin(admin, product, "Providers")
        admin.get_by_role("button", name="Test Mute").click()
        connection, _ = silent.accept()
        expect(admin.locator(".frame[aria-busy=true]")).to_be_visible()

        admin.get_by_role("button", name="Switch off Mute").click()
        connection.close()

    expect(row(admin, "Mute")).to_contain_text("Off")


def test_text_that_looks_like_html_is_shown_as_text(admin: Page, product: Product, slow_provider: FakeProvider) -> None:
    hostile = "<img src=x onerror=console.error('ran')>"
    open_admin(admin, product, "Providers")
    fill_provider(admin, hostile, slow_provider.url)

    admin.get_by_role("button", name="Save", exact=True).click()

    expect(admin.get_by_role("status").filter(has_text=hostile)).to_be_visible()
    expect(row(admin, hostile)).to_be_visible()
    expect(admin.locator("main img")).to_have_count(0)


@pytest.fixture
def local_server() -> Iterator[str]:
    """A model server on one of the ports where such servers usually listen; gives its name."""
    usual = next(usual for usual in USUAL_PORTS if is_free(usual.port))
    server = FakeProvider("{}", port=usual.port)
    yield usual.name
    server.stop()


def is_free(port: int) -> bool:
    """Return whether nobody on this machine uses the port."""
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.bind(("127.0.0.1", port))
        return True
    return False


def test_a_server_on_this_computer_is_added_with_one_click(admin: Page, product: Product, local_server: str) -> None:
    open_admin(admin, product, "Providers")
    offer = admin.get_by_role("listitem").filter(has_text=f"Found on this computer: {local_server} with 2 models.")

    offer.get_by_role("button", name=f"Add {local_server}").click()

    expect(offer).to_have_count(0)
    expect(row(admin, local_server)).to_contain_text("2")


def test_a_models_price_is_set(admin: Page, product: Product) -> None:
    open_admin(admin, product, "Models")
    admin.get_by_label("Search models").fill("slow-words")
    expect(admin.get_by_role("row")).to_have_count(2)
    admin.get_by_role("button", name="Edit slow-words").click()
    form = admin.get_by_role("dialog", name="Edit slow-words")
    form.get_by_label("Input, dollars").first.fill("1.25")
    form.get_by_label("Output, dollars").fill("cheap")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_contain_text("must be a number of dollars")

    form.get_by_label("Output, dollars").fill("10")
    form.get_by_label("Output, dollars").press("Enter")

    expect(form).to_be_hidden()
    expect(row(admin, "slow-words")).to_contain_text("$1.25")
    expect(row(admin, "slow-words")).to_contain_text("$10.00")
    admin.get_by_role("button", name="Edit slow-words").click()
    expect(form.get_by_role("table").get_by_role("row").nth(1)).to_contain_text("ada$1.25$10.00")


def test_the_default_model_is_changed_and_cannot_be_switched_off(admin: Page, product: Product) -> None:
    open_admin(admin, product, "Models")
    expect(row(admin, "Demo")).to_contain_text("Default")
    expect(admin.get_by_role("button", name=re.compile("Switch off Demo"))).to_have_count(0)

    admin.get_by_role("button", name="Make default slow-words").click()
    expect(row(admin, "slow-words")).to_contain_text("Default")

    admin.get_by_role("button", name=re.compile("Make default Demo")).click()
    expect(row(admin, "Demo")).to_contain_text("Default")


def reranked_is_compared(page: Page) -> None:
    """Measure all ways in an open project, and take one over and the reranked one again."""
    page.get_by_role("button", name="Search on trial …").click()
    bench = page.get_by_role("dialog", name="Search on trial")
    bench.get_by_role("searchbox", name="Question").fill("Which wader stands there?")
    page.keyboard.press("Enter")
    bench.get_by_role("button", name="This is wanted").first.click()
    bench.get_by_role("button", name="Compare").click()
    for way, other in (("By both", "Reranked"), ("Reranked", "By both")):
        bench.get_by_role("button", name="Measure").click()
        expect(bench.get_by_role("row", name=other)).to_contain_text("in use")
        expect(bench.get_by_role("row", name=way).get_by_role("cell").nth(2)).to_have_text("1.000")
        bench.get_by_role("row", name=way).get_by_role("button", name="Use").click()
        expect(bench).to_be_hidden()
        page.get_by_role("button", name="Search on trial …").click()
        bench.get_by_role("button", name="Compare").click()
    expect(bench.get_by_role("row", name="Reranked")).to_contain_text("in use")
    bench.get_by_role("button", name="Close").click()


def test_the_quality_page_shows_what_people_think_of_answers(admin: Page, product: Product) -> None:
    ask(admin, "Rate me if you can")
    expect(admin.get_by_role("button", name="Send")).to_be_visible()
    answer = admin.get_by_role("article", name="Assistant").last
    answer.hover()
    answer.get_by_role("button", name="Bad answer").click()
    admin.get_by_role("radio", name="Wrong").check()
    admin.get_by_role("textbox", name="Comment").fill("Herons are no storks.")
    admin.get_by_role("button", name="Send", exact=True).first.click()
    expect(admin.get_by_text("Thank you.")).to_be_visible()

    open_admin(admin, product, "Quality")

    models, ratings = admin.get_by_role("table", name="Models"), admin.get_by_role("table", name="Ratings")
    expect(models.get_by_role("row").nth(1)).to_contain_text("Demo")
    expect(ratings.get_by_role("row").filter(has_text="Herons are no storks.")).to_contain_text("Wrong")
    expect(admin.get_by_text("llm-ui eval retrieval DATASET")).to_be_visible()
    admin.get_by_label("Rating", exact=True).select_option(label="Good")
    expect(admin.get_by_text("Herons are no storks.")).to_be_hidden()
    expect(models.get_by_role("row").filter(has_text="0%")).to_have_count(0)
    admin.reload()
    expect(admin.get_by_label("Rating", exact=True)).to_have_value("up")
    with admin.expect_download() as download:
        admin.get_by_role("link", name="Download the list as CSV").click()
    assert download.value.suggested_filename.startswith("ratings-")


def test_an_embedding_model_finds_documents_by_what_they_mean(admin: Page, product: Product) -> None:
    with serving() as address:
        open_admin(admin, product, "Providers")
        fill_provider(admin, "Vectors", address)
        admin.get_by_role("button", name="Save and test").click()
        models = admin.get_by_role("dialog", name="Models of Vectors")
        for name in ("things-embed", "broken-embed", "word-reranker"):
            models.get_by_role("checkbox", name=name).check()
        models.get_by_role("button", name="Add models").click()
        expect(models).to_be_hidden()

        open_admin(admin, product, "Settings")
        chosen = admin.get_by_label("Embedding model")
        chosen.select_option(label="broken-embed · Vectors")
        expect(admin.get_by_text("did not send a vector for each text")).to_be_visible()
        expect(chosen).to_have_value("None: search by words alone")
        chosen.select_option(label="things-embed · Vectors")
        expect(admin.get_by_text("It works.")).to_be_visible()
        order = admin.get_by_label("Reranking model")
        order.select_option(label="broken-embed · Vectors")
        expect(admin.get_by_text("did not put the texts in order")).to_be_visible()
        order.select_option(label="word-reranker · Vectors")
        expect(admin.get_by_text("It begins with the next question.")).to_be_visible()
        open_admin(admin, product, "Models")
        expect(row(admin, "things-embed")).to_contain_text("Embeddings")

        admin.goto(product.url)
        expect(admin.get_by_label("Model", exact=True)).not_to_contain_text("things-embed")
        begin_project(admin, "Shore")
        expect(admin.get_by_role("button", name="Upload files")).to_be_visible()
        drop(admin, {"birds.md": b"# Birds\n\nThe heron stands on one leg."})
        expect(listed(admin).filter(has_text="Ready")).to_have_count(1, timeout=40_000)
        shore = admin.url
        ask(admin, "Which wader is there?")
        admin.get_by_role("button", name="What the model saw").click()
        saw = admin.get_by_role("dialog", name="What the model saw")
        expect(saw).to_contain_text("their words and their meaning")
        expect(saw).to_contain_text("Put in order by")
        expect(saw).to_contain_text("word-reranker")
        saw.get_by_text("Passages of documents").click()
        expect(saw).to_contain_text("The heron stands on one leg.")
        saw.get_by_role("button", name="Close").click()
        admin.goto(shore)
        reranked_is_compared(admin)
        open_admin(admin, product, "Settings")
        expect(chosen).to_have_value("things-embed · Vectors")
        expect(order).to_have_value("word-reranker · Vectors")
        chosen.select_option(label="None: search by words alone")
        expect(admin.get_by_text("searched by words alone now")).to_be_visible()
        order.select_option(label="None: as they are found")
        expect(admin.get_by_text("Passages stay as they are found.")).to_be_visible()


def test_registration_is_closed_and_opened(admin: Page, product: Product) -> None:
    open_admin(admin, product, "Settings")
    registration = admin.get_by_role("switch", name="Anybody may create an account")
    expect(registration).to_be_checked()
    registration.click()
    expect(admin.get_by_text("Only administrators add people now.")).to_be_visible()
    assert "Create account" not in httpx2.get(f"{product.url}/register", trust_env=False).text

    registration.click()

    expect(admin.get_by_text("Anybody may create an account now.")).to_be_visible()
    assert "Create account" in httpx2.get(f"{product.url}/register", trust_env=False).text


def test_the_default_instructions_are_chosen_and_written(admin: Page, product: Product) -> None:
    open_admin(admin, product, "Settings")
    admin.get_by_label("Default instructions").select_option(label="Concise")
    expect(admin.get_by_label("Their words")).to_have_value(re.compile("^Answer in as few words"))
    admin.get_by_label("Their words").fill("Answer in one word.")

    admin.get_by_role("button", name="Save words").click()

    expect(admin.get_by_text("Concise is saved")).to_be_visible()
    admin.reload()
    expect(admin.get_by_label("Their words")).to_have_value("Answer in one word.")


def test_the_forms_work_by_keyboard_alone(admin: Page, product: Product) -> None:
    open_admin(admin, product, "Providers")
    admin.get_by_role("button", name="Add provider").focus()

    admin.keyboard.press("Enter")

    form = admin.get_by_role("dialog", name="Add provider")
    expect(form.get_by_label("Service")).to_be_focused()
    admin.keyboard.press("Tab")
    admin.keyboard.type("By hand")
    expect(form.get_by_label("Name")).to_have_value("By hand")
    admin.keyboard.press("Escape")
    expect(form).to_be_hidden()


PRESSED_TWICE = """async () => {
  const loaded = performance.getEntriesByType("resource").map((each) => each.name)
  const { presser } = await import(loaded.find((name) => name.includes("/parts")))
  const sent = [], told = []
  const on = (_, listener) => told.push(listener)
  const model = { is_busy: false, on, send_msg: (message) => sent.push(message.row) }
  const busy = (isBusy) => { model.is_busy = isBusy; told.forEach((listener) => listener()) }
  const press = presser(model)
  press({ row: "one" }); busy(true); press({ row: "one" }); busy(false)
  busy(true); press({ row: "one" }); press({ row: "one" }); busy(false)
  return sent
}"""
"""An action is pressed, and again while it is done; then once more while another one is done, such as saving."""


def test_what_is_pressed_while_something_else_is_done_follows_it_also_if_it_was_the_last(
    admin: Page, product: Product
) -> None:
    open_admin(admin, product, "Models")

    assert admin.evaluate(PRESSED_TWICE) == ["one", "one"]


def test_another_model_answers_where_one_is_down_and_the_chat_says_so(admin: Page, product: Product) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/v1"
    product.add_provider("Down", nowhere, "silent")
    open_admin(admin, product, "Models")
    row(admin, "silent").get_by_role("button", name="Edit").click()
    form = admin.get_by_role("dialog", name="Edit silent")
    form.get_by_label("If it does not answer, ask").select_option(label="slow-words · Slow")
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden()
    row(admin, "silent").get_by_role("button", name="Edit").click()
    expect(form.get_by_label("If it does not answer, ask").locator("option:checked")).to_have_text("slow-words · Slow")
    admin.goto(f"{product.url}/")
    pick_model(admin, "silent")

    ask(admin, "is anybody there?")

    note = admin.get_by_text("silent did not answer; slow-words did.")
    expect(note).to_be_visible()
    expect(admin.get_by_role("article", name="Assistant answered")).to_contain_text("w0 w1 w2")
    admin.reload()
    expect(note).to_be_visible()
    admin.get_by_role("button", name="Stop").click()
    admin.get_by_role("button", name="What the model saw").click()
    saw = admin.get_by_role("dialog", name="What the model saw")
    expect(saw).to_contain_text("silent · Down")
    expect(saw).to_contain_text("Waiting for silent in vain")


@pytest.mark.parametrize("name", ["Providers", "Models", "Settings"])
def test_the_pages_fit_a_phone(new_context: NewContext, product: Product, name: str) -> None:
    page = new_context(viewport={"width": 390, "height": 800}).new_page()
    sign_in(page, product, "ada")

    open_admin(page, product, name)

    width = page.evaluate("document.querySelector('main').scrollWidth")
    assert width <= 390


def test_a_person_is_told_that_the_pages_are_not_theirs(page: Page, product: Product, watch: Watch) -> None:
    watch.allowed.add("403 (Forbidden)")
    sign_in(page, product, "bob")

    page.goto(f"{product.url}/admin/providers")

    expect(page.get_by_text("Only administrators see this page.")).to_be_visible()
    expect(page.get_by_role("button", name="Add provider")).to_have_count(0)


def test_a_setting_is_changed_for_everybody_and_the_audit_log_shows_it(
    admin: Page, product: Product, new_context: NewContext
) -> None:
    admin.goto(f"{product.url}/admin/registry")
    admin.get_by_label("Search settings").fill("banner top")
    admin.get_by_role("button", name="Change banner", exact=True).click()
    form = admin.get_by_role("dialog", name="banner")
    form.get_by_label("Value").fill("Back at noon")
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden()
    expect(row(admin, "What everybody reads")).to_contain_text("by ada")

    stranger = new_context().new_page()
    stranger.goto(f"{product.url}/login")
    expect(stranger.get_by_role("note")).to_have_text("Back at noon")

    admin.goto(f"{product.url}/admin/audit?what=setting&search=banner")
    expect(admin.get_by_role("note")).to_have_text("Back at noon")
    admin.get_by_role("button", name="Show").first.click()
    entry = admin.get_by_role("dialog", name="setting.changed")
    expect(entry.get_by_label("Before")).to_have_text("(none)")
    expect(entry.get_by_label("After")).to_have_text("Back at noon")
    expect(entry).to_contain_text("127.0.0.1")
    entry.get_by_role("button", name="Close").click()
    admin.get_by_role("button", name="Verify now").click()
    expect(admin.get_by_text("they are as they were written")).to_be_visible()

    admin.goto(f"{product.url}/admin/registry")
    row(admin, "What everybody reads").get_by_role("button", name="Reset").click()
    expect(row(admin, "What everybody reads")).to_contain_text("Default")
    admin.reload()
    expect(admin.get_by_role("heading", level=1, name="All settings")).to_be_visible()
    expect(admin.get_by_role("note")).to_have_count(0)


def test_a_provider_is_drained_and_a_rule_tells_nobody_inside(admin: Page, product: Product) -> None:
    ask(admin, "Hello")
    expect(admin.get_by_role("article", name=re.compile("^Assistant"))).to_have_count(1)
    open_admin(admin, product, "Runs")
    row(admin, "Demo").get_by_role("button", name="Drain").click()
    expect(row(admin, "Demo")).to_contain_text("Drained")
    admin.goto(f"{product.url}/")
    ask(admin, "Anybody there?")
    expect(admin.get_by_text("takes no new questions for a while")).to_be_visible()
    open_admin(admin, product, "Runs")
    row(admin, "Demo").get_by_role("button", name="Take calls again").click()
    expect(row(admin, "Demo")).to_contain_text("Takes calls")
    admin.locator("tbody tr").filter(has_text="Demo").get_by_role("link").first.click()
    expect(admin.get_by_role("heading", level=1, name="Run")).to_be_visible()
    expect(admin.get_by_text("Waiting for the first token")).to_be_visible()

    admin.goto(f"{product.url}/admin/alerts")
    admin.get_by_role("button", name="Add rule").click()
    form = admin.get_by_role("dialog", name="Alert rule")
    form.get_by_label("Limit").fill("10")
    form.get_by_label("Address").fill("http://127.0.0.1:9/hook")
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden()
    row(admin, "Failed calls").get_by_role("button", name="Test").click()
    expect(admin.get_by_text("127.0.0.1 is not on the public internet").first).to_be_visible()


def test_a_person_is_invited_promoted_kept_out_and_deleted(
    admin: Page, product: Product, new_context: NewContext, watch: Watch
) -> None:
    watch.allowed |= CLOSED_BY_THE_SERVER
    open_admin(admin, product, "Users")
    admin.get_by_role("button", name="Add a person").click()
    form = admin.get_by_role("dialog", name="Add a person")
    form.get_by_label("E-mail").fill("carol@example.org")
    form.get_by_role("button", name="Add").click()
    link = admin.get_by_role("dialog", name="The link").get_by_label("To be copied").input_value()
    carol = new_context().new_page()
    carol.goto(product.url + link[link.index("/invitation") :])
    carol.get_by_label("Password").fill("a quiet walk by the sea")
    carol.get_by_role("button", name="Begin").click()
    expect(carol.get_by_role("textbox", name="Message")).to_be_visible()

    admin.goto(f"{product.url}/admin/users?search=carol")
    expect(admin.get_by_label("Name or e-mail")).to_have_value("carol")
    expect(row(admin, "carol")).to_contain_text("Active")
    admin.get_by_role("link", name="carol").click()
    admin.get_by_role("button", name="Change role").click()
    admin.get_by_label("Role").select_option("operator")
    admin.get_by_role("button", name="Save").click()
    expect(admin.get_by_role("status").filter(has_text="It holds from now on")).to_be_visible()
    carol.wait_for_url("**/login**")
    sign_in_again(carol, product)
    admin.get_by_role("button", name="Disable").click()

    carol.wait_for_url("**/login**")
    expect(admin.get_by_role("button", name="Enable")).to_be_visible()
    admin.get_by_role("button", name="Delete …").click()
    form = admin.get_by_role("dialog", name="Delete carol")
    expect(form).to_contain_text("This goes: 0 chats")
    form.get_by_role("button", name="Delete for good").click()
    expect(form.get_by_role("alert")).to_contain_text("Type the name exactly")
    form.get_by_label("Type carol to confirm").fill("carol")
    form.get_by_role("button", name="Delete for good").click()
    expect(admin.get_by_text("carol is deleted.").first).to_be_visible()
    admin.go_back()
    expect(admin.get_by_text("Nothing matches. Change the search or the filters.")).to_be_visible()


def sign_in_again(page: Page, product: Product) -> None:
    """Sign in with the password that was chosen behind the link."""
    page.get_by_label("Username").fill("carol")
    page.get_by_label("Password").fill("a quiet walk by the sea")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()
