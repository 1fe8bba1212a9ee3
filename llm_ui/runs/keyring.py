"""Which of a provider's keys is used for a call: by weight, by what is left of its allowance, and none that rests."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from llm_ui.errors import ProviderError, ProviderFault
from llm_ui.services.reach import MAIN, SealedKey
from llm_ui.services.targets import ModelTarget

RESTS_S = {ProviderFault.KEY_REFUSED: 600.0, ProviderFault.SPEND_LIMIT: 600.0, ProviderFault.RATE_LIMITED: 30.0}
"""How long a key is left alone after such a fault, at least: others are there to be used."""
LEAST_LEFT = 0.01
"""What counts as left of an allowance that is used up: it may be back by now."""


@dataclass
class _Known:
    """What the last answers told of a key."""

    rests_until: float = 0.0
    left: float = 1.0


class Keyring:
    """Knows the keys of all providers by what they were answered. In the memory of one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[str, _Known] = {}

    def pick(self, target: ModelTarget) -> SealedKey | None:
        """Return the key to use; None: the provider has none. Where all rest it is the one that wakes first."""
        keys = keys_of(target)
        if len(keys) <= 1:
            return keys[0] if keys else None
        awake = [key for key in keys if not self._rests(key)]
        if not awake:
            return min(keys, key=lambda key: self._known[key.sealed].rests_until)
        weights = [key.weight * max(self._left(key), LEAST_LEFT) for key in awake]
        return random.choices(awake, weights)[0]  # noqa: S311 - spreads load, guards nothing

    def left_of(self, target: ModelTarget) -> float:
        """Return how much of its allowance is left of the best of a model's keys, from 0 to 1."""
        keys = keys_of(target)
        return max((0.0 if self._rests(key) else self._left(key) for key in keys), default=1.0)

    def failed(self, target: ModelTarget, key: SealedKey | None, error: ProviderError) -> bool:
        """Note a fault; return whether the same can be asked with another key at once."""
        rest_s = RESTS_S.get(error.fault)
        if key is None or rest_s is None:
            return False
        self._of(key).rests_until = self._clock() + max(error.retry_after or 0, rest_s)
        return any(not self._rests(other) for other in keys_of(target))

    def told(self, key: SealedKey | None, left: float | None) -> None:
        """Note how much of its allowance a provider says is left of a key, from 0 to 1."""
        if key is not None and left is not None:
            self._of(key).left = left

    def _of(self, key: SealedKey) -> _Known:
        # By what is sealed: a key that is entered anew starts afresh.
        return self._known.setdefault(key.sealed, _Known())

    def _rests(self, key: SealedKey) -> bool:
        known = self._known.get(key.sealed)
        return known is not None and known.rests_until > self._clock()

    def _left(self, key: SealedKey) -> float:
        known = self._known.get(key.sealed)
        return 1.0 if known is None else known.left


def keys_of(target: ModelTarget) -> list[SealedKey]:
    """Return all keys of a model's provider."""
    if target.sealed_key is None:
        return []
    return [SealedKey(MAIN, target.sealed_key, target.reach.key_weight), *target.reach.more_keys]
