"""Markdown of models and people to safe HTML: whole, or block by block while it grows."""

import html
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from llm_ui.kit.block import MAX_CHARS, Block, Inlines, block_html, calm, code_html, language_of, split
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
REPAINT = 1.125
"""What still grows of them is coloured anew when it is so much longer: up to three lines wait for their colours."""
RECENT, RECENT_CHARS = 128, 8_000
"""So many texts, no longer than that, are kept as they were rendered: a chat is told once with its page and once when
that is connected, and again when somebody changes back to it. It is 3 MB at most, and some 300 KB of usual answers."""
QUICK_CHARS = 4_000
"""So much without code takes a few milliseconds."""

ANEW = re.compile(r"\n\n[^\W\d_]")
"""An empty line and a letter at the margin, which no block that was begun before goes on with."""

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
    return list(_recent(text) if len(text) <= RECENT_CHARS else GrowingText().finish(text).blocks)


@lru_cache(RECENT)
def _recent(text: str) -> tuple[str, ...]:
    return GrowingText().finish(text).blocks


def is_quick(text: str) -> bool:
    """Return whether the text may be rendered on an event loop: it is short, and has no code."""
    return len(text) <= QUICK_CHARS and "```" not in text and "~~~" not in text


class GrowingText:
    """A text that is still being written: finished blocks keep their HTML, only the open part is rendered again.

    However the text is cut into updates, the blocks at its end are those of the whole text.
    """

    def __init__(self) -> None:
        self._finished: list[str] = []
        self._open: list[str] = []
        self._drawn: dict[str, str] = {}
        self._inlines = Inlines()
        self._offset = 0
        self._whole_lines = (0, 0, 0)
        self._code: _OpenCode | None = None
        self._deadline = 0.0

    def is_quick(self, text: str) -> bool:
        """Return whether the next update may be made on an event loop: it is short, and no code waits for colours."""
        return is_quick(text[self._offset :]) if self._code is None else self._code.is_quick(text)

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
        before = self.all_blocks()[start:]
        self._code = None
        found: list[Block] = []
        for end in self._strides(text):
            found = self._settle(text[:end], is_last=False)
        self._open = [self._html(block) for block in found]
        self._drawn = {block.source: shown for block, shown in zip(found, self._open, strict=True) if block.tokens}
        if len(found) == 1 and found[0].is_code:
            self._begin_code(text)
        return self._changed(start, before)

    def finish(self, text: str) -> Change:
        """Take the whole text; return what changed."""
        text = self._begin(text)
        start = len(self._finished)
        before = self.all_blocks()[start:]
        self._code, self._open = None, []
        for end in self._strides(text):
            self._settle(text[:end], is_last=end == len(text))
        return self._changed(start, before)

    def _changed(self, start: int, before: list[str]) -> Change:
        """Return what became of the blocks from `start` on; those at their beginning that are the same stay."""
        after = self.all_blocks()[start:]
        same = next((n for n, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), len(before))
        return Change(start + same, tuple(after[same:]))

    def _html(self, block: Block) -> str:
        """Return a block as safe HTML; one that was open at the last update is made again only if it has changed."""
        shown = self._drawn.get(block.source) if block.tokens else None
        return block_html(block, self._inlines) if shown is None else shown

    def _begin(self, text: str) -> str:
        """Start the clock; return the text with line feeds only, as markdown-it reads it.

        What was read of it so far is a beginning of the whole: a carriage return at the end stays one line end.
        """
        self._deadline = time.monotonic() + DEADLINE_S
        self._inlines.turn()
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
            final = len(found) if is_last else self._final_count(tail, found)
            long = next((number for number, block in enumerate(found) if block.is_too_long), None)
            upto = min(final if long is None else long, max(MAX_BLOCKS - len(self._finished), 1))
            self._finished += [self._html(block) for block in found[:upto]]
            if upto == long:
                self._offset += found[long].start
                self._cut(text)
            elif upto < final:
                self._offset += found[upto].start
            else:
                self._offset += found[final].start if final < len(found) else len(tail) if is_last else 0
                return found[final:]

    def _final_count(self, tail: str, found: list[Block]) -> int:
        """Return how many blocks no further text can change: all but the last one of the lines that are whole.

        The last line may still become something else: `#` is a heading, `#1` goes on with the paragraph before it.
        """
        if len(found) < 2:
            return 0
        end = tail.rfind("\n") + 1
        if end == len(tail) or (found[-1].start == end and ANEW.match(tail, end - 2)):
            return len(found) - 1
        if self._whole_lines[:2] != (self._offset, end):
            # Once for a line, not for each of its words.
            self._whole_lines = (self._offset, end, len(split(tail[:end])))
        return max(0, min(len(found), self._whole_lines[2]) - 1)

    def _cut(self, text: str) -> None:
        """Show the first piece of a block that is too long as it is, to a line's end if there is one."""
        end = text.rfind("\n", self._offset, self._offset + MAX_CHARS) + 1
        if end <= self._offset:
            end = self._offset + MAX_CHARS
        self._finished.append(block_html(Block(0, text[self._offset : end], []), self._inlines))
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
        self._committed = content
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

    def is_quick(self, text: str) -> bool:
        """Return whether the text goes on in the same line, which has its colours when it is whole."""
        return len(text) - self._committed <= CHUNK_CHARS and text.find("\n", self._checked) < 0

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
        if len(text) - self._committed > CHUNK_CHARS:
            # A line that does not end is cut: minified code has lines of megabytes.
            end = lines_end if lines_end > self._committed else len(text) - CHUNK_CHARS // 2
            added = self._highlighted(text[self._committed : end])
            self._committed = end
            self._pieces.append(added)
        tail = text[self._committed :]
        if self._closing.match(tail[tail.rfind("\n") + 1 :]):
            # The closing line, as it seems, or its beginning.
            tail = tail[: tail.rfind("\n") + 1]
        lines = tail[: tail.rfind("\n") + 1]
        if len(lines) >= REPAINT * len(self._lines) or not lines.startswith(self._lines):
            # Not for each word, and of many lines not for each: one after the other they would cost the square.
            self._lines, self._coloured_lines = lines, self._highlighted(lines)
        self._tail = self._coloured_lines + calm(html.escape(tail[len(self._lines) :]))
        return MoreCode(added, self._tail)

    def _highlighted(self, code: str) -> str:
        """Return the code as safe HTML: with colours until they could not be had once."""
        found = coloured(code, self._language) if self._has_colours and code else None
        self._has_colours = found is not None or not code
        return calm(html.escape(code) if found is None else found)
