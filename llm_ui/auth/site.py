"""What the plain HTTP pages share: the backend, the cookie, who is asking."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tornado.httputil import HTTPServerRequest

from llm_ui.auth.throttle import Throttle
from llm_ui.errors import NotSignedIn
from llm_ui.kit.passwords import Passwords
from llm_ui.services.access import Actor
from llm_ui.services.sign_in import TimeOuts, actor_of_token
from llm_ui.ui.page import Backend

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
COOKIE = "llm-ui-session"


@dataclass(frozen=True, slots=True)
class Site:
    """The site of one process."""

    backend: Backend
    passwords: Passwords = field(default_factory=Passwords)
    throttle: Throttle = field(default_factory=Throttle)

    @property
    def time_outs(self) -> TimeOuts:
        """How long a sign-in lasts."""
        return TimeOuts.of(self.backend.config)

    async def actor_of(self, request: HTTPServerRequest) -> Actor | None:
        """Return whoever's cookie the request carries, read from the database now; None for a stranger."""
        cookie = request.cookies.get(cookie_name(request))
        if cookie is None:
            return None
        try:
            async with self.backend.database.reading() as session:
                return await actor_of_token(session, cookie.value, self.time_outs)
        except NotSignedIn:
            return None


def is_secure(request: HTTPServerRequest) -> bool:
    """Return whether the browser takes and keeps `Secure` cookies: over TLS, and on its own host without it."""
    host = urlsplit(f"//{request.host}").hostname or ""
    return request.protocol == "https" or host in LOCAL_HOSTS


def cookie_name(request: HTTPServerRequest) -> str:
    """Return the cookie's name. The `__Host-` prefix binds it to this host and path, but browsers want TLS for it."""
    return f"__Host-{COOKIE}" if is_secure(request) else COOKIE


def safe_path(target: str) -> str:
    """Return the path to go on to, or `/` unless it is one of this site (no other host, no scheme, no tricks)."""
    is_path = target.startswith("/") and not target.startswith(("//", "/\\"))
    is_plain = target.isprintable() and target.isascii() and "\\" not in target and " " not in target
    parts = urlsplit(target) if is_path and is_plain else None
    if parts is None or parts.scheme or parts.netloc or "//" in parts.path or "%2f" in target.lower():
        return "/"
    return target if len(target) <= 500 else "/"
