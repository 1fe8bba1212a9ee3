"""The page of safety filters."""

from typing import Any

import panel as pn

from llm_ui.admin import filtering
from llm_ui.admin.filters import rows
from llm_ui.admin.filters.state import FiltersState
from llm_ui.admin.notices import page_notices
from llm_ui.kit.i18n import gettext as _
from llm_ui.ui.form import BELOW, button, page, words
from llm_ui.ui.parts import Heading, Message, Notice, Sheet, Table


class FiltersPage(pn.viewable.Viewer):
    """What is looked for in messages and answers, and what is done with it."""

    def __init__(self, state: FiltersState) -> None:
        super().__init__()
        self._state = state
        param = state.param
        self._layout = page(
            Heading(
                title=_("Safety filters"),
                sentence=_(
                    "They look at what goes to models and what comes back, in chats and for scripts alike. "
                    "A team's own filters apply besides, and the strictest action holds."
                ),
            ),
            Notice(
                tone="info",
                text=_(
                    "Text in pictures is looked at where the server of the LLM API has Tesseract, what they show only "
                    "by a moderation model that sees pictures (omni). Passages of documents that become vectors for "
                    "the search are not looked at. Pictures go out without place, time and other data beside them."
                ),
            ),
            page_notices(state),
            Table(
                caption=_("Safety filters"),
                columns=filtering.columns(),
                rows=pn.bind(filtering.rows, param.rules),
                is_busy=param.is_busy,
                on_message=self._on_row,
                margin=BELOW,
            ),
            *self._trial(),
            Heading(
                title=_("What was found"),
                sentence=_("In the last two weeks, by days in UTC. Only numbers are kept, never what it was."),
                level=2,
            ),
            Table(
                caption=_("What was found"),
                columns=rows.count_columns(),
                rows=pn.bind(rows.counts, param.counts),
                empty=_("Nothing yet."),
            ),
            self._sheet(),
        )

    def __panel__(self) -> Any:
        """Return what is drawn."""
        return self._layout

    async def load(self) -> None:
        """Read what the page shows."""
        await self._state.load()

    def _trial(self) -> list[Any]:
        """Return the box to try the filters in."""
        state = self._state
        field = words(state.param.text, _("Text"))
        field.margin = BELOW
        return [
            Heading(
                title=_("Try it"),
                sentence=_("What each filter finds in a text, also those that are off. Nothing of it is kept."),
                level=2,
            ),
            field,
            button(_("Try"), state.try_it, disabled=state.param.is_busy, margin=BELOW),
            pn.Column(
                Notice(tone="info", text=pn.bind(rows.sent, state.param.tried)),
                Table(
                    caption=_("Try it"),
                    columns=rows.tried_columns(),
                    rows=pn.bind(rows.tried, state.param.tried),
                    margin=BELOW,
                ),
                sizing_mode="stretch_width",
                margin=0,
                visible=pn.bind(lambda tried: tried is not None, state.param.tried),
            ),
        ]

    def _sheet(self) -> Sheet:
        param = self._state.param
        return Sheet(
            title=pn.bind(filtering.title, param.selected_kind),
            is_open=pn.bind(bool, param.sheet),
            text=pn.bind(filtering.text, param.selected_kind),
            fields=pn.bind(filtering.fields, param.selected_kind, param.moderators),
            values=pn.bind(_values, **{name: param[name] for name in self._state.fields}),
            buttons=[{"action": "save", "label": _("Save")}],
            error=param.error,
            said=param.said,
            is_busy=param.is_busy,
            on_message=self._on_sheet,
        )

    async def _on_row(self, message: Message) -> None:
        await self._state.open_form(message.row)

    async def _on_sheet(self, message: Message) -> None:
        self._state.fill(message.values)
        if message.action == "save":
            await self._state.save()
        else:
            self._state.close()


def _values(**held: Any) -> dict[str, Any]:
    return held
