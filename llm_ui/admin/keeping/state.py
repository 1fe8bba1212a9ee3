"""What the page of keeping shows, and what an administrator can do on it."""

from uuid import UUID

import param

from llm_ui.admin.keeping.forms import HOLD
from llm_ui.admin.state import AdminState, action
from llm_ui.kit.i18n import gettext as _
from llm_ui.services import holds
from llm_ui.services.access import Actor


class KeepingState(AdminState):
    """Legal holds."""

    holds = param.ClassSelector(class_=tuple, default=(), doc="All holds, those that last first.")
    project = param.String(default="", doc="Name or id of the project that is to be put on hold.")
    reason = param.String(default="", doc="Why.")

    fields = ("project", "reason")

    @action
    async def load(self, actor: Actor) -> None:
        """Read what the page shows."""
        await self._reload(actor)

    @action
    async def open_hold(self, _actor: Actor) -> None:
        """Open the form of a hold on a project."""
        self.param.update(project="", reason="", sheet=HOLD)

    @action
    async def place_hold(self, actor: Actor) -> None:
        """Let nothing in a project be deleted."""
        async with self.context.backend.database.writing(lock=holds.LOCK) as session:
            await holds.place_on_project(session, actor, self.project, self.reason)
        self.param.update(sheet="", said=_("Nothing in it is deleted until the hold is lifted."))
        await self._reload(actor)

    @action
    async def lift_hold(self, actor: Actor, hold_id: UUID) -> None:
        """End a hold."""
        async with self.context.backend.database.writing() as session:
            await holds.lift(session, actor, hold_id)
        self.said = _("The legal hold is lifted.")
        await self._reload(actor)

    async def _reload(self, actor: Actor) -> None:
        async with self.context.backend.database.reading() as session:
            self.holds = await holds.list_holds(session, actor)
