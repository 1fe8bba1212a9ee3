"""The calls behind a figure, the newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Select, select

from llm_ui.db import ReadSession
from llm_ui.kit.ids import RunId, UserId
from llm_ui.models import RunStatus, UsageKind, UsageLog, UsagePurpose, UsageSource
from llm_ui.services.access import Actor
from llm_ui.services.usage import figures
from llm_ui.services.usage.names import names
from llm_ui.services.usage.slots import Period
from llm_ui.services.usage.statements import By, Filters

FARTHEST = 100_000
"""So far one leafs back: nobody does, and each call on the way takes time."""


@dataclass(frozen=True, slots=True)
class CallInfo:
    """One booked call."""

    id: RunId
    at: datetime
    user_name: str
    """Empty: the account is gone."""
    model_name: str
    provider_name: str
    kind: UsageKind
    purpose: UsagePurpose
    status: RunStatus
    input_tokens: int
    output_tokens: int
    is_estimate: bool
    cost_usd: Decimal | None
    is_cached: bool
    """Whether the answer was there already."""
    ttft_ms: float | None
    total_ms: float | None


@dataclass(frozen=True, slots=True)
class Calls:
    """One page of calls."""

    items: tuple[CallInfo, ...] = ()
    total: int = 0
    """On all pages."""
    offset: int = 0


async def find(
    session: ReadSession, actor: Actor, filters: Filters, period: Period, *, offset: int = 0, size: int = 25
) -> Calls:
    """Return a page of the calls of a period. Raises `Forbidden` for others' use."""
    # The count is a figure, so that no table is gone through for it; rights are asked there.
    total = (await figures.totals(session, actor, filters, period)).requests
    offset = max(0, min(offset, (total - 1) // size * size, FARTHEST))
    # Keys first: a database skips them several times as fast as whole rows.
    keys = statement(filters, period).with_only_columns(UsageLog.run_id).offset(offset).limit(size)
    wanted = (await session.scalars(keys)).all()
    held = {row.run_id: row for row in await session.scalars(_these(wanted))}
    return Calls(await told(session, [held[key] for key in wanted if key in held]), total, offset)


def _these(wanted: Sequence[RunId]) -> Select[UsageLog]:
    # rights: asked where they were found
    return select(UsageLog).where(UsageLog.run_id.in_(wanted))


def statement(filters: Filters, period: Period) -> Select[UsageLog]:
    """Return the calls of a period."""
    # rights: asked where they are read
    during = UsageLog.created_at >= period.start, UsageLog.created_at < period.end
    newest = UsageLog.created_at.desc(), UsageLog.run_id.desc()
    return select(UsageLog).where(*during, *filters.on(UsageLog)).order_by(*newest)


async def told(session: ReadSession, rows: Sequence[UsageLog]) -> tuple[CallInfo, ...]:
    """Return what is shown of some calls, in their order."""
    people: dict[UserId, str] = await names(session, By.USER, {row.user_id for row in rows})
    return tuple(
        CallInfo(
            id=row.run_id,
            at=row.created_at,
            user_name=people.get(row.user_id, ""),
            model_name=row.model_name,
            provider_name=row.provider_name,
            kind=row.kind,
            purpose=row.purpose,
            status=row.status,
            input_tokens=row.input_tokens,
            output_tokens=row.output_tokens,
            is_estimate=row.usage_source is UsageSource.ESTIMATE,
            cost_usd=row.cost_usd,
            is_cached=row.is_cached,
            ttft_ms=row.ttft_ms,
            total_ms=row.total_ms,
        )
        for row in rows
    )
