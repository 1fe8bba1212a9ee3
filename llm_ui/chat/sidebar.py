"""The list of chats beside the open one."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from llm_ui.chat import ops
from llm_ui.chat.follow import Op
from llm_ui.chat.shown import shown_chats
from llm_ui.errors import LLMUIError
from llm_ui.kit.ids import ChatId, ProjectId
from llm_ui.observability.logging import get_logger
from llm_ui.services import chats, projects, tags
from llm_ui.ui.page import PageContext

log = get_logger(__name__)

Tagged = Mapping[ChatId, Sequence[str]]
"""Tags of those chats that have any."""
PAGE_SIZE = 50
MAX_SIZE = 500
"""Most chats that are read again at once, however far somebody has scrolled."""
LOOK_AGAIN_S = 2.0
"""How soon an unfinished list is read again."""


class Sidebar:
    """The chats a page lists, newest first, and what is done to them there."""

    def __init__(self, context: PageContext, tell: Callable[[Op], None]) -> None:
        self._context = context
        self._tell = tell
        self._cursor: chats.ChatCursor | None = None
        self._size = PAGE_SIZE
        self._shelf = chats.Shelf.OPEN
        self.project_id: ProjectId | None = None
        """The project whose chats are listed."""
        self.is_unfinished = False
        """Whether the list shows an answer being written that nobody on this page follows."""

    async def show(self, *, followed: ChatId | None) -> None:
        """Tell the list anew, as far as it was loaded. `followed` is the chat whose answer the page follows."""
        page, tagged = await self._read(None, min(self._size, MAX_SIZE))
        self._size = max(PAGE_SIZE, len(page.items))
        self.is_unfinished = any(chat.is_answering and chat.id != followed for chat in page.items)
        self._tell_page(page, tagged, is_first=True)

    def choose(self, shelf: chats.Shelf, project_id: ProjectId | None) -> None:
        """List another shelf, or a project, from now on."""
        self._shelf, self.project_id, self._size = shelf, project_id, PAGE_SIZE

    async def more(self) -> None:
        """Tell the next chats, if there are any."""
        if self._cursor is None:
            return
        page, tagged = await self._read(self._cursor, PAGE_SIZE)
        self._size += len(page.items)
        self._tell_page(page, tagged, is_first=False)

    async def change(self, asked: ops.ChatChanges) -> str | None:
        """Do what is asked with one chat; return its new title where it got one."""
        actor = await self._context.actor()
        chat_id = ChatId(asked.chat)
        async with self._context.backend.database.writing() as session:
            match asked:
                case ops.Rename():
                    return await chats.rename(session, actor, chat_id, asked.title)
                case ops.Pin():
                    await chats.pin(session, actor, chat_id, is_pinned=asked.is_pinned)
                case ops.Archive():
                    await chats.archive(session, actor, chat_id, is_archived=asked.is_archived)
                case ops.Purge():
                    await chats.purge(session, actor, chat_id)
                case ops.Move():
                    project_id = None if asked.project is None else ProjectId(asked.project)
                    await projects.move(session, actor, chat_id, project_id)
                case ops.Tag():
                    await tags.tag(session, actor, chat_id, asked.tags)
                case ops.Delete():
                    await chats.delete(session, actor, chat_id)
                case ops.Restore():
                    await chats.restore(session, actor, chat_id)
        return None

    async def keep_looking(self, followed: Callable[[], ChatId | None]) -> None:
        """Read the list again and again while it shows answers being written elsewhere."""
        while self.is_unfinished:
            await asyncio.sleep(LOOK_AGAIN_S)
            try:
                await self.show(followed=followed())
            except LLMUIError as error:
                if not error.retryable:
                    raise
                log.info("sidebar.not_read", code=error.code)

    async def _read(self, after: chats.ChatCursor | None, limit: int) -> tuple[chats.ChatPage, Tagged]:
        actor = await self._context.actor()
        async with self._context.backend.database.reading() as session:
            page = await chats.list_chats(
                session, actor, shelf=self._shelf, project_id=self.project_id, after=after, limit=limit
            )
            return page, await tags.tags_of(session, actor, [chat.id for chat in page.items])

    def _tell_page(self, page: chats.ChatPage, tagged: Tagged, *, is_first: bool) -> None:
        self._cursor = page.next
        self._tell(
            {
                "op": "chats",
                "shelf": self._shelf.value,
                "project": None if self.project_id is None else str(self.project_id),
                "chats": shown_chats(page.items, tagged),
                "has_more": page.next is not None,
                "is_first": is_first,
            }
        )
