"""The part of the page of limits about rates and money."""

from typing import Any

import panel as pn

from llm_ui.admin.limits import rates_rows as rows
from llm_ui.admin.limits.rates_state import RatesState
from llm_ui.admin.notices import page_notices
from llm_ui.kit.i18n import gettext as _
from llm_ui.ui.form import BELOW, button
from llm_ui.ui.parts import Heading, Message, Sheet, Table


class RatesPart(pn.viewable.Viewer):
    """All limits, and the form of one."""

    def __init__(self, state: RatesState) -> None:
        super().__init__()
        self._state = state
        held = state.param
        self._layout = pn.Column(
            Heading(
                title=_("Rates and money"),
                sentence=_(
                    "What everybody together, a team, a person, an API key or a model may take, for chats and scripts "
                    "the same, and what happens past that. All that there are hold."
                ),
                level=2,
            ),
            page_notices(state),
            pn.Row(button(_("Add limit"), state.open_new, tone="primary", disabled=held.is_busy), margin=BELOW),
            Table(
                caption=_("Rates and money"),
                columns=rows.columns(has_action=True),
                rows=pn.bind(lambda listed: rows.limits(listed, may_change=True), held.listed),
                empty=_("Nothing is limited. Add a limit, such as for the cost of a day."),
                is_busy=held.is_busy,
                on_message=self._on_row,
                margin=BELOW,
            ),
            Sheet(
                title=pn.bind(rows.title, held.sheet, held.chosen),
                is_open=pn.bind(bool, held.sheet),
                text=pn.bind(rows.text, held.sheet),
                fields=pn.bind(rows.fields, held.sheet, held.chosen, held.subjects),
                values=pn.bind(lambda **values: values, **{name: held[name] for name in state.fields}),
                buttons=pn.bind(rows.buttons, held.sheet, held.chosen),
                error=held.error,
                said=held.said,
                is_busy=held.is_busy,
                on_message=self._on_sheet,
            ),
            sizing_mode="stretch_width",
            margin=0,
        )

    def __panel__(self) -> Any:
        """Return what is drawn."""
        return self._layout

    async def _on_row(self, message: Message) -> None:
        if message.action == "edit" and message.row is not None:
            await self._state.open_form(message.row)

    async def _on_sheet(self, message: Message) -> None:
        self._state.fill(message.values)
        match message.action:
            case "save":
                await self._state.save()
            case "ask_delete":
                self._state.ask_delete()
            case "delete":
                await self._state.delete()
            case "close":
                self._state.close()
