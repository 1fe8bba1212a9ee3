"""Files that people attach: taken in over plain HTTP, straight to the disk, and given back to their owner only."""

import asyncio
from typing import Any
from urllib.parse import quote, unquote
from uuid import UUID

from tornado.iostream import StreamClosedError
from tornado.web import stream_request_body

from llm_ui.auth.plain import PlainHandler
from llm_ui.errors import InvalidInput, LLMUIError, NotSignedIn, TooLarge
from llm_ui.kit.file_store import FileStore, NewFile
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import told
from llm_ui.kit.ids import AttachmentId
from llm_ui.kit.media import TEXT_TYPE, Media, inspect
from llm_ui.observability.logging import get_logger
from llm_ui.services.attachments import Received, file_name, find_attachments, receive

log = get_logger(__name__)

MB = 1_000_000
MAX_TEXT_CHARS = 2_000_000
"""As for a message."""
SLOW_UPLOAD_S = 600
"""What a file may take on its way: a phone on a train."""
DRAINED_MB = 100
"""Of a file that is too large so much is read and thrown away, so that the browser gets to read why."""
NAME_HEADER = "X-File-Name"
PIECE_BYTES = 256 * 2**10


@stream_request_body
class Upload(PlainHandler):
    """Takes in one file, which is the body of the request."""

    def initialize(self) -> None:
        """Begin without a file."""
        self._file: NewFile | None = None
        self._refusal: LLMUIError | None = None

    async def prepare(self) -> None:
        """Decide before anything of the file is read whether it is taken."""
        await super().prepare()
        if self._finished:
            return
        most = self.site.backend.config.max_file_mb * MB
        self.request.connection.set_max_body_size(max(most, DRAINED_MB * MB))
        self.request.connection.set_body_timeout(SLOW_UPLOAD_S)
        if self.actor is None:
            self._refusal = NotSignedIn()
        elif int(self.request.headers.get("Content-Length", "0")) > most:
            self._refusal = self._too_large()
        else:
            try:
                self._file = await asyncio.to_thread(self._store.begin)
            except LLMUIError as error:
                self._refusal = error

    async def data_received(self, chunk: bytes) -> None:
        """Write a piece down."""
        if self._file is None or self._refusal is not None:
            return
        if self._file.size + len(chunk) > self.site.backend.config.max_file_mb * MB:
            self._refusal = self._too_large()
            return
        try:
            await asyncio.to_thread(self._file.write, chunk)
        except LLMUIError as error:
            self._refusal = error

    async def post(self) -> None:
        """Look at what came, keep it, and answer with how it is known from now on."""
        try:
            taken = await self._take()
        except LLMUIError as error:
            self.refuse(error)
            self.finish({"error": {"code": error.code, "message": told(error.message)}})
            return
        self.set_status(201)
        self.finish(taken)

    async def _take(self) -> dict[str, Any]:
        if self._refusal is not None:
            raise self._refusal
        if self._file is None or self.actor is None:
            raise NotSignedIn
        media = await asyncio.to_thread(_inspected, self._file, self._name)
        sha256 = await asyncio.to_thread(self._file.keep)
        received = Received(self._name, media, self._file.size, sha256)
        async with self.site.backend.database.writing() as session:
            file = await receive(session, self.actor, received)
        log.info("file.received", user_id=self.actor.user_id, media_type=file.media_type, size_bytes=file.size_bytes)
        return {
            "id": str(file.id),
            "name": file.name,
            "size": file.size_bytes,
            "is_image": file.is_image,
            "width": file.width,
            "height": file.height,
        }

    def on_finish(self) -> None:
        """Leave nothing behind of what was refused."""
        self._discard()

    def on_connection_close(self) -> None:
        """Leave nothing behind of what was cut off."""
        self._discard()

    def _discard(self) -> None:
        if self._file is not None:
            asyncio.get_running_loop().run_in_executor(None, self._file.discard)

    def _too_large(self) -> TooLarge:
        most = self.site.backend.config.max_file_mb
        return TooLarge(
            "{name} is larger than {most} MB, which is the most. Make it smaller or split it.",
            name=self._name,
            most=most,
        )

    @property
    def _store(self) -> FileStore:
        return FileStore(self.site.backend.config.files_path)

    @property
    def _name(self) -> str:
        return file_name(unquote(self.request.headers.get(NAME_HEADER, ""), errors="replace"))


def _inspected(file: NewFile, name: str) -> Media:
    media = inspect(file.read(), name)
    if len(media.text) > MAX_TEXT_CHARS:
        raise TooLarge(
            "{name} has more than {most} characters, which is the most. Split it.", name=name, most=MAX_TEXT_CHARS
        )
    if media.media_type == TEXT_TYPE and not media.text.strip():
        raise InvalidInput("{name} is empty. Pick another file.", name=name)
    return media


class AttachedFile(PlainHandler):
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
            self.say(404, _("There is no such file"), _("It does not exist any more, or it is not yours."))
            return
        # Asked for again each time, so that nobody sees it who has signed out; sent only when it is not there yet.
        self.set_header("Cache-Control", "private, no-cache")
        self.set_header("ETag", f'"{file.sha256}"')
        self.set_header("Content-Type", file.media_type if file.is_image else f"{TEXT_TYPE}; charset=utf-8")
        kind = "inline" if file.is_image else "attachment"
        self.set_header("Content-Disposition", f"{kind}; filename*=UTF-8''{quote(file.name, safe='')}")
        if self.check_etag_header():
            self.set_status(304)
            return
        path = FileStore(self.site.backend.config.files_path).path(file.sha256)
        try:
            opened = await asyncio.to_thread(path.open, "rb")
        except FileNotFoundError:
            self.clear()
            self.say(404, _("There is no such file"), _("It is not on the server any more."))
            return
        try:
            while piece := await asyncio.to_thread(opened.read, PIECE_BYTES):
                self.write(piece)
                await self.flush()
        except StreamClosedError:
            log.info("file.not_sent", reason="the browser went away")
        finally:
            opened.close()

    def compute_etag(self) -> None:
        """Return None: what is sent is known by its own name."""
        return
