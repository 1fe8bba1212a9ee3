"""`kill -9` of the worker while it brings chats in: the next one goes on, and every chat is there once."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from llm_ui.services.jobs import LEASE
from tests.app.browser import Browser
from tests.fakes.exports import as_json, chatgpt_chat
from tests.faults.verifier import verify
from tests.product import PASSWORD, Product, running, wait_until

CHATS = 700
KILLED_AT = (100, 300)
"""After how many chats a worker is killed."""
LIMIT_S = 2 * LEASE.total_seconds() + 60


async def upload(product: Product, content: bytes) -> None:
    """Sign in as ann and upload a file, as the account page does."""
    browser = Browser(product.url)
    await browser.submit("/login", {"username": "ann", "password": PASSWORD})
    await browser.get("/account")
    headers = browser._sent({"X-XSRFToken": browser.csrf, "X-File-Name": "chats.json"})
    answer = await AsyncHTTPClient().fetch(HTTPRequest(f"{product.url}/import", "POST", headers, content))
    assert json.loads(answer.body)["import"]["state"] == "queued"


def job(product: Product) -> tuple[str, dict[str, Any]]:
    """Return where the import stands and what came in."""
    with product.connection() as connection:
        state, progress = connection.execute("SELECT state, progress FROM background_jobs").fetchone()
    return state, json.loads(progress)


def number(product: Product, statement: str) -> int:
    with product.connection() as connection:
        (found,) = connection.execute(statement).fetchone()
    return int(found)


def kill_after(product: Product, chats: int) -> None:
    """Kill the worker once so many chats are in."""
    worker = product.child("llm_ui.worker")
    wait_until(lambda: job(product)[1].get("chats_added", 0) >= chats, f"{chats} chats", LIMIT_S)
    worker.kill()
    wait_until(lambda: not worker.is_running(), "the worker's end")


@pytest.mark.timeout(300)
def test_an_import_outlives_its_workers(tmp_path: Path) -> None:
    product = Product(tmp_path / "data")
    product.add_person("ann")
    chats = [chatgpt_chat(each) for each in range(CHATS)]

    with running(product):
        asyncio.run(upload(product, as_json(chats)))
        for after in KILLED_AT:
            kill_after(product, after)
            state, progress = job(product)
            assert (state, progress["chats_added"] < CHATS) == ("running", True)
            assert number(product, "SELECT count(*) FROM chat_histories") == progress["chats_added"]
        wait_until(lambda: job(product)[0] != "running", "the end of the import", LIMIT_S)

        state, progress = job(product)
        assert (state, progress["chats_added"], progress["skipped"]) == ("completed", CHATS, 0)
        assert (progress["chats_same"], progress["chats_extended"]) == (0, 0), "nothing was begun twice"
        assert number(product, "SELECT count(DISTINCT title) FROM chat_histories") == CHATS
        assert number(product, "SELECT count(*) FROM chat_histories") == CHATS
        assert number(product, "SELECT count(*) FROM chat_messages") == progress["messages_added"] == 13 * CHATS
    assert list((product.folder / "imports").glob("*")) == []
    assert verify(product.folder / "llm-ui.db").problems == []
