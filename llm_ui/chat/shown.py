"""Messages and chats as the page is told of them."""

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

from llm_ui.chat import figures
from llm_ui.contract import StartEvent
from llm_ui.kit.block import calm
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import told
from llm_ui.kit.ids import ChatId
from llm_ui.kit.markdown import is_quick
from llm_ui.models import MessageOrigin, MessageRole, MessageStatus, RunStatus
from llm_ui.services.attachments import AttachmentInfo
from llm_ui.services.chats import ChatSummary
from llm_ui.services.follow_ups import questions_of
from llm_ui.services.messages import MessageView
from llm_ui.services.steps import answer_blocks, used_tools
from llm_ui.ui.names import shown_name

Shown = dict[str, object]
BAD_ENDS = (MessageStatus.FAILED, MessageStatus.INTERRUPTED)


async def shown_messages(messages: Sequence[MessageView]) -> list[Shown]:
    """Return messages with their answers rendered, off the event loop unless they are short."""
    if is_quick("\n".join(message.text for message in messages)):
        return _all(messages)
    return await asyncio.to_thread(_all, messages)


def shown_chats(chats: Sequence[ChatSummary], tags: Mapping[ChatId, Sequence[str]]) -> list[Shown]:
    """Return chats for the list; the page groups them by date in the person's own time zone."""
    return [
        {
            "id": str(chat.id),
            "title": chat.title,
            "at": int(chat.last_message_at.timestamp() * 1000),
            "is_answering": chat.is_answering,
            "is_pinned": chat.is_pinned,
            "project": None if chat.project_id is None else str(chat.project_id),
            "tags": list(tags.get(chat.id, ())),
        }
        for chat in chats
    ]


def shown_files(files: Sequence[AttachmentInfo]) -> list[Shown]:
    """Return attached files; width and height of an image keep its place until it is there."""
    return [
        {
            "id": str(file.id),
            "name": file.name,
            "size": file.size_bytes,
            "is_image": file.is_image,
            "width": file.width,
            "height": file.height,
        }
        for file in files
    ]


def question(message_id: str, text: str) -> Shown:
    """Return a question that was just stored."""
    return {"id": message_id, "role": "user", "text": calm(text), "status": "complete"}


def empty_answer(start: StartEvent) -> Shown:
    """Return an answer that has just begun."""
    return {
        "id": str(start.answer_id),
        "role": "assistant",
        "status": "streaming",
        "model": figures.who(start),
        "agent": _by(start.agent_id, start.agent_name),
        "blocks": [],
        "text": "",
        "reasoning": "",
        "note": figures.note(start),
        **({} if start.sources is None else {"sources": [source.model_dump(mode="json") for source in start.sources]}),
    }


def _by(agent_id: UUID | None, name: str) -> Shown | None:
    """Return who answered with the model; None: nobody."""
    return {"id": None if agent_id is None else str(agent_id), "name": name} if name else None


def _ended_early(message: MessageView) -> bool:
    """Return whether an answer can be gone on with: it has text and was stopped, cut or too long."""
    is_cut = message.status in (MessageStatus.STOPPED, MessageStatus.INTERRUPTED)
    is_too_long = message.run is not None and message.run.finish_reason in ("length", "cap")
    return bool(message.text.strip()) and (is_cut or is_too_long)


def _all(messages: Sequence[MessageView]) -> list[Shown]:
    return [_shown(message) for message in messages]


def _text(message: MessageView) -> str:
    match message.role:
        case MessageRole.ASSISTANT:
            return message.text
        case MessageRole.NOTE:
            return calm(told(message.text))
        case _:
            return calm(message.text)


def _shown(message: MessageView) -> Shown:
    shown: Shown = {
        "id": str(message.id),
        "role": message.role.value,
        "status": message.status.value,
        "text": _text(message),
    }
    if message.attachments:
        shown["attachments"] = shown_files(message.attachments)
    if message.siblings:
        shown["siblings"] = [str(each) for each in message.siblings]
    if message.role is MessageRole.ASSISTANT:
        shown["can_explain"] = message.run is not None
        shown["model"] = shown_name(message.model_name) if message.run is None else figures.who(message.run)
        shown["agent"] = None if message.run is None else _by(message.run.agent_id, message.run.agent_name)
        shown["rating"] = 0 if message.feedback is None else int(message.feedback.rating)
        shown["can_go_on"] = _ended_early(message)
        if message.origin is MessageOrigin.EDIT:
            shown["remark"] = _("Edited by you.")
        if message.origin is MessageOrigin.IMPORT:
            shown["figures"] = " · ".join(filter(None, (message.model_name, _("imported"))))
        shown["reasoning"] = message.reasoning
        if message.sources is not None:
            shown["sources"] = list(message.sources)
        is_live = message.status is MessageStatus.STREAMING
        shown["blocks"] = [] if is_live else answer_blocks(message.text, used_tools(message.steps))
        if message.run is not None and message.status is not MessageStatus.STREAMING:
            shown["figures"] = figures.of_run(message.run)
            shown["thought"] = figures.thought(message.run.reasoning_ms)
            shown["remark"] = figures.remark_of_run(message.run)
            has_failed = message.run.status is RunStatus.FAILED
            shown["note"] = figures.note(message.run, has_failed=has_failed)
            shown["similar"] = figures.means_the_same(message.run)
            shown["is_error"] = message.status in BAD_ENDS
            shown["follow_ups"] = list(questions_of(message.run.follow_ups))
    return shown
