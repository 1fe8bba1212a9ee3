"""Attempts to talk a model out of its instructions: phrases with weights (phrases.toml), English and German.

What each phrase weighs was set with tests/filters: `python -m tests.bench filters` prints what is found of the attacks
and what of the harmless sentences. A score of 1 is an attempt. Heuristics know what others have tried before: they are
no wall, and what must not happen is not left to a model's obedience.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from llm_ui.models import FilterKind
from llm_ui.runs.filters.base import Finding
from llm_ui.runs.filters.terms import folded

THRESHOLD = 1.0
LOOKALIKES = str.maketrans("аеорсухіѕԁɡ0134$@", "aeopcyxisdgoieasa")
"""Signs that are put in the place of letters: Cyrillic ones, digits."""
MIXED = re.compile(r"[a-z][0134$@а-ѕԁɡ]|[0134$@а-ѕԁɡ][a-z]")
"""Words that hold such signs beside letters."""
WINDOW_CHARS, STEP_CHARS = 4_000, 3_600
"""Of a long text so much is looked at together: what is far apart adds up to nothing."""
SPACES = re.compile(r"[^\S\n]+")


@dataclass(frozen=True, slots=True)
class Phrase:
    """What is looked for, and how much it weighs."""

    family: str
    """Of each family the heaviest phrase counts."""
    weight: float
    needs: tuple[str, ...]
    """One of these has to be in a text before the pattern is tried, which takes much longer."""
    pattern: re.Pattern[str]

    def is_in(self, text: str) -> bool:
        """Return whether a text, folded, holds it."""
        return any(map(text.__contains__, self.needs)) and self.pattern.search(text) is not None


def _phrases() -> tuple[Phrase, ...]:
    listed = tomllib.loads(Path(__file__).with_name("phrases.toml").read_text(encoding="utf-8"))
    found = []
    for one in listed["phrases"]:
        pattern = one["pattern"]
        for name, named in listed["names"].items():
            pattern = pattern.replace(f"<{name}>", named)
        found.append(Phrase(one["family"], one["weight"], tuple(one["needs"]), re.compile(pattern)))
    return tuple(found)


PHRASES = _phrases()


def score(text: str) -> float:
    """Return how much a text looks like an attempt: of each family the heaviest phrase, added up."""
    said = SPACES.sub(" ", folded(text))
    found: dict[str, float] = {}
    for version in (said, said.translate(LOOKALIKES)) if MIXED.search(said) else (said,):
        for phrase in PHRASES:
            if phrase.weight > found.get(phrase.family, 0) and phrase.is_in(version):
                found[phrase.family] = phrase.weight
    return sum(found.values())


class Injection:
    """Finds attempts. A finding is the whole text: no part of it can be told apart."""

    def find(self, text: str) -> Iterator[Finding]:
        """Yield one finding, or none."""
        pieces = (text[at : at + WINDOW_CHARS] for at in range(0, len(text), STEP_CHARS))
        if any(score(piece) >= THRESHOLD for piece in pieces):
            yield Finding(FilterKind.INJECTION, "attempt", 0, len(text))

    def open_from(self, text: str) -> int:
        """Return the end: only what goes to models is looked at."""
        return len(text)
