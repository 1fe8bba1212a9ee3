"""The page of limits: of roles, and of rates and money."""

from typing import Any

import panel as pn

from llm_ui.admin import quotas
from llm_ui.admin.limits import rows
from llm_ui.admin.limits.rates import RatesPart
from llm_ui.admin.limits.rates_state import RatesState
from llm_ui.admin.limits.state import LimitsState
from llm_ui.admin.notices import page_notices
from llm_ui.kit.i18n import gettext as _
from llm_ui.ui.form import BELOW, page
from llm_ui.ui.parts import Heading, Message, Sheet, Table


class LimitsPage(pn.viewable.Viewer):
    """What everybody and each role may use, and the form for one role; of rates those of all, or of one API key."""

    def __init__(self, state: LimitsState, series: str = "") -> None:
        super().__init__()
        self._state = state
        self._rates = RatesState(state.context)
        self._series = series
        param = state.param
        self._layout = page(
            Heading(
                title=_("Limits"),
                sentence=_(
                    "What each person may use. Of a limit of the person, their teams, their role and everybody the "
                    "nearest one holds; those of a person and a team are set on their pages."
                ),
            ),
            page_notices(state),
            Table(
                caption=_("Limits of roles"),
                columns=rows.columns(),
                rows=pn.bind(rows.roles, param.listed),
                is_busy=param.is_busy,
                on_message=self._on_row,
                margin=BELOW,
            ),
            RatesPart(self._rates, sentence=_("Of one API key, and of everybody together.") if series else ""),
            Sheet(
                title=pn.bind(rows.title, param.role),
                is_open=pn.bind(bool, param.sheet),
                text=_("For each person with the role. What is empty is as for everybody; 0 is no limit."),
                fields=quotas.fields(),
                values=pn.bind(lambda **held: held, **{name: param[name] for name in state.fields}),
                buttons=[{"action": "save", "label": _("Save")}],
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
        if self._series:
            await self._rates.load_of_key(self._series)
        else:
            await self._rates.load()

    async def _on_row(self, message: Message) -> None:
        await self._state.open_form(rows.role_of(message.row))

    async def _on_sheet(self, message: Message) -> None:
        self._state.fill(message.values)
        if message.action == "save":
            await self._state.save()
        else:
            self._state.close()
