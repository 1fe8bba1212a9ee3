"""Uploading a file with chats, and how far it has come in. What is in the file is the worker's business."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote

from tornado.web import stream_request_body

from llm_ui.auth.plain import PlainHandler
from llm_ui.errors import InvalidInput, LLMUIError, NotSignedIn, StorageFull, TooLarge
from llm_ui.kit.disk import is_full
from llm_ui.kit.i18n import told
from llm_ui.kit.ids import JobId, uuid7
from llm_ui.models import JobKind
from llm_ui.observability.logging import get_logger
from llm_ui.services import jobs
from llm_ui.services.access import Actor
from llm_ui.services.imports import upload_path

log = get_logger(__name__)

MAX_UPLOAD_BYTES = 8 * 2**30
"""Years of chats with pictures among them, and the documents of projects; without these a thousandth."""
UPLOAD_S = 3_600
"""A browser that takes longer for the whole file has gone to sleep."""
PART = ".part"
"""Ends the name of a file that is still being uploaded."""


@stream_request_body
class Import(PlainHandler):
    """One's own newest import: how far it is, begun with a file, cancelled."""

    _file: BinaryIO | None = None
    _received = 0

    async def prepare(self) -> None:
        """Refuse what cannot become an import before anything of the file is taken."""
        await super().prepare()
        if self._finished:
            return
        try:
            actor = self._require_actor()
            if self.request.method == "POST":
                await self._begin(actor)
        except LLMUIError as refusal:
            self._say(refusal)

    async def _begin(self, actor: Actor) -> None:
        length = self.request.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) == 0:
            raise InvalidInput("The file is empty. Choose the file that the other product exported.")
        if int(length) > MAX_UPLOAD_BYTES:
            raise TooLarge("The file is larger than {most} GB. Upload it in parts.", most=MAX_UPLOAD_BYTES // 2**30)
        self.site.throttle.upload(str(actor.user_id))
        # The server's own bounds are for forms.
        self.request.connection.set_max_body_size(MAX_UPLOAD_BYTES)
        self.request.connection.set_body_timeout(UPLOAD_S)
        self._job_id = JobId(uuid7())
        self._path = upload_path(self.site.backend.config.folder, self._job_id)
        try:
            self._file = await asyncio.to_thread(_open_part, self._path)
        except OSError as error:
            raise _disk_error(error) from None

    async def data_received(self, chunk: bytes) -> None:
        """Write a piece of the file."""
        if self._file is None or self._finished:
            return
        try:
            await asyncio.to_thread(self._file.write, chunk)
        except OSError as error:
            await self._forget()
            self._say(_disk_error(error))

    async def get(self) -> None:
        """Say how far the newest import is."""
        async with self.site.backend.database.reading() as session:
            job = await jobs.newest(session, self._require_actor(), JobKind.IMPORT)
        self._tell(
            None
            if job is None
            else {
                "state": job.state.value,
                "name": job.name,
                "done": job.done,
                "total": job.total,
                **job.progress,
                "error": job.error_message and told(job.error_message),
                "skipped_told": [{**one, "why": told(one["why"])} for one in job.progress.get("skipped_told", ())],
            }
        )

    async def post(self) -> None:
        """Have the file that was uploaded brought in."""
        if self._finished:
            return
        actor = self._require_actor()
        try:
            await self._kept()
            async with self.site.backend.database.writing(lock=f"import-{actor.user_id}") as session:
                name = unquote(self.request.headers.get("X-File-Name", ""))
                await jobs.begin(session, actor, self._job_id, JobKind.IMPORT, name)
        except LLMUIError as refusal:
            await asyncio.to_thread(self._path.unlink, missing_ok=True)
            self._say(refusal)
            return
        log.info("import.uploaded", job_id=self._job_id, user_id=actor.user_id)
        await self.get()

    async def delete(self) -> None:
        """Cancel it; what has come in stays."""
        async with self.site.backend.database.writing() as session:
            await jobs.cancel(session, self._require_actor(), JobKind.IMPORT)
        await self.get()

    def on_connection_close(self) -> None:
        """Let go of a file whose upload broke off."""
        super().on_connection_close()
        asyncio.create_task(self._forget())  # noqa: RUF006 - of a moment, and it ends by itself

    async def _kept(self) -> None:
        """Have the disk hold the whole file, under its own name."""
        if self._file is None:
            raise InvalidInput("The file has not arrived. Upload it again.")
        file, self._file = self._file, None
        try:
            await asyncio.to_thread(file.close)
            await asyncio.to_thread(_part(self._path).rename, self._path)
        except OSError as error:
            raise _disk_error(error) from None

    async def _forget(self) -> None:
        if self._file is None:
            return
        file, self._file = self._file, None
        with suppress(OSError):
            await asyncio.to_thread(file.close)
        await asyncio.to_thread(_part(self._path).unlink, missing_ok=True)

    def _require_actor(self) -> Actor:
        if self.actor is None:
            raise NotSignedIn
        return self.actor

    def _say(self, refusal: LLMUIError) -> None:
        self.refuse(refusal)
        self._tell({"error": told(refusal.message)})

    def _tell(self, told: dict[str, Any] | None) -> None:
        self.finish({"import": told})


def _open_part(path: Path) -> BinaryIO:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    return _part(path).open("xb")


def _part(path: Path) -> Path:
    return path.with_name(path.name + PART)


def _disk_error(error: OSError) -> LLMUIError:
    if is_full(error):
        return StorageFull("The server's disk is full or read-only, so the file was not taken. Tell an administrator.")
    raise error
