"""The page of runs: what goes on now, and what ran."""

from typing import Any
from uuid import UUID

import panel as pn

from llm_ui.admin.listing.part import list_part
from llm_ui.admin.notices import page_notices
from llm_ui.admin.runs import rows
from llm_ui.admin.runs.state import RunsState
from llm_ui.admin.usage.parts import Filters
from llm_ui.kit.i18n import gettext as _
from llm_ui.ui.form import BELOW, page
from llm_ui.ui.parts import Heading, Link, Message, Notice, Table


class RunsPage(pn.viewable.Viewer):
    """It moves by itself: what runs is looked at every few seconds."""

    def __init__(self, state: RunsState) -> None:
        super().__init__()
        self._state = state
        live, may_act = state.param.live, state.param.may_act
        self._layout = page(
            Heading(
                title=_("Runs"),
                sentence=_("Each answer, and what else models did: how it went and what it cost, not what was said."),
            ),
            page_notices(state),
            Filters(is_current=True, on_message=self._on_tick),
            Heading(title=_("At this moment"), sentence="", level=2),
            Table(
                caption=_("At this moment"),
                columns=rows.run_columns(),
                rows=pn.bind(rows.runs, live, may_act),
                empty=_("Nothing runs. Chats that are stored nowhere and scripts are listed once they have ended."),
                is_busy=state.param.is_busy,
                on_message=self._on_row,
                margin=BELOW,
            ),
            Heading(
                title=_("Providers"),
                sentence=_("One that is drained gets no new calls; those that run are let end. It can be undone."),
                level=2,
            ),
            Table(
                caption=_("Providers"),
                columns=rows.provider_columns(),
                rows=pn.bind(rows.providers, live, may_act),
                empty=_("No provider is switched on."),
                is_busy=state.param.is_busy,
                on_message=self._on_row,
                margin=BELOW,
            ),
            Heading(title=_("All runs"), sentence="", level=2),
            Notice(text=state.param.only, tone="info", margin=BELOW),
            Link(text=_("Show all runs"), address="/admin/runs", visible=pn.bind(bool, state.param.only)),
            list_part(state),
        )

    def __panel__(self) -> Any:
        """Return what is drawn."""
        return self._layout

    async def _on_tick(self, message: Message) -> None:
        if message.action == "tick":
            await self._state.follow()

    async def _on_row(self, message: Message) -> None:
        if message.row is not None:
            await self._act(message.action, message.row)

    async def _act(self, verb: str, row: UUID) -> None:
        match verb:
            case "stop":
                await self._state.stop(row)
            case "drain" | "undrain":
                await self._state.set_draining(row, is_draining=verb == "drain")
