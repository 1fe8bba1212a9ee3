"""Rates and money on a page: the table of limits, and the form of one."""

from typing import Any
from uuid import UUID

import panel as pn

from llm_ui.admin.limits import rates_rows as rows
from llm_ui.admin.limits.rates_state import RatesState
from llm_ui.admin.notices import page_notices
from llm_ui.kit.i18n import gettext as _
from llm_ui.ui.form import BELOW, button
from llm_ui.ui.parts import Heading, Message, Sheet, Table


class RatesPart(pn.viewable.Viewer):
    """The limits of everything, or of what the page is about, and the form of one."""

    def __init__(self, state: RatesState, *, level: int = 2, sentence: str = "", empty: str = "") -> None:
        super().__init__()
        self._state = state
        held = state.param
        everything = _(
            "What everybody together, a team, a person, an API key or a model may take, for chats and scripts "
            "the same, and what happens past that. All that there are hold."
        )
        self._layout = pn.Column(
            Heading(title=_("Rates and money"), sentence=sentence or everything, level=level),
            page_notices(state),
            pn.Row(
                button(_("Add limit"), state.open_new, tone="primary", disabled=held.is_busy),
                margin=BELOW, visible=held.may_change,
            ),
            Table(
                caption=_("Rates and money"),
                columns=rows.columns(has_action=True),
                rows=pn.bind(_rows, held.listed, may_change=held.may_change),
                empty=empty or _("Nothing is limited. Add a limit, such as for the cost of a day."),
                is_busy=held.is_busy,
                on_message=self._on_row,
                margin=BELOW,
            ),
            RatesSheet(state),
            sizing_mode="stretch_width",
            margin=0,
        )  # fmt: skip

    def __panel__(self) -> Any:
        """Return what is drawn."""
        return self._layout

    async def _on_row(self, message: Message) -> None:
        if message.action == "edit" and message.row is not None:
            await self._state.open_form(message.row)


class RatesSheet(pn.viewable.Viewer):
    """The form of a limit; of one thing also the list of its limits."""

    def __init__(self, state: RatesState) -> None:
        super().__init__()
        self._state = state
        held = state.param
        self._sheet = Sheet(
            title=pn.bind(rows.title, held.sheet, held.chosen, held.subject_name),
            is_open=pn.bind(bool, held.sheet),
            text=pn.bind(rows.text, held.sheet),
            fields=pn.bind(rows.fields, held.sheet, held.chosen, held.subjects, held.listed),
            values=pn.bind(lambda **values: values, **{name: held[name] for name in state.fields}),
            buttons=pn.bind(self._buttons, held.sheet, held.chosen, held.listed),
            error=held.error,
            said=held.said,
            is_busy=held.is_busy,
            on_message=self._on_sheet,
        )

    def __panel__(self) -> Any:
        """Return what is drawn."""
        return self._sheet

    def _buttons(self, sheet: str, chosen: Any, listed: Any) -> list[dict[str, str]]:
        about = self._state.about
        return rows.buttons(sheet, chosen, listed, None if about is None else about[0])

    async def _on_sheet(self, message: Message) -> None:
        self._state.fill(message.values)
        match message.action:
            case "save":
                await self._state.save()
            case "new":
                await self._state.open_new()
            case "ask_delete":
                self._state.ask_delete()
            case "delete":
                await self._state.delete()
            case "close":
                self._state.close()
            case change if change.startswith(rows.CHANGE):
                await self._change(change.removeprefix(rows.CHANGE))

    async def _change(self, named: str) -> None:
        found = next((one.id for one in self._state.listed if str(one.id) == named), None)
        if found is not None:
            await self._state.open_form(UUID(str(found)))


def _rows(listed: Any, *, may_change: bool) -> list[rows.Row]:
    return rows.limits(listed, may_change=may_change)
