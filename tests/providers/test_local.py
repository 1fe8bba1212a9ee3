import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urlsplit

import httpx2
import pytest

from llm_ui.kit.http import new_client
from llm_ui.models import ProviderKind
from llm_ui.providers.local import HOST, USUAL_PORTS, LocalServer, UsualPort, find_local
from tests.fakes.postgresql import free_port

OPENAI_LIST = {"object": "list", "data": [{"id": "qwen3-8b", "object": "model"}, {"id": "phi-4", "object": "model"}]}
OLLAMA_LIST = {"models": [{"name": "llama3.2:3b", "size": 1}]}

Serve = Callable[[str, bytes], Awaitable[int]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start servers that answer one path with a body and everything else with 404; gives their ports."""
    servers: list[asyncio.Server] = []

    async def start(path: str, body: bytes) -> int:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            request = await reader.readuntil(b"\r\n\r\n")
            is_asked = request.split(b" ")[1].decode() == path
            head = f"HTTP/1.1 {'200 OK' if is_asked else '404 Not Found'}\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, HOST, 0)
        servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    yield start
    for server in servers:
        server.close()
        await server.wait_closed()


Find = Callable[..., Awaitable[tuple[LocalServer, ...]]]


@pytest.fixture
def unused_client() -> httpx2.AsyncClient:
    """Made outside the event loop, because it reads the machine's certificates."""
    return new_client()


@pytest.fixture
async def found(unused_client: httpx2.AsyncClient) -> AsyncIterator[Find]:
    """Ask the ports."""

    async def find(*ports: UsualPort, skip: tuple[int, ...] = ()) -> tuple[LocalServer, ...]:
        return await find_local(unused_client, ports=ports, skip_ports=skip)

    async with unused_client:
        yield find


async def test_servers_are_found_with_their_models(found: Find, serve: Serve) -> None:
    ollama = UsualPort("Ollama", ProviderKind.OLLAMA, await serve("/api/tags", json.dumps(OLLAMA_LIST).encode()))
    studio = UsualPort("LM Studio", ProviderKind.OPENAI, await serve("/v1/models", json.dumps(OPENAI_LIST).encode()))

    servers = await found(ollama, studio)

    assert [(server.name, server.base_url, [model.name for model in server.models]) for server in servers] == [
        ("Ollama", f"http://127.0.0.1:{ollama.port}", ["llama3.2:3b"]),
        ("LM Studio", f"http://127.0.0.1:{studio.port}/v1", ["qwen3-8b", "phi-4"]),
    ]


async def test_an_ollama_without_models_is_found_too(found: Find, serve: Serve) -> None:
    ollama = UsualPort("Ollama", ProviderKind.OLLAMA, await serve("/api/tags", b'{"models": []}'))

    (server,) = await found(ollama)

    assert (server.name, server.models) == ("Ollama", ())


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"{}", b"[]", b'{"data": []}', b'{"data": "no"}', b"\xff\xfe"])
async def test_what_does_not_list_models_is_no_model_server(found: Find, serve: Serve, body: bytes) -> None:
    port = await serve("/v1/models", body)

    assert await found(UsualPort("Something", ProviderKind.OPENAI, port)) == ()


async def test_ports_where_nothing_listens_are_no_error(found: Find) -> None:
    assert await found(UsualPort("Nobody", ProviderKind.OLLAMA, free_port())) == ()


async def test_our_own_ports_are_left_alone(found: Find, serve: Serve) -> None:
    port = await serve("/v1/models", json.dumps(OPENAI_LIST).encode())

    assert await found(UsualPort("Ourselves", ProviderKind.OPENAI, port), skip=(port,)) == ()


async def test_a_server_that_accepts_and_says_nothing_does_not_hold_the_others_up(found: Find, serve: Serve) -> None:
    asked = asyncio.Event()

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(never, HOST, 0)
    port = await serve("/v1/models", json.dumps(OPENAI_LIST).encode())
    try:
        servers = await found(
            UsualPort("Silent", ProviderKind.OPENAI, silent.sockets[0].getsockname()[1]),
            UsualPort("Quick", ProviderKind.OPENAI, port),
        )
    finally:
        silent.close()
        await silent.wait_closed()

    assert asked.is_set()
    assert [server.name for server in servers] == ["Quick"]


def test_only_this_computer_is_asked() -> None:
    assert {urlsplit(usual.base_url).hostname for usual in USUAL_PORTS} == {"127.0.0.1"}
    assert len({usual.port for usual in USUAL_PORTS}) == len(USUAL_PORTS)
