"""What a link to a chat leads to: a plain page that strangers may read, where that is allowed."""

import asyncio
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from markupsafe import Markup

from llm_ui.app.shell import KATEX
from llm_ui.app.streamed import StoredFile
from llm_ui.auth.plain import PlainHandler
from llm_ui.errors import LLMUIError, NotFound
from llm_ui.kit.i18n import gettext as _
from llm_ui.models import MessageRole
from llm_ui.services.sharing import GONE, SharedImage, SharedMessage, continue_link, open_image, open_link
from llm_ui.services.steps import answer_blocks

IMAGE_PX, LEAST_PX = 360, 24
"""How large images are drawn; each leads to itself in full."""
KEPT_PAGES = 16
"""Snapshots that stay drawn: one does not change, and many people open it in the same hour. At most 30 MB."""


@dataclass(frozen=True, slots=True)
class _Image:
    """An image as the template draws it, `width` and `height` in pixels of the page."""

    id: str
    name: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class _Shown:
    """A message as the template draws it; `blocks` are safe HTML."""

    is_question: bool
    speaker: str
    text: str
    files: str
    images: tuple[_Image, ...]
    blocks: tuple[Markup, ...]


class _OfLink(PlainHandler):
    """What has the token of a link in its address."""

    async def prepare(self) -> None:
        """Keep the address out of search engines; what a stranger goes on to does not learn it either."""
        await super().prepare()
        self.set_header("X-Robots-Tag", "noindex")
        if self.actor is None:
            # Not where there is a form: over plain HTTP its origin would be hidden from us too, and be refused.
            self.set_header("Referrer-Policy", "no-referrer")


class Share(_OfLink):
    """A snapshot of a chat."""

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


class ImageOfShare(_OfLink, StoredFile):
    """An image of a snapshot, for whoever has the link and for as long as it holds."""

    async def get(self, token: str, image: str) -> None:
        """Send it."""
        try:
            with self.site.throttle.link(self.site.entrance.network(self.request)):
                async with self.site.backend.database.reading() as session:
                    file = await open_image(session, token, self.actor, image)
        except LLMUIError as error:
            self.refuse(error)
            self.show("error.html", title=_("Sorry"), message=error.message)
            return
        if file is None:
            self.say_missing()
            return
        await self.send(file.sha256, file.name, file.media_type, inline=True)


@lru_cache(KEPT_PAGES)
def _shown(messages: tuple[SharedMessage, ...]) -> tuple[_Shown, ...]:
    return tuple(map(_message, messages))


def _message(message: SharedMessage) -> _Shown:
    is_question = message.role is MessageRole.USER
    # Sanitised by `answer_blocks`; the question is escaped by the template.
    drawn = () if is_question else tuple(Markup(block) for block in answer_blocks(message.text, message.steps))  # noqa: S704
    images = tuple(map(_image, message.images))
    return _Shown(is_question, message.speaker, message.text, ", ".join(message.files), images, drawn)


def _image(image: SharedImage) -> _Image:
    # Its place is kept before it is there: nothing below it jumps.
    scale = min(1.0, IMAGE_PX / max(image.width, image.height, 1))
    width, height = (max(LEAST_PX, round(side * scale)) for side in (image.width, image.height))
    return _Image(image.id, image.name, width, height)
