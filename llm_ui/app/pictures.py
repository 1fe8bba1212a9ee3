"""One's own picture: taken in, drawn anew, and shown on every page."""

import asyncio
import hashlib
from html import escape
from typing import Any

from llm_ui.app.streamed import StreamedUpload
from llm_ui.auth.plain import PlainHandler
from llm_ui.kit.file_store import NewFile
from llm_ui.kit.picture import small
from llm_ui.services import pictures

MAX_MB = 15
INITIAL = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 28 28"><rect width="28" height="28" fill="#4263e0"/>\
<text x="14" y="18.5" text-anchor="middle" font-family="sans-serif" font-size="13" font-weight="600" fill="#fff">\
{initial}</text></svg>"""
"""What is drawn of whoever has no picture."""


class PictureUpload(StreamedUpload):
    """Takes in a picture. The file that came is thrown away."""

    @property
    def most_mb(self) -> int:
        """What a file may have."""
        return MAX_MB

    async def take(self) -> dict[str, Any]:
        """Draw it anew and keep that."""
        file, actor = self.received()
        data = await asyncio.to_thread(_drawn, file, self.name)
        async with self.site.backend.database.writing() as session:
            await pictures.put(session, actor, data)
        return {}


class Picture(PlainHandler):
    """The picture of whoever asks, or the initial of the name."""

    async def get(self) -> None:
        """Send it; sent only when the browser has another one."""
        if self.actor is None:
            self.redirect("/login")
            return
        async with self.site.backend.database.reading() as session:
            data = await pictures.own(session, self.actor)
        self.set_header("Content-Type", "image/webp" if data else "image/svg+xml")
        data = data or INITIAL.format(initial=escape(self.actor.name[:1].upper())).encode()
        self.set_header("Cache-Control", "private, no-cache")
        self.set_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        if self.check_etag_header():
            self.set_status(304)
            return
        self.finish(data)

    def compute_etag(self) -> None:
        """Return None: it is set already."""
        return


def _drawn(file: NewFile, name: str) -> bytes:
    return small(file.read(), name)
