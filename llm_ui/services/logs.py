"""The log of all our processes: written down every few seconds, and listed. Without content and secrets, as it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, SQLColumnExpression, delete, or_, select

from llm_ui.db import ReadSession, Session
from llm_ui.kit.clock import now
from llm_ui.kit.ids import UserId
from llm_ui.kit.text import name_key, one_line, storable
from llm_ui.models import LogEntry, User
from llm_ui.observability.logging import Line
from llm_ui.services.access import Actor, Permission, require
from llm_ui.services.listing import Asked, Rows
from llm_ui.services.usage.names import names
from llm_ui.services.usage.statements import By

MOST = 100_000
"""Lines that are kept."""
KEPT = timedelta(days=14)
MAX_FIELD_CHARS = 500


@dataclass(frozen=True, slots=True)
class LoggedLine:
    """One line."""

    id: UUID
    at: datetime
    level: int
    process: str
    event: str
    fields: dict[str, Any]
    request_id: str
    user_name: str
    """Empty: it is of nobody, or they are gone."""


async def add(session: Session, process: str, lines: Sequence[Line]) -> None:
    """Write down some lines of a process."""
    session.add_all(_entry(process, line) for line in lines)


def _entry(process: str, line: Line) -> LogEntry:
    fields = {name: one_line(storable(value), MAX_FIELD_CHARS) for name, value in line.fields.items()}
    return LogEntry(
        at=line.at,
        level=line.level,
        process=process,
        event=one_line(storable(line.event), 100),
        fields=fields,
        words=" ".join(f"{name}={value}" for name, value in fields.items()),
        request_id=one_line(storable(line.request_id), 64),
        user_id=_user_id(fields.get("user_id", "")),
    )


def _user_id(text: str) -> UserId | None:
    try:
        return UserId(UUID(text))
    except ValueError:
        return None


async def forget(session: Session) -> None:
    """Let go of what is old, and of what is too much."""
    first = await session.scalar(select(LogEntry.id).order_by(LogEntry.id.desc()).offset(MOST).limit(1))
    is_much = LogEntry.id <= first if first is not None else LogEntry.at < now() - KEPT
    await session.execute(delete(LogEntry).where(or_(LogEntry.at < now() - KEPT, is_much)))


def rows(actor: Actor, asked: Asked) -> Rows[LoggedLine]:
    """Return the lines that are asked for. Filters: `level` (at least), `process` and `hours`. Raises `Forbidden`."""
    require(actor, Permission.SEE_FIGURES)
    rules: list[ColumnElement[bool]] = []
    if level := asked.filters.get("level"):
        rules.append(LogEntry.level >= int(level))
    if process := asked.filters.get("process"):
        rules.append(LogEntry.process == process)
    if hours := asked.filters.get("hours"):
        rules.append(LogEntry.at >= now() - timedelta(hours=int(hours)))
    rules.extend(_has(word) for word in storable(asked.search).split())
    sorts: Mapping[str, SQLColumnExpression[Any]] = {
        "at": LogEntry.id,
        "level": LogEntry.level,
        "process": LogEntry.process,
        "event": LogEntry.event,
    }
    return Rows(select(LogEntry).where(*rules), LogEntry.id, sorts, _told)


def _has(word: str) -> ColumnElement[bool]:
    """Return whether the event, a field or the request has the word, or it is of a person who is called so."""
    # Rights: who sees figures sees the log of everybody. Once for all lines: one person at most is called so.
    is_of = LogEntry.user_id.in_(select(User.id).where(User.name_key == name_key(word)))
    texts = LogEntry.event, LogEntry.words
    return or_(LogEntry.request_id == word, is_of, *(text.icontains(word, autoescape=True) for text in texts))


async def _told(session: ReadSession, found: Sequence[LogEntry]) -> tuple[LoggedLine, ...]:
    people: dict[UserId, str] = await names(session, By.USER, {row.user_id for row in found})
    return tuple(
        LoggedLine(
            row.id, row.at, row.level, row.process, row.event, row.fields, row.request_id,
            "" if row.user_id is None else people.get(row.user_id, ""),
        )
        for row in found
    )  # fmt: skip
