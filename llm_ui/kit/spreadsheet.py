"""Tables as text for spreadsheet programs."""

import csv
import io
from collections.abc import Iterable

BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What spreadsheet programs take a cell that begins with it for: OWASP's list, "CSV Injection"."""
MARK = "'"
"""In front of such a cell: it is read as text then."""

Cell = str | int | float | bool | None


def csv_lines(rows: Iterable[Iterable[Cell]]) -> str:
    """Return the rows as CSV (RFC 4180), every text in quotes. What would be a formula becomes text."""
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return written.getvalue()


def _harmless(cell: Cell) -> Cell:
    if cell is None:
        return ""
    is_formula = isinstance(cell, str) and cell.lstrip(" ").startswith(BEGINS_A_FORMULA)
    return f"{MARK}{cell}" if is_formula else cell
