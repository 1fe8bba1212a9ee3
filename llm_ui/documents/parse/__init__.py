"""Reading documents: one format a file, each in a process of its own (`__main__`, started by `documents.sandbox`).

A reader is a module with `read(source) -> Iterator[Page]`; it is imported when a file needs it. It raises
`InvalidInput` with a sentence, or whatever its library raises for what is damaged.
"""

READERS = {
    "text/plain": "text",
    "text/markdown": "markdown",
    "text/csv": "table",
    "text/tab-separated-values": "table",
    "application/pdf": "pdf",
}
"""The module for each media type. Source code has types of its own: text/x-python and the like."""
CODE_PREFIX = "text/x-"
WITH_PAGES = frozenset({"application/pdf", "application/vnd.openxmlformats-officedocument.presentationml.presentation"})
"""Types whose pages a person counts."""


def reader(media_type: str) -> str:
    """Return the name of the module that reads a type."""
    return f"{__name__}.{READERS['text/plain' if media_type.startswith(CODE_PREFIX) else media_type]}"
