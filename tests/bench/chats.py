"""What a long chat costs beside a short one: opening it, changing to it, asking in it, reading back in it."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from llm_ui.db import Database
from llm_ui.kit.ids import ChatId, UserId
from tests.bench.figures import Line, both, ms, percentile, ratio
from tests.bench.pages import first_characters
from tests.bench.rendering import PART
from tests.bench.seeding import add_chats
from tests.browser.conftest import ARGUMENTS, CHROMIUM, pick_model, sign_in
from tests.product import FakeProvider, Product, running

LONG, SHORT = 10_000, 50
ROUNDS = 20
WITH_CODE = 10
"""Every so-manieth message is a page of Markdown with code and a table; the others are a paragraph."""

# Measured in the page itself: until the frame in which the chat's last message is there, and until one can write. From
# within, for a page that starts answers nobody from outside.
OPENING = """
const last = /Message (49 of 50|9999 of 10000)[.]/
function look() {
  const opened = (window.opened ??= {})
  const now = performance.now()
  if (last.test(document.getElementById("messages")?.textContent)) opened.readable ??= now
  if (document.getElementById("message")?.disabled === false) opened.writable ??= now
  if (!opened.readable || !opened.writable) requestAnimationFrame(look)
}
look()"""
SETTLE_MS = 300
"""Until a page that was opened has told all that it does not need at once."""
CHANGE = """([path, last]) => new Promise((resolve) => {
  const messages = document.getElementById("messages")
  const link = Object.assign(document.createElement("a"), { href: path })
  link.dataset.path = path
  document.body.append(link)
  const began = performance.now()
  new MutationObserver((_, observer) => {
    if (!messages.textContent.includes(last)) return
    observer.disconnect()
    requestAnimationFrame(() => resolve(performance.now() - began))
  }).observe(messages, { childList: true, subtree: true, characterData: true })
  link.click()
  link.remove()
})"""
READ_BACK = """() => new Promise((resolve) => {
  const messages = document.getElementById("messages")
  const before = messages.childElementCount
  const began = performance.now()
  new MutationObserver((_, observer) => {
    if (messages.childElementCount < before + 40) return
    observer.disconnect()
    requestAnimationFrame(() => resolve(performance.now() - began))
  }).observe(messages, { childList: true })
  document.getElementById("scroll").scrollTop = 0
})"""


def measure(folder: Path) -> list[Line]:
    """Measure with a real Chromium on the real product."""
    provider = FakeProvider(json.dumps({"pieces": 3, "delay_ms": 0}))
    product = Product(folder / "data")
    product.add_person("ann")
    product.add_provider("instant", provider.url, "instant")
    user_id, _ = product.sign_in("ann")
    chats = asyncio.run(_seed(product, user_id))
    try:
        with running(product), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            lines = _measure(product, chats, browser)
            browser.close()
            return lines
    finally:
        provider.stop()


async def _seed(product: Product, user_id: UserId) -> dict[int, ChatId]:
    database = Database.open(product.config)
    try:
        return {
            size: (await add_chats(database, user_id, [size], lambda number, size=size: _said(number, size)))[0]
            for size in (SHORT, LONG)
        }
    finally:
        await database.close()


def _said(number: int, size: int) -> str:
    body = PART.format(n=number) if number % WITH_CODE == 1 else "A paragraph with **some** `Markdown`. " * 6
    return f"{body}\n\n{_mark(number, size)}"


def _mark(number: int, size: int) -> str:
    return f"Message {number} of {size}."


def _measure(product: Product, chats: dict[int, ChatId], browser: Browser) -> list[Line]:
    page = browser.new_context().new_page()
    page.add_init_script(OPENING)
    sign_in(page, product, "ann")
    bench = Bench(page, product.url, chats)
    return [
        *bench.open(),
        _line("change to a chat of 10,000 from another (raw: to one of 50)", bench.change_to, "200 ms, ratio 1.2"),
        _line("Enter → first character in a chat of 10,000 (raw: of 50)", bench.ask_in, "20 ms"),
        bench.read_back(),
    ]


def _line(what: str, measure_in: Callable[[int], list[float]], budget: str) -> Line:
    raw, ours = measure_in(SHORT), measure_in(LONG)
    return _compared(what, raw, ours, budget)


def _compared(what: str, raw: list[float], ours: list[float], budget: str) -> Line:
    return f"{what}, p50 / p95", both(ours), both(raw), ratio(percentile(ours, 0.5), percentile(raw, 0.5)), budget


@dataclass
class Bench:
    """A page of somebody who has a long chat and a short one. Sizes name them; all times are seconds."""

    page: Page
    url: str
    chats: dict[int, ChatId]

    def open(self) -> list[Line]:
        """Load the pages of the chats, until they can be read and until one can write."""
        loads = {size: [self._load(size) for _ in range(1 + ROUNDS)][1:] for size in (SHORT, LONG)}
        (raw, raw_writable), (ours, ours_writable) = (
            map(list, zip(*loads[size], strict=True)) for size in (SHORT, LONG)
        )
        what = "open a chat of 10,000 messages by its address (raw: one of 50)"
        return [
            _compared(what, raw, ours, "200 ms, ratio 1.2"),
            _compared("… until one can write in it", raw_writable, ours_writable, ""),
        ]

    def change_to(self, size: int) -> list[float]:
        """Change to the chat from the other one, on the same page."""
        other = SHORT + LONG - size
        self._load(other)
        times = []
        for _ in range(ROUNDS):
            times.append(self._change(size))
            self._change(other)
        return times

    def ask_in(self, size: int) -> list[float]:
        """Ask in the chat, again and again."""
        self._load(size)
        pick_model(self.page, "instant")
        return first_characters(self.page, ROUNDS)

    def read_back(self) -> Line:
        """Scroll up in the long chat, one page of older messages after the other; the raw path is the first of them."""
        self._load(LONG)
        times = [float(self.page.evaluate(READ_BACK)) / 1000 for _ in range(ROUNDS)]
        what = "scroll up → 50 older messages are there (raw: the first ones), p50 / p95"
        return what, both(times), ms(times[0]), ratio(percentile(times, 0.5), times[0]), "200 ms"

    def _load(self, size: int) -> tuple[float, float]:
        """Return the seconds until the chat can be read, and until one can write in it."""
        self.page.goto(f"{self.url}/c/{self.chats[size]}")
        self.page.wait_for_function("() => window.opened?.readable && window.opened.writable")
        self.page.wait_for_timeout(SETTLE_MS)
        opened = self.page.evaluate("window.opened")
        return opened["readable"] / 1000, opened["writable"] / 1000

    def _change(self, size: int) -> float:
        return float(self.page.evaluate(CHANGE, [f"/c/{self.chats[size]}", _mark(size - 1, size)])) / 1000
