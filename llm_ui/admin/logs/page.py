"""The page of logs."""

from typing import Any

import panel as pn

from llm_ui.admin.listing.part import list_part
from llm_ui.admin.logs.state import LogsState
from llm_ui.admin.notices import page_notices
from llm_ui.kit.i18n import gettext as _
from llm_ui.ui.form import page
from llm_ui.ui.parts import Heading


class LogsPage(pn.viewable.Viewer):
    """What all processes say of what happens."""

    def __init__(self, state: LogsState) -> None:
        super().__init__()
        self._layout = page(
            Heading(
                title=_("Logs"),
                sentence=_(
                    "What all processes log, without what people say and without secrets. The last 100,000 lines of "
                    "two weeks are kept here; standard error has the same."
                ),
            ),
            page_notices(state),
            list_part(state),
        )

    def __panel__(self) -> Any:
        """Return what is drawn."""
        return self._layout
