"""Top-level blocks of Markdown: where each begins and ends, and its safe HTML.

One path for all text: markdown-it without raw HTML, Pygments, then nh3. Two departures from CommonMark 0.31 keep a
block's HTML independent of what follows it: link reference definitions are plain text, and images become links (an
image that loads by itself tells a stranger who read it).
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt, rules_core
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from llm_ui.kit.autolink import linked
from llm_ui.kit.highlight import highlighted
from llm_ui.kit.maths import add_maths

MAX_CHARS = 60_000
"""Longer blocks of anything but code are cut and shown as they are."""
MAX_INLINE_CHARS = 20_000
"""Longer paragraphs and cells are shown as they are: hostile brackets cost quadratic time, 150 ms at this length."""
MAX_NESTING = 12
MAX_LANGUAGE_CHARS = 40
SCHEMES = {"http", "https", "mailto"}

TAGS = {"p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "strong", "em", "s", "del", "code", "pre", "blockquote"}
TAGS |= {"ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "a", "span", "div"}
ATTRIBUTES = {
    "a": {"href", "title", "target", "class"},
    "span": {"class"},
    "div": {"class", "data-language"},
    "ol": {"start"},
    "th": {"style"},
    "td": {"style"},
    "p": {"class"},
}

_COMBINING = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_PILED = re.compile(f"([{_COMBINING}]{{8}})[{_COMBINING}]+")
_UNSEEN = re.compile("[\U000e0000-\U000e007f]")
_TASK = re.compile(r"\[([ xX])\](?=\s)")
"""What an item of a list begins with that is a task (GitHub Flavored Markdown 0.29, section 5.3)."""
_BOXES = ('<span class="task">\u2610</span>', '<span class="task">\u2611</span>')
"""Open and done: a character, which is copied along, and not a field that could be ticked."""
_CLEANER = nh3.Cleaner(
    tags=TAGS,
    attributes=ATTRIBUTES,
    url_schemes=SCHEMES,
    link_rel="noopener noreferrer nofollow",
    filter_style_properties={"text-align"},
)


@dataclass(frozen=True, slots=True)
class Block:
    """One top-level block: where it begins, its source, and its tokens, their inline text not yet parsed."""

    start: int
    source: str
    tokens: list[Token]
    """None of them: it is shown as it is."""

    @property
    def is_code(self) -> bool:
        """Whether it is a fenced or indented code block."""
        return bool(self.tokens) and self.tokens[0].type in ("fence", "code_block")

    @property
    def is_too_long(self) -> bool:
        """Whether it is shown as it is, in pieces."""
        return len(self.source) > MAX_CHARS and not self.is_code


def calm(text: str) -> str:
    """Return the text with at most eight combining marks on a letter, and without the invisible tag characters."""
    return _UNSEEN.sub("", _PILED.sub(r"\1", text))


def split(text: str) -> list[Block]:
    """Return the top-level blocks of the text, whose lines end with a line feed."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    state = StateCore(text, _PARSER, {})
    rules_core.normalize(state)
    rules_core.block(state)
    found: list[Block] = []
    current: list[Token] = []
    begin = end = depth = 0
    for token in state.tokens:
        if depth == 0 and token.map is not None:
            current = []
            begin, end = (min(starts[line], len(text)) for line in token.map)
        current.append(token)
        depth += token.nesting
        if depth == 0:
            found.append(Block(begin, text[begin:end], current))
    return found


class Inlines:
    """The inline texts of a block that is drawn again and again as it grows: items and cells are parsed once."""

    def __init__(self) -> None:
        self._before: dict[str, str] = {}
        self._now: dict[str, str] = {}

    def turn(self) -> None:
        """Begin to draw anew; what was not needed the last time is forgotten."""
        self._before, self._now = self._now, {}

    def html(self, text: str) -> str:
        """Return an inline text as HTML that is not yet cleaned."""
        shown = self._before.get(text)
        self._now[text] = shown = _inline_html(text) if shown is None else shown
        return shown


def block_html(block: Block, inlines: Inlines) -> str:
    """Return a block as safe HTML."""
    if not block.tokens:
        return _cleaned(f'<p class="plain">{html.escape(block.source)}</p>\n')
    for index, token in enumerate(block.tokens):
        if token.type == "inline":
            task = _TASK.match(token.content) if _begins_item(block.tokens, index) else None
            said = token.content[task.end() :] if task else token.content
            box = _BOXES[task[1] != " "] if task else ""
            token.children = [Token("html_inline", "", 0, content=box + inlines.html(said))]
    return _cleaned(_PARSER.renderer.render(block.tokens, _PARSER.options, {}))


def _begins_item(tokens: Sequence[Token], index: int) -> bool:
    """Return whether an inline text is the first of a list's item."""
    return index >= 2 and tokens[index - 1].type == "paragraph_open" and tokens[index - 2].type == "list_item_open"


def code_html(body: str, language: str) -> str:
    """Return a code block around a body that is safe HTML."""
    label = html.escape(language[:MAX_LANGUAGE_CHARS], quote=True)
    return f'<div class="code" data-language="{label}"><pre><code>{body}</code></pre></div>\n'


def language_of(info: str) -> str:
    """Return the language that a fence names, or an empty text."""
    words = info.split(maxsplit=1)
    return words[0] if words else ""


def _inline_html(text: str) -> str:
    """Return an inline text as HTML that is not yet cleaned."""
    children: list[Token] = []
    if len(text) > MAX_INLINE_CHARS:
        children.append(Token("text", "", 0, content=text))
    else:
        _PARSER.inline.parse(text, _PARSER, {}, children)
    tokens = [Token("inline", "", 0, children=list(linked(_PARSER, children)))]
    rules_core.text_join(StateCore("", _PARSER, {}, tokens))
    shown: str = _PARSER.renderer.render(tokens, _PARSER.options, {})
    return shown


def _cleaned(rendered: str) -> str:
    return _CLEANER.clean(calm(rendered))


def _markdown() -> MarkdownIt:
    parser = MarkdownIt(
        "commonmark", {"html": False, "linkify": False, "typographer": False, "maxNesting": MAX_NESTING}
    )
    parser.enable(["table", "strikethrough"])
    parser.disable(["reference", "html_block", "html_inline"])
    add_maths(parser)
    for name, rule in (("fence", _code), ("code_block", _code), ("image", _image), ("link_open", _link)):
        parser.add_render_rule(name, rule)
    parser.add_render_rule("table_open", lambda *_: '<div class="table"><table>\n')
    parser.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return parser


def _code(_renderer: RendererHTML, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: EnvType) -> str:
    token = tokens[index]
    language = language_of(token.info)
    return code_html(highlighted(token.content, language), language)


def _image(_renderer: RendererHTML, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: EnvType) -> str:
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
