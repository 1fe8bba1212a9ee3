"""What the page of runs shows, and what an administrator can do to those that go on."""

from uuid import UUID

import param

from llm_ui.admin.listing.state import ListState
from llm_ui.admin.runs.listing import RUNS
from llm_ui.admin.runs.narrowed import only
from llm_ui.admin.state import action
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.ids import ProviderId
from llm_ui.services import live
from llm_ui.services.access import Actor, Permission
from llm_ui.services.live import Live
from llm_ui.services.usage import behind


class RunsState(ListState):
    """What runs now, and the list of what ran."""

    live = param.ClassSelector(class_=Live, default=None, allow_None=True, doc="What runs now, once read.")
    only = param.String(default="", doc="What another page has narrowed the list to, in words.")
    may_act = param.Boolean(default=False, doc="Whether the person may stop runs and drain providers.")

    listing = RUNS

    @action
    async def look(self, actor: Actor, address: str) -> None:
        """Show what the address asks for."""
        self.asked = self.listing.asked(address)
        await self._read(actor)
        await self._name(actor)
        await self.reload(actor)

    async def follow(self) -> None:
        """Look again what runs, without a sign of work."""
        if self.live is not None:
            await self.quietly(self._read)

    @action
    async def stop(self, actor: Actor, run_id: UUID) -> None:
        """End a run of somebody."""
        await self.llm(actor).stop_for(run_id)
        self.said = _("It is being stopped; what was said is kept.")
        await self._read(actor)

    @action
    async def set_draining(self, actor: Actor, provider_id: UUID, *, is_draining: bool) -> None:
        """Let a provider get no new calls, or let it again."""
        async with self.context.backend.database.writing() as session:
            await live.set_draining(session, actor, ProviderId(provider_id), is_draining=is_draining)
        self.said = (
            _("It gets no new calls; what runs is let end.") if is_draining else _("It takes calls again, at once.")
        )
        await self._read(actor)

    async def _name(self, actor: Actor) -> None:
        """Say in words what calls a figure of the usage page has led to."""
        narrowed = behind.read(self.asked.filters)
        async with self.context.backend.database.reading() as session:
            called = await behind.called(session, actor, narrowed)
        self.only = only(narrowed, called)

    async def _read(self, actor: Actor) -> None:
        async with self.context.backend.database.reading() as session:
            found = await live.read(session, actor)
        before = set() if self.live is None else {run.id for run in self.live.runs}
        if before - {run.id for run in found.runs}:
            # Those that ended are in the list now.
            await self.reload(actor)
        self.param.update(live=found, may_act=actor.may(Permission.MANAGE_PROVIDERS))
