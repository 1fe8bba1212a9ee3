"""Token buckets: so much in a minute, all of it at once if somebody likes. In the memory of one process."""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

MINUTE_S = 60.0
MOST = 10_000
"""Buckets that are kept; past that those that are full again are thrown away."""


@dataclass(frozen=True, slots=True)
class Level:
    """How full a bucket is."""

    limit: int
    remaining: int
    reset_s: float
    """Seconds until it is full."""


class Buckets:
    """One bucket for each key. What is taken afterwards may make one owe: who comes next waits the longer."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._levels: dict[Hashable, tuple[float, float, int]] = {}
        """What is left, when that was, and of how much."""

    def wait_s(self, key: Hashable, limit: int, amount: float) -> float:
        """Return the seconds until so much can be taken; 0: now. More than the limit needs a full bucket."""
        missing = min(amount, limit) - self._left(key, limit)
        return max(0.0, missing * MINUTE_S / limit)

    def take(self, key: Hashable, limit: int, amount: float) -> None:
        """Take so much, whether it is there or not."""
        left = self._left(key, limit)
        if len(self._levels) >= MOST:
            self._levels = {one: level for one, level in self._levels.items() if self._left(one, level[2]) < level[2]}
        self._levels[key] = min(left - amount, limit), self._clock(), limit

    def level(self, key: Hashable, limit: int) -> Level:
        """Return how full a bucket is."""
        left = self._left(key, limit)
        return Level(limit, max(0, int(left)), max(0.0, (limit - left) * MINUTE_S / limit))

    def _left(self, key: Hashable, limit: int) -> float:
        left, at, _ = self._levels.get(key, (float(limit), self._clock(), limit))
        return min(float(limit), left + (self._clock() - at) * limit / MINUTE_S)
