"""What the pages alone ask of a run."""

from uuid import UUID

from fastapi import APIRouter

from llm_ui.api.principal import Parts, Principal
from llm_ui.contract import Aftermath, SentRequest
from llm_ui.kit.file_store import FileStore
from llm_ui.kit.ids import RunId
from llm_ui.runs.sent_request import sent_request
from llm_ui.services.chats import open_chat
from llm_ui.services.follow_ups import questions_of
from llm_ui.services.runs import read_run
from llm_ui.services.tags import first_tags

router = APIRouter(prefix="/v1/runs")

AFTERMATH_S = 20.0
"""How long who asks for what comes after an answer waits for it; they may ask again."""


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
