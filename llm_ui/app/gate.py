"""The gate of the Panel server: who may open a page or a websocket."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from bokeh.server.auth_provider import AuthProvider
from bokeh.util.token import check_token_signature, get_session_id, get_token_payload
from tornado.web import HTTPError, RequestHandler
from tornado.websocket import WebSocketHandler

from llm_ui.auth.site import Site
from llm_ui.kit.i18n import later
from llm_ui.models import Role
from llm_ui.observability.logging import get_logger
from llm_ui.services.access import ROLE_PERMISSIONS, Actor, Permission

log = get_logger(__name__)

FORBIDDEN_ARGUMENTS = ("bokeh-session-id", "bokeh-token")
FORBIDDEN_HEADER = "Bokeh-Session-Id"
OWNER = "owner"
"""Names in a page's token whom the page was made for. The token is signed, so nobody else can claim the page."""
ADMIN_PATH = "/admin/"
ADMIN_PAGES = {
    "overview": later("Overview"),
    "usage": later("Usage"),
    "runs": later("Runs"),
    "jobs": later("Jobs"),
    "system": later("System"),
    "logs": later("Logs"),
    "alerts": later("Alerts"),
    "providers": later("Providers"),
    "models": later("Models"),
    "auto": later("Auto models"),
    "experiments": later("Experiments"),
    "users": later("Users"),
    "teams": later("Teams"),
    "limits": later("Limits"),
    "sign-in": later("Sign-in"),
    "filters": later("Safety filters"),
    "quality": later("Quality"),
    "settings": later("Settings"),
    "registry": later("All settings"),
    "configuration": later("Configuration"),
    "keeping": later("Keeping"),
    "audit": later("Audit"),
}
"""The pages of the administration, in the order of its navigation."""
FIGURES = frozenset({"overview", "usage", "runs", "jobs", "system", "logs", "alerts"})
"""Those that show figures only, without anybody's content: operators open these and no others."""


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
        """Return where strangers are sent."""
        return lambda _: "/login"

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
        if FORBIDDEN_HEADER in request.headers or any(map(handler.get_arguments, FORBIDDEN_ARGUMENTS)):
            # A session id that the browser chooses is a page that somebody else prepared.
            raise HTTPError(400)
        actor = await self._site.actor_of(request)
        if actor is None:
            return None
        if isinstance(handler, WebSocketHandler) and not _is_own_page(handler, actor):
            log.warning("websocket.refused", user_id=actor.user_id, reason="not this person's page")
            return None
        request.actor = actor  # type: ignore[attr-defined]
        return actor


def pages_of(role: Role) -> dict[str, str]:
    """Return the pages of the administration that a role may open."""
    allowed = ROLE_PERMISSIONS[role]
    if Permission.MANAGE_PROVIDERS in allowed:
        return ADMIN_PAGES
    seen = FIGURES if Permission.SEE_FIGURES in allowed else frozenset()
    return {name: label for name, label in ADMIN_PAGES.items() if name in seen}


def may_open(actor: Actor, path: str) -> bool:
    """Return whether the actor may have the page at the path built at all."""
    name = path.removeprefix(ADMIN_PATH).partition("/")[0]
    return not path.startswith(ADMIN_PATH) or actor.may(Permission.MANAGE_PROVIDERS) or name in pages_of(actor.role)


def _is_own_page(handler: Any, actor: Actor) -> bool:
    """Return whether the page that the websocket asks for was made by us, for the same person, and not days ago.

    A page that is still alive must also be of the same sign-in: what it may do hangs on that one.
    """
    application = handler.application
    token = handler.request.headers.get("Sec-Websocket-Protocol", "").partition(",")[2].strip()
    try:
        if not check_token_signature(token, signed=True, secret_key=application.secret_key):
            return False
        payload = get_token_payload(token)
    except (ValueError, KeyError, TypeError, AttributeError, AssertionError):
        # Whatever is no token at all fails somewhere in Bokeh's parsing of it.
        return False
    if payload.get(OWNER) != str(actor.user_id) or payload["session_expiry"] <= time.time():
        return False
    live = handler.application_context._sessions.get(_session_id(token))
    return live is None or live.document.session_context.request.actor.session_id == actor.session_id


def _session_id(token: str) -> str:
    session_id: str = get_session_id(token)
    return session_id
