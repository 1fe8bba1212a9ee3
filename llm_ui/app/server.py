"""The UI process: opens what the pages need, serves, closes in good order."""

import asyncio
import sys
from typing import Any

from tornado.websocket import WebSocketClosedError

from llm_ui.app.routing import applications
from llm_ui.app.serving import serve
from llm_ui.auth import templates
from llm_ui.auth.site import Site
from llm_ui.bootstrap import open_database
from llm_ui.config import Config
from llm_ui.kit import assets
from llm_ui.llm_client import LLMClient
from llm_ui.observability.logging import get_logger
from llm_ui.services.processes import Reporter
from llm_ui.services.secrets import load_secrets
from llm_ui.services.users import new_setup_token
from llm_ui.ui.page import Backend

log = get_logger(__name__)


async def run(config: Config, stop: asyncio.Event) -> None:
    """Serve until `stop` is set, then close every page in good order. Raises our errors when it cannot begin."""
    asyncio.get_running_loop().set_exception_handler(_tell_of_exception)
    await asyncio.to_thread(_read_files)
    secrets = await asyncio.to_thread(load_secrets, config)
    database = await open_database(config)
    site = Site.of(Backend(config, database, LLMClient(config.llm_api_url, secrets.signer), secrets))
    try:
        served = serve(site, lambda actor_of: applications(site.backend, actor_of))
        try:
            await _tell_setup_link(site)
            reporting = asyncio.create_task(Reporter(database, "ui", at_work=lambda: served.open_pages).keep())
            log.info("ui.started", host=config.host, port=config.port)
            try:
                await served.until(stop)
            finally:
                reporting.cancel()
                await asyncio.wait({reporting})
        finally:
            await served.close()
        log.info("ui.stopped")
    finally:
        site.passwords.close()
        await site.backend.llm.aclose()
        await database.close()


def _tell_of_exception(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what no task awaited; a page that went away while it was written to is no event."""
    if not isinstance(context.get("exception"), WebSocketClosedError):
        loop.default_exception_handler(context)


def _read_files() -> None:
    """Read what would block the event loop later."""
    assets.version()
    templates.load()


async def _tell_setup_link(site: Site) -> None:
    """Print the one-time set-up link while there is no administrator."""
    config = site.backend.config
    async with site.backend.database.writing(lock="set-up") as session:
        token = await new_setup_token(session)
    if token is not None:
        sys.stdout.write(f"\n  Set up LLM UI here, once: {config.public_origin}/setup?token={token}\n\n")
        sys.stdout.flush()
