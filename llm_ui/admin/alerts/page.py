"""The page of alerts."""

from typing import Any

import panel as pn

from llm_ui.admin.alerts import rows
from llm_ui.admin.alerts.state import AlertsState
from llm_ui.admin.listing.part import list_part
from llm_ui.admin.notices import page_notices
from llm_ui.admin.usage.parts import Filters
from llm_ui.kit.i18n import gettext as _
from llm_ui.ui.form import BELOW, button, page
from llm_ui.ui.parts import Heading, Message, Sheet, Table


class AlertsPage(pn.viewable.Viewer):
    """Rules, the server for e-mails, and what was told. It moves by itself."""

    def __init__(self, state: AlertsState) -> None:
        super().__init__()
        self._state = state
        may_act, is_busy = state.param.may_act, state.param.is_busy
        self._layout = page(
            Heading(title=_("Alerts"), sentence=_("Limits, and who is told when one is passed and when that is over.")),
            page_notices(state),
            Filters(is_current=True, on_message=self._on_tick),
            pn.Row(
                button(_("Add rule"), self._open_new, tone="primary", disabled=is_busy, visible=may_act),
                button(_("Server for e-mails"), state.open_mail, disabled=is_busy, visible=may_act),
                button(_("Signature"), state.show_secret, disabled=is_busy, visible=may_act),
                margin=BELOW,
                styles={"gap": "8px", "flex-wrap": "wrap"},
            ),
            Table(
                caption=_("Alert rules"), columns=rows.columns(), rows=pn.bind(rows.rules, state.param.rules, may_act),
                empty=_("There is no rule. Add one, such as for failed calls or the cost of a day."), is_busy=is_busy,
                on_message=self._on_row, margin=BELOW,
            ),
            Heading(title=_("History"), sentence=_("What was told, and to whom it could not be."), level=2),
            list_part(state),
            self._sheet(),
        )  # fmt: skip

    def __panel__(self) -> Any:
        """Return what is drawn."""
        return self._layout

    def _sheet(self) -> Sheet:
        held = self._state.param
        return Sheet(
            title=pn.bind(rows.title, held.sheet),
            is_open=pn.bind(bool, held.sheet),
            text=pn.bind(rows.text, held.sheet),
            fields=pn.bind(rows.fields, held.sheet),
            values=pn.bind(
                rows.values, kind=held.kind, threshold=held.threshold, channel=held.channel, address=held.address,
                host=held.host, port=held.port, tls=held.tls, user=held.user, sender=held.sender, secret=held.secret,
            ),
            buttons=pn.bind(lambda sheet, chosen: rows.buttons(sheet, chosen is None), held.sheet, held.chosen),
            error=held.error,
            said=held.said,
            is_busy=held.is_busy,
            on_message=self._on_sheet,
        )  # fmt: skip

    async def _open_new(self) -> None:
        self._state.open_new()

    async def _on_tick(self, message: Message) -> None:
        if message.action == "tick":
            await self._state.follow()

    async def _on_row(self, message: Message) -> None:
        if message.row is None:
            return
        match message.action:
            case "test":
                await self._state.test(message.row)
            case "silence" | "unsilence" as verb:
                await self._state.silence(message.row, is_silenced=verb == "silence")
            case "edit":
                await self._state.open_rule(message.row)

    async def _on_sheet(self, message: Message) -> None:
        self._state.fill(message.values)
        match message.action:
            case "save_rule":
                await self._state.save_rule()
            case "save_mail":
                await self._state.save_mail()
            case "ask_delete":
                self._state.ask_delete()
            case "delete":
                await self._state.delete()
            case "close":
                self._state.close()
