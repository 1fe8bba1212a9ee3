"""Which tools models may use: in the open chat, and where the person is, which one of them asks."""

from collections.abc import Callable
from uuid import UUID

from llm_ui.chat.follow import Op
from llm_ui.contract.steps import ToolName
from llm_ui.kit.ids import ChatId
from llm_ui.services import chats
from llm_ui.services.chats import ChatDetail
from llm_ui.ui.page import PageContext


class Tools:
    """The choice of one page."""

    def __init__(self, context: PageContext, tell: Callable[[Op], None]) -> None:
        self._context = context
        self._tell = tell
        self.time_zone = ""
        self.off: frozenset[ToolName] = frozenset()
        """Those that are switched off."""
        self._is_of_chat = False
        """Whether this is what a chat was asked with, and not only what a new one will be."""

    def wanted(self) -> dict[str, object]:
        """Return the fields of a request that say so."""
        self._is_of_chat = True
        return {"tools_off": self.off, "time_zone": self.time_zone}

    def opened(self, chat: ChatDetail | None) -> None:
        """A chat was opened, or a new one is to begin: with all tools that were not switched off for it."""
        if chat is not None or self._is_of_chat:
            self.off = frozenset() if chat is None else chat.tools_off
        self._is_of_chat = chat is not None
        self._tell({"op": "tools", "off": sorted(self.off)})

    async def choose(self, chat_id: UUID | None, off: frozenset[ToolName]) -> None:
        """Allow all tools but these; a chat that is stored keeps it. Raises `NotFound`."""
        self.off = off
        if chat_id is not None:
            actor = await self._context.actor()
            async with self._context.backend.database.writing() as session:
                await chats.choose_tools(session, actor, ChatId(chat_id), off)
        self._tell({"op": "tools", "off": sorted(off)})
