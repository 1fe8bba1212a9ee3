"""The list of sign-ins that have not ended: everybody's for administrators, one's own for others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import SQLColumnExpression, exists, or_

from llm_ui.db import ReadSession, Session
from llm_ui.errors import NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import SessionId, UserId
from llm_ui.kit.text import storable
from llm_ui.models import User, UserSession
from llm_ui.services import users
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.listing import Asked, Rows
from llm_ui.services.usage.names import names
from llm_ui.services.usage.statements import By


@dataclass(frozen=True, slots=True)
class ListedSession:
    """A sign-in."""

    id: SessionId
    user_name: str
    address: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime


def rows(actor: Actor, asked: Asked) -> Rows[ListedSession]:
    """Return the sign-ins that are asked for. Raises `Forbidden`."""
    require(actor, Permission.SEE_FIGURES)
    query = readable(UserSession, actor).where(UserSession.revoked_at.is_(None), UserSession.expires_at > now())
    for word in storable(asked.search).split():
        is_of = exists().where(User.id == UserSession.user_id, User.name.icontains(word, autoescape=True))
        query = query.where(or_(is_of, UserSession.address.icontains(word, autoescape=True)))
    sorts: Mapping[str, SQLColumnExpression[Any]] = {
        "seen": UserSession.last_seen_at,
        "since": UserSession.created_at,
        "address": UserSession.address,
    }
    return Rows(query, UserSession.id, sorts, _told)


async def _told(session: ReadSession, found: Sequence[UserSession]) -> tuple[ListedSession, ...]:
    people: dict[UserId, str] = await names(session, By.USER, {row.user_id for row in found})
    return tuple(
        ListedSession(
            row.id, people.get(row.user_id, ""), row.address, row.user_agent, row.created_at, row.last_seen_at
        )
        for row in found
    )


async def end(session: Session, actor: Actor, session_id: SessionId) -> None:
    """End somebody's sign-in. Raises `NotFound` and `Forbidden`."""
    require(actor, Permission.MANAGE_USERS)
    row = await session.scalar(readable(UserSession, actor).where(UserSession.id == session_id))
    if row is None:
        raise NotFound("This session has ended. Reload the page.")
    await users.end_sessions(session, actor, row.user_id, session_id)
