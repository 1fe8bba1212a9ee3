"""What differs between two texts: line by line, and word by word within the lines that differ."""

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

WORDS = re.compile(r"\S+\s*|\s+")
"""With the space after them: neighbours that differ are marked in one piece."""
MOST_STEPS = 100_000_000
"""That a comparison may take at the worst, about a second; what might take more is told as a whole. It is repeated
words or lines that take long: `difflib` looks at all places where one stands in both, again for each match."""
Kind = Literal["same", "added", "removed"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that is in both, or only in the later or the earlier one."""

    kind: Kind
    text: str


def difference(before: str, after: str) -> tuple[Piece, ...]:
    """Return the pieces in reading order. Takes its time for long texts: not for an event loop."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    found: list[Piece] = []
    if _takes_long(old, new):
        return tuple(_by_words(before, after))
    for kind, old_from, old_to, new_from, new_to in _steps(old, new):
        gone, come = old[old_from:old_to], new[new_from:new_to]
        if kind == "replace":
            found += _by_words("".join(gone), "".join(come))
        else:
            found += _pieces("same" if kind == "equal" else "removed" if gone else "added", gone or come)
    return tuple(_joined(found))


def _by_words(before: str, after: str) -> list[Piece]:
    old, new = WORDS.findall(before), WORDS.findall(after)
    if _takes_long(old, new):
        return [Piece("removed", before), Piece("added", after)]
    found: list[Piece] = []
    for kind, old_from, old_to, new_from, new_to in _steps(old, new):
        if kind == "equal":
            found += _pieces("same", old[old_from:old_to])
        else:
            found += [*_pieces("removed", old[old_from:old_to]), *_pieces("added", new[new_from:new_to])]
    return found


def _takes_long(old: Sequence[str], new: Sequence[str]) -> bool:
    times = Counter(old)
    in_both = sum(times[one] for one in new)
    return (len(old) + in_both) * min(len(old), len(new)) > MOST_STEPS


def _steps(old: Sequence[str], new: Sequence[str]) -> list[tuple[str, int, int, int, int]]:
    return list(difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes())


def _pieces(kind: Kind, parts: Sequence[str]) -> list[Piece]:
    return [Piece(kind, "".join(parts))] if parts else []


def _joined(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Yield the pieces with neighbours of one kind made one."""
    last: Piece | None = None
    for piece in pieces:
        if last is not None and last.kind == piece.kind:
            last = Piece(last.kind, last.text + piece.text)
            continue
        if last is not None:
            yield last
        last = piece
    if last is not None:
        yield last
