"""Reading runs: one by its id, the live one of a chat."""

from llm_ui.db import ReadSession
from llm_ui.errors import NotFound
from llm_ui.kit.ids import ChatId, RunId
from llm_ui.models import LIVE_STATUSES, ChatMessage, Run
from llm_ui.services.access import Actor, readable


async def read_run(session: ReadSession, actor: Actor, run_id: RunId) -> tuple[Run, ChatMessage]:
    """Return a run of the actor and its answer. Raises `NotFound`, for somebody else's too."""
    run = await session.scalar(readable(Run, actor).where(Run.id == run_id))
    answer = None if run is None else await session.get(ChatMessage, run.answer_id)
    if run is None or answer is None:
        raise NotFound("This run does not exist, or it is not yours.")
    return run, answer


async def live_run(session: ReadSession, actor: Actor, chat_id: ChatId) -> Run | None:
    """Return the run that is writing an answer in the chat now, if any."""
    query = readable(Run, actor).where(Run.chat_id == chat_id, Run.status.in_(LIVE_STATUSES))
    return await session.scalar(query.order_by(Run.created_at.desc()).limit(1))
