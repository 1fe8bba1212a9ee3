"""An answer on its way to a script: whole or as a stream, cut off when the script goes away."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, aclosing
from dataclasses import dataclass, field
from typing import Protocol

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from llm_ui.contract import Usage
from llm_ui.errors import LLMUIError, Unavailable
from llm_ui.providers.base import (
    CallDelta,
    Delta,
    Finish,
    LogprobsDelta,
    ReasoningDelta,
    TextDelta,
    ToolCall,
)
from llm_ui.providers.calls import unreadable
from llm_ui.runs.gateway.asked import Asked
from llm_ui.runs.gateway.gateway import Gateway
from llm_ui.runs.gateway.limits import Allowance

EVENT_STREAM = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


@dataclass
class Whole:
    """An answer as it is put together."""

    texts: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    probabilities: list[dict[str, object]] = field(default_factory=list)
    reason: str = "stop"

    def take(self, delta: Delta) -> None:
        """Take in a piece. Raises `ProviderError` for a call whose arguments nobody can read."""
        match delta:
            case TextDelta():
                self.texts.append(delta.text)
            case ReasoningDelta():
                self.thoughts.append(delta.text)
            case CallDelta():
                if delta.call.arguments is None:
                    raise unreadable()
                self.calls.append(delta.call)
            case LogprobsDelta():
                self.probabilities += delta.tokens
            case Finish():
                # Some providers end an answer with calls like any other.
                self.reason = "tool" if self.calls and delta.reason == "stop" else delta.reason
            case _:
                pass


class Writer(Protocol):
    """Writes one answer in a protocol."""

    def begin(self) -> bytes:
        """Return what comes before the first piece."""
        ...

    def piece(self, delta: Delta) -> bytes:
        """Return the frame of a piece; nothing for what the protocol has no place for."""
        ...

    def end(self, whole: Whole, usage: Usage) -> bytes:
        """Return what comes after the last piece."""
        ...

    def failed(self, error: LLMUIError) -> bytes:
        """Return the frame for an answer that goes wrong on its way."""
        ...

    def whole(self, whole: Whole, usage: Usage) -> dict[str, object]:
        """Return the answer as one object."""
        ...


class Dialect(Protocol):
    """How a protocol says no."""

    def refusal(self, error: LLMUIError) -> tuple[int, dict[str, object]]:
        """Return status and body."""
        ...


class Answering:
    """The response to a question: an ASGI app."""

    def __init__(
        self,
        gateway: Gateway,
        asked: Asked,
        writer: Writer,
        dialect: Dialect,
        *,
        place: AbstractContextManager[Allowance],
        is_stream: bool,
    ) -> None:
        self._gateway, self._asked, self._writer, self._dialect = gateway, asked, writer, dialect
        self._place, self._is_stream = place, is_stream
        self._has_begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        leaving = asyncio.create_task(_leave(receive, self._asked))
        try:
            with self._place as allowance:
                await self._answer(scope, receive, send, headers_of(allowance))
        except LLMUIError as error:
            await self._refuse(scope, receive, send, error)
        except asyncio.CancelledError:
            # Cut off while a piece was being sent.
            if self._asked.ended_by is None:
                raise
            await self._refuse(scope, receive, send, self._asked.ended_by)
        finally:
            leaving.cancel()

    async def _answer(self, scope: Scope, receive: Receive, send: Send, headers: Mapping[str, str]) -> None:
        whole = Whole()
        async with aclosing(self._gateway.answer(self._asked)) as deltas:
            if self._is_stream:
                await self._stream(deltas, send, whole, headers)
                return
            async for delta in deltas:
                whole.take(delta)
        body = self._writer.whole(whole, self._asked.usage())
        await JSONResponse(body, headers=dict(headers))(scope, receive, send)

    async def _stream(self, deltas: AsyncIterator[Delta], send: Send, whole: Whole, headers: Mapping[str, str]) -> None:
        async for delta in deltas:
            if not self._has_begun:
                self._has_begun = True
                raw = [(name.encode(), value.encode()) for name, value in headers.items()]
                await send({"type": "http.response.start", "status": 200, "headers": [*EVENT_STREAM, *raw]})
                await _send(send, self._writer.begin())
            whole.take(delta)
            if isinstance(delta, Finish):
                await _send(send, self._writer.end(whole, self._asked.usage()), is_last=True)
            elif frame := self._writer.piece(delta):
                await _send(send, frame)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, error: LLMUIError) -> None:
        if self._has_begun:
            await _send(send, self._writer.failed(error), is_last=True)
        else:
            await refused(self._dialect, error)(scope, receive, send)


async def _send(send: Send, frame: bytes, *, is_last: bool = False) -> None:
    await send({"type": "http.response.body", "body": frame, "more_body": not is_last})


async def _leave(receive: Receive, asked: Asked) -> None:
    """End the answer when nobody waits for it any more."""
    while (await receive())["type"] != "http.disconnect":
        pass
    asked.end(Unavailable("Whoever asked has gone."))


def refused(dialect: Dialect, error: LLMUIError) -> Response:
    """Return the response for an error, with when to try again, and whether that makes sense."""
    status, body = dialect.refusal(error)
    headers = {} if error.retry_after is None else {"Retry-After": f"{error.retry_after:.0f}"}
    if status >= 408:
        headers["x-should-retry"] = "true" if error.retryable else "false"
    return JSONResponse(body, status, headers)


def headers_of(allowance: Allowance) -> dict[str, str]:
    """Return what is left of the limits: https://platform.openai.com/docs/guides/rate-limits."""
    found = {}
    for name, level in (("requests", allowance.requests), ("tokens", allowance.tokens)):
        found[f"x-ratelimit-limit-{name}"] = str(level.limit)
        found[f"x-ratelimit-remaining-{name}"] = str(level.remaining)
        found[f"x-ratelimit-reset-{name}"] = f"{level.reset_s:.3f}s"
    return found
