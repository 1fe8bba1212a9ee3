"""Alert rules: limits, who is told when one is passed and when that is over, and what was told.

A rule tells once that it fires and once that it is over. Whoever sees figures sees rules; administrators change them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, SQLColumnExpression, or_, select, update

from llm_ui.db import ReadSession, Session
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.kit import fetching
from llm_ui.kit.clock import now
from llm_ui.models import AlertChange, AlertChannel, AlertEvent, AlertKind, AlertRule
from llm_ui.services import audit
from llm_ui.services.access import Actor, Permission, require
from llm_ui.services.alert_values import READ, Moment, is_passed
from llm_ui.services.listing import Asked, Rows

EVERY = timedelta(seconds=50)
"""A rule is looked at once in that time, by whichever process comes first."""
TRIES = 5
"""How often somebody is told who cannot be reached, a minute apart."""
GREATEST = 1_000_000_000
MAX_ADDRESS_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class NewRule:
    """What an administrator fills in."""

    kind: str
    threshold: float
    channel: str
    address: str


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """A rule."""

    id: UUID
    kind: AlertKind
    threshold: float
    channel: AlertChannel
    address: str
    is_firing: bool
    is_silenced: bool
    changed_at: datetime | None
    value: float | None


@dataclass(frozen=True, slots=True)
class Told:
    """Something that is to be told, or was."""

    id: UUID
    rule_id: UUID
    kind: AlertKind
    change: AlertChange
    value: float | None
    threshold: float
    at: datetime
    channel: AlertChannel
    address: str
    sent_at: datetime | None
    error: str | None


async def list_rules(session: ReadSession, actor: Actor) -> tuple[RuleInfo, ...]:
    """Return all rules, the oldest first. Raises `Forbidden`."""
    require(actor, Permission.SEE_FIGURES)
    found = (await session.scalars(select(AlertRule).order_by(AlertRule.id))).all()
    may_see = actor.may(Permission.MANAGE_SETTINGS)
    return tuple(_info(row, row.address if may_see else "") for row in found)


def _info(row: AlertRule, address: str) -> RuleInfo:
    is_silenced = row.silenced_until is not None and row.silenced_until > now()
    return RuleInfo(
        row.id, row.kind, row.threshold, row.channel, address, row.is_firing, is_silenced, row.changed_at, row.value
    )


async def save(session: Session, actor: Actor, rule_id: UUID | None, new: NewRule) -> UUID:
    """Make a rule, or change one; it is looked at anew. Raises `InvalidInput` and `NotFound`."""
    require(actor, Permission.MANAGE_SETTINGS)
    if new.kind not in set(AlertKind) or new.channel not in set(AlertChannel):
        raise InvalidInput("Choose what is watched, and who is told.")
    if not 0 <= new.threshold <= GREATEST:
        raise InvalidInput("The limit must be a number from 0 to 1,000,000,000.")
    channel = AlertChannel(new.channel)
    address = fetching.checked(new.address) if channel is AlertChannel.WEBHOOK else _mail_address(new.address)
    row = AlertRule() if rule_id is None else await _row(session, rule_id)
    before = {} if rule_id is None else audit.fields(row, "kind", "threshold", "channel", "address")
    row.kind, row.threshold, row.channel, row.address = AlertKind(new.kind), new.threshold, channel, address
    row.is_firing, row.checked_at = False, None
    session.add(row)
    await session.flush()
    changes = audit.difference(before, audit.fields(row, "kind", "threshold", "channel", "address"))
    await audit.record(session, actor, "alert.saved", row.kind, target_id=row.id, changes=changes)
    return row.id


def _mail_address(text: str) -> str:
    address = text.strip()
    name, _, host = address.partition("@")
    if not name or not host or len(address) > 254 or not address.isprintable() or set(address) & set(" ,;<>"):
        raise InvalidInput("This is no e-mail address. Write one such as alerts@example.org.")
    return address


async def remove(session: Session, actor: Actor, rule_id: UUID) -> None:
    """Delete a rule with its history."""
    require(actor, Permission.MANAGE_SETTINGS)
    row = await _row(session, rule_id)
    await session.delete(row)
    await audit.record(session, actor, "alert.deleted", row.kind, target_id=rule_id)


async def silence(session: Session, actor: Actor, rule_id: UUID, hours: int) -> None:
    """Let a rule tell nobody for so many hours; none: let it tell again."""
    require(actor, Permission.MANAGE_SETTINGS)
    row = await _row(session, rule_id)
    row.silenced_until = now() + timedelta(hours=hours) if hours else None
    await audit.record(session, actor, "alert.silenced", row.kind, target_id=rule_id, hours=hours)


async def test(session: Session, actor: Actor, rule_id: UUID) -> Told:
    """Return what is told as a test; it is in the history."""
    require(actor, Permission.MANAGE_SETTINGS)
    row = await _row(session, rule_id)
    event = _event(row, AlertChange.TEST)
    # Whoever tests tells it themselves.
    event.tries = TRIES
    session.add(event)
    await session.flush()
    await audit.record(session, actor, "alert.tested", row.kind, target_id=rule_id)
    return _told(event, row)


async def _row(session: ReadSession, rule_id: UUID) -> AlertRule:
    row = await session.get(AlertRule, rule_id)
    if row is None:
        raise NotFound("There is no such rule any more. Reload the page.")
    return row


async def firing(session: ReadSession, actor: Actor) -> tuple[RuleInfo, ...]:
    """Return the rules that fire now. Raises `Forbidden`."""
    return tuple(rule for rule in await list_rules(session, actor) if rule.is_firing)


async def claim(session: Session) -> AlertRule | None:
    """Take the rule whose turn it is to be looked at, None when there is none."""
    is_due = or_(AlertRule.checked_at.is_(None), AlertRule.checked_at < now() - EVERY)
    due = select(AlertRule.id).where(is_due).order_by(AlertRule.id).limit(1).scalar_subquery()
    taken = update(AlertRule).where(AlertRule.id == due, is_due).values(checked_at=now()).returning(AlertRule)
    return await session.scalar(taken)


async def look(session: Session, row: AlertRule, moment: Moment) -> None:
    """Compare what a rule watches with its limit, and note what is to be told."""
    row.value = await READ[row.kind](session, moment)
    is_firing = row.value is not None and is_passed(row.kind, row.value, row.threshold)
    if is_firing == row.is_firing:
        return
    row.is_firing, row.changed_at = is_firing, moment.at
    event = _event(row, AlertChange.FIRING if is_firing else AlertChange.RESOLVED)
    if row.silenced_until is not None and row.silenced_until > moment.at:
        event.tries = TRIES
    session.add(event)


def _event(row: AlertRule, change: AlertChange) -> AlertEvent:
    return AlertEvent(
        rule_id=row.id, kind=row.kind, change=change, value=row.value, threshold=row.threshold, at=now(), tries=0
    )


async def next_unsent(session: Session) -> Told | None:
    """Take something that is to be told, the oldest first, None when there is nothing."""
    is_unsent = AlertEvent.sent_at.is_(None) & (AlertEvent.tries < TRIES)
    # Tried already: a while later.
    is_due = or_(AlertEvent.tried_at.is_(None), AlertEvent.tried_at < now() - EVERY)
    found = select(AlertEvent).where(is_unsent, is_due).order_by(AlertEvent.at).limit(1)
    event = await session.scalar(found.with_for_update(skip_locked=True))
    if event is None:
        return None
    event.tries, event.tried_at = event.tries + 1, now()
    return _told(event, await session.get_one(AlertRule, event.rule_id))


async def note_sent(session: Session, event_id: UUID, error: str | None) -> None:
    """Note how telling it ended."""
    row = await session.get(AlertEvent, event_id)
    if row is not None:
        row.error, row.sent_at = error, None if error else now()


def _told(event: AlertEvent, rule: AlertRule) -> Told:
    return Told(
        event.id, event.rule_id, event.kind, event.change, event.value, event.threshold, event.at, rule.channel,
        rule.address, event.sent_at, event.error,
    )  # fmt: skip


def rows(actor: Actor, asked: Asked) -> Rows[Told]:
    """Return what was told. Filters: `kind` and `change`. Raises `Forbidden`."""
    require(actor, Permission.SEE_FIGURES)
    rules: list[ColumnElement[bool]] = []
    if kind := asked.filters.get("kind"):
        rules.append(AlertEvent.kind == AlertKind(kind))
    if change := asked.filters.get("change"):
        rules.append(AlertEvent.change == AlertChange(change))
    sorts: Mapping[str, SQLColumnExpression[Any]] = {"at": AlertEvent.at, "kind": AlertEvent.kind}
    return Rows(select(AlertEvent).where(*rules), AlertEvent.id, sorts, _all_told)


async def _all_told(session: ReadSession, found: Sequence[AlertEvent]) -> tuple[Told, ...]:
    known = select(AlertRule).where(AlertRule.id.in_({event.rule_id for event in found}))
    by_id = {rule.id: rule for rule in await session.scalars(known)}
    return tuple(_told(event, by_id[event.rule_id]) for event in found if event.rule_id in by_id)
