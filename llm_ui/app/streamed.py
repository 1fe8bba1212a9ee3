"""Files over plain HTTP: taken in straight to the disk, and sent from there."""

import asyncio
from typing import Any
from urllib.parse import quote, unquote

from tornado.iostream import StreamClosedError
from tornado.web import stream_request_body

from llm_ui.auth.plain import PlainHandler
from llm_ui.db import Session
from llm_ui.errors import LLMUIError, NotSignedIn, TooLarge
from llm_ui.kit.file_store import FileStore, NewFile
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import told
from llm_ui.observability.logging import get_logger
from llm_ui.services.access import Actor
from llm_ui.services.attachments import file_name
from llm_ui.services.documents import FILES_LOCK

log = get_logger(__name__)

MB = 1_000_000
SLOW_UPLOAD_S = 600
"""What a file may take on its way: a phone on a train."""
DRAINED_MB = 100
"""Of a file that is too large so much is read and thrown away, so that the browser gets to read why."""
NAME_HEADER = "X-File-Name"
PIECE_BYTES = 256 * 2**10


@stream_request_body
class StreamedUpload(PlainHandler):
    """Takes in one file, which is the body of the request."""

    def initialize(self) -> None:
        """Begin without a file."""
        self._file: NewFile | None = None
        self._refusal: LLMUIError | None = None

    @property
    def most_mb(self) -> int:
        """What a file may have."""
        raise NotImplementedError

    async def admit(self, actor: Actor) -> None:
        """Raise our error when nothing can be taken in, before anything of the file is read."""

    async def look_at(self, file: NewFile, name: str) -> None:
        """Raise our error when the file that came cannot be used."""

    async def write_down(self, session: Session, actor: Actor, sha256: str, size: int) -> dict[str, Any]:
        """Note the file that is in its place; return what the page is told of it."""
        raise NotImplementedError

    async def prepare(self) -> None:
        """Decide before anything of the file is read whether it is taken."""
        await super().prepare()
        if self._finished:
            return
        most = self.most_mb * MB
        self.request.connection.set_max_body_size(max(most, DRAINED_MB * MB))
        self.request.connection.set_body_timeout(SLOW_UPLOAD_S)
        try:
            if self.actor is None:
                raise NotSignedIn
            if int(self.request.headers.get("Content-Length", "0")) > most:
                raise self._too_large()
            await self.admit(self.actor)
            self._file = await asyncio.to_thread(self.store.begin)
        except LLMUIError as error:
            self._refusal = error

    async def data_received(self, chunk: bytes) -> None:
        """Write a piece down."""
        if self._file is None or self._refusal is not None:
            return
        if self._file.size + len(chunk) > self.most_mb * MB:
            self._refusal = self._too_large()
            return
        try:
            await asyncio.to_thread(self._file.write, chunk)
        except LLMUIError as error:
            self._refusal = error

    async def post(self, *_: str) -> None:
        """Look at what came, keep it, and answer with how it is known from now on."""
        try:
            taken = await self.take()
        except LLMUIError as error:
            self.refuse(error)
            self.finish({"error": {"code": error.code, "message": told(error.message)}})
            return
        self.set_status(201)
        self.finish(taken)

    async def take(self) -> dict[str, Any]:
        """Keep the file that came; return what the page is told of it."""
        file, actor = self.received()
        await self.look_at(file, self.name)
        # What takes long comes before the lock.
        await asyncio.to_thread(file.settle)
        async with self.site.backend.database.writing(lock=FILES_LOCK) as session:
            sha256 = await asyncio.to_thread(file.keep)
            return await self.write_down(session, actor, sha256, file.size)

    def received(self) -> tuple[NewFile, Actor]:
        """Return the file that came whole, and who sent it. Raises what was refused on the way."""
        if self._refusal is not None:
            raise self._refusal
        if self._file is None or self.actor is None:
            raise NotSignedIn
        return self._file, self.actor

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
        return TooLarge(
            "{name} is larger than {most} MB, which is the most. Make it smaller or split it.",
            name=self.name,
            most=self.most_mb,
        )

    @property
    def store(self) -> FileStore:
        """Where files lie."""
        return FileStore(self.site.backend.config.files_path)

    @property
    def name(self) -> str:
        """What the file is called."""
        return file_name(unquote(self.request.headers.get(NAME_HEADER, ""), errors="replace"))


class StoredFile(PlainHandler):
    """Sends a stored file to whoever may see it."""

    def say_missing(self) -> None:
        """Say that there is no such file for this person."""
        self.say(404, _("There is no such file"), _("It does not exist any more, or it is not yours."))

    async def send(self, sha256: str, name: str, media_type: str, *, inline: bool = False) -> None:
        """Send a file, to be looked at or to be saved."""
        # Asked for again each time, so that nobody sees it who has signed out; sent only when it is not there yet.
        self.set_header("Cache-Control", "private, no-cache")
        self.set_header("ETag", f'"{sha256}"')
        self.set_header("Content-Type", media_type)
        kind = "inline" if inline else "attachment"
        self.set_header("Content-Disposition", f"{kind}; filename*=UTF-8''{quote(name, safe='')}")
        if self.check_etag_header():
            self.set_status(304)
            return
        path = FileStore(self.site.backend.config.files_path).path(sha256)
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
