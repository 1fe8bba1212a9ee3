"""Reading runs."""

from collections.abc import Sequence

from llm_ui.db import ReadSession
from llm_ui.errors import NotFound
from llm_ui.kit.ids import ChatId, RunId
from llm_ui.models import ChatMessage, Run
from llm_ui.services.access import Actor, readable


async def list_runs(
    session: ReadSession, actor: Actor, *, chat_id: ChatId | None, after: RunId | None, limit: int
) -> Sequence[Run]:
    """Return so many runs of the actor, or those of a chat, newest first, after one."""
    query = readable(Run, actor).order_by(Run.id.desc()).limit(limit)
    if chat_id is not None:
        query = query.where(Run.chat_id == chat_id)
    return (await session.scalars(query if after is None else query.where(Run.id < after))).all()


async def read_run(session: ReadSession, actor: Actor, run_id: RunId) -> tuple[Run, ChatMessage]:
    """Return a run of the actor and its answer. Raises `NotFound`, for somebody else's too."""
    run = await session.scalar(readable(Run, actor).where(Run.id == run_id))
    answer = None if run is None else await session.get(ChatMessage, run.answer_id)
    if run is None or answer is None:
        raise NotFound("This run does not exist, or it is not yours.")
    return run, answer
