"""The page of keeping."""

from typing import Any

import panel as pn

from llm_ui.admin.keeping import forms, receipts, rows, rules
from llm_ui.admin.keeping.state import KeepingState
from llm_ui.admin.notices import page_notices
from llm_ui.kit.i18n import gettext as _
from llm_ui.ui.form import BELOW, button, page
from llm_ui.ui.parts import Heading, Message, Sheet, Table


class KeepingPage(pn.viewable.Viewer):
    """How long chats are kept, and what may not be deleted."""

    def __init__(self, state: KeepingState) -> None:
        super().__init__()
        self._state = state
        param = state.param
        self._layout = page(
            Heading(title=_("Keeping"), sentence=_("How long chats are kept, and what may not be deleted.")),
            page_notices(state),
            Heading(
                title=_("How long chats are kept"),
                sentence=_(
                    "Of the rules that apply to a chat the shortest decides; legal holds win over all of them, and "
                    "pinned chats stay. What is due goes to the bin each night, and 30 days later for good."
                ),
                level=2,
            ),
            Table(
                caption=_("How long chats are kept"), columns=rules.columns(), rows=pn.bind(rules.rows, param.rules),
                is_busy=param.is_busy, on_message=self._on_rule, margin=BELOW,
            ),
            button(_("Rule for a team …"), self._open_team, disabled=param.is_busy, margin=BELOW),
            Heading(
                title=_("Legal holds"),
                sentence=_("While one lasts nothing of the person, or in the project, is deleted for good."),
                level=2,
            ),
            Table(
                caption=_("Legal holds"), columns=rows.hold_columns(), rows=pn.bind(rows.holds, param.holds),
                empty=_("Nobody and nothing is on hold."), is_busy=param.is_busy, on_message=self._on_hold,
                margin=BELOW,
            ),
            button(_("Put a project on hold …"), state.open_hold, disabled=param.is_busy, margin=BELOW),
            Heading(
                title=_("Deleted accounts"),
                sentence=_(
                    "What there was of each, what went, what is left and why. Nobody is named but by an id, as in the "
                    "audit log."
                ),
                level=2,
            ),
            Table(
                caption=_("Deleted accounts"), columns=receipts.columns(),
                rows=pn.bind(receipts.rows, param.receipts), empty=_("No account was deleted yet."),
                is_busy=param.is_busy, margin=BELOW,
            ),
            Sheet(
                title=pn.bind(forms.title, param.sheet, param.whose),
                is_open=pn.bind(bool, param.sheet),
                text=pn.bind(forms.text, param.sheet, param.weighed),
                fields=pn.bind(forms.fields, param.sheet),
                values=pn.bind(forms.values, **{name: param[name] for name in state.fields}),
                buttons=pn.bind(forms.buttons, param.sheet, param.weighed),
                error=param.error,
                said=param.said,
                is_busy=param.is_busy,
                on_message=self._on_sheet,
            ),
        )  # fmt: skip

    def __panel__(self) -> Any:
        """Return what is drawn."""
        return self._layout

    async def load(self) -> None:
        """Read what the page shows."""
        await self._state.load()

    async def _on_hold(self, message: Message) -> None:
        if message.action == "lift" and message.row is not None:
            await self._state.lift_hold(message.row)

    async def _on_rule(self, message: Message) -> None:
        if message.action == "edit" and message.row is not None:
            await self._state.open_rule(message.row)

    async def _open_team(self) -> None:
        await self._state.open_rule(None)

    async def _on_sheet(self, message: Message) -> None:
        self._state.fill(message.values)
        if message.action == "hold":
            await self._state.place_hold()
        elif message.action == "weigh":
            await self._state.weigh_rule()
        elif message.action == "save_rule":
            await self._state.save_rule()
        else:
            self._state.close()
