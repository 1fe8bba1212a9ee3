"""One's own account: where it is signed in, its links to chats, and its password."""

from dataclasses import replace
from uuid import UUID

from llm_ui.auth.plain import PlainHandler
from llm_ui.errors import InvalidInput, LLMUIError, SignInRefused
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.ids import IssuerId, SessionId, ShareId
from llm_ui.kit.user_agent import described
from llm_ui.services import keeping, linked_sign_ins, pictures, quotas, second_factor, sharing, sign_in, users
from llm_ui.services.access import Actor


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
        acts = {
            "end": self._end_session, "password": self._change_password, "revoke": self._revoke_link,
            "disconnect": self._disconnect, "rename": self._rename, "end_others": self._end_others,
            "forget_picture": self._forget_picture,
        }  # fmt: skip
        act = acts.get(self.field("action"))
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

    async def _end_others(self, actor: Actor) -> str:
        async with self.site.backend.database.writing() as session:
            await sign_in.end_others(session, actor)
        return _("All other sessions have ended.")

    async def _forget_picture(self, actor: Actor) -> str:
        async with self.site.backend.database.writing() as session:
            await pictures.remove(session, actor)
        return _("Your initial takes the picture's place.")

    async def _rename(self, actor: Actor) -> str:
        async with self.site.backend.database.writing() as session:
            name = await users.rename(session, actor, self.field("username"))
        self.request.actor = replace(actor, name=name)
        return _("The username is {name} now. Sign in with it from now on.").format(name=name)

    async def _revoke_link(self, actor: Actor) -> str:
        try:
            link_id = ShareId(UUID(self.field("link")))
        except ValueError:
            raise InvalidInput("This link does not exist. Reload the page.") from None
        async with self.site.backend.database.writing() as session:
            await sharing.revoke(session, actor, link_id)
        return _("The link leads nowhere now.")

    async def _disconnect(self, actor: Actor) -> str:
        try:
            issuer_id = IssuerId(UUID(self.field("issuer")))
        except ValueError:
            raise InvalidInput("This is not connected any more. Reload the page.") from None
        async with self.site.backend.database.writing() as session:
            await linked_sign_ins.disconnect(session, actor, issuer_id)
        return _("It signs in to your account no more.")

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
                "linked": await linked_sign_ins.list_linked(session, actor),
                "has_picture": await pictures.own(session, actor) is not None,
                "has_password": await users.has_password(session, actor),
                "limits": [one for one in await quotas.list_left(session, actor) if one.most],
                "kept": await keeping.rules_of(session, actor),
                "second_factor": await second_factor.codes_left(session, actor.user_id),
            }
        self.show("account.html", error=error, said=said, described=described, labels=quotas.LABELS, **lists)
