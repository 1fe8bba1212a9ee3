"""Downloads of a person's own chats."""

import asyncio
from urllib.parse import quote
from uuid import UUID

from llm_ui.auth.plain import PlainHandler
from llm_ui.errors import LLMUIError
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.ids import ChatId
from llm_ui.services.exports import MIME_TYPES, ExportKind, exported, file_name, read_whole_chat


class Export(PlainHandler):
    """One chat as a file."""

    async def get(self, chat: str, kind: str) -> None:
        """Send it."""
        if self.actor is None:
            self.redirect("/login")
            return
        wanted = ExportKind(kind)
        try:
            async with self.site.backend.database.reading() as session:
                whole = await read_whole_chat(session, self.actor, ChatId(UUID(chat)))
        except LLMUIError as refusal:
            self.say(refusal.status, _("This chat cannot be exported"), refusal.message)
            return
        content = await asyncio.to_thread(exported, whole, wanted)
        self.set_header("Content-Type", MIME_TYPES[wanted])
        self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{quote(file_name(whole.title, kind))}")
        # Encoded, so that nothing below takes it for a page of its own.
        self.finish(content.encode())
