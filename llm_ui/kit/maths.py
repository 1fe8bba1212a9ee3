"""Formulas in Markdown: `$…$`, `$$…$$`, `\\(…\\)` and `\\[…\\]`, kept as they were written for the browser to draw.

A dollar begins a formula as in Pandoc's `tex_math_dollars`: no space after the opening one, none before the closing
one, no digit behind it; so that prices stay prices. Only the next dollar is looked at, which keeps the cost linear.
"""

import html
import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

MAX_CHARS = 4_000
"""Longer ones stay text."""
CLOSING = {"$$": "$$", "\\[": "\\]", "\\(": "\\)"}
_END = re.compile(r"(?P<closing>\$\$|\\\])(?P<rest>[.,;:]?)\s*$")


def add_maths(parser: MarkdownIt) -> None:
    """Let a parser know formulas."""
    parser.inline.ruler.before("escape", "maths", _inline)
    parser.block.ruler.before("fence", "maths_block", _block, {"alt": ["paragraph", "blockquote", "list"]})
    parser.add_render_rule("maths", _rendered)
    parser.add_render_rule("maths_block", _rendered_block)


def _inline(state: StateInline, silent: bool) -> bool:
    source, start = state.src, state.pos
    if source[start] not in "$\\":
        return False
    opening = source[start : start + 2]
    if opening in CLOSING:
        end = source.find(CLOSING[opening], start + 2, start + MAX_CHARS)
        size = 2
    elif source[start] == "$":
        end = source.find("$", start + 1, start + MAX_CHARS)
        size = 1
    else:
        return False
    content = source[start + size : end]
    if end < 0 or not content.strip() or (size == 1 and not _is_between_dollars(content, source[end + 1 : end + 2])):
        return False
    if not silent:
        token = state.push("maths", "", 0)
        token.content = source[start : end + size]
        token.markup = opening if size == 2 else "$"
    state.pos = end + size
    return True


def _is_between_dollars(content: str, behind: str) -> bool:
    has_spaces = content[0].isspace() or content[-1].isspace()
    return not has_spaces and not behind.isdigit() and not content.endswith("\\")


def _block(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """Take the lines from one that begins with `$$` or `\\[` to one that ends with its like, or to an empty one.

    Without an end they are shown as they are: what a formula is must not change when more of the text arrives.
    """
    if state.is_code_block(first):
        return False
    line = _line(state, first)
    opening = line[:2]
    if opening not in ("$$", "\\["):
        return False
    behind = _END.search(line, 2)
    if CLOSING[opening] in line[2:] and (behind is None or line.find(CLOSING[opening], 2) != behind.start()):
        # Closed before the line's end: part of a sentence.
        return False
    if silent:
        return True
    end = first
    while behind is None and end + 1 < last and not state.isEmpty(end + 1) and state.sCount[end + 1] >= state.blkIndent:
        end += 1
        behind = _END.search(_line(state, end))
    lines = [_line(state, number) for number in range(first, end + 1)]
    token = state.push("maths_block", "", 0)
    token.content = "\n".join(lines)
    token.markup = opening if behind is not None and behind["closing"] == CLOSING[opening] else ""
    token.map = [first, end + 1]
    state.line = end + 1
    return True


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _rendered(
    _renderer: RendererHTML, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: EnvType
) -> str:
    token = tokens[index]
    kind = "math display" if token.markup in ("$$", "\\[") else "math"
    return f'<span class="{kind}">{html.escape(token.content)}</span>'


def _rendered_block(
    _renderer: RendererHTML, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: EnvType
) -> str:
    token = tokens[index]
    if not token.markup or len(token.content) > MAX_CHARS:
        return f'<p class="plain">{html.escape(token.content)}</p>\n'
    found = _END.search(token.content)
    rest = found["rest"] if found else ""
    formula = token.content[: found.end("closing")] if found else token.content
    return f'<p><span class="math display">{html.escape(formula)}</span>{html.escape(rest)}</p>\n'
