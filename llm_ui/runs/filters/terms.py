"""Terms that an administrator lists: whole words, whatever their case, accents' composition or hidden characters."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from llm_ui.models import FilterKind
from llm_ui.runs.filters.base import Finding

WORD = re.compile(r"\w+|[^\w\s]")
"""A word, or a sign on its own: so "c++" is no "c"."""
COMBINED = 2
"""How many times longer than a term it may be written, with signs that are combined or not seen."""
MAX_CLUSTER_CHARS = 32


def folded(text: str) -> str:
    """Return a text as it is compared: composed, case folded, without characters that nobody sees (category Cf)."""
    if text.isascii():
        return text.lower()
    seen = "".join(char for char in text if unicodedata.category(char) != "Cf")
    # Folding can take apart what was composed: Unicode 3.13, D146.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).casefold())


def _with_places(text: str) -> tuple[str, Sequence[int]]:
    """Return the text as it is compared, and of each character of that where it comes from."""
    if text.isascii():
        return text.lower(), range(len(text) + 1)
    pieces: list[str] = []
    places: list[int] = []
    at = 0
    while at < len(text):
        end = at + 1
        while end < len(text) and end - at < MAX_CLUSTER_CHARS and _goes_on(text[end]):
            end += 1
        piece = folded(text[at:end])
        pieces.append(piece)
        places += [at] * len(piece)
        at = end
    return "".join(pieces), [*places, len(text)]


def _goes_on(char: str) -> bool:
    """Return whether a character belongs to the one before, or is not seen."""
    return bool(unicodedata.combining(char)) or unicodedata.category(char) == "Cf"


class Terms:
    """Finds terms."""

    def __init__(self, terms: Iterable[str]) -> None:
        self._by_first: dict[str, list[tuple[str, ...]]] = {}
        self._most_chars = 0
        for term in terms:
            words = tuple(WORD.findall(folded(term)))
            if words:
                self._by_first.setdefault(words[0], []).append(words)
                self._most_chars = max(self._most_chars, COMBINED * len(term))

    def find(self, text: str) -> Iterator[Finding]:
        """Yield what is found: of terms that begin with the same word the longest one."""
        if not self._by_first or self._by_first.keys().isdisjoint(WORD.findall(folded(text))):
            return
        said, places = _with_places(text)
        words = [(match[0], match.start(), match.end()) for match in WORD.finditer(said)]
        for at, (word, start, _) in enumerate(words):
            for term in sorted(self._by_first.get(word, ()), key=len, reverse=True):
                if tuple(each for each, _, _ in words[at : at + len(term)]) == term:
                    end = words[at + len(term) - 1][2]
                    yield Finding(FilterKind.TERMS, "term", places[start], places[end])
                    break

    def open_from(self, text: str) -> int:
        """Return from where on a term could begin that is not over."""
        at = max(0, len(text) - self._most_chars - 1)
        while at > 0 and not text[at - 1].isspace() and len(text) - at < self._most_chars + 64:
            at -= 1
        return at
