"""One's own account: where it is signed in, its links to chats, and its password."""

from uuid import UUID

from llm_ui.auth.plain import PlainHandler
from llm_ui.errors import InvalidInput, LLMUIError, SignInRefused
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.ids import SessionId, ShareId
from llm_ui.kit.text import one_line
from llm_ui.services import sharing, sign_in, users
from llm_ui.services.access import Actor

BROWSERS = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
"""What browsers call themselves, those that also say they are another one first."""
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS": "Mac",
    "Linux": "Linux",
}


def described(user_agent: str) -> str:
    """Return what a person calls the browser, such as *Firefox on Linux*."""
    browser = next((name for sign, name in BROWSERS.items() if sign in user_agent), None)
    system = next((name for sign, name in SYSTEMS.items() if sign in user_agent), None)
    if browser is None:
        return one_line(user_agent, 60) or _("Unknown browser")
    return browser if system is None else _("{browser} on {system}").format(browser=browser, system=system)


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
            self.redirect("/login?next=/account", status=303)
            return
        act = {"end": self._end_session, "password": self._change_password, "revoke": self._revoke_link}.get(
            self.field("action")
        )
        error, said = "", ""
        try:
            if act is None:
                raise InvalidInput("This form is not known. Reload the page.")
            said = await act(self.actor)
        except LLMUIError as refusal:
            self.refuse(refusal)
            error = refusal.message
        await self._show(self.actor, error, said)

    async def _end_session(self, actor: Actor) -> str:
        try:
            session_id = SessionId(UUID(self.field("session")))
        except ValueError:
            raise InvalidInput("This session does not exist. Reload the page.") from None
        async with self.site.backend.database.writing() as session:
            await sign_in.revoke_session(session, actor, session_id)
        return _("The session has ended.")

    async def _revoke_link(self, actor: Actor) -> str:
        try:
            link_id = ShareId(UUID(self.field("link")))
        except ValueError:
            raise InvalidInput("This link does not exist. Reload the page.") from None
        async with self.site.backend.database.writing() as session:
            await sharing.revoke(session, actor, link_id)
        return _("The link leads nowhere now.")

    async def _change_password(self, actor: Actor) -> str:
        new_password = self.field("new-password")
        async with self.site.backend.database.reading() as session:
            await users.require_own_acceptable(session, actor, new_password)
        try:
            await self.site.checked(self.request, actor.name, self.field("password"))
        except SignInRefused:
            raise InvalidInput("The present password is wrong. Type it again.") from None
        password_hash = await self.site.passwords.hash(new_password)
        async with self.site.backend.database.writing() as session:
            await users.change_password(session, actor, new_password, password_hash)
        return _("The password is changed. All other sessions have ended.")

    async def _show(self, actor: Actor, error: str = "", said: str = "") -> None:
        async with self.site.backend.database.reading() as session:
            lists = {
                "sessions": await sign_in.list_sessions(session, actor, self.site.time_outs),
                "links": await sharing.list_links(session, actor),
                "audiences": await sharing.audiences(session),
            }
        self.show("account.html", error=error, said=said, described=described, **lists)
