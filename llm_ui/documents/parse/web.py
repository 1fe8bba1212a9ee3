"""HTML: what a browser would show of it. Nothing is fetched and no script is run."""

import codecs
import re
from collections import Counter
from collections.abc import Collection, Iterator
from html.parser import HTMLParser

from llm_ui.documents.parse.kind import BOMS
from llm_ui.documents.parse.paging import heading, pieces, row
from llm_ui.documents.parse.source import Left, Source
from llm_ui.documents.parse.text import text_of
from llm_ui.errors import InvalidInput
from llm_ui.kit.reading import Block, BlockKind, Page

CHARSET = re.compile(
    rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w.:-]{2,40})|<\?xml[^>]{0,100}encoding=[\"']([\w.:-]{2,40})", re.I
)
HEAD_BYTES = 4096
VOID = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr",
})  # fmt: skip
UNREAD = frozenset({
    "script", "style", "template", "noscript", "svg", "iframe", "object", "canvas", "audio", "video", "select",
    "textarea",
})  # fmt: skip
"""Elements whose content is no text of the page."""
HEADINGS = {f"h{level}": level for level in range(1, 7)}
BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "div",
    "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "hr", "html", "legend", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table",
    "tbody", "tfoot", "thead", "tr", "ul",
})  # fmt: skip
ENDS = {
    "li": {"li", "p"}, "p": {"p"}, "dt": {"dt", "dd", "p"}, "dd": {"dt", "dd", "p"}, "option": {"option"},
    "td": {"td", "th", "p"}, "th": {"td", "th", "p"}, "tr": {"td", "th", "tr", "p"},
    **{name: {"td", "th", "tr", "thead", "tbody", "p"} for name in ("thead", "tbody", "tfoot")},
    **{name: {"p"} for name in ("div", "ul", "ol", "table", "pre", "section", *HEADINGS)},
}  # fmt: skip
"""What ends by itself where another element begins (HTML Standard, §13.1.2.4)."""
HIDING = re.compile(
    r"display:none|visibility:(?:hidden|collapse)|opacity:(?:0(?:\.0+)?|\.0+)(?:;|!|$)|clip:rect\(0|mso-hide:all"
    r"|font-size:(?:0+(?:\.0+)?(?:[a-z%;!]|$)|[01](?:\.\d+)?(?:px|pt))|(?:left|top|text-indent):-\d{4,}"
)
"""In a style without its spaces."""
RULE = re.compile(r"([^{}@;]+)\{([^{}]*)\}")
CONDITIONAL = re.compile(r"@[^{};]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")
SIMPLE = re.compile(r"[.#][\w-]+")
UNFINISHED = re.compile("<[a-zA-Z/!?]")
SPACES = re.compile(r"\s+")
MOST_DEEP = 50_000


def read(source: Source) -> Iterator[Page]:
    """Yield the text of the page."""
    return pieces(blocks(html_of(source.path.read_bytes(), source), source))


def html_of(data: bytes, source: Source) -> str:
    """Return the text in the encoding it names itself, else as any other text."""
    if len(data) > source.limits.text_chars:
        raise InvalidInput("{name} holds more text than can be read. Split it and add the parts.", name=source.name)
    named = CHARSET.search(data[:HEAD_BYTES])
    if named is not None and not any(data.startswith(mark) for mark, _ in BOMS):
        try:
            encoding = codecs.lookup((named[1] or named[2]).decode())
            return str(encoding.decode(data, "replace")[0])
        except (LookupError, UnicodeError, AssertionError):
            pass
    return text_of(data, source)


def blocks(html: str, source: Source) -> list[Block]:
    """Return the blocks of a page; take note of what is left out."""
    parser = _Parser(source)
    parser.feed(html)
    if UNFINISHED.match(parser.rawdata):
        # A comment or tag that never ends: a browser shows nothing of it, older parsers take it for text.
        parser.rawdata = ""
    parser.close()
    found = parser.finished()
    title = " ".join(parser.title.split())
    if title and not any(block.kind is BlockKind.HEADING and block.level == 1 for block in found):
        found.insert(0, heading(title, 1))
    return found


class _Table:
    """One that is being read."""

    def __init__(self) -> None:
        self.rows: list[list[str]] = []
        self.is_frame = False
        """Whether it only puts things beside one another."""


class _Parser(HTMLParser):
    """Makes blocks of the elements."""

    def __init__(self, source: Source) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self._source = source
        self._blocks: list[Block] = []
        self._parts: list[str] = []
        self._open: list[str] = []
        self._counts: Counter[str] = Counter()
        self._hidden_from = 0
        """How many elements were open with a hidden one; 0 for none."""
        self._hides_text = False
        self._tables: list[_Table] = []
        self._hiding: set[str] = set()
        """Classes and ids that a style sheet of the page hides."""

    def finished(self) -> list[Block]:
        """Return all blocks."""
        while self._tables:
            self._end_table()
        self._flush()
        return self._blocks

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the beginning of an element."""
        ended: Collection[str] = ENDS.get(tag, ())
        while self._open and self._open[-1] in ended:
            self._pop()
        attributes = {name: value or "" for name, value in attrs}
        if not self._hidden_from:
            self._begin(tag, attributes)
        if tag not in VOID:
            self._push(tag)
            if not self._hidden_from:
                self._hide(tag, attributes)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an element without content, as XHTML writes it."""
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._pop()

    def handle_endtag(self, tag: str) -> None:
        """Take the end of an element, and of those in it that were left open."""
        if self._counts[tag]:
            while self._pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        """Take text."""
        if not self._hidden_from:
            self._parts.append(data if self._counts["pre"] else SPACES.sub(" ", data))
        elif self._hides_text:
            if data.strip():
                self._source.left[Left.HIDDEN_TEXT] += 1
        elif self._hidden_from == len(self._open):
            if self._open[-1] == "title":
                self.title += data
            elif self._open[-1] == "style":
                self._learn(data)

    def handle_comment(self, data: str) -> None:
        """Count a comment."""
        if data.strip():
            self._source.left[Left.SCRIPTS] += 1

    def _push(self, tag: str) -> None:
        if len(self._open) >= MOST_DEEP:
            raise ValueError("nested too deep")
        self._open.append(tag)
        self._counts[tag] += 1

    def _pop(self) -> str:
        tag = self._open[-1]
        if not self._hidden_from:
            self._end(tag)
        self._open.pop()
        self._counts[tag] -= 1
        if len(self._open) < self._hidden_from:
            self._hidden_from, self._hides_text = 0, False
        return tag

    def _hide(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in UNREAD or tag == "title":
            self._hidden_from = len(self._open)
            if tag == "script":
                self._source.left[Left.SCRIPTS] += 1
        elif self._is_hidden(attributes):
            self._hidden_from, self._hides_text = len(self._open), True

    def _is_hidden(self, attributes: dict[str, str]) -> bool:
        if "hidden" in attributes and attributes["hidden"] != "until-found":
            return True
        if (style := attributes.get("style")) and HIDING.search("".join(style.lower().split())):
            return True
        names = {f".{each}" for each in attributes.get("class", "").split()} | {f"#{attributes.get('id', '')}"}
        return bool(self._hiding & names)

    def _learn(self, sheet: str) -> None:
        """Take note of what a style sheet hides on every kind of screen."""
        for selectors, style in RULE.findall(CONDITIONAL.sub("", sheet)):
            if HIDING.search("".join(style.lower().split())):
                self._hiding |= {each for each in map(str.strip, selectors.split(",")) if SIMPLE.fullmatch(each)}

    def _begin(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "br":
            self._parts.append("\n")
        elif tag == "img":
            self._parts.append(f" {attributes['alt']} " if attributes.get("alt") else "")
        elif tag == "table":
            self._begin_table()
        elif tag in ("td", "th") and self._tables:
            self._begin_cell()
        elif tag == "tr" and self._tables:
            self._tables[-1].rows.append([])
        elif tag in BLOCKS:
            self._border(tag)

    def _end(self, tag: str) -> None:
        if tag == "table" and self._tables:
            self._end_table()
        elif tag in ("td", "th") and self._tables:
            self._end_cell()
        elif tag in BLOCKS:
            self._border(tag)

    def _border(self, tag: str) -> None:
        """End the block that is being read: another one begins with the tag, or it ends there."""
        if self._tables and not self._tables[-1].is_frame:
            if tag not in HEADINGS and tag not in ("li", "pre"):
                self._parts.append(" ")
                return
            self._make_frame()
        self._flush()

    def _flush(self) -> None:
        """Make a block of what was read within the elements that are open."""
        text = "".join(self._parts)
        self._parts.clear()
        if not text.strip():
            return
        inside = self._counts
        if inside["pre"]:
            self._blocks.append(Block(BlockKind.CODE, text.strip("\n")))
            return
        text = "\n".join(line.strip() for line in text.split("\n")).strip()
        if level := next((each for name, each in HEADINGS.items() if inside[name]), 0):
            self._blocks.append(heading(text, level))
        elif inside["li"]:
            self._blocks.append(Block(BlockKind.ITEM, text, max(0, inside["ul"] + inside["ol"] - 1)))
        else:
            self._blocks.append(Block(BlockKind.TEXT, text))

    def _begin_table(self) -> None:
        if self._tables:
            self._make_frame()
        self._flush()
        self._tables.append(_Table())

    def _begin_cell(self) -> None:
        table = self._tables[-1]
        if not table.rows:
            table.rows.append([])
        self._flush()

    def _end_cell(self) -> None:
        table = self._tables[-1]
        if table.is_frame or not table.rows:
            self._flush()
        else:
            table.rows[-1].append("".join(self._parts))
            self._parts.clear()

    def _make_frame(self) -> None:
        """Take the table for one that only puts things beside one another: what was in it so far is text."""
        table = self._tables[-1]
        if not table.is_frame:
            table.is_frame = True
            for cells in table.rows:
                self._blocks += [Block(BlockKind.TEXT, cell.strip()) for cell in cells if cell.strip()]
            table.rows = []

    def _end_table(self) -> None:
        table = self._tables.pop()
        if table.is_frame:
            self._flush()
            return
        caption = "".join(self._parts)
        self._parts.clear()
        if caption.strip():
            self._blocks.append(Block(BlockKind.TEXT, caption.strip()))
        rows = [cells for cells in table.rows if any(cell.strip() for cell in cells)]
        if max(map(len, rows), default=0) <= 1:
            self._blocks += [Block(BlockKind.TEXT, cells[0].strip()) for cells in rows]
            return
        for number, cells in enumerate(rows):
            self._blocks.append(row(cells, is_head=number == 0))
