"""Safety filters of whoever asks: the same for chats, for scripts and for what the product asks by itself."""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass, replace

import httpx2

from llm_ui.contract.filters import FilterFinding, FilterTry, TriedFilter
from llm_ui.db import Database
from llm_ui.errors import ContentBlocked, LLMUIError
from llm_ui.kit.encryption import Sealer
from llm_ui.kit.text import storable
from llm_ui.models import FilterKind
from llm_ui.providers.base import Image, Prompt, PromptMessage
from llm_ui.runs.filters.base import apart
from llm_ui.runs.filters.guard import Guard, OnFound
from llm_ui.runs.filters.moderation import Moderation
from llm_ui.runs.filters.pictures import Pictures
from llm_ui.runs.filters.policy import DETECTORS, Policy
from llm_ui.services import filters
from llm_ui.services.access import Actor
from llm_ui.services.filters import Rule

POLICIES = 100
"""Kept ready: as many as there are different sets of rules, which is about as many as there are teams."""


class Filters:
    """Makes guards. One in each process for all who ask."""

    def __init__(self, database: Database, sealer: Sealer, http: httpx2.AsyncClient) -> None:
        self._database = database
        self._moderation = Moderation(database, sealer, http)
        self._pictures = Pictures()
        self._policies: OrderedDict[tuple[Rule, ...], Policy] = OrderedDict()

    async def guard(self, actor: Actor, on_found: OnFound) -> Guard | None:
        """Return the filters of one request of somebody; None: none are on. Read anew, so a change holds at once."""
        async with self._database.reading() as session:
            rules = await filters.rules_for(session, actor)
        return self._guard(rules, on_found) if rules else None

    def _guard(self, rules: tuple[Rule, ...], on_found: OnFound) -> Guard:
        look = _Look(self._pictures, self._moderation)
        return Guard(self._policy(rules), self._moderation.flagged, on_found, look)

    async def tried(self, actor: Actor, text: str) -> FilterTry:
        """Return what each filter of the workspace finds in a text, also those that are off. Raises `Forbidden`."""
        async with self._database.reading() as session:
            rules = await filters.list_rules(session, actor)
        tried = [await self._tried(rule, text) for rule in rules]
        guard = self._guard(filters.strictest(rules), lambda *_: None)
        try:
            sent = await guard.sent(Prompt("", "", (PromptMessage("user", text),)))
        except ContentBlocked:
            return FilterTry(filters=tuple(tried), masked="")
        return FilterTry(filters=tuple(tried), masked=sent.messages[0].text)

    async def _tried(self, rule: Rule, text: str) -> TriedFilter:
        began, problem = time.perf_counter(), ""
        found: list[FilterFinding] = []
        if rule.kind is not FilterKind.MODERATION:
            detector = DETECTORS[rule.kind](rule)
            findings = await asyncio.to_thread(lambda: list(apart(detector.find(text))))
            whole = 0, len(text)
            for one in findings:
                piece = "" if (one.start, one.end) == whole else text[one.start : one.end]
                found.append(FilterFinding(what=one.what, text=piece))
        elif rule.options.provider_id is not None:
            strict = replace(rule, options=replace(rule.options, fails_closed=True))
            try:
                (flagged,) = await self._moderation.flagged(strict, [text])
                found = [FilterFinding(what=storable(what), text="") for what in sorted(flagged)]
            except LLMUIError as error:
                problem = error.message
        took_ms = round((time.perf_counter() - began) * 1000, 2)
        return TriedFilter(
            kind=rule.kind, on_input=rule.on_input, on_output=rule.on_output, findings=tuple(found), problem=problem,
            took_ms=took_ms,
        )  # fmt: skip

    def _policy(self, rules: tuple[Rule, ...]) -> Policy:
        policy = self._policies.get(rules)
        if policy is None:
            policy = self._policies[rules] = Policy(rules)
        self._policies.move_to_end(rules)
        if len(self._policies) > POLICIES:
            self._policies.popitem(last=False)
        return policy


@dataclass(frozen=True, slots=True)
class _Look:
    """Looks at pictures for a guard."""

    pictures: Pictures
    moderation: Moderation

    async def text(self, image: Image) -> str:
        """Return the text in a picture."""
        return await self.pictures.text(image)

    async def flagged(self, rule: Rule, image: Image) -> frozenset[str]:
        """Return what a provider's moderation flags of it."""
        return await self.moderation.flagged_picture(rule, image)
