"""Receipts of deleted accounts as rows of a table."""

from typing import Any

from llm_ui.kit.i18n import day, instant, ngettext, number
from llm_ui.kit.i18n import gettext as _
from llm_ui.services.erasures import Receipt


def columns() -> list[dict[str, str]]:
    """Return the columns."""
    return [
        {"key": "id", "label": _("Receipt")},
        {"key": "gone", "label": _("Gone"), "align": "right"},
        {"key": "stays", "label": _("Stays")},
        {"key": "state", "label": _("State")},
    ]


def rows(listed: tuple[Receipt, ...]) -> list[dict[str, Any]]:
    """Return a row for each receipt."""
    return [_row(one) for one in listed]


def _row(one: Receipt) -> dict[str, Any]:
    kept = sum(one.kept.values())
    until = _("no backups are made")
    if one.backups_until is not None:
        until = _("in backups until {day}").format(day=day(one.backups_until.date()))
    cells = {
        "id": {
            "text": instant(one.erased.at), "detail": str(one.erased.user_id), "href": f"/admin/erasures/{one.id}.json"
        },
        "gone": ngettext("{n} row", "{n} rows", one.gone).format(n=number(one.gone)),
        "stays": {"text": ngettext("{n} row", "{n} rows", kept).format(n=number(kept)), "detail": until},
        "state": _state(one),
    }  # fmt: skip
    return {"id": str(one.id), "name": str(one.erased.user_id), "cells": cells, "actions": []}


def _state(one: Receipt) -> dict[str, str]:
    if one.left:
        named = ", ".join(f"{name}: {number(count)}" for name, count in one.left.items())
        return {"text": _("Something is left"), "tone": "error", "detail": named}
    if one.verified_at is not None:
        return {"text": _("Verified"), "tone": "ok", "detail": instant(one.verified_at)}
    if one.files_waiting:
        waits = ngettext("{n} file", "{n} files", one.files_waiting).format(n=number(one.files_waiting))
        return {"text": _("Not ended yet"), "tone": "warning", "detail": _("{files} go at night").format(files=waits)}
    return {"text": _("Not ended yet"), "tone": "warning", "detail": _("being verified")}
