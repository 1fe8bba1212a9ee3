"""What a link to a chat leads to: a plain page that strangers may read, where that is allowed."""

import asyncio
from dataclasses import dataclass

from markupsafe import Markup

from llm_ui.app.shell import KATEX
from llm_ui.auth.plain import PlainHandler
from llm_ui.errors import NotFound
from llm_ui.kit.markdown import blocks
from llm_ui.models import MessageRole
from llm_ui.services.sharing import GONE, SharedMessage, Snapshot, continue_link, open_link


@dataclass(frozen=True, slots=True)
class _Shown:
    """A message as the template draws it; `blocks` are safe HTML."""

    is_question: bool
    speaker: str
    text: str
    blocks: tuple[Markup, ...]


class Share(PlainHandler):
    """A snapshot of a chat."""

    async def get(self, token: str) -> None:
        """Show it."""
        self.set_header("X-Robots-Tag", "noindex")
        try:
            async with self.site.backend.database.reading() as session:
                snapshot = await open_link(session, token, self.actor)
        except NotFound:
            self.set_status(404)
            self.show("share_gone.html", message=GONE, token=token)
            return
        self.show("share.html", snapshot=snapshot, messages=await asyncio.to_thread(_shown, snapshot), katex=KATEX)

    async def post(self, token: str) -> None:
        """Begin a chat of one's own with it."""
        if self.actor is None:
            self.redirect(f"/login?next=/s/{token}", status=303)
            return
        try:
            async with self.site.backend.database.writing() as session:
                chat_id = await continue_link(session, self.actor, token)
        except NotFound:
            self.set_status(404)
            self.show("share_gone.html", message=GONE, token=token)
            return
        self.redirect(f"/c/{chat_id}", status=303)


def _shown(snapshot: Snapshot) -> list[_Shown]:
    return [_message(message) for message in snapshot.messages]


def _message(message: SharedMessage) -> _Shown:
    is_question = message.role is MessageRole.USER
    # Sanitised by `blocks`; the question is escaped by the template.
    drawn = () if is_question else tuple(Markup(block) for block in blocks(message.text))  # noqa: S704
    return _Shown(is_question, message.speaker or "Assistant", message.text, drawn)
