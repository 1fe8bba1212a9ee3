"""What a detector finds."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from llm_ui.models import FilterKind

MAX_TOKEN_CHARS = 512
"""Longest run without a space that is waited for in a stream; no detector takes a longer one for one thing."""
MAX_SPACED_CHARS = 48
"""The same of things that hold spaces: an IBAN in groups of four takes 42."""
SPACED = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ +()/.-\u00a0")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was found, and where in the text: offsets in characters, the end left out."""

    kind: FilterKind
    what: str
    start: int
    end: int


class Detector(Protocol):
    """Finds one kind of thing. Pure: text in, findings out, in linear time."""

    def find(self, text: str) -> Iterable[Finding]:
        """Return what is found, in any order; findings may overlap."""
        ...

    def open_from(self, text: str) -> int:
        """Return from where on the end of a text could be the beginning of something."""
        ...


def open_token(text: str) -> int:
    """Return where the last word of a text begins, or what could be a number written in groups."""
    at, least = len(text), max(0, len(text) - MAX_TOKEN_CHARS)
    while at > least and not text[at - 1].isspace():
        at -= 1
    spaced, least = len(text), max(0, len(text) - MAX_SPACED_CHARS)
    while spaced > least and text[spaced - 1] in SPACED:
        spaced -= 1
    return min(at, spaced)


def apart(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield findings that do not overlap, in order: the longer one of two that do, or the earlier."""
    end = 0
    for found in sorted(findings, key=lambda one: (one.start, -one.end)):
        if found.start >= end:
            yield found
            end = found.end
