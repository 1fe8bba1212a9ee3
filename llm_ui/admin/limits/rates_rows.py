"""Limits of rates and money as rows of a table, and the fields of their form."""

from typing import Any
from uuid import UUID

from llm_ui.admin.limits.rates_state import ALL, DELETE, RATE
from llm_ui.kit.currency import DOLLARS
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant, later, number
from llm_ui.models import LimitAction, LimitKind, LimitScope
from llm_ui.services.limits import LABELS, PERIODS, LimitInfo
from llm_ui.ui.names import shown_name

SCOPES = {
    LimitScope.PLATFORM: later("Everybody together"),
    LimitScope.TEAM: later("Team"),
    LimitScope.USER: later("Person"),
    LimitScope.KEY: later("API key"),
    LimitScope.MODEL: later("Model"),
}
ACTIONS = {
    LimitAction.STOP: later("It is refused"),
    LimitAction.SWITCH: later("A cheaper stand-in of the model is asked"),
    LimitAction.THROTTLE: later("It waits, up to 20 seconds"),
    LimitAction.WARN: later("It goes on with a warning"),
}
CHANGE = "change/"
"""Before the id of a limit, in the button that opens its form."""
Row = dict[str, Any]


def columns(*, has_action: bool) -> list[dict[str, str]]:
    """Return the columns of limits; who is limited by one need not know what happens past it."""
    last = [{"key": "action", "label": _("Past it")}] if has_action else []
    return [
        {"key": "whose", "label": _("Whose")},
        {"key": "kind", "label": _("What")},
        {"key": "amount", "label": _("Limit"), "align": "right"},
        {"key": "used", "label": _("Used"), "align": "right"},
        {"key": "left", "label": _("Left"), "align": "right"},
        {"key": "returns", "label": _("Returns")},
        *last,
    ]


def limits(listed: tuple[LimitInfo, ...], *, may_change: bool) -> list[Row]:
    """Return a row for each limit."""
    return [
        {
            "id": str(one.id),
            "name": f"{shown_name(one.name)}: {_(LABELS[one.kind])}",
            "cells": {
                "whose": {"text": shown_name(one.name) or _("Gone by now"), "detail": _(SCOPES[one.scope])},
                "kind": _(LABELS[one.kind]),
                "amount": _amount(one),
                "used": "" if one.used_usd is None else DOLLARS.amount(one.used_usd),
                "left": "" if one.left_usd is None else DOLLARS.amount(one.left_usd),
                "returns": _returns(one),
                "action": _(ACTIONS[one.action]),
            },
            "actions": [{"action": "edit", "label": _("Change")}] if may_change else [],
        }
        for one in listed
    ]


def _amount(one: LimitInfo) -> str:
    return DOLLARS.amount(one.amount_usd) if one.kind in PERIODS else number(one.amount)


def _returns(one: LimitInfo) -> str:
    if one.returns_at is not None:
        return instant(one.returns_at)
    return _("Once an answer has ended") if one.kind is LimitKind.STREAMS else _("Within a minute")


def title(sheet: str, chosen: LimitInfo | None, name: str) -> str:
    """Return what the open form is about."""
    if sheet == ALL:
        return _("Limits of {name}").format(name=shown_name(name))
    if sheet == DELETE:
        return _("Take the limit away?")
    return _("New limit") if chosen is None else f"{shown_name(chosen.name)}: {_(LABELS[chosen.kind])}"


def text(sheet: str) -> str:
    """Return the sentence above the fields."""
    if sheet == ALL:
        return _("What may be taken of it by everybody together, with what is left. All that there are hold.")
    if sheet == DELETE:
        return _("What was used stays booked; nothing limits it from now on.")
    return _("What was used today or this month counts. A cheaper model is one of those that stand in for it.")


def fields(
    sheet: str,
    chosen: LimitInfo | None,
    subjects: tuple[tuple[LimitScope, UUID, str], ...],
    listed: tuple[LimitInfo, ...],
) -> list[dict[str, Any]]:
    """Return the fields of the open form: whose a limit is and of what stays as it was made."""
    if sheet == ALL:
        return _table(listed)
    if sheet != RATE:
        return []
    named = {f"{scope.value}/{key}": _subject(scope, name) for scope, key, name in subjects}
    what = [
        _select("subject", _("Whose"), named),
        _select("kind", _("What"), {k.value: _(v) for k, v in LABELS.items()}),
    ]
    return [
        *(what[1 if len(subjects) == 1 else 0 :] if chosen is None else []),
        {"name": "amount", "label": _("Limit"), "type": "text", "inputmode": "decimal", "placeholder": "60"},
        _select("leads_to", _("Past it"), {k.value: _(v) for k, v in ACTIONS.items()}),
    ]


def _table(listed: tuple[LimitInfo, ...]) -> list[dict[str, Any]]:
    if not listed:
        return []
    names = [_("What"), _("Limit"), _("Used"), _("Left"), _("Returns")]
    cells = [row["cells"] for row in limits(listed, may_change=False)]
    rows = [
        [
            {"text": each["kind"], "detail": each["whose"]["detail"]},
            *({"text": each[key]} for key in ("amount", "used", "left", "returns")),
        ]
        for each in cells
    ]
    return [{"name": "limits", "label": _("Rates and money"), "type": "table", "columns": names, "rows": rows}]


def _subject(scope: LimitScope, name: str) -> str:
    return _(SCOPES[scope]) if scope is LimitScope.PLATFORM else f"{_(SCOPES[scope])}: {shown_name(name)}"


def _select(name: str, label: str, options: dict[str, str]) -> dict[str, Any]:
    listed = [{"value": value, "label": shown} for value, shown in options.items()]
    return {"name": name, "label": label, "type": "select", "options": listed}


def buttons(
    sheet: str, chosen: LimitInfo | None, listed: tuple[LimitInfo, ...], own: LimitScope | None
) -> list[dict[str, str]]:
    """Return the buttons of the open form; Enter presses the first."""
    if sheet == ALL:
        changing = _("Change: {what}")
        return [
            {"action": "new", "label": _("Add limit")},
            *(
                {"action": f"{CHANGE}{one.id}", "label": changing.format(what=_(LABELS[one.kind]))}
                for one in listed
                if one.scope is own
            ),
        ]
    if sheet == DELETE:
        gone = {"action": "delete", "label": _("Take it away"), "tone": "quiet danger"}
        return [{"action": "close", "label": _("Keep it")}, gone]
    removing = {"action": "ask_delete", "label": _("Delete …"), "tone": "quiet danger"}
    return [{"action": "save", "label": _("Save")}, *([] if chosen is None else [removing])]
