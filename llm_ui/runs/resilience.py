"""Retries and breakers around an adapter. Nothing is repeated once a piece of the answer has been shown (I5)."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

import httpx2

from llm_ui.errors import ProviderError, ProviderFault
from llm_ui.kit.ids import ProviderId
from llm_ui.providers.base import Adapter, Began, Delta, Endpoint, Prompt, Timeouts, UsageDelta
from llm_ui.runs.breakers import Breakers

RETRIES = 2
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 8.0
LONGEST_RETRY_AFTER_S = 30.0
"""A provider that wants more patience than this is told to the person instead."""
SHORT_RETRY_AFTER_S = 2.0
"""The same where another model can be asked at once."""


@dataclass(frozen=True, slots=True)
class Call:
    """One answer to be fetched."""

    adapter: Adapter
    endpoint: Endpoint
    prompt: Prompt
    provider_id: ProviderId
    timeouts: Timeouts
    is_patient: bool = True
    """False: somebody else can be asked, so nobody waits long before the same is asked again."""


def is_shown(delta: Delta) -> bool:
    """Return whether this is a piece of the answer itself: after one nothing is asked again (I5)."""
    return not isinstance(delta, Began | UsageDelta)


class Resilience:
    """Calls providers with retries before the first piece, as their breakers let it. One in each process."""

    def __init__(
        self,
        http: httpx2.AsyncClient,
        *,
        breakers: Breakers,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = http
        self._breakers = breakers
        self._sleep = sleep

    async def stream(self, call: Call, on_attempt: Callable[[int], None]) -> AsyncGenerator[Delta]:
        """Yield the answer. `on_attempt` is told the number of each attempt, from 1. Raises `ProviderError`."""
        breakers, provider_id = self._breakers, call.provider_id
        attempt = 0
        while True:
            attempt += 1
            await breakers.admit(provider_id)
            on_attempt(attempt)
            has_shown = False
            try:
                async with aclosing(_once(self._http, call)) as deltas:
                    async for delta in deltas:
                        has_shown = has_shown or is_shown(delta)
                        yield delta
            except ProviderError as error:
                breakers.failed(provider_id, error.fault)
                pause = pause_s(error, attempt, is_patient=call.is_patient)
                if has_shown or pause is None:
                    raise
                await self._sleep(pause)
            except BaseException:
                breakers.abandoned(provider_id)
                raise
            else:
                breakers.succeeded(provider_id)
                return


async def _once(http: httpx2.AsyncClient, call: Call) -> AsyncGenerator[Delta]:
    async for delta in call.adapter.stream(http, call.endpoint, call.prompt, call.timeouts):
        yield delta


def pause_s(error: ProviderError, attempt: int, *, is_patient: bool = True) -> float | None:
    """Return how long to wait before the next attempt, or None when there should be none.

    Full jitter (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015); a Retry-After is obeyed up
    to `LONGEST_RETRY_AFTER_S`. A rate limit that names no time is a spent allowance more often than not: no retry.
    """
    if not error.retryable or attempt > RETRIES:
        return None
    if not is_patient and error.fault is ProviderFault.TIMED_OUT:
        return None
    if error.retry_after is not None:
        longest = LONGEST_RETRY_AFTER_S if is_patient else SHORT_RETRY_AFTER_S
        return error.retry_after if error.retry_after <= longest else None
    if error.fault is ProviderFault.RATE_LIMITED:
        return None
    ceiling = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (attempt - 1))
    return random.uniform(0, ceiling)  # noqa: S311 - spreads load, guards nothing
