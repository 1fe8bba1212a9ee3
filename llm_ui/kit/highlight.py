"""Code with colours: spans of Pygments around escaped text."""

import html
import time
from collections.abc import Iterable, Iterator
from functools import lru_cache

import nh3
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import _TokenType
from pygments.util import ClassNotFound

MAX_CHARS = 40_000
"""Longer code is shown without colours."""
DEADLINE_S = 0.5
"""A lexer that takes longer has met code it was not made for; ordinary code takes 2 ms a thousand characters."""

_FORMATTER = HtmlFormatter(nowrap=True, classprefix="h-")


class _TooSlow(Exception):
    """The deadline has passed."""


def highlighted(code: str, language: str) -> str:
    """Return the code as safe HTML, coloured where the language is known and the code neither long nor hard to read."""
    lexer = _lexer(language) if language and len(code) <= MAX_CHARS else None
    if lexer is None:
        return html.escape(code)
    pieces: list[str] = []
    try:
        # `format` asks for tokens one by one, so the deadline is looked at after each.
        _FORMATTER.format(_in_time(lexer.get_tokens(code)), _Writer(pieces))
    except _TooSlow:
        return html.escape(code)
    return nh3.clean("".join(pieces), tags={"span"}, attributes={"span": {"class"}})


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer | None:
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


def _in_time(tokens: Iterable[tuple[_TokenType, str]]) -> Iterator[tuple[_TokenType, str]]:
    deadline = time.monotonic() + DEADLINE_S
    for token in tokens:
        if time.monotonic() > deadline:
            raise _TooSlow
        yield token


class _Writer:
    """The little of a file that a formatter needs."""

    def __init__(self, pieces: list[str]) -> None:
        self.write = pieces.append
