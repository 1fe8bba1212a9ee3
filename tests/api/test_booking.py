"""What a script has used is booked, also when the database takes nothing in that moment."""

import asyncio
import contextlib
import sqlite3

import httpx2
import pytest

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.services import keys
from llm_ui.services.access import Actor
from llm_ui.services.keys import NewKey
from tests.api.conftest import AddModel, RunningApi
from tests.api.stage import booked
from tests.fakes.provider import FakeProvider, Received, Reply, answer, reply


@pytest.fixture
def database_config(sqlite_config: Config) -> Config:
    """SQLite only: it is the one that another process can lock as a whole."""
    return sqlite_config


async def test_a_call_is_booked_once_the_database_is_free_again(
    api: RunningApi, database_config: Config, database: Database, a_user: Actor, add_model: AddModel
) -> None:
    with contextlib.closing(sqlite3.connect(database_config.folder / "llm-ui.db", isolation_level=None)) as other:

        def said(_: Received) -> Reply:
            other.execute("BEGIN IMMEDIATE")
            return reply("openai", answer("openai", ["A ", "heron."]))

        async with FakeProvider(said) as fake, httpx2.AsyncClient(trust_env=False, timeout=60) as http:
            await add_model(fake.base_url("openai"), "fake")
            async with database.writing() as session:
                made = await keys.create(session, a_user, NewKey("script"))
            body = {"model": "fake", "messages": [{"role": "user", "content": "What is it?"}]}
            headers = {"Authorization": f"Bearer {made.token}"}
            answered = await http.post(f"{database_config.llm_api_url}/v1/chat/completions", json=body, headers=headers)
            assert answered.status_code == 200, answered.text
            assert await booked(database) == []
            other.execute("ROLLBACK")

    async with asyncio.timeout(30):
        while not (rows := await booked(database)):
            await asyncio.sleep(0.05)
    assert [(row.input_tokens, row.output_tokens) for row in rows] == [(7, 2)]
