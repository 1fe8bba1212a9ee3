"""From lines of print with a size and a place to headings, paragraphs, tables and items of lists."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise, takewhile

from llm_ui.documents.parse.columns import Cell, row_of, table
from llm_ui.documents.parse.paging import HEADING_CHARS, heading, row
from llm_ui.kit.reading import Block, BlockKind

HEADING_SIZES = ((1.7, 1), (1.35, 2), (1.12, 3))
"""So many times the size of the text a heading of a level is, at least."""
GAP = 1.35
"""So many times the usual distance of lines there is between two paragraphs, at least."""
FULL_LINE = 0.75
"""Of the longest line: a line that is at least so long goes on in the next one, a shorter one ends there."""
INDENT_PT = 8
BULLET = re.compile(r"[•‣◦▪●○–—*·-][ \t]+(?=\S)")
LEADER = re.compile(r"(?:\.\s?){4}")
"""Dots that lead to a number of a page: a line of the contents, however large it is."""
BULLETS_ALONE = frozenset("•‣◦▪●○–·")
SENTENCE_ENDS = (".", "!", "?", ":", "…", '"', "”", "»")
HYPHENED = re.compile(r"[a-zß-ÿ][-\u2010\xad]")
"""The last two characters of a line that ends within a word."""
LIGATURES = str.maketrans(
    {"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl", "\ufb05": "st", "\ufb06": "st"}
)


@dataclass(slots=True)
class Line:
    """A line of print. Sizes and places are in points, from the lower left corner of the page."""

    text: str
    size: float = 0.0
    x: float = 0.0
    y: float = 0.0
    pieces: Sequence[Cell] = ()
    """What it was put together from, where that are several."""


class Lines:
    """Puts the pieces that a page's text comes in together."""

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._parts: list[str] = []
        self._pieces: list[Cell] = []
        self._place: tuple[float, float] | None = None
        self._size = 0.0
        self._longest = 0

    def piece(self, text: str, cm: Sequence[float], tm: Sequence[float], _font: object, size: float) -> None:
        """Take a piece, with the matrices where it began and the size of its font."""
        if not text:
            return
        first, newline, rest = text.partition("\n")
        if first and not first.isspace():
            place = _placed(cm, tm)
            if self._place is None:
                self._place = place
            self._pieces.append((place[0], first))
            if len(first) > self._longest:
                # A line is as large as its longest piece.
                self._longest = len(first)
                self._size = size * math.hypot(tm[2], tm[3]) * math.hypot(cm[2], cm[3])
        self._parts.append(first)
        if newline:
            self._end()
            for part in rest.split("\n"):
                self._end()
                self._parts.append(part)

    def all(self) -> list[Line]:
        """Return the lines that hold anything."""
        self._end()
        return self._lines

    def _end(self) -> None:
        if text := "".join(self._parts).strip():
            x, y = self._place or (0.0, 0.0)
            # To half a point: programs round differently in the middle of a text.
            line = Line(text if text.isascii() else text.translate(LIGATURES), round(self._size * 2) / 2, x, y)
            if len(self._pieces) > 1:
                line.pieces = [(at, piece.translate(LIGATURES)) for at, piece in self._pieces]
            self._lines.append(line)
        self._parts.clear()
        self._pieces.clear()
        self._place, self._size, self._longest = None, 0.0, 0


def _placed(cm: Sequence[float], tm: Sequence[float]) -> tuple[float, float]:
    """Return the place of a text as whoever reads it sees it: from the left, and upwards, also where it is turned."""
    x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
    y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
    right, up = tm[0] * cm[0] + tm[1] * cm[2], tm[0] * cm[1] + tm[1] * cm[3]
    if abs(right) >= abs(up):
        return (x, y) if right >= 0 else (-x, -y)
    return (y, -x) if up > 0 else (-y, x)


def blocks(lines: Sequence[Line], body_size: float, outline: Mapping[str, int]) -> Iterator[Block]:
    """Yield what the lines are. `outline` has the level of each title that the document's own contents name."""
    pitch = _pitch(lines)
    longest = max((len(line.text) for line in lines), default=0)
    held: list[Line] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        level = _level(line, body_size, outline)
        rows = _table(lines, at) if line.pieces and not level else []
        if held and (level or rows or _begins(line, held[-1], pitch)):
            yield _block(held, longest)
            held = []
        if level:
            yield heading(line.text, level)
        elif rows:
            head, *others = (cells for cells in rows if cells)
            yield row(head, is_head=True)
            yield from map(row, others)
        else:
            held.append(line)
        at += len(rows) or 1
    if held:
        yield _block(held, longest)


def _table(lines: Sequence[Line], at: int) -> list[list[str]]:
    """Return the rows of the table that begins at a line, one for each line; nothing where none begins."""
    near = takewhile(lambda line: not LEADER.search(line.text), islice(lines, at, None))
    return table(row_of(line.pieces or [(line.x, line.text)], line.size) for line in near)


def _level(line: Line, body_size: float, outline: Mapping[str, int]) -> int:
    """Return which level of heading a line is; 0 for none."""
    if (not outline and line.size < HEADING_SIZES[-1][0] * body_size) or len(line.text) > HEADING_CHARS:
        return 0
    if (level := outline.get(title_key(line.text))) and line.size >= body_size:
        return level
    if body_size <= 0 or line.text.endswith((".", ",", ";")) or LEADER.search(line.text):
        return 0
    if not any(letter.isalpha() for letter in line.text):
        return 0
    return next((level for times, level in HEADING_SIZES if line.size >= times * body_size), 0)


def title_key(text: str) -> str:
    """Return the form in which titles of the contents and of the page are the same."""
    return "".join(text.split()).casefold()


def _pitch(lines: Sequence[Line]) -> float:
    """Return the usual distance from one line down to the next."""
    gaps = Counter(round((one.y - other.y) * 2) / 2 for one, other in pairwise(lines) if one.y - other.y > 1)
    return gaps.most_common(1)[0][0] if gaps else 0.0


def _begins(line: Line, before: Line, pitch: float) -> bool:
    """Return whether a paragraph or an item begins with a line."""
    if BULLET.match(line.text) or line.text in BULLETS_ALONE:
        return True
    if before.text in BULLETS_ALONE:
        return False
    gap = before.y - line.y
    if gap < 0:
        # A new column.
        return before.text.endswith(SENTENCE_ENDS)
    if pitch and gap > GAP * pitch:
        return True
    return line.x - before.x > INDENT_PT and before.text.endswith(SENTENCE_ENDS)


def _block(lines: Sequence[Line], longest: int) -> Block:
    text, end = "", ""
    for line in lines:
        if HYPHENED.fullmatch(text[-2:]) and line.text[:1].islower():
            text = text[:-1] + line.text
        else:
            text += end + line.text
        is_bullet = line.text in BULLETS_ALONE
        end = " " if is_bullet or len(line.text) >= FULL_LINE * longest else "\n"
    if bullet := BULLET.match(text):
        return Block(BlockKind.ITEM, text[bullet.end() :])
    return Block(BlockKind.TEXT, text)
