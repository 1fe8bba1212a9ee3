"""Names in the place of what a model is not to see: [EMAIL_1] goes to the provider, and comes back as what it was."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from llm_ui.runs.filters.base import Finding, apart

PLACEHOLDER = re.compile(r"\[[A-Z_]{2,12}_\d{1,5}\]")
MAX_PLACEHOLDER_CHARS = 20
LABELS = {"api_key": "SECRET", "private_key": "SECRET", "jwt": "SECRET", "password": "SECRET", "token": "SECRET"}
REMOVED = "[REMOVED]"
PICTURE_REMOVED = "[a picture was taken out by a filter]"
"""In the place of what is stopped where nobody can be asked to word it differently; it does not come back."""


def label(what: str) -> str:
    """Return what a thing is called in its placeholder."""
    return LABELS.get(what, what.upper())


@dataclass
class Placeholders:
    """Those of one conversation, numbered in the order of their values, so that each keeps its name as it grows."""

    values: dict[str, str] = field(default_factory=dict)
    """What stands behind each."""
    _names: dict[tuple[str, str], str] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)
    _last: dict[str, int] = field(default_factory=dict)

    def avoid(self, texts: Iterable[str]) -> None:
        """Give none of the names that the texts hold already: they would come back as something else."""
        for text in texts:
            if "[" in text:
                self._taken.update(PLACEHOLDER.findall(text))

    def name(self, what: str, value: str) -> str:
        """Return the name of a value, the same each time."""
        kind = label(what)
        known = self._names.get((kind, value))
        if known is not None:
            return known
        while True:
            self._last[kind] = self._last.get(kind, 0) + 1
            name = f"[{kind}_{self._last[kind]}]"
            if name not in self._taken:
                break
        self._names[kind, value] = name
        self.values[name] = value
        return name

    def restored(self, text: str) -> str:
        """Return a text with the values in the place of their names."""
        if not self.values or "[" not in text:
            return text
        return PLACEHOLDER.sub(lambda match: self.values.get(match[0], match[0]), text)

    def open_from(self, text: str) -> int:
        """Return from where on the end of a text could be the beginning of a name."""
        at = text.rfind("[", max(0, len(text) - MAX_PLACEHOLDER_CHARS)) if self.values else -1
        return len(text) if at < 0 or "]" in text[at:] else at


def replaced(text: str, named: Iterable[tuple[Finding, str]]) -> str:
    """Return a text with something else in the place of what was found; of two that overlap the first one counts."""
    words = dict(named)
    pieces, at = [], 0
    for found in apart(words):
        pieces += [text[at : found.start], words[found]]
        at = found.end
    return "".join([*pieces, text[at:]])
