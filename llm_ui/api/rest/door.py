"""Who asks our own REST: a script with a key that is for this, or a person's page with a ticket."""

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request, Response, Security
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from llm_ui.api.principal import Parts, principal
from llm_ui.api.public.answering import headers_of
from llm_ui.api.public.door import Guard
from llm_ui.kit import i18n
from llm_ui.models import KeyScope
from llm_ui.services.access import Actor
from llm_ui.services.keys import BEGINNING

BEARER = HTTPBearer(scheme_name="key", description="A key of the page *API keys*.", auto_error=False)
Handle = Callable[[Request], Coroutine[Any, Any, Response]]


def asks(*scopes: KeyScope) -> Any:
    """Return the dependency that gives whoever asks, with a key that has all of these scopes.

    The request holds its place among those of the key until it is answered to its end.
    """

    async def asker(request: Request, parts: Parts, _: Annotated[Any, Security(BEARER)]) -> AsyncIterator[Actor]:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        is_key = scheme.lower() == "bearer" and token.strip().startswith(BEGINNING)
        if not is_key and "x-api-key" not in request.headers:
            yield await principal(request, parts)
            return
        # As with other protocols: what scripts are told ends up in logs and searches.
        i18n.speak("en")
        guard: Guard = request.app.state.guard
        caller = await guard.caller(request, parts, *scopes)
        with parts.gateway.limits.admitted(caller, 0) as request.state.allowance:
            yield caller.actor

    return Depends(asker)


class Told(APIRoute):
    """A route that tells what is left of the limits of the key, and leaves out what whoever asks has already."""

    def get_route_handler(self) -> Handle:
        """Return the handler."""
        handle = super().get_route_handler()

        async def told(request: Request) -> Response:
            response = await handle(request)
            if (allowance := getattr(request.state, "allowance", None)) is not None:
                response.headers.update(headers_of(allowance))
            tag = response.headers.get("etag")
            if request.method == "GET" and tag is not None and tag == request.headers.get("if-none-match"):
                kept = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
                return Response(status_code=304, headers=kept)
            return response

        return told
