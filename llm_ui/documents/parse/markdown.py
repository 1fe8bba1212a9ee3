"""Markdown: its headings, lists, tables and code as blocks; all else as it is written."""

import re
from collections.abc import Iterator

from llm_ui.documents.parse.paging import heading, pieces, row
from llm_ui.documents.parse.source import Left, Source
from llm_ui.documents.parse.text import decoded
from llm_ui.kit.reading import Block, BlockKind, Page

FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*$")
ITEM = re.compile(r"([ \t]*)(?:[-*+]|(\d{1,9}[.)]))[ \t]+(\S.*)")
TABLE_RULE = re.compile(r" {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
CELL = re.compile(r"(?<!\\)\|")
BACKSLASH = "\\"
COMMENT = "<!--", "-->"
LONGEST_HEADING = 1_000
"""Characters of its line: looking for the end of a longer one takes time by its square."""
INDENT = 2
"""Columns that make an item belong to the one above; deeper ones are told apart no further than `DEEPEST`."""
DEEPEST = 9


def read(source: Source) -> Iterator[Page]:
    """Yield the text. Comments, which no page shows, are left out."""
    shown, hidden = _without_comments(decoded(source))
    if hidden:
        source.left[Left.HIDDEN_TEXT] += hidden
    return pieces(blocks(shown))


def _without_comments(text: str) -> tuple[str, int]:
    """Return the text without comments, and how many there were. A pattern would look for each end to the very end."""
    begin, end = COMMENT
    parts: list[str] = []
    at = 0
    while (start := text.find(begin, at)) >= 0 and (stop := text.find(end, start)) >= 0:
        parts.append(text[at:start])
        at = stop + len(end)
    return "".join([*parts, text[at:]]), len(parts)


def blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of a text in Markdown."""
    lines = text.split("\n")
    at, held = 0, list[str]()
    while at < len(lines):
        found, following = _block(lines, at, held)
        if found:
            yield from _paragraph(held)
            held = []
            yield from found
        elif lines[at].strip():
            held.append(lines[at])
        else:
            yield from _paragraph(held)
            held = []
        at = following
    yield from _paragraph(held)


def _block(lines: list[str], at: int, held: list[str]) -> tuple[list[Block], int]:
    """Return what begins at a line and is no paragraph, and the line behind it."""
    line = lines[at]
    if fence := FENCE.match(line):
        return _code(lines, at, fence[1])
    if len(line) <= LONGEST_HEADING and (found := ATX.match(line)):
        return [heading(found[2] or "", len(found[1]))], at + 1
    if held and len(held) == 1 and (found := SETEXT.match(line)) and "|" not in held[0]:
        text = held.pop()
        return [heading(text, 1 if found[1][0] == "=" else 2)], at + 1
    if "|" in line and at + 1 < len(lines) and "-" in lines[at + 1] and TABLE_RULE.match(lines[at + 1]):
        return _table(lines, at)
    if found := ITEM.match(line):
        return _item(lines, at, found)
    return [], at + 1


def _code(lines: list[str], at: int, fence: str) -> tuple[list[Block], int]:
    end = at + 1
    while end < len(lines) and not lines[end].strip().startswith(fence):
        end += 1
    return [Block(BlockKind.CODE, "\n".join(lines[at + 1 : end]))], end + 1


def _table(lines: list[str], at: int) -> tuple[list[Block], int]:
    rows = [row(_cells(lines[at]), is_head=True)]
    end = at + 2
    while end < len(lines) and "|" in lines[end]:
        rows.append(row(_cells(lines[end])))
        end += 1
    return rows, end


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in CELL.split(line.strip().removeprefix("|").removesuffix("|"))]


def _item(lines: list[str], at: int, found: re.Match[str]) -> tuple[list[Block], int]:
    """Return an item of a list with the lines that go on with it."""
    indent = len(found[1].expandtabs(4))
    text = [f"{found[2]} {found[3]}" if found[2] else found[3]]
    end = at + 1
    while end < len(lines) and lines[end].strip() and not _begins(lines[end]):
        text.append(lines[end])
        end += 1
    return [Block(BlockKind.ITEM, _joined(text), min(indent // INDENT, DEEPEST))], end


def _begins(line: str) -> bool:
    return any(pattern.match(line) for pattern in (FENCE, ATX, ITEM))


def _paragraph(lines: list[str]) -> Iterator[Block]:
    if lines:
        yield Block(BlockKind.TEXT, _joined(lines))


def _joined(lines: list[str]) -> str:
    """Return lines as one text: a line ends only after two spaces or a backslash (CommonMark 0.31.2, 6.7 and 6.8)."""
    *before, last = lines
    ended = (
        f"{line.strip().removesuffix(BACKSLASH)}\n" if line.endswith(("  ", BACKSLASH)) else f"{line.strip()} "
        for line in before
    )
    return "".join([*ended, last.strip()])
