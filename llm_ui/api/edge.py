"""The outermost layer of the LLM API: request ids, a bound on bodies, and the log of what crashed."""

import re
import secrets
from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llm_ui.api.errors import refusal_at
from llm_ui.api.public.answering import LIMIT_HEADERS, PASSED
from llm_ui.errors import TooLarge
from llm_ui.observability.logging import get_logger
from llm_ui.observability.origin import API, Origin, come_from

log = get_logger(__name__)

MAX_BODY_BYTES = 16_000_000
MAX_DISCARDED_BYTES = 64_000_000
"""A body over the limit is read up to this and thrown away: who is still sending does not see a refusal."""
REQUEST_IDS = (b"x-request-id", b"request-id")
"""In what an answer names its request; the second is what Anthropic's clients read."""
MAX_UPLOAD_BYTES = 5_000_000_000
"""Of a document, which goes straight to the disk: what any deployment can allow; the route knows what this one does."""
UPLOAD = re.compile(r"(?:/api)?/v1/projects/[^/]+/documents")
REQUEST_ID = re.compile(r"[\w.\-]{1,64}", re.ASCII)


class Edge:
    """ASGI middleware around everything, so that no answer leaves without its request id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - ASGI's own
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        come_from(Origin(API, (scope.get("client") or ("",))[0], _header(scope, b"user-agent"), request_id))
        body = _Body(receive, MAX_UPLOAD_BYTES if UPLOAD.fullmatch(scope["path"]) else MAX_BODY_BYTES)

        async def labelled(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *((name, request_id.encode()) for name in REQUEST_IDS)]
            if not body.is_too_large:
                await send(message)

        try:
            await self._app(scope, body.read, labelled)
        except Exception:
            # The person has been told by `errors`, or their stream has ended without its end, which says the same.
            log.exception("request.crashed", request_id=request_id, path=scope["path"])
        if body.is_too_large:
            await body.discard()
            limit = MAX_BODY_BYTES // 1_000_000
            error = TooLarge("The request is larger than {most} MB. Send less at once.", most=limit)
            response = refusal_at(scope["path"], error, request_id)
            response.raw_headers.extend((name, request_id.encode()) for name in REQUEST_IDS)
            await response(scope, receive, send)


def shared(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """Return the app as pages at other addresses may ask it: those that are listed, with a key and without cookies."""
    if not origins:
        return app
    told = ("x-request-id", "retry-after", *LIMIT_HEADERS, PASSED)
    methods = ("GET", "POST", "PUT", "PATCH", "DELETE")
    return CORSMiddleware(
        app, allow_origins=origins, allow_methods=methods, allow_headers=["*"], expose_headers=told
    )  # fmt: skip


class _Body:
    """The body of a request, up to the limit."""

    def __init__(self, receive: Receive, most_bytes: int) -> None:
        self._receive = receive
        self._most_bytes = most_bytes
        self._size_bytes = 0
        self._is_whole = False
        self.is_too_large = False
        """Whether more came than is taken; the app is told that the client has gone."""

    async def read(self) -> Message:
        """Return the next piece."""
        message = await self._receive()
        self._note(message)
        if self._size_bytes > self._most_bytes:
            self.is_too_large = True
            return {"type": "http.disconnect"}
        return message

    async def discard(self) -> None:
        """Read what is left of a body that is too large, within reason."""
        while not self._is_whole and self._size_bytes < MAX_DISCARDED_BYTES:
            self._note(await self._receive())

    def _note(self, message: Message) -> None:
        self._size_bytes += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)


def _request_id(scope: Scope) -> str:
    """Return the id that a proxy in front gave, else a new one."""
    given = _header(scope, b"x-request-id")
    return given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _header(scope: Scope, name: bytes) -> str:
    headers: dict[bytes, bytes] = dict(scope["headers"])
    return headers.get(name, b"").decode("latin-1")
