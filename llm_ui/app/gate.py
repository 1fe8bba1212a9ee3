"""The gate of the Panel server: who may open a page or a websocket, and closing those whose session ended."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from bokeh.server.auth_provider import AuthProvider
from bokeh.util.token import get_session_id
from tornado.web import HTTPError, RequestHandler
from tornado.websocket import WebSocketHandler

from llm_ui.auth.site import Site
from llm_ui.errors import LLMUIError, NotSignedIn
from llm_ui.kit.clock import now
from llm_ui.kit.ids import SessionId
from llm_ui.observability.logging import get_logger
from llm_ui.services.access import Actor
from llm_ui.services.sign_in import actor_of_session, revoked_since, touch

log = get_logger(__name__)

SIGNED_OUT = 4401
"""Websocket close code for a session that ended; the page goes to the sign-in page on it."""
LOOK_EVERY_S = 0.4
"""How often ended sessions are looked for, also those another process ended."""
OVERLAP = timedelta(seconds=5)
"""A commit may become visible a little after its own time stamp."""
CHECK_ALL_S = 60.0
"""How often open sockets are checked for time-outs."""
FORBIDDEN_ARGUMENTS = ("bokeh-session-id", "bokeh-token")


class Gate(AuthProvider):
    """Bokeh's authentication, answered by our own sessions. Its own cookies and pages are not used."""

    def __init__(self, site: Site) -> None:
        self._site = site
        super().__init__()

    @property
    def get_user(self) -> None:
        """No synchronous look-up: it would answer yes to everybody."""
        return None

    @property
    def get_user_async(self) -> Callable[[RequestHandler], Awaitable[Actor | None]]:
        """Return the look-up that every page and websocket of Bokeh awaits."""
        return self._who

    @property
    def login_url(self) -> None:
        """The address depends on the page: see `get_login_url`."""
        return None

    @property
    def get_login_url(self) -> Callable[[RequestHandler], str]:
        """Return where strangers are sent. Bokeh puts a dot before it, so it climbs to the root first."""
        return login_url

    @property
    def login_handler(self) -> None:
        """Ours is a plain page of its own."""
        return None

    @property
    def logout_url(self) -> None:
        """Ours is a plain page of its own."""
        return None

    @property
    def logout_handler(self) -> None:
        """Ours is a plain page of its own."""
        return None

    async def _who(self, handler: RequestHandler) -> Actor | None:
        request = handler.request
        if "Bokeh-Session-Id" in request.headers or any(map(handler.get_arguments, FORBIDDEN_ARGUMENTS)):
            # A session id that the browser chooses is a page that somebody else prepared.
            raise HTTPError(400)
        actor = await self._site.actor_of(request)
        if actor is None:
            return None
        if isinstance(handler, WebSocketHandler) and not _is_own_document(handler, actor):
            log.warning("websocket.refused", user_id=actor.user_id, reason="document of somebody else")
            return None
        request.actor = actor
        return actor


def login_url(handler: RequestHandler) -> str:
    """Return the sign-in page's address relative to a handler's, with the way back."""
    path = handler.request.path
    back = f"?next={quote(path, safe='/')}" if path != "/" else ""
    return "/.." * (path.count("/") - 1) + "/login" + back


def _is_own_document(handler: Any, actor: Actor) -> bool:
    """Return whether the live document that the websocket asks for was built for the same person, or is not there."""
    offered = handler.request.headers.get("Sec-Websocket-Protocol", "").split(",")
    try:
        session_id = get_session_id(offered[1].strip())
    except (IndexError, ValueError, KeyError):
        return False
    live = handler.application_context._sessions.get(session_id)
    return live is None or live.document.session_context.request.actor.user_id == actor.user_id


class Origins:
    """Which websites may open websockets: those people open in their browser, by exact name."""

    def __init__(self, allowed: Iterable[str], port: int) -> None:
        self._allowed = {urlsplit(origin)._replace(path="").geturl().lower() for origin in allowed}
        for host in ("localhost", "127.0.0.1", "[::1]"):
            self._allowed.add(f"http://{host}:{port}")

    def allows(self, origin: str | None) -> bool:
        """Return whether the `Origin` header is one of ours; a missing one is not."""
        return origin is not None and origin.lower() in self._allowed

    @property
    def hosts(self) -> list[str]:
        """The same as `host:port`, as Bokeh wants them."""
        found = []
        for origin in sorted(self._allowed):
            parts = urlsplit(origin)
            found.append(parts.netloc if parts.port else f"{parts.netloc}:{443 if parts.scheme == 'https' else 80}")
        return found


class Sockets:
    """The open websockets, by the session that opened them."""

    def __init__(self, site: Site, clients: Callable[[], Iterable[Any]]) -> None:
        self._site = site
        self._clients = clients
        self._touched: dict[SessionId, float] = {}

    async def actor(self, session_id: SessionId) -> Actor:
        """Return whoever the session belongs to now. Raises `NotSignedIn`, and closes the session's pages then."""
        database = self._site.backend.database
        try:
            async with database.reading() as session:
                actor = await actor_of_session(session, session_id, self._site.time_outs)
        except NotSignedIn:
            self.close_sessions({session_id})
            raise
        if time.monotonic() - self._touched.get(session_id, -CHECK_ALL_S) >= CHECK_ALL_S:
            self._touched[session_id] = time.monotonic()
            async with database.writing() as session:
                await touch(session, session_id)
        return actor

    def close_sessions(self, ended: set[SessionId]) -> None:
        """Close every websocket of these sessions."""
        for socket, session_id in list(self._open()):
            if session_id in ended:
                socket.close(SIGNED_OUT, "signed out")
                log.info("websocket.closed", session_id=session_id, reason="session ended")

    def close_all(self, code: int, reason: str) -> None:
        """Close every websocket."""
        for socket, _ in list(self._open()):
            socket.close(code, reason)

    async def keep_closing(self) -> None:
        """Close the pages of ended sessions, within half a second of their end, until cancelled."""
        checked_at = time.monotonic()
        since = now()
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if not any(True for _ in self._open()):
                since = now()
                continue
            try:
                instant = now()
                async with self._site.backend.database.reading() as session:
                    ended = await revoked_since(session, since - OVERLAP)
                since = instant
                self.close_sessions(set(ended))
                if time.monotonic() - checked_at > CHECK_ALL_S:
                    checked_at = time.monotonic()
                    await self._check_all()
            except LLMUIError as error:
                log.warning("sessions.check_failed", code=error.code)

    async def _check_all(self) -> None:
        open_now = {session_id for _, session_id in self._open()}
        for gone in self._touched.keys() - open_now:
            del self._touched[gone]
        for session_id in open_now:
            with contextlib.suppress(NotSignedIn):
                async with self._site.backend.database.reading() as session:
                    await actor_of_session(session, session_id, self._site.time_outs)
                continue
            self.close_sessions({session_id})

    def _open(self) -> Iterator[tuple[Any, SessionId]]:
        for client in self._clients():
            actor = getattr(client._socket.request, "actor", None)
            if actor is not None:
                yield client._socket, actor.session_id
