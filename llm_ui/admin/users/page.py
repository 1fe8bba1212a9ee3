"""The users page."""

from typing import Any

import panel as pn

from llm_ui.admin.listing.part import list_part
from llm_ui.admin.notices import page_notices
from llm_ui.admin.users.state import UsersState
from llm_ui.kit.i18n import gettext as _
from llm_ui.ui.form import page
from llm_ui.ui.parts import Heading


class UsersPage(pn.viewable.Viewer):
    """The accounts as a list."""

    def __init__(self, state: UsersState) -> None:
        super().__init__()
        self._layout = page(
            Heading(title=_("Users"), sentence=_("Who may use this workspace, and what they may do in it.")),
            page_notices(state),
            list_part(state),
        )

    def __panel__(self) -> Any:
        """Return what is drawn."""
        return self._layout
