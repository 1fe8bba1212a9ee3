"""Sign-in, registration, set-up, account and sign-out: plain HTTP pages, so that no stranger ever gets a session."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import jinja2
from tornado.web import RequestHandler

from llm_ui.auth.headers import new_nonce, security_headers
from llm_ui.auth.site import Site, cookie_name, is_secure, safe_path
from llm_ui.errors import InvalidInput, LLMUIError, SignInRefused
from llm_ui.kit import assets
from llm_ui.kit.ids import SessionId, UserId
from llm_ui.observability.logging import get_logger
from llm_ui.services import settings, sign_in, users
from llm_ui.services.access import Actor
from llm_ui.services.settings import REGISTRATION_OPEN
from llm_ui.services.users import NewUser

log = get_logger(__name__)

MAX_FORM_BYTES = 20_000
LOADER = jinja2.FileSystemLoader(assets.folder())
TEMPLATES = jinja2.Environment(loader=LOADER, autoescape=True, undefined=jinja2.StrictUndefined)


class PlainHandler(RequestHandler):
    """Base of the plain pages: strict headers, CSRF, errors as a sentence beside the form."""

    site: Site
    nonce: str

    def initialize(self, site: Site) -> None:
        """Take the site from the route."""
        self.site = site
        self.nonce = new_nonce()

    def set_default_headers(self) -> None:
        """Nothing of these pages is kept or framed anywhere."""
        self.set_header("Cache-Control", "no-store")

    async def prepare(self) -> None:
        """Refuse bodies no form of ours has; find out who is asking."""
        if len(self.request.body) > MAX_FORM_BYTES:
            self.set_status(413)
            self.finish("This form is larger than any of ours. Go back and shorten it.")
            return
        self.actor = await self.site.actor_of(self.request)

    def get_current_user(self) -> None:
        """Nobody by Tornado's own means: `actor` is who asks."""
        return

    def page(self, name: str, **values: object) -> None:
        """Send a page made from its template."""
        for header, value in security_headers(self.nonce).items():
            self.set_header(header, value)
        self.finish(
            TEMPLATES.get_template(name).render(
                nonce=self.nonce, csrf=self.xsrf_token.decode(), asset=assets.url, actor=self.actor, **values
            )
        )

    def field(self, name: str) -> str:
        """Return a field of the form, as typed."""
        return self.get_body_argument(name, "", strip=False)

    def write_error(self, status_code: int, **_: object) -> None:
        """Send a page that says what happened, never a traceback."""
        sentence = {
            403: "This form is out of date. Go back, reload the page and try again.",
            404: "There is no page at this address.",
        }.get(status_code, "Something went wrong here. Go back and try again.")
        if not hasattr(self, "actor"):
            self.actor = None
        self.page("error.html", title="Sorry", message=sentence)

    async def attempt(self, work: Callable[[], Awaitable[None]], template: str, **values: object) -> None:
        """Do what a form asks; a refusal shows the form again with its sentence and what was typed."""
        try:
            await work()
        except LLMUIError as error:
            self.set_status(error.status)
            if error.retry_after is not None:
                self.set_header("Retry-After", f"{error.retry_after:.0f}")
            self.page(template, error=error.message, **values)

    async def sign_in(self, user_id: UserId, new_password_hash: str | None = None) -> None:
        """Begin a session with a new token in the cookie."""
        async with self.site.backend.database.writing() as session:
            started = await sign_in.start_session(
                session,
                user_id,
                self.site.time_outs,
                user_agent=self.request.headers.get("User-Agent", ""),
                address=self.request.remote_ip or "",
                new_password_hash=new_password_hash,
            )
        self.set_cookie(
            cookie_name(self.request),
            started.token,
            expires_days=self.site.time_outs.absolute.days,
            httponly=True,
            secure=is_secure(self.request),
            samesite="Lax",
            path="/",
        )
        log.info("session.started", user_id=user_id, session_id=started.actor.session_id)


class Login(PlainHandler):
    """Signing in."""

    async def get(self) -> None:
        """Show the form, or go on when signed in already."""
        if self.actor is not None:
            self.redirect(self._next())
            return
        await self._show("login.html", error="")

    async def post(self) -> None:
        """Check name and password."""
        form = await self._form()
        await self.attempt(self._sign_in, "login.html", **form)

    async def _sign_in(self) -> None:
        name, password, address = self.field("username"), self.field("password"), self.request.remote_ip or ""
        self.site.throttle.require_sign_in(name, address)
        async with self.site.backend.database.reading() as session:
            found = await sign_in.password_hash_of(session, name)
        is_right, renewed = await self.site.passwords.check(password, found[1] if found else None)
        if found is None or not is_right:
            self.site.throttle.failed_sign_in(name, address)
            log.info("sign_in.refused", address=address)
            raise SignInRefused
        await self.sign_in(found[0], renewed)
        self.redirect(self._next())

    async def _show(self, template: str, error: str) -> None:
        self.page(template, error=error, **await self._form())

    async def _form(self) -> dict[str, object]:
        async with self.site.backend.database.reading() as session:
            needs_setup = await users.needs_setup(session)
            is_open = await settings.get(session, REGISTRATION_OPEN) and not needs_setup
        return {
            "username": self.get_argument("username", ""),
            "next": self._next(),
            "is_open": is_open,
            "needs_setup": needs_setup,
        }

    def _next(self) -> str:
        return safe_path(self.get_argument("next", "/"))


class AccountForm(PlainHandler):
    """What registration and set-up share: the form of a new account."""

    template = ""

    def new_user(self) -> NewUser:
        """Return the account as typed. Raises `InvalidInput`."""
        new = NewUser(self.field("username").strip(), self.field("email").strip(), self.field("password"))
        users.check_new(new)
        return new

    async def post(self) -> None:
        """Make the account and sign in."""
        await self.attempt(self._create, self.template, **self.typed())

    def typed(self) -> dict[str, object]:
        """Return what the form shows again; never the password."""
        return {"username": self.field("username"), "email": self.field("email"), "token": self.field("token")}

    async def create(self, new: NewUser, password_hash: str) -> UserId:
        """Store the account."""
        raise NotImplementedError

    async def _create(self) -> None:
        self.site.throttle.new_account(self.request.remote_ip or "")
        new = self.new_user()
        user_id = await self.create(new, await self.site.passwords.hash(new.password))
        await self.sign_in(user_id)
        self.redirect("/")


class Register(AccountForm):
    """Making an account of one's own, while that is allowed."""

    template = "register.html"

    async def get(self) -> None:
        """Show the form, or say that registration is closed."""
        async with self.site.backend.database.reading() as session:
            try:
                await users.require_registration(session)
            except LLMUIError as error:
                self.set_status(error.status)
                self.page("error.html", title="Registration is closed", message=error.message)
                return
        self.page(self.template, error="", username="", email="", token="")

    async def create(self, new: NewUser, password_hash: str) -> UserId:
        """Store the account as an ordinary one."""
        async with self.site.backend.database.writing(lock="register") as session:
            return await users.register(session, new, password_hash)


class Setup(AccountForm):
    """Making the first administrator, with the link that the first start prints."""

    template = "setup.html"

    async def get(self) -> None:
        """Show the form to whoever has the link."""
        token = self.get_query_argument("token", "")
        async with self.site.backend.database.reading() as session:
            is_good = await users.is_setup_token(session, token)
        if not is_good:
            self.set_status(403)
            sentence = "This set-up link was used or replaced. Restart LLM UI for a new one, or sign in."
            self.page("error.html", title="This link does not work", message=sentence)
            return
        self.page(self.template, error="", username="", email="", token=token)

    async def create(self, new: NewUser, password_hash: str) -> UserId:
        """Store the first administrator."""
        async with self.site.backend.database.writing(lock="register") as session:
            return await users.set_up(session, self.field("token"), new, password_hash)


class Logout(PlainHandler):
    """Signing out. Only by POST: a link on another site must not sign anybody out."""

    async def post(self) -> None:
        """End this session everywhere."""
        actor = self.actor
        if actor is not None and actor.session_id is not None:
            async with self.site.backend.database.writing() as session:
                await sign_in.revoke_session(session, actor, actor.session_id, "signed out")
        self.clear_cookie(cookie_name(self.request), path="/", secure=is_secure(self.request))
        self.redirect("/login")


class Account(PlainHandler):
    """One's own sessions and password."""

    async def get(self) -> None:
        """Show them."""
        if self.actor is None:
            self.redirect("/login?next=/account")
            return
        await self._show(self.actor)

    async def post(self) -> None:
        """End a session or change the password."""
        if self.actor is None:
            self.redirect("/login?next=/account")
            return
        actor = self.actor
        try:
            said = await self._act(actor)
        except LLMUIError as error:
            self.set_status(error.status)
            await self._show(actor, error=error.message)
            return
        await self._show(actor, said=said)

    async def _act(self, actor: Actor) -> str:
        if self.field("action") == "end":
            try:
                session_id = SessionId(UUID(self.field("session")))
            except ValueError:
                raise InvalidInput("This session does not exist. Reload the page.") from None
            async with self.site.backend.database.writing() as session:
                await sign_in.revoke_session(session, actor, session_id)
            return "The session has ended."
        await self._change_password(actor)
        return "The password is changed. All other sessions have ended."

    async def _change_password(self, actor: Actor) -> None:
        address = self.request.remote_ip or ""
        self.site.throttle.require_sign_in(actor.name, address)
        async with self.site.backend.database.reading() as session:
            found = await sign_in.password_hash_of(session, actor.name)
        is_right, _ = await self.site.passwords.check(self.field("password"), found[1] if found else None)
        if not is_right:
            self.site.throttle.failed_sign_in(actor.name, address)
            raise InvalidInput("The present password is wrong. Type it again.")
        new_password = self.field("new-password")
        password_hash = await self.site.passwords.hash(new_password)
        async with self.site.backend.database.writing() as session:
            await users.change_password(session, actor, new_password, password_hash)

    async def _show(self, actor: Actor, error: str = "", said: str = "") -> None:
        async with self.site.backend.database.reading() as session:
            sessions = await sign_in.list_sessions(session, actor, self.site.time_outs)
        self.page("account.html", error=error, said=said, sessions=sessions)


def routes(site: Site) -> list[tuple[str, type[PlainHandler], dict[str, Site]]]:
    """Return the plain pages' routes."""
    pages = {"login": Login, "register": Register, "setup": Setup, "logout": Logout, "account": Account}
    return [(f"/{name}", handler, {"site": site}) for name, handler in pages.items()]

