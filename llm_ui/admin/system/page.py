"""The page of the system."""

from typing import Any
from uuid import UUID

import panel as pn
import param

from llm_ui.admin.listing.part import list_part
from llm_ui.admin.notices import page_notices
from llm_ui.admin.system import backups, rows
from llm_ui.admin.system.state import SystemState
from llm_ui.admin.usage.parts import Filters, Tiles
from llm_ui.kit.i18n import gettext as _
from llm_ui.ui.form import BELOW, button, page
from llm_ui.ui.parts import Heading, Message, MonitorPart, Table


class Strips(MonitorPart):
    """A strip of time for each of several things."""

    label = param.String(default="", doc="What they are of, for screen readers.")
    strips = param.List(default=[], item_type=dict, doc="Each with name, text and stretches (share and is_bad).")


class SystemPage(pn.viewable.Viewer):
    """How processes, providers and the database do. It moves by itself."""

    def __init__(self, state: SystemState) -> None:
        super().__init__()
        self._state = state
        shown, is_busy, may_act = state.param.shown, state.param.is_busy, state.param.may_act
        tiles = pn.bind(rows.tiles, shown, state.param.free_bytes, state.param.free_share, state.param.versions)
        self._layout = page(
            Heading(title=_("System"), sentence=_("What this workspace runs on, and how that does.")),
            page_notices(state),
            Filters(is_current=True, on_message=self._on_tick),
            Tiles(label=_("System"), items=tiles),
            Heading(title=_("Processes"), sentence=_("Each says how it does every 15 seconds."), level=2),
            self._table(_("Processes"), rows.process_columns(), pn.bind(rows.processes, shown)),
            Heading(
                title=_("Providers"),
                sentence=_("The last 24 hours: one that fails five times in a row is left alone for a while."),
                level=2,
            ),
            Strips(label=_("Providers"), strips=pn.bind(rows.strips, shown)),
            *self._backups(),
            Heading(
                title=_("Slow statements"),
                sentence=_("What the database took longest for, without any values."),
                level=2,
            ),
            self._table(
                _("Slow statements"), rows.statement_columns(), pn.bind(rows.statements, shown), _("None was slow.")
            ),
            button(_("Begin anew"), state.forget_statements, disabled=is_busy, visible=may_act, margin=BELOW),
            Heading(
                title=_("Tables"),
                sentence=_("How much room each takes; SQLite reads the whole file for it."),
                level=2,
            ),
            self._table(
                _("Tables"), rows.size_columns(), pn.bind(rows.sizes, state.param.sizes), _("Not measured yet.")
            ),
            button(_("Measure"), state.measure, disabled=is_busy, margin=BELOW),
            Heading(title=_("Sessions"), sentence=_("What is ended closes its pages at once."), level=2),
            list_part(state, self._act),
        )

    def __panel__(self) -> Any:
        """Return what is drawn."""
        return self._layout

    def _backups(self) -> list[Any]:
        state, found = self._state, self._state.param.backups
        return [
            Heading(title=_("Backups"), sentence=pn.bind(backups.sentence, found), level=2),
            self._table(_("Backups"), backups.columns(), pn.bind(backups.rows, found), _("None was made yet.")),
            button(
                _("Back up now"), state.back_up, disabled=state.param.is_busy, visible=state.param.may_act, margin=BELOW
            ),
        ]

    def _table(self, caption: str, columns: list[dict[str, str]], drawn: Any, empty: str = "") -> Table:
        return Table(
            caption=caption, columns=columns, rows=drawn, empty=empty, is_busy=self._state.param.is_busy, margin=BELOW
        )

    async def _on_tick(self, message: Message) -> None:
        if message.action == "tick":
            await self._state.follow()

    async def _act(self, verb: str, row: UUID | None) -> None:
        if verb == "end" and row is not None:
            await self._state.end_session(row)
