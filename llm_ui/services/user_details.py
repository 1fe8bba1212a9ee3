"""What is known of one account."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, or_, select

from llm_ui.db import ReadSession
from llm_ui.kit.ids import UserId
from llm_ui.models import Attachment, AuditLog, Document, Project, ProjectMember, ProjectRole
from llm_ui.services import directories, quotas
from llm_ui.services.access import SYSTEM, Actor, Permission, readable, require
from llm_ui.services.departures import Goes, weigh
from llm_ui.services.quotas import Left
from llm_ui.services.second_factor import codes_left
from llm_ui.services.sign_in import SessionInfo, TimeOuts, list_sessions
from llm_ui.services.usage.figures import totals
from llm_ui.services.usage.slots import Period, ever
from llm_ui.services.usage.statements import Filters
from llm_ui.services.user_list import this_month
from llm_ui.services.users import UserInfo, info_of, user_row

ENTRIES = 25
"""Of the audit log, the latest."""
MOST_PROJECTS = 50


@dataclass(frozen=True, slots=True)
class Used:
    """Figures of a stretch of time."""

    calls: int
    tokens: int
    cost_usd: Decimal


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the audit log."""

    at: datetime
    by: str
    action: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class UserDetails:
    """An account with its sessions, figures, projects and what was done to it; nothing that its person wrote."""

    user: UserInfo
    has_second_factor: bool
    keeper: str
    """Whose directory keeps the account; empty: none."""
    has: Goes
    this_month: Used
    ever: Used
    bytes_kept: int
    """Of files in chats and of documents."""
    sessions: tuple[SessionInfo, ...]
    projects: tuple[tuple[str, ProjectRole], ...]
    """Names and roles, as far as they are shown."""
    entries: tuple[Entry, ...]
    left: tuple[Left, ...]
    """What limits them, of whoever it is, and how much of it is used."""


async def details(session: ReadSession, actor: Actor, user_id: UserId, time_outs: TimeOuts) -> UserDetails:
    """Return what is known of an account. Raises `NotFound` and `Forbidden`."""
    require(actor, Permission.MANAGE_USERS)
    user = await user_row(session, actor, user_id)
    # rights: names and sizes, for an administrator
    member = select(Project.name, ProjectMember.role).join(ProjectMember, ProjectMember.project_id == Project.id)
    mine = member.where(ProjectMember.user_id == user_id).order_by(Project.name).limit(MOST_PROJECTS)
    files = select(func.coalesce(func.sum(Attachment.size_bytes), 0)).where(Attachment.user_id == user_id)
    documents = select(func.coalesce(func.sum(Document.size_bytes), 0)).where(Document.user_id == user_id)
    return UserDetails(
        user=info_of(user),
        has_second_factor=await codes_left(session, user_id) is not None,
        keeper=await directories.keeper_of(session, user_id),
        has=await weigh(session, actor, user_id),
        this_month=await _used(session, user_id, this_month()),
        ever=await _used(session, user_id, ever()),
        bytes_kept=int(await session.scalar(files) or 0) + int(await session.scalar(documents) or 0),
        sessions=await list_sessions(session, actor, time_outs, user_id),
        projects=tuple((row.name, row.role) for row in await session.execute(mine)),
        entries=await _entries(session, actor, info_of(user)),
        left=await quotas.list_left_of(session, actor, user_id),
    )


async def _used(session: ReadSession, user_id: UserId, period: Period) -> Used:
    # rights: figures only, asked by the caller
    used = await totals(session, SYSTEM, Filters(user_id=user_id), period)
    return Used(used.requests, used.tokens, used.cost_usd)


async def _entries(session: ReadSession, actor: Actor, user: UserInfo) -> tuple[Entry, ...]:
    about = AuditLog.action.startswith("user.") & (AuditLog.target == user.name)
    query = readable(AuditLog, actor).where(or_(about, AuditLog.actor_id == user.id))
    latest = query.order_by(AuditLog.created_at.desc(), AuditLog.id.desc()).limit(ENTRIES)
    return tuple(
        Entry(row.created_at, row.actor_name, f"{row.action}: {row.target}", row.detail)
        for row in await session.scalars(latest)
    )
