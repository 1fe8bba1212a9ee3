"""A circuit breaker: after several failures a provider is left alone for a while."""

import time
from collections import deque
from collections.abc import Callable

from llm_ui.errors import ProviderError, ProviderFault

FAILURES = 5
WINDOW_S = 30.0
OPEN_S = 15.0
"""How long an open breaker refuses before it lets one request through to see."""

COUNTED = frozenset(
    {
        ProviderFault.OVERLOADED,
        ProviderFault.CONNECTION_REFUSED,
        ProviderFault.NAME_NOT_FOUND,
        ProviderFault.TLS_FAILED,
        ProviderFault.TIMED_OUT,
        ProviderFault.STALLED,
        ProviderFault.CUT_OFF,
    }
)
"""Faults that say the provider is not well; a wrong key or a bad request say nothing of that."""


class Breaker:
    """Closed while all is well, open after `FAILURES` within `WINDOW_S`, then half-open: one probe decides."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: deque[float] = deque(maxlen=FAILURES)
        self._opened_at: float | None = None
        self._is_probing = False
        self.answered_at: float | None = None
        """When a request was last answered, by the clock; None: none was."""

    @property
    def is_resting(self) -> bool:
        """Whether the provider gets no calls now, not even one to see."""
        return self._opened_at is not None and self._clock() - self._opened_at < OPEN_S

    @property
    def is_open(self) -> bool:
        """Whether the provider is left alone, or is being tried after that."""
        return self._opened_at is not None

    @property
    def is_noted(self) -> bool:
        """Whether there is anything that a good answer clears."""
        return self.is_open or bool(self._failures)

    def admit(self) -> bool:
        """Let a request through, or raise `ProviderError` with when to try again; return whether it is the probe."""
        if self._opened_at is None:
            return False
        left = self._opened_at + OPEN_S - self._clock()
        if left > 0 or self._is_probing:
            raise left_alone(max(left, 1.0))
        self._is_probing = True
        return True

    def open(self, since_s: float = 0.0) -> None:
        """Leave the provider alone, as others have done since so many seconds."""
        self._opened_at, self._is_probing = self._clock() - since_s, False

    def succeeded(self) -> None:
        """Note that a request was answered."""
        self.answered_at = self._clock()
        self.cleared()

    def cleared(self) -> None:
        """Forget the failures: somebody was answered."""
        self._failures.clear()
        self._opened_at, self._is_probing = None, False

    def seen_well(self, age_s: float) -> None:
        """Let the next request through, for so many seconds ago somebody else was answered."""
        if self._opened_at is not None and self._clock() - age_s > self._opened_at:
            self._opened_at = min(self._opened_at, self._clock() - OPEN_S)

    def seen_down(self, age_s: float) -> None:
        """Leave the provider alone, for a probe that began so many seconds ago could not reach it."""
        has_answered = self.answered_at is not None and self._clock() - age_s < self.answered_at
        if has_answered or age_s >= OPEN_S or self._is_probing:
            return
        if self._opened_at is None or self._clock() - age_s > self._opened_at:
            self.open(since_s=age_s)

    def abandoned(self) -> None:
        """Note that a request ended without telling anything about the provider."""
        self._is_probing = False

    def failed(self, fault: ProviderFault) -> None:
        """Note a failure."""
        if fault in COUNTED:
            self.count()
        else:
            self.abandoned()

    def count(self) -> None:
        """Note a failure that says the provider is not well."""
        instant = self._clock()
        self._failures.append(instant)
        is_many = len(self._failures) == FAILURES and instant - self._failures[0] <= WINDOW_S
        if self._is_probing or is_many:
            self._opened_at, self._is_probing = instant, False


def left_alone(wait_s: float) -> ProviderError:
    """Return what whoever asks a provider is told that is left alone."""
    return ProviderError(
        "The provider failed several times in a row and is left alone. Try again in {seconds} seconds.",
        ProviderFault.OVERLOADED,
        retry_after=wait_s,
        seconds=round(wait_s),
    )
