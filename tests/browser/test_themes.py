"""Light, dark, as the system says: chosen in the browser, there before the first paint, on every page."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Watch, ask, pick_model, sign_in
from tests.browser.test_admin import open_admin
from tests.product import Product

AT_FIRST_PAINT = """new MutationObserver((_, observer) => {
  if (!document.body) return
  observer.disconnect()
  window.atFirst = document.documentElement.dataset.theme ?? "none"
}).observe(document, { childList: true, subtree: true })"""
"""Notes the theme when the body begins: nothing was painted before."""
SHOWN = """() => ({
  background: getComputedStyle(document.body).backgroundColor,
  scheme: getComputedStyle(document.documentElement).colorScheme,
  bar: [...document.querySelectorAll("meta[name=theme-color]")].find(({ media }) => matchMedia(media).matches).content,
})"""
MOVING = """() => {
  const found = []
  const look = (root) => {
    for (const node of root.querySelectorAll("*")) {
      if (node.shadowRoot) look(node.shadowRoot)
      if (!node.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue
      const { transitionDuration, animationName } = getComputedStyle(node)
      const isLively = animationName !== "none" || transitionDuration.split(", ").some((each) => parseFloat(each) > 0)
      if (isLively) found.push(node.outerHTML.slice(0, 120))
    }
  }
  look(document)
  return found
}"""
"""What would move, also inside the components' own roots."""


def brightness(page: Page) -> float:
    red, green, blue = page.evaluate("() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    return (red + green + blue) / 3


def test_a_theme_is_chosen_before_signing_in_and_holds_on_all_pages(page: Page, product: Product, watch: Watch) -> None:
    watch.allowed.add("404 (Not Found)")
    page.add_init_script(AT_FIRST_PAINT)
    page.goto(f"{product.url}/login")
    assert brightness(page) > 200
    page.get_by_role("button", name="Dark").click()
    assert brightness(page) < 60

    sign_in(page, product, "ada")
    for path in ("/", "/account", "/register", "/admin/settings", "/s/nowhere", "/nowhere"):
        page.goto(f"{product.url}{path}")
        shown = page.evaluate(SHOWN)
        assert page.evaluate("window.atFirst") == "dark", path
        assert (shown["scheme"], shown["bar"]) == ("dark", "#17181c"), path
        assert brightness(page) < 60, path


def test_the_theme_in_the_account_menu_reaches_other_tabs(
    new_context: Callable[..., BrowserContext], product: Product
) -> None:
    context = new_context(color_scheme="dark")
    page, other = context.new_page(), context.new_page()
    other.goto(f"{product.url}/login")
    assert brightness(other) < 60
    sign_in(page, product, "bob")

    page.get_by_label("Account menu of bob").click()
    page.get_by_role("button", name="Light").click()

    expect(page.get_by_role("button", name="Light")).to_have_attribute("aria-pressed", "true")
    assert page.evaluate(SHOWN) == {"background": "rgb(255, 255, 255)", "scheme": "light", "bar": "#ffffff"}
    expect(other.get_by_role("button", name="Light")).to_have_attribute("aria-pressed", "true")
    assert brightness(other) > 200
    page.get_by_role("button", name="System").click()
    assert page.evaluate(SHOWN)["scheme"] == "dark"


def test_nothing_moves_for_whoever_wants_no_motion(
    new_context: Callable[..., BrowserContext], product: Product
) -> None:
    still = new_context(reduced_motion="reduce").new_page()
    lively = new_context().new_page()
    for page in (still, lively):
        sign_in(page, product, "ada")
        pick_model(page, "slow-words")
        ask(page, "Say something slowly")
        expect(page.get_by_role("button", name="Stop")).to_be_visible()

    assert lively.evaluate(MOVING) != []
    assert still.evaluate(MOVING) == []
    open_admin(still, product, "Settings")
    assert still.evaluate(MOVING) == []


def test_the_colours_of_the_system_keep_things_apart(
    new_context: Callable[..., BrowserContext], product: Product
) -> None:
    page = new_context(forced_colors="active").new_page()
    sign_in(page, product, "bob")
    page.get_by_label("Account menu of bob").click()

    style = "(node) => [getComputedStyle(node).backgroundColor, getComputedStyle(node).borderTopWidth]"
    pressed = page.get_by_role("button", name="System").evaluate(style)
    other = page.get_by_role("button", name="Light").evaluate(style)
    assert pressed[0] != other[0]
    assert other[1] == "1px"


@pytest.mark.parametrize("width", [1280, 1920, 2560])
def test_pages_are_composed_on_wide_screens(
    new_context: Callable[..., BrowserContext], product: Product, width: int
) -> None:
    page = new_context(viewport={"width": width, "height": 1000}).new_page()
    sign_in(page, product, "ada")
    middles = {"#composer": page.locator("#composer").bounding_box()}
    open_admin(page, product, "Models")
    middles[".admin"] = page.locator(".admin").bounding_box()

    stage = page.locator("#main").bounding_box()
    assert stage is not None
    for place, box in middles.items():
        assert box is not None, place
        left, right = box["x"] - stage["x"], stage["x"] + stage["width"] - box["x"] - box["width"]
        assert width < 1800 or abs(left - right) < 20, place
        assert min(left, right) >= 0, place
