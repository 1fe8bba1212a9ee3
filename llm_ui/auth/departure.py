"""Deleting one's own account."""

from llm_ui.auth.plain import PlainHandler
from llm_ui.auth.site import SESSION_COOKIE
from llm_ui.errors import InvalidInput, LLMUIError
from llm_ui.kit.i18n import gettext as _
from llm_ui.services import departures
from llm_ui.services.access import Actor
from llm_ui.ui.departing import goes


class Departure(PlainHandler):
    """A look at what goes with one's account, and its end."""

    async def get(self) -> None:
        """Show what goes."""
        if self.actor is None:
            self.redirect("/login?next=/account/delete")
            return
        await self._show(self.actor)

    async def post(self) -> None:
        """Delete the account, once its name and its password were typed."""
        if self.actor is None:
            self.redirect("/login", status=303)
            return
        actor, database = self.actor, self.site.backend.database
        try:
            if self.field("username").strip() != actor.name:
                raise InvalidInput("Type the name exactly as it is written to confirm.")
            await self.confirm(actor)
            async with database.writing() as session:
                await departures.leave(session, actor)
        except LLMUIError as refusal:
            self.refuse(refusal)
            await self._show(actor, refusal.message)
            return
        self.forget_cookie(SESSION_COOKIE)
        self.request.actor = None
        self.say(200, _("Your account is deleted"), _("All that was only yours is gone."))

    async def _show(self, actor: Actor, error: str = "") -> None:
        async with self.site.backend.database.reading() as session:
            has = await departures.weigh(session, actor, actor.user_id)
        self.show("departure.html", error=error, goes=goes(has), has_password=await self.has_password(actor))
