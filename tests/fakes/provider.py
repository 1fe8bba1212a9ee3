"""A model provider scripted byte by byte: one raw-socket server that speaks all four protocols, well or badly.

In a test: `async with FakeProvider(reply) as fake: …`. By hand or for tests that kill processes:
`python -m tests.fakes.provider --port 0 --script '{"pieces": 200, "delay_ms": 20}'` prints its port and answers every
question with numbered words `w0 w1 …`, so that a lost or doubled piece shows. `{"echo": 40}` answers with the question
itself, in pieces of so many characters; `{"refuse": true}` refuses with it.
"""

import argparse
import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

End = Literal["close", "reset", "half_close", "hang"]
PROTOCOLS = ("openai", "anthropic", "google", "ollama")
SSE = "text/event-stream"


@dataclass
class Reply:
    """What one request is answered with: raw body chunks, each after a pause in seconds."""

    chunks: Sequence[bytes] = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": SSE})
    delay_s: float = 0.0
    first_delay_s: float = 0.0
    end: End = "close"
    raw: bool = False
    """Whether the chunks are the whole response, status line included."""


@dataclass
class Received:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body parsed."""
        return json.loads(self.body)


class FakeProvider:
    """The server. `reply` is a `Reply`, a list of them used in turn, or a function of the request.

    With `keeps_alive` it answers in chunks (RFC 9112, section 7.1) and leaves the connection open for the next request,
    as real providers do.
    """

    def __init__(self, reply: Reply | list[Reply] | Callable[[Received], Reply], *, keeps_alive: bool = False) -> None:
        self._reply = reply
        self._keeps_alive = keeps_alive
        self._server: asyncio.Server | None = None
        self.requests: list[Received] = []
        self.open_connections = 0
        self.all_connections = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self, port: int = 0) -> None:
        """Listen on a loopback port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=2**24)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close every connection."""
        assert self._server is not None
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        """The address without a path."""
        return f"http://127.0.0.1:{self.port}"

    def base_url(self, protocol: str) -> str:
        """The address a provider of that protocol is added with."""
        return self.url + {"openai": "/v1", "anthropic": "", "google": "/v1beta", "ollama": ""}[protocol]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open_connections += 1
        self.all_connections += 1
        self._writers.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            is_open = True
            while is_open:
                request = await _read(reader)
                self.requests.append(request)
                is_open = await self._answer(self._next(request), reader, writer)
        self.open_connections -= 1
        self._writers.discard(writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    def _next(self, request: Received) -> Reply:
        if isinstance(self._reply, Reply):
            return self._reply
        if isinstance(self._reply, list):
            return self._reply[min(len(self.requests), len(self._reply)) - 1]
        return self._reply(request)

    async def _answer(self, reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer; return whether the connection stays open."""
        gone = asyncio.ensure_future(reader.read(1))
        stays = self._keeps_alive and reply.end == "close" and not reply.raw
        if not reply.raw:
            await _pause(reply.first_delay_s, gone)
            head = [f"HTTP/1.1 {reply.status} X", "Transfer-Encoding: chunked" if stays else "Connection: close"]
            head += [f"{name}: {value}" for name, value in reply.headers.items()]
            writer.write("\r\n".join([*head, "", ""]).encode())
        for chunk in reply.chunks:
            if gone.done():
                break
            writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if stays else chunk)
            await writer.drain()
            await _pause(reply.delay_s, gone)
        if reply.end == "hang" and not gone.done():
            await asyncio.wait({gone})
        if reply.end == "half_close":
            writer.write_eof()
            await asyncio.wait({gone})
        if reply.end == "reset":
            raw = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        stays = stays and not gone.done()
        if stays:
            # Nobody waits for the next request until it is told that this is the end.
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
            writer.write(b"0\r\n\r\n")
        gone.cancel()
        return stays


async def _pause(seconds: float, gone: "asyncio.Future[bytes]") -> None:
    """Wait, but no longer than the client stays."""
    if seconds:
        await asyncio.wait({gone}, timeout=seconds)


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:]) if value}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Received(method, path, headers, body)


def sse(*events: object) -> bytes:
    """Return events of which each is its data: an object becomes JSON."""
    return b"".join(
        b"data: " + (event.encode() if isinstance(event, str) else json.dumps(event).encode()) + b"\n\n"
        for event in events
    )


def typed(*events: dict[str, Any]) -> bytes:
    """Return events named after their own type, as Anthropic sends them."""
    return b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)


def lines(*values: dict[str, Any]) -> bytes:
    """Return newline-delimited JSON."""
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def answer(
    protocol: str, pieces: Sequence[str], *, reasoning: Sequence[str] = (), reason: str | None = None
) -> list[bytes]:
    """Return a whole, correct streamed answer of the protocol, one chunk an event; usage is 7 in, one a piece out."""
    return {"openai": _openai, "anthropic": _anthropic, "google": _google, "ollama": _ollama}[protocol](
        pieces, reasoning, reason
    )


def reply(protocol: str, chunks: Sequence[bytes], **options: Any) -> Reply:
    """Return a reply with the protocol's content type."""
    content_type = "application/x-ndjson" if protocol == "ollama" else SSE
    return Reply(chunks, headers={"Content-Type": content_type}, **options)


def _openai(pieces: Sequence[str], reasoning: Sequence[str], reason: str | None) -> list[bytes]:
    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        return sse({"id": "c1", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    usage = {"prompt_tokens": 7, "completion_tokens": len(pieces) + len(reasoning)}
    return [
        chunk({"role": "assistant", "content": ""}),
        *(chunk({"reasoning_content": thought}) for thought in reasoning),
        *(chunk({"content": piece}) for piece in pieces),
        chunk({}, reason or "stop"),
        sse({"id": "c1", "choices": [], "usage": usage}),
        sse("[DONE]"),
    ]


def _anthropic(pieces: Sequence[str], reasoning: Sequence[str], reason: str | None) -> list[bytes]:
    def delta(kind: str, name: str, text: str) -> bytes:
        return typed({"type": "content_block_delta", "index": 0, "delta": {"type": kind, name: text}})

    return [
        typed({"type": "message_start", "message": {"id": "m1", "usage": {"input_tokens": 7, "output_tokens": 1}}}),
        typed({"type": "ping"}),
        *(delta("thinking_delta", "thinking", thought) for thought in reasoning),
        *(delta("text_delta", "text", piece) for piece in pieces),
        typed(
            {
                "type": "message_delta",
                "delta": {"stop_reason": reason or "end_turn"},
                "usage": {"output_tokens": len(pieces) + len(reasoning)},
            }
        ),
        typed({"type": "message_stop"}),
    ]


def _google(pieces: Sequence[str], reasoning: Sequence[str], reason: str | None) -> list[bytes]:
    def part(content: dict[str, Any]) -> bytes:
        return sse({"candidates": [{"content": {"role": "model", "parts": [content]}}]})

    usage = {"promptTokenCount": 7, "candidatesTokenCount": len(pieces), "thoughtsTokenCount": len(reasoning)}
    return [
        *(part({"text": thought, "thought": True}) for thought in reasoning),
        *(part({"text": piece}) for piece in pieces),
        sse({"candidates": [{"finishReason": reason or "STOP"}], "usageMetadata": usage}),
    ]


def _ollama(pieces: Sequence[str], reasoning: Sequence[str], reason: str | None) -> list[bytes]:
    def line(message: dict[str, str]) -> bytes:
        return lines({"model": "m", "message": {"role": "assistant", "content": "", **message}, "done": False})

    end = {"done": True, "done_reason": reason or "stop", "prompt_eval_count": 7}
    return [
        *(line({"thinking": thought}) for thought in reasoning),
        *(line({"content": piece}) for piece in pieces),
        lines({**end, "eval_count": len(pieces) + len(reasoning)}),
    ]


def protocol_of(request: Received) -> str:
    """Return the protocol a request speaks."""
    for part, protocol in (("/messages", "anthropic"), (":streamGenerate", "google"), ("/api/", "ollama")):
        if part in request.path:
            return protocol
    if "anthropic-version" in request.headers:
        return "anthropic"
    return "google" if "v1beta" in request.path else "openai"


def models(request: Received) -> Reply:
    """Return a list of two models in the request's protocol."""
    names = ("fake-small", "fake-large")
    body: dict[str, Any] = {
        "openai": {"data": [{"id": name} for name in names]},
        "anthropic": {"data": [{"id": name, "display_name": name.title()} for name in names]},
        "google": {
            "models": [
                {"name": f"models/{name}", "supportedGenerationMethods": ["generateContent"], "inputTokenLimit": 9_000}
                for name in names
            ]
        },
        "ollama": {"models": [{"name": name} for name in names]},
    }[protocol_of(request)]
    return Reply([json.dumps(body).encode()], headers={"Content-Type": "application/json"})


HELPING = {
    b"You name conversations": ["A walk ", "by the river"],
    b"You tag conversations": ["river\n", "a walk\n"],
    b"You suggest what": ["How far is it?\n", "Is there an inn on the way?\n", "What if it rains?"],
    b"You sum up the beginning": ["The person walks by the river ", "and wants to know how far it is."],
    b"You word searches": ["How much does ", "a stork weigh?"],
}
"""What a model says that helps in the background, by the beginning of its instructions."""


def numbered_words(script: dict[str, Any]) -> Callable[[Received], Reply]:
    """Return a provider that answers with `pieces` numbered words, one each `delay_ms`.

    It writes paragraphs and thinks first when it is asked to.
    """
    pieces = [f"w{number} " for number in range(int(script.get("pieces", 50)))]
    paragraphs = [f"{piece}\n\n" if number % 30 == 29 else piece for number, piece in enumerate(pieces)]

    def respond(request: Received) -> Reply:
        if request.method == "GET":
            return models(request)
        protocol = protocol_of(request)
        words = paragraphs if b"in paragraphs" in request.body else pieces
        words = next((said for begins, said in HELPING.items() if begins in request.body), words)
        thoughts = [f"t{number} " for number in range(20)] if b"think first" in request.body else []
        return reply(
            protocol, answer(protocol, words, reasoning=thoughts), delay_s=float(script.get("delay_ms", 0)) / 1000
        )

    return respond


def echo(script: dict[str, Any]) -> Callable[[Received], Reply]:
    """Return a provider (OpenAI's protocol) that says what it is asked: as its answer, or as its reason to refuse."""

    def respond(request: Received) -> Reply:
        if request.method == "GET":
            return models(request)
        said = request.json()["messages"][-1]["content"]
        if script.get("refuse"):
            return Reply([json.dumps({"error": {"message": said}}).encode()], status=400)
        size = int(script["echo"])
        return reply("openai", answer("openai", [said[at : at + size] for at in range(0, len(said), size)]))

    return respond


async def _main(port: int, script: dict[str, Any]) -> None:
    says = echo(script) if script.keys() & {"echo", "refuse"} else numbered_words(script)
    fake = FakeProvider(says, keeps_alive=True)
    await fake.start(port)
    print(f"listening on {fake.port}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", type=json.loads, default={})
    given = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main(given.port, given.script))
