"""Tables of print: lines whose pieces stand in columns, one below the other.

PDF knows no tables, only text at places (ISO 32000-2, §9.4), so they are told by where the pieces of lines begin.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

Cell = tuple[float, str]
"""Where it begins, in points from the left, and what it says."""

LETTER = 0.52
"""Of the size of the print: the width of a letter on the whole."""
LEAST_GAP = 0.8
"""Of the size of the print: pieces that far apart are not of one text."""
LEAST_ROWS = 3
NEAR_PT = 3.0
NEAR_LINES = 1.8
"""Of the size of the print: lines of one cell are no farther apart."""
TIGHT = 0.85
"""Of the distance of rows: a line that is nearer goes on with the one above it."""
UNENDED = (",", "-", "/", "(", "&")
NUMBER = re.compile(r"[-+(]?[€$£]?\s?\d[\d.,\s]*\)?\s?[%€$£]?")
ALIGNED = 0.6
"""Of the rows: so many begin, or end, at the same place in some column behind the first."""
MOST_CHARS = {2: 30}
"""Of a cell on the whole, by the number of columns: longer ones are text in columns."""
MOST_CHARS_OF_MORE = 40


@dataclass(frozen=True, slots=True)
class Row:
    """A line as cells."""

    cells: tuple[Cell, ...]
    size: float
    y: float = 0.0

    def end(self, cell: Cell) -> float:
        """Return about where a cell ends."""
        return cell[0] + LETTER * self.size * len(cell[1])


def row_of(pieces: Sequence[Cell], size: float, y: float = 0.0) -> Row:
    """Return a line with the pieces that are one text put together."""
    cells: list[Cell] = []
    end = 0.0
    for x, text in pieces:
        if cells and x - end < LEAST_GAP * size:
            cells[-1] = cells[-1][0], cells[-1][1] + text
        else:
            cells.append((x, text))
        end = x + LETTER * size * len(text.strip())
    return Row(tuple((x, " ".join(text.split())) for x, text in cells), size, y)


def table(rows: Iterable[Row]) -> list[list[str]]:
    """Return the texts of the table that rows begin with, all as long as its head; nothing where there is none.

    A line that goes on with the cells of the one above it is in the table as an empty list, so that there is one for
    each line.
    """
    begun: list[Row] = []
    for row in rows:
        if len(row.cells) < 2 and not (begun and _goes_on(row, begun)):
            break
        begun.append(row)
    whole = [row for row in begun if len(row.cells) > 1]
    if len(whole) < LEAST_ROWS or not _is_aligned(whole) or _is_prose(whole):
        return []
    starts, step = _starts(whole), _step(begun)
    while len(begun[-1].cells) == 1 and _column(begun[-1].cells[0][0], starts) == 0 and not _is_tight(begun, -1, step):
        # What follows the table and is as short as its first cells.
        begun.pop()
    found: list[list[str]] = []
    last: list[str] = []
    for at, row in enumerate(begun):
        places = [_column(x, starts) for x, _ in row.cells]
        if len(set(places)) < len(places):
            break
        texts = [""] * len(starts)
        for place, (_, text) in zip(places, row.cells, strict=True):
            texts[place] = text
        if last and _is_rest(texts, last, is_tight=_is_tight(begun, at, step)):
            last[:] = (" ".join(filter(None, pair)) for pair in zip(last, texts, strict=True))
            found.append([])
        else:
            found.append(last := texts)
    return _headed(found, begun, starts) if sum(map(bool, found)) >= LEAST_ROWS else []


def _goes_on(row: Row, begun: Sequence[Row]) -> bool:
    """Return whether a line with one cell stands below a cell, and ends where that may end."""
    if not row.cells:
        return False
    above = next((each for each in reversed(begun) if len(each.cells) > 1), begun[-1])
    (x, _), *others = above.cells
    if any(abs(row.cells[0][0] - at) <= NEAR_PT for at, _ in others):
        return True
    is_near = begun[-1].y - row.y <= NEAR_LINES * row.size
    return is_near and abs(row.cells[0][0] - x) <= NEAR_PT and row.end(row.cells[0]) < others[0][0]


def _step(rows: Sequence[Row]) -> float:
    """Return the least distance of a row with a cell in each column from the line above it."""
    most = max(len(row.cells) for row in rows)
    return min((one.y - row.y for one, row in pairwise(rows) if len(row.cells) == most), default=0.0)


def _is_tight(rows: Sequence[Row], at: int, step: float) -> bool:
    """Return whether a line is nearer to the one above it than rows are to one another."""
    return at != 0 and rows[at - 1].y - rows[at].y < TIGHT * step


def _is_rest(texts: Sequence[str], last: Sequence[str], *, is_tight: bool) -> bool:
    """Return whether a line goes on with the cells of the one above it."""
    if is_tight:
        return not all(texts)
    if sum(map(bool, texts)) > 1:
        return False
    return not texts[0] or texts[0][0].islower() or last[0].endswith(UNENDED)


def _headed(found: list[list[str]], begun: Sequence[Row], starts: Sequence[float]) -> list[list[str]]:
    """Return a table with its head in one row, where titles stand above those of several columns."""
    body = [texts for texts in found[2:] if texts]
    head, below = found[0], found[1]
    is_titled = all(below) and not all(head) and not any(map(_is_number, below))
    if not is_titled or not any(_is_number(text) for texts in body for text in texts):
        return found
    row, full = begun[0], [each for each in begun[1:] if len(each.cells) == len(starts)]
    ends = [max(each.end(each.cells[at]) for each in full) for at in range(len(starts))]
    above = [""] * len(starts)
    for first, last, text in _spans(row, starts, ends):
        above[first:last] = [text] * (last - first)
    return [[f"{title} {text}".strip() for title, text in zip(above, below, strict=True)], [], *found[2:]]


def _spans(row: Row, starts: Sequence[float], ends: Sequence[float]) -> Iterator[tuple[int, int, str]]:
    """Yield the columns over which each title stands: those whose middle, or beginning, is nearest to its own."""
    first = 0
    for left, (x, text) in enumerate(row.cells, 1 - len(row.cells)):
        begin, end = x, row.end((x, text))
        spans = (
            (min(abs((starts[at] + ends[to - 1]) / 2 - (begin + end) / 2), abs(starts[at] - begin)), at - to, at, to)
            for at in range(first, len(starts) + left)
            for to in range(at + 1, len(starts) + left + 1)
            if to - at == 1 or end <= ends[to - 1] + NEAR_PT
        )
        # Of those that are as near, the widest: a title that begins with its columns.
        *_, at, first = min((round(far / NEAR_PT), wide, at, to) for far, wide, at, to in spans)
        yield at, first, text


def _is_number(text: str) -> bool:
    return NUMBER.fullmatch(text) is not None


def _starts(rows: Sequence[Row]) -> list[float]:
    """Return where each column begins, of the rows with most cells."""
    most = max(len(row.cells) for row in rows)
    full = [row for row in rows if len(row.cells) == most]
    return [min(row.cells[at][0] for row in full) for at in range(most)]


def _column(x: float, starts: Sequence[float]) -> int:
    return max((at for at, start in enumerate(starts) if start <= x + NEAR_PT), default=0)


def _is_aligned(rows: Sequence[Row]) -> bool:
    starts = _starts(rows)
    for at in range(1, len(starts)):
        cells = [(row, cell) for row in rows for cell in row.cells if _column(cell[0], starts) == at]
        begins = Counter(round(cell[0] / NEAR_PT) for _, cell in cells)
        ends = Counter(round(row.end(cell) / (2 * NEAR_PT)) for row, cell in cells if cell[1][-1:].isdigit())
        if max([*begins.values(), *ends.values()], default=0) >= ALIGNED * len(rows):
            return True
    return False


def _is_prose(rows: Sequence[Row]) -> bool:
    lengths = [len(text) for row in rows for _, text in row.cells]
    most = max(len(row.cells) for row in rows)
    return sum(lengths) > MOST_CHARS.get(most, MOST_CHARS_OF_MORE) * len(lengths)
