"""Serving: Panel's server with our handlers, limits and routes, in the loop that runs already."""

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bokeh.server.urls
import panel
import panel.io.server
from bokeh.settings import settings as bokeh_settings
from tornado.web import GZipContentEncoding, RedirectHandler, RequestHandler, StaticFileHandler

from llm_ui.app.archive import Archive
from llm_ui.app.configuration_file import ConfigurationFile
from llm_ui.app.documents import DocumentFile, DocumentUpload
from llm_ui.app.exports import Export
from llm_ui.app.files import Assets, ComponentFiles, Health
from llm_ui.app.gate import Gate
from llm_ui.app.imports import Import
from llm_ui.app.lists import ListFile
from llm_ui.app.look import PICTURES, Logo, LogoUpload, Look
from llm_ui.app.manifest import Manifest
from llm_ui.app.offline import Offline, ServiceWorker
from llm_ui.app.pages import Page, Socket
from llm_ui.app.pictures import Picture, PictureUpload
from llm_ui.app.preview import Preview
from llm_ui.app.receipts import ReceiptFile
from llm_ui.app.shares import ImageOfShare, Share
from llm_ui.app.sockets import Sockets
from llm_ui.app.uploads import AttachedFile, Upload
from llm_ui.app.usage_files import UsageFile
from llm_ui.auth.handler import told_path
from llm_ui.auth.headers import security_headers
from llm_ui.auth.pages import ROUTES, NotFound
from llm_ui.auth.site import Site
from llm_ui.errors import ConfigurationError
from llm_ui.kit.ids import SessionId
from llm_ui.observability.logging import get_logger

log = get_logger(__name__)

TOKEN_S = 86_400
"""A page may reconnect this long after it was loaded: over a night with a closed laptop."""
PING_S = 20
MAX_MESSAGE_BYTES = 4 * 2**20
MAX_BODY_BYTES = 64 * 2**10
"""Of a plain request: forms only. What people write goes over the websocket."""
SLOW_S = 60
"""A browser that takes longer for its headers or its form is not one."""
UNUSED_PAGE_MS = 60_000
"""A page whose websocket never comes, or is gone for so long, is thrown away."""
CLOSING_S = 1.0
CLOSING_STEP_S = 0.02
RESTARTING = 1012
"""Websocket close code "service restart" (IANA registry)."""

ActorOf = Callable[[SessionId], Any]
Applications = Callable[[ActorOf], Mapping[str, Callable[[], Any]]]


@dataclass(slots=True)
class Readiness:
    """Whether the process takes new visitors."""

    is_ready: bool = True


class Served:
    """The site while it is served."""

    def __init__(self, server: Any, sockets: Sockets, readiness: Readiness) -> None:
        self._server = server
        self._sockets = sockets
        self._readiness = readiness
        self._closing_ended = asyncio.create_task(sockets.keep_closing())

    @property
    def documents(self) -> list[Any]:
        """The Bokeh sessions that are alive."""
        contexts = self._server._tornado.applications.values()
        return [live for context in contexts for live in context.sessions]

    @property
    def open_pages(self) -> int:
        """How many websockets are open."""
        return len(self._server._tornado._clients)

    async def until(self, stop: asyncio.Event) -> None:
        """Serve until told to stop. Raises what ended the watch over ended sessions: without it nothing is served."""
        stopping = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait({stopping, self._closing_ended}, return_when=asyncio.FIRST_COMPLETED)
            if self._closing_ended in done:
                await self._closing_ended
        finally:
            stopping.cancel()

    async def close(self) -> None:
        """Take no new visitors, close the sockets, run what pages have registered for their end, stop."""
        self._readiness.is_ready = False
        self._closing_ended.cancel()
        self._server._http.stop()
        self._sockets.close_all(RESTARTING, "restarting")
        for _ in range(round(CLOSING_S / CLOSING_STEP_S)):
            if not self._server._tornado._clients:
                break
            await asyncio.sleep(CLOSING_STEP_S)
        for context in self._server._tornado.applications.values():
            for live in list(context.sessions):
                live.request_expiration()
            await context._cleanup_sessions(0)
        self._server.stop()
        await self._server._http.close_all_connections()


def serve(site: Site, applications: Applications) -> Served:
    """Start serving. Raises `ConfigurationError` when the port is taken."""
    config = site.backend.config
    _require_free(config.host, config.port)
    _install()
    readiness = Readiness()
    sockets = Sockets(site, lambda: list(server._tornado._clients))
    with _sigint_kept():
        server = panel.serve(
            dict(applications(sockets.actor)),
            port=config.port,
            address=config.host,
            show=False,
            start=False,
            verbose=False,
            auth_provider=Gate(site),
            extra_patterns=_routes(),
            use_index=False,
            sign_sessions=True,
            secret_key=site.backend.secrets.signer.derive("page"),
            # Our pages make their tokens themselves; should Bokeh's way ever come back, it has nothing to copy.
            include_cookies=["__none__"],
            include_headers=["__none__"],
            session_token_expiration=TOKEN_S,
            unused_session_lifetime_milliseconds=UNUSED_PAGE_MS,
            keep_alive_milliseconds=0,
            websocket_ping_interval=PING_S,
            websocket_ping_timeout=PING_S,
            websocket_max_message_size=MAX_MESSAGE_BYTES,
            http_server_kwargs={
                "max_body_size": MAX_BODY_BYTES,
                "max_buffer_size": 2 * MAX_BODY_BYTES,
                "idle_connection_timeout": SLOW_S,
                "body_timeout": SLOW_S,
            },
            transforms=[security_headers(site.entrance.is_tls), GZipContentEncoding],
            xsrf_cookies=True,
            xsrf_cookie_name="llm-ui-xsrf",
            xsrf_cookie_kwargs={"max_age": config.session_absolute_s},
            cross_origin_protection=True,
            default_handler_class=NotFound,
            log_function=_log_request,
            site=site,
            readiness=readiness,
        )
    server.start()
    return Served(server, sockets, readiness)


def _require_free(host: str, port: int) -> None:
    """Raise `ConfigurationError` unless the port can be listened on. Tornado would leave its socket open."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise ConfigurationError(
            f"The pages cannot be served on {host}:{port}: {error.strerror}. Choose another port with --port."
        ) from None


def _install() -> None:
    """Put our handlers where Bokeh and Panel look for theirs; their other pages are not served."""
    bokeh.server.urls.per_app_patterns[:] = [(r"/ws", Socket), (r"/?", Page)]
    panel.io.server.ComponentResourceHandler = ComponentFiles
    panel.config.reconnect = True
    # An environment variable must not make pages load scripts from elsewhere.
    bokeh_settings.resources = "server"


def _routes() -> list[Any]:
    """Return the routes that are not pages of Panel."""
    dist = Path(panel.__file__).parent / "dist"
    return [
        *ROUTES,
        (r"/export/([0-9a-f\-]{36})\.(md|html|json)", Export),
        (r"/export/everything\.zip", Archive),
        (r"/import", Import),
        (r"/s/([^/]+)", Share),
        (r"/s/([^/]+)/images/([0-9a-f\-]{36})", ImageOfShare),
        (r"/picture", Picture),
        (r"/picture/upload", PictureUpload),
        (r"/files", Upload),
        (r"/files/([0-9a-f\-]{36})", AttachedFile),
        (r"/p/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/documents", DocumentUpload),
        (r"/documents/([0-9a-f\-]{36})/file", DocumentFile),
        (r"/admin/configuration\.json", ConfigurationFile),
        (r"/admin/lists/([a-z\-]+)\.(csv|json)", ListFile),
        (r"(/admin)?/usage/([a-z]+)\.csv", UsageFile),
        (r"/admin/erasures/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.json", ReceiptFile),
        (r"/app\.webmanifest", Manifest),
        (r"/look", Look),
        (rf"/logo/([0-9a-f]+)/({PICTURES})\.png", Logo),
        (r"/admin/logo", LogoUpload),
        (r"/offline", Offline),
        (r"/service-worker\.js", ServiceWorker),
        (r"/preview", Preview),
        (r"/healthz", Health),
        (r"/admin/?", RedirectHandler, {"url": "/admin/overview", "permanent": False}),
        (r"/assets/([0-9a-f]+)/(.*)", Assets),
        (r"/pncdn/[^/]+/dist/(.*)", StaticFileHandler, {"path": str(dist)}),
    ]


def _log_request(handler: RequestHandler) -> None:
    """Log an answered request, without its arguments: they may hold a token."""
    duration_ms = round(1000 * handler.request.request_time(), 1)
    log.debug("request.served", path=told_path(handler.request.path), status=handler.get_status(), ms=duration_ms)


@contextlib.contextmanager
def _sigint_kept() -> Any:
    """Give SIGINT back to whoever has it: Panel takes it for itself, and would stop the loop in mid-work."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
