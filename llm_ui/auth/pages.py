"""Sign-in, registration, set-up and sign-out: plain HTTP pages, so that no stranger ever gets a session."""

from collections import defaultdict

from tornado.web import RequestHandler

from llm_ui.auth.account import Account
from llm_ui.auth.departure import Departure
from llm_ui.auth.issuers import ISSUER, ConnectIssuer, FromIssuer, ToIssuer
from llm_ui.auth.keys import Keys
from llm_ui.auth.links import Invitation, Reset
from llm_ui.auth.plain import PlainHandler
from llm_ui.auth.second_factor import SecondFactorPage, SecondStep
from llm_ui.auth.site import SESSION_COOKIE, safe_path
from llm_ui.errors import LLMUIError
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.ids import UserId
from llm_ui.kit.openid import sign_out_address
from llm_ui.services import issuers, registration, settings, sign_in, users
from llm_ui.services.settings import PASSWORDS, REGISTRATION_OPEN
from llm_ui.services.users import NewUser


class Login(PlainHandler):
    """Signing in."""

    async def get(self) -> None:
        """Show the form, or go on when signed in already."""
        if self.actor is not None:
            self.redirect(self._next())
            return
        self.show("login.html", error="", **await self._form())

    async def post(self) -> None:
        """Check name and password."""
        try:
            async with self.site.backend.database.reading() as session:
                await issuers.require_passwords(session)
            user_id = await self.site.checked(self.request, self.field("username"), self.field("password"))
            await self.go_in(user_id, self._next())
        except LLMUIError as error:
            self.refuse(error)
            self.show("login.html", error=error.message, **await self._form())

    async def _form(self) -> dict[str, object]:
        async with self.site.backend.database.reading() as session:
            needs_setup = await users.needs_setup(session)
            takes_passwords = await settings.get(session, PASSWORDS)
            is_open = await settings.get(session, REGISTRATION_OPEN) and takes_passwords and not needs_setup
            offered = await issuers.offered(session)
        return {
            "issuers": offered,
            "takes_passwords": takes_passwords,
            "username": self.field("username"),
            "next": self._next(),
            "is_open": is_open,
            "needs_setup": needs_setup,
        }

    def _next(self) -> str:
        return safe_path(self.get_argument("next", "/"))


class NewAccount(PlainHandler):
    """What registration and set-up share: the form of a new account."""

    template = ""

    async def require_open(self) -> None:
        """Raise `Forbidden` unless this form may be used, before any work is done for it."""
        raise NotImplementedError

    async def create(self, new: NewUser, password_hash: str) -> UserId | None:
        """Store the account; None when nobody can sign in to it yet."""
        raise NotImplementedError

    async def check(self, new: NewUser) -> None:
        """Raise our error for an account that may not be made, before any work is done for it."""

    async def get(self) -> None:
        """Show the form, or why there is none."""
        try:
            await self.require_open()
        except LLMUIError as error:
            self.refuse(error)
            self.show("error.html", title=_("Sorry"), message=error.message)
            return
        self._show()

    async def post(self) -> None:
        """Make the account and sign in; a refusal shows the form again with what was typed, but the password."""
        new = NewUser(self.field("username"), self.field("email"), self.field("password"))
        try:
            self.site.throttle.new_account(self.site.entrance.network(self.request))
            await self.require_open()
            problems = users.problems(new)
            if problems:
                self.set_status(400)
                self._show(_("This cannot be used yet: correct what is marked."), problems)
                return
            await self.check(new)
            user_id = await self.create(new, await self.site.passwords.hash(new.password))
            if user_id is None:
                self.say(202, _("Your account is made"), _(sign_in.AWAITS_APPROVAL))
                return
            await self.go_in(user_id)
        except LLMUIError as error:
            self.refuse(error)
            self._show(error.message)

    def _show(self, error: str = "", problems: dict[str, str] | None = None) -> None:
        typed = {name: self.field(name) for name in ("username", "email")}
        self.show(self.template, error=error, problems=defaultdict(str, problems or {}), token=self.token, **typed)

    @property
    def token(self) -> str:
        """The token of the set-up link."""
        return self.get_argument("token", "")


class Register(NewAccount):
    """Making an account of one's own, while that is allowed."""

    template = "register.html"

    async def require_open(self) -> None:
        """Raise `Forbidden` when registration is closed."""
        async with self.site.backend.database.reading() as session:
            await issuers.require_passwords(session)
            await registration.require_registration(session)

    async def check(self, new: NewUser) -> None:
        """Raise `InvalidInput` for an address of another domain than those that may register."""
        async with self.site.backend.database.reading() as session:
            await registration.require_domain(session, new.email)

    async def create(self, new: NewUser, password_hash: str) -> UserId | None:
        """Store the account as an ordinary one, which may have to wait for an administrator."""
        async with self.site.backend.database.writing() as session:
            return await registration.register(session, new, password_hash)


class Setup(NewAccount):
    """Making the first administrator, with the link that the first start prints."""

    template = "setup.html"

    async def require_open(self) -> None:
        """Raise `Forbidden` unless the link is the newest and unused."""
        async with self.site.backend.database.reading() as session:
            await users.require_setup(session, self.token)

    async def create(self, new: NewUser, password_hash: str) -> UserId:
        """Store the first administrator."""
        async with self.site.backend.database.writing() as session:
            return await users.set_up(session, self.token, new, password_hash)


class Logout(PlainHandler):
    """Signing out. Only by POST: a link on another site must not sign anybody out."""

    async def post(self) -> None:
        """End this session everywhere; whoever came through an issuer is shown the way to sign out there, too."""
        issuer = None
        if self.actor is not None and self.actor.session_id is not None:
            async with self.site.backend.database.writing() as session:
                issuer = await issuers.end_session_of(session, self.actor.session_id)
                await sign_in.sign_out(session, self.actor)
        self.forget_cookie(SESSION_COOKIE)
        if issuer is None:
            self.redirect("/login", status=303)
            return
        name, endpoint, client_id = issuer
        back = f"{self.site.entrance.origin(self.request)}/login"
        self.show("issuer_sign_out.html", name=name, address=sign_out_address(endpoint, client_id, back))


class Me(PlainHandler):
    """Whether this browser is still signed in: asked by a page that lost its websocket."""

    def get(self) -> None:
        """Answer 204 to whoever is signed in, else 401."""
        self.set_status(401 if self.actor is None else 204)


class NotFound(PlainHandler):
    """Every other address."""

    def get(self) -> None:
        """Say so."""
        self.say(404, _("Not found"), _("There is no page at this address."))

    post = put = patch = delete = get


ROUTES: list[tuple[str, type[RequestHandler]]] = [
    ("/login", Login),
    ("/login/second", SecondStep),
    ("/register", Register),
    ("/setup", Setup),
    ("/invitation", Invitation),
    ("/reset", Reset),
    ("/logout", Logout),
    (f"/oidc/{ISSUER}", ToIssuer),
    (f"/oidc/{ISSUER}/callback", FromIssuer),
    (f"/oidc/{ISSUER}/connect", ConnectIssuer),
    ("/account", Account),
    ("/account/second-factor", SecondFactorPage),
    ("/account/delete", Departure),
    ("/keys", Keys),
    ("/api/me", Me),
]
