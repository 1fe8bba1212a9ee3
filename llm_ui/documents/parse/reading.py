"""What a process does that reads one file: `parse/__main__.py` makes one for each, and calls `main` in it.

It answers with lines of JSON: one for each page, then one that ends it or refuses the file. It may write nothing, start
nothing (but the program that reads pictures) and connect to nothing, and it lives within limits that it sets itself
before it opens the file.
"""

import contextlib
import gc
import importlib
import json
import os
import resource
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from llm_ui.documents.parse import WITH_PAGES, kind, reader
from llm_ui.documents.parse.cleaning import clean
from llm_ui.documents.parse.source import Limits, Source, ranges
from llm_ui.errors import InvalidInput
from llm_ui.kit.reading import Block, Page

USUAL = (
    "application/pdf",
    "text/plain",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
)
OPEN_FILES = 64
LOOK_S = 1.0
"""Between two looks whether anybody is there."""
DENIED = ("socket.", "subprocess.", "os.exec", "os.fork", "os.kill", "os.posix_spawn", "os.spawn", "os.system", "pty.")
"""Audit events of what no reader does (Python's audit events table)."""
STARTING, ALLOWED = "subprocess.Popen", "/tesseract"
"""The one program that may be started."""
DAMAGED = "{name} is damaged or not what it says it is. Open it in its application, save it anew and add that."
TOO_COSTLY = "{name} needs too much memory to be read. Split it and add the parts."


def prepare() -> None:
    """Import the readers of what most files are. The others take some milliseconds."""
    for media_type in USUAL:
        importlib.import_module(reader(media_type))


def main(channel: int, parent: int) -> None:
    """Read the file that the first line of a channel tells of, and answer there. `parent` is the process's maker."""
    with os.fdopen(os.dup(channel), "rb", 0) as asked:
        path, name, after_page, limits = json.loads(asked.readline())
    answers = os.fdopen(channel, "wb")
    source = Source(Path(path), name, "", Limits(**limits), after_page)
    confine(source.limits)
    _end_with(parent)
    # Nearly nothing here goes in circles, and a file is read once.
    gc.disable()
    # Nobody wants the rest where the channel is closed.
    with contextlib.suppress(BrokenPipeError):
        _answer(answers, source)


def confine(limits: Limits) -> None:
    """Set what this process may use, for good."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    memory = limits.memory_mb << 20
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_AS, memory),
    ):
        # Not every system knows each of them, and a service manager may have set a lower one.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))
    sys.addaudithook(_deny)


def _end_with(parent: int) -> None:
    """End when the process that wants the answers is gone, which writing would tell only with the next page."""

    def look(_signal: int, _frame: object) -> None:
        if os.getppid() != parent:
            os._exit(0)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, LOOK_S, LOOK_S)


def _deny(event: str, values: tuple[object, ...]) -> None:
    if event.startswith(DENIED) and not (event == STARTING and str(values[0]).endswith(ALLOWED)):
        raise PermissionError(event)


def _answer(answers: BinaryIO, source: Source) -> None:
    try:
        source.media_type = kind.find(source.path, source.name)
        for page in _pages(source):
            _say(answers, {"page": page.number, "blocks": [block.stored() for block in page.blocks]})
    except InvalidInput as error:
        _say(answers, {"refused": error.message})
    except MemoryError:
        _say(answers, {"refused": InvalidInput(TOO_COSTLY, name=source.name).message})
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - a task's root: libraries raise anything for a file that is damaged
        _say(answers, {"refused": InvalidInput(DAMAGED, name=source.name).message, "reason": type(error).__name__})
    else:
        end = {"media_type": source.media_type, "has_pages": source.media_type in WITH_PAGES}
        pages = {what: ranges(numbers) for what, numbers in source.pages.items()}
        _say(answers, {**end, "left": source.left, "pages": pages})


def _pages(source: Source) -> Iterator[Page]:
    """Yield the pages that are asked for, cleaned and within the limits. Raises `InvalidInput` beyond them."""
    limits, chars, is_bare = source.limits, 0, True
    module = importlib.import_module(reader(source.media_type))
    for page in module.read(source):
        if page.number > limits.pages:
            raise InvalidInput(
                "{name} has more than {most} pages. Split it and add the parts.", name=source.name, most=limits.pages
            )
        blocks = tuple(_cleaned(page.blocks, source))
        size = sum(len(block.text) for block in blocks)
        chars += size
        if size > limits.page_chars or chars > limits.text_chars:
            raise InvalidInput("{name} holds more text than can be read. Split it and add the parts.", name=source.name)
        is_bare = is_bare and not blocks
        if page.number > source.after_page:
            yield Page(page.number, blocks)
    if is_bare and not source.after_page:
        raise InvalidInput("{name} holds no text. Pick another file.", name=source.name)


def _cleaned(blocks: tuple[Block, ...], source: Source) -> Iterator[Block]:
    for block in blocks:
        text = clean(block.text, source.left).strip("\n") if block.text else ""
        if text.strip():
            yield Block(block.kind, text, block.level)


def _say(answers: BinaryIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
    answers.flush()
