"""A server on loopback that answers as servers on the web do, well and badly."""

import asyncio
import contextlib
import gzip
import queue
import re
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

PAGE = b"<!doctype html><html><head><title>Herons &amp; Storks</title></head><body><p>Herons nest.</p></body></html>"
LENGTH = re.compile(r"\r\ncontent-length: (\d+)", re.I)
TRICKLE_S = 0.05
ENDLESS = b"x" * 65_536


@dataclass
class Answer:
    """What is sent for a path. `endless` goes on after the body, `every_s` a byte at a time."""

    body: bytes = b""
    status: str = "200 OK"
    headers: tuple[str, ...] = ()
    endless: bool = False
    trickles: bool = False
    stalls: bool = False
    is_cut_off: bool = False


@dataclass
class Web:
    """The server: its answers by path, and what it was asked."""

    port: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    at_work: set[asyncio.Task[None]] = field(default_factory=set)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, then hang up; whoever speaks TLS is not answered."""
        task = asyncio.current_task()
        assert task is not None
        self.at_work.add(task)
        try:
            first = await reader.readexactly(1)
            if not first.isalpha():
                return
            head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            path = head.split(" ", 2)[1]
            self.asked.append(path)
            self.heads.append(head)
            if length := LENGTH.search(head):
                self.bodies.append(await reader.readexactly(int(length[1])))
            await self._send(writer, self.answers.get(path, Answer(status="404 Not Found")))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.at_work.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _send(self, writer: asyncio.StreamWriter, answer: Answer) -> None:
        is_open = answer.endless or answer.trickles or answer.stalls
        length = len(answer.body) + (10 if answer.is_cut_off else 0)
        headers = [*answer.headers, *([] if is_open else [f"Content-Length: {length}"]), "Connection: close"]
        writer.write("\r\n".join([f"HTTP/1.1 {answer.status}", *headers, "", ""]).encode("latin-1") + answer.body)
        await writer.drain()
        while is_open:
            if answer.endless:
                writer.write(ENDLESS)
            elif answer.trickles:
                writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0 if answer.endless else TRICKLE_S)


@contextlib.asynccontextmanager
async def a_web() -> AsyncIterator[Web]:
    """Serve for the length of a block."""
    web = Web()
    server = await asyncio.start_server(web.serve, "127.0.0.1", 0)
    web.port = server.sockets[0].getsockname()[1]
    try:
        yield web
    finally:
        server.close()
        for task in list(web.at_work):
            task.cancel()
        await asyncio.gather(*web.at_work, return_exceptions=True)


@contextlib.contextmanager
def a_web_elsewhere() -> Iterator[Web]:
    """Serve for the length of a block, in a thread: for tests without a loop of their own."""
    begun: queue.Queue[tuple[Web, asyncio.AbstractEventLoop, asyncio.Event]] = queue.Queue()

    async def work() -> None:
        ended = asyncio.Event()
        async with a_web() as web:
            begun.put((web, asyncio.get_running_loop(), ended))
            await ended.wait()

    with ThreadPoolExecutor() as elsewhere:
        working = elsewhere.submit(asyncio.run, work())
        web, loop, ended = begun.get(timeout=30)
        try:
            yield web
        finally:
            loop.call_soon_threadsafe(ended.set)
            working.result(30)


def packed(content: bytes) -> bytes:
    """Return content as a server packs it."""
    return gzip.compress(content)
