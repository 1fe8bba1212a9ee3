"""Open WebUI's export: a list of chats, each a tree of messages by id under `history`; older ones a plain list."""

import re
from dataclasses import replace
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
    project,
    sequence,
    text,
    texts,
)

ROLES = {"user": MessageRole.USER, "assistant": MessageRole.ASSISTANT}
DETAILS = re.compile(r'<details type="(reasoning|tool_calls|code_interpreter)".*?</details>\s*', re.DOTALL)
"""What a model thought or did stands in its answer, as HTML."""
QUOTE = re.compile(r"^(&gt;|>) ?", re.MULTILINE)
SHORT = 8
"""Characters of an id that tell folders apart until their person gives them a name."""
TAGS = re.compile(r"</?(?:details|summary)[^>]*>|<summary>.*?</summary>")


def knows(entry: dict[str, Any]) -> bool:
    """Return whether this is a chat of Open WebUI, with or without what its list says about it."""
    inner = entry.get("chat", entry)
    return isinstance(inner, dict) and (
        isinstance(mapping(inner.get("history")).get("messages"), dict)
        or ("chat" in entry and isinstance(inner.get("messages"), list))
        or ("models" in inner and isinstance(inner.get("messages"), list))
    )


def read(entry: dict[str, Any]) -> ImportedChat:
    """Return the chat. Raises `BadEntry`."""
    inner = mapping(entry.get("chat", entry))
    history = mapping(inner.get("history"))
    tree = mapping(history.get("messages"))
    messages = _of_tree(tree) if tree else _of_list(sequence(inner.get("messages")))
    created_at = instant(entry.get("created_at")) or instant(inner.get("timestamp"))
    last = messages[-1].id if messages else None
    return chat(
        Source.OPEN_WEBUI,
        identifier(entry.get("id")) or identifier(inner.get("id")) or _made_id(inner, messages),
        entry.get("title") or inner.get("title"),
        created_at,
        by_time(messages),
        identifier(history.get("currentId")) if tree else last,
        place=_place(entry, inner),
    )


def _place(entry: dict[str, Any], inner: dict[str, Any]) -> Place:
    """Return where a chat lay. Of its folder the export holds the id and not the name; tags have _ for spaces."""
    folder = text(entry.get("folder_id"))
    tags = texts(mapping(entry.get("meta")).get("tags")) or texts(inner.get("tags"))
    return Place(
        is_archived=entry.get("archived") is True,
        is_pinned=entry.get("pinned") is True,
        tags=tuple(tag.replace("_", " ") for tag in tags),
        project=project(Source.OPEN_WEBUI, folder, f"Open WebUI folder {folder[:SHORT]}"),
    )


def _of_tree(tree: dict[str, Any]) -> list[ImportedMessage]:
    parents = {key: identifier(mapping(told).get("parentId")) for key, told in tree.items()}
    found = [_message(key, parents[key], mapping(told)) for key, told in tree.items()]
    kept = {message.id for message in found if message is not None}
    return [_below(message, parents, kept) for message in found if message is not None]


def _below(message: ImportedMessage, parents: dict[str, str | None], kept: set[str]) -> ImportedMessage:
    """Return the message after the nearest one above that is kept."""
    seen: set[str] = set()
    at = message.parent_id
    while at is not None and at in parents and at not in kept and at not in seen:
        seen.add(at)
        at = parents[at]
    return replace(message, parent_id=at)


def _of_list(told: list[Any]) -> list[ImportedMessage]:
    found: list[ImportedMessage] = []
    for number, one in enumerate(told):
        fields = mapping(one)
        before = found[-1].id if found else None
        message = _message(identifier(fields.get("id")) or str(number), before, fields)
        if message is not None:
            found.append(message)
    return found


def _message(key: str, parent_id: str | None, told: dict[str, Any]) -> ImportedMessage | None:
    """Return a message; None for instructions and for what is no message."""
    role = ROLES.get(text(told.get("role")))
    if role is None or identifier(key) is None:
        return None
    said, reasoning = _said(told.get("content"))
    is_answer = role is MessageRole.ASSISTANT
    is_cut = is_answer and told.get("done") is False
    return ImportedMessage(
        id=key,
        parent_id=parent_id,
        role=role,
        text=said,
        created_at=instant(told.get("timestamp")),
        reasoning=reasoning if is_answer else "",
        model_name=one_line(text(told.get("modelName")) or text(told.get("model")), 200) if is_answer else "",
        status=MessageStatus.INTERRUPTED if is_cut else MessageStatus.COMPLETE,
        feedback=_feedback(mapping(told.get("annotation"))) if is_answer else None,
    )


def _feedback(told: dict[str, Any]) -> Feedback | None:
    rating = told.get("rating")
    if rating not in (Rating.UP, Rating.DOWN) or isinstance(rating, bool):
        return None
    return Feedback(Rating(rating), None, text(told.get("comment"))[:MAX_COMMENT_CHARS])


def _said(content: object) -> tuple[str, str]:
    """Return what was said and what was thought."""
    if isinstance(content, list):
        parts = [mapping(part) for part in content]
        words = "\n\n".join(text(part.get("text")) or "[image]" * (part.get("type") == "image_url") for part in parts)
    else:
        words = text(content)
    if "<details" not in words:
        return words, ""
    thought = [found.group(0) for found in DETAILS.finditer(words) if found.group(1) == "reasoning"]
    reasoning = "\n\n".join(QUOTE.sub("", TAGS.sub("", one)).strip() for one in thought)
    return DETAILS.sub("", words), reasoning


def _made_id(inner: dict[str, Any], messages: list[ImportedMessage]) -> str | None:
    """Return an id for a chat that was exported without one: its first message tells it from others."""
    first = messages[0] if messages else None
    return None if first is None else f"{first.id[:60]} {one_line(text(inner.get('title')), 100)}".strip()
