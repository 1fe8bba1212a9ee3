"""Figures for Prometheus: with the token that is set, else for this host alone."""

import hmac
from ipaddress import ip_address

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse

from llm_ui.api.principal import Api, Parts
from llm_ui.errors import NotSignedIn
from llm_ui.observability import metrics
from llm_ui.services.waiting import waiting

router = APIRouter()

TEXT = "text/plain; version=0.0.4; charset=utf-8"


@router.get("/metrics")
async def figures(request: Request, parts: Parts) -> PlainTextResponse:
    """Return the figures of this process, and what waits in the database."""
    _require_trusted(request, parts)
    metrics.RUNNING.set(len(parts.engine.live_runs()), "chat")
    metrics.RUNNING.set(parts.gateway.live_calls, "api")
    metrics.BREAKERS.set(len(parts.engine.left_alone()))
    async with parts.database.reading() as session:
        for what, count in (await waiting(session)).items():
            metrics.WAITING.set(count, what)
    return PlainTextResponse(metrics.exposition(), media_type=TEXT)


def _require_trusted(request: Request, parts: Api) -> None:
    """Raise `NotSignedIn` unless the token is sent, or none is set and the request comes from this very host."""
    token = parts.config.metrics_token
    if token is not None:
        given = request.headers.get("authorization", "").partition(" ")[2].strip()
        if hmac.compare_digest(given.encode(), token.get_secret_value().encode()):
            return
        raise NotSignedIn("This address needs the token of LLM_UI_METRICS_TOKEN: send it as Authorization: Bearer.")
    # What a proxy on this host hands on comes from elsewhere.
    if "x-forwarded-for" not in request.headers and "forwarded" not in request.headers and _is_here(request):
        return
    raise NotSignedIn("Figures are told to this host alone. Set LLM_UI_METRICS_TOKEN to read them from elsewhere.")


def _is_here(request: Request) -> bool:
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False
