"""The breakers of all providers."""

import time
from collections.abc import Callable

from llm_ui.errors import ProviderFault
from llm_ui.kit.ids import ProviderId
from llm_ui.runs.breaker import Breaker


class Breakers:
    """In the memory of one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._all: dict[ProviderId, Breaker] = {}

    def left_alone(self) -> frozenset[ProviderId]:
        """Return the providers that get no calls now, or one to see whether they are well again."""
        return frozenset(provider_id for provider_id, breaker in self._all.items() if breaker.is_open)

    def resting(self) -> frozenset[ProviderId]:
        """Return the providers that get no calls now, not even one to see."""
        return frozenset(provider_id for provider_id, breaker in self._all.items() if breaker.is_resting)

    def answered_at(self, provider_id: ProviderId) -> float | None:
        """Return when a provider last answered a request of this process, by the monotonic clock."""
        return self.of(provider_id).answered_at

    async def admit(self, provider_id: ProviderId) -> None:
        """Let a request through. Raises `ProviderError` with when to try again."""
        self.of(provider_id).admit()

    def succeeded(self, provider_id: ProviderId) -> None:
        """Note that a request was answered."""
        self.of(provider_id).succeeded()

    def abandoned(self, provider_id: ProviderId) -> None:
        """Note that a request ended without telling anything about the provider."""
        self.of(provider_id).abandoned()

    def failed(self, provider_id: ProviderId, fault: ProviderFault) -> None:
        """Note a failure."""
        self.of(provider_id).failed(fault)

    def of(self, provider_id: ProviderId) -> Breaker:
        """Return the breaker of a provider."""
        if (known := self._all.get(provider_id)) is None:
            known = self._all[provider_id] = Breaker(self._clock)
        return known
