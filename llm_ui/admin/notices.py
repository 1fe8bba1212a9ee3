"""What an admin page says: on the page while no form is open; an open form says it itself."""

from typing import Any

import panel as pn

from llm_ui.admin.state import AdminState
from llm_ui.ui.form import page
from llm_ui.ui.parts import Notice


def page_notices(state: AdminState) -> Any:
    """Return what was refused and what was done, shown while no form is open, wherever the page was scrolled to."""
    return page(
        Notice(tone="error", text=pn.bind(_while_closed, state.param.sheet, state.param.error)),
        Notice(tone="ok", text=pn.bind(_while_closed, state.param.sheet, state.param.said)),
        styles={"position": "sticky", "top": "8px", "z-index": "5"},
    )


def _while_closed(sheet: str, text: str) -> str:
    return "" if sheet else text
