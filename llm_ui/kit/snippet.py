"""The stretch of a text around what was searched for, in pieces, so that nobody has to build HTML from it."""

import re
import unicodedata
from collections.abc import Sequence
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


def snippet(text: str, words: Sequence[str]) -> list[Piece]:
    """Return the text around the first word that begins with one of those searched for; else its beginning."""
    wanted = tuple(folded(word) for word in words)
    matches = [found.span() for found in WORD.finditer(text) if folded(found.group()).startswith(wanted)]
    first = matches[0][0] if matches else 0
    begin = max(0, first - LEAD)
    end = min(len(text), begin + WIDTH)
    pieces: list[Piece] = [Piece("… ", is_match=False)] if begin else []
    at = begin
    for start, stop in matches:
        if start < at or stop > end:
            continue
        pieces += [Piece(text[at:start], is_match=False), Piece(text[start:stop], is_match=True)]
        at = stop
    pieces += [Piece(text[at:end], is_match=False), Piece(" …" if end < len(text) else "", is_match=False)]
    return [Piece(" ".join(piece.text.split("\n")), piece.is_match) for piece in pieces if piece.text]
