"""An answer on its way to a script: whole or as a stream, cut off when the script goes away."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, aclosing
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from llm_ui.api.principal import Api
from llm_ui.api.public.asking import Question
from llm_ui.api.public.dialects import Dialect
from llm_ui.api.public.writing import Whole, Writer, piece
from llm_ui.errors import InvalidInput, LLMUIError, Unavailable
from llm_ui.kit.bucket import Level
from llm_ui.models import LimitKind
from llm_ui.providers.base import Delta, Finish
from llm_ui.runs.cache_key import CacheWish, Repeated
from llm_ui.runs.gateway.asked import Asked
from llm_ui.runs.gateway.gateway import Gateway
from llm_ui.runs.gateway.limits import Allowance
from llm_ui.services.keys import Caller
from llm_ui.services.offered import named

Handler = Callable[[Request, Caller, Api], Awaitable[ASGIApp]]
WHAT = {LimitKind.REQUESTS_MINUTE: "requests", LimitKind.TOKENS_MINUTE: "tokens"}
LIMIT_HEADERS = tuple(f"x-ratelimit-{what}-{of}" for of in WHAT.values() for what in ("limit", "remaining", "reset"))
PASSED = "x-llm-ui-limit-passed"
"""Sentences on limits that only warn, percent-encoded where they have to be."""
CACHE_HEADER = "x-llm-ui-cache"
"""Says `hit`, `similar` or `miss` where answers are kept."""
SIMILARITY = "x-llm-ui-cache-similarity"
"""The cosine of a similar question with the one that is asked."""
NOT_KEPT = {"cache-control": "no-cache", "x-accel-buffering": "no"}
"""Of streams: nothing on the way may keep them back."""


def asks(read: Callable[[bytes], Question], write: Callable[[Question], Writer], dialect: Dialect) -> Handler:
    """Return the handler of questions in a protocol."""

    async def handle(request: Request, caller: Caller, parts: Api) -> ASGIApp:
        question = read(await request.body())
        return await answer(parts, caller, question, write(question), dialect, wish_of(request))

    return handle


async def counted(parts: Api, caller: Caller, question: Question) -> int:
    """Return how many tokens a question has, by estimate."""
    async with parts.database.reading() as session:
        target = await named(session, caller.actor, question.model, caller.models, is_embedder=False)
    return parts.gateway.asked(caller, target, question.prompt).input_tokens


def wish_of(request: Request) -> CacheWish:
    """Return what a script says of answers that are there: RFC 9111, 5.2.1.4 and 5.2.1.5."""
    said = {one.strip().lower() for one in request.headers.get("cache-control", "").split(",")}
    return CacheWish(may_read=not said & {"no-cache", "no-store"}, may_keep="no-store" not in said)


async def answer(
    parts: Api, caller: Caller, question: Question, writer: Writer, dialect: Dialect, wish: CacheWish
) -> "Answering":
    """Return the response to a question. Raises our errors for what cannot be asked."""
    async with parts.database.reading() as session:
        target = await named(session, caller.actor, question.model, caller.models, is_embedder=False)
        target = await parts.gateway.picked(session, caller, target, question.prompt)
    if not target.can_see_images and any(message.images for message in question.prompt.messages):
        raise InvalidInput("{model} cannot see images. Pick a model that can.", model=target.display_name)
    gateway = parts.gateway
    asked = gateway.asked(caller, target, question.prompt, wish)
    place = gateway.limits.admitted(caller, asked.input_tokens)
    return Answering(gateway, asked, writer, dialect, place=place, is_stream=question.is_stream)


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
        told = {**headers, **limits_of(self._asked), **_who(self._asked)}
        await JSONResponse(body, headers=told)(scope, receive, send)

    async def _stream(self, deltas: AsyncIterator[Delta], send: Send, whole: Whole, headers: Mapping[str, str]) -> None:
        async for delta in deltas:
            if not self._has_begun:
                self._has_begun = True
                told = {**headers, **limits_of(self._asked), **_who(self._asked)}
                told |= {"content-type": self._writer.content_type, **NOT_KEPT}
                raw = [(name.encode(), value.encode()) for name, value in told.items()]
                await send({"type": "http.response.start", "status": 200, "headers": raw})
                await _send(send, self._writer.begin())
            whole.take(delta)
            if isinstance(delta, Finish):
                await _send(send, self._writer.end(whole, self._asked.usage()), is_last=True)
            elif frame := piece(self._writer, delta):
                await _send(send, frame)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, error: LLMUIError) -> None:
        if self._has_begun:
            await _send(send, self._writer.failed(error), is_last=True)
        else:
            await refused(self._dialect, error)(scope, receive, send)


async def _send(send: Send, frame: bytes, *, is_last: bool = False) -> None:
    await send({"type": "http.response.body", "body": frame, "more_body": not is_last})


def _who(asked: Asked) -> dict[str, str]:
    """Return which model answered, where that is not the one that was asked, and whether its answer was there.

    Names of other alphabets are quoted.
    """
    cached = {} if asked.cache_use is None else _cached(asked.repeated)
    auto = {} if asked.choice is None else {"x-llm-ui-auto": asked.choice.auto}
    if asked.split is not None and asked.split.variant:
        auto["x-llm-ui-experiment"] = asked.split.experiment
    if not asked.instead_of and not auto:
        return cached
    names = {"x-llm-ui-model": asked.target.wire_name, **auto}
    if asked.instead_of:
        names["x-llm-ui-instead-of"] = asked.instead_of
    return cached | {header: quote(name, safe="/ :") for header, name in names.items()}


def _cached(repeated: Repeated | None) -> dict[str, str]:
    """Return whether the answer was there, and how near a question has to be for which it was made."""
    if repeated is None or repeated.similarity is None:
        return {CACHE_HEADER: "miss" if repeated is None else "hit"}
    return {CACHE_HEADER: "similar", SIMILARITY: f"{repeated.similarity:.3f}"}


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
    return {**_level("requests", allowance.requests), **_level("tokens", allowance.tokens)}


def limits_of(asked: Asked) -> dict[str, str]:
    """Return the same of limits that administrators have set, where there are some: those are the tighter ones."""
    place, warnings = asked.place, list(asked.warnings)
    told: dict[str, str] = {}
    if place is not None:
        for kind, what in WHAT.items():
            if kind in place.levels:
                told |= _level(what, place.levels[kind])
        warnings += place.warnings
    return {**told, PASSED: quote(" ".join(warnings), safe=" .,:$-")} if warnings else told


def _level(what: str, level: Level) -> dict[str, str]:
    found = level.limit, level.remaining, f"{level.reset_s:.3f}s"
    names = ("limit", "remaining", "reset")
    return {f"x-ratelimit-{name}-{what}": f"{one}" for name, one in zip(names, found, strict=True)}
