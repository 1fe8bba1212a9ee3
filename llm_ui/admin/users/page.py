"""The users page."""

from typing import Any
from uuid import UUID

import panel as pn

from llm_ui.admin.listing.part import list_part
from llm_ui.admin.notices import page_notices
from llm_ui.admin.users import forms
from llm_ui.admin.users.state import UsersState
from llm_ui.kit.i18n import gettext as _
from llm_ui.ui.form import page
from llm_ui.ui.parts import Heading, Message, Sheet


class UsersPage(pn.viewable.Viewer):
    """The accounts as a list, and the forms to add some."""

    def __init__(self, state: UsersState) -> None:
        super().__init__()
        self._state = state
        self._layout = page(
            Heading(title=_("Users"), sentence=_("Who may use this workspace, and what they may do in it.")),
            page_notices(state),
            list_part(state, self._act, buttons=forms.buttons_above()),
            Sheet(
                title=pn.bind(forms.title, state.param.sheet),
                is_open=pn.bind(bool, state.param.sheet),
                text=pn.bind(forms.text, state.param.sheet, state.param.link_text),
                fields=pn.bind(forms.fields, state.param.sheet),
                values=pn.bind(
                    forms.values,
                    link=state.param.link,
                    **{name: state.param[name] for name in state.fields},
                ),
                buttons=pn.bind(forms.buttons, state.param.sheet),
                error=state.param.error,
                said=state.param.said,
                is_busy=state.param.is_busy,
                on_message=self._on_sheet,
            ),
        )

    def __panel__(self) -> Any:
        """Return what is drawn."""
        return self._layout

    async def _act(self, action: str, row: UUID | None) -> None:
        if row is None:
            self._state.open_form(action)
        elif action == "approve":
            await self._state.approve(row)
        elif action == "reject":
            await self._state.reject(row)

    async def _on_sheet(self, message: Message) -> None:
        self._state.fill(message.values)
        match message.action:
            case "save":
                await self._state.save()
            case "check":
                await self._state.check()
            case "carry_out":
                await self._state.carry_out()
            case "close":
                self._state.close()
