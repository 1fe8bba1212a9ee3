"""The download of everything that a person owns."""

from urllib.parse import quote

from tornado.iostream import StreamClosedError

from llm_ui.auth.plain import PlainHandler
from llm_ui.errors import LLMUIError, TooManyRequests
from llm_ui.kit.clock import now
from llm_ui.kit.file_store import FileStore
from llm_ui.kit.i18n import gettext as _
from llm_ui.observability.logging import get_logger
from llm_ui.services.access import Actor
from llm_ui.services.archive import archive
from llm_ui.services.exports import file_name

log = get_logger(__name__)


class Archive(PlainHandler):
    """All of one's own as one file."""

    async def get(self) -> None:
        """Send it as fast as the browser takes it."""
        if self.actor is None:
            self.redirect("/login?next=/account")
            return
        try:
            self.site.throttle.archive(str(self.actor.user_id))
        except TooManyRequests as refusal:
            self.refuse(refusal)
            self.show("error.html", title=_("Not again so soon"), message=refusal.message)
            return
        self.set_header("Content-Type", "application/zip")
        name = file_name(f"{self.request.appearance.name} {self.actor.name} {now():%Y-%m-%d}", "zip")
        self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{quote(name)}")
        await self._send(self.actor)

    async def _send(self, actor: Actor) -> None:
        try:
            async for piece in archive(
                self.site.backend.database, FileStore(self.site.backend.config.files_path), actor
            ):
                self.write(piece)
                await self.flush()
        except StreamClosedError:
            log.info("archive.cancelled")
        except LLMUIError as error:
            # The file has begun: cut off, so that no browser takes what there is for all of it.
            log.warning("archive.failed", code=error.code)
            self.request.connection.stream.close()
