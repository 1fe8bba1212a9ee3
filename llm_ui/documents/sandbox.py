"""Reads a file in a process of its own: whatever the file does to that process, this one goes on.

The process answers with lines of JSON (documents/parse/reading.py). Here they are read one after the other, and the
process is killed with all that it started when it takes too long, says too much, or nobody wants the rest.
"""

import asyncio
import json
import signal
from collections.abc import AsyncGenerator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from llm_ui.documents.nursery import Nursery
from llm_ui.documents.parse.source import Left, Limits
from llm_ui.errors import InvalidInput
from llm_ui.kit.i18n import to_tell
from llm_ui.kit.reading import Block, Page
from llm_ui.kit.text import storable
from llm_ui.observability.logging import get_logger

log = get_logger(__name__)

LIMITS = Limits()
NURSERY = Nursery(Path(__file__).parents[2])
"""Of the folder where the package lies, installed or not."""
READ_BYTES = 1 << 16
LINE_BYTES = 1 << 22
"""Of one page: its characters in UTF-8, and what marks its blocks."""
TOO_SLOW = to_tell("{name} takes too long to read. Split it, or save it anew, and add that.")
TOO_COSTLY = to_tell("{name} needs too much memory to be read. Split it and add the parts.")
BREAKS = to_tell("{name} breaks the program that reads it. Save it anew, or as PDF or text, and add that.")
REMARKS = {
    Left.INVISIBLE_CHARACTERS: to_tell("Characters that nobody sees were left out: {count}."),
    Left.HIDDEN_TEXT: to_tell("Pieces of hidden text were left out: {count}."),
    Left.SCRIPTS: to_tell("Scripts and comments were left out: {count}."),
    Left.ATTACHMENTS: to_tell("Attached files were not read: {count}."),
    Left.GUESSED_ENCODING: to_tell("It is not in UTF-8 and was read as Western Windows text."),
    Left.BARE_PAGES: to_tell("Pages that show pictures and have no text: {pages}."),
    Left.BROKEN_PAGES: to_tell("Pages that are damaged and could not be read: {pages}."),
    Left.RECOGNISED_PAGES: to_tell("Scanned pages, read as a program recognised their text: {pages}."),
}


@dataclass(frozen=True, slots=True)
class End:
    """What is known of a file once all of it was read."""

    media_type: str
    """As found in the bytes."""
    has_pages: bool
    """Whether these are pages of paper or slides that a person counts."""
    remark: str
    """What the person should know, one sentence a line; may be empty."""


async def read_file(
    path: Path, name: str, *, after_page: int = 0, limits: Limits = LIMITS
) -> AsyncGenerator[Page | End]:
    """Yield the pages of a file after one of them, and then the end.

    Raises `InvalidInput` with a sentence for its person when it cannot be read, also after some of the pages. The
    process ends with the generator: close it (`contextlib.aclosing`) where it may not be followed to the end.
    """
    child = await NURSERY.child()
    end: End | None = None
    answers: asyncio.StreamWriter | None = None
    try:
        said, answers = await asyncio.open_connection(sock=child.channel, limit=READ_BYTES)
        answers.write(json.dumps([str(path), storable(name), after_page, asdict(limits)]).encode() + b"\n")
        lines = _Lines(said, limits)
        while end is None:
            if (line := await lines.next()) is None:
                raise InvalidInput(_why(await child.end()), name=name)
            answer = _parsed(line)
            if "page" in answer:
                yield Page(int(answer["page"]), tuple(Block.of(each) for each in answer["blocks"]))
            elif "refused" in answer:
                log.info("file.refused", reason=answer.get("reason", ""))
                raise InvalidInput(str(answer["refused"]))
            else:
                end = End(str(answer["media_type"]), bool(answer["has_pages"]), _remark(answer))
    except TimeoutError:
        log.info("file.too_slow", page_s=limits.page_s, total_s=limits.total_s)
        raise InvalidInput(TOO_SLOW, name=name) from None
    except (KeyError, TypeError, ValueError) as error:
        # Whatever took that process over does not speak for it.
        log.warning("file.answer_broken", reason=type(error).__name__)
        raise InvalidInput(BREAKS, name=name) from None
    finally:
        try:
            await child.end()
        finally:
            (child.channel.close if answers is None else answers.transport.abort)()
    yield end


class _Lines:
    """The lines that a process says. Only the time of waiting for it counts."""

    def __init__(self, said: asyncio.StreamReader, limits: Limits) -> None:
        self._said = said
        self._limits = limits
        self._left_s = limits.total_s
        self._held = bytearray()

    async def next(self) -> bytes | None:
        """Return the next line; None at the end. Raises `TimeoutError`, and `ValueError` for one that is too long."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.timeout(min(self._limits.page_s, self._left_s)):
            line = await self._line()
        self._left_s -= loop.time() - began
        return line

    async def _line(self) -> bytes | None:
        at = 0
        while (end := self._held.find(b"\n", at)) < 0:
            at = len(self._held)
            if at > LINE_BYTES:
                raise ValueError("a line that is too long")
            try:
                piece = await self._said.read(READ_BYTES)
            except ConnectionError:
                # It ended before it had read what it was asked.
                piece = b""
            if not piece:
                return None
            self._held += piece
        line = bytes(self._held[:end])
        del self._held[: end + 1]
        return line


def _parsed(line: bytes) -> dict[str, Any]:
    answer = json.loads(line)
    if not isinstance(answer, dict):
        raise TypeError("no object")
    return answer


def _why(code: int | None) -> str:
    """Return what to say of a process that ended without a word."""
    log.warning("file.reader_died", exit_code=code)
    if code == -signal.SIGXCPU:
        return TOO_SLOW
    # The system's own killer goes for whoever takes the most memory.
    return TOO_COSTLY if code == -signal.SIGKILL else BREAKS


def _remark(answer: Mapping[str, Any]) -> str:
    said = [REMARKS[Left(what)].format(count=f"{int(count):,}") for what, count in answer["left"].items()]
    said += [REMARKS[Left(what)].format(pages=str(pages)) for what, pages in answer["pages"].items()]
    return "\n".join(said)
