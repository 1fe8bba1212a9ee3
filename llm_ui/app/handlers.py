"""The handlers of Bokeh and Panel as we serve them: nonces, origins, limits, nothing imported by name."""

import asyncio
import importlib
import re
from dataclasses import dataclass
from typing import Any

import bokeh.server.urls
import panel.io.server
from panel.io.server import ComponentResourceHandler, DocHandler, WSHandler
from tornado.web import HTTPError, RequestHandler, StaticFileHandler

from llm_ui.app.gate import Origins
from llm_ui.auth.headers import new_nonce, security_headers
from llm_ui.auth.pages import TEMPLATES
from llm_ui.kit import assets

SCRIPT_TAG = re.compile(r"<script(?=[\s>])")
COMPONENT_PACKAGES = ("llm_ui.", "panel.")
MAX_PAGES_A_PERSON = 40
MAX_PAGES = 2_000
"""Open pages of one process; at under a megabyte each, and a page more than it can serve helps nobody."""


@dataclass
class Health:
    """Whether the process takes new visitors."""

    is_ready: bool = True


class Page(DocHandler):
    """A page of the workspace: with a nonce on every script and a bound on how many there are."""

    def initialize(self, *args: Any, **kwargs: Any) -> None:
        """Make the nonce of this response."""
        self.nonce = new_nonce()
        super().initialize(*args, **kwargs)

    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Send the page."""
        self.request.csrf_token = self.xsrf_token.decode()
        if self.current_user is not None and self._is_full():
            self.set_status(503)
            self.set_header("Retry-After", "30")
            sentence = "You have many pages of LLM UI open, or the server has. Close some and reload."
            self._plain("Too many open pages", sentence)
            return
        await super().get(*args, **kwargs)

    def write(self, chunk: str | bytes | dict[str, Any]) -> None:
        """Put the nonce on the page's scripts."""
        if isinstance(chunk, str):
            chunk = SCRIPT_TAG.sub(f'<script nonce="{self.nonce}"', chunk)
        super().write(chunk)

    def set_default_headers(self) -> None:
        """Put the security headers on the page, and on its errors."""
        for name, value in security_headers(getattr(self, "nonce", "")).items():
            self.set_header(name, value)

    async def prepare(self) -> None:
        """Set the headers again now that there is a nonce, then ask who it is."""
        self.set_default_headers()
        await super().prepare()

    def write_error(self, status_code: int, **_: Any) -> None:
        """Send a sentence, never a traceback."""
        self.set_default_headers()
        self._plain("Sorry", "Something went wrong here. Reload the page; if it stays, tell an administrator.")

    def _is_full(self) -> bool:
        sessions = [live for context in self.application.applications.values() for live in context.sessions]
        user_id = self.current_user.user_id
        own = sum(_owner(live) == user_id for live in sessions)
        return own >= MAX_PAGES_A_PERSON or len(sessions) >= MAX_PAGES

    def _plain(self, title: str, message: str) -> None:
        page = TEMPLATES.get_template("error.html").render(
            nonce=self.nonce, csrf="", asset=assets.url, actor=None, title=title, message=message
        )
        self.set_header("Content-Type", "text/html; charset=utf-8")
        # The page has its nonce already: past the rewriting.
        super().write(page.encode())
        self.finish()


def _owner(live: Any) -> object:
    return live.document.session_context.request.actor.user_id


class Socket(WSHandler):
    """A page's websocket: only from our own pages, and without the delay that small frames suffer."""

    origins: Origins

    def check_origin(self, origin: str) -> bool:
        """Return whether the page that opens the socket is ours."""
        return self.origins.allows(origin)

    async def prepare(self) -> None:
        """Refuse a handshake that does not say where it comes from: every browser does."""
        if not self.origins.allows(self.request.headers.get("Origin")):
            raise HTTPError(403)
        await super().prepare()

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Send each frame at once: Nagle's algorithm and delayed acknowledgements cost 30 ms a message together."""
        self.set_nodelay(True)
        return super().open(*args, **kwargs)


class ComponentResources(ComponentResourceHandler):
    """Files of components. Panel imports whatever module the address names; here only what is loaded already."""

    def parse_url_path(self, path: str) -> str:
        """Return the file, for components of ours and Panel's only."""
        module = path.split("/", 1)[0]
        if not module.startswith(COMPONENT_PACKAGES) or importlib.sys.modules.get(module) is None:
            raise HTTPError(404)
        return super().parse_url_path(path)


class Assets(StaticFileHandler):
    """Our own files; their address changes with them, so browsers may keep them."""

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """Serve only what is meant for browsers."""
        if not absolute_path.endswith(assets.SERVED):
            raise HTTPError(404)
        return super().validate_absolute_path(root, absolute_path)

    def set_extra_headers(self, path: str) -> None:
        """Let browsers keep the file."""
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.set_header("X-Content-Type-Options", "nosniff")


class HealthHandler(RequestHandler):
    """Whether the process is up and takes visitors."""

    def initialize(self, health: Health) -> None:
        """Take the flag from the route."""
        self.health = health

    def get(self) -> None:
        """Answer 200, or 503 while draining."""
        self.set_status(200 if self.health.is_ready else 503)
        self.finish({"status": "ok" if self.health.is_ready else "draining"})


class Me(RequestHandler):
    """Whether this browser is still signed in: asked by a page that lost its websocket."""

    def initialize(self, site: Any) -> None:
        """Take the site from the route."""
        self.site = site

    async def get(self) -> None:
        """Answer 204 to whoever is signed in, else 401."""
        self.set_header("Cache-Control", "no-store")
        self.set_status(401 if await self.site.actor_of(self.request) is None else 204)
        await asyncio.sleep(0)


def install(origins: Origins) -> None:
    """Put our handlers where Bokeh and Panel look for theirs; their other pages are not served."""
    socket = type("OurSocket", (Socket,), {"origins": origins})
    bokeh.server.urls.per_app_patterns[:] = [(r"/ws", socket), (r"/?", Page)]
    panel.io.server.ComponentResourceHandler = ComponentResources
