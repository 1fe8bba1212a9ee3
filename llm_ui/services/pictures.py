"""The picture of a person."""

from llm_ui.db import ReadSession, Session
from llm_ui.models import UserPicture
from llm_ui.services import audit
from llm_ui.services.access import Actor


async def own(session: ReadSession, actor: Actor) -> bytes | None:
    """Return the actor's picture as WebP."""
    # rights: one's own
    row = await session.get(UserPicture, actor.user_id)
    return None if row is None else row.data


async def put(session: Session, actor: Actor, data: bytes) -> None:
    """Give the actor this picture, which was drawn anew."""
    # rights: one's own
    row = await session.get(UserPicture, actor.user_id)
    if row is None:
        session.add(UserPicture(user_id=actor.user_id, data=data))
    else:
        row.data = data
    await audit.record(session, actor, "user.picture_changed", actor.name, target_id=actor.user_id)


async def remove(session: Session, actor: Actor) -> None:
    """Take the actor's picture away. Nothing happens without one."""
    # rights: one's own
    row = await session.get(UserPicture, actor.user_id)
    if row is not None:
        await session.delete(row)
        await audit.record(session, actor, "user.picture_removed", actor.name, target_id=actor.user_id)
