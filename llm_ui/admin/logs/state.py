"""What the page of logs shows."""

from llm_ui.admin.listing.state import ListState
from llm_ui.admin.logs.listing import LOGS


class LogsState(ListState):
    """The lines of all processes."""

    listing = LOGS
