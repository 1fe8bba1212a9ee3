"""What a reader is given: the file, the limits, and where it notes what it left out."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost. Whatever goes beyond ends the reading of it."""

    memory_mb: int = 1024
    """Address space of the process. A PDF of 1,000 pages takes some 200."""
    cpu_s: int = 900
    page_s: float = 60
    """For a page to come: an ordinary one takes 20 ms."""
    total_s: float = 1800
    """Of waiting for pages; the time in which nobody asks for one does not count."""
    pages: int = 20_000
    page_chars: int = 500_000
    """A page of a newspaper has 20,000."""
    text_chars: int = 60_000_000
    """Of all pages together: a book has a million."""
    archive_entries: int = 10_000
    archive_mb: int = 500
    """Unpacked, all entries together."""
    archive_ratio: int = 200
    """Unpacked to packed, of an entry over a megabyte: text of markup that says one thing over and over has 60."""


class Left(StrEnum):
    """What the person should know that reading left out or took on trust, counted by pieces or told by pages."""

    INVISIBLE_CHARACTERS = "invisible_characters"
    HIDDEN_TEXT = "hidden_text"
    """Pieces of text that are on the page and that nobody sees."""
    SCRIPTS = "scripts"
    ATTACHMENTS = "attachments"
    GUESSED_ENCODING = "guessed_encoding"
    BARE_PAGES = "bare_pages"
    """Pages that show pictures and have no text."""
    BROKEN_PAGES = "broken_pages"
    """Pages that are damaged."""
    RECOGNISED_PAGES = "recognised_pages"
    """Pages whose text lies unseen on a picture of it, as programs that scan write it."""


@dataclass(slots=True)
class Source:
    """A file to read."""

    path: Path
    name: str
    """As its person sees it."""
    media_type: str
    limits: Limits
    after_page: int = 0
    """Pages up to this one are not asked for; a reader may save itself the work."""
    left: Counter[Left] = field(default_factory=Counter)
    pages: dict[Left, list[int]] = field(default_factory=dict)


def ranges(numbers: Iterable[int]) -> str:
    """Return ascending numbers as people write them: 3, 5-8."""
    pieces: list[list[int]] = []
    for number in numbers:
        if pieces and pieces[-1][1] == number - 1:
            pieces[-1][1] = number
        else:
            pieces.append([number, number])
    return ", ".join(f"{first}-{last}" if last > first else str(first) for first, last in pieces)
