"""The chat on the page: one component whose script draws everything from small operations."""

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from bokeh.document import Document
from bokeh.events import Event
from panel.custom import JSComponent
from panel.io.state import set_curdoc
from pydantic import ValidationError

from llm_ui.chat.follow import Op
from llm_ui.chat.ops import ASKED, Asked
from llm_ui.kit import assets
from llm_ui.observability.logging import get_logger

log = get_logger(__name__)

SCRIPT = "chat_bridge.js"


class ChatView(JSComponent):
    """A bridge: the page itself lives in the light DOM and survives reconnects; messages pass both ways here."""

    _bundle = assets.folder() / SCRIPT
    _bundle_css: ClassVar[list[str]] = []

    def __init__(self, ask: Callable[[Asked], Awaitable[None]], **params: Any) -> None:
        super().__init__(**params)
        self._ask = ask
        self._sent = 0

    @classmethod
    def _render_esm(cls, compiled: bool | str = True, server: bool = False) -> str:
        """Return the script's address, at which browsers keep it; Panel's own would have to lie beside this module."""
        return assets.url(SCRIPT)

    def tell(self, op: Op) -> None:
        """Send an operation; they are numbered so that the page can tell when it has missed one."""
        self._sent += 1
        self._send_msg({**op, "seq": self._sent})

    def _process_bokeh_event(self, doc: Document, event: Event) -> None:
        """Take what the page says, without Panel's count of who is busy, which nothing here shows.

        Counting looks through all parameters of Panel's state several times: two thirds of what a message took.
        """
        with set_curdoc(doc):
            self._process_event(event)

    async def _handle_msg(self, data: object) -> None:
        try:
            asked = ASKED.validate_python(data)
        except ValidationError:
            log.info("page.message_ignored")
            return
        await self._ask(asked)
