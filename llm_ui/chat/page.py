"""The workspace page: the chat and its controls, built from one state."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llm_ui.chat.conditions import Conditions, ShownCondition
from llm_ui.chat.hub import Hub
from llm_ui.chat.ops import Asked, Open, Ready
from llm_ui.chat.state import ChatState
from llm_ui.chat.view import ChatView
from llm_ui.kit.i18n import gettext as _
from llm_ui.ui.form import number_field, picker
from llm_ui.ui.page import PageContext
from llm_ui.ui.state import AppState


@dataclass(frozen=True, slots=True)
class WorkspacePage:
    """The parts of the page that Panel draws, by their place in the shell."""

    app: AppState
    state: ChatState
    view: ChatView
    controls: dict[str, Any]
    close: Callable[[], None]
    """To be called when the page is gone."""


def build(context: PageContext, hub: Hub, conditions: Conditions) -> WorkspacePage:
    """Build the workspace of one open page."""

    app = AppState.of(context)

    async def ask(asked: Asked) -> None:
        if isinstance(asked, Ready | Open):
            app.current_page = asked.path
        # Beside it: what a page asks for next, such as a question sent again, must not overtake that it is ready.
        looking = asyncio.ensure_future(shown.look()) if isinstance(asked, Ready) else None
        await state.ask(asked)
        if looking is not None and (found := await looking) is not None:
            view.tell(found)

    def close() -> None:
        shown.close()
        state.close()

    view = ChatView(ask)
    state = ChatState(context, hub, view.tell)
    shown = ShownCondition(context, conditions, state, view.tell)
    controls = {
        "model": picker(state.param.model, _("Model")),
        "temperature": number_field(state.param.temperature, _("Temperature"), placeholder=_("model's own"), step=0.1),
        "max_tokens": number_field(
            state.param.max_tokens, _("Longest answer, in tokens"), placeholder=_("model's own"), step=256
        ),
    }
    return WorkspacePage(app, state, view, controls, close)
