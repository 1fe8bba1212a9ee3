"""JSON files read one element at a time, so that memory does not grow with the file."""

import codecs
import json
from collections.abc import Callable, Iterator

from llm_ui.errors import InvalidInput, TooLarge

CHUNK_BYTES = 2**20
MAX_ELEMENT_CHARS = 48 * 2**20
"""Of one element: more than the longest chat."""
MAX_VALUES = 2_000_000
"""In one element: each takes some hundred bytes once it is read."""
TAIL_CHARS = 16
"""A mistake this close to the end of what was read so far may be none: the rest is still to come."""
SPACES = " \t\n\r"
DAMAGED = "The file breaks off or is damaged after entry {count}. What came before is taken over; export it again."


class _Text:
    """The file as text, of which only what is not used yet is held."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        # Some programs on Windows begin files with a byte order mark.
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self.buffer = ""
        self.at = 0
        self.is_ended = False

    def more(self) -> None:
        """Read on, at least as much as is held, so that a long element is not looked through too often."""
        wanted = max(CHUNK_BYTES, len(self.buffer) - self.at)
        content = self._read(wanted)
        self.is_ended = not content
        try:
            text = self._decoder.decode(content, final=self.is_ended)
        except UnicodeDecodeError:
            raise InvalidInput(
                "The file is not text in UTF-8. Choose the file that the other product exported."
            ) from None
        self.buffer = self.buffer[self.at :] + text
        self.at = 0

    def next_sign(self) -> str:
        """Return the next character that is no space, without taking it; empty at the end."""
        while True:
            while self.at < len(self.buffer) and self.buffer[self.at] in SPACES:
                self.at += 1
            if self.at < len(self.buffer):
                return self.buffer[self.at]
            if self.is_ended:
                return ""
            self.more()

    def element(self, decoder: json.JSONDecoder, count: int) -> object:
        """Return the element that begins here. Raises `InvalidInput` when it is none or too large."""
        while True:
            self._require_bounded(count)
            try:
                found, end = decoder.raw_decode(self.buffer, self.at)
            except RecursionError:
                raise InvalidInput(
                    "Entry {number} is nested too deeply. Export it as a list of messages, not as a tree.",
                    number=count + 1,
                ) from None
            except ValueError as error:
                if self.is_ended or not self._may_go_on(error):
                    raise InvalidInput(DAMAGED, count=count) from None
                self.more()
                continue
            # A number at the end may have more digits to come.
            is_number = isinstance(found, int | float)
            if is_number and end > len(self.buffer) - TAIL_CHARS and not self.is_ended:
                self.more()
                continue
            self.at = end
            return found

    def _may_go_on(self, error: ValueError) -> bool:
        if not isinstance(error, json.JSONDecodeError):
            return False
        return error.msg.startswith("Unterminated string") or error.pos >= len(self.buffer) - TAIL_CHARS

    def _require_bounded(self, count: int) -> None:
        length = len(self.buffer) - self.at
        is_large = length > 2 * CHUNK_BYTES
        if length > MAX_ELEMENT_CHARS or (is_large and self.buffer.count(",", self.at) > MAX_VALUES):
            raise TooLarge(
                "Entry {number} is larger than any chat can be. Take it out of the file and try again.",
                number=count + 1,
            )


def elements(read: Callable[[int], bytes]) -> Iterator[object]:
    """Yield the elements of the array that a file holds, or the one value that is none.

    `read` is a file's. Raises `InvalidInput` at the place where it is damaged; what came before was sound.
    """
    text = _Text(read)
    decoder = json.JSONDecoder(strict=False)
    first = text.next_sign()
    if first == "":
        raise InvalidInput("The file is empty. Choose the file that the other product exported.")
    if first != "[":
        if first != "{":
            raise InvalidInput("The file is neither JSON nor a zip archive. Choose the file that was exported.")
        yield text.element(decoder, 0)
        return
    text.at += 1
    count = 0
    sign = text.next_sign()
    while sign != "]":
        yield text.element(decoder, count)
        count += 1
        sign = text.next_sign()
        if sign not in (",", "]"):
            raise InvalidInput(DAMAGED, count=count)
        if sign == ",":
            text.at += 1
            text.next_sign()
