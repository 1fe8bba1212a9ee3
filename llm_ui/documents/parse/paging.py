"""Pages of files that have none: pieces of some thousand characters, cut between blocks."""

import re
from collections.abc import Iterable, Iterator

from llm_ui.kit.reading import Block, BlockKind, Page

PIECE_CHARS = 4_000
"""About a page of print."""
BLOCK_CHARS = 2 * PIECE_CHARS
"""A longer block of prose or code is cut."""
HEADING_CHARS = 200
"""What is longer is no heading, whatever it says it is."""
DEEPEST = 6
FIRST_SHARE = 0.5
"""A heading begins a new piece when the one before is at least so full."""
CUTS = (re.compile(r"\n(?!\s)"), re.compile(r"\n"), re.compile(r"(?<=[.!?…。！？])\s+"), re.compile(r"\s+"))
"""Where a long block is cut, best first: at a line that is not indented, a line, a sentence, a word."""


def heading(text: str, level: int) -> Block:
    """Return a heading of one line, or a text where that is too long for one."""
    text = " ".join(text.split())
    if len(text) > HEADING_CHARS:
        return Block(BlockKind.TEXT, text)
    return Block(BlockKind.HEADING, text, min(max(level, 1), DEEPEST))


def row(cells: Iterable[str], *, is_head: bool = False) -> Block:
    """Return a row of a table, each cell in one line."""
    text = " | ".join(" ".join(cell.split()) for cell in cells)
    return Block(BlockKind.TABLE_HEAD if is_head else BlockKind.TABLE_ROW, text)


def pieces(blocks: Iterable[Block], first: int = 1) -> Iterator[Page]:
    """Yield the blocks as pages, numbered from `first`. A table that goes on is told its columns on each of them."""
    number, held, size = first, list[Block](), 0
    head: Block | None = None
    for block in _short(blocks):
        if block.kind is BlockKind.TABLE_HEAD:
            head = block
        elif block.kind is not BlockKind.TABLE_ROW:
            head = None
        begins = block.kind is BlockKind.HEADING and size > PIECE_CHARS * FIRST_SHARE
        if held and (begins or size + len(block.text) > PIECE_CHARS):
            # A heading at the end of a piece belongs to what comes.
            taken = _trailing_headings(held)
            if len(taken) == len(held):
                taken = []
            yield Page(number, tuple(held[: len(held) - len(taken)]))
            number += 1
            held = [head] if head is not None and block is not head and not taken else taken
            size = sum(len(each.text) for each in held)
        held.append(block)
        size += len(block.text)
    if held:
        yield Page(number, tuple(held))


def _trailing_headings(blocks: list[Block]) -> list[Block]:
    at = len(blocks)
    while at and blocks[at - 1].kind is BlockKind.HEADING:
        at -= 1
    return blocks[at:]


def _short(blocks: Iterable[Block]) -> Iterator[Block]:
    for block in blocks:
        if len(block.text) <= BLOCK_CHARS or block.kind not in (BlockKind.TEXT, BlockKind.ITEM, BlockKind.CODE):
            yield block
            continue
        for text in cut(block.text):
            yield Block(block.kind, text, block.level)


def cut(text: str) -> Iterator[str]:
    """Yield the text in parts of at most a piece, cut where it harms least."""
    at = 0
    while len(text) - at > PIECE_CHARS:
        end = _end(text, at)
        if part := text[at:end].strip("\n"):
            yield part
        at = end
    if part := text[at:].strip("\n"):
        yield part


def _end(text: str, at: int) -> int:
    for pattern in CUTS:
        ends = [found.end() for found in pattern.finditer(text, at + PIECE_CHARS // 2, at + PIECE_CHARS)]
        if ends:
            return ends[-1]
    return at + PIECE_CHARS
