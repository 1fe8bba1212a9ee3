"""Asking a model in a temporary chat."""

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from llm_ui.api.errors import request_id
from llm_ui.api.principal import Parts, Principal
from llm_ui.api.routes.runs import HEADERS, following
from llm_ui.contract import TemporaryRequest

router = APIRouter(prefix="/v1/chat/temporary")


@router.post("/stream")
async def stream(body: TemporaryRequest, request: Request, parts: Parts, actor: Principal) -> StreamingResponse:
    """Begin to answer in a temporary chat, which is stored nowhere, and stream the run's events."""
    run_id = await parts.engine.start(actor, body, request_id(request))
    return StreamingResponse(following(parts, actor, run_id, 0), media_type="text/event-stream", headers=HEADERS)
