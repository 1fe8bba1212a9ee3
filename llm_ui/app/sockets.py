"""The open websockets of the process, by the sign-in that opened them; those whose sign-in ended are closed."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from bokeh.document.events import MessageSentEvent

from llm_ui.auth.site import Site
from llm_ui.errors import LLMUIError, NotSignedIn
from llm_ui.kit.ids import SessionId
from llm_ui.observability.logging import get_logger
from llm_ui.services.access import Actor
from llm_ui.services.appearance import Appearance, appearance
from llm_ui.services.sign_in import actor_of_session, ended_among, touch
from llm_ui.ui.amounts import show_in

log = get_logger(__name__)

SIGNED_OUT = 4401
"""Websocket close code for a session that ended; the page goes to the sign-in page on it."""
LOOK_EVERY_S = 0.4
"""How often ended sessions are looked for, also those another process ended."""
LOOK = "look"
"""What the message is called by which pages are told; `assets/shell.js` waits for it."""
CHECK_ALL_S = 60.0
"""How often open sockets are checked for time-outs."""


class Sockets:
    """The open websockets."""

    def __init__(self, site: Site, clients: Callable[[], Iterable[Any]]) -> None:
        self._site = site
        self._clients = clients
        self._touched: dict[SessionId, float] = {}
        self._look: Appearance | None = None
        self._telling: set[asyncio.Task[Any]] = set()

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

    def _tell_look(self, look: Appearance) -> None:
        """Tell every open page that the workspace looks another way, if it does: pages then ask how.

        Found by looking, like ended sessions, so that it does not matter which process changed it, and a banner comes
        and goes at its time.
        """
        if look == self._look:
            return
        self._look = look
        show_in(look.currency)
        for client in list(self._clients()):
            event = MessageSentEvent(client.session.document, LOOK, None)
            # Each on its own: a browser that does not read keeps nobody else waiting.
            task = asyncio.ensure_future(client.send_patch_document(event))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def keep_closing(self) -> None:
        """Close the pages of ended sessions, within half a second of their end, until cancelled; tell of a new look."""
        checked_at = time.monotonic()
        while True:
            try:
                await self._look_round()
                if time.monotonic() - checked_at > CHECK_ALL_S:
                    checked_at = time.monotonic()
                    await self.check_all()
            except LLMUIError as error:
                # The database is away for a moment; what ended meanwhile is found afterwards.
                log.warning("sessions.check_failed", code=error.code)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _look_round(self) -> None:
        """Look once for what ended and for another look, which is read while nobody is here, too: whoever comes asks
        for it after that, so that what is told is all that they miss."""
        open_now = {session_id for _, session_id in self._open()}
        async with self._site.backend.database.reading() as session:
            ended = await ended_among(session, open_now) if open_now else set()
            look = await appearance(session)
        self.close_sessions(ended)
        self._tell_look(look)

    async def check_all(self) -> None:
        """Close the pages of sessions that timed out, which nobody ends."""
        open_now = {session_id for _, session_id in self._open()}
        for gone in self._touched.keys() - open_now:
            del self._touched[gone]
        for session_id in open_now:
            try:
                async with self._site.backend.database.reading() as session:
                    await actor_of_session(session, session_id, self._site.time_outs)
            except NotSignedIn:
                self.close_sessions({session_id})

    def _open(self) -> Iterator[tuple[Any, SessionId]]:
        for client in self._clients():
            yield client._socket, client._socket.request.actor.session_id
