"""What the page of keeping shows, and what an administrator can do on it."""

from uuid import UUID

import param

from llm_ui.admin.keeping import rules
from llm_ui.admin.keeping.forms import HOLD, RULE, TEAM
from llm_ui.admin.state import AdminState, action, required
from llm_ui.errors import InvalidInput
from llm_ui.kit.i18n import gettext as _
from llm_ui.services import erasures, holds, keeping
from llm_ui.services.access import Actor
from llm_ui.services.keeping import Subject
from llm_ui.ui.page import PageContext


class KeepingState(AdminState):
    """How long chats are kept, and legal holds."""

    rules = param.ClassSelector(class_=tuple, default=(), doc="How long chats are kept, by whose they are.")
    receipts = param.ClassSelector(class_=tuple, default=(), doc="Receipts of deleted accounts, the newest first.")
    subject = param.ClassSelector(class_=Subject, default=None, allow_None=True, doc="Whose rule the form is about.")
    whose = param.String(default="", doc="What they are called.")
    team = param.String(default="", doc="Name of the team that a first rule is for.")
    days = param.String(default="", doc="For how many days their chats are to be kept; empty: always.")
    weighed = param.String(default="", doc="What would go, in sentences; empty: that was not looked at.")
    holds = param.ClassSelector(class_=tuple, default=(), doc="All holds, those that last first.")
    project = param.String(default="", doc="Name or id of the project that is to be put on hold.")
    reason = param.String(default="", doc="Why.")

    fields = ("project", "reason", "team", "days")

    def __init__(self, context: PageContext) -> None:
        super().__init__(context)
        self._seen: tuple[Subject, int | None] | None = None

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

    @action
    async def open_rule(self, actor: Actor, row: UUID | None) -> None:
        """Open the form of a rule; without a row that of a first rule of a team."""
        await self._reload(actor)
        self._seen = None
        chosen = next((one for one in self.rules if rules.id_in_list(one.subject) == row), None)
        if chosen is None:
            self.param.update(subject=None, whose="", team="", days="", weighed="", sheet=TEAM)
            return
        days = "" if chosen.days is None else str(chosen.days)
        whose = rules.name_of(chosen)
        self.param.update(subject=chosen.subject, whose=whose, days=days, weighed="", sheet=RULE)

    @action
    async def weigh_rule(self, actor: Actor) -> None:
        """Show what would go."""
        await self._weigh(actor)

    @action
    async def save_rule(self, actor: Actor) -> None:
        """Let the rule hold, once it was seen what goes; where it was changed since then, show that first."""
        seen = self._seen
        if seen is None or seen != await self._weigh(actor):
            return
        async with self.context.backend.database.writing(lock=keeping.LOCK) as session:
            await keeping.set_rule(session, actor, *seen)
        self._seen = None
        self.param.update(sheet="", weighed="", said=_("It holds from the next clean-up on."))
        await self._reload(actor)

    async def _weigh(self, actor: Actor) -> tuple[Subject, int | None]:
        days = _days(self.days)
        async with self.context.backend.database.reading() as session:
            subject = self.subject
            if self.sheet == TEAM:
                subject = Subject(team_id=await keeping.find_team(session, actor, self.team))
            found = await keeping.preview(session, actor, required(subject), days)
        self._seen = required(subject), days
        self.weighed = rules.told(found, days)
        return self._seen

    async def _reload(self, actor: Actor) -> None:
        async with self.context.backend.database.reading() as session:
            self.holds = await holds.list_holds(session, actor)
            self.receipts = await erasures.list_receipts(session, actor)
            self.rules = await keeping.list_rules(session, actor)


def _days(typed: str) -> int | None:
    text = typed.strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise InvalidInput("Write a whole number of days, such as 90, or nothing to keep them always.")
    return int(text)
