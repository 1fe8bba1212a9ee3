"""What a person sees: from Enter to the first character and the last, memory of a page, long chats."""

import itertools
import json
import sqlite3
import time
from pathlib import Path

import httpx2
from playwright.sync_api import Browser, Page, sync_playwright

from tests.bench.figures import Line, cpu_s, memory_mb, ms, percentile, ratio
from tests.browser.conftest import ARGUMENTS, CHROMIUM, pick_model, sign_in
from tests.product import FakeProvider, Product, running

SCRIPTS = {
    "instant": {"pieces": 3, "delay_ms": 0},
    "burst": {"pieces": 2_000, "delay_ms": 0},
    "paced": {"pieces": 300, "delay_ms": 10},
}
ROUNDS = 15
OPEN_PAGES = 10
LONG, SHORT = 10_000, 50

# Measured in the page itself: from the key to the frame in which the text is there.
WATCH = """(last) => {
  const box = document.getElementById("message")
  window.seen = new Promise((resolve) => {
    const marks = { began: performance.now(), first: 0, at: [] }
    const before = document.querySelectorAll("article.answer").length
    new MutationObserver((_, observer) => {
      const answers = document.querySelectorAll("article.answer")
      const text = answers.length > before ? answers[answers.length - 1].querySelector(".body").textContent : ""
      if (!text) return
      const now = performance.now()
      marks.first ||= now
      marks.at.push(now)
      if (text.includes(last)) { observer.disconnect(); resolve(marks) }
    }).observe(document.getElementById("messages"), { childList: true, subtree: true, characterData: true })
  })
  box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }))
}"""


def measure(folder: Path) -> list[Line]:
    """Measure with a real Chromium on the real product."""
    providers = {name: FakeProvider(json.dumps(script)) for name, script in SCRIPTS.items()}
    product = Product(folder / "data")
    product.add_person("ann")
    for name, provider in providers.items():
        product.command(
            "providers",
            "add",
            name,
            "--type",
            "openai",
            "--url",
            provider.url,
            "--key-stdin",
            "--model",
            name,
            text="k",
        )
    try:
        with running(product), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            lines = _measure(product, providers, browser)
            browser.close()
            return lines
    finally:
        for provider in providers.values():
            provider.stop()


def _measure(product: Product, providers: dict[str, FakeProvider], browser: Browser) -> list[Line]:
    page = browser.new_context().new_page()
    sign_in(page, product, "ann")
    lines = [_first_character(page, providers["instant"]), *_burst(page, product, providers["burst"]), _gaps(page)]
    lines.append(_memory(page, product))
    lines.append(_long_chat(page, product))
    return lines


def _ask(page: Page, last: str) -> dict[str, object]:
    page.get_by_role("textbox", name="Message").fill("go")
    page.evaluate(WATCH, last)
    marks: dict[str, object] = page.evaluate("window.seen")
    page.get_by_role("button", name="Send").wait_for()
    return marks


def _span(marks: dict[str, object], name: str) -> float:
    at = marks["at"]
    end = marks["first"] if name == "first" else at[-1] if isinstance(at, list) else 0
    return (float(str(end)) - float(str(marks["began"]))) / 1000


def _direct(provider: FakeProvider, rounds: int) -> tuple[float, float]:
    """Return the median seconds to the first piece and to the end of the provider's own stream."""
    body = {"model": "fake", "stream": True, "messages": [{"role": "user", "content": "go"}]}
    firsts, lasts = [], []
    with httpx2.Client(trust_env=False, timeout=30) as http:
        for _ in range(rounds):
            began, first = time.perf_counter(), 0.0
            with http.sse(f"{provider.url}/chat/completions", method="POST", json=body) as events:
                for _ in events:
                    first = first or time.perf_counter() - began
            firsts.append(first)
            lasts.append(time.perf_counter() - began)
    return percentile(firsts, 0.5), percentile(lasts, 0.5)


def _first_character(page: Page, provider: FakeProvider) -> Line:
    pick_model(page, "instant")
    _ask(page, "w2")
    ours = percentile([_span(_ask(page, "w2"), "first") for _ in range(ROUNDS)], 0.5)
    raw, _ = _direct(provider, ROUNDS)
    return "Enter → first character on the page, median", ms(ours), ms(raw), ratio(ours, raw), "20 ms"


def _burst(page: Page, product: Product, provider: FakeProvider) -> list[Line]:
    page.get_by_role("button", name="New chat").first.click()
    pick_model(page, "burst")
    before = cpu_s(product.processes())
    spans = [_span(_ask(page, "w1999"), "last") for _ in range(5)]
    cpu = (cpu_s(product.processes()) - before) / 5
    _, raw = _direct(provider, 5)
    ours = percentile(spans, 0.5)
    return [
        ("2,000 tokens at once, Enter → last on the page", ms(ours), ms(raw), ratio(ours, raw), "120 ms"),
        ("… CPU of all our processes", f"{cpu:.2f} s", "", "", "0.15 s"),
    ]


def _gaps(page: Page) -> Line:
    page.get_by_role("button", name="New chat").first.click()
    pick_model(page, "paced")
    at = _ask(page, "w299")["at"]
    assert isinstance(at, list)
    gaps = [(later - earlier) / 1000 for earlier, later in itertools.pairwise(at)]
    pace_s = SCRIPTS["paced"]["delay_ms"] / 1000
    return "100 tokens/s, longest gap on the page", ms(max(gaps)), ms(pace_s), ratio(max(gaps), pace_s), "60 ms"


def _memory(page: Page, product: Product) -> Line:
    pages = [product.child("llm_ui.app")]
    before = memory_mb(pages)
    opened = [page.context.new_page() for _ in range(OPEN_PAGES)]
    for one in opened:
        one.goto(product.url)
        one.locator("#message:enabled").wait_for()
    each = (memory_mb(pages) - before) / OPEN_PAGES
    for one in opened:
        one.close()
    return "memory of an open chat page on the server", f"{each:.2f} MB", "", "", "0.8 MB"


def _long_chat(page: Page, product: Product) -> Line:
    times = {}
    for count in (SHORT, LONG):
        path = f"/c/{_seed_chat(product, count)}"
        page.goto(product.url)
        page.locator("#message:enabled").wait_for()
        spans = []
        for _ in range(5):
            page.evaluate("document.querySelector('#messages').replaceChildren()")
            began = time.perf_counter()
            page.evaluate(
                "(path) => { const a = document.createElement('a'); a.href = path; a.dataset.path = path;"
                " document.body.append(a); a.click(); a.remove() }",
                path,
            )
            page.get_by_text(f"Answer {count - 1} ", exact=False).first.wait_for()
            spans.append(time.perf_counter() - began)
            page.get_by_role("button", name="New chat").first.click()
            page.locator("#start").wait_for()
        times[count] = percentile(spans, 0.5)
    ours, short = times[LONG], times[SHORT]
    return (
        "open a chat of 10,000 messages (raw: one of 50)",
        ms(ours),
        ms(short),
        ratio(ours, short),
        "200 ms, ratio 1.2",
    )


def _seed_chat(product: Product, count: int) -> str:
    """Write a chat of so many messages straight into the database; return its id."""
    chat = f"{count:032x}"
    stamp = "2026-01-01 00:00:00.000000"
    with sqlite3.connect(product.folder / "llm-ui.db") as connection:
        (user,) = connection.execute("SELECT id FROM users").fetchone()
        leaf = f"{count * 100_000 + count - 1:032x}"
        connection.execute(
            "INSERT INTO chat_histories (id, user_id, title, is_title_automatic, next_position, active_leaf_id,"
            " last_message_at, created_at, updated_at) VALUES (?, ?, 'Long', 1, ?, ?, ?, ?, ?)",
            [chat, user, count, leaf, stamp, stamp, stamp],
        )
        connection.executemany(
            "INSERT INTO chat_messages (id, chat_id, parent_id, position, role, status, text, reasoning, created_at,"
            " updated_at) VALUES (?, ?, ?, ?, ?, 'complete', ?, '', ?, ?)",
            [
                (
                    f"{count * 100_000 + n:032x}",
                    chat,
                    f"{count * 100_000 + n - 1:032x}" if n else None,
                    n,
                    "assistant" if n % 2 else "user",
                    f"Answer {n} with **some** `Markdown` in it." if n % 2 else f"Question {n}?",
                    stamp,
                    stamp,
                )
                for n in range(count)
            ],
        )
    connection.close()
    return f"{chat[:8]}-{chat[8:12]}-{chat[12:16]}-{chat[16:20]}-{chat[20:]}"
