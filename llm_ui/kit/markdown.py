"""Markdown of models and people to safe HTML: whole, or block by block while it grows."""

import html
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

from llm_ui.kit.block import MAX_CHARS, Block, block_html, calm, code_html, language_of, split
from llm_ui.kit.highlight import coloured

STRIDE_CHARS = 60_000
"""A long text is taken in pieces of this length, so that its cost stays linear."""
MAX_BLOCKS = 3_000
"""What follows so many blocks is shown as it is: no browser likes a million paragraphs."""
DEADLINE_S = 2.0
"""What is not rendered by then is shown as it is. An ordinary answer takes 2 ms a thousand characters."""
MAX_MARKER_CHARS = 100
CHUNK_CHARS = 1_000
"""Code that still grows is coloured and sent in pieces of about this length, each once."""

QUICK_CHARS = 4_000
"""So much without code takes a few milliseconds."""

TAIL = '<span class="growing">{}</span>'


@dataclass(frozen=True, slots=True)
class MoreCode:
    """What comes to the code block that is being written: HTML to add, and HTML of the part that still changes."""

    added: str
    tail: str


@dataclass(frozen=True, slots=True)
class Change:
    """What became of the blocks: those from `start` on are replaced, or the last one, which is code, grows."""

    start: int
    blocks: tuple[str, ...] = ()
    code: MoreCode | None = None


def render(text: str) -> str:
    """Return the whole text as safe HTML."""
    return "".join(blocks(text))


def blocks(text: str) -> list[str]:
    """Return the safe HTML of each top-level block."""
    return list(GrowingText().finish(text).blocks)


def is_quick(text: str, offset: int = 0) -> bool:
    """Return whether the text may be rendered from there on on an event loop: it is short, and has no code."""
    return len(text) - offset <= QUICK_CHARS and "```" not in text and "~~~" not in text


class GrowingText:
    """A text that is still being written: finished blocks keep their HTML, only the open part is rendered again.

    However the text is cut into updates, the blocks at its end are those of the whole text.
    """

    def __init__(self) -> None:
        self._finished: list[str] = []
        self._open: list[str] = []
        self._offset = 0
        self._code: _OpenCode | None = None
        self._deadline = 0.0

    @property
    def offset(self) -> int:
        """How much of the text the next update need not read again."""
        return self._offset if self._code is None else self._code.committed

    def all_blocks(self) -> list[str]:
        """Return every block as it stands."""
        return [*self._finished, *([self._code.html()] if self._code else self._open)]

    def update(self, text: str) -> Change:
        """Take the text so far, which is the last one and more; return what changed."""
        text = self._begin(text)
        start = len(self._finished)
        more = self._code.grow(text) if self._code else None
        if more is not None:
            return Change(start, code=more)
        self._code = None
        found: list[Block] = []
        for end in self._strides(text):
            found = self._settle(text[:end], is_last=False)
        self._open = [block_html(block) for block in found]
        if len(found) == 1 and found[0].is_code:
            self._begin_code(text)
        return Change(start, tuple(self.all_blocks()[start:]))

    def finish(self, text: str) -> Change:
        """Take the whole text; return what changed."""
        text = self._begin(text)
        start = len(self._finished)
        self._code, self._open = None, []
        for end in self._strides(text):
            self._settle(text[:end], is_last=end == len(text))
        return Change(start, tuple(self._finished[start:]))

    def _begin(self, text: str) -> str:
        """Start the clock; return the text with line feeds only, as markdown-it reads it.

        What was read of it so far is a beginning of the whole: a carriage return at the end stays one line end.
        """
        self._deadline = time.monotonic() + DEADLINE_S
        return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text

    def _strides(self, text: str) -> Iterator[int]:
        """Yield where to stop and settle on the way to the text's end; inside an open fence there is no need to."""
        end = self._offset
        while end < len(text):
            fence = _OpenCode.at(text, self._offset)
            end = min(len(text), max(end + STRIDE_CHARS, fence.closing_end(text) if fence else 0))
            yield end

    def _settle(self, text: str, *, is_last: bool) -> list[Block]:
        """Finish the blocks that will not change any more; return those that may."""
        while True:
            tail = text[self._offset :]
            if len(self._finished) >= MAX_BLOCKS or time.monotonic() > self._deadline:
                found = [Block(0, tail, [])] if tail.strip() else []
            else:
                found = split(tail)
            final = len(found) if is_last else _final_count(tail, found)
            long = next((number for number, block in enumerate(found) if block.is_too_long), None)
            upto = min(final if long is None else long, max(MAX_BLOCKS - len(self._finished), 1))
            self._finished += [block_html(block) for block in found[:upto]]
            if upto == long:
                self._offset += found[long].start
                self._cut(text)
            elif upto < final:
                self._offset += found[upto].start
            else:
                self._offset += found[final].start if final < len(found) else len(tail) if is_last else 0
                return found[final:]

    def _cut(self, text: str) -> None:
        """Show the first piece of a block that is too long as it is, to a line's end if there is one."""
        end = text.rfind("\n", self._offset, self._offset + MAX_CHARS) + 1
        if end <= self._offset:
            end = self._offset + MAX_CHARS
        self._finished.append(block_html(Block(0, text[self._offset : end], [])))
        self._offset = end

    def _begin_code(self, text: str) -> None:
        """Send the open block in small pieces from now on if its end is not in sight."""
        code = _OpenCode.at(text, self._offset)
        if code is not None and code.grow(text) is not None:
            self._code = code


class _OpenCode:
    """A fenced block at the left margin that is being written. Its end is looked for in new lines only."""

    OPENING = re.compile(r"(`{3,}+|~{3,}+)([^\n]*+)\n")

    def __init__(self, marker: str, language: str, content: int) -> None:
        self.committed = content
        self._checked = content
        self._language = language
        self._closing = re.compile(rf"^ {{0,3}}{marker[0]}{{{len(marker)},}}+[ \t]*+$", re.MULTILINE)
        self._pieces: list[str] = []
        self._lines = ""
        self._coloured_lines = ""
        self._tail = ""
        self._has_colours = True

    @classmethod
    def at(cls, text: str, offset: int) -> "_OpenCode | None":
        """Return the fenced block that begins at the place in the text, if one does."""
        found = cls.OPENING.match(text, offset)
        if found is None or len(found[1]) > MAX_MARKER_CHARS or (found[1][0] == "`" and "`" in found[2]):
            return None
        return cls(found[1], language_of(found[2]), found.end())

    def closing_end(self, text: str) -> int:
        """Return where the block's closing line ends, or the text's end."""
        found = self._closing.search(text, self._checked)
        return len(text) if found is None else found.end()

    def html(self) -> str:
        """Return the block as it stands."""
        return code_html("".join(self._pieces) + TAIL.format(self._tail), self._language)

    def grow(self, text: str) -> MoreCode | None:
        """Take the text so far; return what comes to the block, or None when the block has ended."""
        lines_end = max(text.rfind("\n") + 1, self._checked)
        if self._closing.search(text, self._checked, lines_end):
            return None
        self._checked = lines_end
        added = ""
        if len(text) - self.committed > CHUNK_CHARS:
            # A line that does not end is cut: minified code has lines of megabytes.
            end = lines_end if lines_end > self.committed else len(text) - CHUNK_CHARS // 2
            added = self._highlighted(text[self.committed : end])
            self.committed = end
            self._pieces.append(added)
        tail = text[self.committed :]
        if self._closing.match(tail[tail.rfind("\n") + 1 :]):
            # The closing line, as it seems, or its beginning.
            tail = tail[: tail.rfind("\n") + 1]
        lines = tail[: tail.rfind("\n") + 1]
        if lines != self._lines:
            # Once for a line, not for each of its words; the last one has its colours when it is whole.
            self._lines, self._coloured_lines = lines, self._highlighted(lines)
        self._tail = self._coloured_lines + calm(html.escape(tail[len(lines) :]))
        return MoreCode(added, self._tail)

    def _highlighted(self, code: str) -> str:
        """Return the code as safe HTML: with colours until they could not be had once."""
        found = coloured(code, self._language) if self._has_colours and code else None
        self._has_colours = found is not None or not code
        return calm(html.escape(code) if found is None else found)


def _final_count(tail: str, found: list[Block]) -> int:
    """Return how many blocks no further text can change: all but the last one of the lines that are whole.

    The last line may still become something else: `#` is a heading, `#1` goes on with the paragraph before it.
    """
    if len(found) < 2:
        return 0
    if not tail.endswith("\n"):
        return max(0, min(len(found), len(split(tail[: tail.rfind("\n") + 1]))) - 1)
    return len(found) - 1
