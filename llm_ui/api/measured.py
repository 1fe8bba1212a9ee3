"""What is measured of every request, and of which trace it is."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llm_ui.observability import metrics, tracing
from llm_ui.observability.export import RequestSpan, request_span


class Measured:
    """ASGI middleware: counts requests by address, method and status, and tells their spans."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - ASGI's own
        headers: dict[bytes, bytes] = dict(scope.get("headers", ()))
        if scope["type"] != "http":
            tracing.take_up(headers.get(tracing.HEADER.encode(), b"").decode("latin-1"))
            await self._app(scope, receive, send)
            return
        with request_span(headers, scope["method"]) as span:
            await self._measure(scope, receive, send, span)

    async def _measure(self, scope: Scope, receive: Receive, send: Send, span: RequestSpan) -> None:
        began, status = time.monotonic(), 499

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            # The address as it is written down: with the names of ids, not with the ids.
            path = getattr(scope.get("route"), "path", metrics.OTHER)
            metrics.REQUESTS.add(scope["method"] if path != metrics.OTHER else metrics.OTHER, path, status)
            metrics.REQUEST_SECONDS.observe(time.monotonic() - began, path)
            span.ended(path, status)
