"""The WebSocket for scripts, asked by a client of its own over loopback."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from llm_ui.api.rest import sockets
from llm_ui.config import Config
from llm_ui.contract.sockets import Close
from llm_ui.db import Database
from llm_ui.models import KeyScope
from llm_ui.services import keys
from llm_ui.services.access import Actor
from llm_ui.services.keys import Made, NewKey
from tests.api.conftest import AddModel, RunningApi
from tests.fakes.provider import FakeProvider, answer, reply

WELL = reply("openai", answer("openai", ["Hello ", "wörld"]))
ENDLESS = reply("openai", answer("openai", [f"{number} " for number in range(5_000)]), delay_s=0.05)
Open = Callable[..., Any]


@pytest.fixture
def database_config(sqlite_config: Config) -> Config:
    """SQLite only: nothing here depends on the database."""
    return sqlite_config


@pytest.fixture
async def key(database: Database, a_user: Actor) -> Made:
    async with database.writing() as session:
        return await keys.create(session, a_user, NewKey("script"))


@pytest.fixture
def opened(api: RunningApi, database_config: Config, key: Made) -> Open:
    """Connect, with the key in the headers unless others are given."""
    address = database_config.llm_api_url.replace("http", "ws") + "/api/v1/ws/chat"

    @asynccontextmanager
    async def connect(headers: dict[str, str] | None = None) -> AsyncIterator[WebSocketClientConnection]:
        sent = {"Authorization": f"Bearer {key.token}"} if headers is None else headers
        socket = await websocket_connect(HTTPRequest(address, headers=sent))
        yield socket
        socket.close()

    return connect


async def read(socket: WebSocketClientConnection) -> dict[str, Any]:
    message = await socket.read_message()
    assert message is not None, socket.close_code
    return json.loads(message)


async def closed(socket: WebSocketClientConnection) -> int | None:
    while await socket.read_message() is not None:
        pass
    return socket.close_code


def asking(text: str = "hi", **fields: object) -> str:
    request = {"idempotency_key": uuid4().hex, "text": text, **fields}
    return json.dumps({"type": "chat", "ref": "mine", "request": request})


async def test_the_events_are_those_of_the_stream(opened: Open, add_model: AddModel) -> None:
    async with FakeProvider(WELL) as fake, opened() as socket:
        model_id = str(await add_model(fake.base_url("openai"), "fake"))
        assert (await read(socket))["type"] == "ready"
        await socket.write_message('{"type": "ping"}')
        assert await read(socket) == {"type": "pong"}
        await socket.write_message(asking(model_id=model_id))
        told = [await read(socket)]
        while told[-1]["event"] not in ("complete", "error"):
            told.append(await read(socket))
        # What is refused ends nothing.
        for refused in (asking(chat_id=str(uuid4())), '{"type": "chat"}', "junk", '{"type": "auth", "key": "x"}'):
            await socket.write_message(refused)
            told_off = await read(socket)
            assert (told_off["type"], told_off["error"]["code"] in ("not_found", "invalid_input")) == ("error", True)
        await socket.write_message('{"type": "ping"}')
        assert await read(socket) == {"type": "pong"}

    assert [one["id"] for one in told] == list(range(1, len(told) + 1))
    assert {one["run_id"] for one in told} == {told[0]["data"]["run_id"]}
    assert "".join(one["data"]["token"] for one in told if one["event"] == "token") == "Hello wörld"
    assert told[-1]["data"]["status"] == "completed"


async def test_an_answer_is_stopped_and_a_revoked_key_ends_the_rest(
    opened: Open, add_model: AddModel, key: Made, database: Database, a_user: Actor
) -> None:
    async with FakeProvider(ENDLESS) as fake, opened({}) as socket:
        model_id = str(await add_model(fake.base_url("openai"), "fake"))
        await socket.write_message(json.dumps({"type": "auth", "key": key.token}))
        assert (await read(socket))["type"] == "ready"
        await socket.write_message(asking(model_id=model_id))
        run_id = (await read(socket))["run_id"]
        await socket.write_message(json.dumps({"type": "stop", "run_id": run_id}))
        while (told := await read(socket))["event"] != "complete":
            pass
        assert told["data"]["status"] == "stopped"
        await socket.write_message(asking(model_id=model_id))
        await read(socket)
        async with database.writing() as session:
            await keys.revoke(session, a_user, key.id)

        assert await closed(socket) == Close.KEY_REFUSED


async def test_whoever_is_no_holder_of_a_key_is_left(
    opened: Open, database: Database, a_user: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "INTRODUCED_S", 0.2)
    async with database.writing() as session:
        other = await keys.create(session, a_user, NewKey("other", scopes=frozenset({KeyScope.MODELS})))
    for headers, message, code in (
        ({"Authorization": "Bearer llmui-wrong"}, None, Close.KEY_REFUSED),
        ({"x-api-key": other.token}, None, Close.FORBIDDEN),
        ({}, json.dumps({"type": "auth", "key": "llmui-wrong"}), Close.KEY_REFUSED),
        ({}, '{"type": "ping"}', Close.KEY_REFUSED),
        ({}, "junk", Close.UNREADABLE),
        ({}, None, Close.KEY_REFUSED),
    ):
        async with opened(headers) as socket:
            if message is not None:
                await socket.write_message(message)

            assert await closed(socket) == code, message


async def test_a_page_of_another_site_is_refused(opened: Open, key: Made) -> None:
    with pytest.raises(HTTPClientError) as refusal:
        async with opened({"Authorization": f"Bearer {key.token}", "Origin": "https://elsewhere.example"}):
            pass

    assert refusal.value.code == 403


@pytest.mark.parametrize(
    ("message", "times", "code"),
    [("x" * (sockets.MAX_MESSAGE_BYTES + 1), 1, 1009), ('{"type": "ping"}', 5, Close.TOO_MANY)],
    ids=["large", "many"],
)
async def test_who_sends_too_much_is_left(
    opened: Open, monkeypatch: pytest.MonkeyPatch, message: str, times: int, code: int
) -> None:
    monkeypatch.setattr(sockets, "MESSAGES_PER_MINUTE", 3)
    async with opened() as socket:
        for _ in range(times):
            await socket.write_message(message)

        assert await closed(socket) == code
