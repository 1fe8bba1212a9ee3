"""What a page with a list shows: the rows that the page's address asks for."""

from typing import Any, ClassVar

import param

from llm_ui.admin.listing.listing import Listing
from llm_ui.admin.state import AdminState, action
from llm_ui.services import listing as service
from llm_ui.services.access import Actor
from llm_ui.services.listing import Asked, Found


class ListState(AdminState):
    """Base of the states of pages with a list. What is asked for is in the page's address, which the browser keeps."""

    asked = param.ClassSelector(class_=Asked, default=Asked(), doc="What is shown of the list.")
    found = param.ClassSelector(class_=Found, default=Found(), doc="The rows of this page, and how many there are.")
    is_read = param.Boolean(default=False, doc="Whether the list was read at all.")

    listing: ClassVar[Listing[Any]]
    """The list."""

    @action
    async def look(self, actor: Actor, address: str) -> None:
        """Show what the address asks for."""
        self.asked = self.listing.asked(address)
        await self.reload(actor)

    async def reload(self, actor: Actor) -> None:
        """Read the same page of the list again."""
        asked = self.asked
        async with self.context.backend.database.reading() as session:
            found = await service.find(session, self.listing.rows(actor, asked), asked)
        # Whoever types fast is answered out of order: only what is still asked for is shown.
        if asked is self.asked:
            self.param.update(found=found, is_read=True)
