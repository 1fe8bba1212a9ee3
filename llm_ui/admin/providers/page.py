"""The providers page."""

from typing import Any

import panel as pn

from llm_ui.admin.notices import page_notices
from llm_ui.admin.providers import forms, rows
from llm_ui.admin.providers.reach import REACH_FIELDS
from llm_ui.admin.providers.state import ProvidersState
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.ids import ProviderId
from llm_ui.ui.form import BELOW, button, page
from llm_ui.ui.parts import Heading, Message, Offers, Sheet, Table


class ProvidersPage(pn.viewable.Viewer):
    """Providers, the form for one, what one serves, and what was found on this computer."""

    def __init__(self, state: ProvidersState) -> None:
        super().__init__()
        self._state = state
        self._layout = page(
            Heading(
                title=_("Providers"),
                sentence=_("The services that run your models. Keys are stored encrypted and are never shown again."),
            ),
            page_notices(state),
            Offers(
                label=_("Suggestions"),
                items=pn.bind(rows.offers, state.param.suggestion, state.param.offers),
                is_busy=state.param.is_busy,
                on_message=self._on_offer,
            ),
            button(_("Add provider"), self._open_add, tone="primary", margin=BELOW),
            Table(
                caption=_("Providers"),
                columns=rows.columns(),
                rows=pn.bind(rows.providers, state.param.providers, state.param.type_names, state.param.health),
                empty=_("No provider yet. Add one, then choose which of its models people may ask."),
                is_busy=state.param.is_busy,
                on_message=self._on_row,
            ),
            self._sheet(),
        )

    def __panel__(self) -> Any:
        """Return what is drawn."""
        return self._layout

    async def load(self) -> None:
        """Read what the page shows, then look around on this computer."""
        await self._state.load()
        await self._state.look_around()

    def _sheet(self) -> Any:
        param = self._state.param
        return Sheet(
            title=pn.bind(forms.title, param.sheet, param.selected),
            is_open=pn.bind(bool, param.sheet),
            text=pn.bind(forms.text, param.sheet, param.consequences),
            tone=pn.bind(forms.tone, param.sheet),
            fields=pn.bind(
                forms.fields, param.sheet, types=param.type_names, hint=param.hint, served=param.served,
                already=param.already, keys=param.keys, selected=param.selected,
            ),
            values=pn.bind(
                forms.values, preset=param.preset, provider_name=param.provider_name, kind=param.kind,
                place=param.place, base_url=param.base_url, key=param.key, chosen=param.chosen,
                model_name=param.model_name, **{name: param[name] for name in REACH_FIELDS},
            ),
            buttons=pn.bind(forms.buttons, param.sheet),
            error=param.error,
            said=param.said,
            is_busy=param.is_busy,
            on_message=self._on_sheet,
        )  # fmt: skip

    async def _open_add(self) -> None:
        self._state.open_add()

    async def _on_offer(self, message: Message) -> None:
        if message.action == "make_default":
            await self._state.make_suggested_default()
        else:
            await self._state.add_offer(message.item)

    async def _on_row(self, message: Message) -> None:
        if message.row is None:
            return
        provider_id = ProviderId(message.row)
        match message.action:
            case "models":
                await self._state.discover(provider_id)
            case "test":
                await self._state.test(provider_id)
            case "keys":
                await self._state.open_keys(provider_id)
            case "edit":
                await self._state.open_edit(provider_id)
            case "disable":
                await self._state.ask_off(provider_id)
            case "enable":
                await self._state.switch_on(provider_id)

    async def _on_sheet(self, message: Message) -> None:
        self._state.fill(message.values)
        match message.action:
            case "changed":
                self._state.pick_preset(message.value)
            case "save":
                await self._state.save()
            case "save_and_test":
                await self._state.save_and_test()
            case "add_models":
                await self._state.add_chosen()
            case "add_key" | "weigh_key" | "retire_key" as verb:
                await self._state.change_keys(verb)
            case "switch_off":
                await self._state.switch_off()
            case "ask_delete":
                await self._state.ask_delete()
            case "delete":
                await self._state.delete()
            case "close":
                self._state.close()
