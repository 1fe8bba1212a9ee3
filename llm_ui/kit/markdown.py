"""Markdown of models and people to safe HTML: whole, or block by block while it grows.

One path for all text: markdown-it without raw HTML, Pygments, then nh3. Two departures from CommonMark 0.31 keep a
block's HTML final once the next block has begun: link reference definitions are plain text, and images become links
(an image that loads by itself tells a stranger who read it).
"""

import html
from collections.abc import Sequence
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt, rules_core
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

MAX_PROSE_CHARS = 20_000
"""Longer blocks of prose are shown as plain text: hostile nesting costs more than linear time."""
MAX_HIGHLIGHT_CHARS = 40_000
"""Longer code is shown without colours."""
OPEN_HIGHLIGHT_CHARS = 3_000
"""Code that still grows is coloured up to this length; past it the colours come with its end."""
MAX_CELLS = 20_000
"""With more table cells than that a text is shown as it is: each cell costs a dozen tokens."""
MAX_NESTING = 12
SCHEMES = {"http", "https", "mailto"}

TAGS = {"p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "strong", "em", "s", "del", "code", "pre", "blockquote"}
TAGS |= {"ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "a", "span", "div"}
ATTRIBUTES = {
    "a": {"href", "title", "target", "class"},
    "code": {"class"},
    "span": {"class"},
    "div": {"class", "data-language"},
    "ol": {"start"},
    "th": {"style"},
    "td": {"style"},
    "pre": {"class"},
}


def _markdown() -> MarkdownIt:
    parser = MarkdownIt(
        "commonmark", {"html": False, "linkify": False, "typographer": False, "maxNesting": MAX_NESTING}
    )
    parser.enable(["table", "strikethrough"])
    parser.disable(["reference", "html_block", "html_inline"])
    for name, rule in (("fence", _code), ("code_block", _code), ("image", _image), ("link_open", _link)):
        parser.add_render_rule(name, rule)
    parser.add_render_rule("table_open", lambda *_: '<div class="table"><table>\n')
    parser.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return parser


def _code(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    token = tokens[index]
    language = token.info.strip().split(maxsplit=1)[0] if token.info.strip() else ""
    is_open = bool(env.get("is_open")) and len(token.content) > OPEN_HIGHLIGHT_CHARS
    body = html.escape(token.content) if is_open else _highlighted(token.content, language)
    label = html.escape(language[:40], quote=True)
    return f'<div class="code" data-language="{label}"><pre><code>{body}</code></pre></div>\n'


def _highlighted(code: str, language: str) -> str:
    if language and len(code) <= MAX_HIGHLIGHT_CHARS:
        try:
            lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
        except ClassNotFound:
            return html.escape(code)
        return str(highlight(code, lexer, HtmlFormatter(nowrap=True, classprefix="h-")))
    return html.escape(code)


def _image(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    token = tokens[index]
    source = str(token.attrs.get("src", ""))
    host = urlsplit(source).hostname if _is_safe(source) else None
    text = html.escape(token.content or "image")
    if host is None:
        return f'<span class="image">{text}</span>'
    link = html.escape(source, quote=True)
    return f'<a class="image" target="_blank" href="{link}">{text} <span class="host">({html.escape(host)})</span></a>'


def _link(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    token = tokens[index]
    if not _is_safe(str(token.attrs.get("href", ""))):
        token.attrs.pop("href", None)
    token.attrs["target"] = "_blank"
    return renderer.renderToken(tokens, index, options, env)


def _is_safe(address: str) -> bool:
    try:
        return urlsplit(address).scheme.lower() in SCHEMES
    except ValueError:
        return False


_PARSER = _markdown()


def render(text: str) -> str:
    """Return the whole text as safe HTML."""
    return "".join(blocks(text))


def blocks(text: str) -> list[str]:
    """Return the safe HTML of each top-level block."""
    growing = GrowingText()
    return growing.finish(text)


class GrowingText:
    """A text that is still being written: finished blocks keep their HTML, only the open one is rendered again."""

    def __init__(self) -> None:
        self._finished: list[str] = []
        self._offset = 0

    @property
    def finished_count(self) -> int:
        """How many blocks will not change any more."""
        return len(self._finished)

    @property
    def offset(self) -> int:
        """Where the open block begins in the text."""
        return self._offset

    def update(self, text: str) -> list[str]:
        """Take the text so far (the last one and more); return the blocks from the first one that is not final.

        The returned blocks begin at the index that `finished_count` had before the call.
        """
        return self._advance(text, is_last=False)

    def finish(self, text: str) -> list[str]:
        """Take the whole text; return the blocks from the first one that was not final."""
        return self._advance(text, is_last=True)

    def _advance(self, text: str, *, is_last: bool) -> list[str]:
        if "\r" in text:
            # As markdown-it does itself; done here, its line numbers count our lines.
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        tail = text[self._offset :]
        spans = _spans(tail)
        fresh = [
            _safe(tail[start:end], tokens, is_open=not is_last and number == len(spans) - 1)
            for number, (start, end, tokens) in enumerate(spans)
        ]
        final = len(spans) if is_last else _final_count(tail, spans)
        self._finished += fresh[:final]
        if not is_last and final:
            self._offset += spans[final][0]
        return fresh


def _final_count(text: str, spans: list[tuple[int, int, list[Token]]]) -> int:
    """Return how many blocks no further text can change: those followed by one whose first line is complete.

    Of an incomplete line nobody knows yet whether it begins a block: `3` may become `3.`, the next item of a list.
    """
    last = len(spans) - 1
    return max(0, last if "\n" in text[spans[last][0] :] else last - 1) if spans else 0


def _spans(text: str) -> list[tuple[int, int, list[Token]]]:
    """Return where each top-level block begins and ends, with its tokens, their inline text not yet parsed."""
    if text.count("|") > MAX_CELLS:
        return [(0, len(text), [Token("paragraph", "p", 0, content=text)])] if text else []
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    found: list[tuple[int, int, list[Token]]] = []
    state = StateCore(text, _PARSER, {})
    rules_core.normalize(state)
    rules_core.block(state)
    current: list[Token] = []
    begin = end = depth = 0
    for token in state.tokens:
        if depth == 0 and token.map is not None:
            current = []
            begin, end = (min(starts[line], len(text)) for line in token.map)
        current.append(token)
        depth += token.nesting
        if depth == 0:
            found.append((begin, end, current))
    return found


def _safe(source: str, tokens: list[Token], *, is_open: bool) -> str:
    """Return one block as safe HTML. Prose past the limit is never parsed further: it is shown as it is."""
    is_code = tokens[0].type in ("fence", "code_block")
    if tokens[0].type == "paragraph" or (len(source) > MAX_PROSE_CHARS and not is_code):
        return f'<p class="plain">{html.escape(source)}</p>'
    state = StateCore(source, _PARSER, {}, tokens)
    rules_core.inline(state)
    rules_core.text_join(state)
    rendered = _PARSER.renderer.render(tokens, _PARSER.options, {"is_open": is_open})
    return nh3.clean(
        rendered,
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer nofollow",
        filter_style_properties={"text-align"},
    )
