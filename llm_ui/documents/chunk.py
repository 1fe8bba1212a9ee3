"""Cuts pages into passages: what is searched, and shown to models as what an answer rests on.

A passage follows the structure of what was read. It begins with a new section unless that would leave a scrap behind;
it ends between sentences, rows of a table or lines of code. What is cut within a section repeats the last sentences
of the passage before, and a table that goes on repeats the row that names its columns.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from llm_ui.kit.reading import Block, BlockKind, Page
from llm_ui.kit.token_count import estimate

SCRAP_SHARE = 1 / 3
"""A section shorter than this part of the target goes on in the passage of the section before it."""
FULL_SHARE = 2 / 3
"""A passage that is so full ends before a paragraph that does not fit, rather than within it."""
ROW_TARGETS = 4
"""So many targets long may a row of a table be before it is cut: few models that find passages read more of one."""
HEAD_SHARE = 1 / 2
"""A head row over this part of the target is not repeated."""
CHARS_PER_TOKEN = 4
"""At first guess, where a sentence is too long."""
SENTENCE = re.compile(
    r"(?:(?<=[.!?…])|(?<=[.!?…][\"'”’»)\]]))\s++(?![a-zß-ÿ])|(?<=[。！？])(?![」』”’）。！？])\s*"
    r"|(?<!\s)[^\S\n]*+\n\s*+(?![a-zß-ÿ])"
)
"""Between two sentences, or two lines of which the second does not begin with a small letter."""
NUMBERED = re.compile(r"\w{1,9}[.)]\s")
PARAGRAPH = "\n\n"
TABLE = (BlockKind.TABLE_HEAD, BlockKind.TABLE_ROW)


@dataclass(frozen=True, slots=True)
class Chunking:
    """How long passages are, in tokens as `kit.token_count` estimates them, and whether they end with their page."""

    target_tokens: int = 350
    overlap_tokens: int = 50
    ends_with_pages: bool = False


CHUNKING = Chunking()


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage. Its text is longer than the target only where a row of a table is."""

    title_path: tuple[str, ...]
    """The headings that all of it stands under, outermost first."""
    text: str
    page_from: int
    page_to: int
    tokens: int
    """Estimated, of the text, piece by piece."""


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is not cut any more."""

    text: str
    joint: str
    """What parts it from the unit before it."""
    page: int
    tokens: int
    head: "_Unit | None" = None
    """The row that names the columns of this one."""
    is_prose: bool = False


@dataclass(slots=True)
class _Section:
    """Units under one heading, within a passage."""

    path: tuple[str, ...]
    page: int
    units: list[_Unit] = field(default_factory=list)


def chunks(pages: Iterable[Page], chunking: Chunking = CHUNKING) -> Iterator[Chunk]:
    """Yield the passages of pages, in reading order."""
    cutter = _Cutter(chunking)
    for page in pages:
        for block in page.blocks:
            yield from cutter.add(block, page.number)
        if chunking.ends_with_pages:
            yield from cutter.end_page()
    yield from cutter.finish()


class _Cutter:
    """Fills one passage after the other."""

    def __init__(self, chunking: Chunking) -> None:
        self._target = chunking.target_tokens
        self._overlap = min(chunking.overlap_tokens, chunking.target_tokens // 2)
        self._headings: list[tuple[int, str]] = []
        """The headings that what comes stands under, with their levels."""
        self._sections = [_Section((), 1)]
        """Of the passage."""
        self._tokens = 0
        """Of its units."""
        self._heading_tokens = 0
        """Of the headings that stand in its text."""
        self._repeated = 0
        """How many units at its beginning stand at the end of the passage before."""
        self._is_path_kept = False
        """Whether its first heading stood on the page before, and nothing under it yet on this one."""
        self._last: Block | None = None
        self._head: _Unit | None = None
        """Of the table that goes on."""
        self._is_head_due = False
        """Whether no row of that table has come yet."""

    def add(self, block: Block, page: int) -> Iterator[Chunk]:
        """Take a block; yield the passages that end before it does."""
        if not block.text.strip():
            return
        if block.kind is BlockKind.TABLE_HEAD:
            yield from self._table_head(block, page)
        elif block.kind is BlockKind.TABLE_ROW:
            yield from self._row(block, page)
        else:
            yield from self._bare_head()
            self._head = None
            if block.kind is BlockKind.HEADING:
                yield from self._heading(block, page)
            elif block.kind is BlockKind.CODE:
                yield from self._put_all(self._code(block, page))
            else:
                yield from self._prose(block, page)
        self._last = block

    def end_page(self) -> Iterator[Chunk]:
        """Yield the passage of the page; the headings stay, and a table that goes on."""
        path = self._sections[-1].path
        yield from self.finish()
        self._begin(path)
        self._is_path_kept = True

    def finish(self) -> Iterator[Chunk]:
        """Yield the last passage."""
        yield from self._bare_head()
        yield from self._flush()

    def _heading(self, block: Block, page: int) -> Iterator[Chunk]:
        goes_on = self._repeated or self._is_path_kept
        if goes_on and sum(len(section.units) for section in self._sections) <= self._repeated:
            self._begin(())
        while self._headings and self._headings[-1][0] >= block.level:
            self._headings.pop()
        self._headings.append((block.level, block.text))
        new = _Section(tuple(text for _, text in self._headings), page)
        last = self._sections[-1]
        if not last.units and new.path[: len(last.path)] == last.path:
            # Nothing stood under that heading but this one, whose path holds it.
            self._sections.pop()
        self._heading_tokens = _heading_tokens([*self._sections, new])
        if self._tokens >= self._target * SCRAP_SHARE or self._tokens + self._heading_tokens > self._target:
            yield from self._flush()
        self._sections.append(new)
        self._heading_tokens = _heading_tokens(self._sections)

    def _table_head(self, block: Block, page: int) -> Iterator[Chunk]:
        if self._head is not None and self._head.text == block.text:
            # The table goes on, on another page.
            return
        yield from self._bare_head()
        unit = _Unit(block.text, PARAGRAPH, page, estimate(block.text))
        if unit.tokens > self._target * HEAD_SHARE:
            self._head = None
            yield from self._put_all(self._cut(unit, self._target * ROW_TARGETS))
        else:
            self._head, self._is_head_due = unit, True

    def _bare_head(self) -> Iterator[Chunk]:
        """Put down the head of a table that has no row."""
        if self._head is not None and self._is_head_due:
            self._is_head_due = False
            yield from self._put(self._head)

    def _row(self, block: Block, page: int) -> Iterator[Chunk]:
        goes_on = self._last is not None and self._last.kind in TABLE and not self._is_head_due
        self._is_head_due = False
        joint = "\n" if goes_on else PARAGRAPH
        unit = _Unit(block.text, joint, page, estimate(block.text), self._head)
        yield from self._put_all(self._cut(unit, self._target * ROW_TARGETS))

    def _code(self, block: Block, page: int) -> Iterator[_Unit]:
        unit = _Unit(block.text, PARAGRAPH, page, estimate(block.text))
        if unit.tokens <= self._target:
            yield unit
            return
        joint = PARAGRAPH
        for line in block.text.split("\n"):
            if line.strip():
                yield from self._cut(_Unit(line, joint, page, estimate(line)), self._target)
                joint = "\n"
            else:
                joint += "\n"

    def _prose(self, block: Block, page: int) -> Iterator[Chunk]:
        units = list(self._sentences(block, page))
        tokens = sum(unit.tokens for unit in units)
        if self._tokens >= self._target * FULL_SHARE and self._room() < tokens <= self._target - self._overlap:
            yield from self._go_on(page, with_overlap=True)
        yield from self._put_all(units)

    def _sentences(self, block: Block, page: int) -> Iterator[_Unit]:
        text, joint = block.text, PARAGRAPH
        if block.kind is BlockKind.ITEM:
            text = "  " * block.level + ("" if NUMBERED.match(text) else "- ") + text
            joint = "\n" if self._last is not None and self._last.kind is BlockKind.ITEM else PARAGRAPH
        at = 0
        for found in SENTENCE.finditer(text):
            if sentence := text[at : found.start()]:
                yield from self._cut(_Unit(sentence, joint, page, estimate(sentence), is_prose=True), self._target)
                joint = "\n" if "\n" in found[0] else found[0][:1]
            at = found.end()
        if sentence := text[at:].rstrip():
            yield from self._cut(_Unit(sentence, joint, page, estimate(sentence), is_prose=True), self._target)

    def _cut(self, unit: _Unit, most: int) -> Iterator[_Unit]:
        """Yield the unit, between words in as many as it takes to be at most so many tokens each."""
        if unit.tokens <= most:
            yield unit
            return
        joint = unit.joint
        for text, tokens in _parts(unit.text, self._target):
            yield replace(unit, text=text, joint=joint, tokens=tokens)
            joint = " "

    def _put_all(self, units: Iterable[_Unit]) -> Iterator[Chunk]:
        for unit in units:
            yield from self._put(unit)

    def _put(self, unit: _Unit) -> Iterator[Chunk]:
        """Add a unit to the passage; when it does not fit, yield that and begin the next one."""
        cost = unit.tokens + self._head_tokens(unit)
        if cost > self._room() and (self._tokens or len(self._sections) > 1):
            yield from self._go_on(unit.page, with_overlap=unit.is_prose)
            cost = unit.tokens + self._head_tokens(unit)
            if cost > self._room():
                self._begin(self._sections[-1].path, unit.page)
        self._sections[-1].units.append(unit)
        self._tokens += cost

    def _head_tokens(self, unit: _Unit) -> int:
        """Return what it costs to name the columns of a row, unless they were named in this passage."""
        units = self._sections[-1].units
        return unit.head.tokens if unit.head and not (units and units[-1].head is unit.head) else 0

    def _room(self) -> int:
        return self._target - self._tokens - self._heading_tokens

    def _go_on(self, page: int, *, with_overlap: bool) -> Iterator[Chunk]:
        """Yield the passage, and begin another one in the same section."""
        section = self._sections[-1]
        repeated = _tail(section.units, self._overlap) if with_overlap else []
        yield from self._flush()
        self._begin(section.path, page, repeated)

    def _flush(self) -> Iterator[Chunk]:
        count = sum(len(section.units) for section in self._sections)
        is_new = count > self._repeated or not (count or self._is_path_kept)
        if is_new and any(each.units or each.path for each in self._sections):
            yield _chunk(self._sections, self._tokens + _heading_tokens(self._sections))
        self._begin(())
        self._sections.clear()

    def _begin(self, path: tuple[str, ...], page: int = 1, repeated: Sequence[_Unit] = ()) -> None:
        self._sections = [_Section(path, repeated[0].page if repeated else page, list(repeated))]
        self._tokens = sum(unit.tokens for unit in repeated)
        self._heading_tokens = 0
        self._repeated = len(repeated)
        self._is_path_kept = False


def _parts(text: str, most: int) -> Iterator[tuple[str, int]]:
    """Yield the text in parts of at most so many tokens, cut between words where there are any, and those tokens."""
    at = 0
    while at < len(text):
        size = most * CHARS_PER_TOKEN
        part = _words(text, at, size)
        while (tokens := estimate(part)) > most and size > 1:
            size = max(1, min(size - 1, int(len(part) * most / tokens * 0.95)))
            part = _words(text, at, size)
        at += len(part)
        if part.strip():
            yield part.strip(), tokens


def _words(text: str, at: int, size: int) -> str:
    """Return about so many characters of the text from there on, up to the end of a word if one ends there."""
    if at + size >= len(text):
        return text[at:]
    end = max(text.rfind(" ", at, at + size), text.rfind("\n", at, at + size)) + 1
    return text[at : end if end > at else at + size]


def _tail(units: Sequence[_Unit], most: int) -> list[_Unit]:
    """Return the last sentences of at most so many tokens together, but never all there are."""
    begin = len(units)
    while begin > 1 and units[begin - 1].is_prose and units[begin - 1].tokens <= most:
        begin -= 1
        most -= units[begin].tokens
    return list(units[begin:])


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many headings two paths begin with in common."""
    count = 0
    while count < min(len(one), len(other)) and one[count] == other[count]:
        count += 1
    return count


def _shown(sections: Sequence[_Section]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the path all sections stand under, and for each the headings that stand in the text before its units."""
    path = sections[0].path
    for section in sections:
        path = path[: _shared(path, section.path)]
    if path and all(not section.units and section.path == path for section in sections):
        # A passage that is a heading and nothing else.
        path = path[:-1]
    shown, before = [], path
    for section in sections:
        shown.append(section.path[max(len(path), _shared(before, section.path)) :])
        before = section.path
    return path, shown


def _heading_tokens(sections: Sequence[_Section]) -> int:
    return sum(estimate(text) for headings in _shown(sections)[1] for text in headings)


def _chunk(sections: Sequence[_Section], tokens: int) -> Chunk:
    path, shown = _shown(sections)
    pieces: list[str] = []
    pages: list[int] = []
    for section, headings in zip(sections, shown, strict=True):
        for heading in headings:
            pieces += [PARAGRAPH, heading]
            pages.append(section.page)
        head, joint = None, PARAGRAPH
        for unit in section.units:
            if unit.head is not None and unit.head is not head:
                pieces += [PARAGRAPH, unit.head.text, "\n", unit.text]
            else:
                pieces += [joint or unit.joint, unit.text]
            head, joint = unit.head, ""
            pages.append(unit.page)
    return Chunk(path, "".join(pieces[1:]), min(pages), max(pages), tokens)
