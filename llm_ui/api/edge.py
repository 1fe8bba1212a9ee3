"""The outermost layer of the LLM API: request ids and a bound on bodies."""

import re
import secrets

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llm_ui.errors import TooLarge

MAX_BODY_BYTES = 16_000_000
REQUEST_ID = re.compile(r"[\w.\-]{1,64}")


class Edge:
    """ASGI middleware: gives each request an id, in the response too, and refuses bodies over the limit."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - ASGI's own
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        received = 0

        async def bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                raise TooLarge(f"The request is larger than {MAX_BODY_BYTES // 1_000_000} MB. Send less at once.")
            return message

        async def labelled(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        await self._app(scope, bounded, labelled)
