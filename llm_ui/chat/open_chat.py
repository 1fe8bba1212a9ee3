"""Reading an open chat as the page is told of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from llm_ui.chat.follow import Op
from llm_ui.chat.shown import Shown, shown_messages
from llm_ui.contract import MAX_BESIDE
from llm_ui.db import Database, ReadSession
from llm_ui.errors import NotFound
from llm_ui.kit.ids import ChatId, MessageId
from llm_ui.models import MessageRole, MessageStatus
from llm_ui.services.access import Actor
from llm_ui.services.chats import ChatDetail, open_chat
from llm_ui.services.messages import MessagePage, MessageView, read_around, read_messages, read_siblings
from llm_ui.ui.page import PageContext

EMPTY: Op = {
    "op": "snapshot", "chat": None, "title": "", "messages": [], "has_older": False, "is_streaming": False
}  # fmt: skip
"""Shows a new chat."""
CHAT_PATH = re.compile(r"/c/([0-9a-f\-]{36})/?")


def chat_of(path: str) -> ChatId | None:
    """Return the chat of a path; None: there is none in it."""
    found = CHAT_PATH.fullmatch(path)
    try:
        return None if found is None else ChatId(UUID(found.group(1)))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class OpenChat:
    """A chat with its last messages, and the run that is writing an answer in it now."""

    detail: ChatDetail
    messages: list[Shown]
    has_older: bool
    has_newer: bool
    live_run_id: UUID | None
    compared: UUID | None = None
    """The answer that others are shown next to."""
    beside: list[Shown] = field(default_factory=list)
    """Those others."""
    live_beside: tuple[UUID, ...] = ()
    """The runs that write them."""

    def snapshot(self, at: MessageId | None, *, beside: list[Shown]) -> Op:
        """Return the operation that shows the chat: `beside` are the answers that are compared, with their texts."""
        return {
            "op": "snapshot",
            "chat": str(self.detail.id),
            "title": self.detail.title,
            "project": None if self.detail.project_id is None else str(self.detail.project_id),
            "messages": self.messages,
            "has_older": self.has_older,
            "has_newer": self.has_newer,
            "at": None if at is None else str(at),
            "is_streaming": self.live_run_id is not None or bool(self.live_beside),
            "compared": None if self.compared is None else str(self.compared),
            "beside": beside,
        }

    def with_answer(self, answer_id: str, shown: Shown) -> "OpenChat":
        """Return the chat with what is known of one answer put into it."""
        messages = [{**message, **shown} if message["id"] == answer_id else message for message in self.messages]
        return replace(self, messages=messages)


async def opening(database: Database, actor: Actor, path: str) -> Op | None:
    """Return the operation that shows the chat at a page's address, for the page to bring along and be read at once.

    None where there is nothing to read, and while an answer is written: what of it is there, only its follower knows.
    """
    chat_id = chat_of(path)
    if chat_id is None:
        return None
    try:
        opened = await read_open_chat(database, actor, chat_id)
    except NotFound:
        return None
    is_live = opened.live_run_id is not None or opened.live_beside
    return None if is_live else opened.snapshot(None, beside=opened.beside)


async def read_open_chat(
    database: Database, actor: Actor, chat_id: ChatId, at: MessageId | None = None, *, compared: UUID | None = None
) -> OpenChat:
    """Read a chat at its end, or around a message; with the answers beside its last one while they are compared.

    Raises `NotFound`, for somebody else's chat too.
    """
    async with database.reading() as session:
        detail = await open_chat(session, actor, chat_id)
        around = None if at is None else await read_around(session, actor, chat_id, at)
        page = around or await read_messages(session, actor, chat_id)
        anchor, beside = await _beside(session, actor, page, compared)
    # The live run is taken from the answer itself, so that both are of the same instant.
    live = next(iter(_live(page.items)), None)
    messages = await shown_messages(page.items)
    others = await shown_messages(beside)
    return OpenChat(detail, messages, page.has_older, page.has_newer, live, anchor, others, _live(beside))


async def _beside(
    session: ReadSession, actor: Actor, page: MessagePage, compared: UUID | None
) -> tuple[UUID | None, tuple[MessageView, ...]]:
    """Return the answer that is compared, or beside which others are being written now, and these others."""
    last = page.items[-1:] if not page.has_newer else ()
    meant = [one for one in page.items if compared in (one.id, *one.siblings)]
    for shown in [one for one in (*meant, *last) if one.role is MessageRole.ASSISTANT and one.siblings]:
        all_of_them = await read_siblings(session, actor, shown.id)
        others = tuple(one for one in all_of_them if one.id != shown.id)[-MAX_BESIDE + 1 :]
        if _live(others) or shown in meant:
            return shown.id, others
    return None, ()


def _live(messages: Sequence[MessageView]) -> tuple[UUID, ...]:
    return tuple(one.run.id for one in messages if one.run and one.status is MessageStatus.STREAMING)


async def older(context: PageContext, chat_id: ChatId, before: MessageId) -> Op:
    """Return the operation that shows the messages before one of the chat. Raises `NotFound`."""
    actor = await context.actor()
    async with context.backend.database.reading() as session:
        page = await read_messages(session, actor, chat_id, before=before)
    messages = await shown_messages(page.items)
    return {"op": "older", "before": str(before), "messages": messages, "has_older": page.has_older}
