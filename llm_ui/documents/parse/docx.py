"""Word documents: paragraphs, headings, lists, tables and notes (ISO 29500-1, §17)."""

from collections.abc import Iterator
from contextlib import suppress
from zipfile import ZipFile

from llm_ui.documents.parse.archive import each, fed, main_part_of, opened, relations
from llm_ui.documents.parse.markup import Attributes, is_on
from llm_ui.documents.parse.paging import heading, pieces, row
from llm_ui.documents.parse.source import Left, Source
from llm_ui.kit.reading import Block, BlockKind, Page

NOTES = ("footnotes", "endnotes")
IN_LINE = {"w:tab": "\t", "w:br": "\n", "w:cr": "\n", "w:noBreakHyphen": "-"}
SKIPPED = frozenset({"mc:Fallback", "w:del", "w:moveFrom", "w:instrText", "w:delText"})
"""What another form of is there too, what was struck out, what computes a text."""
TINY = 3
"""Half points."""
BODY_LEVEL = 9
"""Of an outline: no heading."""


def read(source: Source) -> Iterator[Page]:
    """Yield the text of the document, with the notes behind it."""
    with opened(source) as archive:
        yield from pieces(_blocks(archive, source))


def _blocks(archive: ZipFile, source: Source) -> Iterator[Block]:
    main = main_part_of(archive, source)
    related = relations(archive, main, source.name).values()
    styles = _Styles()
    for kind, part in related:
        if kind == "styles":
            each(archive, part, styles, source.name)
    for part in (main, *(part for kind, part in related if kind in NOTES)):
        text = _Text(source, styles.levels())
        for _ in fed(archive, part, text, source.name):
            yield from text.taken()


class _Styles:
    """Which styles are headings, by their names, their outline level or the style they are based on."""

    def __init__(self) -> None:
        self._levels: dict[str, int] = {}
        self._bases: dict[str, str] = {}
        self._id = ""

    def start(self, name: str, attributes: Attributes) -> None:
        """Take note of what tells a heading."""
        value = attributes.get("w:val", "")
        if name == "w:style":
            self._id = attributes.get("w:styleId", "")
        elif name == "w:name":
            words = value.lower().split()
            if words == ["title"]:
                self._levels[self._id] = 1
            elif len(words) == 2 and words[0] == "heading" and words[1].isdigit():
                self._levels[self._id] = int(words[1])
        elif name == "w:basedOn":
            self._bases[self._id] = value
        elif name == "w:outlineLvl" and value.isdigit() and int(value) < BODY_LEVEL:
            self._levels.setdefault(self._id, int(value) + 1)

    def end(self, name: str) -> None:
        """Need nothing."""

    def data(self, text: str) -> None:
        """Need nothing."""

    def levels(self) -> dict[str, int]:
        """Return the level of each style that is a heading."""
        found = dict(self._levels)
        for style in self._bases:
            base, steps = style, 0
            while base not in found and base in self._bases and steps < BODY_LEVEL:
                base, steps = self._bases[base], steps + 1
            if base in found:
                found[style] = found[base]
        return found


class _Paragraph:
    """One that is being read. A drawing in it may hold others."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.level = 0
        self.item: int | None = None
        self.hides = False
        """Whether the run of letters is not shown."""

    def block(self) -> Block:
        """Return it as a block."""
        text = "".join(self.parts)
        if self.level:
            return heading(text, self.level)
        if self.item is not None:
            return Block(BlockKind.ITEM, text, self.item)
        return Block(BlockKind.TEXT, text)


class _Text:
    """Makes blocks of a part."""

    def __init__(self, source: Source, levels: dict[str, int]) -> None:
        self._source = source
        self._levels = levels
        self._blocks: list[Block] = []
        self._paragraphs: list[_Paragraph] = []
        self._tables = 0
        """How many tables deep it is read."""
        self._rows = 0
        self._cells: list[list[str]] = []
        self._skipped = 0
        self._is_text = False

    def taken(self) -> list[Block]:
        """Return the blocks that are ready."""
        blocks, self._blocks = self._blocks, []
        return blocks

    def start(self, name: str, attributes: Attributes) -> None:
        """Take the beginning of an element."""
        if self._skipped or name in SKIPPED:
            self._skipped += 1
        elif name == "w:p":
            self._paragraphs.append(_Paragraph())
        elif name == "w:tbl":
            self._tables += 1
            if self._tables == 1:
                self._rows = 0
        elif name in ("w:tr", "w:tc"):
            if self._tables == 1:
                self._open(name)
        elif self._paragraphs:
            self._of_paragraph(name, attributes, self._paragraphs[-1])

    def _open(self, name: str) -> None:
        if name == "w:tr":
            self._cells = []
        else:
            self._cells.append([])

    def _of_paragraph(self, name: str, attributes: Attributes, paragraph: _Paragraph) -> None:
        value = attributes.get("w:val", "")
        if name == "w:t":
            self._is_text = True
        elif name in IN_LINE:
            paragraph.parts.append(IN_LINE[name])
        elif name == "w:r":
            paragraph.hides = False
        elif name == "w:pStyle":
            paragraph.level = self._levels.get(value, 0)
        elif name == "w:outlineLvl" and value.isdigit() and int(value) < BODY_LEVEL:
            paragraph.level = int(value) + 1
        elif name == "w:ilvl":
            with suppress(ValueError):
                paragraph.item = min(max(int(value), 0), BODY_LEVEL)
        elif (name in ("w:vanish", "w:webHidden") and is_on(attributes, "w:val")) or (
            name == "w:sz" and value.isdigit() and int(value) <= TINY
        ):
            paragraph.hides = True

    def end(self, name: str) -> None:
        """Take the end of an element."""
        if self._skipped:
            self._skipped -= 1
        elif name == "w:t":
            self._is_text = False
        elif name == "w:p" and self._paragraphs:
            self._put(self._paragraphs.pop().block())
        elif name == "w:tbl":
            self._tables -= 1
        elif name == "w:tr" and self._tables == 1:
            self._row()

    def data(self, text: str) -> None:
        """Take text."""
        if not self._is_text or self._skipped or not self._paragraphs:
            return
        paragraph = self._paragraphs[-1]
        if not paragraph.hides:
            paragraph.parts.append(text)
        elif text.strip():
            self._source.left[Left.HIDDEN_TEXT] += 1

    def _put(self, block: Block) -> None:
        if self._tables and self._cells:
            self._cells[-1].append(block.text)
        elif block.text.strip():
            self._blocks.append(block)

    def _row(self) -> None:
        cells = [" ".join(parts).strip() for parts in self._cells]
        self._cells = []
        if not any(cells):
            return
        if len(cells) == 1:
            # A frame around a text.
            self._blocks.append(Block(BlockKind.TEXT, cells[0]))
        else:
            self._blocks.append(row(cells, is_head=self._rows == 0))
            self._rows += 1
