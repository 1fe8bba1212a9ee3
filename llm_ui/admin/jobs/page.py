"""The page of jobs."""

from typing import Any
from uuid import UUID

import panel as pn

from llm_ui.admin.jobs import rows
from llm_ui.admin.jobs.state import JobsState
from llm_ui.admin.listing.part import list_part
from llm_ui.admin.notices import page_notices
from llm_ui.admin.usage.parts import Filters
from llm_ui.kit.i18n import gettext as _
from llm_ui.ui.form import BELOW, page
from llm_ui.ui.parts import Heading, Message, Table


class JobsPage(pn.viewable.Viewer):
    """What workers do. It moves by itself."""

    def __init__(self, state: JobsState) -> None:
        super().__init__()
        self._state = state
        may_act, is_busy = state.param.may_act, state.param.is_busy
        self._layout = page(
            Heading(title=_("Jobs"), sentence=_("What is done in the background, and how that goes.")),
            page_notices(state),
            Filters(is_current=True, on_message=self._on_tick),
            Heading(title=_("By the clock"), level=2),
            Table(
                caption=_("By the clock"), columns=rows.clock_columns(), is_busy=is_busy, margin=BELOW,
                rows=pn.bind(rows.clock_jobs, state.param.clock, may_act), on_message=self._on_clock,
            ),
            Heading(title=_("Files that are brought in"), sentence=_("The last fifty."), level=2),
            Table(
                caption=_("Files that are brought in"), columns=rows.job_columns(), is_busy=is_busy, margin=BELOW,
                rows=pn.bind(rows.jobs, state.param.jobs, may_act), on_message=self._on_job,
                empty=_("Nobody has brought anything in yet."),
            ),
            Heading(
                title=_("Documents that are not ready"),
                sentence=_("What they are called and hold is for the members of their projects."),
                level=2,
            ),
            list_part(state, self._act),
        )  # fmt: skip

    def __panel__(self) -> Any:
        """Return what is drawn."""
        return self._layout

    async def _on_tick(self, message: Message) -> None:
        if message.action == "tick":
            await self._state.follow()

    async def _on_clock(self, message: Message) -> None:
        if message.action == "run" and message.row is not None:
            await self._state.run(message.row)

    async def _on_job(self, message: Message) -> None:
        if message.action == "cancel" and message.row is not None:
            await self._state.cancel_job(message.row)

    async def _act(self, verb: str, row: UUID | None) -> None:
        if row is None:
            return
        match verb:
            case "retry":
                await self._state.retry_document(row)
            case "cancel":
                await self._state.cancel_document(row)
