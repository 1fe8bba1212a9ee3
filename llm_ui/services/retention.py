"""What is deleted for good, and when; and what goes to the bin because nothing keeps it longer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, or_, select, update

from llm_ui.db import ReadSession, Session
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ProjectId
from llm_ui.models import (
    AccountLink,
    Agent,
    AlertEvent,
    Attachment,
    BackgroundJob,
    Backup,
    ChatHistory,
    ShareLink,
    UserSession,
)
from llm_ui.services import audit, cached_answers, holds, keeping, provider_health
from llm_ui.services.access import SYSTEM, Actor, Permission, ProjectRight, readable, require
from llm_ui.services.keeping import OF_PROJECT, Subject, checked
from llm_ui.services.projects import project_row

KEEP = timedelta(days=30)
"""How long chats stay in the bin, deleted agents can be taken back and ended sessions are listed."""
KEEP_TOLD = timedelta(days=90)
"""How long it is kept what alert rules told, and how backups went. Of what processes say the log goes after 14 days,
circuits after 30, probes after seven, reports after one; of slow statements the 200 longest stay (services/logs.py,
processes.py, provider_health.py)."""
KEEP_UNSENT = timedelta(days=1)
"""How long a file waits for its message to be sent."""
NAMED = 5
"""Of the actor's own chats that would go, by their titles."""


@dataclass(frozen=True, slots=True)
class Expiring:
    """What would go to the bin the next time, if a project kept chats for so many days."""

    chats: int
    people: int
    """Whose chats they are."""
    own_titles: Sequence[str]
    """Some of those that are the actor's; nobody is told the titles of others."""


async def weigh_keeping(session: ReadSession, actor: Actor, project_id: ProjectId, days: int) -> Expiring:
    """Return what would go. Raises `InvalidInput`, `NotFound` and `Forbidden`."""
    require(actor, Permission.CHAT)
    await project_row(session, actor, project_id, ProjectRight.OWN)
    subject = Subject(project_id=project_id)
    rule = await keeping.is_due(session, subject, checked(days)), ChatHistory.project_id == project_id
    # rights: counts only, of a project of which the actor is an owner
    counts = select(func.count(), func.count(ChatHistory.user_id.distinct())).where(*rule)
    chats, people = (await session.execute(counts)).one()
    mine = readable(ChatHistory, actor).where(*rule).order_by(ChatHistory.updated_at).limit(NAMED)
    return Expiring(chats, people, tuple(await session.scalars(mine.with_only_columns(ChatHistory.title))))


async def keep_for(session: Session, actor: Actor, project_id: ProjectId, days: int | None) -> None:
    """Have chats of a project go to the bin after so many days without a change; None: never.

    Raises `InvalidInput`, `NotFound` and `Forbidden`.
    """
    require(actor, Permission.CHAT)
    row = await project_row(session, actor, project_id, ProjectRight.OWN)
    days = None if days is None else checked(days)
    if days != row.keep_days:
        changes = audit.difference({"keep_days": row.keep_days}, {"keep_days": days})
        row.keep_days = days
        await cached_answers.forget(session, project_id=project_id)
        await audit.record(session, actor, OF_PROJECT, row.name, target_id=project_id, changes=changes)


async def expire_chats(session: Session) -> int:
    """Put the chats into the bin that a rule of a role, a team or a project keeps no longer; return how many."""
    # rights: the product's own clean-up, as administrators and owners of the projects have asked for it
    binned = update(ChatHistory).where(await keeping.is_due(session)).values(deleted_at=now())
    return len((await session.scalars(binned.returning(ChatHistory.id))).all())


async def note_purge(session: Session, **gone: int) -> None:
    """Write down how much was deleted for good; nothing where nothing was."""
    if any(gone.values()):
        told: Any = {name: count for name, count in gone.items() if count}
        await audit.record(session, SYSTEM, "retention.purged", "workspace", **told)


async def purge_sessions(session: Session) -> int:
    """Delete sessions that ended a month ago or more; return how many."""
    limit = now() - KEEP
    gone = delete(UserSession).where(or_(UserSession.revoked_at < limit, UserSession.expires_at < limit))
    return len((await session.scalars(gone.returning(UserSession.id))).all())


async def purge_bin(session: Session) -> int:
    """Delete chats that went to the bin a month ago or more, with all that hangs on them; return how many."""
    gone = delete(ChatHistory).where(ChatHistory.deleted_at < now() - KEEP, holds.is_free_chat())
    return len((await session.scalars(gone.returning(ChatHistory.id))).all())


async def purge_agents(session: Session) -> int:
    """Delete agents that were deleted a month ago or more; chats with them keep their names. Return how many."""
    gone = delete(Agent).where(Agent.deleted_at < now() - KEEP, Agent.owner_id.not_in(holds.held_people()))
    return len((await session.scalars(gone.returning(Agent.id))).all())


async def purge_links(session: Session) -> int:
    """Delete links that have expired or were revoked: their copies of chats are for nobody; return how many."""
    is_over = or_(ShareLink.revoked_at.is_not(None), ShareLink.expires_at < now())
    gone = delete(ShareLink).where(is_over, ShareLink.user_id.not_in(holds.held_people()))
    return len((await session.scalars(gone.returning(ShareLink.id))).all())


async def purge_account_links(session: Session) -> int:
    """Delete invitations and links for new passwords that can be used no more; return how many."""
    gone = delete(AccountLink).where(AccountLink.expires_at < now())
    return len((await session.scalars(gone.returning(AccountLink.user_id))).all())


async def purge_jobs(session: Session) -> int:
    """Delete jobs that ended a month ago or more; return how many."""
    gone = delete(BackgroundJob).where(BackgroundJob.finished_at < now() - KEEP)
    return len((await session.scalars(gone.returning(BackgroundJob.id))).all())


async def purge_unsent(session: Session) -> int:
    """Delete files that were uploaded a day ago or more and never sent; return how many."""
    is_free = Attachment.user_id.not_in(holds.held_people())
    is_old = Attachment.message_id.is_(None), Attachment.created_at < now() - KEEP_UNSENT, is_free
    return len((await session.scalars(delete(Attachment).where(*is_old).returning(Attachment.id))).all())


async def purge_monitoring(session: Session) -> int:
    """Delete what rules told, how backups went and what probes found once that is long ago; return how many."""
    limit = now() - KEEP_TOLD
    told = await session.scalars(delete(AlertEvent).where(AlertEvent.at < limit).returning(AlertEvent.id))
    made = await session.scalars(delete(Backup).where(Backup.finished_at < limit).returning(Backup.id))
    probes = await provider_health.purge(session, now())
    return len(told.all()) + len(made.all()) + probes
