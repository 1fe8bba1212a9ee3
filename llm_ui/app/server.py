"""The UI process: Panel on Tornado, in our own event loop."""

import asyncio
import contextlib
import errno
from pathlib import Path
from typing import Any

import panel
from tornado.web import RedirectHandler, StaticFileHandler

from llm_ui.app.gate import Gate, Origins, Sockets
from llm_ui.app.handlers import Assets, Health, HealthHandler, Me, install
from llm_ui.app.routing import applications
from llm_ui.auth.pages import routes
from llm_ui.auth.site import Site
from llm_ui.bootstrap import open_database
from llm_ui.config import Config
from llm_ui.errors import ConfigurationError
from llm_ui.kit import assets
from llm_ui.llm_client import LLMClient
from llm_ui.observability.logging import get_logger
from llm_ui.services.secrets import load_secrets
from llm_ui.services.users import new_setup_token
from llm_ui.ui.page import Backend

log = get_logger(__name__)

TOKEN_S = 86_400
"""A page may reconnect this long after it was loaded: over a night with a closed laptop."""
PING_S = 20
MAX_MESSAGE_BYTES = 4 * 2**20
UNUSED_PAGE_MS = 60_000
"""A page whose websocket never comes, or is gone for so long, is thrown away."""
CLOSING_S = 1.0
RESTARTING = 1012
"""Websocket close code "service restart" (IANA registry)."""


async def run(config: Config, stop: asyncio.Event) -> None:
    """Serve until `stop` is set, then close every page in good order. Raises our errors when it cannot begin."""
    secrets = await asyncio.to_thread(load_secrets, config)
    database = await open_database(config)
    site = Site(Backend(config, database, LLMClient(config.llm_api_url, secrets.signer), secrets))
    try:
        server, health, sockets = _listen(site)
        await _tell_setup_link(site)
        closing = asyncio.create_task(sockets.keep_closing())
        log.info("ui.started", host=config.host, port=config.port)
        await stop.wait()
        health.is_ready = False
        closing.cancel()
        await _close(server, sockets)
        log.info("ui.stopped")
    finally:
        site.passwords.close()
        await site.backend.llm.aclose()
        await database.close()


def _listen(site: Site) -> tuple[Any, Health, Sockets]:
    """Start listening. Raises `ConfigurationError` when the port is taken."""
    config, signer = site.backend.config, site.backend.secrets.signer
    origins = Origins(config.origins, config.port)
    install(origins)
    panel.config.reconnect = True
    health = Health()
    sockets = Sockets(site, lambda: list(server._tornado._clients))
    tls = any(origin.startswith("https://") for origin in config.origins)
    try:
        server = panel.serve(
            applications(site.backend, sockets.actor),
            port=config.port,
            address=config.host,
            show=False,
            start=False,
            verbose=False,
            auth_provider=Gate(site),
            extra_patterns=_patterns(site, health),
            websocket_origin=origins.hosts,
            sign_sessions=True,
            secret_key=signer.derive("page").hex(),
            generate_session_ids=True,
            include_cookies=["__none__"],
            include_headers=["__none__"],
            session_token_expiration=TOKEN_S,
            unused_session_lifetime_milliseconds=UNUSED_PAGE_MS,
            websocket_ping_interval=PING_S,
            websocket_ping_timeout=PING_S,
            websocket_max_message_size=MAX_MESSAGE_BYTES,
            websocket_compression_level=None,
            compress_response=True,
            use_xheaders=config.trust_proxy,
            xsrf_cookies=True,
            xsrf_cookie_kwargs={"httponly": True, "samesite": "Lax", "secure": tls},
            keep_alive_milliseconds=0,
        )
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES):
            raise
        raise ConfigurationError(
            f"The pages cannot be served on {config.host}:{config.port}: {error.strerror}. "
            "Choose another port with --port."
        ) from None
    server.start()
    return server, health, sockets


def _patterns(site: Site, health: Health) -> list[Any]:
    """Return the routes that are not pages of Panel."""
    dist = Path(panel.__file__).parent / "dist"
    return [
        *routes(site),
        (r"/healthz", HealthHandler, {"health": health}),
        (r"/api/me", Me, {"site": site}),
        (r"/admin/?", RedirectHandler, {"url": "/admin/providers", "permanent": False}),
        (rf"/assets/{assets.version()}/(.*)", Assets, {"path": str(assets.folder())}),
        (r"/pncdn/[^/]+/dist/(.*)", StaticFileHandler, {"path": str(dist)}),
    ]


async def _tell_setup_link(site: Site) -> None:
    """Print the one-time set-up link while there is no administrator."""
    config = site.backend.config
    async with site.backend.database.writing(lock="register") as session:
        token = await new_setup_token(session)
    if token is not None:
        host = "127.0.0.1" if config.host in ("0.0.0.0", "::", "") else config.host  # noqa: S104 - compared, not bound
        origin = config.origins[0] if config.origins else f"http://{host}:{config.port}"
        print(f"\n  Set up LLM UI here, once: {origin}/setup?token={token}\n", flush=True)  # noqa: T201


async def _close(server: Any, sockets: Sockets) -> None:
    """Take no new visitors, close the sockets, run what pages have registered for their end, stop."""
    server._http.stop()
    sockets.close_all(RESTARTING, "restarting")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSING_S):
            while server._tornado._clients:
                await asyncio.sleep(0.02)
    for context in server._tornado.applications.values():
        for session in list(context.sessions):
            session.request_expiration()
        await context._cleanup_sessions(0)
    server.stop()
    await server._http.close_all_connections()
