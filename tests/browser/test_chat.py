"""Chatting, as a person does it."""

import re
from collections.abc import Callable

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import DESKTOP, Watch, ask, new_chat, pick_model, sign_in
from tests.product import Product

DEMO_ANSWER = re.compile(r"4,?183")
ANSWER_LIMIT_MS = 20_000


def answers(page: Page) -> Locator:
    """The answers on the page."""
    return page.get_by_role("article", name=re.compile("^Assistant"))


def questions(page: Page) -> Locator:
    """The questions on the page."""
    return page.get_by_role("article", name=re.compile("^You"))


def words(text: str) -> list[int]:
    """The numbers of the slow model's numbered words, in the order shown."""
    return [int(number) for number in re.findall(r"\bw(\d+)\b", text)]


def test_a_question_is_answered_and_found_again(page: Page, product: Product) -> None:
    sign_in(page, product, "bob")

    ask(page, "What is 47 * 89?")

    expect(questions(page).last).to_contain_text("47 * 89")
    expect(answers(page).last).to_contain_text(DEMO_ANSWER)


def test_closing_the_tab_loses_nothing(new_context: Callable[..., BrowserContext], product: Product) -> None:
    context = new_context()
    page = context.new_page()
    sign_in(page, product, "bob")
    pick_model(page, "slow-words")
    ask(page, "Talk while I am away")
    expect(answers(page).last).to_contain_text("w3")
    address = page.url
    page.close()

    again = context.new_page()
    again.goto(address)

    expect(questions(again).last).to_contain_text("Talk while I am away")
    expect(answers(again).last).to_contain_text("w119", timeout=ANSWER_LIMIT_MS)
    assert words(answers(again).last.inner_text()) == list(range(120))


def test_a_reload_in_mid_stream_shows_every_word_once(page: Page, product: Product) -> None:
    sign_in(page, product, "bob")
    pick_model(page, "slow-words")
    ask(page, "Say many words")
    expect(answers(page).last).to_contain_text("w5")

    page.reload()

    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(answers(page).last).to_contain_text("w119", timeout=ANSWER_LIMIT_MS)
    assert words(answers(page).last.inner_text()) == list(range(120))
    expect(page.get_by_role("button", name="Send")).to_be_visible()


def test_two_tabs_show_the_same_answer(new_context: Callable[..., BrowserContext], product: Product) -> None:
    context = new_context()
    first = context.new_page()
    sign_in(first, product, "bob")
    pick_model(first, "slow-words")
    ask(first, "Begin")
    expect(answers(first).last).to_contain_text("w1")
    second = context.new_page()
    second.goto(first.url)
    for tab in (first, second):
        expect(answers(tab).last).to_contain_text("w119", timeout=ANSWER_LIMIT_MS)
        assert words(answers(tab).last.inner_text()) == list(range(120))

    ask(second, "And once more")

    expect(questions(first).last).to_contain_text("And once more")
    for tab in (first, second):
        expect(answers(tab)).to_have_count(2)
        expect(answers(tab).last).to_contain_text("w119", timeout=ANSWER_LIMIT_MS)
        assert words(answers(tab).last.inner_text()) == list(range(120))


def test_stop_keeps_what_was_said(page: Page, product: Product) -> None:
    sign_in(page, product, "bob")
    pick_model(page, "slow-words")
    ask(page, "Talk")
    expect(answers(page).last).to_contain_text("w5")

    page.get_by_role("button", name="Stop").click()

    expect(page.get_by_role("button", name="Send")).to_be_visible()
    said = words(answers(page).last.inner_text())
    assert said == list(range(len(said)))
    assert 5 < len(said) < 120
    page.reload()
    expect(answers(page).last).to_contain_text(f"w{said[-1]}")
    assert words(answers(page).last.inner_text()) == said


def test_regenerate_asks_the_same_question_again(page: Page, product: Product) -> None:
    sign_in(page, product, "bob")
    ask(page, "What is 12 * 12?")
    expect(answers(page).last).to_contain_text("144")

    answers(page).last.hover()
    answers(page).last.get_by_role("button", name="Regenerate").click()

    expect(answers(page)).to_have_count(1)
    expect(answers(page).last).to_contain_text("144")
    expect(questions(page)).to_have_count(1)


def test_switching_the_model_leaves_a_note(page: Page, product: Product) -> None:
    sign_in(page, product, "bob")
    ask(page, "What is 2 + 3?")
    expect(answers(page).last).to_contain_text("5")

    pick_model(page, "slow-words")
    ask(page, "And now slowly")

    expect(page.get_by_role("log")).to_contain_text(re.compile("slow-words"))
    expect(answers(page).last).to_contain_text("w2")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Send")).to_be_visible()


def test_chats_get_titles_and_can_be_left_and_opened(page: Page, product: Product) -> None:
    sign_in(page, product, "bob")
    ask(page, "Which tables does a heron keep?")
    expect(answers(page).last).to_be_visible()

    page.get_by_role("button", name="New chat").first.click()
    expect(answers(page)).to_have_count(0)
    page.get_by_role("navigation").get_by_text("Which tables does a heron keep?").first.click()

    expect(questions(page).last).to_contain_text("heron")
    page.go_back()
    expect(answers(page)).to_have_count(0)


def test_what_is_sent_right_after_a_click_goes_to_where_one_went(page: Page, product: Product) -> None:
    sign_in(page, product, "bob")
    ask(page, "What is 2 + 3?")
    expect(answers(page).last).to_contain_text("5")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    old = page.url

    # All in one go, before the server has answered the click.
    page.evaluate(
        """() => {
          document.getElementById("new-chat").click()
          const box = document.getElementById("message")
          box.value = "To the new chat"
          box.dispatchEvent(new Event("input"))
          box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }))
        }"""
    )

    expect(questions(page)).to_have_text(["To the new chat"])
    expect(page).to_have_url(re.compile("/c/"))
    assert page.url != old
    page.goto(old)
    expect(questions(page)).to_have_text(["What is 2 + 3?"])


def test_a_new_chat_begins_before_the_scripts_are_there(page: Page, product: Product) -> None:
    sign_in(page, product, "bob")
    ask(page, "What is 2 + 3?")
    expect(answers(page).last).to_contain_text("5")
    old = page.url
    page.route("**/chat_view.js*", lambda _: None)
    page.goto(old, wait_until="commit")

    page.get_by_role("button", name="New chat").click(no_wait_after=True)
    page.unroute("**/chat_view.js*")

    expect(page.get_by_role("heading", name="What is on your mind?")).to_be_visible()
    expect(page).not_to_have_url(old)


SHIFTS = """
    window.shifts = []
    new PerformanceObserver((list) => {
      for (const { value, sources } of list.getEntries()) {
        window.shifts.push([value, ...sources.map(({ node }) => node?.id)])
      }
    }).observe({ type: "layout-shift", buffered: true })
"""


def test_nothing_moves_while_a_page_opens(page: Page, product: Product) -> None:
    page.add_init_script(SHIFTS)
    sign_in(page, product, "ada")
    page.goto(product.url)
    message = page.get_by_role("textbox", name="Message")
    for size in ({"width": 390, "height": 780}, DESKTOP):
        page.set_viewport_size(size)
        page.reload()
        expect(message).to_be_enabled()
        expect(page.get_by_role("button", name="Attach files")).to_be_visible()

        shifts = page.evaluate("window.shifts")

        # A tenth is what the Web Vitals call good; the composer that moved to the middle was more.
        assert sum(value for value, *_ in shifts) < 0.02, shifts


def test_a_lost_socket_comes_back_with_the_draft(page: Page, product: Product, watch: Watch) -> None:
    watch.allowed |= {
        "ERR_CONNECTION_REFUSED",
        "WebSocket",
        "websocket",
        "Failed to load resource",
        "Lost",
        "ERR_",
        "[bokeh",
    }
    sign_in(page, product, "bob")
    page.get_by_role("textbox", name="Message").fill("not sent yet")

    product.child("llm_ui.app").kill()
    product.wait_ready()

    expect(page.get_by_role("textbox", name="Message")).to_have_value("not sent yet")
    page.get_by_role("textbox", name="Message").fill("What is 6 * 7?")
    page.get_by_role("textbox", name="Message").press("Enter")
    expect(answers(page).last).to_contain_text("42", timeout=30_000)
    expect(questions(page)).to_have_count(1)


def test_a_draft_is_there_after_the_browser_and_the_server_were_closed(
    new_context: Callable[..., BrowserContext], product: Product, watch: Watch
) -> None:
    watch.allowed |= {"ERR_", "WebSocket", "websocket", "Failed to load resource", "Lost", "[bokeh"}
    context = new_context()
    page = context.new_page()
    sign_in(page, product, "bob")
    new_chat(page)
    page.get_by_role("textbox", name="Message").fill("half a thought")
    page.close()

    assert product.stop() == 0
    product.start()

    page = context.new_page()
    sign_in(page, product, "bob")
    expect(page.get_by_role("textbox", name="Message")).to_have_value("half a thought")


def test_the_keyboard_alone_is_enough(page: Page, product: Product) -> None:
    page.goto(f"{product.url}/login")
    expect(page.get_by_label("Username")).to_be_focused()
    page.keyboard.type("bob")
    page.keyboard.press("Tab")
    page.keyboard.type("a long walk by the river")
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()

    page.keyboard.type("What is 5 * 5?")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("Just the number.")
    page.keyboard.press("Enter")

    expect(answers(page).last).to_contain_text("25")
    expect(questions(page).last).to_contain_text("Just the number.")
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()


def test_a_phone_shows_the_chat_and_the_drawer(new_context: Callable[..., BrowserContext], product: Product) -> None:
    page = new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True).new_page()
    sign_in(page, product, "bob")
    ask(page, "What is 9 * 9?")
    expect(answers(page).last).to_contain_text("81")

    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow == 0
    expect(page.get_by_role("button", name="New chat").first).not_to_be_in_viewport()
    page.get_by_role("button", name=re.compile("menu|sidebar|navigation", re.I)).first.click()
    expect(page.get_by_role("button", name="New chat").first).to_be_in_viewport()


def test_hostile_text_stays_text(page: Page, product: Product) -> None:
    sign_in(page, product, "bob")
    evil = '<img src=x onerror="window.fired=1"><script>window.fired=1</script>[x](javascript:window.fired=1)'

    ask(page, f"Summarise: {evil} is what they sent. It is a test of a page.")

    expect(questions(page).last).to_contain_text("onerror")
    expect(answers(page).last).to_be_visible()
    assert page.evaluate("window.fired") is None


def test_nothing_is_sent_when_the_box_is_empty(page: Page, product: Product) -> None:
    sign_in(page, product, "bob")

    ask(page, "   \n ")

    expect(questions(page)).to_have_count(0)
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()


def test_a_provider_that_is_down_is_told_and_can_be_retried(page: Page, product: Product) -> None:
    product.add_provider("Gone", "http://127.0.0.1:9/v1", "gone")
    sign_in(page, product, "bob")
    page.reload()
    pick_model(page, "gone")

    ask(page, "Anybody there?")

    expect(page.get_by_role("button", name="Retry")).to_be_visible(timeout=30_000)
    expect(questions(page).last).to_contain_text("Anybody there?")
    expect(answers(page).last).to_contain_text(re.compile("connect|reach|refused", re.I))
