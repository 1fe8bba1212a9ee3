"""How the workspace does today, beside the same time last week, and what needs somebody's attention."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from llm_ui.db import ReadSession
from llm_ui.models import (
    LIVE_STATUSES,
    AiProvider,
    ChatHistory,
    ChatMessage,
    Document,
    DocumentStage,
    MessageRole,
    Run,
    RunStatus,
)
from llm_ui.services import provider_health
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.provider_health import Known
from llm_ui.services.usage import allowances, figures
from llm_ui.services.usage.figures import Times, Used
from llm_ui.services.usage.slots import Period
from llm_ui.services.usage.statements import ANSWERS, By, Filters
from llm_ui.services.usage.zones import midnight

WEEK = timedelta(days=7)
LATELY = timedelta(minutes=30)
MANY_FAILED = 0.2
"""Of a provider's requests of the last half hour: from here on it is failing."""
FEW_REQUESTS = 3
"""Fewer failures say nothing of a provider."""


@dataclass(frozen=True, slots=True)
class Today:
    """What happened in a stretch of a day."""

    people: int
    chats: int
    """That were begun; temporary ones are not known."""
    messages: int
    """Of people, in chats that are there."""
    used: Used
    times: Times


@dataclass(frozen=True, slots=True)
class ProviderHealth:
    """How a provider does."""

    name: str
    failed: int
    """Of its requests in the last half hour."""
    requests: int
    is_key_refused: bool
    has_failed_test: bool
    """And was not seen to be well since."""
    is_down: bool

    @property
    def is_failing(self) -> bool:
        """Return whether somebody should look after it."""
        is_bad = self.failed >= FEW_REQUESTS and self.failed >= MANY_FAILED * self.requests
        return is_bad or self.is_key_refused or self.has_failed_test or self.is_down


@dataclass(frozen=True, slots=True)
class Overview:
    """The workspace at a moment."""

    today: Today
    last_week: Today
    running: int
    """Answers that are being written."""
    waiting: int
    """Answers that have not begun."""
    documents_waiting: int
    documents_failed: int
    providers: tuple[ProviderHealth, ...]
    low_budgets: tuple[str, ...]
    """Names of the projects."""


async def read(session: ReadSession, actor: Actor, place: ZoneInfo, at: datetime) -> Overview:
    """Return how the workspace does. Raises `Forbidden`."""
    require(actor, Permission.SEE_FIGURES)
    today = at.astimezone(place).date()
    same_day = midnight(today - WEEK, place)
    start = midnight(today, place)
    # rights: counts only, for who may see what everybody uses
    by_status = select(Run.status, func.count()).where(Run.status.in_(LIVE_STATUSES)).group_by(Run.status)
    live = {status: count for status, count in await session.execute(by_status)}
    stages = dict((await session.execute(select(Document.stage, func.count()).group_by(Document.stage))).all())
    failed = stages.pop(DocumentStage.FAILED, 0)
    stages.pop(DocumentStage.READY, 0)
    low = await allowances.of_everybody(session, actor, place, at)
    return Overview(
        today=await _day(session, actor, Period(start, at)),
        last_week=await _day(session, actor, Period(same_day, same_day + (at - start))),
        running=sum(live.values()) - live.get(RunStatus.QUEUED, 0),
        waiting=live.get(RunStatus.QUEUED, 0),
        documents_waiting=sum(stages.values()),
        documents_failed=failed,
        providers=await providers(session, actor, at),
        low_budgets=tuple(one.name for one in low if one.is_low),
    )


async def _day(session: ReadSession, actor: Actor, period: Period) -> Today:
    # rights: counts only, asked by the caller
    # By their ids too, which are in the order of time: these are indexed.
    begun = ChatHistory.id >= _first_id(period.start), ChatHistory.created_at >= period.start
    said = ChatMessage.id >= _first_id(period.start), ChatMessage.created_at >= period.start
    asked = (
        select(func.count())
        .select_from(ChatMessage)
        .where(*said, ChatMessage.created_at < period.end, ChatMessage.role == MessageRole.USER)
    )
    chats = select(func.count()).select_from(ChatHistory).where(*begun, ChatHistory.created_at < period.end)
    return Today(
        people=await figures.active_people(session, actor, period),
        chats=await session.scalar(chats) or 0,
        messages=await session.scalar(asked) or 0,
        used=await figures.totals(session, actor, Filters(), period),
        times=await figures.times(session, actor, Filters(kinds=ANSWERS), period),
    )


def _first_id(at: datetime) -> UUID:
    """Return the smallest id that is made at an instant (RFC 9562, 5.7)."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


async def providers(session: ReadSession, actor: Actor, at: datetime) -> tuple[ProviderHealth, ...]:
    """Return how each provider that is switched on does. Raises `Forbidden`."""
    lately = await figures.ranking(session, actor, Filters(), Period(at - LATELY, at), By.PROVIDER)
    is_on = AiProvider.is_enabled
    found = (await session.scalars(readable(AiProvider, actor).where(is_on).order_by(AiProvider.name_key))).all()
    known = {one.provider_id: one for one in await provider_health.known(session)}
    return tuple(
        ProviderHealth(
            name=one.name,
            failed=lately.get(one.id, Used()).errors,
            requests=lately.get(one.id, Used()).requests,
            is_key_refused=one.key_refused_at is not None,
            has_failed_test=one.last_test_error is not None
            and not _is_well_since(known.get(one.id), one.last_tested_at),
            is_down=one.id in known and known[one.id].is_shown_down(at),
        )
        for one in found
    )


def _is_well_since(known: Known | None, at: datetime | None) -> bool:
    well_at = None if known is None else known.well_at
    return well_at is not None and at is not None and well_at > at
