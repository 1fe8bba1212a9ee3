"""Tables of print: lines whose pieces stand in columns, one below the other.

PDF knows no tables, only text at places (ISO 32000-2, §9.4), so they are told by where the pieces of lines begin. What
is drawn column by column, or with all of a row in one piece, is not known as a table and stays lines.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Cell = tuple[float, str]
"""Where it begins, in points from the left, and what it says."""

LETTER = 0.52
"""Of the size of the print: the width of a letter on the whole."""
LEAST_GAP = 0.8
"""Of the size of the print: pieces that far apart are not of one text."""
LEAST_ROWS = 3
NEAR_PT = 3.0
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

    def end(self, cell: Cell) -> float:
        """Return about where a cell ends."""
        return cell[0] + LETTER * self.size * len(cell[1])


def row_of(pieces: Sequence[Cell], size: float) -> Row:
    """Return a line with the pieces that are one text put together."""
    cells: list[Cell] = []
    end = 0.0
    for x, text in pieces:
        if cells and x - end < LEAST_GAP * size:
            cells[-1] = cells[-1][0], cells[-1][1] + text
        else:
            cells.append((x, text))
        end = x + LETTER * size * len(text.strip())
    return Row(tuple((x, " ".join(text.split())) for x, text in cells), size)


def table(rows: Iterable[Row]) -> list[list[str]]:
    """Return the texts of the table that rows begin with, all as long as its head; nothing where there is none.

    A row with one cell below a column behind the first goes on with that column's cell; it is in the table as an empty
    list, so that there is one for each line.
    """
    begun: list[Row] = []
    for row in rows:
        if len(row.cells) < 2 and not (begun and _goes_on(row, begun)):
            break
        begun.append(row)
    whole = [row for row in begun if len(row.cells) > 1]
    if len(whole) < LEAST_ROWS or not _is_aligned(whole) or _is_prose(whole):
        return []
    starts = _starts(whole)
    found: list[list[str]] = []
    last: list[str] = []
    for row in begun:
        places = [_column(x, starts) for x, _ in row.cells]
        if len(set(places)) < len(places):
            break
        if len(row.cells) == 1:
            last[places[0]] = f"{last[places[0]]} {row.cells[0][1]}".strip()
            found.append([])
            continue
        last = [""] * len(starts)
        for place, (_, text) in zip(places, row.cells, strict=True):
            last[place] = text
        found.append(last)
    return found if sum(map(bool, found)) >= LEAST_ROWS else []


def _goes_on(row: Row, begun: Sequence[Row]) -> bool:
    return any(abs(row.cells[0][0] - x) <= NEAR_PT for x, _ in begun[-1].cells[1:]) if row.cells else False


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
