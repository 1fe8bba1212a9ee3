"""Pictures of text, where the server has Tesseract to read them."""

import os
from collections.abc import Iterator

from llm_ui.documents.parse import ocr
from llm_ui.documents.parse.paging import pieces
from llm_ui.documents.parse.source import Source
from llm_ui.documents.parse.text import EMPTY_LINES, parts
from llm_ui.errors import InvalidInput
from llm_ui.kit.media import inspect
from llm_ui.kit.reading import Block, BlockKind, Page

TIFF = "image/tiff"


def read(source: Source) -> Iterator[Page]:
    """Yield what is written in the picture. Raises `InvalidInput` where nobody here can read it."""
    program = ocr.program()
    if program is None:
        raise InvalidInput(
            "{name} is a picture, and this server cannot read text in pictures. Add a PDF with text, or the text.",
            name=source.name,
        )
    if source.media_type != TIFF:
        # Told by its header whether it is too large to unpack.
        inspect(source.path.read_bytes(), source.name)
    text = ocr.recognised(program, os.fspath(source.path))
    if not text:
        raise InvalidInput(
            "{name} is a picture without text that can be read. Add a sharper one, or the text.", name=source.name
        )
    return pieces(Block(BlockKind.TEXT, part) for part in parts(text, EMPTY_LINES))
