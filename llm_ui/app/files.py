"""Files for browsers: ours, and those of components, nothing imported by name."""

import sys

from panel.io.server import ComponentResourceHandler
from tornado.web import HTTPError, RequestHandler, StaticFileHandler

from llm_ui.kit import assets

COMPONENT_PACKAGES = ("llm_ui", "panel")


class ComponentFiles(ComponentResourceHandler):
    """Files of components. Panel imports whatever module the address names; here only what is loaded already."""

    def parse_url_path(self, url_path: str) -> str:
        """Return the file, for components of ours and Panel's only."""
        module = url_path.partition("/")[0]
        if module.partition(".")[0] not in COMPONENT_PACKAGES or module not in sys.modules:
            raise HTTPError(404)
        path: str = super().parse_url_path(url_path)
        return path


class Assets(StaticFileHandler):
    """Our own files. Their address changes with them, so browsers may keep them."""

    async def get(self, path: str, include_body: bool = True) -> None:
        """Send a file. An older page may still ask under an older version: it gets today's, which it must not keep."""
        version, _, name = path.partition("/")
        self._is_current = version == assets.version()
        await super().get(name, include_body)

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """Serve only what is meant for browsers."""
        if not absolute_path.endswith(assets.SERVED):
            raise HTTPError(404)
        return super().validate_absolute_path(root, absolute_path)

    def get_cache_time(self, path: str, modified: object, mime_type: str) -> int:  # noqa: ARG002 - Tornado's signature
        """Return nothing: `set_extra_headers` says it all."""
        return 0

    def set_extra_headers(self, path: str) -> None:  # noqa: ARG002 - Tornado's signature
        """Let browsers keep the file for as long as they like."""
        self.set_header("Cache-Control", "public, max-age=31536000, immutable" if self._is_current else "no-store")


class Health(RequestHandler):
    """Whether the process is up and takes visitors."""

    def get(self) -> None:
        """Answer 200, or 503 while it closes."""
        is_ready = self.settings["readiness"].is_ready
        self.set_status(200 if is_ready else 503)
        self.finish({"status": "ok" if is_ready else "closing"})
