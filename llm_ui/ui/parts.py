"""The building blocks of the admin pages. Each draws text only: what people and providers wrote is never HTML."""

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Literal
from uuid import UUID

import param
from panel.custom import JSComponent
from pydantic import BaseModel, ValidationError

from llm_ui.kit import assets
from llm_ui.observability.logging import get_logger

SCRIPT = "parts.js"
STYLES = "parts.css"
LIST_SCRIPT = "list.js"
LIST_STYLES = "list.css"
LOGO_SCRIPT = "logo.js"
TRIAL_SCRIPT = "trial.js"
RECORD_SCRIPT = "record.js"
MONITOR_SCRIPT = "monitor.js"
MONITOR_STYLES = "monitor.css"

log = get_logger(__name__)


class Message(BaseModel):
    """What a component's script says. A browser writes it: it has a shape, and nothing in it is believed."""

    action: str
    row: UUID | None = None
    """The row whose button was pressed."""
    item: str = ""
    """The offer that was taken."""
    pages: Literal[-1, 1] = 1
    name: str = ""
    value: str = ""
    """Name and value of a field that is live."""
    values: dict[str, str | list[str]] = {}
    """What the fields of a form hold."""
    is_on: bool = False


OnMessage = Callable[[Message], Awaitable[None]]


class Part(JSComponent):
    """Base of the building blocks: one script for most of them, at an address that changes with it."""

    is_busy = param.Boolean(default=False, doc="Whether an action is on its way.")

    __abstract = True

    _bundle = assets.folder() / SCRIPT
    _bundle_css: ClassVar[list[str]] = []
    _stylesheets: ClassVar[list[str]] = [assets.url(STYLES)]
    _script: ClassVar[str] = SCRIPT

    def __init__(self, *, on_message: OnMessage | None = None, **params: Any) -> None:
        super().__init__(**{"sizing_mode": "stretch_width", "margin": 0, **params})
        self._on_message = on_message

    @classmethod
    def _render_esm(cls, compiled: bool | str = True, server: bool = False) -> str:
        """Return the script's address; Panel's own would have to name a place beside the Python module."""
        return assets.url(cls._script)

    async def _handle_msg(self, data: object) -> None:
        try:
            message = Message.model_validate(data)
        except ValidationError:
            log.info("page.message_ignored", part=type(self).__name__)
            return
        if self._on_message is not None:
            await self._on_message(message)


class Heading(Part):
    """A page's title and what it is for."""

    title = param.String(default="", doc="Title of the page.")
    sentence = param.String(default="", doc="What the page is for.")
    level = param.Integer(default=1, bounds=(1, 3), doc="Its level in the outline.")


class Link(Part):
    """A way to another page."""

    text = param.String(default="", doc="What is there.")
    address = param.String(default="", doc="The page's address on this site.")


class Links(Part):
    """Files to take along, one beside the other."""

    links = param.List(default=[], item_type=dict, doc="Each with label, name for screen readers, and href.")


class Notice(Part):
    """One sentence. Without text it takes no room."""

    text = param.String(default="", doc="The sentence.")
    tone = param.Selector(default="plain", objects=["plain", "info", "ok", "warning", "error"], doc="How it looks.")


class Offers(Part):
    """Things that can be done with one click each. Message: `action` and `item`, its id."""

    label = param.String(default="", doc="What is offered, for screen readers.")
    items = param.List(default=[], item_type=dict, doc="Each with id, text, button (its label) and action.")


class Table(Part):
    """Rows of cells, each row with buttons; on a phone each row becomes a card.

    Messages: `action` and `row` of the button; `turn` with `pages`, which is 1 or -1.
    """

    caption = param.String(default="", doc="What the table lists, for screen readers.")
    columns = param.List(
        default=[],
        item_type=dict,
        doc="Each with key, label, unit, align (`right` for numbers), and is_plain: on a phone it needs no label.",
    )
    rows = param.List(
        default=[],
        item_type=dict,
        doc="Each with id, name, cells by column key (text, or text with detail and tone), actions and is_faint.",
    )
    empty = param.String(default="", doc="What to do, shown while there are no rows.")
    total = param.Integer(default=0, doc="How many rows there are on all pages.")
    offset = param.Integer(default=0, doc="How many rows come before these.")
    size = param.Integer(default=50, doc="How many rows a page has.")


class List(Part):
    """A list with search, filters, sorting, pages and files; what is shown of it is in the page's address.

    Messages: `look` with `value`, the address's query: when it is drawn and whenever that changes; `action` of a
    button, with `row` for those of a row.
    """

    caption = param.String(default="", doc="What is listed, for screen readers.")
    searched = param.String(default="", doc="What the search looks at; empty: there is none.")
    columns = param.List(default=[], item_type=dict, doc="As those of a table, with is_sorted.")
    filters = param.List(default=[], item_type=dict, doc="Each with name, label and options (value and label).")
    buttons = param.List(default=[], item_type=dict, doc="What can be done above the list: action, label and tone.")
    sizes = param.List(default=[], item_type=int, doc="How many rows a page may have.")
    rows = param.List(default=[], item_type=dict, doc="As those of a table; cells may have a href.")
    empty = param.String(default="", doc="What to do, shown while there are no rows.")
    shown = param.Dict(default={}, doc="Filters, sort, is_descending, page, size and total.")
    files = param.Dict(default={}, doc="Addresses of the list as a file, by kind.")

    _bundle = assets.folder() / LIST_SCRIPT
    _script: ClassVar[str] = LIST_SCRIPT
    _stylesheets: ClassVar[list[str]] = [assets.url(STYLES), assets.url(LIST_STYLES)]


class Record(Part):
    """One record beside the page, only for reading. Message: `close`."""

    title = param.String(default="", doc="What it is.")
    is_open = param.Boolean(default=False, doc="Whether it is shown.")
    facts = param.List(default=[], item_type=dict, doc="What is known of it: label and text.")
    changes = param.List(default=[], item_type=dict, doc="What it changed: name, before and after.")

    _bundle = assets.folder() / RECORD_SCRIPT
    _script: ClassVar[str] = RECORD_SCRIPT
    _stylesheets: ClassVar[list[str]] = [assets.url(STYLES), assets.url(LIST_STYLES)]


class Logo(Part):
    """The workspace's logo and a field for another one, which the browser sends to `/admin/logo` by itself.

    Messages: `taken` once it was taken in; `reset`.
    """

    address = param.String(default="", doc="Address of the picture.")
    is_ours = param.Boolean(default=True, doc="Whether it is the product's own.")

    _bundle = assets.folder() / LOGO_SCRIPT
    _script: ClassVar[str] = LOGO_SCRIPT


class Trial(Part):
    """A panel on which a model is asked something. What is typed and answered is in the browser alone.

    Messages: `send` with `item`, a key for the question, and `values`; `stop`; `again` when it is drawn; `close`.
    Is told `key`, `at` and `text` of a piece of the answer, `is_thinking`, and `end` with `figures`, `remark` and
    `problem` once it is over.
    """

    is_open = param.Boolean(default=False, doc="Whether it is shown.")
    shown = param.Dict(default={}, doc="Title, sentence, and makes_embeddings: whether vectors come of it.")

    _bundle = assets.folder() / TRIAL_SCRIPT
    _script: ClassVar[str] = TRIAL_SCRIPT

    def tell(self, piece: dict[str, Any]) -> None:
        """Tell it a piece of the answer, or its end."""
        self._send_msg(piece)


class MonitorPart(Part):
    """Base of what only the pages of monitoring have."""

    __abstract = True

    _bundle = assets.folder() / MONITOR_SCRIPT
    _script: ClassVar[str] = MONITOR_SCRIPT
    _stylesheets: ClassVar[list[str]] = [assets.url(STYLES), assets.url(MONITOR_STYLES)]


class Switch(Part):
    """A setting that is on or off. Message: `switch` with `is_on`, what the person wants."""

    label = param.String(default="", doc="What is on when it is on.")
    is_on = param.Boolean(default=False, doc="Whether it is on.")

    async def _handle_msg(self, data: object) -> None:
        await super()._handle_msg(data)
        self._send_msg({"is_on": self.is_on})


class Sheet(Part):
    """A form beside the page. What is typed stays in the browser until a button is pressed.

    Messages: `action` of the button with `values` by field name; `changed` with `name` and `value` of a field that
    is live; `close`. Enter presses the first button.
    """

    title = param.String(default="", doc="What the form is about.")
    is_open = param.Boolean(default=False, doc="Whether it is shown.")
    text = param.String(default="", doc="A sentence above the fields.")
    tone = param.Selector(default="plain", objects=["plain", "warning"], doc="How that sentence looks.")
    fields = param.List(
        default=[],
        item_type=dict,
        doc="Each with name, label, type (text, secret, select, checklist, copy, file, words), options, placeholder, "
        "hint, accept.",
    )
    values = param.Dict(default={}, doc="What the fields hold when they are drawn, or when this changes.")
    buttons = param.List(default=[], item_type=dict, doc="Each with action, label and tone.")
    error = param.String(default="", doc="What was refused, shown above the fields.")
    said = param.String(default="", doc="What was done, shown above the fields.")
