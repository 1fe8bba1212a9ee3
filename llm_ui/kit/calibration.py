"""How far estimates of tokens are off for one model, learnt from what its provider counts.

The ratio of counted to estimated tokens moves towards each new one in the logarithm, by a step that has a limit: it
converges like a running mean, and one count that is far off (a cache that is not counted, a picture, a lie) moves it
by little.
"""

import math
from dataclasses import dataclass

LEAST, MOST = 0.5, 3.0
"""No tokenizer is further off than this; a provider that says so counts something else."""
SHORTEST = 100
"""Estimated tokens; of fewer it is the roles and separators that are counted."""
ENOUGH = 3
"""Counts after which the ratio is used."""
REACH = 0.2
"""One count pulls no harder than one that is this far off, in the logarithm."""
FIRST = 20
"""Counts that are all written down."""
NOTICEABLE = 0.005
"""A change below this is not worth a write."""
LEAST_GAIN = 0.1
"""Of a count's pull, however many came before: a model behind the same name may change."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was learnt of one model."""

    ratio: float = 1.0
    """Counted by estimated tokens."""
    samples: int = 0

    @property
    def factor(self) -> float:
        """What to multiply estimates with."""
        return self.ratio if self.is_known else 1.0

    @property
    def is_known(self) -> bool:
        """Whether enough was counted."""
        return self.samples >= ENOUGH

    def is_news(self, before: "Calibration") -> bool:
        """Return whether this is worth writing down after what was known before."""
        return self.samples != before.samples and (
            self.samples <= FIRST or abs(self.ratio / before.ratio - 1) > NOTICEABLE
        )

    def learnt(self, estimated: int, counted: int) -> "Calibration":
        """Return what is known after one more count. `estimated` is without this calibration."""
        if estimated < SHORTEST or counted <= 0:
            return self
        off = math.log(min(MOST, max(LEAST, counted / estimated)) / self.ratio)
        gain = max(LEAST_GAIN, 1 / (self.samples + 1))
        ratio = self.ratio * math.exp(gain * min(REACH, max(-REACH, off)))
        return Calibration(min(MOST, max(LEAST, ratio)), self.samples + 1)
