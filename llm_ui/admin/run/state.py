"""What the page of one run shows."""

from uuid import UUID

import param

from llm_ui.admin.state import AdminState, action
from llm_ui.errors import NotFound
from llm_ui.kit.ids import RunId
from llm_ui.services import run_details
from llm_ui.services.access import Actor
from llm_ui.services.run_details import Content, RunDetails
from llm_ui.ui.page import PageContext

CONTENT = "content"


class RunState(AdminState):
    """One run."""

    run = param.ClassSelector(class_=RunDetails, default=None, allow_None=True, doc="The run, once read.")
    content = param.ClassSelector(class_=Content, default=None, allow_None=True, doc="What was said, once asked for.")

    def __init__(self, context: PageContext, named: str) -> None:
        super().__init__(context)
        self._named = named

    @action
    async def load(self, actor: Actor) -> None:
        """Read its figures."""
        async with self.context.backend.database.reading() as session:
            self.run = await run_details.details(session, actor, self._run_id)

    @action
    async def see_content(self, actor: Actor) -> None:
        """Show what was said; the look is written down."""
        async with self.context.backend.database.writing() as session:
            self.content = await run_details.read_content(session, actor, self._run_id)
        self.sheet = CONTENT

    @property
    def _run_id(self) -> RunId:
        try:
            return RunId(UUID(self._named))
        except ValueError:
            raise NotFound("There is no such run. Go back to the list.") from None
