"""The sign-in page of the administration."""

from typing import Any

import panel as pn

from llm_ui.admin.notices import page_notices
from llm_ui.admin.sign_in import forms
from llm_ui.admin.sign_in.state import TEXTS, SignInState
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.ids import IssuerId
from llm_ui.ui.form import BELOW, button, chooser, page, section
from llm_ui.ui.parts import Heading, Message, Sheet, Switch, Table


class SignInPage(pn.viewable.Viewer):
    """Issuers, passwords and second factors."""

    def __init__(self, state: SignInState) -> None:
        super().__init__()
        self._state = state
        self._layout = page(
            Heading(title=_("Sign-in"), sentence=_("How people get in. Sessions that began before always go on.")),
            page_notices(state),
            section(
                _("Second step"),
                _("A code of an authenticator app besides the password, or besides the issuer."),
                chooser(state.param.second_factor, _("Who has to give one"), forms.whose(), state.set_second_factor),
            ),
            section(
                _("Passwords"),
                _("They can be switched off once an administrator gets in without."),
                Switch(
                    label=_("People sign in with passwords"),
                    is_on=state.param.takes_passwords,
                    on_message=self._switch_passwords,
                ),
            ),
            Heading(
                title=_("Issuers"),
                sentence=_("Who else knows who people are, by OpenID Connect. Each has a button on the sign-in page."),
                level=2,
            ),
            button(_("Add issuer"), self._open_add, tone="primary", margin=BELOW),
            Table(
                caption=_("Issuers"),
                columns=forms.columns(),
                rows=pn.bind(forms.rows, state.param.issuers),
                empty=_("None yet. People sign in with passwords."),
                is_busy=state.param.is_busy,
                on_message=self._on_row,
            ),
            self._sheet(),
        )

    def __panel__(self) -> Any:
        """Return what is drawn."""
        return self._layout

    async def load(self) -> None:
        """Read what the page shows."""
        await self._state.load()

    def _sheet(self) -> Any:
        param = self._state.param
        typed = {f"issuer_{name}": param[f"issuer_{name}"] for name in TEXTS}
        directory = param.sheet, param.directory, param.directory_address
        return Sheet(
            title=pn.bind(forms.title, param.sheet, param.selected),
            is_open=pn.bind(bool, param.sheet),
            text=pn.bind(forms.text, *directory),
            tone=pn.bind(forms.tone, param.sheet, param.directory_address),
            fields=pn.bind(
                forms.fields, param.sheet, param.selected, param.directory_address, param.token),
            values=pn.bind(
                forms.values, makes_accounts=param.makes_accounts, is_private=param.is_private,
                redirect=param.redirect, takes_over=param.takes_over, token=param.token,
                directory_address=param.directory_address, **typed,
            ),
            buttons=pn.bind(forms.buttons, *directory),
            error=param.error,
            said=param.said,
            is_busy=param.is_busy,
            on_message=self._on_sheet,
        )  # fmt: skip

    async def _open_add(self) -> None:
        self._state.open_add()

    async def _switch_passwords(self, message: Message) -> None:
        await self._state.set_passwords(are_taken=message.is_on)

    async def _on_row(self, message: Message) -> None:
        if message.row is None:
            return
        issuer_id = IssuerId(message.row)
        match message.action:
            case "test":
                await self._state.test(issuer_id)
            case "edit":
                await self._state.open_edit(issuer_id)
            case "directory":
                await self._state.open_directory(issuer_id)
            case "enable" | "disable" as verb:
                await self._state.set_active(issuer_id, is_active=verb == "enable")

    async def _on_sheet(self, message: Message) -> None:
        self._state.fill(message.values)
        match message.action:
            case "save":
                await self._state.save()
            case "delete":
                await self._state.delete()
            case "save_directory":
                await self._state.save_directory()
            case "make_token":
                await self._state.make_token()
            case "end_token":
                await self._state.end_token()
            case "close":
                self._state.close()
            case sheet if sheet in forms.SHEETS:
                self._state.turn_to(sheet)
