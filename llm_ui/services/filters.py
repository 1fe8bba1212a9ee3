"""Safety filters: which hold for whom, who changes them, and how often something was found.

A filter is of the workspace or of a team. All that concern somebody apply, those of the workspace and those of all
their teams: of each kind the strictest action holds, and lists are put together. So a team can tighten, not loosen.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.dialects import postgresql, sqlite

from llm_ui.db import ReadSession, Session
from llm_ui.errors import InvalidInput
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ProviderId, TeamId
from llm_ui.kit.text import one_line
from llm_ui.models import (
    STRICTNESS,
    AiProvider,
    FilterAction,
    FilterCount,
    FilterKind,
    ProviderKind,
    SafetyFilter,
    TeamMember,
)
from llm_ui.observability.metrics import FILTER_FINDINGS
from llm_ui.services import audit, teams
from llm_ui.services.access import Actor, Permission, readable, require

PII_TYPES = ("email", "phone", "iban", "card", "tax_id", "ssn", "ip")
MAX_TERMS = 2_000
MAX_TERM_CHARS = 100
MAX_MODEL_CHARS = 200
SHOWN_DAYS = 14
OFF, LOG, WARN, MASK, BLOCK = STRICTNESS
ON_INPUT: dict[FilterKind, tuple[FilterAction, ...]] = {
    FilterKind.INJECTION: (OFF, LOG, WARN, BLOCK),
    FilterKind.PII: STRICTNESS,
    FilterKind.SECRETS: STRICTNESS,
    FilterKind.TERMS: STRICTNESS,
    FilterKind.MODERATION: (OFF, LOG, WARN, BLOCK),
}
"""What each kind can do with what goes to models: an attempt or a flagged message has no part to be masked."""
ON_OUTPUT = {**ON_INPUT, FilterKind.INJECTION: (OFF,)}
"""The same with what comes from them."""


@dataclass(frozen=True, slots=True)
class Options:
    """What some kinds need to know besides."""

    types: frozenset[str] = frozenset(PII_TYPES)
    """Sorts of personal data."""
    terms: tuple[str, ...] = ()
    provider_id: ProviderId | None = None
    """Whose moderation endpoint is asked."""
    model: str = ""
    """Of that; empty: as the provider likes."""
    fails_closed: bool = False
    """Whether nothing goes through while that does not answer."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for one kind."""

    kind: FilterKind
    on_input: FilterAction = OFF
    on_output: FilterAction = OFF
    options: Options = field(default_factory=Options)

    @property
    def is_on(self) -> bool:
        """Whether anything is looked for."""
        return self.on_input is not OFF or self.on_output is not OFF


@dataclass(frozen=True, slots=True)
class Found:
    """That something was found, without what it was."""

    kind: FilterKind
    what: str
    is_output: bool
    action: FilterAction
    count: int = 1


@dataclass(frozen=True, slots=True)
class DayCount:
    """How often something was found on a day."""

    day: str
    found: Found


async def rules_for(session: ReadSession, actor: Actor) -> tuple[Rule, ...]:
    """Return what holds for whoever asks, in the order of the kinds; nothing where all is off."""
    # rights: what holds for everybody, and for the actor's own teams
    mine = select(TeamMember.team_id).where(TeamMember.user_id == actor.user_id)
    rows = list(
        await session.scalars(select(SafetyFilter).where(or_(SafetyFilter.scope == "", SafetyFilter.team_id.in_(mine))))
    )
    return strictest(map(_rule, rows)) if rows else ()


def strictest(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Return one rule for each kind that is on: the strictest actions, the lists together."""
    together: dict[FilterKind, Rule] = {}
    for rule in sorted(filter(lambda each: each.is_on, rules), key=lambda each: list(FilterKind).index(each.kind)):
        before = together.get(rule.kind)
        together[rule.kind] = rule if before is None else _both(before, rule)
    return tuple(together.values())


def _both(one: Rule, other: Rule) -> Rule:
    first, second = one.options, other.options
    options = Options(
        types=first.types | second.types,
        terms=tuple(dict.fromkeys((*first.terms, *second.terms))),
        provider_id=first.provider_id or second.provider_id,
        model=first.model if first.provider_id else second.model,
        fails_closed=first.fails_closed or second.fails_closed,
    )
    on_input = max(one.on_input, other.on_input, key=STRICTNESS.index)
    return Rule(one.kind, on_input, max(one.on_output, other.on_output, key=STRICTNESS.index), options)


async def list_rules(session: ReadSession, actor: Actor, team_id: TeamId | None = None) -> tuple[Rule, ...]:
    """Return what the workspace, or a team itself, has set for each kind. Raises `NotFound`."""
    require(actor, Permission.MANAGE_SETTINGS)
    if team_id is not None:
        await teams.read(session, actor, team_id)
    # rights: asked above
    rows = await session.scalars(select(SafetyFilter).where(SafetyFilter.scope == _scope(team_id)))
    held = {row.kind: _rule(row) for row in rows}
    return tuple(held.get(kind, Rule(kind)) for kind in FilterKind)


async def change(session: Session, actor: Actor, rule: Rule, team_id: TeamId | None = None) -> None:
    """Set what holds for one kind, in the workspace or for the members of a team. Raises `InvalidInput`."""
    require(actor, Permission.MANAGE_SETTINGS)
    name = "" if team_id is None else (await teams.read(session, actor, team_id)).name
    options = await _checked(session, actor, rule)
    # rights: asked above
    row = await session.get(SafetyFilter, (_scope(team_id), rule.kind))
    before: dict[str, object] = {} if row is None else _told(row)
    if row is None:
        row = SafetyFilter(scope=_scope(team_id), kind=rule.kind, team_id=team_id)
        session.add(row)
    row.on_input, row.on_output, row.options = rule.on_input, rule.on_output, _stored(options)
    await session.flush()
    changes = audit.difference(before, _told(row))
    await audit.record(session, actor, "filter.changed", rule.kind, target_id=team_id or "", changes=changes, team=name)


async def moderators(session: ReadSession, actor: Actor) -> tuple[tuple[ProviderId, str], ...]:
    """Return id and name of the providers that may have a moderation endpoint."""
    require(actor, Permission.MANAGE_SETTINGS)
    found = readable(AiProvider, actor).where(AiProvider.kind == ProviderKind.OPENAI).order_by(AiProvider.name)
    return tuple((row.id, row.name) for row in await session.scalars(found))


async def count(session: Session, found: Sequence[Found]) -> None:
    """Add what was found to the counts of today."""
    sums: dict[tuple[FilterKind, str, bool, FilterAction], int] = {}
    for one in found:
        key = one.kind, one.what[:32], one.is_output, one.action
        sums[key] = sums.get(key, 0) + one.count
    if not sums:
        return
    for (kind, _what, _is_output, action), times in sums.items():
        FILTER_FINDINGS.add(kind.value, action.value, amount=times)
    into = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    # In order: two transactions that lock the same rows must not wait for each other.
    rows = [
        {"day": now().date(), "kind": kind, "what": what, "is_output": is_output, "action": action, "count": times}
        for (kind, what, is_output, action), times in sorted(sums.items())
    ]
    statement = into(FilterCount).values(rows)
    keys = ["day", "kind", "what", "is_output", "action"]
    added = {"count": FilterCount.count + statement.excluded["count"]}
    await session.execute(statement.on_conflict_do_update(index_elements=keys, set_=added))


async def counts(session: ReadSession, actor: Actor) -> tuple[DayCount, ...]:
    """Return how often what was found in the last two weeks, the newest day first."""
    require(actor, Permission.MANAGE_SETTINGS)
    since = now().date() - timedelta(days=SHOWN_DAYS - 1)
    order = FilterCount.day.desc(), FilterCount.kind, FilterCount.what, FilterCount.is_output, FilterCount.action
    # rights: asked above; numbers without content
    rows = await session.scalars(select(FilterCount).where(FilterCount.day >= since).order_by(*order))
    return tuple(
        DayCount(row.day.isoformat(), Found(row.kind, row.what, row.is_output, row.action, row.count)) for row in rows
    )


def _scope(team_id: TeamId | None) -> str:
    return "" if team_id is None else str(team_id)


def _rule(row: SafetyFilter) -> Rule:
    held: dict[str, Any] = row.options or {}
    provider_id = held.get("provider_id")
    options = Options(
        types=frozenset(held.get("types", PII_TYPES)),
        terms=tuple(held.get("terms", ())),
        provider_id=None if provider_id is None else ProviderId(UUID(provider_id)),
        model=str(held.get("model", "")),
        fails_closed=bool(held.get("fails_closed")),
    )
    return Rule(row.kind, row.on_input, row.on_output, options)


def _stored(options: Options) -> dict[str, Any]:
    return {
        "types": [name for name in PII_TYPES if name in options.types],
        "terms": list(options.terms),
        "provider_id": None if options.provider_id is None else str(options.provider_id),
        "model": options.model,
        "fails_closed": options.fails_closed,
    }


def _told(row: SafetyFilter) -> dict[str, object]:
    """Return what the audit log compares."""
    held = row.options
    lists = {"types": ", ".join(held["types"]), "terms": ", ".join(held["terms"])}
    return {**audit.fields(row, "on_input", "on_output"), **held, **lists}


async def _checked(session: ReadSession, actor: Actor, rule: Rule) -> Options:
    """Return the options as they are stored. Raises `InvalidInput` for what cannot be used."""
    if rule.on_input not in ON_INPUT[rule.kind] or rule.on_output not in ON_OUTPUT[rule.kind]:
        raise InvalidInput("This filter cannot do that. Choose another action.")
    options = rule.options
    terms = tuple(dict.fromkeys(filter(None, (one_line(term, MAX_TERM_CHARS) for term in options.terms))))
    if len(terms) > MAX_TERMS:
        raise InvalidInput("{most} terms are the most. Remove some.", most=MAX_TERMS)
    if rule.is_on and rule.kind is FilterKind.TERMS and not terms:
        raise InvalidInput("List the terms first, one a line.")
    if rule.is_on and rule.kind is FilterKind.PII and not options.types & set(PII_TYPES):
        raise InvalidInput("Choose what counts as personal data.")
    if rule.is_on and rule.kind is FilterKind.MODERATION:
        offered = {provider_id for provider_id, _ in await moderators(session, actor)}
        if options.provider_id not in offered:
            raise InvalidInput("Choose the provider whose moderation endpoint is asked.")
    model = one_line(options.model, MAX_MODEL_CHARS)
    return Options(options.types & set(PII_TYPES), terms, options.provider_id, model, options.fails_closed)
