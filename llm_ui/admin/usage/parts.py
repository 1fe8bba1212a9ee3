"""The building blocks that only usage pages have."""

from typing import ClassVar

import param

from llm_ui.kit import assets
from llm_ui.ui.parts import STYLES, Part

SCRIPT = "usage.js"
SHEETS = (STYLES, "usage.css")


class _UsagePart(Part):
    __abstract = True

    _bundle = assets.folder() / SCRIPT
    _script: ClassVar[str] = SCRIPT
    _stylesheets: ClassVar[list[str]] = [assets.url(sheet) for sheet in SHEETS]


class Filters(_UsagePart):
    """Range, filters and what is drawn; all of it is in the page's address.

    Messages: `look` with `value`, the address's query, and `name`, the browser's time zone; `theme` with `name`, light
    or dark; `tick` every few seconds while the page is seen.
    """

    fields = param.List(default=[], item_type=dict, doc="Each with name, label, value, usual and options or type.")
    is_current = param.Boolean(default=False, doc="Whether the range goes on until now.")

    def go(self, query: str) -> None:
        """Let the browser show what the query of an address asks for."""
        self._send_msg({"go": query})

    def open(self, address: str) -> None:
        """Let the browser open another page of ours."""
        self._send_msg({"open": address})


class Tiles(_UsagePart):
    """Figures, each large with its name."""

    label = param.String(default="", doc="What they are of, for screen readers.")
    items = param.List(default=[], item_type=dict, doc="Each with label, value, detail and tone; some with exact.")


class Behind(_UsagePart):
    """What is behind a chart: its figures as a table, as a file, and its SQL."""

    caption = param.String(default="", doc="What the chart shows, for screen readers.")
    columns = param.List(default=[], item_type=str, doc="Labels of the columns; all but the first are numbers.")
    rows = param.List(default=[], item_type=list, doc="Cells: text, or text with query, which the page then shows.")
    file = param.String(default="", doc="Address of the figures as CSV.")
    sql = param.String(default="", doc="The statement that the figures come from.")
