"""Excel workbooks: sheets as tables, with what their cells show as far as it needs no computing (ISO 29500-1, §18)."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from zipfile import ZipFile

from llm_ui.documents.parse.archive import each, fed, main_part_of, opened, relations
from llm_ui.documents.parse.markup import Attributes, Found
from llm_ui.documents.parse.paging import heading, pieces, row
from llm_ui.documents.parse.source import Left, Source
from llm_ui.kit.reading import Block, BlockKind, Page

DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
"""Numbers of the formats of dates and times that every workbook has (§18.8.30)."""
QUOTED = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
DATE_LETTERS = re.compile("[ymdhs]", re.I)
EPOCH, EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001 - a sheet's clock has no zone
LAST_DAY = 2_958_466
"""The end of the year 9999."""
MOST_COLUMNS = 1_000
"""Cells further to the right are left out: a sheet has 16,384 columns, and nobody fills them by hand."""
LETTERS = re.compile("[A-Z]+")
TRUTHS = {"0": "FALSE", "1": "TRUE"}


def read(source: Source) -> Iterator[Page]:
    """Yield the sheets, each on pages of its own. Hidden ones are left out and counted."""
    with opened(source) as archive:
        main = main_part_of(archive, source)
        related = relations(archive, main, source.name)
        book = Found("s:sheet", "s:workbookPr")
        each(archive, main, book, source.name)
        cells = _Cells(archive, source, related.values())
        number = 1
        for name, attributes in book.elements:
            if name == "s:workbookPr":
                cells.epoch = EPOCH_1904 if attributes.get("date1904") in ("1", "true") else EPOCH
            elif attributes.get("state", "visible") != "visible":
                source.left[Left.HIDDEN_TEXT] += 1
            else:
                part = related.get(attributes.get("r:id", ""), ("", ""))[1]
                for page in pieces(_blocks(attributes.get("name", ""), cells.rows(part)), number):
                    yield page
                    number = page.number + 1


def _blocks(name: str, rows: Iterable[list[str]]) -> Iterator[Block]:
    """Yield a sheet: its name, what stands above its table, the table."""
    yield heading(name, 1)
    has_head = False
    for cells in rows:
        filled = [cell for cell in cells if cell]
        if not filled:
            continue
        if not has_head and len(filled) == 1:
            yield Block(BlockKind.TEXT, filled[0])
        else:
            yield row(cells, is_head=not has_head)
            has_head = True


class _Cells:
    """Reads the cells of sheets."""

    def __init__(self, archive: ZipFile, source: Source, related: Iterable[tuple[str, str]]) -> None:
        self.epoch = EPOCH
        self._archive = archive
        self._source = source
        strings, styles = _Strings(), Found("s:numFmt", "s:cellXfs", "s:cellStyleXfs", "s:dxfs", "s:xf")
        for kind, part in related:
            if kind == "sharedStrings":
                each(archive, part, strings, source.name)
            elif kind == "styles":
                each(archive, part, styles, source.name)
        self.strings = strings.all
        self.dates = _date_styles(styles)

    def rows(self, part: str) -> Iterator[list[str]]:
        """Yield the rows of a sheet that have cells."""
        sheet = _Sheet(self)
        for _ in fed(self._archive, part, sheet, self._source.name):
            yield from sheet.rows
            sheet.rows = []

    def shown(self, kind: str, style: int, value: str) -> str:
        """Return what a cell shows (§18.18.11)."""
        if kind == "s":
            return self.strings[int(value)] if value.isdigit() and int(value) < len(self.strings) else ""
        if kind == "b":
            return TRUTHS.get(value, value)
        if kind in ("str", "e", "d", "inlineStr"):
            return value
        return self._number(value, is_date=style in self.dates)

    def _number(self, value: str, *, is_date: bool) -> str:
        try:
            number = float(value)
        except ValueError:
            return value
        if not is_date or not 0 <= number < LAST_DAY:
            return f"{number:.15g}"
        if number < 1:
            return (self.epoch + timedelta(days=number)).strftime("%H:%M")
        moment = self.epoch + timedelta(seconds=round(number * 86_400))
        return moment.strftime("%Y-%m-%d" if number == int(number) else "%Y-%m-%d %H:%M")


def _date_styles(styles: Found) -> frozenset[int]:
    """Return the numbers of the styles in which a number is a date."""
    dates, found, is_cell, count = set(DATES), set[int](), False, 0
    for name, attributes in styles.elements:
        number = attributes.get("numFmtId", "0")
        if name == "s:numFmt":
            if DATE_LETTERS.search(QUOTED.sub("", attributes.get("formatCode", ""))):
                dates.add(int(number))
        elif name != "s:xf":
            is_cell = name == "s:cellXfs"
        elif is_cell:
            if int(number) in dates:
                found.add(count)
            count += 1
    return frozenset(found)


class _Strings:
    """The texts that cells share."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._parts: list[str] = []
        self._is_text = False
        self._is_sound = False
        """Whether it tells how to read a text aloud."""

    def start(self, name: str, _attributes: Attributes) -> None:
        """Take the beginning of an element."""
        if name == "s:si":
            self._parts = []
        elif name == "s:rPh":
            self._is_sound = True
        elif name == "s:t":
            self._is_text = not self._is_sound

    def end(self, name: str) -> None:
        """Take the end of an element."""
        if name == "s:t":
            self._is_text = False
        elif name == "s:rPh":
            self._is_sound = False
        elif name == "s:si":
            self.all.append("".join(self._parts))

    def data(self, text: str) -> None:
        """Take text."""
        if self._is_text:
            self._parts.append(text)


class _Sheet:
    """Makes rows of a sheet."""

    def __init__(self, cells: _Cells) -> None:
        self.rows: list[list[str]] = []
        self._cells = cells
        self._row: list[str] = []
        self._column = 0
        self._kind, self._style = "n", 0
        self._parts: list[str] = []
        self._is_text = False

    def start(self, name: str, attributes: Attributes) -> None:
        """Take the beginning of an element."""
        if name == "s:row":
            self._row = []
        elif name == "s:c":
            self._column = _column(attributes.get("r", ""), len(self._row))
            self._kind = attributes.get("t", "n")
            style = attributes.get("s", "0")
            self._style = int(style) if style.isdigit() else 0
            self._parts = []
        elif name in ("s:v", "s:t"):
            self._is_text = True

    def end(self, name: str) -> None:
        """Take the end of an element."""
        if name in ("s:v", "s:t"):
            self._is_text = False
        elif name == "s:c" and self._parts and self._column < MOST_COLUMNS:
            self._row += [""] * (self._column - len(self._row))
            self._row.append(self._cells.shown(self._kind, self._style, "".join(self._parts)))
        elif name == "s:row":
            self.rows.append(self._row)

    def data(self, text: str) -> None:
        """Take text."""
        if self._is_text:
            self._parts.append(text)


def _column(reference: str, following: int) -> int:
    """Return the column, from 0, that a reference such as BC12 names; without one it is the following."""
    letters = LETTERS.match(reference)
    if letters is None:
        return following
    number = 0
    for letter in letters[0]:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
