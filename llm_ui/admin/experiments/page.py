"""The page of experiments."""

from typing import Any

import panel as pn

from llm_ui.admin.experiments import rows
from llm_ui.admin.experiments.state import ExperimentsState
from llm_ui.admin.notices import page_notices
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.ids import ExperimentId
from llm_ui.ui.form import BELOW, button, chooser, page
from llm_ui.ui.parts import Heading, Message, Sheet, Table

BESIDE = (0, 8, 0, 0)


class ExperimentsPage(pn.viewable.Viewer):
    """What is tried with models and instructions, and what came of it."""

    def __init__(self, state: ExperimentsState) -> None:
        super().__init__()
        self._state = state
        param = state.param
        self._layout = page(
            Heading(
                title=_("Experiments"),
                sentence=_(
                    "Some get a model, or instructions, in another way than the others, and their ratings and costs "
                    "say which is better. Each person, or each chat, keeps its variant. A question that one of the "
                    "variants could not answer takes no part; nobody gets a model that is not theirs to ask."
                ),
            ),
            page_notices(state),
            pn.Row(
                button(_("Split a model"), state.open_model, tone="primary", disabled=param.is_busy, margin=BESIDE),
                button(_("Split instructions"), state.open_prompt, disabled=param.is_busy),
                margin=BELOW,
            ),
            Table(
                caption=_("Experiments"),
                columns=rows.columns(),
                rows=pn.bind(rows.experiments, param.experiments),
                empty=_("There is none yet."),
                is_busy=param.is_busy,
                on_message=self._on_row,
                margin=BELOW,
            ),
            *self._results(),
            Sheet(
                title=pn.bind(rows.title, param.sheet, param.selected, param.key),
                is_open=pn.bind(bool, param.sheet),
                text=pn.bind(rows.text, param.sheet, param.selected, param.key),
                fields=pn.bind(rows.fields, param.sheet, param.models, param.prompts),
                values=pn.bind(_values, **{name: param[name] for name in state.fields}),
                buttons=pn.bind(rows.buttons, param.sheet, param.selected),
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

    def _results(self) -> list[Any]:
        """Return what one of them has shown."""
        state = self._state
        param = state.param
        which = chooser(param.shown, _("Experiment"), pn.bind(rows.names, param.experiments), state.show)
        which.margin = BELOW
        return [
            Heading(
                title=_("Results"),
                sentence=_(
                    "Ratings with the range in which the share of good ones is with 95 % certainty (Wilson), and what "
                    "chance has to do with a difference (Fisher's exact test). Costs and first tokens are medians. "
                    "Whoever looks often sees a difference by chance some time: decide how long it goes on before."
                ),
                level=2,
            ),
            which,
            Table(
                caption=_("Results"),
                columns=rows.result_columns(),
                rows=pn.bind(rows.results, param.results),
                empty=_("Nothing was counted yet."),
                is_busy=param.is_busy,
                on_message=self._on_variant,
                margin=BELOW,
            ),
        ]

    async def _on_row(self, message: Message) -> None:
        if message.row is None:
            return
        experiment_id = ExperimentId(message.row)
        match message.action:
            case "show":
                await self._state.show(str(experiment_id))
            case "edit":
                await self._state.open_edit(experiment_id)
            case "start":
                await self._state.start(experiment_id)
            case "stop":
                await self._state.stop(experiment_id)

    async def _on_variant(self, message: Message) -> None:
        if message.action == "promote" and message.row is not None:
            await self._state.ask_promote(rows.key_of(message.row))

    async def _on_sheet(self, message: Message) -> None:
        self._state.fill(message.values)
        match message.action:
            case "save":
                await self._state.save()
            case "ask_remove":
                await self._state.ask_remove()
            case "remove":
                await self._state.remove()
            case "promote":
                await self._state.promote()
            case "close":
                self._state.close()


def _values(**held: Any) -> dict[str, Any]:
    return held
