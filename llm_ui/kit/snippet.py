"""The stretch of a text around what was searched for, in pieces, so that nobody has to build HTML from it."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

WIDTH = 180
"""Characters of a snippet."""
LEAD = 50
"""Characters before the first match."""
WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a snippet; `is_match` says that it was searched for."""

    text: str
    is_match: bool


def folded(text: str) -> str:
    """Return the text without case and diacritics, as the full-text index compares it."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char))


def search_words(text: str, limit: int) -> list[str]:
    """Return the words to search for, `limit` at most; whatever else was typed only separates them."""
    return [word[:64] for word in WORD.findall(text)[:limit]]


@dataclass(frozen=True, slots=True)
class _Match:
    """A word of the text, and the one searched for that it begins with."""

    start: int
    stop: int
    word: str


def snippet(
    text: str, words: Sequence[str], width: int = WIDTH, *, seen: int | None = None, prefix_from: int = 1
) -> list[Piece]:
    """Return the text where it holds most of the words searched for, or others that begin so; else its beginning.

    It is as wide as `width`, and begins where most of them are within `seen` characters, which is all of it unless
    told. Words with fewer than `prefix_from` characters count only where they stand alone. No word is cut, unless one
    is longer than that.
    """
    wanted = tuple(folded(word) for word in words)
    matches = list(_matches(text, wanted, prefix_from))
    first = _fullest(matches, min(width, seen or width) - LEAD)
    begin = _word_start(text, max(0, first - LEAD), first)
    end = _word_end(text, begin, min(len(text), begin + width))
    pieces: list[Piece] = [Piece("… ", is_match=False)] if begin else []
    at = begin
    for start, stop in ((match.start, match.stop) for match in matches):
        if start < at or stop > end:
            continue
        pieces += [Piece(text[at:start], is_match=False), Piece(text[start:stop], is_match=True)]
        at = stop
    pieces += [Piece(text[at:end], is_match=False), Piece(" …" if end < len(text) else "", is_match=False)]
    return [Piece(" ".join(piece.text.split("\n")), piece.is_match) for piece in pieces if piece.text]


def _word_start(text: str, begin: int, most: int) -> int:
    """Return where the first word begins that begins there or later, but not later than `most`."""
    while 0 < begin < most and not text[begin - 1].isspace():
        begin += 1
    return begin


def _word_end(text: str, begin: int, end: int) -> int:
    """Return where the last word ends that ends there or earlier; the very place where one word is all there is."""
    if end == len(text) or text[end].isspace():
        return end
    at = end
    while at > begin and not text[at - 1].isspace():
        at -= 1
    shorter = begin + len(text[begin:at].rstrip())
    return shorter if shorter > begin else end


def _matches(text: str, wanted: tuple[str, ...], prefix_from: int) -> Iterator[_Match]:
    prefixes = tuple(word for word in wanted if len(word) >= prefix_from)
    for found in WORD.finditer(text):
        said = folded(found.group())
        if said in wanted or said.startswith(prefixes):
            yield _Match(*found.span(), max((word for word in wanted if said.startswith(word)), key=len))


def _fullest(matches: Sequence[_Match], width: int) -> int:
    """Return where the first stretch of that width begins that holds most of the different words."""
    best, begin, last = 0, 0, 0
    inside: Counter[str] = Counter()
    for index, match in enumerate(matches):
        while last < len(matches) and matches[last].stop <= match.start + width:
            inside[matches[last].word] += 1
            last += 1
        if last == index:
            # A word longer than the stretch.
            last += 1
            continue
        if len(inside) > best:
            best, begin = len(inside), match.start
        inside[match.word] -= 1
        if not inside[match.word]:
            del inside[match.word]
    return begin
