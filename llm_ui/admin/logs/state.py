"""What the page of logs shows."""

from dataclasses import replace

from llm_ui.admin.listing.state import ListState
from llm_ui.admin.logs.listing import LOGS
from llm_ui.admin.state import action
from llm_ui.services.access import Actor


class LogsState(ListState):
    """The lines of all processes."""

    listing = LOGS

    @action
    async def look(self, actor: Actor, address: str) -> None:
        """Show what the address asks for, the newest first unless it says otherwise."""
        asked = self.listing.asked(address)
        self.asked = asked if asked.sort else replace(asked, sort="at", is_descending=True)
        await self.reload(actor)
