"""The site that the pages of one process make up: the backend, its entrance, its limits, and who is asking."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from tornado.httputil import HTTPServerRequest

from llm_ui.auth.entrance import Entrance
from llm_ui.auth.throttle import Throttle
from llm_ui.errors import LLMUIError, NotSignedIn, SignInRefused
from llm_ui.kit.ids import UserId
from llm_ui.kit.passwords import Passwords
from llm_ui.observability.logging import get_logger
from llm_ui.services import second_factor
from llm_ui.services.access import Actor
from llm_ui.services.appearance import Appearance, appearance
from llm_ui.services.sign_in import TimeOuts, actor_of_token, password_hash_of, renew_hash
from llm_ui.ui.page import Backend

log = get_logger(__name__)

SESSION_COOKIE = "llm-ui-session"
PREFIX = "__Host-"
"""Binds a cookie to this host and path, and to TLS; browsers treat their own host as if it had TLS."""
MAX_PATH_CHARS = 500


@dataclass(frozen=True, slots=True)
class Site:
    """The site of one process."""

    backend: Backend
    entrance: Entrance
    passwords: Passwords
    throttle: Throttle

    @classmethod
    def of(cls, backend: Backend) -> "Site":
        """Return the site on a backend, with its own limits."""
        return cls(backend, Entrance(backend.config), Passwords(), Throttle())

    @property
    def time_outs(self) -> TimeOuts:
        """How long a sign-in lasts."""
        return TimeOuts.of(self.backend.config)

    def cookie_names(self, request: HTTPServerRequest, name: str) -> tuple[str, ...]:
        """Return the names under which a cookie is kept on this way in, the strongest first.

        Without TLS on the browser's own host there are two: Safari and most programs keep no `Secure` cookie there.
        """
        if self.entrance.is_tls(request):
            return (PREFIX + name,)
        return (PREFIX + name, name) if self.entrance.is_loopback(request) else (name,)

    def cookie(self, request: HTTPServerRequest, name: str) -> str | None:
        """Return a cookie's value."""
        found = (request.cookies[full].value for full in self.cookie_names(request, name) if full in request.cookies)
        return next(found, None)

    async def actor_of(self, request: HTTPServerRequest) -> Actor | None:
        """Return whoever's cookie the request carries, read from the database now; None for a stranger."""
        token = self.cookie(request, SESSION_COOKIE)
        if token is None:
            return None
        try:
            async with self.backend.database.reading() as session:
                return await actor_of_token(session, token, self.time_outs)
        except NotSignedIn:
            return None

    async def appearance(self) -> Appearance:
        """Return how the workspace looks; as it usually does while the database cannot say."""
        try:
            return await self.look()
        except LLMUIError:
            return Appearance()

    async def look(self) -> Appearance:
        """Return how the workspace looks. Raises our error while the database cannot say."""
        async with self.backend.database.reading() as session:
            return await appearance(session)

    async def checked(self, request: HTTPServerRequest, name: str, password: str) -> UserId:
        """Return the account whose password this is; a stored hash that is out of date is made anew.

        Raises `SignInRefused`, after the same work whether or not there is such an account, and `TooManyRequests`.
        """
        with self.throttle.sign_in(name, self.entrance.network(request)):
            async with self.backend.database.reading() as session:
                found = await password_hash_of(session, name)
            is_right, renewed = await self.passwords.check(password, found[1] if found else None)
            if found is None or not is_right:
                log.warning("sign_in.refused", address=self.entrance.address(request))
                raise SignInRefused
        if renewed is not None:
            async with self.backend.database.writing() as session:
                await renew_hash(session, found[0], renewed)
        return found[0]

    async def take_code(self, request: HTTPServerRequest, user_id: UserId, typed: str) -> None:
        """Take a code of a person's second factor. Raises `SignInRefused` and `TooManyRequests`."""
        with self.throttle.code(str(user_id), self.entrance.network(request)):
            try:
                async with self.backend.database.writing() as session:
                    await second_factor.give(session, self.backend.secrets.sealer, user_id, typed)
            except SignInRefused:
                log.warning("sign_in.refused", address=self.entrance.address(request), step="code")
                raise


def safe_path(target: str) -> str:
    """Return the path to go on to, or `/` unless it is one of this site (no other host, no scheme, no tricks)."""
    is_path = target.startswith("/") and not target.startswith(("//", "/\\"))
    is_plain = target.isprintable() and target.isascii() and "\\" not in target and " " not in target
    parts = urlsplit(target) if is_path and is_plain else None
    if parts is None or parts.scheme or parts.netloc or "//" in parts.path or "%2f" in target.lower():
        return "/"
    return target if len(target) <= MAX_PATH_CHARS else "/"
