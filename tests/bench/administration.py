"""What an administrator waits for: each page of the administration until something is drawn, and until it is all there.

Over the calls of `llm-ui demo-data`; the raw path is the product's own page without scripts, that of an address that
does not exist.
"""

from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from llm_ui.app.gate import ADMIN_PAGES
from tests.bench.figures import Line, both, memory_mb, ms, percentile, ratio
from tests.browser.conftest import ARGUMENTS, CHROMIUM, sign_in
from tests.product import Product, running

ROUNDS = 3
KEPT_OPEN = ("usage", "overview", "users", "audit", "models")
QUIET_MS = 150
"""What has not changed for so long is all there."""
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
# Until nothing changes below the heading any more: when the last change was.
SETTLED = f"""() => new Promise((resolve) => {{
  let last = performance.now()
  new MutationObserver(() => {{ last = performance.now() }})
    .observe(document.body, {{ childList: true, subtree: true, characterData: true }})
  const look = () => performance.now() - last > {QUIET_MS} ? resolve(last) : setTimeout(look, 20)
  look()
}})"""


def measure(folder: Path) -> list[Line]:
    """Measure with a real Chromium on the real product."""
    product = Product(folder / "data")
    product.add_person("ada", "admin")
    product.command("demo-data", "--yes")
    with running(product), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        lines = _measure(product, browser)
        browser.close()
        return lines


def _measure(product: Product, browser: Browser) -> list[Line]:
    page = browser.new_context().new_page()
    sign_in(page, product, "ada")
    # First: later there is room that closed pages have left.
    memory = _memory(page, product)
    took: dict[str, list[tuple[float, float]]] = {}
    for _ in range(1 + ROUNDS):
        for name in ADMIN_PAGES:
            took.setdefault(name, []).append(_opened(page, f"{product.url}/admin/{name}"))
    # The first round fills the browser's cache.
    rounds = {name: found[1:] for name, found in took.items()}
    raw, _ = _opened(page, f"{product.url}/nothing/here")
    slowest = max(rounds, key=lambda name: percentile([whole for _, whole in rounds[name]], 0.5))
    paints = [first for found in rounds.values() for first, _ in found]
    wholes = [whole for found in rounds.values() for _, whole in found]
    paint = percentile(paints, 0.5)
    return [
        ("administration: first paint of a page, p50 / p95", both(paints), ms(raw), ratio(paint, raw), "1 s"),
        ("administration: a page is all there, p50 / p95", both(wholes), "", "", ""),
        (f"… of the slowest, {slowest}", both([whole for _, whole in rounds[slowest]]), "", "", ""),
        memory,
    ]


def _opened(page: Page, address: str) -> tuple[float, float]:
    """Return the seconds from the request to the first paint, and to the last change of the page."""
    page.goto(address)
    page.get_by_role("heading", level=1).wait_for()
    settled: float = page.evaluate(SETTLED)
    painted: float = page.evaluate(PAINTED)
    return painted / 1000, settled / 1000


def _memory(page: Page, product: Product) -> Line:
    pages = [product.child("llm_ui.app")]
    for name in KEPT_OPEN:
        # Modules, templates and figures that all pages share.
        _opened(page, f"{product.url}/admin/{name}")
    before = memory_mb(pages)
    for name in KEPT_OPEN * 2:
        _opened(page.context.new_page(), f"{product.url}/admin/{name}")
    each = (memory_mb(pages) - before) / (2 * len(KEPT_OPEN))
    return "administration: memory of an open page on the server", f"{each:.2f} MB", "", "", "8 MB"
