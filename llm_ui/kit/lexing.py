"""`python -m llm_ui.kit.lexing`: colours code for the process that started it, and for nobody else.

A process of its own, because a regular expression of a lexer that meets code it was not made for holds the
interpreter, and with it every page of the product. Here a timer ends it. Request: two lengths, language, code. Answer:
a length, HTML; a length of -1 says that the language is unknown, of -2 that it took too long.
"""

import signal
import struct
import sys
from functools import lru_cache
from typing import BinaryIO

from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

CPU_S = 0.3
"""For one piece of code, which has 40,000 characters at most: ordinary ones take 2 ms a thousand."""
REQUEST = struct.Struct(">II")
ANSWER = struct.Struct(">i")
UNKNOWN, TOO_SLOW = -1, -2

_FORMATTER = HtmlFormatter(nowrap=True, classprefix="h-")


class _TooSlow(Exception):
    """The time is over."""


def main() -> None:
    """Answer until there is nobody to answer."""
    signal.signal(signal.SIGVTALRM, _end)
    # From a terminal it reaches everybody; whoever started this one closes the pipe when it is time.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    said, out = sys.stdin.buffer, sys.stdout.buffer
    while head := said.read(REQUEST.size):
        language, code = (_read(said, size) for size in REQUEST.unpack(head))
        lexer = _lexer(language)
        out.write(ANSWER.pack(UNKNOWN) if lexer is None else _answer(lexer, code))
        out.flush()


def _answer(lexer: Lexer, code: str) -> bytes:
    try:
        coloured = _html(lexer, code).encode("utf-8")
    except _TooSlow:
        return ANSWER.pack(TOO_SLOW)
    return ANSWER.pack(len(coloured)) + coloured


def _html(lexer: Lexer, code: str) -> str:
    pieces: list[str] = []
    signal.setitimer(signal.ITIMER_VIRTUAL, CPU_S)
    try:
        _FORMATTER.format(lexer.get_tokens(code), _Writer(pieces))
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return "".join(pieces)


def _read(said: BinaryIO, size: int) -> str:
    return said.read(size).decode("utf-8")


def _end(_signal: int, _frame: object) -> None:
    raise _TooSlow


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer | None:
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


class _Writer:
    """The little of a file that a formatter needs."""

    def __init__(self, pieces: list[str]) -> None:
        self.write = pieces.append


if __name__ == "__main__":
    main()
