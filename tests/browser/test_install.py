"""Installed like a program: the manifest, the icons, and a page of its own when the server cannot be reached."""

import json
from collections.abc import Iterator
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watch, ask, sign_in
from tests.product import Product, running

SERVER_IS_GONE = {"ERR_CONNECTION_REFUSED", "ERR_INTERNET_DISCONNECTED", "WebSocket", "ebsocket"}


@pytest.fixture
def own_product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product that only this test stops."""
    product = Product(tmp_path_factory.mktemp("own") / "data")
    product.add_person("ada", "admin")
    with running(product):
        yield product


def service_worker_is_active(page: Page) -> None:
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")


def test_it_can_be_installed(page: Page, product: Product) -> None:
    sign_in(page, product, "ada")
    service_worker_is_active(page)
    chromium = page.context.new_cdp_session(page)

    errors = chromium.send("Page.getInstallabilityErrors")["installabilityErrors"]
    # The only one is the test's own: its browsers are incognito, where nothing is installed.
    assert [error["errorId"] for error in errors] in ([], ["in-incognito"])
    found = chromium.send("Page.getAppManifest")
    manifest = json.loads(found["data"])
    assert found["errors"] == []
    assert (manifest["display"], manifest["start_url"]) == ("standalone", "/")
    for icon in manifest["icons"]:
        url = urljoin(found["url"], icon["src"])
        size = page.evaluate("async (url) => { const image = new Image(); image.src = url; await image.decode(); "
            "return `${image.naturalWidth}x${image.naturalHeight}` }", url)  # fmt: skip
        assert icon["sizes"] in (size, "any"), url


def test_only_the_page_without_a_connection_is_kept(page: Page, product: Product) -> None:
    sign_in(page, product, "ada")
    service_worker_is_active(page)
    ask(page, "A secret of mine")
    expect(page.get_by_role("button", name="Edit answer").last).to_be_visible()
    page.reload()

    kept = page.evaluate("""async () => {
      const found = []
      for (const name of await caches.keys()) {
        for (const request of await (await caches.open(name)).keys()) found.push(new URL(request.url).pathname)
      }
      return found
    }""")
    assert kept[0] == "/offline"
    assert sorted(path.rpartition("/")[2] for path in kept[1:]) == [
        "icon.svg", "look.js", "offline.js", "plain.css", "theme.css", "theme.js",
    ]  # fmt: skip


def test_without_a_server_a_page_says_so_and_goes_on_when_it_is_back(
    page: Page, own_product: Product, watch: Watch
) -> None:
    watch.allowed |= SERVER_IS_GONE
    sign_in(page, own_product, "ada")
    service_worker_is_active(page)
    page.goto(f"{own_product.url}/account")

    own_product.stop()
    page.goto(f"{own_product.url}/account")
    expect(page.get_by_role("heading", name="The server cannot be reached")).to_be_visible()
    assert page.locator("main").bounding_box() is not None
    own_product.start()

    expect(page.get_by_role("heading", name="Your account")).to_be_visible(timeout=30_000)
