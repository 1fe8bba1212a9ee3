"""Limits of a minute and of answers at the same time, where models are asked: for chats and scripts the same.

A question is counted before its model is asked, with the tokens that it may take, and settled with what it took.
"""

import asyncio
import math
import time
from dataclasses import dataclass, field
from typing import Protocol

from llm_ui.db import Database
from llm_ui.errors import TooManyRequests, filled
from llm_ui.kit.bucket import Level
from llm_ui.kit.i18n import later
from llm_ui.kit.ids import ProjectId, uuid7
from llm_ui.models import LimitAction, LimitKind
from llm_ui.observability.logging import get_logger
from llm_ui.observability.metrics import LIMITS_PASSED
from llm_ui.runs.booking import LONGEST_WAIT_S
from llm_ui.runs.counts import Counts
from llm_ui.services import limits
from llm_ui.services.access import Actor
from llm_ui.services.limits import Asking, Rule
from llm_ui.services.targets import ModelTarget

log = get_logger(__name__)

STRICTNESS = [LimitAction.STOP, LimitAction.SWITCH, LimitAction.THROTTLE, LimitAction.WARN]
FREE_AGAIN_S = 0.25
"""How often it is looked whether one of the answers under way has ended."""
REFUSED = {
    LimitKind.REQUESTS_MINUTE: later(
        "For {name}, {amount} requests in a minute are the limit, and they are used up. Try again in {seconds} seconds."
    ),
    LimitKind.TOKENS_MINUTE: later(
        "For {name}, {amount} tokens in a minute are the limit, and too few are left. Try again in {seconds} seconds."
    ),
    LimitKind.STREAMS: later(
        "For {name}, {amount} answers at the same time are the limit. Try again once one of them has ended."
    ),
}
PASSED = {
    LimitKind.REQUESTS_MINUTE: later("The limit of {amount} requests in a minute for {name} is passed."),
    LimitKind.TOKENS_MINUTE: later("The limit of {amount} tokens in a minute for {name} is passed."),
    LimitKind.STREAMS: later("The limit of {amount} answers at the same time for {name} is passed."),
}


class Counted(Protocol):
    """A question, as far as limits count it."""

    target: ModelTarget

    @property
    def actor(self) -> Actor:
        """Who asks."""
        ...

    @property
    def project_id(self) -> ProjectId | None:
        """Where it is asked."""
        ...

    @property
    def sent_tokens(self) -> int:
        """What is sent, estimated."""
        ...

    @property
    def most_tokens(self) -> int:
        """Of the longest answer that is reckoned with."""
        ...

    @property
    def used_tokens(self) -> int:
        """What was sent and written by now; 0: nothing was asked."""
        ...


@dataclass
class Place:
    """What a question has taken of its limits."""

    counted: list[tuple[Rule, int, int]] = field(default_factory=list)
    """The limit, in which minute, and how much."""
    held: list[str] = field(default_factory=list)
    lease: str = field(default_factory=lambda: str(uuid7()))
    warnings: list[str] = field(default_factory=list)
    """What is to be said of limits that were passed."""
    levels: dict[LimitKind, Level] = field(default_factory=dict)
    """What is left of the limits of a minute, each the tightest one."""


@dataclass(frozen=True, slots=True)
class _Full:
    rule: Rule
    wait_s: float


class Limiter:
    """Lets questions through to models. One in each process of the LLM API."""

    def __init__(self, database: Database, counts: Counts) -> None:
        self._database = database
        self._counts = counts

    async def enter(self, question: Counted) -> Place | None:
        """Return what a question takes of its limits; None: nothing limits it. Raises `TooManyRequests`."""
        target = question.target
        if not target.has_limits:
            return None
        actor, key = question.actor, question.actor.key
        series_id = None if key is None else key.series_id
        asking = Asking(actor.user_id, question.project_id, series_id, target.model_id)
        async with self._database.reading() as session:
            rules = await limits.of_call(session, asking)
        if not rules:
            return None
        tokens = question.sent_tokens + question.most_tokens
        deadline = time.monotonic() + LONGEST_WAIT_S
        has_waited = False
        while True:
            place = Place()
            full = await self._take(place, sorted(rules, key=lambda one: STRICTNESS.index(one.action)), tokens)
            if full is None:
                return place
            left_s = deadline - time.monotonic()
            if full.rule.action is not LimitAction.THROTTLE or full.wait_s > left_s:
                _count(full.rule)
                raise await self._refusal(full)
            if not has_waited:
                has_waited = True
                _count(full.rule)
            await asyncio.sleep(min(full.wait_s, left_s))

    async def leave(self, place: Place, used_tokens: int) -> None:
        """Settle: of the tokens what was used counts, in the place of what was reckoned with."""
        for rule, slot, amount in place.counted:
            if rule.kind is LimitKind.TOKENS_MINUTE:
                await self._counts.give(_key(rule), slot, used_tokens - amount)
        for key in place.held:
            await self._counts.let_go(key, place.lease)

    async def _take(self, place: Place, rules: list[Rule], tokens: int) -> _Full | None:
        """Take of all limits, or of none where one is full that does more than warn; return that one."""
        for rule in rules:
            wait_s = await self._take_one(place, rule, tokens)
            if wait_s <= 0:
                continue
            if rule.action is not LimitAction.WARN:
                await self._undo(place)
                return _Full(rule, wait_s)
            sentence = filled(PASSED[rule.kind], {"amount": rule.amount, "name": await self._name(rule)})
            _count(rule)
            log.warning("limit.passed", kind=rule.kind.value, scope=rule.scope.value, scope_id=rule.scope_id)
            place.warnings.append(sentence)
        return None

    async def _take_one(self, place: Place, rule: Rule, tokens: int) -> float:
        """Return how long to wait for it; 0: it is taken. What only warns is taken in any case."""
        key = _key(rule)
        if rule.kind is LimitKind.STREAMS:
            if not await self._counts.hold(key, rule.amount, place.lease):
                return FREE_AGAIN_S
            place.held.append(key)
            return 0
        amount = 1 if rule.kind is LimitKind.REQUESTS_MINUTE else min(tokens, rule.amount)
        taken = await self._counts.take(key, rule.amount, amount)
        before = place.levels.get(rule.kind)
        if before is None or taken.level.remaining < before.remaining:
            place.levels[rule.kind] = taken.level
        if taken.wait_s > 0 and rule.action is LimitAction.WARN:
            await self._counts.give(key, taken.slot, amount)
        if taken.wait_s <= 0 or rule.action is LimitAction.WARN:
            place.counted.append((rule, taken.slot, amount))
        return taken.wait_s

    async def _undo(self, place: Place) -> None:
        for rule, slot, amount in place.counted:
            await self._counts.give(_key(rule), slot, -amount)
        for key in place.held:
            await self._counts.let_go(key, place.lease)

    async def _refusal(self, full: _Full) -> TooManyRequests:
        rule, seconds = full.rule, math.ceil(full.wait_s)
        values: dict[str, str | int] = {"name": await self._name(rule), "amount": rule.amount, "seconds": seconds}
        return TooManyRequests(REFUSED[rule.kind], leads_to=rule.action.value, retry_after=seconds, **values)

    async def _name(self, rule: Rule) -> str:
        async with self._database.reading() as session:
            return await limits.name_of(session, rule.scope, rule.scope_id)


def _key(rule: Rule) -> str:
    return f"{rule.kind.value}/{rule.scope.value}/{rule.scope_id}"


def _count(rule: Rule) -> None:
    LIMITS_PASSED.add(rule.kind.value, rule.action.value)
