"""A key of the API, from the account menu to a script's answer, and to its end."""

import openai
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.product import Product


def test_a_person_makes_a_key_asks_with_it_and_revokes_it(page: Page, product: Product) -> None:
    sign_in(page, product, "bob")
    page.get_by_label("Account menu of bob").click()
    page.get_by_role("link", name="API keys").click()
    page.get_by_label("Name").fill("nightly report")
    page.get_by_role("button", name="Make the key").click()
    token = page.get_by_label("New key").input_value()
    base_url = page.locator("p code", has_text="/v1").inner_text()

    with openai.OpenAI(base_url=base_url, api_key=token, max_retries=0) as script:
        answer = script.chat.completions.create(
            model="demo", messages=[{"role": "user", "content": "What is 47 * 89?"}]
        )
        assert "4,183" in str(answer.choices[0].message.content)

        page.goto(f"{product.url}/keys")
        expect(page.get_by_text("last used")).to_be_visible()
        assert token not in page.content()
        page.get_by_label("Change nightly report").click()
        page.get_by_role("button", name="Revoke").click()
        expect(page.get_by_role("status")).to_contain_text("revoked")
        with pytest.raises(openai.AuthenticationError):
            script.models.list()

    expect(page.get_by_text("There is none yet")).to_be_visible()
