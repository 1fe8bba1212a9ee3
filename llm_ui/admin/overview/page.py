"""The overview: how the workspace does today, and what needs attention."""

from typing import Any

import panel as pn

from llm_ui.admin.notices import page_notices
from llm_ui.admin.overview import rows
from llm_ui.admin.overview.state import OverviewState
from llm_ui.admin.usage.parts import Filters, Tiles
from llm_ui.kit.i18n import gettext as _
from llm_ui.ui.form import page
from llm_ui.ui.parts import Heading, Message, Notice, Offers


class OverviewPage(pn.viewable.Viewer):
    """Today beside last week, this moment, providers, and what needs attention. It moves by itself."""

    def __init__(self, state: OverviewState) -> None:
        super().__init__()
        self._state = state
        shown, share = state.param.shown, state.param.free_share
        found = pn.bind(rows.attention, shown, share, state.param.firing)
        self._filters = Filters(is_current=True, on_message=self._on_message)
        self._layout = page(
            Heading(title=_("Overview"), sentence=_("Today, beside the same time last week.")),
            page_notices(state),
            self._filters,
            Tiles(label=_("Today"), items=pn.bind(rows.today, shown)),
            Heading(title=_("What needs attention"), sentence="", level=2),
            Notice(text=pn.bind(lambda lines: "" if lines else _("Nothing at the moment."), found)),
            Offers(label=_("What needs attention"), items=found, on_message=self._on_message),
            Heading(title=_("At this moment"), sentence="", level=2),
            Tiles(label=_("At this moment"), items=pn.bind(rows.at_this_moment, shown, state.param.free_bytes, share)),
            Heading(title=_("Providers"), sentence=_("How each did in the last half hour."), level=2),
            Tiles(label=_("Providers"), items=pn.bind(rows.providers, shown)),
        )

    def __panel__(self) -> Any:
        """Return what is drawn."""
        return self._layout

    async def _on_message(self, message: Message) -> None:
        match message.action:
            case "look":
                await self._state.look(message.name)
            case "tick":
                await self._state.follow()
            case "open":
                self._filters.open(message.item)
