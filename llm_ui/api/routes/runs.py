"""Runs: list, look at, follow, stop."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from llm_ui.api.principal import Api, Parts
from llm_ui.api.rest.door import Told, asks
from llm_ui.api.rest.wire import After, Limit, Page, cursor, place
from llm_ui.contract import RunView
from llm_ui.errors import LLMUIError
from llm_ui.kit.ids import ChatId, KeyId, RunId
from llm_ui.kit.money import plain
from llm_ui.models import KeyScope, Run, RunStatus
from llm_ui.runs.key_watch import KeyWatch
from llm_ui.runs.replay import replay
from llm_ui.services.access import Actor
from llm_ui.services.runs import list_runs, read_run

router = APIRouter(prefix="/v1/runs", route_class=Told)

Reader = Annotated[Actor, asks(KeyScope.CONVERSATIONS_READ)]
Asker = Annotated[Actor, asks(KeyScope.CHAT)]
HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""Without them proxies hold a stream back."""


class RunEntry(BaseModel):
    """A run as the list shows it."""

    run_id: UUID
    conversation_id: UUID
    question_id: UUID
    answer_id: UUID
    status: RunStatus
    model_name: str
    provider_name: str
    finish_reason: str | None
    error_code: str | None
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: str | None
    ttft_ms: float | None
    total_ms: float | None
    created_at: datetime


@router.get("")
async def list_all(
    parts: Parts, actor: Reader, conversation_id: UUID | None = None, after: After = "", limit: Limit = 50
) -> Page[RunEntry]:
    """Return one's runs, or those of a conversation, the newest first."""
    (last,) = place(after, UUID) if after else (None,)
    chat_id = None if conversation_id is None else ChatId(conversation_id)
    async with parts.database.reading() as session:
        found = await list_runs(session, actor, chat_id=chat_id, after=last, limit=limit + 1)
    shown = list(map(_entry, found[:limit]))
    return Page(items=shown, next=cursor(str(shown[-1].run_id)) if len(found) > limit else None)


@router.get("/{run_id}/events")
async def events(
    run_id: UUID,
    parts: Parts,
    actor: Asker,
    last_event_id: Annotated[int, Header(ge=0)] = 0,
    after: Annotated[int, Query(ge=0)] = 0,
) -> StreamingResponse:
    """Stream the run's events after `Last-Event-ID`, then those that come."""
    if not parts.engine.is_temporary(actor, RunId(run_id)):
        async with parts.database.reading() as session:
            await read_run(session, actor, RunId(run_id))
    stream = following(parts, actor, RunId(run_id), max(last_event_id, after))
    return StreamingResponse(stream, media_type="text/event-stream", headers=HEADERS)


@router.get("/{run_id}")
async def view(run_id: UUID, parts: Parts, actor: Asker) -> RunView:
    """Return the run as it stands."""
    async with parts.database.reading() as session:
        run, _ = await read_run(session, actor, RunId(run_id))
    return RunView(
        run_id=run.id, chat_id=run.chat_id, answer_id=run.answer_id, status=run.status, last_event=run.last_event
    )


@router.post("/{run_id}/stop", status_code=202)
async def stop(run_id: UUID, parts: Parts, actor: Asker) -> Response:
    """End the run and keep what was said; a run that has ended stays as it is."""
    if not parts.engine.is_temporary(actor, RunId(run_id)):
        async with parts.database.reading() as session:
            await read_run(session, actor, RunId(run_id))
    await parts.engine.stop(RunId(run_id))
    return Response(status_code=202)


def following(parts: Api, actor: Actor, run_id: RunId, after: int) -> AsyncGenerator[bytes]:
    """Return the run's events: from memory while this process has them, else from the database."""
    log = parts.engine.events(run_id)
    frames = replay(parts.database, actor, run_id, after) if log is None else log.follow(after)
    return frames if actor.key is None else _while_good(parts.engine.watch, actor.key.key_id, frames)


async def _while_good(watch: KeyWatch, key_id: KeyId, frames: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """Yield the frames as long as the key is good."""
    ended = asyncio.get_running_loop().create_future()

    def end(why: LLMUIError) -> None:
        ended.set_result(why)

    with watch.over(key_id, end):
        async with aclosing(frames):
            while True:
                coming = asyncio.ensure_future(anext(frames, None))
                try:
                    await asyncio.wait({coming, ended}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    if not coming.done():
                        coming.cancel()
                        await asyncio.gather(coming, return_exceptions=True)
                if ended.done() or (frame := coming.result()) is None:
                    return
                yield frame


def _entry(run: Run) -> RunEntry:
    return RunEntry(
        run_id=run.id,
        conversation_id=run.chat_id,
        question_id=run.question_id,
        answer_id=run.answer_id,
        status=run.status,
        model_name=run.model_name,
        provider_name=run.provider_name,
        finish_reason=run.finish_reason,
        error_code=run.error_code,
        input_tokens=run.input_tokens,
        output_tokens=run.output_tokens,
        cost_usd=None if run.cost_usd is None else plain(run.cost_usd),
        ttft_ms=run.ttft_ms,
        total_ms=run.total_ms,
        created_at=run.created_at,
    )
