"""The page of one account."""

from typing import Any

import panel as pn

from llm_ui.admin.limits import left_rows
from llm_ui.admin.limits.rates import RatesPart
from llm_ui.admin.limits.rates_state import PERSON, RatesState
from llm_ui.admin.notices import page_notices
from llm_ui.admin.person import forms, rows
from llm_ui.admin.person.state import PersonState
from llm_ui.admin.quotas import LIMITS
from llm_ui.kit.i18n import gettext as _
from llm_ui.ui import facts
from llm_ui.ui.form import BELOW, button, page, section
from llm_ui.ui.parts import Heading, Link, Message, Notice, Offers, Sheet, Table


class PersonPage(pn.viewable.Viewer):
    """What is known of an account, and what can be done to it."""

    def __init__(self, state: PersonState) -> None:
        super().__init__()
        self._state = state
        known = state.param.known
        sentence = _("Of them, of everybody together, of the team that pays for them, and of their API keys: all hold.")
        self._of_rates = RatesState(state.context)
        self._rates = RatesPart(self._of_rates, level=3, sentence=sentence)
        self._layout = page(
            Link(text=_("‹ All users"), address="/admin/users"),
            Heading(title=pn.bind(_name, known), sentence=_("What is known of this account, but nothing they wrote.")),
            page_notices(state),
            Notice(text=pn.bind(forms.held, state.param.hold), tone="warning", margin=BELOW),
            pn.Column(
                self._table(_("What is known"), facts.columns(), rows.facts, ""),
                section(
                    _("Sessions"),
                    _("Where they are signed in. What is ended closes its pages at once."),
                    self._table(_("Sessions"), rows.session_columns(), rows.sessions, _("Nowhere signed in.")),
                    button(_("End all sessions"), state.end_all, disabled=state.param.is_busy),
                ),
                section(
                    _("Limits"),
                    _("What they may use, whose limit it is, and what is left. Of several the nearest one holds."),
                    self._table(_("Limits"), left_rows.columns(), rows.limits, ""),
                    button(_("Set limits …"), self._open_limits, disabled=state.param.is_busy),
                    self._rates,
                ),
                section(
                    _("Account"),
                    _("Each of these is noted in the audit log."),
                    Offers(
                        label=_("Account"),
                        items=pn.bind(forms.offers, known, state.param.hold),
                        on_message=self._on_offer,
                    ),
                ),
                section(
                    _("Projects"),
                    _("What they are a member of."),
                    self._table(_("Projects"), rows.project_columns(), rows.projects, _("No projects.")),
                ),
                section(
                    _("Audit log"),
                    _("The latest that was done to this account, and by it."),
                    self._table(_("Audit log"), rows.entry_columns(), rows.entries, _("Nothing yet.")),
                ),
                sizing_mode="stretch_width",
                margin=0,
                visible=pn.bind(bool, known),
            ),
            self._sheet(),
        )

    def __panel__(self) -> Any:
        """Return what is drawn."""
        return self._layout

    async def load(self) -> None:
        """Read what the page shows."""
        await self._state.load()
        if self._state.known is not None:
            await self._of_rates.load_of(PERSON, self._state.known.user.id)

    def _table(self, caption: str, columns: list[dict[str, str]], drawn: Any, empty: str) -> Table:
        return Table(
            caption=caption,
            columns=columns,
            rows=pn.bind(drawn, self._state.param.known),
            empty=empty,
            is_busy=self._state.param.is_busy,
            on_message=self._on_row,
            margin=(0, 0, 16, 0),
        )

    def _sheet(self) -> Sheet:
        param = self._state.param
        return Sheet(
            title=pn.bind(forms.title, param.sheet, param.known),
            is_open=pn.bind(bool, param.sheet),
            text=pn.bind(forms.text, param.sheet, param.known, param.link_text),
            tone=pn.bind(forms.tone, param.sheet),
            fields=pn.bind(forms.fields, param.sheet, param.known),
            values=pn.bind(forms.values, link=param.link, **{name: param[name] for name in self._state.fields}),
            buttons=pn.bind(forms.buttons, param.sheet),
            error=param.error,
            said=param.said,
            is_busy=param.is_busy,
            on_message=self._on_sheet,
        )

    async def _on_row(self, message: Message) -> None:
        if message.action == "end" and message.row is not None:
            await self._state.end_session(message.row)

    async def _open_limits(self) -> None:
        await self._state.open_form(LIMITS)

    async def _on_offer(self, message: Message) -> None:
        match message.action:
            case "role" | "delete" | "hold":
                await self._state.open_form(message.action)
            case "reset" | "invite":
                await self._state.make_link(is_invitation=message.action == "invite")
            case "lift":
                await self._state.lift_hold()
            case "reset_factor":
                await self._state.reset_second_factor()
            case "enable" | "disable":
                await self._state.set_active(is_active=message.action == "enable")

    async def _on_sheet(self, message: Message) -> None:
        self._state.fill(message.values)
        match message.action:
            case "save_role":
                await self._state.save_role()
            case "save_limits":
                await self._state.save_limits()
            case "hold":
                await self._state.place_hold()
            case "delete":
                await self._state.delete()
            case "close":
                self._state.close()


def _name(known: Any) -> str:
    return "" if known is None else known.user.name
