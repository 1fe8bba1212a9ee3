"""Trying a model out on the models page."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import sign_in
from tests.browser.test_admin import row
from tests.fakes.embeddings import serving
from tests.product import FakeProvider, Product


@pytest.fixture(scope="module")
def models(product: Product) -> Iterator[Product]:
    """The product with a model that says what it is asked, one that refuses, and one of embeddings."""
    fakes = [FakeProvider(json.dumps(script)) for script in ({"echo": 5}, {"refuse": True})]
    with serving() as vectors:
        places = [("echo", fakes[0].url), ("refuse", fakes[1].url), ("things-embed", vectors)]
        for name, url in places:
            product.add_provider(f"At {name}", url, name)
        yield product
    for fake in fakes:
        fake.stop()


def panel(page: Page, product: Product, name: str) -> Locator:
    """Open the panel of a model."""
    sign_in(page, product, "ada")
    page.goto(f"{product.url}/admin/models")
    row(page, name).get_by_role("button", name="Try it").click()
    return page.get_by_role("dialog", name=f"Try {name}")


def figure(trial: Locator, label: str) -> Locator:
    return trial.locator(f"dt:text-is('{label}') + dd")


def test_an_answer_is_written_as_it_comes_with_its_figures(page: Page, models: Product) -> None:
    trial = panel(page, models, "echo")
    trial.get_by_label("What it is asked").fill("A heron <b>stands</b> in the reeds")
    trial.get_by_label("What it is told beforehand").fill("Be brief.")
    trial.get_by_label("Temperature").fill("5")
    trial.get_by_role("button", name="Send").click()
    expect(trial.get_by_role("alert")).to_have_text(
        "The temperature must be a number from 0 to 2, such as 0.7, or empty."
    )
    trial.get_by_label("Temperature").fill("0.5")

    trial.get_by_role("button", name="Send").click()

    expect(trial.get_by_role("region", name="Answer")).to_have_text("A heron <b>stands</b> in the reeds")
    expect(figure(trial, "Answered by")).to_have_text("echo · At echo")
    for label in ("First token", "In all", "Tokens out", "Cost"):
        expect(figure(trial, label)).not_to_be_empty()
    expect(trial.get_by_role("alert")).to_be_hidden()


def test_what_the_provider_says_is_read_when_it_fails(page: Page, models: Product) -> None:
    trial = panel(page, models, "refuse")
    trial.get_by_label("What it is asked").fill("Only on Tuesdays")

    trial.get_by_role("button", name="Send").click()

    expect(trial.get_by_role("alert")).to_contain_text("Only on Tuesdays")
    expect(trial.get_by_role("button", name="Send")).to_be_enabled()


def test_an_answer_is_stopped_and_what_was_said_stays(page: Page, product: Product) -> None:
    trial = panel(page, product, "slow-words")
    trial.get_by_label("What it is asked").fill("Count")
    trial.get_by_role("button", name="Send").click()
    expect(trial.get_by_role("region", name="Answer")).to_contain_text("w2")

    trial.get_by_role("button", name="Stop").click()

    expect(trial.get_by_text("Stopped.")).to_be_visible()
    expect(trial.get_by_role("region", name="Answer")).to_contain_text("w2")
    expect(trial.get_by_role("region", name="Answer")).not_to_contain_text("w119")
    trial.get_by_role("button", name="Close").click()
    expect(trial).to_be_hidden()


def test_an_embedding_model_shows_its_vector(page: Page, models: Product) -> None:
    trial = panel(page, models, "things-embed")
    expect(trial.get_by_label("Temperature")).to_be_hidden()
    trial.get_by_label("What it is asked").fill("a heron in a boat")

    trial.get_by_role("button", name="Send").click()

    expect(figure(trial, "Numbers of the vector")).to_have_text("5")
    expect(figure(trial, "The first of them")).to_contain_text("1.0000 1.0000 0.0000")
