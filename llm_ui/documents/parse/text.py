"""Plain text and source code."""

import re
from collections.abc import Iterator

from llm_ui.documents.parse import CODE_PREFIX
from llm_ui.documents.parse.kind import BOMS, CONTROL_SHARE
from llm_ui.documents.parse.paging import pieces
from llm_ui.documents.parse.source import Left, Source
from llm_ui.errors import InvalidInput
from llm_ui.kit.reading import Block, BlockKind, Page

EMPTY_LINES = re.compile(r"\n[ \t]*\n\s*")
NEXT_PART = re.compile(r"\n[ \t]*\n(?=[^\s})\]])")
"""Where a top-level part of a program begins: behind an empty line, not indented."""
BYTES_PER_CHAR = 4
FOREIGN_SHARE = 0.3
"""Of bytes that are not ASCII: a text of a Western language has less, others are no guess of ours."""
SAMPLE_BYTES = 100_000


def read(source: Source) -> Iterator[Page]:
    """Yield the text: paragraphs, or the parts of a program."""
    text = decoded(source)
    if source.media_type.startswith(CODE_PREFIX):
        return pieces(Block(BlockKind.CODE, part) for part in parts(text, NEXT_PART))
    return pieces(Block(BlockKind.TEXT, part) for part in parts(text, EMPTY_LINES))


def decoded(source: Source) -> str:
    """Return the text of the file with lines that end in \\n. Raises `InvalidInput` when it is none."""
    if source.path.stat().st_size > source.limits.text_chars * BYTES_PER_CHAR:
        raise InvalidInput("{name} holds more text than can be read. Split it and add the parts.", name=source.name)
    text = text_of(source.path.read_bytes(), source)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def text_of(data: bytes, source: Source) -> str:
    """Return the text in the encoding that its mark names, in UTF-8, else in what Windows writes in the West.

    Raises `InvalidInput` when it is in another one, or no text.
    """
    encoding = next((encoding for mark, encoding in BOMS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = _guessed(data, encoding, source)
    if text.count("\x00") > CONTROL_SHARE * len(text):
        raise InvalidInput("{name} is only partly text. Save it as PDF or text and add that.", name=source.name)
    return text.removeprefix("\ufeff")


def _guessed(data: bytes, encoding: str, source: Source) -> str:
    if encoding not in ("utf-8", "utf-8-sig"):
        # It has the mark of UTF-16 or 32 and breaks its rules somewhere, most often by being cut off.
        return data.decode(encoding, "replace")
    sample = data[:SAMPLE_BYTES]
    if sum(byte > 0x7F for byte in sample) > FOREIGN_SHARE * len(sample):
        raise InvalidInput("{name} is text in an unknown encoding. Save it in UTF-8 and add that.", name=source.name)
    source.left[Left.GUESSED_ENCODING] += 1
    return data.decode("cp1252", "replace")


def parts(text: str, border: re.Pattern[str]) -> Iterator[str]:
    """Yield what is between the borders."""
    at = 0
    for found in border.finditer(text):
        yield text[at : found.start()]
        at = found.end()
    yield text[at:]
