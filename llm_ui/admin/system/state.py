"""What the page of the system shows, and what an administrator can do on it."""

import asyncio
import shutil
from uuid import UUID

import param

from llm_ui.admin.listing.state import ListState
from llm_ui.admin.state import action
from llm_ui.admin.system.listing import SESSIONS
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.ids import SessionId
from llm_ui.services import backups, session_list, system
from llm_ui.services.access import Actor, Permission
from llm_ui.services.backups import Backups
from llm_ui.services.system import System


class SystemState(ListState):
    """Processes, providers, database, and the list of sign-ins."""

    shown = param.ClassSelector(class_=System, default=None, allow_None=True, doc="How the system does, once read.")
    versions = param.Dict(default={}, doc="What runs here, by name.")
    free_share = param.Number(default=1.0, doc="The share of the data folder's disk that is free.")
    free_bytes = param.Integer(default=0, doc="What is free on it.")
    sizes = param.ClassSelector(class_=tuple, default=(), doc="The largest tables, once measured.")
    backups = param.ClassSelector(class_=Backups, default=None, allow_None=True, doc="How backups go, once read.")
    may_act = param.Boolean(default=False, doc="Whether the person may change anything here.")

    listing = SESSIONS

    @action
    async def look(self, actor: Actor, address: str) -> None:
        """Show what the address asks for."""
        self.asked = self.listing.asked(address)
        await self._read(actor)
        self.versions = await asyncio.to_thread(system.versions)
        await self.reload(actor)

    async def follow(self) -> None:
        """Look again how the system does, without a sign of work."""
        if self.shown is not None:
            await self.quietly(self._read)

    async def _read(self, actor: Actor) -> None:
        backend = self.context.backend
        async with backend.database.reading() as session:
            found = await system.read(session, actor)
            made = await backups.read(session, actor)
        disk = await asyncio.to_thread(shutil.disk_usage, backend.config.folder)
        may_act = actor.may(Permission.MANAGE_SETTINGS)
        self.param.update(
            shown=found, backups=made, free_share=disk.free / disk.total, free_bytes=disk.free, may_act=may_act
        )

    @action
    async def back_up(self, actor: Actor) -> None:
        """Have a backup made now."""
        async with self.context.backend.database.writing() as session:
            await backups.ask(session, actor)
        self.said = _("A backup is being made. It is in the list once it is done.")
        await self._read(actor)

    @action
    async def measure(self, actor: Actor) -> None:
        """Measure the tables."""
        async with self.context.backend.database.reading() as session:
            self.sizes = await system.table_sizes(session, actor)

    @action
    async def forget_statements(self, actor: Actor) -> None:
        """Begin the list of slow statements anew."""
        async with self.context.backend.database.writing() as session:
            await system.forget_statements(session, actor)
        self.said = _("The list of slow statements begins anew.")
        await self._read(actor)

    @action
    async def end_session(self, actor: Actor, session_id: UUID) -> None:
        """End somebody's sign-in."""
        async with self.context.backend.database.writing() as session:
            await session_list.end(session, actor, SessionId(session_id))
        self.said = _("The session has ended.")
        await self.reload(actor)
