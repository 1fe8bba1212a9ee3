"""PowerPoint presentations: a slide is a page, what its speaker noted stands below (ISO 29500-1, §19, §21)."""

from collections.abc import Iterator
from zipfile import ZipFile

from llm_ui.documents.parse.archive import each, main_part_of, opened, relations
from llm_ui.documents.parse.markup import Attributes, Found, is_on
from llm_ui.documents.parse.paging import heading, row
from llm_ui.documents.parse.source import Left, Source
from llm_ui.kit.reading import Block, BlockKind, Page

TITLES = ("title", "ctrTitle")
MADE = frozenset({"sldNum", "dt", "ftr", "hdr", "sldImg"})
"""Places that the program fills on each slide."""
NOTES = "Notes"
DEEPEST = 8


def read(source: Source) -> Iterator[Page]:
    """Yield the slides in the order they are shown."""
    with opened(source) as archive:
        main = main_part_of(archive, source)
        related = relations(archive, main, source.name)
        slides = Found("p:sldId")
        each(archive, main, slides, source.name)
        parts = [related.get(attributes.get("r:id", ""), ("", ""))[1] for _, attributes in slides.elements]
        for number, part in enumerate(parts, 1):
            yield Page(number, tuple(_blocks(archive, part, source)))


def _blocks(archive: ZipFile, part: str, source: Source) -> Iterator[Block]:
    yield from _read(archive, part, source)
    for kind, notes in relations(archive, part, source.name).values():
        if kind == "notesSlide" and (found := _read(archive, notes, source)):
            yield heading(NOTES, 2)
            yield from found


def _read(archive: ZipFile, part: str, source: Source) -> list[Block]:
    slide = _Slide(source)
    each(archive, part, slide, source.name)
    return slide.blocks


class _Slide:
    """Makes blocks of a slide."""

    def __init__(self, source: Source) -> None:
        self.blocks: list[Block] = []
        self._source = source
        self._place: str | None = None
        """The kind of place the shape stands in; None where it is drawn freely."""
        self._level = 0
        self._parts: list[str] = []
        self._is_text = False
        self._cells: list[list[str]] | None = None
        self._rows = 0
        self._is_hidden = False

    def start(self, name: str, attributes: Attributes) -> None:
        """Take the beginning of an element."""
        if name in ("p:sp", "p:graphicFrame"):
            self._place, self._is_hidden = None, False
        elif name == "p:cNvPr":
            self._is_hidden = "hidden" in attributes and is_on(attributes, "hidden")
        elif name == "p:ph":
            self._place = attributes.get("type", "body")
        elif name == "a:tbl":
            self._rows = 0
        elif name == "a:tr":
            self._cells = []
        elif name == "a:tc" and self._cells is not None:
            self._cells.append([])
        else:
            self._of_paragraph(name, attributes)

    def _of_paragraph(self, name: str, attributes: Attributes) -> None:
        if name == "a:p":
            self._parts, self._level = [], 0
        elif name == "a:pPr":
            level = attributes.get("lvl", "0")
            self._level = min(int(level), DEEPEST) if level.isdigit() else 0
        elif name == "a:t":
            self._is_text = True
        elif name == "a:br":
            self._parts.append("\n")

    def end(self, name: str) -> None:
        """Take the end of an element."""
        if name == "a:t":
            self._is_text = False
        elif name == "a:p":
            self._put("".join(self._parts))
        elif name == "a:tr" and self._cells is not None:
            cells = [" ".join(parts) for parts in self._cells]
            if any(cells):
                self.blocks.append(row(cells, is_head=self._rows == 0))
                self._rows += 1
            self._cells = None

    def data(self, text: str) -> None:
        """Take text."""
        if self._is_text:
            self._parts.append(text)

    def _put(self, text: str) -> None:
        self._parts = []
        if not text.strip() or self._place in MADE:
            return
        if self._is_hidden:
            self._source.left[Left.HIDDEN_TEXT] += 1
        elif self._cells:
            self._cells[-1].append(text)
        elif self._place in TITLES:
            # The title is drawn wherever it likes, and says what all of the slide is about.
            self.blocks.insert(0, heading(text, 1))
        elif self._place is None:
            self.blocks.append(Block(BlockKind.TEXT, text))
        else:
            self.blocks.append(Block(BlockKind.ITEM, text, self._level))
