"""What all our request handlers share: cookies, the nonce, pages from templates, errors as a sentence with an id."""

import re
import secrets
from types import TracebackType
from typing import Any

from tornado.web import HTTPError, RequestHandler

from llm_ui.auth.headers import nonce_of
from llm_ui.auth.site import PREFIX, Site
from llm_ui.auth.templates import TEMPLATES
from llm_ui.kit import assets, i18n
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import later
from llm_ui.observability.logging import get_logger
from llm_ui.observability.origin import PAGE, Origin, come_from
from llm_ui.services.access import Actor
from llm_ui.services.appearance import Appearance

log = get_logger(__name__)

LANGUAGE_COOKIE = "llm-ui-language"
"""Written by the choice on the page itself; it is no secret."""
SENTENCES = {
    400: later("What the browser sent cannot be used. Go back, reload the page and try again."),
    403: later("This form is out of date. Go back, reload the page and try again."),
    404: later("There is no page at this address."),
    405: later("This address is not a page. Go to the start page."),
}


SECRET_PATHS = re.compile(r"(?<=^/s/).+")
"""What of a path is a secret: the token of a link to a chat."""


def told_path(path: str) -> str:
    """Return the path as a log may hold it."""
    return SECRET_PATHS.sub("…", path)


class _Token:
    """The CSRF token of a form. Made where a template puts it: a page without a form sets no cookie for it."""

    def __init__(self, handler: RequestHandler) -> None:
        self._handler = handler

    def __str__(self) -> str:
        return self._handler.xsrf_token.decode()


class OurHandler(RequestHandler):
    """Base of our handlers, before Bokeh's in the line where both are."""

    request: Any
    """Tornado's, which carries what we found out beside it: `actor`, `csrf_token`, `nonce`, `error_id`."""

    def initialize(self, *args: Any, **kwargs: Any) -> None:
        """Speak the language of whoever is asking, in all that this request brings about."""
        cookie = self.request.cookies.get(LANGUAGE_COOKIE)
        accepted = self.request.headers.get("Accept-Language", "")
        i18n.speak(i18n.chosen(cookie.value if cookie else None, accepted))
        self.begin_request()
        super().initialize(*args, **kwargs)

    def begin_request(self) -> None:
        """Note from where comes what is done from now on, under an id of its own."""
        address = self.site.entrance.address(self.request)
        agent = self.request.headers.get("User-Agent", "")
        come_from(Origin(PAGE, address, agent, secrets.token_hex(8)))

    @property
    def site(self) -> Site:
        """The site this process serves."""
        site: Site = self.settings["site"]
        return site

    @property
    def actor(self) -> Actor | None:
        """Whoever is asking, once that was looked up; None for a stranger."""
        actor: Actor | None = getattr(self.request, "actor", None)
        return actor

    def get_current_user(self) -> None:
        """Return nobody: Bokeh's own answer for a handler that forgot to ask is a default user."""
        return

    def check_trusted_origin(self, origin: str) -> bool:
        """Return whether a form comes from one of our pages, where a proxy has changed the `Host` header."""
        return self.site.entrance.allows(origin)

    def get_cookie(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        """Return a cookie's value under the name it has on this way in."""
        value = self.site.cookie(self.request, name)
        return default if value is None else value

    def set_cookie(self, name: str, value: str | bytes, *_: Any, max_age: int | None = None, **__: Any) -> None:
        """Set a cookie as all of ours are set: for this host, unreadable for scripts, not sent by other sites."""
        for full in self.site.cookie_names(self.request, name):
            is_secure = full.startswith(PREFIX)
            super().set_cookie(full, value, path="/", max_age=max_age, httponly=True, secure=is_secure, samesite="Lax")

    def forget_cookie(self, name: str) -> None:
        """Let the browser forget a cookie."""
        self.set_cookie(name, "", max_age=0)

    def show(self, template: str, **values: object) -> None:
        """Send a page made from its template."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        page = TEMPLATES.get_template(template).render(
            nonce=nonce_of(self.request),
            csrf=_Token(self),
            asset=assets.url,
            actor=self.actor,
            look=getattr(self.request, "appearance", Appearance()),
            **values,
        )
        # Encoded, so that no handler below takes it for a page of its own.
        self.finish(page.encode())

    def say(self, status: int, title: str, message: str) -> None:
        """Send a page that only says something."""
        self.set_status(status)
        self.show("error.html", title=title, message=message)

    def refuse_unknown_host(self) -> bool:
        """Answer a request that was made to an address which is not ours; return whether it was."""
        if self.site.entrance.knows_host(self.request):
            return False
        self.say(
            421,
            _("This address is not set up"),
            _(
                "The browser asked for {host}, which is not one of this workspace's addresses. Add it to "
                "LLM_UI_ORIGINS, as in LLM_UI_ORIGINS=https://ai.example.org, and start LLM UI again."
            ).format(host=self.request.host),
        )
        return True

    def write_error(self, status_code: int, **__: Any) -> None:
        """Send a page that says what happened, never a traceback."""
        sentence = SENTENCES.get(status_code)
        if sentence is None:
            error_id = getattr(self.request, "error_id", "unknown")
            sentence = _("Something went wrong here. Try again; if it stays, tell an administrator: {error_id}.")
            sentence = sentence.format(error_id=error_id)
        self.show("error.html", title=_("Sorry"), message=_(sentence))

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,  # noqa: ARG002 - Tornado's signature
    ) -> None:
        """Log the failure under an id that the page shows; addresses may hold tokens, so only the path is told."""
        if isinstance(value, HTTPError):
            log.info("request.refused", path=told_path(self.request.path), status=value.status_code)
            return
        error_id = secrets.token_hex(4)
        self.request.error_id = error_id
        name = typ.__name__ if typ else ""
        log.exception("request.crashed", path=told_path(self.request.path), error_id=error_id, error=name)
