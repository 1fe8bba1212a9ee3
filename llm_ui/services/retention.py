"""What is deleted for good, and when."""

from datetime import timedelta

from sqlalchemy import delete, or_

from llm_ui.db import Session
from llm_ui.kit.clock import now
from llm_ui.models import Agent, Attachment, BackgroundJob, ChatHistory, ShareLink, UserSession

KEEP = timedelta(days=30)
"""How long chats stay in the bin, deleted agents can be taken back and ended sessions are listed."""
KEEP_UNSENT = timedelta(days=1)
"""How long a file waits for its message to be sent."""


async def purge_sessions(session: Session) -> int:
    """Delete sessions that ended a month ago or more; return how many."""
    limit = now() - KEEP
    gone = delete(UserSession).where(or_(UserSession.revoked_at < limit, UserSession.expires_at < limit))
    return len((await session.scalars(gone.returning(UserSession.id))).all())


async def purge_bin(session: Session) -> int:
    """Delete chats that went to the bin a month ago or more, with all that hangs on them; return how many."""
    gone = delete(ChatHistory).where(ChatHistory.deleted_at < now() - KEEP)
    return len((await session.scalars(gone.returning(ChatHistory.id))).all())


async def purge_agents(session: Session) -> int:
    """Delete agents that were deleted a month ago or more; chats with them keep their names. Return how many."""
    gone = delete(Agent).where(Agent.deleted_at < now() - KEEP)
    return len((await session.scalars(gone.returning(Agent.id))).all())


async def purge_links(session: Session) -> int:
    """Delete links that have expired or were revoked: their copies of chats are for nobody; return how many."""
    gone = delete(ShareLink).where(or_(ShareLink.revoked_at.is_not(None), ShareLink.expires_at < now()))
    return len((await session.scalars(gone.returning(ShareLink.id))).all())


async def purge_jobs(session: Session) -> int:
    """Delete jobs that ended a month ago or more; return how many."""
    gone = delete(BackgroundJob).where(BackgroundJob.finished_at < now() - KEEP)
    return len((await session.scalars(gone.returning(BackgroundJob.id))).all())


async def purge_unsent(session: Session) -> int:
    """Delete files that were uploaded a day ago or more and never sent; return how many."""
    is_old = Attachment.message_id.is_(None), Attachment.created_at < now() - KEEP_UNSENT
    return len((await session.scalars(delete(Attachment).where(*is_old).returning(Attachment.id))).all())
