"""The configuration as a file: taken along from one page, looked at and taken in on the same."""

import json
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.test_admin import row
from tests.product import PROVIDER_KEY, Product


def test_a_file_is_taken_along_changed_and_taken_in(page: Page, product: Product, tmp_path: Path) -> None:
    sign_in(page, product, "ada")
    page.goto(f"{product.url}/admin/configuration")
    with page.expect_download() as download:
        page.get_by_role("link", name="The configuration as a file").click()
    held = json.loads(download.value.path().read_text())
    assert PROVIDER_KEY not in json.dumps(held)
    held["settings"]["banner"] = "Taken from a file"
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(held))

    page.get_by_role("button", name="Choose a file").click()
    form = page.get_by_role("dialog", name="Take in a file")
    form.get_by_label("Choose a file").set_input_files(changed)
    expect(form.get_by_label("Configuration")).not_to_be_empty()
    form.get_by_role("button", name="Show what it would do").click()

    expect(row(page, "banner")).to_contain_text("Value: (nothing) → Taken from a file")
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("1 thing is as in the file now.").first).to_be_visible()
    expect(page.get_by_role("button", name="Apply")).to_be_hidden()
    page.reload()
    expect(page.get_by_text("Taken from a file").first).to_be_visible()
