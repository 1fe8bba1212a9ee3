"""The list of calls: each answer of anybody, and what else models did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, exists, or_, select

from llm_ui.db import ReadSession
from llm_ui.kit.clock import now
from llm_ui.kit.text import storable
from llm_ui.models import Run, RunStatus, UsageKind, UsageLog, User
from llm_ui.services.access import Actor, Permission, require
from llm_ui.services.listing import Asked, Latest, Rows
from llm_ui.services.usage import behind, calls
from llm_ui.services.usage.calls import CallInfo


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A call that has ended, without what was said."""

    call: CallInfo
    error_code: str
    request_id: str


def rows(actor: Actor, asked: Asked) -> Rows[ListedRun]:
    """Return the calls that are asked for. Filters: `status`, `kind`, `hours`, `FIELDS`. Raises `Forbidden`."""
    require(actor, Permission.SEE_FIGURES)
    rules = behind.read(asked.filters).rules
    if status := asked.filters.get("status"):
        rules.append(UsageLog.status == RunStatus(status))
    if kind := asked.filters.get("kind"):
        rules.append(UsageLog.kind == UsageKind(kind))
    if hours := asked.filters.get("hours"):
        rules.append(UsageLog.created_at >= now() - timedelta(hours=int(hours)))
    known = select(UsageLog).where(*rules)  # rights: figures only, asked above
    words = [_has(word) for word in storable(asked.search).split()]
    sorts: Mapping[str, SQLColumnExpression[Any]] = {
        "at": UsageLog.created_at,
        "model": UsageLog.model_name,
        "status": UsageLog.status,
        "ttft": UsageLog.ttft_ms,
        "total": UsageLog.total_ms,
        "tokens": UsageLog.input_tokens + UsageLog.output_tokens,
        "cost": UsageLog.cost_usd,
    }
    is_quick = not words and asked.sort in ("", "at")
    latest = None if is_quick else Latest(known, UsageLog.created_at)
    return Rows(known.where(*words), UsageLog.run_id, sorts, _told, latest=latest)


def _has(word: str) -> ColumnElement[bool]:
    """Return whether who asked, the model, the provider or the request is called so."""
    is_by = User.id == UsageLog.user_id, User.name.icontains(word, autoescape=True)
    named = (UsageLog.model_name, UsageLog.provider_name)
    is_request = Run.id == UsageLog.run_id, Run.request_id == word
    return or_(
        *(column.icontains(word, autoescape=True) for column in named),
        exists().where(*is_by),
        exists().where(*is_request),
    )


async def _told(session: ReadSession, found: Sequence[UsageLog]) -> tuple[ListedRun, ...]:
    # rights: figures only, asked by the caller
    of_runs = select(Run.id, Run.error_code, Run.request_id).where(Run.id.in_([row.run_id for row in found]))
    known = {row.id: row for row in await session.execute(of_runs)}
    return tuple(
        ListedRun(call, known[call.id].error_code or "", known[call.id].request_id)
        if call.id in known
        else ListedRun(call, "", "")
        for call in await calls.told(session, found)
    )
