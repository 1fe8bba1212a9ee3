"""The configuration as a file to take along."""

from llm_ui.auth.plain import PlainHandler
from llm_ui.errors import LLMUIError
from llm_ui.kit.clock import now
from llm_ui.kit.i18n import gettext as _
from llm_ui.services import configuration


class ConfigurationFile(PlainHandler):
    """Everything that can be taken to another workspace, without secrets."""

    async def get(self) -> None:
        """Send it, and note that it left."""
        if self.actor is None:
            self.redirect("/login")
            return
        try:
            async with self.site.backend.database.writing() as session:
                await configuration.note_export(session, self.actor)
                found = await configuration.read(session, self.actor)
        except LLMUIError as refusal:
            self.say(refusal.status, _("Not for this account"), refusal.message)
            return
        self.set_header("Content-Type", "application/json")
        self.set_header("Content-Disposition", f'attachment; filename="llm-ui-{now():%Y-%m-%d}.json"')
        self.set_header("Cache-Control", "no-store")
        self.finish(found.model_dump_json(indent=2).encode() + b"\n")
