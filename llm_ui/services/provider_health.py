"""How providers do, as all processes know it: what probes find, what calls learn, since when one is down.

A provider that falls is shown as down after `DOWN_AFTER`, and as well again after `WELL_AFTER` without another fall:
what comes and goes within seconds moves nothing that people see.
"""

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update

from llm_ui.db import ReadSession, Session
from llm_ui.errors import ProviderFault
from llm_ui.kit.ids import ProviderId
from llm_ui.models import AiModel, AiProvider, ProviderHealth, ProviderKind, ProviderProbe
from llm_ui.services.access import SYSTEM, Actor, Permission, readable, require
from llm_ui.services.providers import ProviderTarget, mark_key_refused
from llm_ui.services.reach import reach_of

SOON = timedelta(seconds=5)
"""Until the next probe of a provider that gets no calls: it may be well again, and somebody waits."""
DOWN_EVERY = timedelta(seconds=15)
"""Between probes of one that is down, at most."""
PUT_OFF = 5
"""So many intervals after the last probe there is another one, however well calls are answered."""
JITTER = 0.2
"""Part of an interval by which it is longer or shorter, so that providers are not all probed at once."""
DOWN_AFTER = timedelta(seconds=10)
WELL_AFTER = timedelta(seconds=30)
RESTS = timedelta(seconds=10)
"""How long it holds that a process said it gives a provider no calls; it says so every few seconds."""
HOLDS = timedelta(seconds=60)
"""How long it holds what a failed probe said: several more were made by then, unless nobody probes any more."""
PROBES_KEPT = timedelta(days=7)

DOWN = frozenset({ProviderFault.CONNECTION_REFUSED, ProviderFault.NAME_NOT_FOUND, ProviderFault.TLS_FAILED})
"""Faults of a probe that say that no call can be answered."""
ANSWERS = frozenset({ProviderFault.NOT_A_MODEL_ENDPOINT, ProviderFault.MODEL_UNKNOWN, ProviderFault.RATE_LIMITED})
"""Faults of a probe of a provider that is there: some have no list of models, some count the asking for it."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a provider that is in use."""

    provider_id: ProviderId
    due_at: datetime | None
    """None: nothing is known yet."""
    probed_at: datetime | None = None
    latency_ms: float | None = None
    fault: str | None = None
    problem: str | None = None
    answered_at: datetime | None = None
    resting_at: datetime | None = None
    down_since: datetime | None = None
    well_since: datetime | None = None

    def is_due(self, at: datetime, every: timedelta) -> bool:
        """Return whether it is to be probed; also where that was put off by an interval that was longer."""
        return self.due_at is not None and (self.due_at <= at or self.due_at > at + every * (1 + JITTER))

    @property
    def well_at(self) -> datetime | None:
        """When it was last seen to be well, by a call or by the last probe."""
        seen = [at for at in (self.answered_at, None if self.fault else self.probed_at) if at is not None]
        return max(seen, default=None)

    @property
    def is_fallen(self) -> bool:
        """Whether it was noted that it does not answer, and not yet that it does again."""
        return self.down_since is not None and self.well_since is None

    def is_down(self, at: datetime) -> bool:
        """Return whether it answers no calls at the moment, as far as is known."""
        if self.resting_at is not None and at - self.resting_at < RESTS:
            # By one process; another one may have got an answer since.
            return self.answered_at is None or self.answered_at <= self.resting_at
        if self.fault not in DOWN | {ProviderFault.KEY_REFUSED} or self.probed_at is None:
            return False
        has_answered = self.answered_at is not None and self.answered_at > self.probed_at
        return not has_answered and at - self.probed_at < HOLDS

    def is_shown_down(self, at: datetime) -> bool:
        """Return the same as it is shown to people."""
        if self.down_since is None:
            return False
        if self.well_since is None:
            return at - self.down_since >= DOWN_AFTER
        return self.well_since - self.down_since >= DOWN_AFTER and at - self.well_since < WELL_AFTER


@dataclass(frozen=True, slots=True)
class Probed:
    """What a probe found."""

    at: datetime
    """When it began."""
    latency_ms: float | None
    fault: ProviderFault | None = None
    problem: str | None = None


async def known(session: ReadSession) -> tuple[Known, ...]:
    """Return what is known of each provider that serves anything that may be asked."""
    served = AiModel.is_enabled & AiModel.deleted_at.is_(None) & (AiModel.provider_id == AiProvider.id)
    in_use = (
        readable(AiProvider, SYSTEM)
        .with_only_columns(AiProvider.id)
        .where(AiProvider.is_enabled, ~AiProvider.is_draining, AiProvider.kind != ProviderKind.DEMO)
        .where(select(AiModel.id).where(served).exists())
        .order_by(AiProvider.id)
    )
    rows = {row.provider_id: row for row in await session.scalars(select(ProviderHealth))}
    return tuple(
        _known(rows[provider_id]) if provider_id in rows else Known(provider_id, None)
        for provider_id in await session.scalars(in_use)
    )


async def list_health(session: ReadSession, actor: Actor) -> Mapping[ProviderId, Known]:
    """Return what is known of providers, for administrators."""
    require(actor, Permission.MANAGE_PROVIDERS)
    return {row.provider_id: _known(row) for row in await session.scalars(select(ProviderHealth))}


async def note(
    session: Session,
    at: datetime,
    *,
    every: timedelta,
    answered: Mapping[ProviderId, datetime],
    resting: Collection[ProviderId],
) -> None:
    """Note what a process has learnt of providers from calls since the last time: who answered, who gets none now."""
    for one in await known(session):
        if one.due_at is None:
            # Just added, and tried then.
            session.add(ProviderHealth(provider_id=one.provider_id, due_at=at + _jittered(every)))
            continue
        row = await session.get_one(ProviderHealth, one.provider_id)
        if one.provider_id in answered:
            row.answered_at = max(answered[one.provider_id], row.answered_at or answered[one.provider_id])
            longest = at if row.probed_at is None else row.probed_at + PUT_OFF * every
            row.due_at = max(row.due_at, min(at + _jittered(every), longest))
        if one.provider_id in resting:
            row.resting_at = at
            row.due_at = min(row.due_at, at + _jittered(SOON))
        _note_change(row, at)


async def claim(session: Session, one: Known, at: datetime, every: timedelta) -> ProviderTarget | None:
    """Take a probe that is due; None: another process has taken it."""
    taken = await session.scalar(
        update(ProviderHealth)
        .where(ProviderHealth.provider_id == one.provider_id, ProviderHealth.due_at == one.due_at)
        .values(due_at=at + _jittered(every))
        .returning(ProviderHealth.provider_id)
    )
    if taken is None:
        return None
    row = await session.get_one(AiProvider, one.provider_id)
    return ProviderTarget(row.id, row.kind, row.name, row.base_url, row.sealed_key, reach_of(row))


async def record(session: Session, provider_id: ProviderId, probed: Probed, at: datetime, every: timedelta) -> None:
    """Note what a probe has found."""
    row = await session.get(ProviderHealth, provider_id, with_for_update=True)
    if row is None:
        # Deleted meanwhile.
        return
    was_refused = row.fault == ProviderFault.KEY_REFUSED
    row.probed_at, row.latency_ms = probed.at, probed.latency_ms
    row.fault, row.problem = probed.fault, probed.problem
    if probed.fault is not None:
        row.due_at = at + _jittered(min(every, DOWN_EVERY))
    if probed.fault is ProviderFault.KEY_REFUSED:
        await mark_key_refused(session, provider_id)
    elif was_refused:
        await mark_key_refused(session, provider_id, is_refused=False)
    session.add(ProviderProbe(provider_id=provider_id, at=probed.at, latency_ms=probed.latency_ms, fault=probed.fault))
    _note_change(row, at)


async def purge(session: Session, at: datetime) -> int:
    """Delete probes of long ago; return how many."""
    gone = await session.scalars(
        delete(ProviderProbe).where(ProviderProbe.at < at - PROBES_KEPT).returning(ProviderProbe.id)
    )
    return len(gone.all())


async def count_probes(session: ReadSession, since: datetime) -> Mapping[ProviderId, tuple[int, int, float]]:
    """Return by provider how many probes there were, how many failed, and their milliseconds on average."""
    query = (
        select(
            ProviderProbe.provider_id,
            func.count(),
            func.count(ProviderProbe.fault),
            func.coalesce(func.avg(ProviderProbe.latency_ms), 0.0),
        )
        .where(ProviderProbe.at >= since)
        .group_by(ProviderProbe.provider_id)
    )
    return {
        provider_id: (count, failed, float(average))
        for provider_id, count, failed, average in await session.execute(query)
    }


def _note_change(row: ProviderHealth, at: datetime) -> None:
    """Note a fall or a recovery. One that falls again at once was never well."""
    seen = _known(row)
    if seen.is_down(at) and not seen.is_fallen:
        is_again = row.well_since is not None and at - row.well_since < WELL_AFTER
        row.down_since, row.well_since = row.down_since if is_again else at, None
    elif seen.is_fallen and not seen.is_down(at):
        row.well_since = at


def _jittered(span: timedelta) -> timedelta:
    return span * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads load, guards nothing


def _known(row: ProviderHealth) -> Known:
    return Known(
        provider_id=row.provider_id, due_at=row.due_at, probed_at=row.probed_at, latency_ms=row.latency_ms,
        fault=row.fault, problem=row.problem, answered_at=row.answered_at, resting_at=row.resting_at,
        down_since=row.down_since, well_since=row.well_since,
    )  # fmt: skip
