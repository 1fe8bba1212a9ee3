"""Which deployment of a model is asked: by weight, by how soon each begins to answer, by what is left of its keys.

In the memory of one process: what another one learns of a provider's speed it learns itself within a few questions.
"""

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from llm_ui.kit.ids import ModelId
from llm_ui.models import Balancing
from llm_ui.runs.keyring import LEAST_LEFT, Keyring
from llm_ui.services.targets import ModelTarget

FORGETS_S = 60.0
"""After that much time without a question a measured time counts 1/e: whoever was slow is tried again some time."""
KNOWN_FOR_S = 3600.0
"""After that much time without a question a measured time says nothing of today's."""
NEWEST = 0.3
"""What the newest time counts for beside all earlier ones."""


@dataclass
class _Known:
    """What was learnt of a deployment."""

    first_s: float = 0.0
    """How long its first piece takes, an exponentially weighted moving average; 0: not known."""
    at: float = 0.0
    going_on: int = 0


class Balance:
    """Shares questions out to deployments."""

    def __init__(self, keys: Keyring, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys = keys
        self._clock = clock
        self._known: dict[ModelId, _Known] = {}

    def pick(self, found: Sequence[ModelTarget], balancing: Balancing) -> ModelTarget:
        """Return who is asked."""
        if len(found) == 1:
            return found[0]
        if balancing is Balancing.LATENCY:
            # The better of two, so that not all turn to one at once: Mitzenmacher, "The Power of Two Choices in
            # Randomized Load Balancing", IEEE TPDS 12(10), 2001.
            return min(random.sample(list(found), 2), key=self._cost)
        weights = [float(one.share.weight) for one in found]
        if balancing is Balancing.QUOTA:
            weights = [
                weight * max(self._keys.left_of(one), LEAST_LEFT) for weight, one in zip(weights, found, strict=True)
            ]
        return random.choices(found, weights)[0]  # noqa: S311 - spreads load, guards nothing

    @contextmanager
    def asked(self, target: ModelTarget) -> Iterator[Callable[[], None]]:
        """Count a question while it is answered; yields what is to be called at the first piece of the answer."""
        known = self._known.setdefault(target.model_id, _Known())
        began, has_begun = self._clock(), False

        def begun() -> None:
            nonlocal has_begun
            if not has_begun:
                has_begun = True
                self._learn(known, self._clock() - began)

        known.going_on += 1
        try:
            yield begun
        finally:
            known.going_on -= 1

    def first_s(self, model_id: ModelId) -> float | None:
        """Return how soon a model begins to answer; None: nobody has asked it here of late."""
        known = self._known.get(model_id)
        if known is None or not known.first_s or self._clock() - known.at > KNOWN_FOR_S:
            return None
        return known.first_s

    def _learn(self, known: _Known, took_s: float) -> None:
        known.first_s = took_s if not known.first_s else (1 - NEWEST) * known.first_s + NEWEST * took_s
        known.at = self._clock()

    def _cost(self, target: ModelTarget) -> float:
        """Return how long it is likely to take, with those that wait already: who is not known is tried first."""
        known = self._known.setdefault(target.model_id, _Known())
        faded = math.exp(-(self._clock() - known.at) / FORGETS_S)
        return known.first_s * faded * (known.going_on + 1)
