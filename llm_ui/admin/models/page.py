"""The models page."""

from typing import Any

import panel as pn

from llm_ui.admin.limits.rates import RatesSheet
from llm_ui.admin.limits.rates_state import MODEL, RatesState
from llm_ui.admin.models import forms, rows, trial_rows
from llm_ui.admin.models.state import PAGE_SIZE, ModelsState
from llm_ui.admin.notices import page_notices
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.ids import ModelId
from llm_ui.ui.form import page, search_field
from llm_ui.ui.parts import Heading, Message, Sheet, Table, Trial


class ModelsPage(pn.viewable.Viewer):
    """Models with a search, and the form for one."""

    def __init__(self, state: ModelsState) -> None:
        super().__init__()
        self._state = state
        self._rates = RatesState(state.context)
        trial = state.trial
        self._trial = Trial(
            is_open=pn.bind(bool, trial.param.sheet),
            shown=pn.bind(trial_rows.texts, trial.param.model),
            on_message=self._on_trial,
        )
        trial.tell = self._trial.tell
        self._layout = page(
            Heading(
                title=_("Models"),
                sentence=_(
                    "What people may ask, what it costs, and what new chats start with. "
                    "Add models on the providers page."
                ),
            ),
            page_notices(state),
            search_field(_("Search models"), state.find, placeholder=_("Name or provider")),
            Table(
                caption=_("Models"),
                columns=rows.columns(),
                rows=pn.bind(rows.models, state.param.models),
                empty=pn.bind(rows.empty, state.param.search),
                total=state.param.total,
                offset=state.param.offset,
                size=PAGE_SIZE,
                is_busy=state.param.is_busy,
                on_message=self._on_row,
            ),
            Sheet(
                title=pn.bind(forms.title, state.param.sheet, state.param.selected),
                is_open=pn.bind(bool, state.param.sheet),
                text=pn.bind(
                    forms.text,
                    state.param.sheet,
                    state.param.selected,
                    state.param.consequences,
                    state.param.kept,
                    state.param.gained,
                ),
                tone=pn.bind(forms.tone, state.param.sheet),
                fields=pn.bind(
                    forms.fields, state.param.sheet, state.param.selected, state.param.others, state.param.history
                ),
                values=pn.bind(forms.values, **{name: state.param[name] for name in state.fields}),
                buttons=pn.bind(forms.buttons, state.param.sheet),
                error=state.param.error,
                said=state.param.said,
                is_busy=state.param.is_busy,
                on_message=self._on_sheet,
            ),
            RatesSheet(self._rates),
            self._trial,
        )

    def __panel__(self) -> Any:
        """Return what is drawn."""
        return self._layout

    async def load(self) -> None:
        """Read what the page shows."""
        await self._state.load()

    async def _on_sheet(self, message: Message) -> None:
        self._state.fill(message.values)
        match message.action:
            case "save":
                await self._state.save()
            case "use_list_prices":
                await self._state.use_list_prices()
            case "ask_remove":
                await self._state.ask_remove()
            case "limits" if self._state.selected is not None:
                # Above the form of the model, which keeps what was typed in it.
                await self._rates.open_of(MODEL, self._state.selected.id)
            case "clear_cache":
                await self._state.clear_cache()
            case "remove":
                await self._state.remove()
            case "switch_off":
                await self._state.switch_off()
            case "close":
                self._state.close()

    def close(self) -> None:
        """Leave what is being tried."""
        self._state.trial.leave()

    async def _on_trial(self, message: Message) -> None:
        trial = self._state.trial
        match message.action:
            case "send":
                trial.fill(message.values)
                trial.begin(message.item)
            case "stop":
                await trial.stop()
            case "again":
                trial.again()
            case "close":
                await trial.stop()
                trial.close()

    async def _on_row(self, message: Message) -> None:
        if message.row is None:
            await self._state.turn(message.pages)
            return
        model_id = ModelId(message.row)
        match message.action:
            case "edit":
                await self._state.open_edit(model_id)
            case "try":
                await self._state.trial.open(model_id)
            case "default":
                await self._state.make_default(model_id)
            case "disable":
                await self._state.ask_off(model_id)
            case "enable":
                await self._state.switch_on(model_id)
