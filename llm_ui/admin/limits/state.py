"""What the page of limits shows and what an administrator can do on it."""

import param

from llm_ui.admin.quotas import LIMITS, LimitedState
from llm_ui.admin.state import action, required
from llm_ui.errors import NotFound
from llm_ui.kit.i18n import gettext as _
from llm_ui.models import QuotaScope, Role
from llm_ui.services import quotas
from llm_ui.services.access import Actor
from llm_ui.services.quotas import RoleLimits


class LimitsState(LimitedState):
    """The limits of each role, and the form for one."""

    listed = param.ClassSelector(class_=RoleLimits, default=None, allow_None=True, doc="What holds for each role.")
    role = param.ClassSelector(class_=Role, default=None, allow_None=True, doc="The role whose form is open, or None.")

    fields = LimitedState.limits

    @action
    async def load(self, actor: Actor) -> None:
        """Read the limits of all roles."""
        await self._reload(actor)

    @action
    async def open_form(self, actor: Actor, role: str) -> None:
        """Open the form of a role, as it is now."""
        if role not in set(Role):
            raise NotFound("There is no such role. Reload the page.")
        await self._reload(actor)
        await self.read_limits(actor, QuotaScope.ROLE, role)
        self.param.update(role=Role(role), sheet=LIMITS)

    @action
    async def save(self, actor: Actor) -> None:
        """Let the limits of the form hold for everybody who has the role, from now on."""
        role: Role = required(self.role)
        await self.write_limits(actor, QuotaScope.ROLE, role, role)
        self.param.update(sheet="", said=_("It holds from now on, for everybody who has the role."))
        await self._reload(actor)

    async def _reload(self, actor: Actor) -> None:
        async with self.context.backend.database.reading() as session:
            self.listed = await quotas.list_of_roles(session, actor)
