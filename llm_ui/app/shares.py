"""What a link to a chat leads to: a plain page that strangers may read, where that is allowed."""

import asyncio
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from markupsafe import Markup

from llm_ui.app.shell import KATEX
from llm_ui.auth.plain import PlainHandler
from llm_ui.errors import LLMUIError, NotFound
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.markdown import blocks
from llm_ui.models import MessageRole
from llm_ui.services.sharing import GONE, SharedMessage, continue_link, open_link

KEPT_PAGES = 16
"""Snapshots that stay drawn: one does not change, and many people open it in the same hour. At most 30 MB."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """A message as the template draws it; `blocks` are safe HTML."""

    is_question: bool
    speaker: str
    text: str
    files: str
    blocks: tuple[Markup, ...]


class Share(PlainHandler):
    """A snapshot of a chat."""

    async def prepare(self) -> None:
        """Keep the address out of search engines; what a stranger goes on to does not learn it either."""
        await super().prepare()
        self.set_header("X-Robots-Tag", "noindex")
        if self.actor is None:
            # Not where there is a form: over plain HTTP its origin would be hidden from us too, and be refused.
            self.set_header("Referrer-Policy", "no-referrer")

    async def get(self, token: str) -> None:
        """Show it."""
        try:
            with self.site.throttle.link(self.site.entrance.network(self.request)):
                async with self.site.backend.database.reading() as session:
                    snapshot = await open_link(session, token, self.actor)
        except LLMUIError as error:
            self._refuse(error, token)
            return
        messages = await asyncio.to_thread(_shown, snapshot.messages)
        self.show("share.html", snapshot=snapshot, messages=messages, katex=KATEX, token=token)

    async def post(self, token: str) -> None:
        """Begin a chat of one's own with it."""
        if self.actor is None:
            self.redirect(f"/login?next=/s/{quote(token, safe='')}", status=303)
            return
        try:
            async with self.site.backend.database.writing() as session:
                chat_id = await continue_link(session, self.actor, token)
        except LLMUIError as error:
            self._refuse(error, token)
            return
        self.redirect(f"/c/{chat_id}", status=303)

    def _refuse(self, error: LLMUIError, token: str) -> None:
        """Say why there is nothing; the same for a link that has ended and for one that never was."""
        self.refuse(error)
        if isinstance(error, NotFound):
            self.show("share_gone.html", message=GONE, token=token)
        else:
            self.show("error.html", title=_("Sorry"), message=error.message)


@lru_cache(KEPT_PAGES)
def _shown(messages: tuple[SharedMessage, ...]) -> tuple[_Shown, ...]:
    return tuple(map(_message, messages))


def _message(message: SharedMessage) -> _Shown:
    is_question = message.role is MessageRole.USER
    # Sanitised by `blocks`; the question is escaped by the template.
    drawn = () if is_question else tuple(Markup(block) for block in blocks(message.text))  # noqa: S704
    return _Shown(is_question, message.speaker, message.text, ", ".join(message.files), drawn)
