"""What the page of safety filters shows and what an administrator can do on it."""

from uuid import UUID

import param

from llm_ui.admin.filtering import FilteringState
from llm_ui.admin.state import action
from llm_ui.contract.filters import MAX_TRIED_CHARS, FilterTry
from llm_ui.errors import InvalidInput
from llm_ui.kit.i18n import gettext as _
from llm_ui.services import filters
from llm_ui.services.access import Actor


class FiltersState(FilteringState):
    """The filters of the workspace, what they make of a text, and how often they found something."""

    counts = param.ClassSelector(class_=tuple, default=(), doc="How often what was found, by day.")
    text = param.String(default="", doc="What the filters are tried on.")
    tried = param.ClassSelector(class_=FilterTry, default=None, allow_None=True, doc="What they made of it.")

    fields = FilteringState.filtering

    @action
    async def load(self, actor: Actor) -> None:
        """Read what is set and what was found."""
        await self._reload(actor)

    @action
    async def open_form(self, actor: Actor, row: UUID | None) -> None:
        """Open the form of a filter."""
        await self.read_rules(actor)
        self.show_rule(row)

    @action
    async def save(self, actor: Actor) -> None:
        """Set what the form says."""
        await self.write_rule(actor)
        self.param.update(sheet="", said=_("It holds from the next question on, for everybody."))

    @action
    async def try_it(self, actor: Actor) -> None:
        """See what each filter makes of a text."""
        if not self.text.strip():
            raise InvalidInput("Type or paste a text to try the filters on.")
        if len(self.text) > MAX_TRIED_CHARS:
            raise InvalidInput("Try a shorter text: {most} characters are the most.", most=MAX_TRIED_CHARS)
        self.tried = await self.llm(actor).try_filters(self.text)

    async def _reload(self, actor: Actor) -> None:
        await self.read_rules(actor)
        async with self.context.backend.database.reading() as session:
            self.counts = await filters.counts(session, actor)
