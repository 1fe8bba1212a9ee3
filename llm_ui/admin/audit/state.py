"""What the audit page shows and what an administrator can do on it."""

from uuid import UUID

import param

from llm_ui.admin.audit.listing import AUDIT
from llm_ui.admin.listing.state import ListState
from llm_ui.admin.state import action
from llm_ui.services import audit_chain, audit_list
from llm_ui.services.access import Actor

ENTRY = "entry"


class AuditState(ListState):
    """The entries, one of them with its difference, and how the chain stands."""

    entry = param.Parameter(doc="The entry that is open, or None.")
    chain = param.Parameter(doc="How the chain stands, or None before it was read.")

    listing = AUDIT

    @action
    async def look(self, actor: Actor, address: str) -> None:
        """Show what the address asks for."""
        self.asked = self.listing.asked(address)
        await self.reload(actor)
        await self._read_chain(actor)

    @action
    async def open_entry(self, actor: Actor, entry_id: UUID) -> None:
        """Show one entry with what it changed."""
        async with self.context.backend.database.reading() as session:
            self.entry = await audit_list.get(session, actor, entry_id)
        self.sheet = ENTRY

    @action
    async def verify(self, actor: Actor) -> None:
        """Follow the chain from its first entry to its last."""
        database = self.context.backend.database
        found = await audit_chain.verify(database, actor)
        async with database.writing() as session:
            await audit_chain.note_verified(session, actor, found)
        await self._read_chain(actor)

    async def _read_chain(self, actor: Actor) -> None:
        async with self.context.backend.database.reading() as session:
            self.chain = await audit_chain.chain(session, actor)
