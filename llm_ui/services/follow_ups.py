"""Questions that a person might ask next, suggested under an answer."""

from collections.abc import Sequence

from llm_ui.db import ReadSession, Session
from llm_ui.errors import NotFound
from llm_ui.kit.ids import RunId
from llm_ui.models import Run, User
from llm_ui.services import settings
from llm_ui.services.access import Actor, readable
from llm_ui.services.settings import HELPER_FOLLOW_UPS, HELPER_MODEL


async def are_offered(session: ReadSession) -> bool:
    """Return whether this workspace suggests questions at all."""
    return await settings.get(session, HELPER_MODEL) is not None and await settings.get(session, HELPER_FOLLOW_UPS)


async def are_wanted(session: ReadSession, actor: Actor) -> bool:
    """Return whether the actor wants suggestions."""
    query = readable(User, actor).where(User.id == actor.user_id).with_only_columns(User.wants_follow_ups)
    return bool(await session.scalar(query))


async def set_wanted(session: Session, actor: Actor, *, is_wanted: bool) -> None:
    """Suggest questions to the actor from the next answer on, or no more."""
    row = await session.scalar(readable(User, actor).where(User.id == actor.user_id))
    if row is None:
        raise NotFound("Your account does not exist any more.")
    row.wants_follow_ups = is_wanted


async def keep(session: Session, actor: Actor, run_id: RunId, questions: Sequence[str]) -> None:
    """Keep what was suggested after a run. One that is gone is no error."""
    run = await session.scalar(readable(Run, actor).where(Run.id == run_id))
    if run is not None:
        run.follow_ups = {"questions": list(questions)}


def questions_of(follow_ups: dict[str, object] | None) -> tuple[str, ...]:
    """Return the questions that a run keeps."""
    questions = (follow_ups or {}).get("questions", [])
    return tuple(map(str, questions)) if isinstance(questions, list) else ()
