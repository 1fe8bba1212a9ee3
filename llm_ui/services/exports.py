"""A chat to take along: as Markdown, as one HTML file that needs nothing else, or as JSON with all its branches."""

import html
import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import defer

from llm_ui.db import ReadSession
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ChatId, MessageId, ProjectId
from llm_ui.kit.markdown import render
from llm_ui.kit.money import plain
from llm_ui.models import ChatHistory, ChatMessage, ChatSummary, MessageFeedback, MessageRole, Project, Rating, Run
from llm_ui.services.access import Actor, readable
from llm_ui.services.attachments import AttachmentInfo, attachments_of
from llm_ui.services.chats import chat_row
from llm_ui.services.steps import UsedTool, pieces, result, step_html, title, used_tools
from llm_ui.services.tags import tags_of

FORMAT = "llm-ui-chat"
VERSION = 1
MAX_NAME_CHARS = 60
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""Of the HTML file: it loads nothing and runs nothing, wherever it is opened."""
STYLE = """
body { max-width: 760px; margin: 40px auto; padding: 0 20px; font: 16px/1.6 system-ui, sans-serif; color: #1c1d21; }
h1 { font-size: 24px; } article { margin: 28px 0; } header, footer { color: #5d606b; font-size: 14px; }
article.user { padding: 4px 18px; border-radius: 14px; background: #edf1fb; }
article.user div { white-space: pre-wrap; } pre { padding: 12px; overflow-x: auto; background: #f5f6f8; }
details.step { margin: 8px 0; padding: 4px 12px; border-left: 3px solid #dfe0e5; color: #5d606b; }
pre { white-space: pre-wrap; }
table { border-collapse: collapse; } th, td { padding: 6px 12px; border: 1px solid #dfe0e5; text-align: left; }
@media print { body { max-width: none; margin: 0; padding: 0; font-size: 11pt; } pre { white-space: pre-wrap; }
article.user, pre { border: 1px solid #dfe0e5; } header, h1, h2, h3 { break-after: avoid; }
tr { break-inside: avoid; } }
@media screen and (prefers-color-scheme: dark) { body { background: #17181c; color: #ececf0; }
pre { background: #1f2127; } article.user { background: #272d42; } header { color: #a4a7b3; } a { color: #9db2ff; }
th, td { border-color: #4a4d58; } }
"""


class ExportKind(StrEnum):
    """How a chat can be taken along."""

    MARKDOWN = "md"
    HTML = "html"
    JSON = "json"


MIME_TYPES = {
    ExportKind.MARKDOWN: "text/markdown; charset=utf-8",
    ExportKind.HTML: "text/html; charset=utf-8",
    ExportKind.JSON: "application/json",
}


@dataclass(frozen=True, slots=True)
class WholeChat:
    """A chat with all its messages, and the run of each answer that a model wrote."""

    id: ChatId
    title: str
    created_at: datetime
    last_message_at: datetime
    is_archived: bool
    is_pinned: bool
    active_leaf_id: MessageId | None
    messages: tuple[ChatMessage, ...]
    """All that are not deleted, in the order they were stored."""
    parents: dict[MessageId, MessageId | None]
    """What each of them follows; what followed a deleted message follows the one before that."""
    runs: dict[MessageId, Run]
    files: dict[MessageId, tuple[AttachmentInfo, ...]]
    project: Project | None
    tags: tuple[str, ...]
    feedback: dict[MessageId, MessageFeedback]
    """What the owner thinks of answers, of those that were rated."""
    summaries: tuple[ChatSummary, ...]
    temperature: float | None
    max_tokens: int | None

    def branch(self) -> list[ChatMessage]:
        """Return the messages of the branch that is shown, oldest first; notes are left out."""
        by_id = {message.id: message for message in self.messages}
        found: list[ChatMessage] = []
        at = self.active_leaf_id
        while at is not None:
            if by_id[at].role is not MessageRole.NOTE:
                found.append(by_id[at])
            at = self.parents[at]
        return found[::-1]


async def read_whole_chat(session: ReadSession, actor: Actor, chat_id: ChatId) -> WholeChat:
    """Return a chat of the actor. Raises `NotFound`, for somebody else's too."""
    row = await chat_row(session, actor, chat_id)
    return (await _whole(session, actor, [row]))[0]


async def read_whole_chats(session: ReadSession, actor: Actor, chat_ids: Sequence[ChatId]) -> tuple[WholeChat, ...]:
    """Return those of the chats that are there and the actor's, in that order."""
    rows = {
        row.id: row for row in await session.scalars(readable(ChatHistory, actor).where(ChatHistory.id.in_(chat_ids)))
    }
    return await _whole(session, actor, [rows[chat_id] for chat_id in chat_ids if chat_id in rows])


@dataclass(frozen=True, slots=True)
class _Parts:
    """What belongs to some chats."""

    messages: dict[ChatId, list[ChatMessage]]
    runs: dict[ChatId, dict[MessageId, Run]]
    above: dict[MessageId, MessageId | None]
    """What each deleted message followed."""
    files: dict[MessageId, tuple[AttachmentInfo, ...]]
    projects: dict[ProjectId, Project]
    tags: dict[ChatId, tuple[str, ...]]
    feedback: dict[MessageId, MessageFeedback]
    summaries: dict[ChatId, list[ChatSummary]]


async def _whole(session: ReadSession, actor: Actor, rows: Sequence[ChatHistory]) -> tuple[WholeChat, ...]:
    chat_ids = [row.id for row in rows]
    messages: dict[ChatId, list[ChatMessage]] = defaultdict(list)
    all_messages = readable(ChatMessage, actor).where(ChatMessage.chat_id.in_(chat_ids))
    for message in await session.scalars(all_messages.order_by(ChatMessage.position)):
        messages[message.chat_id].append(message)
    runs: dict[ChatId, dict[MessageId, Run]] = defaultdict(dict)
    # Without what each model was sent: that is as long as the chat, for every answer.
    all_runs = readable(Run, actor).where(Run.chat_id.in_(chat_ids)).options(defer(Run.manifest))
    for run in await session.scalars(all_runs.order_by(Run.created_at)):
        runs[run.chat_id][run.answer_id] = run
    # rights: the chats were read through readable(); of deleted messages only where they stood
    gone = select(ChatMessage.id, ChatMessage.parent_id).where(
        ChatMessage.chat_id.in_(chat_ids), ChatMessage.deleted_at.is_not(None)
    )
    parts = _Parts(
        messages=messages,
        runs=runs,
        above={row.id: row.parent_id for row in await session.execute(gone)},
        files=await attachments_of(session, [one.id for each in messages.values() for one in each]),
        projects={row.id: row for row in await session.scalars(readable(Project, actor))},
        tags=await tags_of(session, actor, chat_ids),
        feedback=await _feedback(session, actor, chat_ids),
        summaries=await _summaries(session, actor, chat_ids),
    )
    return tuple(_joined(row, parts) for row in rows)


async def _feedback(session: ReadSession, actor: Actor, chat_ids: Sequence[ChatId]) -> dict[MessageId, MessageFeedback]:
    answers = readable(ChatMessage, actor).where(ChatMessage.chat_id.in_(chat_ids)).with_only_columns(ChatMessage.id)
    rated = readable(MessageFeedback, actor).where(MessageFeedback.message_id.in_(answers))
    return {row.message_id: row for row in await session.scalars(rated)}


async def _summaries(session: ReadSession, actor: Actor, chat_ids: Sequence[ChatId]) -> dict[ChatId, list[ChatSummary]]:
    found: dict[ChatId, list[ChatSummary]] = defaultdict(list)
    written = readable(ChatSummary, actor).where(ChatSummary.chat_id.in_(chat_ids))
    for row in await session.scalars(written.order_by(ChatSummary.created_at, ChatSummary.id)):
        found[row.chat_id].append(row)
    return found


def _joined(row: ChatHistory, parts: _Parts) -> WholeChat:
    def kept(message_id: MessageId | None) -> MessageId | None:
        while message_id in parts.above:
            message_id = parts.above[message_id]
        return message_id

    messages = parts.messages[row.id]
    parents = {message.id: kept(message.parent_id) for message in messages}
    return WholeChat(
        id=row.id,
        title=row.title or "New chat",
        created_at=row.created_at,
        last_message_at=row.last_message_at,
        is_archived=row.archived_at is not None,
        is_pinned=row.pinned_at is not None,
        active_leaf_id=kept(row.active_leaf_id),
        messages=tuple(messages),
        parents=parents,
        runs=parts.runs[row.id],
        files={each: parts.files[each] for each in parents if each in parts.files},
        project=None if row.project_id is None else parts.projects.get(row.project_id),
        tags=parts.tags.get(row.id, ()),
        feedback={each: parts.feedback[each] for each in parents if each in parts.feedback},
        summaries=tuple(one for one in parts.summaries[row.id] if one.upto_id in parents),
        temperature=row.temperature,
        max_tokens=row.max_tokens,
    )


def file_name(title: str, ending: str) -> str:
    """Return a name that every file system takes."""
    words = re.sub(r"[^\w\- ]+", " ", title)[:MAX_NAME_CHARS]
    return f"{' '.join(words.split()) or 'chat'}.{ending}"


def exported(chat: WholeChat, kind: ExportKind) -> str:
    """Return the chat as a file of that kind. Takes its time: not for an event loop."""
    match kind:
        case ExportKind.MARKDOWN:
            return _markdown(chat)
        case ExportKind.HTML:
            return _html(chat)
        case ExportKind.JSON:
            return json.dumps(_json(chat), ensure_ascii=False, indent=2)


def _markdown(chat: WholeChat) -> str:
    parts = [f"# {chat.title}"]
    for message in chat.branch():
        listed = "".join(f"- Attached: {_listed(file)}\n" for file in chat.files.get(message.id, ()))
        head = f"## {speaker(chat, message)} · {_when(message)}\n\n"
        said = "\n\n".join(_written(piece) for piece in pieces(message.text, used_tools(message.steps)))
        parts.append(f"{head}{listed}\n{said}" if listed else f"{head}{said}")
        if message.citations:
            parts.append("\n".join(["Sources:", "", *(f"- {one}" for one in _sources(message))]))
    return "\n\n".join(parts) + "\n"


def _html(chat: WholeChat) -> str:
    title = html.escape(chat.title)
    articles = "\n".join(_article(chat, message) for message in chat.branch())
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title><style>{STYLE}</style></head>\n'
        f"<body><h1>{title}</h1>\n{articles}\n</body></html>\n"
    )


def _article(chat: WholeChat, message: ChatMessage) -> str:
    is_answer = message.role is MessageRole.ASSISTANT
    drawn = map(_drawn, pieces(message.text, used_tools(message.steps)))
    body = "".join(drawn) if is_answer else f"<div>{html.escape(message.text)}</div>"
    head = f"{html.escape(speaker(chat, message))} · {_when(message)}"
    listed = ", ".join(_listed(file) for file in chat.files.get(message.id, ()))
    head += f" · Attached: {html.escape(listed)}" if listed else ""
    sources = "".join(f"<li>{html.escape(one)}</li>" for one in _sources(message))
    body += f"<footer>Sources:<ul>{sources}</ul></footer>" if sources else ""
    return f'<article class="{message.role.value}"><header>{head}</header>\n{body}</article>'


def _written(piece: str | UsedTool) -> str:
    """Return text as it is, and a step as a line with what came of it."""
    if isinstance(piece, str):
        return piece.strip("\n")
    quoted = "\n".join(f"> {line}" for line in result(piece, str).splitlines())
    return f"> *{title(piece, str)}*\n>\n{quoted}"


def _drawn(piece: str | UsedTool) -> str:
    return render(piece) if isinstance(piece, str) else step_html(piece, str)


def _sources(message: ChatMessage) -> list[str]:
    """Return what an answer cites, each with its number."""
    return [f"[{one['number']}] {one['name']}{_pages(one['page'], one['page_to'])}" for one in message.citations or ()]


def _pages(first: int | None, last: int | None) -> str:
    if first is None:
        return ""
    return f", page {first}" if first == last else f", pages {first}–{last}"


def _json(chat: WholeChat) -> dict[str, object]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "exported_at": now().isoformat(),
        "chat": {
            "id": str(chat.id),
            "title": chat.title,
            "created_at": chat.created_at.isoformat(),
            "last_message_at": chat.last_message_at.isoformat(),
            "is_archived": chat.is_archived,
            "is_pinned": chat.is_pinned,
            "project": None if chat.project is None else {"id": str(chat.project.id), "name": chat.project.name},
            "tags": list(chat.tags),
            "temperature": chat.temperature,
            "max_tokens": chat.max_tokens,
            "active_leaf_id": _told(chat.active_leaf_id),
        },
        "messages": [_json_message(chat, message) for message in chat.messages],
        "summaries": [_json_summary(summary) for summary in chat.summaries],
    }


def _told(message_id: MessageId | None) -> str | None:
    return None if message_id is None else str(message_id)


def _json_message(chat: WholeChat, message: ChatMessage) -> dict[str, Any]:
    run = chat.runs.get(message.id)
    told: dict[str, Any] = {
        "id": str(message.id),
        "parent_id": _told(chat.parents[message.id]),
        "role": message.role.value,
        "status": message.status.value,
        "origin": message.origin.value,
        "created_at": message.created_at.isoformat(),
        "text": message.text,
    }
    files = chat.files.get(message.id, ())
    if files:
        told["attachments"] = [
            {"name": file.name, "media_type": file.media_type, "size_bytes": file.size_bytes, "sha256": file.sha256}
            for file in files
        ]
    if message.citations is not None:
        told["sources"] = message.citations
    if message.steps:
        told["steps"] = message.steps
    if message.reasoning:
        told["reasoning"] = message.reasoning
    if message.model_name:
        told["model"] = message.model_name
    if message.id in chat.feedback:
        told["feedback"] = _json_feedback(chat.feedback[message.id])
    return told if run is None else {**told, "run": _json_run(run)}


def _json_feedback(row: MessageFeedback) -> dict[str, object]:
    reason = None if row.reason is None else row.reason.value
    return {"rating": Rating(row.rating).name.lower(), "reason": reason, "comment": row.comment}


def _json_summary(row: ChatSummary) -> dict[str, object]:
    return {"upto_id": str(row.upto_id), "text": row.text, "model": row.model_name, "is_edited": row.is_edited}


def _json_run(run: Run) -> dict[str, object]:
    return {
        **({"agent": run.agent_name} if run.agent_name else {}),
        "model": run.model_name,
        "provider": run.provider_name,
        "finish_reason": run.finish_reason,
        "input_tokens": run.input_tokens,
        "output_tokens": run.output_tokens,
        "cost_usd": None if run.cost_usd is None else plain(run.cost_usd),
        "ttft_ms": run.ttft_ms,
        "total_ms": run.total_ms,
    }


def _listed(file: AttachmentInfo) -> str:
    return f"{file.name} ({file.size_bytes:,} bytes)"


def speaker(chat: WholeChat, message: ChatMessage) -> str:
    """Return who said a message."""
    if message.role is MessageRole.USER:
        return "You"
    run = chat.runs.get(message.id)
    model = (message.model_name if run is None else run.model_name) or "Assistant"
    return f"{run.agent_name} ({model})" if run is not None and run.agent_name else model


def _when(message: ChatMessage) -> str:
    return f"{message.created_at:%d %b %Y, %H:%M} UTC"
