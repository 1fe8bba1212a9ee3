"""The events of an answer as they come off a connection: all that has come, together.

The HTTP client hands out one event, or one chunk of a body, after the other, and does not say when the next one has to
be waited for. Each on its own goes through filters, the log and on to its readers, so that a process that is behind
would fall back further with each.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import httpx2

from llm_ui.errors import ProviderError, ProviderFault

MAX_EVENT_BYTES = 1_000_000
"""Longest event or line; no protocol needs more, and a buffer without a bound is a way to fill memory."""
MOST_AHEAD_CHARS = 100_000
"""What is read before it is asked for; then the provider waits."""


class Ahead:
    """The events of an answer, read by a task of its own: whoever asks gets all that have come since."""

    def __init__(self, reads: AsyncGenerator[list[str]]) -> None:
        self._found: list[str] = []
        self._found_chars = 0
        self._news: asyncio.Future[None] | None = None
        """What whoever asks waits for."""
        self._has_room = asyncio.Event()
        self._reading = asyncio.create_task(self._read(reads))

    async def next(self, until: float) -> list[str]:
        """Return what has come, once there is something; at the end nothing.

        Raises what reading raised, and `TimeoutError` at a moment of the event loop's clock.
        """
        while not self._found:
            if self._reading.done():
                await self._reading
                return []
            loop = asyncio.get_running_loop()
            news = self._news = loop.create_future()
            # For each piece of an answer `asyncio.timeout` would be a tenth of what the piece costs.
            late = loop.call_at(until, _time_up, news)
            try:
                await news
            finally:
                late.cancel()
        found, self._found, self._found_chars = self._found, [], 0
        self._has_room.set()
        return found

    async def read_out(self, limit_s: float) -> None:
        """Wait so long for the end of the body; mostly it has come together with the last word.

        One that is left before its end takes its connection with it, and the next request pays for another one: with
        TLS that is three round trips.
        """
        await asyncio.wait([self._reading], timeout=limit_s)

    async def aclose(self) -> None:
        """Read no more."""
        self._reading.cancel()
        await asyncio.wait([self._reading])
        if not self._reading.cancelled():
            # Whoever leaves does not want to know how it would have ended.
            self._reading.exception()

    async def _read(self, reads: AsyncGenerator[list[str]]) -> None:
        try:
            async with aclosing(reads):
                async for events in reads:
                    self._found += events
                    self._found_chars += sum(map(len, events))
                    self._tell()
                    while self._found_chars > MOST_AHEAD_CHARS:
                        self._has_room.clear()
                        await self._has_room.wait()
        finally:
            self._tell()

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)


def _time_up(news: asyncio.Future[None]) -> None:
    if not news.done():
        news.set_exception(TimeoutError())


async def events_read(response: httpx2.Response) -> AsyncGenerator[list[str]]:
    """Yield the data of the server-sent events that each read completed. Raises `ProviderError` for one too long."""
    data = EventData(MAX_EVENT_BYTES)
    async for text in response.aiter_text():
        if events := data.feed(text):
            yield events
    yield data.end()


async def lines_read(response: httpx2.Response) -> AsyncGenerator[list[str]]:
    """Yield the lines of newline-delimited JSON that each read completed; a last line without its end is not a line.

    Raises `ProviderError` for one too long.
    """
    buffer = bytearray()
    async for chunk in response.aiter_raw():
        buffer += chunk
        *lines, rest = buffer.split(b"\n")
        buffer = bytearray(rest)
        texts = [line.decode("utf-8", "replace").strip().lstrip("\ufeff") for line in lines]
        if any(texts):
            yield list(filter(None, texts))
        if len(buffer) > MAX_EVENT_BYTES:
            raise _too_large()


class EventData:
    """The data of server-sent events. Names, ids and comments say nothing to us; without data there is no event.

    https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest: list[str] = []
        self._rest_chars = 0
        self._data: list[str] = []
        self._data_chars = 0
        self._has_return = False

    def feed(self, text: str) -> list[str]:
        """Return the data of each event that this completes; one beyond the limit, in characters, is a `ProviderError`.

        An event that is not complete when the connection ends is none.
        """
        found: list[str] = []
        for line in self._lines(text):
            if line:
                self._take(line)
            else:
                if self._data:
                    found.append("\n".join(self._data))
                self._data, self._data_chars = [], 0
        if self._data_chars + self._rest_chars > self._limit:
            raise _too_large()
        return found

    def end(self) -> list[str]:
        """Return the data of an event that the end of the connection completes: one that ends with carriage returns."""
        return self.feed("\n") if self._has_return else []

    def _lines(self, text: str) -> list[str]:
        """Return the lines that end here: with a line feed, a carriage return, or both."""
        if self._has_return and text:
            text = f"\r{text}"
        self._has_return = text.endswith("\r") if text else self._has_return
        *lines, rest = (text[:-1] if self._has_return else text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        if lines:
            lines[0] = "".join((*self._rest, lines[0]))
            self._rest, self._rest_chars = [], 0
        self._rest.append(rest)
        self._rest_chars += len(rest)
        return lines

    def _take(self, line: str) -> None:
        self._data_chars += len(line)
        name, _, value = line.partition(":")
        if name == "data":
            self._data.append(value.removeprefix(" "))


def _too_large() -> ProviderError:
    return ProviderError(
        "The provider sent a single piece of more than 1 MB, which no model does. Check the address.",
        ProviderFault.ANSWER_TOO_LARGE,
    )
