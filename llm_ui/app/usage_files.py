"""Charts of usage as files."""

from llm_ui.admin.usage.files import FILES, lines
from llm_ui.auth.plain import PlainHandler
from llm_ui.errors import LLMUIError
from llm_ui.kit.clock import now
from llm_ui.kit.i18n import gettext as _


class UsageFile(PlainHandler):
    """One chart's figures, of everybody or of whoever asks."""

    async def get(self, of_all: str | None, name: str) -> None:
        """Send them."""
        if self.actor is None:
            self.redirect("/login")
            return
        if name not in FILES:
            self.say(404, _("Not found"), _("There is no page at this address."))
            return
        place = self.get_argument("zone", "UTC")
        try:
            async with self.site.backend.database.reading() as session:
                found = await lines(session, self.actor, name, self.request.query, place, is_own=not of_all)
        except LLMUIError as refusal:
            self.say(refusal.status, _("Not for this account"), refusal.message)
            return
        self.set_header("Content-Type", "text/csv; charset=utf-8")
        self.set_header("Content-Disposition", f'attachment; filename="usage-{name}-{now():%Y-%m-%d}.csv"')
        self.finish(found.encode())
