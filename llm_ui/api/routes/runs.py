"""Runs: follow, look at, stop."""

from collections.abc import AsyncGenerator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse

from llm_ui.api.principal import Api, Parts, Principal
from llm_ui.contract import Aftermath, RunView, SentRequest
from llm_ui.kit.file_store import FileStore
from llm_ui.kit.ids import RunId
from llm_ui.runs.replay import replay
from llm_ui.runs.sent_request import sent_request
from llm_ui.services.access import Actor
from llm_ui.services.chats import open_chat
from llm_ui.services.follow_ups import questions_of
from llm_ui.services.runs import read_run
from llm_ui.services.tags import first_tags

router = APIRouter(prefix="/v1/runs")

HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""Without them proxies hold a stream back."""
AFTERMATH_S = 20.0
"""How long who asks for what comes after an answer waits for it; they may ask again."""


@router.get("/{run_id}/events")
async def events(
    run_id: UUID,
    parts: Parts,
    actor: Principal,
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
async def view(run_id: UUID, parts: Parts, actor: Principal) -> RunView:
    """Return the run as it stands."""
    async with parts.database.reading() as session:
        run, _ = await read_run(session, actor, RunId(run_id))
    return RunView(
        run_id=run.id, chat_id=run.chat_id, answer_id=run.answer_id, status=run.status, last_event=run.last_event
    )


@router.get("/{run_id}/aftermath")
async def aftermath(run_id: UUID, parts: Parts, actor: Principal) -> Aftermath:
    """Return what was made after the run's answer: once it is made, or after a while as far as it is."""
    async with parts.database.reading() as session:
        await read_run(session, actor, RunId(run_id))
    is_over = await parts.engine.finished(RunId(run_id), AFTERMATH_S)
    async with parts.database.reading() as session:
        run, _ = await read_run(session, actor, RunId(run_id))
        chat = await open_chat(session, actor, run.chat_id)
        tags = await first_tags(session, actor, run)
    return Aftermath(
        chat_id=run.chat_id,
        answer_id=run.answer_id,
        is_over=is_over,
        title=chat.title,
        tags=tags,
        follow_ups=questions_of(run.follow_ups),
    )


@router.get("/{run_id}/request")
async def request(run_id: UUID, parts: Parts, actor: Principal) -> SentRequest:
    """Return the HTTP request with which the run's provider was asked, without its key."""
    async with parts.database.reading() as session:
        return await sent_request(session, actor, FileStore(parts.config.files_path), RunId(run_id))


@router.post("/{run_id}/stop", status_code=202)
async def stop(run_id: UUID, parts: Parts, actor: Principal) -> Response:
    """End the run and keep what was said; a run that has ended stays as it is."""
    if not parts.engine.is_temporary(actor, RunId(run_id)):
        async with parts.database.reading() as session:
            await read_run(session, actor, RunId(run_id))
    await parts.engine.stop(RunId(run_id))
    return Response(status_code=202)


def following(parts: Api, actor: Actor, run_id: RunId, after: int) -> AsyncGenerator[bytes]:
    """Return the run's events: from memory while this process has them, else from the database."""
    log = parts.engine.events(run_id)
    return replay(parts.database, actor, run_id, after) if log is None else log.follow(after)
