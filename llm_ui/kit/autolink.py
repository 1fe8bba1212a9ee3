"""Addresses in a text that become links by themselves (GitHub Flavored Markdown 0.29, section 6.9): of http and https.

Not linkify-it, which markdown-it would use: 20,000 characters of `http://[` took it 4.5 s.
"""

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

ADDRESS = re.compile(r"(?<![\w@:/.])https?://[\w.-]++(?::\d++)?(?![\w@:])(?:[/?#][^\s<]*+)?", re.I)
"""Without a name and password before the host: they are there to hide it. Each character is looked at once."""
TRAILING = "?!.,:;*_~'\"”’»"
"""What ends a sentence after an address more often than it ends an address."""


def linked(parser: MarkdownIt, tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield inline tokens, with links in the texts that are not in a link already."""
    depth = 0
    for token in tokens:
        depth += token.nesting if token.type in ("link_open", "link_close") else 0
        if depth or token.type != "text" or "://" not in token.content:
            yield token
        else:
            yield from _split(parser, token.content)


def _split(parser: MarkdownIt, text: str) -> Iterator[Token]:
    told = 0
    for found in ADDRESS.finditer(text):
        address = _whole(found[0])
        target = parser.normalizeLink(address)
        if not parser.validateLink(target):
            continue
        yield Token("text", "", 0, content=text[told : found.start()])
        yield Token("link_open", "a", 1, attrs={"href": target})
        yield Token("text", "", 0, content=address)
        yield Token("link_close", "a", -1)
        told = found.start() + len(address)
    yield Token("text", "", 0, content=text[told:])


def _whole(found: str) -> str:
    """Return an address without what is not of it: punctuation, and brackets that were opened before it."""
    end, unopened = len(found), found.count(")") - found.count("(")
    while end:
        if found[end - 1] == ")" and unopened > 0:
            unopened -= 1
        elif found[end - 1] not in TRAILING:
            break
        end -= 1
    return found[:end]
