"""Reading documents: one format a file, each in a process of its own (`reading`), which `__main__` makes.

A reader is a module with `read(source) -> Iterator[Page]`; it is imported when a file needs it. It raises
`InvalidInput` with a sentence, or whatever its library raises for what is damaged.
"""

import struct

MADE = b"+"
"""Said of a process that reads a file when it has begun."""
CODE = struct.Struct("!i")
"""Said of it when it has ended: its code, or minus the number of the signal that ended it."""
READERS = {
    "text/plain": "text",
    "text/markdown": "markdown",
    "text/csv": "table",
    "text/tab-separated-values": "table",
    "text/html": "web",
    "application/json": "data",
    "message/rfc822": "mail",
    "application/pdf": "pdf",
    "application/zip": "archive",
    "application/epub+zip": "epub",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    **dict.fromkeys(("image/png", "image/jpeg", "image/gif", "image/webp", "image/tiff"), "image"),
}
"""The module for each media type. Source code has types of its own: text/x-python and the like."""
CODE_PREFIX = "text/x-"
WITH_PAGES = frozenset({"application/pdf", "application/vnd.openxmlformats-officedocument.presentationml.presentation"})
"""Types whose pages a person counts."""


def reader(media_type: str) -> str:
    """Return the name of the module that reads a type."""
    return f"{__name__}.{READERS['text/plain' if media_type.startswith(CODE_PREFIX) else media_type]}"
