"""The calls behind a figure: a stretch of time and whose they are, as the list of runs is told in its address."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement

from llm_ui.db import ReadSession
from llm_ui.models import UsageLog
from llm_ui.services.access import Actor, Permission, require
from llm_ui.services.usage.names import NAMED, names
from llm_ui.services.usage.slots import Period
from llm_ui.services.usage.statements import By, Filters

SINCE, UNTIL = "since", "until"
FIELDS = (SINCE, UNTIL, *(by.value for by in NAMED))
"""What an address may say beside what the list itself lets one choose."""


@dataclass(frozen=True, slots=True)
class Behind:
    """What calls a figure is of, as far as it is known."""

    since: datetime | None
    until: datetime | None
    filters: Filters

    @property
    def rules(self) -> list[ColumnElement[bool]]:
        """What the calls have to be."""
        found = self.filters.on(UsageLog)
        if self.since is not None:
            found.append(UsageLog.created_at >= self.since)
        if self.until is not None:
            found.append(UsageLog.created_at < self.until)
        return found


def said(period: Period, filters: Filters) -> dict[str, str]:
    """Return what an address says of the calls of a period."""
    found = {by.value: getattr(filters, by.column) for by in By}
    of = {name: str(value) for name, value in found.items() if value is not None}
    return {SINCE: period.start.isoformat(), UNTIL: period.end.isoformat(), **of}


def read(values: Mapping[str, str]) -> Behind:
    """Return what an address says; what cannot be read is left out."""
    ids = {by.column: _uuid(values.get(by.value, "")) for by in NAMED}
    known: dict[str, Any] = {name: one for name, one in ids.items() if one is not None}
    return Behind(_instant(values.get(SINCE, "")), _instant(values.get(UNTIL, "")), Filters(**known))


async def called(session: ReadSession, actor: Actor, behind: Behind) -> dict[By, str]:
    """Return the names of whose calls they are; empty: gone by now. Raises `Forbidden`."""
    require(actor, Permission.SEE_FIGURES)
    chosen = {name.name: getattr(behind.filters, name.name) for name in fields(Filters)}
    of = {by: chosen[by.column] for by in NAMED if chosen[by.column] is not None}
    return {by: (await names(session, by, [one])).get(one, "") for by, one in of.items()}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None and 1990 <= found.year <= 2200 else None
