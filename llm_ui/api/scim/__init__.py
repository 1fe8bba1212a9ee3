"""SCIM 2.0 (RFC 7643, RFC 7644): directories keep accounts and teams here by themselves.

Only with `llm-ui[scim]`; what reads the protocol is imported with the first request.
"""

import asyncio
from collections.abc import Iterator
from importlib import import_module

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from llm_ui.api.principal import Api
from llm_ui.api.public.door import Guard
from llm_ui.services import directories

PREFIXES = ("/scim/v2", "/api/scim/v2")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
MEDIA_TYPE = "application/scim+json"
MISSING = "This workspace was installed without SCIM. Install it with: pip install llm-ui[scim]"


def routes(parts: Api, guard: Guard) -> Iterator[Route]:
    """Return the addresses of the protocol."""
    for prefix in PREFIXES:
        yield Route(f"{prefix}/{{path:path}}", _Entry(parts, guard), methods=METHODS, include_in_schema=False)


class _Entry:
    """What answers at these addresses: an ASGI app."""

    def __init__(self, parts: Api, guard: Guard) -> None:
        self._parts, self._guard = parts, guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        response = await self._response(Request(scope, receive))
        await response(scope, receive, send)

    async def _response(self, request: Request) -> Response:
        if not directories.HAS_SCIM:
            body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "501", "detail": MISSING}
            return JSONResponse(body, 501, media_type=MEDIA_TYPE)
        # In a thread, for it takes most of a second; 7 MB that most never need.
        app = await asyncio.to_thread(import_module, "llm_ui.api.scim.app")
        answered: Response = await app.answer(request, self._parts, self._guard)
        return answered
