"""The page of one run."""

from typing import Any

import panel as pn
import param

from llm_ui.admin.notices import page_notices
from llm_ui.admin.run import rows
from llm_ui.admin.run.state import RunState
from llm_ui.kit.i18n import gettext as _
from llm_ui.ui import facts
from llm_ui.ui.form import BELOW, button, page
from llm_ui.ui.parts import Heading, Link, Message, MonitorPart, Record, Table


class Waterfall(MonitorPart):
    """Stretches of time, one after the other."""

    label = param.String(default="", doc="What they are of, for screen readers.")
    stretches = param.List(default=[], item_type=dict, doc="Each with name, ms, and text, which is the same in words.")


class RunPage(pn.viewable.Viewer):
    """How a run went; what was said only where the workspace allows it, and each look is written down."""

    def __init__(self, state: RunState) -> None:
        super().__init__()
        self._state = state
        run = state.param.run
        self._layout = page(
            Link(text=_("‹ All runs"), address="/admin/runs"),
            Heading(title=_("Run"), sentence=_("How it went and what it cost, not what was said.")),
            page_notices(state),
            Heading(title=pn.bind(lambda found: _("Time") if found and found.timings else "", run), level=2),
            Waterfall(label=_("Time"), stretches=pn.bind(rows.stretches, run)),
            Heading(title=_("Figures"), level=2),
            Table(
                caption=_("Figures"), columns=facts.columns(), rows=pn.bind(rows.facts, run),
                is_busy=state.param.is_busy, margin=BELOW,
            ),
            button(
                _("Read what was said"), state.see_content, disabled=state.param.is_busy,
                visible=pn.bind(lambda found: found is not None and found.may_see_content, run),
            ),
            Record(
                title=_("What was said"),
                is_open=pn.bind(bool, state.param.sheet),
                facts=pn.bind(rows.said, state.param.content),
                on_message=self._on_record,
            ),
        )  # fmt: skip

    def __panel__(self) -> Any:
        """Return what is drawn."""
        return self._layout

    async def load(self) -> None:
        """Read what the page shows."""
        await self._state.load()

    async def _on_record(self, _message: Message) -> None:
        self._state.close()
