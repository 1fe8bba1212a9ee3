"""Asking a model in a conversation: whole, or as a stream."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from llm_ui.api.errors import request_id
from llm_ui.api.principal import Api, Parts
from llm_ui.api.rest.door import Told, asks
from llm_ui.api.routes.runs import HEADERS, following
from llm_ui.contract import ChatAnswer, ChatRequest, ErrorDetail
from llm_ui.kit.money import plain
from llm_ui.models import KeyScope
from llm_ui.runs.replay import metrics_of, usage_of
from llm_ui.services.access import Actor
from llm_ui.services.runs import read_run

router = APIRouter(prefix="/v1", route_class=Told)

Asker = Annotated[Actor, asks(KeyScope.CHAT, KeyScope.CONVERSATIONS_WRITE)]


@router.post("/chat/stream")
async def stream(body: ChatRequest, request: Request, parts: Parts, actor: Asker) -> StreamingResponse:
    """Store the question, begin to answer it and stream the run's events (design §3)."""
    run_id = await parts.engine.start(actor, body, request_id(request))
    return StreamingResponse(following(parts, actor, run_id, 0), media_type="text/event-stream", headers=HEADERS)


@router.post("/chat")
async def whole(body: ChatRequest, request: Request, parts: Parts, actor: Asker) -> ChatAnswer:
    """Store the question, wait for the answer's end and return it."""
    return await _answer(parts, actor, body, request_id(request))


@router.post("/conversations/{conversation_id}/messages", status_code=201)
async def ask(conversation_id: UUID, body: ChatRequest, request: Request, parts: Parts, actor: Asker) -> ChatAnswer:
    """Ask in this conversation, wait for the answer's end and return it."""
    inside = body.model_copy(update={"chat_id": conversation_id})
    return await _answer(parts, actor, inside, request_id(request))


async def _answer(parts: Api, actor: Actor, asked: ChatRequest, request_id: str) -> ChatAnswer:
    run_id = await parts.engine.start(actor, asked, request_id)
    async for _ in following(parts, actor, run_id, 0):
        pass
    async with parts.database.reading() as session:
        run, answer = await read_run(session, actor, run_id)
    error = None
    if run.error_code is not None:
        error = ErrorDetail(code=run.error_code, message=run.error_message or "", request_id=run.request_id)
    return ChatAnswer(
        run_id=run.id,
        chat_id=run.chat_id,
        question_id=run.question_id,
        answer_id=run.answer_id,
        status=run.status,
        text=answer.text,
        reasoning=answer.reasoning,
        model_name=run.model_name,
        instead_of=run.instead_of,
        finish_reason=run.finish_reason,
        usage=usage_of(run),
        cost_usd=None if run.cost_usd is None else plain(run.cost_usd),
        metrics=metrics_of(run),
        error=error,
    )
