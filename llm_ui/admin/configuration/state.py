"""What the page of the configuration as a file shows and what an administrator can do on it."""

import param

from llm_ui.admin.state import AdminState, action, required
from llm_ui.errors import InvalidInput
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import ngettext
from llm_ui.services import configuration, configuration_import
from llm_ui.services.access import Actor
from llm_ui.services.configuration import Configuration
from llm_ui.services.configuration_import import Becomes

FILE = "file"


class ConfigurationState(AdminState):
    """A file that may be taken in: what it would change, and then does."""

    text = param.String(default="", doc="What the file holds.")
    wanted = param.ClassSelector(class_=Configuration, default=None, allow_None=True, doc="The file that was checked.")
    steps = param.ClassSelector(class_=tuple, default=(), doc="What taking it in would do.")

    fields = ("text",)

    @action
    async def open_form(self, _actor: Actor) -> None:
        """Ask for a file."""
        self.param.update(sheet=FILE, text="", wanted=None, steps=())

    @action
    async def check(self, actor: Actor) -> None:
        """Say what the file would change; nothing is changed by that."""
        if not self.text.strip():
            raise InvalidInput("Choose a file first, or paste what it holds.")
        wanted = configuration.parsed(self.text.encode())
        sealer = self.context.backend.secrets.sealer
        steps = await configuration_import.rehearse(self.context.backend.database, actor, sealer, wanted)
        self.param.update(sheet="", wanted=wanted, steps=steps)
        if all(one.becomes is Becomes.SAME for one in steps):
            self.discard()
            self.said = _("Everything is as the file says already.")

    @action
    async def apply(self, actor: Actor) -> None:
        """Do what was shown, all of it or nothing."""
        wanted = required(self.wanted)
        sealer, shown = self.context.backend.secrets.sealer, self.steps
        async with self.context.backend.database.writing() as session:
            await configuration_import.take_in(session, actor, sealer, wanted, shown=shown)
        self.discard()
        done = sum(one.becomes is not Becomes.SAME for one in shown)
        said = ngettext("{count} thing is as in the file now.", "{count} things are as in the file now.", done)
        keyless = any(one.what == "provider" and one.becomes is Becomes.NEW for one in shown)
        more = _("New providers have no key yet: type them in on the providers page.")
        self.said = " ".join([said.format(count=done), *([more] if keyless else [])])

    def discard(self) -> None:
        """Forget the file."""
        self.param.update(text="", wanted=None, steps=())
