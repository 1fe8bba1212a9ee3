"""The list on a page: search, filters, table, pages and files."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import panel as pn

from llm_ui.admin.listing.state import ListState
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import number
from llm_ui.services.listing import LOOKED_AT, SIZES, Asked, Found
from llm_ui.ui.parts import List, Message

Act = Callable[[str, UUID | None], Awaitable[None]]


def list_part(state: ListState, act: Act | None = None, *, buttons: list[dict[str, str]] | None = None) -> List:
    """Return the list of a state. `act` is told the action of a button, and the row that it belongs to, if any."""
    listing = state.listing

    async def on_message(message: Message) -> None:
        if message.action == "look":
            await state.look(message.value)
        elif act is not None:
            await act(message.action, message.row)

    def empty(asked: Asked, is_read: bool) -> str:
        if not is_read:
            return _("Reading …")
        return _("Nothing matches. Change the search or the filters.") if _is_narrowed(asked) else _(listing.empty)

    return List(
        caption=_(listing.caption),
        searched=_(listing.searched),
        columns=listing.drawn_columns(),
        filters=listing.drawn_filters(),
        buttons=buttons or [],
        sizes=list(SIZES),
        rows=pn.bind(lambda found: listing.drawn_rows(found.items), state.param.found),
        empty=pn.bind(empty, state.param.asked, state.param.is_read),
        shown=pn.bind(_shown, state.param.asked, state.param.found),
        files=pn.bind(
            lambda asked: {kind: listing.export_address(asked, kind) for kind in ("csv", "json")}, state.param.asked
        ),
        is_busy=state.param.is_busy,
        on_message=on_message,
    )


def _is_narrowed(asked: Asked) -> bool:
    return bool(asked.search or asked.filters)


def _shown(asked: Asked, found: Found[Any]) -> dict[str, Any]:
    """Return what the parts around the table show."""
    return {
        "filters": dict(asked.filters),
        "sort": asked.sort,
        "is_descending": asked.is_descending,
        "page": found.page,
        "size": asked.size,
        "total": found.total,
        "is_more": found.is_more,
        "note": _("Of very many only the latest {count} are searched and sorted.").format(count=number(LOOKED_AT))
        if found.is_cut
        else "",
    }
