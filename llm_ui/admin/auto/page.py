"""The page of *Auto* models."""

from typing import Any

import panel as pn

from llm_ui.admin.auto import rows
from llm_ui.admin.auto.state import AutosState
from llm_ui.admin.notices import page_notices
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.ids import ModelId
from llm_ui.ui.form import BELOW, button, chooser, page, words
from llm_ui.ui.parts import Heading, Message, Notice, Sheet, Table


class AutosPage(pn.viewable.Viewer):
    """What picks a model for each question, and what it would pick for one."""

    def __init__(self, state: AutosState) -> None:
        super().__init__()
        self._state = state
        param = state.param
        self._layout = page(
            Heading(
                title=_("Auto models"),
                sentence=_(
                    "People and scripts pick them like a model, and they pick one of several for each question: first "
                    "what a question needs, then your rules, then price, ratings and speed. A chat stays with the "
                    "model that has answered in it while that can be asked. Nobody gets a model that is not theirs to "
                    "ask."
                ),
            ),
            page_notices(state),
            button(_("Add an Auto model"), state.open_add, tone="primary", disabled=param.is_busy, margin=BELOW),
            Table(
                caption=_("Auto models"),
                columns=rows.columns(),
                rows=pn.bind(rows.autos, param.autos),
                empty=_("There is none yet."),
                is_busy=param.is_busy,
                on_message=self._on_row,
                margin=BELOW,
            ),
            *self._trial(),
            Sheet(
                title=pn.bind(rows.title, param.sheet, param.selected),
                is_open=pn.bind(bool, param.sheet),
                text=pn.bind(rows.text, param.sheet),
                fields=pn.bind(rows.fields, param.sheet, param.models, param.teams),
                values=pn.bind(_values, **{name: param[name] for name in state.fields}),
                buttons=pn.bind(rows.buttons, param.sheet),
                error=param.error,
                said=param.said,
                is_busy=param.is_busy,
                on_message=self._on_sheet,
            ),
        )

    def __panel__(self) -> Any:
        """Return what is drawn."""
        return self._layout

    async def load(self) -> None:
        """Read what the page shows."""
        await self._state.load()

    def _trial(self) -> list[Any]:
        """Return the box to see what would be picked."""
        state = self._state
        param = state.param
        field = words(param.text, _("Question"))
        which = chooser(param.tried_auto, _("Auto model"), pn.bind(rows.names, param.autos), state.choose_tried)
        comes = chooser(param.comes_with, _("With it comes"), rows.withs(), state.choose_with)
        for one in (field, which, comes):
            one.margin = BELOW
        return [
            Heading(
                title=_("Try it"), sentence=_("What would be picked for a question, and why. Nobody is asked."), level=2
            ),
            which,
            field,
            comes,
            button(_("Try"), state.try_it, disabled=param.is_busy, margin=BELOW),
            pn.Column(
                Notice(tone="info", text=pn.bind(rows.why, param.tried)),
                Table(
                    caption=_("Try it"),
                    columns=rows.tried_columns(),
                    rows=pn.bind(rows.tried, param.tried),
                    margin=BELOW,
                ),
                sizing_mode="stretch_width",
                margin=0,
                visible=pn.bind(lambda tried: tried is not None, param.tried),
            ),
        ]

    async def _on_row(self, message: Message) -> None:
        if message.row is None:
            return
        auto_id = ModelId(message.row)
        match message.action:
            case "edit":
                await self._state.open_edit(auto_id)
            case "default":
                await self._state.make_default(auto_id)
            case "on" | "off":
                await self._state.switch(auto_id, is_on=message.action == "on")

    async def _on_sheet(self, message: Message) -> None:
        self._state.fill(message.values)
        match message.action:
            case "save":
                await self._state.save()
            case "ask_remove":
                await self._state.ask_remove()
            case "remove":
                await self._state.remove()
            case "close":
                self._state.close()


def _values(**held: Any) -> dict[str, Any]:
    return held
