"""What a person sees: from Enter to the first character and the last, memory of a page."""

import itertools
import json
import time
from pathlib import Path

import httpx2
from playwright.sync_api import Browser, Page, sync_playwright

from tests.bench.figures import Line, both, cpu_s, memory_mb, ms, percentile, ratio
from tests.browser.conftest import ARGUMENTS, CHROMIUM, pick_model, sign_in
from tests.product import FakeProvider, Product, running

SCRIPTS = {
    "instant": {"pieces": 3, "delay_ms": 0},
    "burst": {"pieces": 2_000, "delay_ms": 0},
    "paced": {"pieces": 300, "delay_ms": 10},
}
ROUNDS = 15
OPEN_PAGES = 10
REST_MS = 1_000
"""Between an answer's end and the next question: nobody reads and types in less."""

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
        product.add_provider(name, provider.url, name)
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
    return lines


def ask(page: Page, last: str) -> dict[str, object]:
    """Ask with Enter; return the moments in which the answer grew on the page, up to this text of it."""
    page.get_by_role("textbox", name="Message").fill("go")
    page.evaluate(WATCH, last)
    marks: dict[str, object] = page.evaluate("window.seen")
    page.get_by_role("button", name="Send").wait_for()
    return marks


def first_characters(page: Page, rounds: int) -> list[float]:
    """Ask so often; return the seconds from Enter to the first character."""
    times = []
    for _ in range(1 + rounds):
        page.wait_for_timeout(REST_MS)
        times.append(span(ask(page, "w2"), "first"))
    return times[1:]


def span(marks: dict[str, object], name: str) -> float:
    """Return the seconds from Enter to the first or the last of those moments."""
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
    ours = first_characters(page, ROUNDS)
    raw, _ = _direct(provider, ROUNDS)
    what = "Enter → first character on the page, p50 / p95"
    return what, both(ours), ms(raw), ratio(percentile(ours, 0.5), raw), "20 ms"


def _burst(page: Page, product: Product, provider: FakeProvider) -> list[Line]:
    page.get_by_role("button", name="New chat").first.click()
    pick_model(page, "burst")
    before = cpu_s(product.processes())
    spans = [span(ask(page, "w1999"), "last") for _ in range(5)]
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
    at = ask(page, "w299")["at"]
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
