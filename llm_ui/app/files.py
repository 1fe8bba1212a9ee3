"""Files for browsers: ours, and those of components, nothing imported by name."""

import mimetypes
import sys

from panel.io.server import ComponentResourceHandler
from tornado.web import HTTPError, RequestHandler

from llm_ui.kit import assets

COMPONENT_PACKAGES = ("llm_ui", "panel")
FOR_EVER = "public, max-age=31536000, immutable"


class ComponentFiles(ComponentResourceHandler):
    """Files of components. Panel imports whatever module the address names; here only what is loaded already."""

    def parse_url_path(self, url_path: str) -> str:
        """Return the file, for components of ours and Panel's only."""
        module = url_path.partition("/")[0]
        if module.partition(".")[0] not in COMPONENT_PACKAGES or module not in sys.modules:
            raise HTTPError(404)
        path: str = super().parse_url_path(url_path)
        return path


class Assets(RequestHandler):
    """Our own files. Their address changes with them, so browsers may keep them."""

    def get(self, version: str, name: str) -> None:
        """Send a file. An older page may still ask under an older version: it gets today's, which it must not keep."""
        content = assets.files().get(name)
        if content is None:
            raise HTTPError(404)
        self.set_header("Content-Type", mimetypes.guess_type(name)[0] or "application/octet-stream")
        self.set_header("Cache-Control", FOR_EVER if version == assets.version() else "no-store")
        self.finish(content)


class Health(RequestHandler):
    """Whether the process is up and takes visitors."""

    def get(self) -> None:
        """Answer 200, or 503 while it closes."""
        is_ready = self.settings["readiness"].is_ready
        self.set_status(200 if is_ready else 503)
        self.finish({"status": "ok" if is_ready else "closing"})
