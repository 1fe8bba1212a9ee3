"""What the list of teams shows, and how an administrator begins one."""

import param

from llm_ui.admin.listing.state import ListState
from llm_ui.admin.state import action
from llm_ui.admin.teams.listing import TEAMS
from llm_ui.kit.i18n import gettext as _
from llm_ui.services import teams
from llm_ui.services.access import Actor

BEGIN = "begin"


class TeamsState(ListState):
    """The teams."""

    listing = TEAMS

    title = param.String(default="", doc="Name of a new team.")

    fields = ("title",)

    def open_form(self) -> None:
        """Open an empty form."""
        self.param.update(sheet=BEGIN, error="", said="", title="")

    @action
    async def begin(self, actor: Actor) -> None:
        """Begin a team."""
        async with self.context.backend.database.writing() as session:
            await teams.begin(session, actor, self.title)
        self.param.update(sheet="", said=_("{name} is there. Open it to add people.").format(name=self.title.strip()))
        await self.reload(actor)
