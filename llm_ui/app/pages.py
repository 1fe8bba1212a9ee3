"""The pages of the workspace and their websockets: Bokeh's and Panel's handlers with our rules in front."""

import time
from asyncio import Future
from collections.abc import Callable
from functools import partial
from typing import Any

from bokeh.protocol.message import Message
from bokeh.server.session import ServerSession
from bokeh.util.token import generate_jwt_token, generate_session_id
from jinja2 import Template
from markupsafe import Markup
from panel.io.document import dispatch_tornado
from panel.io.resources import Resources
from panel.io.server import DocHandler, WSHandler, _set_request_route_context, server_html_page_for_session
from panel.io.state import set_curdoc
from tornado.iostream import StreamBufferFullError
from tornado.web import HTTPError
from tornado.websocket import WebSocketClosedError

from llm_ui.app.gate import OWNER, may_open
from llm_ui.app.room import make_room
from llm_ui.auth.handler import OurHandler
from llm_ui.auth.headers import nonce_of
from llm_ui.auth.templates import SCRIPT_TAG
from llm_ui.chat.follow import Op
from llm_ui.chat.open_chat import opening
from llm_ui.errors import TooManyRequests
from llm_ui.kit.i18n import gettext as _
from llm_ui.observability.crashes import report
from llm_ui.observability.logging import get_logger
from llm_ui.services.access import Actor

log = get_logger(__name__)

HANDLERS = {"PULL-DOC-REQ": ServerSession.pull, "PATCH-DOC": ServerSession.patch}
"""What our pages send. Bokeh would also take a whole new document (PUSH-DOC) and tell its versions."""
FLOOD_WINDOW_S = 10.0
MAX_FRAMES = 4_500
"""In each window; a message is three frames. A page that opens sends hundreds, somebody who types fast fifty a second.
More is a flood in a loop that is everybody's."""
MAX_UNSENT_BYTES = 8 * 2**20
"""Held for a browser that does not read. Beyond it the socket is cut; the page reconnects and draws itself anew."""
MAX_UNREAD_BYTES = 5 * 2**20
"""Room for the longest message and its headers. The server's own bound is for forms; a pasted text is larger."""
PROTOCOL_ERROR = 1002
POLICY_VIOLATION = 1008


class Page(OurHandler, DocHandler):
    """A page of the workspace."""

    application: Any

    async def prepare(self) -> None:
        """Find out who is asking and whether the page is for them, before anything is built."""
        if self.refuse_unknown_host():
            return
        await DocHandler.prepare(self)
        if self.actor is not None and not may_open(self.actor, self.request.path):
            self.say(403, _("Not for this account"), _("Only administrators see this page. Ask one of them."))

    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Send the page; strangers go to the sign-in page, without a session being made for them."""
        self.set_header("Cache-Control", "no-store")
        actor = self.actor
        if actor is None:
            self.redirect(self.get_login_url())
            return
        try:
            self.site.throttle.page(str(actor.user_id))
        except TooManyRequests as error:
            self.set_header("Retry-After", f"{error.retry_after:.0f}")
            self.say(503, _("Too many pages at once"), error.message)
            return
        if not await make_room(self.application.applications.values(), actor):
            self.set_header("Retry-After", "30")
            sentence = _("You have many pages of LLM UI open, or the server has. Close some and reload.")
            self.say(503, _("Too many open pages"), sentence)
            return
        self.request.csrf_token = self.xsrf_token.decode()
        self.request.appearance = await self.site.appearance()
        shown = await opening(self.site.backend.database, actor, self.request.path)
        _set_request_route_context(self, *args, **kwargs)
        session = await self._new_session(actor)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.write(self._rendered(session, shown))

    def get_login_url(self) -> str:
        """Return the sign-in page with the way back; absolute, because pages lie at different depths."""
        path: str = self.request.path
        return "/login" if path == "/" else f"/login?next={path}"

    async def _new_session(self, actor: Actor) -> Any:
        """Return a new Bokeh session, whose token holds no header and no cookie, but whose it is.

        In place of Bokeh's `get_session`, which takes the session's id from the address if there is one and copies
        every header and cookie into the token, for scripts to read.
        """
        server = self.application
        session_id = generate_session_id(secret_key=server.secret_key, signed=True)
        context = self.application_context
        token = generate_jwt_token(
            session_id,
            secret_key=server.secret_key,
            signed=True,
            expiration=server.session_token_expiration,
            extra_payload={
                "headers": {},
                "cookies": {},
                "arguments": {},
                **context.application.process_request(self.request),
                OWNER: str(actor.user_id),
            },
        )
        return await context.create_session_if_needed(session_id, self.request, token)

    def _rendered(self, session: Any, shown: Op | None) -> str:
        document = session.document
        with set_curdoc(document):
            return str(
                server_html_page_for_session(
                    session,
                    resources=Resources.from_bokeh(self.application.resources()),
                    title=document.title,
                    token=session.token,
                    template=_WithNonce(document.template, nonce_of(self.request)),
                    # Not a variable of the document, which would keep it as long as the page is open.
                    template_variables={**document.template_variables, "opening": shown},
                )
            )


class _WithNonce:
    """A template that gives the nonce to Bokeh's scripts, and to no other that a value may bring in."""

    def __init__(self, template: Template, nonce: str) -> None:
        self._template = template
        self._nonce = nonce

    def render(self, context: dict[str, Any]) -> str:
        """Render with the scripts of the document marked."""
        scripts = {name: self._marked(str(context[name])) for name in ("bokeh_js", "plot_script")}
        return self._template.render({**context, **scripts, "nonce": self._nonce})

    def _marked(self, scripts: str) -> Markup:
        return Markup(SCRIPT_TAG.sub(f'<script nonce="{self._nonce}"', scripts))  # noqa: S704 - Bokeh's own


class Socket(OurHandler, WSHandler):
    """A page's websocket: only from our own pages, for whoever the page was made for."""

    application: Any

    def initialize(self, *args: Any, **kwargs: Any) -> None:
        """Begin to count."""
        self._window = 0.0
        self._frames = 0
        super().initialize(*args, **kwargs)

    def check_origin(self, origin: str) -> bool:
        """Return whether the page that opens the socket is ours."""
        return self.site.entrance.allows(origin)

    async def prepare(self) -> None:
        """Refuse a handshake that does not say where it comes from (every browser does), and whoever may not."""
        if not self.site.entrance.allows(self.request.headers.get("Origin")):
            log.warning("websocket.refused", reason="origin")
            raise HTTPError(403)
        await WSHandler.prepare(self)
        if self.actor is None or self._finished:
            return
        if not may_open(self.actor, self.request.path):
            raise HTTPError(403)
        self.request.csrf_token = self.xsrf_token.decode()

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Send each frame at once: Nagle's algorithm and delayed acknowledgements cost 30 ms a message together."""
        self.set_nodelay(True)
        self.ws_connection.stream.max_write_buffer_size = MAX_UNSENT_BYTES
        self.ws_connection.stream.max_buffer_size = MAX_UNREAD_BYTES
        # There, because Panel goes round this class.
        self.ws_connection.write_message = partial(self._write, self.ws_connection.write_message)
        return super().open(*args, **kwargs)

    def _write(self, write: Callable[..., Future[None]], message: Any, binary: bool = False) -> Future[None]:
        """Send a frame, or cut the connection of a browser that has not read for long."""
        try:
            return write(message, binary=binary)
        except StreamBufferFullError:
            log.warning("websocket.cut", reason="browser does not read")
            self.ws_connection.stream.close()
            raise WebSocketClosedError from None

    async def send_message(self, message: Message[Any]) -> None:
        """Send a message; a browser that has just gone is no warning.

        All its frames at once, as Panel sends news of a page, and not as Bokeh does, which holds a lock while it waits
        for each: what Panel has to say meanwhile it keeps until there is more, and where that comes as its own sending
        ends (`panel.io.document._dispatch_msgs`) it stays until the next thing happens on the page, maybe for good.
        """
        try:
            for sent in dispatch_tornado(self.connection, msg=message):
                await sent
        except WebSocketClosedError:
            log.info("websocket.gone")

    async def on_message(self, fragment: str | bytes) -> None:
        """Handle a frame."""
        if self._is_flood():
            self.close(POLICY_VIOLATION, "too many messages")
            return
        self.begin_request()
        message = await self._receive(fragment)
        if message is None:
            return
        handle = HANDLERS.get(message.msgtype)
        if handle is None:
            self.close(POLICY_VIOLATION, "this message is not used here")
            return
        await self.send_message(await self._answer(handle, message))

    async def _answer(self, handle: Any, message: Any) -> Any:
        """Return the answer. Bokeh's own would send a traceback, and write what people typed into the log."""
        try:
            return await handle(message, self.connection)
        except Exception as error:  # noqa: BLE001 - the edge of a page's events
            log.warning("websocket.message_failed", error=type(error).__name__)
            report(error, "websocket.message_failed")
        # Outside the handling of the exception, because Bokeh adds the traceback of what is being handled.
        return self.connection.error(message, "This could not be done. Reload the page.")

    async def _receive(self, fragment: str | bytes) -> Any:
        """Return the message that the frame completes, if it does; what is no message ends the connection."""
        try:
            return await self.receiver.consume(fragment)
        except Exception as error:  # noqa: BLE001 - the edge of a page's events: anything may be sent
            log.warning("websocket.broken", error=type(error).__name__)
            self.close(PROTOCOL_ERROR, "this is no message of a page")
            return None

    def _is_flood(self) -> bool:
        window = time.monotonic() // FLOOD_WINDOW_S
        self._frames = self._frames + 1 if window == self._window else 1
        self._window = window
        return self._frames > MAX_FRAMES
