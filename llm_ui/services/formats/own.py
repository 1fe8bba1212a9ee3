"""Our own chats, as `services/exports.py` writes them."""

from typing import Any

from llm_ui.kit.text import one_line
from llm_ui.models import MessageRole, MessageStatus
from llm_ui.services.exports import FORMAT, VERSION
from llm_ui.services.formats.base import (
    BadEntry,
    ImportedChat,
    ImportedMessage,
    Source,
    chat,
    identifier,
    instant,
    mapping,
    sequence,
    text,
)

STATUSES = {status.value: status for status in MessageStatus} | {"streaming": MessageStatus.INTERRUPTED}
ROLES = {role.value: role for role in MessageRole}


def knows(entry: dict[str, Any]) -> bool:
    """Return whether this is a chat of ours."""
    return entry.get("format") == FORMAT


def read(entry: dict[str, Any]) -> ImportedChat:
    """Return the chat. Raises `BadEntry`."""
    if entry.get("version") != VERSION:
        raise BadEntry("A newer version of LLM UI wrote it. Update this one first.")
    told = mapping(entry.get("chat"))
    messages = [_message(mapping(one)) for one in sequence(entry.get("messages"))]
    return chat(
        Source.LLM_UI,
        identifier(told.get("id")),
        told.get("title"),
        instant(told.get("created_at")),
        messages,
        identifier(told.get("active_leaf_id")),
        is_archived=told.get("is_archived") is True,
    )


def _message(told: dict[str, Any]) -> ImportedMessage:
    message_id, role = identifier(told.get("id")), ROLES.get(text(told.get("role")))
    if message_id is None or role is None:
        raise BadEntry("One of its messages has no id or no role.")
    wrote = text(mapping(told.get("run")).get("model")) or text(told.get("model"))
    return ImportedMessage(
        id=message_id,
        parent_id=identifier(told.get("parent_id")),
        role=role,
        text=text(told.get("text")),
        created_at=instant(told.get("created_at")),
        reasoning=text(told.get("reasoning")),
        model_name=one_line(wrote, 200),
        status=STATUSES.get(text(told.get("status")), MessageStatus.COMPLETE),
    )
