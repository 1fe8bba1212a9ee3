"""What filters make of a text, and how often they found something, as rows of tables."""

from typing import Any

from llm_ui.admin.filtering import id_of
from llm_ui.contract.filters import FilterTry, TriedFilter
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import number, told
from llm_ui.services.filter_words import ACTIONS, KINDS, what
from llm_ui.services.filters import DayCount

MAX_SHOWN_CHARS = 60
Row = dict[str, Any]


def tried_columns() -> list[dict[str, str]]:
    """Return the columns of what the filters make of a text."""
    return [
        {"key": "filter", "label": _("Filter")},
        {"key": "found", "label": _("Found")},
        {"key": "action", "label": _("Action")},
        {"key": "time", "label": _("Time"), "align": "right", "unit": "ms"},
    ]


def tried(made: FilterTry | None) -> list[Row]:
    """Return a row for each filter."""
    return [
        {
            "id": str(id_of(one.kind)),
            "name": _(KINDS[one.kind]),
            "cells": {
                "filter": _(KINDS[one.kind]),
                "found": {"text": _found(one), "tone": "warning" if one.findings or one.problem else "quiet"},
                "action": _(ACTIONS[one.on_input]),
                "time": number(one.took_ms, ".2f"),
            },
            "actions": [],
        }
        for one in (() if made is None else made.filters)
    ]


def _found(one: TriedFilter) -> str:
    if one.problem:
        return told(one.problem)
    pieces = [f"{what(each.what)}{f': {_short(each.text)}' if each.text else ''}" for each in one.findings]
    return "; ".join(pieces) or _("nothing")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_SHOWN_CHARS else f"{line[:MAX_SHOWN_CHARS]}…"


def sent(made: FilterTry | None) -> str:
    """Return how the text would go to a model."""
    if made is None:
        return ""
    return _("A model would be sent: {text}").format(text=made.masked) if made.masked else _("It would be stopped.")


def count_columns() -> list[dict[str, str]]:
    """Return the columns of the counts."""
    return [
        {"key": "day", "label": _("Day")},
        {"key": "found", "label": _("Found")},
        {"key": "where", "label": _("Where")},
        {"key": "action", "label": _("Action")},
        {"key": "count", "label": _("How often"), "align": "right"},
    ]


def counts(listed: tuple[DayCount, ...]) -> list[Row]:
    """Return a row for each sort of a day."""
    return [
        {
            "id": str(id_of(f"{one.day} {found.kind} {found.what} {found.is_output} {found.action}")),
            "name": one.day,
            "cells": {
                "day": one.day,
                "found": {"text": _(KINDS[found.kind]), "detail": what(found.what)},
                "where": _("in the answer") if found.is_output else _("in what was sent"),
                "action": _(ACTIONS[found.action]),
                "count": number(found.count),
            },
            "actions": [],
        }
        for one in listed
        for found in (one.found,)
    ]
