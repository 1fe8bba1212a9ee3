"""The list of teams."""

from typing import Any
from uuid import UUID

import panel as pn

from llm_ui.admin.listing.part import list_part
from llm_ui.admin.notices import page_notices
from llm_ui.admin.teams.state import BEGIN, TeamsState
from llm_ui.kit.i18n import gettext as _
from llm_ui.ui.form import page
from llm_ui.ui.parts import Heading, Message, Sheet


class TeamsPage(pn.viewable.Viewer):
    """The teams as a list; who administers people begins some."""

    def __init__(self, state: TeamsState, *, may_begin: bool) -> None:
        super().__init__()
        self._state = state
        buttons = [{"action": BEGIN, "label": _("New team")}] if may_begin else []
        self._layout = page(
            Heading(
                title=_("Teams"), sentence=_("People who share instructions, models, a budget and projects; no chats.")
            ),
            page_notices(state),
            list_part(state, self._act, buttons=buttons),
            Sheet(
                title=_("New team"),
                is_open=pn.bind(bool, state.param.sheet),
                fields=[{"name": "title", "label": _("Name"), "type": "text"}],
                values=pn.bind(lambda title: {"title": title}, state.param.title),
                buttons=[{"action": "save", "label": _("Begin")}],
                error=state.param.error,
                is_busy=state.param.is_busy,
                on_message=self._on_sheet,
            ),
        )

    def __panel__(self) -> Any:
        """Return what is drawn."""
        return self._layout

    async def _act(self, action: str, _row: UUID | None) -> None:
        if action == BEGIN:
            self._state.open_form()

    async def _on_sheet(self, message: Message) -> None:
        self._state.fill(message.values)
        if message.action == "save":
            await self._state.begin()
        elif message.action == "close":
            self._state.close()
