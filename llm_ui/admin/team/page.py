"""The page of one team."""

from collections.abc import Awaitable, Callable
from typing import Any

import panel as pn

from llm_ui.admin import filtering
from llm_ui.admin.limits import left_rows
from llm_ui.admin.limits.rates import RatesPart
from llm_ui.admin.limits.rates_state import TEAM, RatesState
from llm_ui.admin.notices import page_notices
from llm_ui.admin.quotas import LIMITS
from llm_ui.admin.team import forms, rows
from llm_ui.admin.team.forms import ACCOUNT, ADD, BUDGET
from llm_ui.admin.team.state import TeamState
from llm_ui.kit.i18n import gettext as _
from llm_ui.ui import facts
from llm_ui.ui.form import BELOW, button, page, section, stack, words
from llm_ui.ui.parts import Heading, Link, Message, Offers, Sheet, Table


class TeamPage(pn.viewable.Viewer):
    """Who is in a team and what it has; its owners and administrators change it."""

    def __init__(self, state: TeamState, *, list_address: str) -> None:
        super().__init__()
        self._state = state
        self._acts: dict[str, Callable[[], Awaitable[None]]] = {
            "add": state.add, "keep": state.keep, "set_budget": state.set_budget, "rename": state.rename,
            "add_account": state.add_account, "end_account": state.end_account, "save_filter": state.save_filter,
            "save_limits": state.save_limits, "delete": state.delete,
        }  # fmt: skip
        known = state.param.known
        sentence = _("Of the team, and of everybody together: all hold.")
        self._of_rates = RatesState(state.context)
        self._rates = RatesPart(self._of_rates, level=3, sentence=sentence, empty=_("Nothing is limited so."))
        self._layout = page(
            Link(text=_("‹ All teams"), address=list_address),
            Heading(title=pn.bind(_name, known), sentence=_("What its members share. Chats are nobody else's.")),
            page_notices(state),
            pn.Column(
                self._members(),
                self._accounts(),
                section(
                    _("Instructions"),
                    _("What models are told in all chats of the members, after those of the workspace."),
                    self._instructions(),
                ),
                section(
                    _("Models"),
                    _("Those that only some teams can ask. All others are everybody's."),
                    Table(
                        caption=_("Models"),
                        columns=rows.model_columns(),
                        rows=pn.bind(rows.models, known),
                        empty=_("No model is kept for this team: its members can ask what everybody can."),
                    ),
                ),
                section(
                    _("Projects"),
                    _("All members take part in these. Owners of a project share it with a team under its Members."),
                    Table(
                        caption=_("Projects"),
                        columns=rows.project_columns(),
                        rows=pn.bind(rows.projects, known),
                        empty=_("No project is shared with this team."),
                    ),
                ),
                section(
                    _("Usage"),
                    _("A call is booked to one team: the first of its project, else the first of its person."),
                    Table(caption=_("Usage"), columns=facts.columns(), rows=pn.bind(rows.figures, known)),
                ),
                self._limits(),
                self._administration(),
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
        known = self._state.known
        if known is None or not known.may_administer:
            self._of_rates.show(() if known is None else known.limits)
        else:
            await self._of_rates.load_of(TEAM, known.team.id)

    def _members(self) -> Any:
        state = self._state
        return section(
            _("Members"),
            _("Owners decide on members and instructions. What members have through the team ends when they leave."),
            Table(
                caption=_("Members"),
                columns=rows.member_columns(),
                rows=pn.bind(rows.members, state.param.known),
                empty=_("Nobody is in it yet. Add somebody who has an account."),
                is_busy=state.param.is_busy,
                on_message=self._on_member,
            ),
            button(
                _("Add a person"), self._open_add, disabled=state.param.is_busy,
                visible=pn.bind(_may_manage, state.param.known),
            ),
        )  # fmt: skip

    def _accounts(self) -> Any:
        state = self._state
        return section(
            _("Service accounts"),
            _("What the team's scripts act as, so that none hangs on a person's account. Keys are behind the name."),
            Table(
                caption=_("Service accounts"),
                columns=rows.account_columns(),
                rows=pn.bind(rows.accounts, state.param.known),
                empty=_("There is none. Scripts of the team are best run with one."),
                is_busy=state.param.is_busy,
                on_message=self._on_account,
            ),
            button(
                _("New service account"), self._open_account, disabled=state.param.is_busy,
                visible=pn.bind(_may_manage, state.param.known),
            ),
        )  # fmt: skip

    def _instructions(self) -> Any:
        state = self._state
        field = words(state.param.instructions, _("Instructions"))
        field.disabled = pn.bind(lambda known: not _may_manage(known), state.param.known)
        save = button(
            _("Save"), state.instruct, disabled=state.param.is_busy, visible=pn.bind(_may_manage, state.param.known)
        )
        return stack(field, save)

    def _limits(self) -> Any:
        state = self._state
        may_set = pn.bind(lambda known: known is not None and known.may_administer, state.param.known)
        return section(
            _("Limits"),
            _("What the team may spend together, and what it lets each member use; else roles and everybody's hold."),
            Table(
                caption=_("Limits"),
                columns=left_rows.columns(),
                rows=pn.bind(rows.limits, state.param.known),
                empty=_("The team limits nothing: what is set for roles and everybody holds for its members."),
            ),
            pn.Row(
                button(_("Set budget …"), self._open_budget, disabled=state.param.is_busy),
                button(_("Set limits …"), self._open_limits, disabled=state.param.is_busy),
                margin=0, visible=may_set,
            ),
            self._rates,
        )  # fmt: skip

    async def _open_budget(self) -> None:
        await self._state.open_form(BUDGET)

    async def _open_limits(self) -> None:
        await self._state.open_form(LIMITS)

    def _administration(self) -> Any:
        state = self._state
        return pn.Column(
            section(
                _("Safety filters"),
                _("For its members, besides those of the workspace: the strictest action holds."),
                Table(
                    caption=_("Safety filters"),
                    columns=filtering.columns(),
                    rows=pn.bind(filtering.rows, state.param.rules),
                    is_busy=state.param.is_busy,
                    on_message=self._on_filter,
                ),
            ),
            section(
                _("Team"),
                _("Each of these is noted in the audit log."),
                Offers(label=_("Team"), items=pn.bind(forms.offers, state.param.known), on_message=self._on_offer),
            ),
            sizing_mode="stretch_width",
            margin=BELOW,
            visible=pn.bind(lambda known: known is not None and known.may_administer, state.param.known),
        )

    def _sheet(self) -> Sheet:
        param = self._state.param
        return Sheet(
            title=pn.bind(forms.title, param.sheet, param.known, param.selected_kind, param.account),
            is_open=pn.bind(bool, param.sheet),
            text=pn.bind(forms.text, param.sheet, param.selected_kind),
            tone=pn.bind(forms.tone, param.sheet),
            fields=pn.bind(self._fields, param.sheet, param.known, param.offered, param.account),
            values=pn.bind(forms.values, **{name: param[name] for name in self._state.fields}),
            buttons=pn.bind(forms.buttons, param.sheet),
            error=param.error,
            said=param.said,
            is_busy=param.is_busy,
            on_message=self._on_sheet,
        )

    def _fields(self, sheet: str, *about: Any) -> list[dict[str, Any]]:
        if sheet == filtering.FILTER:
            return filtering.fields(self._state.selected_kind, self._state.moderators)
        return forms.fields(sheet, *about)

    async def _open_add(self) -> None:
        await self._state.open_form(ADD)

    async def _on_member(self, message: Message) -> None:
        if message.row is None:
            return
        match message.action:
            case "owner" | "member":
                await self._state.change_role(message.row, is_owner=message.action == "owner")
            case "remove":
                await self._state.remove(message.row)

    async def _open_account(self) -> None:
        await self._state.open_form(ACCOUNT)

    async def _on_account(self, message: Message) -> None:
        if message.row is None:
            return
        match message.action:
            case "on" | "off":
                await self._state.switch_account(message.row, is_active=message.action == "on")
            case "end_account":
                await self._state.open_account(message.row)

    async def _on_filter(self, message: Message) -> None:
        await self._state.open_filter(message.row)

    async def _on_offer(self, message: Message) -> None:
        await self._state.open_form(message.action)

    async def _on_sheet(self, message: Message) -> None:
        self._state.fill(message.values)
        done = self._acts.get(message.action)
        if done is not None:
            await done()
        elif message.action == "close":
            self._state.close()


def _name(known: Any) -> str:
    return "" if known is None else known.team.name


def _may_manage(known: Any) -> bool:
    return known is not None and known.may_manage
