"""Reading an open chat as the page is told of it."""

from dataclasses import dataclass, replace
from uuid import UUID

from llm_ui.chat.shown import Shown, shown_messages
from llm_ui.kit.ids import ChatId, MessageId
from llm_ui.models import MessageStatus
from llm_ui.services.chats import ChatDetail, open_chat
from llm_ui.services.messages import read_around, read_messages
from llm_ui.ui.page import PageContext


@dataclass(frozen=True, slots=True)
class OpenChat:
    """A chat with its last messages, and the run that is writing an answer in it now."""

    detail: ChatDetail
    messages: list[Shown]
    has_older: bool
    has_newer: bool
    live_run_id: UUID | None

    def with_answer(self, answer_id: str, shown: Shown) -> "OpenChat":
        """Return the chat with what is known of one answer put into it."""
        messages = [{**message, **shown} if message["id"] == answer_id else message for message in self.messages]
        return replace(self, messages=messages)


async def read_open_chat(context: PageContext, chat_id: ChatId, at: MessageId | None = None) -> OpenChat:
    """Read a chat at its end, or around a message. Raises `NotFound`, for somebody else's chat too."""
    actor = await context.actor()
    async with context.backend.database.reading() as session:
        detail = await open_chat(session, actor, chat_id)
        around = None if at is None else await read_around(session, actor, chat_id, at)
        page = around or await read_messages(session, actor, chat_id)
    # The live run is taken from the answer itself, so that both are of the same instant.
    live = next((one.run.id for one in page.items if one.run and one.status is MessageStatus.STREAMING), None)
    return OpenChat(detail, await shown_messages(page.items), page.has_older, page.has_newer, live)


async def read_older(context: PageContext, chat_id: ChatId, before: MessageId) -> tuple[list[Shown], bool]:
    """Read the messages before one of the chat, and whether there are still older ones. Raises `NotFound`."""
    actor = await context.actor()
    async with context.backend.database.reading() as session:
        page = await read_messages(session, actor, chat_id, before=before)
    return await shown_messages(page.items), page.has_older
