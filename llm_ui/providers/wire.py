"""The one place that reads from providers: limits, time-outs, framing; the protocols themselves do no I/O."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import httpx2

from llm_ui.errors import ProviderError, ProviderFault
from llm_ui.kit.http import END_S
from llm_ui.providers.base import (
    Began,
    Delta,
    Endpoint,
    Finish,
    ListedModel,
    Prompt,
    ReasoningDelta,
    TextDelta,
    Timeouts,
    WireRequest,
)
from llm_ui.providers.events import Ahead, events_read, lines_read
from llm_ui.providers.refusals import refusal, reported

MAX_ANSWER_CHARS = 4_000_000
"""Longest answer, some 1 M tokens; past it the answer ends as capped."""
TOGETHER_CHARS = 1_000
"""Pieces that came together go on as one of about this length: some seconds of the fastest answers."""
MAX_ERROR_BODY_BYTES = 64_000
ERROR_BODY_S = 5.0
"""How long the words of a refusal are waited for; its status is known by then."""
MAX_BODY_BYTES = 8_000_000
"""Of an answer that comes as a whole: a list of models, or vectors."""
LONG_BODY_BYTES = 100_000
"""Longer ones are parsed off the event loop."""
ALLOWANCES = tuple(
    names
    for what in ("requests", "tokens")
    for names in (
        (f"x-ratelimit-limit-{what}", f"x-ratelimit-remaining-{what}"),
        (f"anthropic-ratelimit-{what}-limit", f"anthropic-ratelimit-{what}-remaining"),
    )
)
"""Headers that tell how much may be asked, and how much of it is left."""
REQUEST_ID_HEADERS = ("x-request-id", "request-id", "apim-request-id", "x-goog-request-id")


class Translator(Protocol):
    """Turns the events of one answer into deltas; remembers what it must between them."""

    def feed(self, data: str) -> Iterable[Delta]:
        """Return what one event says. Raises `ProviderError`; yields `Finish` at the protocol's own end."""
        ...

    def end(self) -> Finish | None:
        """Return the end for a stream that closed, or None when it closed too early."""
        ...


class WireProtocol(Protocol):
    """The pure part of an adapter."""

    content_types: tuple[str, ...]
    """What a streamed answer may call itself; the first decides the framing."""

    def chat(self, endpoint: Endpoint, prompt: Prompt) -> WireRequest:
        """Return the request that asks."""
        ...

    def translator(self, endpoint: Endpoint) -> Translator:
        """Return a translator for one answer."""
        ...

    def models(self, endpoint: Endpoint) -> WireRequest:
        """Return the request that lists models."""
        ...

    def parse_models(self, body: object) -> Iterator[ListedModel]:
        """Yield the models of the list; whatever is not one is skipped."""
        ...


@dataclass(frozen=True, slots=True)
class WireAdapter:
    """An adapter made of a protocol and this module's reading."""

    protocol: WireProtocol

    def request(self, endpoint: Endpoint, prompt: Prompt) -> WireRequest:
        """Return the request with which `stream` asks."""
        return self.protocol.chat(endpoint, prompt)

    async def stream(
        self, http: httpx2.AsyncClient, endpoint: Endpoint, prompt: Prompt, timeouts: Timeouts
    ) -> AsyncGenerator[Delta]:
        """Ask and yield the answer as it comes."""
        request = await _to_send(self.protocol, endpoint, prompt)
        translator = self.protocol.translator(endpoint)
        clock = _Clock(timeouts)
        async with _opened(http, request, endpoint, clock, timeouts) as response:
            await _refuse_wrong_answers(response, self.protocol.content_types, endpoint)
            yield Began(_request_id(response), round(clock.connect_s * 1000, 1), _left(response))
            budget = MAX_ANSWER_CHARS
            async for delta in _deltas(response, self.protocol, translator, clock):
                yield delta
                if isinstance(delta, Finish):
                    return
                if isinstance(delta, TextDelta | ReasoningDelta):
                    budget -= len(delta.text)
                if budget < 0:
                    yield Finish("cap")
                    return
            end = translator.end()
            if end is None:
                raise _cut_off()
            yield end

    async def list_models(
        self, http: httpx2.AsyncClient, endpoint: Endpoint, timeouts: Timeouts
    ) -> tuple[ListedModel, ...]:
        """Return what the provider serves."""
        body = await fetch(http, self.protocol.models(endpoint), endpoint, timeouts)
        return tuple(self.protocol.parse_models(body))


async def fetch(http: httpx2.AsyncClient, wire: WireRequest, endpoint: Endpoint, timeouts: Timeouts) -> object:
    """Return the JSON that answers a request as a whole. Raises `ProviderError`."""
    clock = _Clock(timeouts)
    async with _opened(http, wire, endpoint, clock, timeouts) as response:
        if response.status_code >= 300:
            raise refusal(response.status_code, response.headers, await _error_body(response), endpoint)
        async with clock.waiting():
            raw = await _some(response, MAX_BODY_BYTES)
    try:
        # Vectors of some hundred passages are megabytes of digits.
        body = json.loads(raw) if len(raw) < LONG_BODY_BYTES else await asyncio.to_thread(json.loads, raw)
    except (ValueError, RecursionError):
        raise _not_an_endpoint() from None
    if isinstance(body, dict) and body.get("error"):
        raise reported(body["error"], endpoint)
    return body


async def _to_send(protocol: WireProtocol, endpoint: Endpoint, prompt: Prompt) -> WireRequest:
    """Return the request that asks; one with images is made and encoded off the event loop, as it has megabytes."""
    if not any(message.images for message in prompt.messages):
        return protocol.chat(endpoint, prompt)

    def encoded() -> WireRequest:
        request = protocol.chat(endpoint, prompt)
        return replace(request, content=json.dumps(request.body).encode())

    return await asyncio.to_thread(encoded)


@dataclass
class _Clock:
    """Enforces first-byte, idle and total time. `waiting` is entered once for each wait."""

    timeouts: Timeouts
    has_data: bool = False
    began: float = field(default_factory=lambda: asyncio.get_running_loop().time())
    connect_s: float = 0.0
    """What connecting took, with TLS; 0 on a connection that was open already."""
    _connecting_since: float = 0.0

    async def trace(self, event: str, _: object) -> None:
        """Take the time of connecting from the HTTP client's events."""
        instant = asyncio.get_running_loop().time()
        if event == "connection.connect_tcp.started":
            self._connecting_since = instant
        elif event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self.connect_s = instant - self._connecting_since

    @property
    def until(self) -> float:
        """When a wait that begins now has to end, by the event loop's clock."""
        instant = asyncio.get_running_loop().time()
        limit = instant + self.timeouts.idle_s if self.has_data else self.began + self.timeouts.first_byte_s
        return min(limit, self._end)

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """Bound one wait. Raises `ProviderError` TIMED_OUT or STALLED, or `_TotalTimeUp`."""
        try:
            async with asyncio.timeout_at(self.until):
                yield
        except TimeoutError:
            raise self.late() from None

    def late(self) -> Exception:
        """Return the error for a wait that took too long."""
        if asyncio.get_running_loop().time() >= self._end:
            return _TotalTimeUp()
        if self.has_data:
            return ProviderError(
                "The provider went silent for {seconds} seconds in mid-answer. Try again.",
                ProviderFault.STALLED,
                seconds=round(self.timeouts.idle_s),
            )
        return ProviderError(
            "The provider did not begin to answer within {seconds} seconds. Try again.",
            ProviderFault.TIMED_OUT,
            seconds=round(self.timeouts.first_byte_s),
        )

    @property
    def _end(self) -> float:
        return self.began + self.timeouts.total_s


class _TotalTimeUp(Exception):
    """The whole answer took as long as it may."""


@asynccontextmanager
async def _opened(
    http: httpx2.AsyncClient, wire: WireRequest, endpoint: Endpoint, clock: _Clock, timeouts: Timeouts
) -> AsyncIterator[httpx2.Response]:
    """Send the request and yield the response with its body unread; every failure below becomes ours."""
    if endpoint.key and not (endpoint.key.isascii() and endpoint.key.isprintable()):
        raise ProviderError(
            "The key holds characters that no key has. An administrator has to enter it again.",
            ProviderFault.KEY_REFUSED,
        )
    timeout = httpx2.Timeout(None, connect=timeouts.connect_s, pool=timeouts.connect_s)
    # Identity only: a compressed answer could be a bomb, and gains nothing on small events.
    headers = {**wire.headers, **dict(endpoint.headers), "Accept-Encoding": "identity"}
    try:
        method = "GET" if wire.body is None else "POST"
        more: dict[str, Any] = {"timeout": timeout, "extensions": {"trace": clock.trace}}
        if wire.content is None:
            request = http.build_request(method, wire.url, headers=headers, json=wire.body, **more)
        else:
            headers["Content-Type"] = "application/json"
            request = http.build_request(method, wire.url, headers=headers, content=wire.content, **more)
        async with clock.waiting():
            response = await http.send(request, stream=True)
        try:
            # Some servers begin with a byte order mark; the plain codec would pass it on.
            response.encoding = "utf-8-sig"
            yield response
        finally:
            await response.aclose()
    except _TotalTimeUp:
        raise ProviderError(
            "The provider did not answer within {seconds} seconds. Try again.",
            ProviderFault.TIMED_OUT,
            seconds=round(timeouts.total_s),
        ) from None
    except httpx2.HTTPError as error:
        raise _transport_error(error, endpoint, has_data=clock.has_data) from None
    except (httpx2.InvalidURL, UnicodeError):
        raise ProviderError("The provider's address is not usable. Correct it.", ProviderFault.NAME_NOT_FOUND) from None


async def _refuse_wrong_answers(response: httpx2.Response, content_types: tuple[str, ...], endpoint: Endpoint) -> None:
    """Raise unless the response is a streamed answer of the protocol."""
    if response.status_code >= 300:
        raise refusal(response.status_code, response.headers, await _error_body(response), endpoint)
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise ProviderError(
            "The provider compressed its answer although asked not to. Switch compression off on its side.",
            ProviderFault.PROTOCOL_BROKEN,
        )
    content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type in content_types:
        return
    if content_type == "application/json":
        body = await _error_body(response)
        try:
            parsed = json.loads(body)
        except (ValueError, RecursionError):
            parsed = None
        if isinstance(parsed, dict) and parsed.get("error"):
            raise reported(parsed["error"], endpoint)
    raise _not_an_endpoint()


async def _deltas(
    response: httpx2.Response, protocol: WireProtocol, translator: Translator, clock: _Clock
) -> AsyncGenerator[Delta]:
    """Yield what the translator makes of each event; ends with a capped `Finish` when the total time is up."""
    is_sse = protocol.content_types[0] == "text/event-stream"
    ahead = Ahead(events_read(response) if is_sse else lines_read(response))
    try:
        while True:
            try:
                events = await ahead.next(clock.until)
            except TimeoutError:
                raise clock.late() from None
            if not events:
                return
            clock.has_data = True
            for delta in _together(delta for event in events for delta in translator.feed(event)):
                if isinstance(delta, Finish):
                    await ahead.read_out(END_S)
                yield delta
    except _TotalTimeUp:
        if not clock.has_data:
            raise
        yield Finish("cap")
    finally:
        await ahead.aclose()


def _together(deltas: Iterable[Delta]) -> Iterator[Delta]:
    """Yield deltas, those of text and of reasoning that follow each other as one."""
    said: TextDelta | ReasoningDelta | None = None
    try:
        for delta in deltas:
            if said is not None and type(delta) is type(said) and len(said.text) < TOGETHER_CHARS:
                said = type(said)(said.text + delta.text)
                continue
            if said is not None:
                yield said
            said = delta if isinstance(delta, TextDelta | ReasoningDelta) else None
            if said is None:
                yield delta
    except ProviderError:
        if said is not None:
            # What came before it is kept.
            yield said
        raise
    if said is not None:
        yield said


async def _some(response: httpx2.Response, limit: int) -> bytes:
    """Return the body, cut at the limit."""
    found = bytearray()
    async for chunk in response.aiter_raw():
        found += chunk
        if len(found) > limit:
            break
    return bytes(found[:limit])


async def _error_body(response: httpx2.Response) -> bytes:
    """Return what a refusal says; nothing when it does not come: the status alone is told then."""
    with suppress(TimeoutError):
        async with asyncio.timeout(ERROR_BODY_S):
            return await _some(response, MAX_ERROR_BODY_BYTES)
    return b""


def parsed_object(data: str) -> dict[str, object]:
    """Return the JSON object of an event. Raises `ProviderError` when it is none."""
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        raise ProviderError(
            "The provider sent something that is not its protocol. What came before it is kept; try again.",
            ProviderFault.PROTOCOL_BROKEN,
        )
    return parsed


def _request_id(response: httpx2.Response) -> str:
    return next((response.headers[name] for name in REQUEST_ID_HEADERS if name in response.headers), "")[:200]


def _left(response: httpx2.Response) -> float | None:
    """Return how much of the allowance is left, of what is scarcest; None where that is not told."""
    shares = []
    for limit, remaining in ALLOWANCES:
        try:
            shares.append(float(response.headers[remaining]) / float(response.headers[limit]))
        except (KeyError, ValueError, ZeroDivisionError):
            continue
    return min((max(0.0, min(share, 1.0)) for share in shares), default=None)


def _transport_error(error: httpx2.HTTPError, endpoint: Endpoint, *, has_data: bool) -> ProviderError:
    """Return our error for a failure below HTTP."""
    host = httpx2.URL(endpoint.base_url).host if endpoint.base_url else ""
    if isinstance(error, httpx2.ConnectTimeout | httpx2.PoolTimeout):
        return ProviderError(
            "Connecting to {host} took too long. Check that it is up.", ProviderFault.TIMED_OUT, host=host
        )
    causes = set(map(type, _causes(error)))
    if any(issubclass(cause, socket.gaierror) for cause in causes):
        return ProviderError(
            "The name {host} was not found. Check the provider's address.", ProviderFault.NAME_NOT_FOUND, host=host
        )
    if any(issubclass(cause, ssl.SSLError) for cause in causes):
        return ProviderError(
            "The encrypted connection to {host} failed: its certificate is not trusted or has expired. "
            "Check the address and the certificate.",
            ProviderFault.TLS_FAILED,
            host=host,
        )
    if isinstance(error, httpx2.ConnectError):
        return ProviderError(
            "Nothing answers at {host}: the connection was refused. Check that the server runs and the port is right.",
            ProviderFault.CONNECTION_REFUSED,
            host=host,
        )
    return _cut_off() if has_data else _cut_off_early()


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen = 0
    while error is not None and seen < 10:
        yield error
        error, seen = error.__cause__ or error.__context__, seen + 1


def _cut_off() -> ProviderError:
    return ProviderError(
        "The provider's answer broke off before its end. What came is kept; try again.", ProviderFault.CUT_OFF
    )


def _cut_off_early() -> ProviderError:
    return ProviderError("The provider closed the connection without an answer. Try again.", ProviderFault.CUT_OFF)


def _not_an_endpoint() -> ProviderError:
    return ProviderError(
        "The address answers, but not as a model service does. Check it; it may be a login page or lack /v1.",
        ProviderFault.NOT_A_MODEL_ENDPOINT,
    )
