"""Files that people attach: taken in over plain HTTP, straight to the disk, and given back to their owner only."""

import asyncio
from typing import Any
from uuid import UUID

from llm_ui.app.streamed import StoredFile, StreamedUpload
from llm_ui.db import Session
from llm_ui.errors import InvalidInput, LLMUIError, TooLarge
from llm_ui.kit.file_store import NewFile
from llm_ui.kit.ids import AttachmentId
from llm_ui.kit.media import TEXT_TYPE, Media, inspect
from llm_ui.observability.logging import get_logger
from llm_ui.services.access import Actor
from llm_ui.services.attachments import Received, find_attachments, receive

log = get_logger(__name__)

MAX_TEXT_CHARS = 2_000_000
"""As for a message."""


class Upload(StreamedUpload):
    """Takes in one file that is attached to a question."""

    _media: Media

    @property
    def most_mb(self) -> int:
        """What a file may have."""
        return self.site.backend.config.max_file_mb

    async def look_at(self, file: NewFile, name: str) -> None:
        """Find out what came. Raises our error for what neither a person nor a model can look at."""
        self._media = await asyncio.to_thread(_inspected, file, name)

    async def write_down(self, session: Session, actor: Actor, sha256: str, size: int) -> dict[str, Any]:
        """Note the file for a question that is not sent yet."""
        file = await receive(session, actor, Received(self.name, self._media, size, sha256))
        log.info("file.received", user_id=actor.user_id, media_type=file.media_type, size_bytes=file.size_bytes)
        return {
            "id": str(file.id),
            "name": file.name,
            "size": file.size_bytes,
            "is_image": file.is_image,
            "width": file.width,
            "height": file.height,
        }


def _inspected(file: NewFile, name: str) -> Media:
    media = inspect(file.read(), name)
    if len(media.text) > MAX_TEXT_CHARS:
        raise TooLarge(
            "{name} has more than {most} characters, which is the most. Split it.", name=name, most=MAX_TEXT_CHARS
        )
    if media.media_type == TEXT_TYPE and not media.text.strip():
        raise InvalidInput("{name} is empty. Pick another file.", name=name)
    return media


class AttachedFile(StoredFile):
    """One attached file, for its owner."""

    async def get(self, attachment: str) -> None:
        """Send it: an image to be looked at, all else to be saved."""
        if self.actor is None:
            self.redirect("/login")
            return
        try:
            async with self.site.backend.database.reading() as session:
                (file,) = await find_attachments(session, self.actor, [AttachmentId(UUID(attachment))])
        except (LLMUIError, ValueError):
            self.say_missing()
            return
        media_type = file.media_type if file.is_image else f"{TEXT_TYPE}; charset=utf-8"
        await self.send(file.sha256, file.name, media_type, inline=file.is_image)
