"""What the overview shows: today, and what needs attention."""

import asyncio
import shutil

import param

from llm_ui.admin.state import AdminState, action
from llm_ui.kit.clock import now
from llm_ui.services import alerts
from llm_ui.services.access import Actor
from llm_ui.services.usage import overview
from llm_ui.services.usage.overview import Overview
from llm_ui.services.usage.zones import zone


class OverviewState(AdminState):
    """The workspace at this moment."""

    shown = param.ClassSelector(class_=Overview, default=None, allow_None=True, doc="What the page shows, once read.")
    firing = param.ClassSelector(class_=tuple, default=(), doc="The alert rules that fire.")
    free_share = param.Number(default=1.0, doc="The share of the data folder's disk that is free.")
    free_bytes = param.Integer(default=0, doc="What is free on it.")
    _place = "UTC"

    @action
    async def look(self, actor: Actor, place: str) -> None:
        """Read everything, in the time zone of the viewer."""
        self._place = place
        await self._read(actor)

    async def follow(self) -> None:
        """Read the same again, without a sign of work."""
        if self.shown is not None:
            await self.quietly(self._read)

    async def _read(self, actor: Actor) -> None:
        place = await zone(self._place)
        async with self.context.backend.database.reading() as session:
            found = await overview.read(session, actor, place, now())
            firing = await alerts.firing(session, actor)
        disk = await asyncio.to_thread(shutil.disk_usage, self.context.backend.config.folder)
        self.param.update(shown=found, firing=firing, free_share=disk.free / disk.total, free_bytes=disk.free)
