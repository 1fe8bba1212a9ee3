"""Which format an entry is in, told by what it holds."""

from collections.abc import Callable
from typing import Any

from llm_ui.services.formats import chatgpt, librechat, open_webui, own
from llm_ui.services.formats.base import BadEntry, ImportedChat

Format = tuple[Callable[[dict[str, Any]], bool], Callable[[dict[str, Any]], ImportedChat]]

FORMATS: tuple[Format, ...] = (
    (own.knows, own.read),
    (chatgpt.knows, chatgpt.read),
    (librechat.knows, librechat.read),
    (open_webui.knows, open_webui.read),
)
"""Whether an entry is in a format, and how it is read then."""
UNKNOWN = "It is no chat of LLM UI, ChatGPT, Open WebUI or LibreChat."


def is_chat(entry: object) -> bool:
    """Return whether any format knows this as a chat."""
    return isinstance(entry, dict) and any(knows(entry) for knows, _ in FORMATS)


def read_chat(entry: object) -> ImportedChat:
    """Return the chat that an entry of a file holds. Raises `BadEntry`."""
    fields: dict[str, Any] = entry if isinstance(entry, dict) else {}
    for knows, read in FORMATS:
        if knows(fields):
            return read(fields)
    raise BadEntry(UNKNOWN)
