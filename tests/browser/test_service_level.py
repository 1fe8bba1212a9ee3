"""What open pages say of models that do not answer, and that it goes away by itself."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import sign_in
from tests.product import Product


def fall(product: Product, *, is_down: bool) -> None:
    """Note of every provider but the demo what a probe would: that nobody could be reached, or that it answers."""
    at, long_ago = datetime.now(UTC), datetime.now(UTC) - timedelta(minutes=5)
    with product.connection() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO provider_health (provider_id, due_at, probed_at, fault, problem, down_since)"
            " SELECT id, ?, ?, ?, ?, ? FROM ai_providers WHERE kind <> 'demo'",
            [
                f"{at + timedelta(hours=1):%Y-%m-%d %H:%M:%S.%f}",
                f"{at:%Y-%m-%d %H:%M:%S.%f}",
                "connection_refused" if is_down else None,
                "Nobody answers at the provider's address." if is_down else None,
                f"{long_ago:%Y-%m-%d %H:%M:%S.%f}" if is_down else None,
            ],
        )


def test_open_pages_say_what_does_not_answer_and_what_answers_in_its_place(
    new_context: Callable[..., BrowserContext], product: Product
) -> None:
    page = new_context(viewport={"width": 390, "height": 844}).new_page()
    sign_in(page, product, "bob")
    condition, models = page.locator("#condition"), page.get_by_label("Model", exact=True)
    expect(condition).to_be_hidden()

    fall(product, is_down=True)
    expect(condition).to_have_text("No model can answer at the moment. It is tried again every 15 seconds.")
    expect(models.locator("option")).to_contain_text([re.compile("^Demo"), "slow-words (down)"])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than the phone"

    with product.connection() as connection:
        connection.execute(
            "INSERT INTO model_stand_ins (model_id, place, stand_in_id) SELECT model.id, 0, demo.id"
            " FROM ai_models model, ai_models demo WHERE model.name = 'slow-words' AND demo.name = 'demo'"
        )
    expect(condition).to_have_text("Other models answer in the place of slow-words at the moment.")
    expect(models.locator("option", has_text="slow-words (down, Demo")).to_have_count(1)
    again = page.context.new_page()
    sign_in(again, product, "bob")
    expect(again.locator("#condition")).to_contain_text("Other models answer")

    fall(product, is_down=False)
    expect(condition).to_be_hidden()
    expect(models.locator("option", has_text="down")).to_have_count(0)


def test_an_administrator_sees_since_when_a_provider_is_down_and_why(
    new_context: Callable[..., BrowserContext], product: Product
) -> None:
    page = new_context().new_page()
    fall(product, is_down=True)
    sign_in(page, product, "ada")
    page.goto(f"{product.url}/admin/providers")

    slow = page.get_by_role("row").filter(has_text="Slow")
    expect(slow).to_contain_text("Down")
    expect(slow).to_contain_text("Nobody answers at the provider's address.")
