"""Probes of providers that cost nothing: each is asked for its list of models, never for an answer.

Every process of the LLM API looks every few seconds at what is known; which of them probes, the database says. What
is found moves the breakers of all: one that is open lets a call through as soon as a probe was answered, and one is
opened where a probe says that nobody can be reached. Any other failure of a probe leaves them to the calls.
"""

import asyncio
import time
from contextlib import suppress
from datetime import datetime, timedelta

import httpx2

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.errors import LLMUIError, ProviderError, ProviderFault
from llm_ui.kit.clock import now
from llm_ui.kit.encryption import Sealer
from llm_ui.kit.ids import ProviderId
from llm_ui.kit.text import storable
from llm_ui.observability import metrics
from llm_ui.observability.logging import get_logger
from llm_ui.providers.base import Timeouts
from llm_ui.providers.registry import adapter
from llm_ui.runs.breakers import Breakers
from llm_ui.runs.endpoints import endpoint_of
from llm_ui.services import provider_health, settings
from llm_ui.services.provider_health import ANSWERS, DOWN, Known, Probed
from llm_ui.services.providers import ProviderTarget
from llm_ui.services.settings import PROBE_SECONDS

log = get_logger(__name__)

LOOK_S = 3.0
TIMEOUTS = Timeouts(connect_s=5, first_byte_s=10, idle_s=5, total_s=15)
AT_ONCE = 8
NOTED_EVERY_S = 20.0
"""How exact it is when a provider last answered a call; writing it more often would tell nobody more."""


class Prober:
    """Probes providers, and moves the breakers of its process by what is found."""

    def __init__(
        self, config: Config, database: Database, sealer: Sealer, http: httpx2.AsyncClient, breakers: Breakers
    ) -> None:
        self._may_probe = config.probe_providers
        self._database, self._sealer, self._http, self._breakers = database, sealer, http, breakers
        self._places = asyncio.Semaphore(AT_ONCE)
        self._going_on: set[asyncio.Task[None]] = set()
        self._noted: dict[ProviderId, float] = {}

    async def keep(self) -> None:
        """Look until cancelled."""
        try:
            while True:
                await asyncio.sleep(LOOK_S)
                # The database is away for a moment.
                with suppress(LLMUIError):
                    await self.look()
        finally:
            for task in self._going_on:
                task.cancel()
            await asyncio.gather(*self._going_on, return_exceptions=True)

    async def look(self) -> None:
        """Tell what calls have shown, hear what others know, and probe whoever is due."""
        async with self._database.reading() as session:
            seconds = await settings.get(session, PROBE_SECONDS) if self._may_probe else 0
            found = await provider_health.known(session)
        at, every = now(), timedelta(seconds=seconds)
        if seconds:
            for one in found:
                self._heed(one, at)
        await self._tell(found, at, every)
        if seconds:
            for one in found:
                if one.is_due(at, every):
                    await self._begin(one, every)

    async def _tell(self, found: tuple[Known, ...], at: datetime, every: timedelta) -> None:
        """Write down what calls have shown, where that is news."""
        clock, resting = time.monotonic(), self._breakers.resting() & {one.provider_id for one in found}
        answered = {
            one.provider_id: at - timedelta(seconds=clock - answered_at)
            for one in found
            if (answered_at := self._answered_at(one, clock)) is not None
        }
        is_new = any(one.due_at is None for one in found)
        has_changed = any(one.is_down(at) != one.is_fallen for one in found)
        if not (answered or resting or is_new or has_changed):
            return
        async with self._database.writing(lock="provider_health") as session:
            await provider_health.note(session, at, every=every, answered=answered, resting=resting)
        self._noted.update(dict.fromkeys(answered, clock))

    def _answered_at(self, one: Known, clock: float) -> float | None:
        """Return when it last answered a call, by the clock; None: not since that was written down, or just now.

        Of one that counts as down it is news at once.
        """
        answered_at, noted_at = self._breakers.answered_at(one.provider_id), self._noted.get(one.provider_id)
        if answered_at is None or noted_at is None:
            return answered_at
        is_due = one.is_fallen or clock - noted_at >= NOTED_EVERY_S
        return answered_at if answered_at > noted_at and is_due else None

    def _heed(self, one: Known, at: datetime) -> None:
        """Move this process's breaker by the last probe, and by what calls have shown to others."""
        breaker, probed_at, well_at = self._breakers.of(one.provider_id), one.probed_at, one.well_at
        if well_at is not None and (probed_at is None or well_at >= probed_at):
            breaker.seen_well((at - well_at).total_seconds())
        elif one.fault in DOWN and probed_at is not None:
            breaker.seen_down((at - probed_at).total_seconds())

    async def _begin(self, one: Known, every: timedelta) -> None:
        async with self._database.writing() as session:
            target = await provider_health.claim(session, one, now(), every)
        if target is not None:
            task = asyncio.create_task(self._probe(target, every))
            self._going_on.add(task)
            task.add_done_callback(self._going_on.discard)

    async def _probe(self, target: ProviderTarget, every: timedelta) -> None:
        async with self._places:
            probed = await self._ask(target)
        metrics.PROBES.add(target.name, probed.fault or "answered")
        # What cannot be written now is found out again.
        with suppress(LLMUIError):
            async with self._database.writing(lock="provider_health") as session:
                await provider_health.record(session, target.id, probed, now(), every)

    async def _ask(self, target: ProviderTarget) -> Probed:
        at, began = now(), time.monotonic()
        try:
            await adapter(target.kind).list_models(self._http, endpoint_of(self._sealer, target), TIMEOUTS)
        except LLMUIError as error:
            fault = error.fault if isinstance(error, ProviderError) else ProviderFault.PROVIDER_ERROR
            if fault not in ANSWERS:
                log.info("probe.failed", provider_id=target.id, fault=fault)
                return Probed(at, None, fault, storable(error.message))
        return Probed(at, round((time.monotonic() - began) * 1000, 1))
