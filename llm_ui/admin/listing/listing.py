"""How a list of the administration is described: its columns, its filters and where its rows come from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.spreadsheet import Cell
from llm_ui.services.access import Actor
from llm_ui.services.listing import SIZES, USUAL_SIZE, Asked, Rows

T = TypeVar("T")

MAX_SEARCH_CHARS = 200
MAX_FIELDS = 20
"""Of an address; more is no list of ours."""


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """One column. Labels are marked with `later`."""

    key: str
    label: str
    shown: Callable[[T], Any] | None
    """Return the cell: text, or text with detail, tone and href. None: the column is in files only."""
    exported: Callable[[T], Cell]
    """Return the value in a file, in no language."""
    is_sorted: bool = True
    """Whether the rows can be sorted by it; the list's `Rows.sorts` has its key then."""
    is_number: bool = False
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """A choice that leaves some rows out. `options`: label by value."""

    name: str
    label: str
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """One list. Its first column names a row."""

    name: str
    """In the addresses of its exports."""
    caption: str
    searched: str
    """What the search looks at, as its label."""
    columns: tuple[Column[T], ...]
    rows: Callable[[Actor, Asked], Rows[T]]
    """Return what is asked for. Raises `Forbidden`."""
    key: Callable[[T], UUID]
    empty: str
    """What to do while there is nothing at all."""
    newest_by: str = ""
    """The column that the rows are sorted by while nobody asks for another order, the latest first."""
    filters: tuple[Filter, ...] = ()
    narrowed: tuple[str, ...] = ()
    """Names of what other pages may say in the address to leave rows out, and nobody chooses here."""
    actions: Callable[[T], list[dict[str, str]]] = lambda _: []
    """Return the buttons of a row: action, label and tone."""
    is_faint: Callable[[T], bool] = lambda _: False

    def asked(self, address: str) -> Asked:
        """Return what the query of an address asks for. A person may have typed it: what is unknown is left out."""
        try:
            values = dict(parse_qsl(address.removeprefix("?"), max_num_fields=MAX_FIELDS))
        except ValueError:
            return Asked()
        filters = {name: values[name][:MAX_SEARCH_CHARS] for name in self.narrowed if values.get(name)}
        filters |= {each.name: values[each.name] for each in self.filters if values.get(each.name) in each.options}
        sort = values.get("sort", "")
        column = sort.removeprefix("-")
        is_known = any(each.key == column and each.is_sorted for each in self.columns)
        size = _whole(values.get("size", ""))
        return Asked(
            search=values.get("search", "")[:MAX_SEARCH_CHARS].strip(),
            filters=filters,
            sort=column if is_known else self.newest_by,
            is_descending=sort.startswith("-") if is_known else bool(self.newest_by),
            page=max(1, _whole(values.get("page", ""))),
            size=size if size in SIZES else USUAL_SIZE,
        )

    def export_address(self, asked: Asked, kind: str) -> str:
        """Return where the rows that the search and the filters leave are as a file."""
        kept = {"search": asked.search} if asked.search else {}
        query = urlencode({**kept, **asked.filters})
        return f"/admin/lists/{self.name}.{kind}{'?' if query else ''}{query}"

    def drawn_columns(self) -> list[dict[str, Any]]:
        """Return the columns as the page draws them."""
        return [
            {
                "key": column.key,
                "label": _(column.label),
                "unit": _(column.unit),
                "align": "right" if column.is_number else "",
                "is_sorted": column.is_sorted,
            }
            for column in self.columns
            if column.shown is not None
        ]

    def drawn_filters(self) -> list[dict[str, Any]]:
        """Return the filters as the page draws them."""
        return [
            {
                "name": each.name,
                "label": _(each.label),
                "options": [{"value": value, "label": _(label)} for value, label in each.options.items()],
            }
            for each in self.filters
        ]

    def drawn_rows(self, items: tuple[T, ...]) -> list[dict[str, Any]]:
        """Return rows as the page draws them."""
        return [
            {
                "id": str(self.key(item)),
                "name": str(self.columns[0].exported(item)),
                "cells": {each.key: each.shown(item) for each in self.columns if each.shown is not None},
                "actions": self.actions(item),
                "is_faint": self.is_faint(item),
            }
            for item in items
        ]


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 7 else 0
