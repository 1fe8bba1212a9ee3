"""The list of the audit log's entries, and one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, SQLColumnExpression, or_

from llm_ui.db import ReadSession
from llm_ui.errors import NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.text import storable
from llm_ui.models import AuditLog
from llm_ui.services.access import Actor, readable
from llm_ui.services.listing import Asked, Latest, Rows

SEARCHED = (AuditLog.actor_name, AuditLog.action, AuditLog.target, AuditLog.address, AuditLog.request_id)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry."""

    id: UUID
    number: int
    at: datetime
    who: str
    what: str
    target: str
    target_id: str
    detail: dict[str, Any]
    changes: dict[str, Sequence[Any]]
    via: str
    address: str
    user_agent: str
    request_id: str
    hash: str


def rows(actor: Actor, asked: Asked) -> Rows[Entry]:
    """Return the entries that are asked for. Filters: `what`, the noun of the action; `days` and `via`."""
    rules: list[ColumnElement[bool]] = []
    if noun := asked.filters.get("what"):
        rules.append(AuditLog.action.startswith(f"{noun}.", autoescape=True))
    if days := asked.filters.get("days"):
        rules.append(AuditLog.created_at >= now() - timedelta(days=int(days)))
    if via := asked.filters.get("via"):
        rules.append(AuditLog.via == via)
    known = readable(AuditLog, actor).where(*rules)
    words = [
        or_(*(column.icontains(word, autoescape=True) for column in SEARCHED))
        for word in storable(asked.search).split()
    ]
    sorts: Mapping[str, SQLColumnExpression[Any]] = {
        "at": AuditLog.number,
        "who": AuditLog.actor_name,
        "what": AuditLog.action,
        "target": AuditLog.target,
    }
    latest = None if not words and asked.sort in ("", "at") else Latest(known, AuditLog.number)
    return Rows(known.where(*words), AuditLog.id, sorts, _told, latest=latest)


async def get(session: ReadSession, actor: Actor, entry_id: UUID) -> Entry:
    """Return one entry. Raises `NotFound`."""
    row = await session.scalar(readable(AuditLog, actor).where(AuditLog.id == entry_id))
    if row is None:
        raise NotFound("There is no such entry. Reload the page.")
    return _entry(row)


async def _told(_session: ReadSession, found: Sequence[AuditLog]) -> tuple[Entry, ...]:
    return tuple(map(_entry, found))


def _entry(row: AuditLog) -> Entry:
    return Entry(
        row.id, row.number, row.created_at, row.actor_name, row.action, row.target, row.target_id, row.detail,
        row.changes, row.via, row.address, row.user_agent, row.request_id, row.hash,
    )  # fmt: skip
