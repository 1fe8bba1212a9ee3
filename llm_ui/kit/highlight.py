"""Code with colours: spans of Pygments around escaped text, made by a process of its own (kit/lexing.py).

Waits for that process, up to seconds: not for an event loop.
"""

import atexit
import contextlib
import html
import os
import select
import subprocess
import sys
import threading
import time
from collections import OrderedDict

import nh3

from llm_ui.kit.lexing import ANSWER, REQUEST, TOO_SLOW

MAX_CHARS = 40_000
"""Longer code is shown without colours."""
START_S = 10.0
"""For the process to be there, on a machine that has much to do."""
ANSWER_S = 2.0
"""It ends by itself long before; one that does not is killed."""
WAIT_S = 2.0
"""For whoever comes while another one's code is coloured; beyond it there are no colours."""
REMEMBERED = 500
"""Pieces of code that took too long, and are not tried again."""

_CLEANER = nh3.Cleaner(tags={"span"}, attributes={"span": {"class"}})


def highlighted(code: str, language: str) -> str:
    """Return the code as safe HTML, coloured where the language is known and the code neither long nor hard to read."""
    return coloured(code, language) or html.escape(code)


def coloured(code: str, language: str) -> str | None:
    """Return the code as safe HTML with colours; None where it has to do without."""
    if not language or not code or len(code) > MAX_CHARS:
        return None
    painted = _PAINTER.paint(code, language)
    return None if painted is None else _CLEANER.clean(painted)


class _Painter:
    """The process that colours: started when it is first needed, asked by one thread at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._too_slow: OrderedDict[int, None] = OrderedDict()

    def paint(self, code: str, language: str) -> str | None:
        """Return HTML; None when the language is unknown, it took too long, or the process is busy or broken."""
        key = hash((language, code))
        if key in self._too_slow or not self._lock.acquire(timeout=WAIT_S):
            return None
        try:
            size, painted = self._ask(language.encode("utf-8", "replace"), code.encode("utf-8", "replace"))
            if size == TOO_SLOW:
                self._remember(key)
        except OSError:
            self.close()
            return None
        finally:
            self._lock.release()
        return painted.decode("utf-8") if size >= 0 else None

    def _remember(self, key: int) -> None:
        self._too_slow[key] = None
        if len(self._too_slow) > REMEMBERED:
            self._too_slow.popitem(last=False)

    def _ask(self, language: bytes, code: bytes) -> tuple[int, bytes]:
        """Return the answer. Raises `OSError` when there is none in time."""
        if self._process is not None and self._process.poll() is not None:
            self.close()
        limit_s = START_S if self._process is None else ANSWER_S
        process = self._process or self._start()
        if process.stdin is None or process.stdout is None:
            raise OSError
        process.stdin.write(REQUEST.pack(len(language), len(code)) + language + code)
        process.stdin.flush()
        deadline = time.monotonic() + limit_s
        (size,) = ANSWER.unpack(_read(process.stdout.fileno(), ANSWER.size, deadline))
        return size, _read(process.stdout.fileno(), max(0, size), deadline)

    def _start(self) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "llm_ui.kit.lexing"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        return self._process

    def close(self) -> None:
        """End the process; the next one who asks starts another."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        # What is still in the pipe has nobody to go to.
        with contextlib.suppress(BrokenPipeError):
            process.communicate()


def _read(descriptor: int, size: int, deadline: float) -> bytes:
    """Return so many bytes. Raises `OSError` when they do not come in time or the other end is closed."""
    pieces: list[bytes] = []
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while size:
        is_there = poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
        piece = os.read(descriptor, size) if is_there else b""
        if not piece:
            raise OSError
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


_PAINTER = _Painter()
atexit.register(_PAINTER.close)
