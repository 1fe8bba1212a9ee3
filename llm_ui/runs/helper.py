"""Asking the helper model: a few words about a conversation, in the background, bounded, and booked like any use."""

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass, field

import httpx2

from llm_ui.contract import Metrics, Usage
from llm_ui.db import Database
from llm_ui.errors import LLMUIError, ProviderError, ProviderFault
from llm_ui.kit.encryption import Sealer
from llm_ui.kit.ids import ProjectId, RunId, uuid7
from llm_ui.kit.token_count import estimate
from llm_ui.models import RunStatus, UsageLog, UsagePurpose
from llm_ui.observability.logging import get_logger
from llm_ui.providers.base import Prompt, PromptMessage, TextDelta, Timeouts, UsageDelta
from llm_ui.providers.registry import adapter
from llm_ui.runs.booking import book, booking, give_back, set_aside
from llm_ui.runs.breakers import Breakers
from llm_ui.runs.endpoints import endpoint_of
from llm_ui.runs.filters.filters import Filters
from llm_ui.runs.growing import Growing
from llm_ui.runs.resilience import Call, Resilience
from llm_ui.services.access import Actor
from llm_ui.services.prices import cost
from llm_ui.services.targets import ModelTarget

log = get_logger(__name__)

AT_ONCE = 4
"""Calls at the same time: the helper model must not take a small machine from the answers."""
TIMEOUTS = Timeouts(connect_s=5, first_byte_s=30, idle_s=15, total_s=60)
LIMIT_S = 90.0
"""For one call with its retries."""
MAX_TOKENS = 2_000
"""Of what it writes, reasoning included: some models think before they name a chat."""
MAX_CHARS = 20_000
"""Where a server ignores the limit of tokens."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What the helper model is asked, for whom, what for and in which project."""

    purpose: UsagePurpose
    actor: Actor
    instructions: str
    text: str
    project_id: ProjectId | None


@dataclass
class _Call:
    """One call while it is made."""

    errand: Errand
    target: ModelTarget
    id: RunId = field(default_factory=lambda: RunId(uuid7()))
    began: float = field(default_factory=time.monotonic)
    is_asked: bool = False
    is_set_aside: bool = False
    """Whether something of a budget is."""
    status: RunStatus = RunStatus.FAILED
    first_at: float | None = None
    reported: UsageDelta = field(default_factory=UsageDelta)
    said: Growing = field(default_factory=Growing)
    answer: str = ""
    """What was said, with what safety filters have masked of what was asked."""

    @property
    def asked_tokens(self) -> int:
        """What is asked, estimated."""
        return estimate(self.errand.instructions) + estimate(self.errand.text)

    def asked(self, _attempt: int) -> None:
        """Note that the provider is called."""
        self.is_asked = True

    def add(self, piece: str) -> None:
        """Take in a piece of the answer."""
        self.first_at = self.first_at or time.monotonic()
        self.said.add(piece)

    def booking(self) -> UsageLog:
        """Return the row that says what was used: the provider's counts where it told both, else estimates."""
        reported = self.reported
        is_exact = reported.input_tokens is not None and reported.output_tokens is not None
        usage = Usage(
            input_tokens=self.asked_tokens if reported.input_tokens is None else reported.input_tokens,
            cached_tokens=reported.cached_tokens or 0,
            output_tokens=max(reported.output_tokens or 0, 0 if is_exact else estimate(self.said.whole())),
            reasoning_tokens=reported.reasoning_tokens or 0,
            source="provider" if is_exact else "estimate",
        )
        booked = booking(
            self.id,
            self.errand.purpose,
            self.errand.actor.user_id,
            self.target,
            status=self.status,
            usage=usage,
            metrics=Metrics(
                ttft_ms=None if self.first_at is None else round((self.first_at - self.began) * 1000, 1),
                total_ms=round((time.monotonic() - self.began) * 1000, 1),
            ),
        )
        booked.project_id = self.errand.project_id
        return booked


class HelperModel:
    """Asks the helper model. One in each process; its breakers are its own, so that answers never wait for them."""

    def __init__(self, database: Database, sealer: Sealer, http: httpx2.AsyncClient) -> None:
        self._database = database
        self._sealer = sealer
        self._resilience = Resilience(http, breakers=Breakers())
        self._filters = Filters(database, sealer, http)
        self._room = asyncio.Semaphore(AT_ONCE)

    async def ask(self, target: ModelTarget, errand: Errand) -> str:
        """Return what the model says, whole; what was used is booked in any case.

        Raises `ProviderError`, and `BudgetSpent` when the project has too little left.
        """
        async with self._room:
            call = _Call(errand, target)
            most = cost(target.prices, input_tokens=call.asked_tokens, output_tokens=MAX_TOKENS)
            reserved = await set_aside(
                self._database, call.id, most, errand.actor.user_id, errand.project_id, model_id=target.model_id
            )
            call.is_set_aside = reserved.is_set_aside
            try:
                async with asyncio.timeout(LIMIT_S):
                    await self._take_in(call)
                call.status = RunStatus.COMPLETED
            except TimeoutError:
                raise ProviderError("The helper model took too long.", ProviderFault.TIMED_OUT) from None
            finally:
                # Also of a call that is given up because the process ends: it may have cost something.
                await asyncio.shield(self._book(call))
            return call.answer

    async def _take_in(self, call: _Call) -> None:
        target = call.target
        messages = (PromptMessage("user", call.errand.text),)
        prompt = Prompt(target.name, call.errand.instructions, messages, max_tokens=MAX_TOKENS)
        has_filters = call.target.has_filters
        guard = await self._filters.guard(call.errand.actor, lambda *_: None) if has_filters else None
        if guard is not None:
            prompt = await guard.sent(prompt, is_own=False)
        asked = Call(adapter(target.kind), endpoint_of(self._sealer, target), prompt, target.provider_id, TIMEOUTS)
        async with aclosing(self._resilience.stream(asked, call.asked)) as deltas:
            async for delta in deltas:
                if isinstance(delta, TextDelta):
                    call.add(delta.text)
                elif isinstance(delta, UsageDelta):
                    call.reported = call.reported.updated(delta)
                if call.said.chars > MAX_CHARS:
                    break
        call.answer = call.said.whole() if guard is None else guard.restored(call.said.whole())

    async def _book(self, call: _Call) -> None:
        try:
            if call.is_asked:
                await book(self._database, call.booking())
            elif call.is_set_aside:
                await give_back(self._database, call.id)
        except LLMUIError:
            log.exception("helper.not_booked", purpose=call.errand.purpose)
