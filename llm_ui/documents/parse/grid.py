"""Tables of print that are not drawn row by row: column by column, or a cell of several lines after the other.

The lines of a page come as they are drawn. Where one stands beside an earlier line, those between them are put together
by their height on the page, and stay so when that makes a table; else they stay as they were.
"""

import re
from collections.abc import Sequence
from itertools import pairwise, zip_longest

from llm_ui.documents.parse.layout import Line, table_at

SAME_PT = 1.5
"""Lines no farther apart stand beside one another."""
LOOK_BACK = 400
"""Lines: a page of a newspaper has some hundred."""
MOST_LINES = 4_000
"""Of a page, which is left as it is when it has more."""
PROSE_CHARS = 15
FULL, FULL_SHARE, LOWER_SHARE = 0.75, 0.6, 0.33
"""Lines of prose are nearly as long as the longest, and go on in small letters."""
ENTRY = re.compile(r"[^\W\d].*[\s,.…]\d+(?:\s?[,–-]\s?\d+)*")
"""A line of an index or of the contents."""
ENTRIES = 0.7


def in_rows(lines: list[Line]) -> list[Line]:
    """Return the lines of a page with those of a table that are beside one another put together."""
    if len(lines) > MOST_LINES:
        return lines
    merged: list[Line] = []
    parts: list[tuple[int, int, list[Line]]] = []
    done = 0
    for start, end in _regions(lines):
        together = _together(lines[start:end])
        if _is_prose(together):
            continue
        merged += lines[done:start]
        parts.append((len(merged), len(merged) + len(together), lines[start:end]))
        merged += together
        done = end
    if not parts:
        return lines
    merged += lines[done:]
    in_table = _in_table(merged)
    found: list[Line] = []
    done = 0
    for start, end, before in parts:
        found += [*merged[done:start], *(merged[start:end] if all(in_table[start:end]) else before)]
        done = end
    return found + merged[done:]


def _in_table(lines: Sequence[Line]) -> list[bool]:
    """Return for each line whether it is in a table."""
    found: list[bool] = []
    while len(found) < len(lines):
        at = len(found)
        rows = len(table_at(lines, at)) if lines[at].pieces else 0
        found += [rows > 0] * (rows or 1)
    return found


def _regions(lines: Sequence[Line]) -> list[tuple[int, int]]:
    """Return the first line, and the one after the last, of each part of the page that goes up to an earlier line."""
    jumps = [at for at, (one, other) in enumerate(pairwise(lines), 1) if other.y - one.y > SAME_PT]
    found: list[tuple[int, int]] = []
    for at, until in zip_longest(jumps, jumps[1:], fillvalue=len(lines)):
        heights = {round(line.y / SAME_PT) + off for line in lines[at:until] for off in (-1, 0, 1)}
        before = range(max(at - LOOK_BACK, 0), at)
        start = next((each for each in before if round(lines[each].y / SAME_PT) in heights), None)
        if start is None:
            continue
        lowest = min(line.y for line in lines[start:at])
        end = next((each for each in range(at, until) if lines[each].y < lowest - SAME_PT), until)
        while found and start < found[-1][1]:
            start = min(start, found.pop()[0])
        found.append((start, end))
    return found


def _together(lines: Sequence[Line]) -> list[Line]:
    found: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: -line.y):
        if found and found[-1][0].y - line.y <= SAME_PT:
            found[-1].append(line)
        else:
            found.append([line])
    return [_one(beside) if len(beside) > 1 else beside[0] for beside in found]


def _one(beside: Sequence[Line]) -> Line:
    pieces = sorted(piece for line in beside for piece in (line.pieces or [(line.x, line.text)]))
    first = min(beside, key=lambda line: line.x)
    return Line(" ".join(text for _, text in pieces), first.size, first.x, first.y, pieces)


def _is_prose(lines: Sequence[Line]) -> bool:
    """Return whether lines beside one another are columns of text, or of an index."""
    rows = [[text for _, text in line.pieces] or [line.text] for line in lines]
    texts = [text for row in rows for text in row]
    if sum(ENTRY.fullmatch(text.strip()) is not None for text in texts) >= ENTRIES * len(texts):
        return True
    return any(_flows([text.strip() for text in column if text]) for column in zip_longest(*rows, fillvalue=""))


def _flows(texts: Sequence[str]) -> bool:
    longest = max(map(len, texts))
    if sum(map(len, texts)) < PROSE_CHARS * len(texts):
        return False
    full = sum(len(text) >= FULL * longest for text in texts)
    lower = sum(text[:1].isalpha() and not text[0].isupper() for text in texts)
    return full >= FULL_SHARE * len(texts) and lower >= LOWER_SHARE * len(texts)
