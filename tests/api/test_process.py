"""The LLM API as a process of its own: asked to end, and killed."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest

from llm_ui.config import Config
from llm_ui.contract import CompleteEvent, ErrorEvent, StartEvent
from llm_ui.db import Database
from llm_ui.kit.ids import MessageId
from llm_ui.llm_client import Numbered
from llm_ui.models import ChatMessage, Run
from llm_ui.services.access import Actor
from tests.api.conftest import AddModel
from tests.api.test_answers import ClientOf, asking, text_of
from tests.api.test_runs import is_piece, until
from tests.fakes.provider import FakeProvider, numbered_words

PIECE_MS = 10
LOSS_LIMIT_S = 1.0
SLACK_S = 0.3
"""A loaded machine may be that late in noticing the time of a kill."""


@pytest.fixture
def database_config(sqlite_config: Config) -> Config:
    """SQLite only: a killed process leaves it in the worse state."""
    return sqlite_config


@asynccontextmanager
async def process(config: Config, **settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `python -m llm_ui.api` until the end of the block."""
    ours = {"LLM_UI_DATA_DIR": str(config.folder), "LLM_UI_API_PORT": str(config.api_port), "LLM_UI_DRAIN_S": "10"}
    ours["LLM_UI_PROBE_PROVIDERS"] = "0"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LLM_UI_")} | ours
    environment |= {f"LLM_UI_{name.upper()}": value for name, value in settings.items()}
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "llm_ui.api", env=environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with httpx2.AsyncClient(trust_env=False) as http, asyncio.timeout(30):
            while not await is_ready(http, config):
                assert running.returncode is None, (await running.communicate())[1]
                await asyncio.sleep(0.02)
        yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.communicate()


async def is_ready(http: httpx2.AsyncClient, config: Config) -> bool:
    try:
        return (await http.get(f"{config.llm_api_url}/readyz")).status_code == 200
    except httpx2.TransportError:
        return False


async def test_sigterm_lets_the_answer_end_and_exits_with_0(
    database_config: Config, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    fake = FakeProvider(numbered_words({"pieces": 80, "delay_ms": PIECE_MS}))
    async with fake, process(database_config) as api:
        model_id = await add_model(fake.base_url("openai"), "fake")
        stream = client_of(a_user).chat_stream(asking(model_id=model_id))
        events = await until(stream, is_piece(5))

        api.terminate()
        events += [numbered async for numbered in stream]

        assert await api.wait() == 0

    assert isinstance(events[-1].event, CompleteEvent)
    assert text_of(events).endswith("w79 ")


async def test_a_kill_loses_a_second_of_text_at_most_and_the_next_start_says_so(
    database_config: Config, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    seen: list[tuple[float, Numbered]] = []
    async with FakeProvider(numbered_words({"pieces": 2_000, "delay_ms": PIECE_MS})) as fake:
        async with process(database_config) as api:
            model_id = await add_model(fake.base_url("openai"), "fake")
            stream = client_of(a_user).chat_stream(asking(model_id=model_id))
            async for numbered in stream:
                seen.append((time.monotonic(), numbered))
                if is_piece(180)(numbered.event):
                    break
            api.kill()
            killed_at = time.monotonic()
            await api.wait()
        async with process(database_config):
            # What had come with the last piece before the kill waits in the client, whatever it is.
            after = [numbered async for numbered in stream]
            while after and not isinstance(after[0].event, StartEvent):
                seen.append((killed_at, after.pop(0)))

    first = seen[0][1].event
    assert isinstance(first, StartEvent)
    async with database.reading() as session:
        run = await session.get_one(Run, first.run_id)
        answer = await session.get_one(ChatMessage, MessageId(first.answer_id))
    safe = text_of([numbered for at, numbered in seen if at < killed_at - LOSS_LIMIT_S - SLACK_S])
    assert safe
    assert answer.text.startswith(safe)
    assert (run.status, answer.status) == ("interrupted", "interrupted")
    assert after, "the next start said nothing"
    assert isinstance(after[0].event, StartEvent)
    assert after[0].event.is_replay
    assert text_of(after) == answer.text
    assert isinstance(after[-1].event, ErrorEvent)
