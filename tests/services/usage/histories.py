"""Histories of booked calls, and the same figures counted from them one by one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from llm_ui.kit.ids import AgentId, ModelId, ProjectId, ProviderId, RunId, TeamId, UserId, uuid7
from llm_ui.models import RunStatus, UsageKind, UsageLog, UsageSource
from llm_ui.services.usage.figures import Used
from llm_ui.services.usage.slots import Period
from llm_ui.services.usage.statements import Filters

ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "Asia/Kathmandu", "Asia/Kolkata",
    "Australia/Lord_Howe", "Pacific/Auckland",
)  # fmt: skip
"""Whole, half and three quarter hours off UTC; clocks that change by an hour, by half of one, and never."""
CHANGES = (
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 4, 4, 15, tzinfo=UTC),
    datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
    datetime(2026, 3, 8, 7, tzinfo=UTC),
    datetime(2026, 12, 31, 23, tzinfo=UTC),
)
"""When clocks change in Berlin, on Lord Howe and in New York; and the end of a year."""


def _id(number: int) -> UUID:
    return UUID(int=number + 1)


@dataclass(frozen=True)
class Call:
    """One booked call."""

    at: datetime
    user: int
    project: int | None
    team: int | None
    model: int | None
    agent: int | None
    kind: UsageKind
    status: RunStatus
    tokens: tuple[int, int]
    is_estimate: bool
    cost_usd: Decimal | None
    ttft_ms: float | None
    total_ms: float | None

    def row(self) -> UsageLog:
        """Return it as it is booked."""
        sent, received = self.tokens
        return UsageLog(
            run_id=RunId(uuid7()),
            kind=self.kind,
            user_id=UserId(_id(self.user)),
            project_id=None if self.project is None else ProjectId(_id(self.project)),
            team_id=None if self.team is None else TeamId(_id(self.team)),
            model_id=None if self.model is None else ModelId(_id(self.model)),
            provider_id=None if self.model is None else ProviderId(_id(self.model // 2)),
            agent_id=None if self.agent is None else AgentId(_id(self.agent)),
            model_name="m",
            provider_name="p",
            status=self.status,
            input_tokens=sent,
            cached_tokens=sent // 3,
            output_tokens=received,
            reasoning_tokens=received // 4,
            usage_source=UsageSource.ESTIMATE if self.is_estimate else UsageSource.PROVIDER,
            cost_usd=self.cost_usd,
            ttft_ms=self.ttft_ms,
            total_ms=self.total_ms,
            created_at=self.at,
        )

    def used(self) -> Used:
        """Return it as sums of one."""
        row = self.row()
        wrote = self.ttft_ms is not None and self.total_ms is not None and self.total_ms > self.ttft_ms
        wrote = wrote and row.output_tokens > 0
        return Used(
            requests=1,
            errors=int(self.status in (RunStatus.FAILED, RunStatus.INTERRUPTED)),
            estimates=int(self.is_estimate),
            unpriced=int(self.cost_usd is None),
            input_tokens=row.input_tokens,
            cached_tokens=row.cached_tokens,
            output_tokens=row.output_tokens,
            reasoning_tokens=row.reasoning_tokens,
            cost_usd=self.cost_usd or Decimal(0),
            estimated_usd=(self.cost_usd or Decimal(0)) if self.is_estimate else Decimal(0),
            written_tokens=row.output_tokens if wrote else 0,
            writing_us=round(((self.total_ms or 0) - (self.ttft_ms or 0)) * 1000) if wrote else 0,
        )


def _maybe(most: int) -> st.SearchStrategy[int | None]:
    return st.none() | st.integers(0, most)


milliseconds = st.none() | st.integers(1, 4_000_000).map(lambda tenths: tenths / 10)
call_ends = st.sampled_from((RunStatus.COMPLETED, RunStatus.STOPPED, RunStatus.FAILED, RunStatus.INTERRUPTED))
costs = st.none() | st.integers(0, 10**15).map(lambda pico: Decimal(pico) / 10**12)


@st.composite
def histories(draw: Callable[..., Any]) -> tuple[datetime, list[Call]]:
    """Draw a change of clocks, and calls around it: most within days, some months away."""
    change = draw(st.sampled_from(CHANGES))
    near, far = st.integers(-3 * 86_400, 3 * 86_400), st.integers(-70 * 86_400, 70 * 86_400)
    calls = st.builds(
        Call,
        at=(near | far).map(lambda seconds: change + timedelta(seconds=seconds)),
        user=st.integers(0, 2),
        project=_maybe(1),
        team=_maybe(1),
        model=_maybe(3),
        agent=_maybe(1),
        kind=st.sampled_from(UsageKind),
        status=call_ends,
        tokens=st.tuples(st.integers(0, 10**6), st.integers(0, 10**5)),
        is_estimate=st.booleans(),
        cost_usd=costs,
        ttft_ms=milliseconds,
        total_ms=milliseconds,
    )
    return change, draw(st.lists(calls, max_size=14))


filters = st.builds(
    Filters,
    user_id=_maybe(2).map(lambda one: None if one is None else UserId(_id(one))),
    project_id=st.none() | st.integers(0, 1).map(lambda one: ProjectId(_id(one))),
    team_id=st.none() | st.integers(0, 1).map(lambda one: TeamId(_id(one))),
    model_id=_maybe(3).map(lambda one: None if one is None else ModelId(_id(one))),
    kind=st.none() | st.sampled_from(UsageKind),
)


@st.composite
def periods(draw: Callable[..., Any], change: datetime) -> Period:
    """Draw a period around a change of clocks: whole quarters or not, of minutes or of months."""
    length = draw(st.sampled_from((20 * 60, 4 * 86_400, 100 * 86_400)))
    start = change + timedelta(seconds=draw(st.integers(-length, length)))
    return Period(start, start + timedelta(seconds=draw(st.integers(0, length))))


def counted(calls: Sequence[Call], chosen: Filters, period: Period) -> list[Call]:
    """Return the calls of a period that filters let through."""

    def is_meant(call: Call) -> bool:
        row = call.row()
        names = ("user_id", "project_id", "team_id", "model_id", "kind")
        wanted = {name: getattr(chosen, name) for name in names}
        return all(value is None or getattr(row, name) == value for name, value in wanted.items())

    return [call for call in calls if period.start <= call.at < period.end and is_meant(call)]


def added(calls: Sequence[Call]) -> Used:
    """Return the sums of calls."""
    return sum((call.used() for call in calls), Used())
