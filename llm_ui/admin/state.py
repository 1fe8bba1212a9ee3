"""What the states of all admin pages share: one way to act, one place for errors and confirmations."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import param

from llm_ui.errors import LLMUIError
from llm_ui.llm_client import UserClient
from llm_ui.services.access import Actor
from llm_ui.ui.page import PageContext


class AdminState(param.Parameterized):
    """Base of the admin pages' states.

    Every action runs inside `acting`, which asks for the person anew: what the browser holds gives no rights.
    """

    sheet = param.String(default="", doc="Which form is open beside the page; empty for none.")
    error = param.String(default="", doc="One sentence about what was refused; what was typed stays.")
    said = param.String(default="", doc="One sentence that confirms what was done.")
    is_busy = param.Boolean(default=False, doc="Whether an action is on its way.")

    def __init__(self, context: PageContext) -> None:
        super().__init__()
        self.context = context

    @asynccontextmanager
    async def acting(self) -> AsyncIterator[Actor]:
        """Yield whoever acts, as the database knows them now; a refusal becomes `error`."""
        self.param.update(is_busy=True, error="", said="")
        try:
            yield await self.context.actor()
        except LLMUIError as refusal:
            self.error = refusal.message
        finally:
            self.is_busy = False

    def llm(self, actor: Actor) -> UserClient:
        """Return the LLM API's client that speaks for the person."""
        return self.context.backend.llm.signed_in(actor.user_id, self.context.session_id)

    def close(self) -> None:
        """Close the form and forget what was typed."""
        self.param.update(sheet="", error="")
