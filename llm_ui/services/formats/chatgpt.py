"""ChatGPT's export: `conversations.json`, each conversation a `mapping` of nodes that make a tree.

What the model did behind the scenes (instructions, searches, tools) is left out; what it thought goes with its answer.
"""

import re
from dataclasses import replace
from typing import Any

from llm_ui.kit.text import one_line
from llm_ui.models import MessageRole, MessageStatus
from llm_ui.services.formats.base import (
    ImportedChat,
    ImportedMessage,
    ImportedProject,
    Place,
    Source,
    by_time,
    chat,
    identifier,
    instant,
    join_answers,
    mapping,
    project,
    sequence,
    text,
)

ROLES = {"user": MessageRole.USER, "assistant": MessageRole.ASSISTANT}
SHOWN = {"text", "multimodal_text", "code"}
"""Kinds of content that a person saw in the chat."""
MARKS = re.compile("\ue200[^\ue201]*\ue201|【\\d+[†:][^】]*】")
"""Citations of its own, which say nothing elsewhere."""
PROJECT = "g-p-"
"""Begins the id of a project."""
SHORT = 8
"""Characters of an id that tell projects apart until their person gives them a name."""


def knows(entry: dict[str, Any]) -> bool:
    """Return whether this is a conversation of ChatGPT."""
    return isinstance(entry.get("mapping"), dict)


def read(entry: dict[str, Any]) -> ImportedChat:
    """Return the chat. Raises `BadEntry`."""
    nodes = {str(key): mapping(node) for key, node in entry["mapping"].items()}
    kept: dict[str, ImportedMessage] = {}
    for key, node in nodes.items():
        message = _message(key, mapping(node.get("message")))
        if message is not None:
            kept[key] = message
    found = [_placed(message, nodes, kept) for message in kept.values()]
    current = identifier(entry.get("current_node"))
    leaf = current if current is None or current in kept else _above(current, nodes, kept)[0]
    messages, parts = join_answers(by_time(found))
    return chat(
        Source.CHATGPT,
        identifier(entry.get("conversation_id")) or identifier(entry.get("id")),
        entry.get("title"),
        instant(entry.get("create_time")),
        messages,
        parts.get(leaf or "", leaf),
        place=Place(
            is_archived=entry.get("is_archived") is True,
            is_pinned=entry.get("is_starred") is True or instant(entry.get("pinned_time")) is not None,
            project=_project(entry),
        ),
    )


def _project(entry: dict[str, Any]) -> ImportedProject | None:
    """Return the project of a chat. The export holds its id and not its name; a GPT's chat is in none."""
    told = text(entry.get("conversation_template_id")) or text(entry.get("gizmo_id"))
    if not told.startswith(PROJECT):
        return None
    return project(Source.CHATGPT, told, f"ChatGPT project {told.removeprefix(PROJECT)[:SHORT]}")


def _message(key: str, told: dict[str, Any]) -> ImportedMessage | None:
    """Return a node's message, None when no person saw it."""
    role = ROLES.get(text(mapping(told.get("author")).get("role")))
    about, content = mapping(told.get("metadata")), mapping(told.get("content"))
    is_for_all = told.get("recipient", "all") == "all"
    is_hidden = about.get("is_visually_hidden_from_conversation") is True
    kind = text(content.get("content_type"))
    words = _words(content) if kind in SHOWN else ""
    if role is None or is_hidden or not is_for_all or not words.strip():
        return None
    is_answer = role is MessageRole.ASSISTANT
    is_cut = is_answer and told.get("status") == "in_progress"
    return ImportedMessage(
        id=key,
        parent_id=None,
        role=role,
        text=words,
        created_at=instant(told.get("create_time")),
        model_name=one_line(text(about.get("model_slug")), 200) if is_answer else "",
        status=MessageStatus.INTERRUPTED if is_cut else MessageStatus.COMPLETE,
    )


def _words(content: dict[str, Any]) -> str:
    """Return what a content says; of pictures and sounds only that they were there."""
    parts = [content["text"]] if "text" in content else sequence(content.get("parts"))
    said = []
    for part in parts:
        if isinstance(part, dict):
            kind = text(part.get("content_type"))
            is_spoken = kind == "audio_transcription"
            said.append(text(part.get("text")) if is_spoken else "[image]" if "image" in kind else "")
        else:
            said.append(text(part))
    return MARKS.sub("", "\n\n".join(one for one in said if one.strip()))


def _placed(
    message: ImportedMessage, nodes: dict[str, dict[str, Any]], kept: dict[str, ImportedMessage]
) -> ImportedMessage:
    """Return the message after the one before it that is kept, with what was thought in between."""
    above, thoughts = _above(message.id, nodes, kept)
    reasoning = "\n\n".join(reversed(thoughts)) if message.role is MessageRole.ASSISTANT else ""
    return replace(message, parent_id=above, reasoning=reasoning)


def _above(
    key: str, nodes: dict[str, dict[str, Any]], kept: dict[str, ImportedMessage]
) -> tuple[str | None, list[str]]:
    """Return the nearest node above that is kept, and what the skipped ones in between thought, latest first."""
    thoughts: list[str] = []
    seen = {key}
    at = identifier(nodes.get(key, {}).get("parent"))
    while at is not None and at in nodes and at not in kept and at not in seen:
        seen.add(at)
        thoughts += _thoughts(mapping(mapping(nodes[at].get("message")).get("content")))
        at = identifier(nodes[at].get("parent"))
    return at if at in kept else None, thoughts


def _thoughts(content: dict[str, Any]) -> list[str]:
    said = [text(mapping(one).get("content")) for one in sequence(content.get("thoughts"))]
    return [one for one in reversed(said) if one.strip()]
