"""The page of the configuration as a file."""

from typing import Any

import panel as pn

from llm_ui.admin.configuration import rows
from llm_ui.admin.configuration.state import ConfigurationState
from llm_ui.admin.notices import page_notices
from llm_ui.kit.i18n import gettext as _
from llm_ui.ui.form import BELOW, button, page, section
from llm_ui.ui.parts import Heading, Links, Message, Notice, Sheet, Table


class ConfigurationPage(pn.viewable.Viewer):
    """The configuration to take along, and one to take in: looked at first, applied then."""

    def __init__(self, state: ConfigurationState) -> None:
        super().__init__()
        self._state = state
        param = state.param
        name = _("The configuration as a file")
        self._layout = page(
            Heading(
                title=_("Configuration"),
                sentence=_("How this workspace is set up, as a file: for another one, or to keep."),
            ),
            page_notices(state),
            section(
                _("Take it along"),
                _(
                    "Providers with their models and prices, instructions, the prompts and agents that everybody is "
                    "offered, teams, limits, safety filters, issuers, and settings. Keys, secrets and passwords are "
                    "never in it."
                ),
                Links(links=[{"label": _("Download"), "name": name, "href": "/admin/configuration.json"}]),
            ),
            section(
                _("Take in a file"),
                _(
                    "It adds and changes, and deletes nothing. What it would do is shown first; then all of it is "
                    "done, or nothing."
                ),
                button(_("Choose a file"), state.open_form, disabled=param.is_busy),
            ),
            pn.Column(
                Heading(title=_("What the file would do"), level=2),
                Notice(text=pn.bind(rows.summary, param.steps), margin=BELOW),
                Table(
                    caption=_("What the file would do"), columns=rows.columns(),
                    rows=pn.bind(rows.changes, param.steps),
                    total=pn.bind(lambda steps: len(rows.changes(steps)), param.steps), size=rows.SHOWN, margin=BELOW,
                ),
                pn.Row(
                    button(
                        _("Apply"), state.apply, tone="primary", disabled=param.is_busy,
                        visible=pn.bind(rows.may_apply, param.steps), margin=(0, 8, 0, 0),
                    ),
                    button(_("Discard"), self._discard),
                    margin=0,
                ),
                sizing_mode="stretch_width", margin=0, visible=pn.bind(bool, param.steps),
            ),
            Sheet(
                title=_("Take in a file"),
                is_open=pn.bind(bool, param.sheet),
                text=_("Nothing is changed by looking at it."),
                fields=[{"name": "text", "label": _("Configuration"), "type": "file", "accept": ".json"}],
                values=pn.bind(lambda text: {"text": text}, param.text),
                buttons=[{"action": "check", "label": _("Show what it would do")}],
                error=param.error,
                said=param.said,
                is_busy=param.is_busy,
                on_message=self._on_sheet,
            ),
        )  # fmt: skip

    def __panel__(self) -> Any:
        """Return what is drawn."""
        return self._layout

    async def _discard(self) -> None:
        self._state.discard()

    async def _on_sheet(self, message: Message) -> None:
        self._state.fill(message.values)
        if message.action == "check":
            await self._state.check()
        else:
            self._state.close()
