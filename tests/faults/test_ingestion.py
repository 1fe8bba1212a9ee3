"""`kill -9` of the worker while it reads a document: the next one goes on, and every passage is there once."""

import asyncio
import json
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from llm_ui.services.ingestion import LEASE
from tests.app.browser import Browser
from tests.faults.verifier import verify
from tests.product import PASSWORD, Product, running, wait_until

LINES = 40_000
LIMIT_S = 2 * LEASE.total_seconds() + 60
PROJECT = "0191a1b0-0000-7000-8000-000000000001"


async def upload(product: Product, content: bytes) -> None:
    """Sign in as ann and upload a document, as the page of the project does."""
    browser = Browser(product.url)
    await browser.submit("/login", {"username": "ann", "password": PASSWORD})
    await browser.get("/account")
    headers = browser._sent({"X-XSRFToken": browser.csrf, "X-File-Name": "herons.txt"})
    address = f"{product.url}/p/{PROJECT}/documents"
    answer = await AsyncHTTPClient().fetch(HTTPRequest(address, "POST", headers, content))
    assert json.loads(answer.body)["is_new"]


def document(product: Product) -> tuple[str, int, int]:
    """Return its stage, how many pages are stored and how many passages."""
    with product.connection() as connection:
        row = connection.execute(
            "SELECT stage, (SELECT count(*) FROM document_pages), (SELECT count(*) FROM document_chunks) FROM documents"
        ).fetchone()
    return str(row[0]), int(row[1]), int(row[2])


def kill(product: Product) -> None:
    worker = product.child("llm_ui.worker")
    worker.kill()
    wait_until(lambda: not worker.is_running(), "the worker's end")


@pytest.mark.timeout(300)
def test_a_document_outlives_its_workers(tmp_path: Path) -> None:
    product = Product(tmp_path / "data")
    product.add_person("ann")
    content = "\n\n".join(f"Heron {number} stands in the water and waits for its fish." for number in range(LINES))

    with running(product):
        with product.connection() as connection:
            connection.execute(
                "INSERT INTO projects (id, owner_id, name, instructions, created_at, updated_at)"
                " SELECT ?, id, 'Herons', '', created_at, created_at FROM users WHERE name = 'ann'",
                (PROJECT.replace("-", ""),),
            )
            connection.execute(
                "INSERT INTO project_members (project_id, user_id, role, lets_memory_in, created_at)"
                " SELECT id, owner_id, 'owner', 0, created_at FROM projects"
            )
        asyncio.run(upload(product, content.encode()))
        wait_until(lambda: document(product)[1] > 0, "the first pages", LIMIT_S)
        kill(product)
        assert document(product)[0] == "received"
        wait_until(lambda: document(product)[2] > 0, "the first passages", LIMIT_S)
        kill(product)
        assert document(product)[0] == "parsed"
        wait_until(lambda: document(product)[0] != "parsed", "the end", LIMIT_S)

        stage, pages, passages = document(product)
        assert stage == "ready"
        with product.connection() as connection:
            rows = connection.execute("SELECT position, text FROM document_chunks ORDER BY position").fetchall()
            numbers = connection.execute("SELECT number FROM document_pages ORDER BY number").fetchall()
            (indexed,) = connection.execute("SELECT count(*) FROM search_passages").fetchone()
        assert [number for (number,) in numbers] == list(range(1, pages + 1))
        assert [position for position, _ in rows] == list(range(passages))
        assert indexed == passages
        said = "\n".join(text for _, text in rows)
        assert all(f"Heron {number} stands" in said for number in range(0, LINES, 499))
    assert verify(product.folder / "llm-ui.db").problems == []
