"""A team's service account, from the owner who makes it to a script's answer, and to its end by an administrator."""

from collections.abc import Callable

import openai
import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import sign_in
from tests.browser.test_admin import row
from tests.browser.test_teams import begin_team
from tests.product import Product


def test_an_owner_makes_one_with_a_key_and_an_administrator_switches_it_off_and_deletes_it(
    new_context: Callable[..., BrowserContext], product: Product
) -> None:
    admin = new_context().new_page()
    begin_team(admin, product, "Astronomy")

    owner = new_context(viewport={"width": 390, "height": 844}).new_page()
    sign_in(owner, product, "bob")
    owner.goto(admin.url)
    owner.get_by_role("button", name="New service account").click()
    form = owner.get_by_role("dialog", name="New service account of Astronomy")
    form.get_by_label("Name").fill("a/b")
    form.get_by_label("Purpose").fill("Counts stars each night")
    form.get_by_role("button", name="Make it").click()
    expect(form).to_contain_text("A service account needs a name")
    form.get_by_label("Name").fill("star counter")
    form.get_by_role("button", name="Make it").click()
    expect(row(owner, "star counter")).to_contain_text("Counts stars each night")
    assert owner.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than the phone"
    owner.get_by_role("link", name="star counter").click()
    expect(owner.get_by_role("heading", name="Keys of Astronomy/star counter")).to_be_visible()
    owner.get_by_label("Name").fill("nightly")
    owner.get_by_role("button", name="Make the key").click()
    token = owner.get_by_label("New key").input_value()
    base_url = owner.locator("p code", has_text="/v1").inner_text()

    with openai.OpenAI(base_url=base_url, api_key=token, max_retries=0) as script:
        answer = script.chat.completions.create(
            model="demo", messages=[{"role": "user", "content": "What is 47 * 89?"}]
        )
        assert "4,183" in str(answer.choices[0].message.content)

        admin.reload()
        admin.get_by_role("button", name="Switch off star counter").click()
        expect(row(admin, "star counter")).to_contain_text("Switched off")
        with pytest.raises(openai.AuthenticationError):
            script.models.list()
    owner.get_by_role("link", name="Back to the team Astronomy").click()
    expect(owner.get_by_role("button", name="Switch on star counter")).to_be_visible()

    admin.get_by_role("button", name="Delete … star counter").click()
    form = admin.get_by_role("dialog", name="Delete Astronomy/star counter")
    form.get_by_role("button", name="Delete for good").click()
    expect(form).to_contain_text("Type the name exactly")
    form.get_by_label("Type star counter to confirm").fill("star counter")
    form.get_by_role("button", name="Delete for good").click()
    expect(admin.get_by_text("There is none. Scripts of the team")).to_be_visible()
