"""The page of all settings."""

from typing import Any

import panel as pn

from llm_ui.admin.notices import page_notices
from llm_ui.admin.registry import rows
from llm_ui.admin.registry.state import RegistryState
from llm_ui.kit import assets
from llm_ui.kit.i18n import gettext as _
from llm_ui.ui.form import BELOW, chooser, page, search_field, section, stack
from llm_ui.ui.parts import Heading, Logo, Message, Sheet, Table


class RegistryPage(pn.viewable.Viewer):
    """All settings with a search, and the form for one."""

    def __init__(self, state: RegistryState) -> None:
        super().__init__()
        self._state = state
        shown = pn.bind(rows.settings, state.param.listed, state.param.search, state.param.group)
        groups = {_("All"): "", **{_(label): name for name, label in rows.GROUPS.items()}}
        self._layout = page(
            Heading(
                title=_("All settings"),
                sentence=_("What holds, where it comes from and who changed it. A change takes effect at once."),
            ),
            page_notices(state),
            pn.Column(
                section(
                    _("Logo"),
                    _("On every page, in the browser's tab and as the icon of the installed app."),
                    Logo(
                        address=pn.bind(lambda address: address or assets.url("icon.svg"), state.param.logo),
                        is_ours=pn.bind(lambda address: not address, state.param.logo),
                        on_message=self._on_logo,
                    ),
                ),
                margin=0, sizing_mode="stretch_width",
                visible=pn.bind(rows.has_logo, state.param.search, state.param.group),
            ),
            search_field(_("Search settings"), state.find, placeholder=_("A word of it")),
            stack(chooser(state.param.group, _("Group"), groups, state.choose_group), margin=BELOW),
            Table(
                caption=_("All settings"),
                columns=rows.columns(),
                rows=shown,
                empty=_("No setting holds these words."),
                total=pn.bind(len, shown),
                is_busy=state.param.is_busy,
                on_message=self._on_row,
            ),
            Sheet(
                title=pn.bind(lambda info: "" if info is None else info.setting.name, state.param.selected),
                is_open=pn.bind(bool, state.param.sheet),
                text=pn.bind(lambda info: "" if info is None else _(info.setting.meaning), state.param.selected),
                fields=pn.bind(rows.fields, state.param.selected),
                values=pn.bind(lambda value: {"value": value}, state.param.value),
                buttons=[{"action": "save", "label": _("Save")}],
                error=state.param.error,
                said=state.param.said,
                is_busy=state.param.is_busy,
                on_message=self._on_sheet,
            ),
        )  # fmt: skip

    def __panel__(self) -> Any:
        """Return what is drawn."""
        return self._layout

    async def load(self) -> None:
        """Read what the page shows."""
        await self._state.load()

    async def _on_sheet(self, message: Message) -> None:
        self._state.fill(message.values)
        if message.action == "save":
            await self._state.save()
        else:
            self._state.close()

    async def _on_logo(self, message: Message) -> None:
        if message.action == "reset":
            await self._state.reset_logo()
        else:
            await self._state.logo_taken()

    async def _on_row(self, message: Message) -> None:
        listed = (info.setting.name for info in self._state.listed)
        name = next((name for name in listed if rows.id_of(name) == message.row), "")
        if message.action == "reset":
            await self._state.reset(name)
        else:
            await self._state.open_edit(name)
