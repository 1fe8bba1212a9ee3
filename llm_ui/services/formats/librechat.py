"""LibreChat's export: one conversation, its messages in a list or as a tree of `children`."""

from typing import Any

from llm_ui.kit.text import one_line
from llm_ui.models import MessageRole, MessageStatus, Rating
from llm_ui.services.feedback import MAX_COMMENT_CHARS, Feedback
from llm_ui.services.formats.base import (
    ImportedChat,
    ImportedMessage,
    Place,
    Source,
    by_time,
    chat,
    identifier,
    instant,
    mapping,
    sequence,
    text,
    texts,
)

ROOT = "00000000-0000-0000-0000-000000000000"
"""What the first messages follow."""
RATINGS = {"thumbsUp": Rating.UP, "thumbsDown": Rating.DOWN}


def knows(entry: dict[str, Any]) -> bool:
    """Return whether this is a conversation of LibreChat."""
    return "conversationId" in entry and any(isinstance(entry.get(name), list) for name in ("messages", "messagesTree"))


def read(entry: dict[str, Any]) -> ImportedChat:
    """Return the chat. Raises `BadEntry`."""
    told = sequence(entry.get("messages")) or sequence(entry.get("messagesTree"))
    messages: list[ImportedMessage] = []
    waiting: list[tuple[Any, str | None]] = [(one, None) for one in reversed(told)]
    while waiting:
        one, above = waiting.pop()
        fields = mapping(one)
        message = _message(fields, above)
        if message is not None:
            messages.append(message)
        below = above if message is None else message.id
        waiting += [(child, below) for child in reversed(sequence(fields.get("children")))]
    return chat(
        Source.LIBRECHAT,
        identifier(entry.get("conversationId")),
        entry.get("title"),
        messages[0].created_at if messages else None,
        by_time(messages),
        None,
        place=Place(
            is_archived=entry.get("isArchived") is True,
            is_pinned=entry.get("pinned") is True,
            tags=texts(entry.get("tags")),
        ),
    )


def _message(told: dict[str, Any], above: str | None) -> ImportedMessage | None:
    """Return a message, None for what is none."""
    message_id = identifier(told.get("messageId"))
    if message_id is None:
        return None
    is_question = told.get("isCreatedByUser") is True or text(told.get("sender")).lower() == "user"
    said, reasoning = _said(told)
    parent_id = identifier(told.get("parentMessageId")) or above
    is_cut = told.get("unfinished") is True or told.get("error") is True
    return ImportedMessage(
        id=message_id,
        parent_id=None if parent_id == ROOT else parent_id,
        role=MessageRole.USER if is_question else MessageRole.ASSISTANT,
        text=said,
        created_at=instant(told.get("createdAt")),
        reasoning="" if is_question else reasoning,
        model_name="" if is_question else one_line(text(told.get("model")) or text(told.get("sender")), 200),
        status=MessageStatus.INTERRUPTED if is_cut and not is_question else MessageStatus.COMPLETE,
        feedback=None if is_question else _feedback(mapping(told.get("feedback"))),
    )


def _feedback(told: dict[str, Any]) -> Feedback | None:
    rating = RATINGS.get(text(told.get("rating")))
    return None if rating is None else Feedback(rating, None, text(told.get("text"))[:MAX_COMMENT_CHARS])


def _said(told: dict[str, Any]) -> tuple[str, str]:
    """Return what was said and what was thought."""
    said: list[str] = []
    thought: list[str] = []
    for part in map(mapping, sequence(told.get("content"))):
        kind = part.get("type")
        if kind == "text":
            said.append(_value(part.get("text")))
        elif kind == "think":
            thought.append(_value(part.get("think")))
        elif kind in ("image_file", "image_url"):
            said.append("[image]")
    words = text(told.get("text")) or "\n\n".join(one for one in said if one.strip())
    return words, "\n\n".join(one for one in thought if one.strip())


def _value(told: object) -> str:
    return text(mapping(told).get("value")) if isinstance(told, dict) else text(told)
