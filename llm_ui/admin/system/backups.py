"""Backups as a sentence and rows."""

from typing import Any

from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant, later, ngettext, number
from llm_ui.models import BackupCause
from llm_ui.services.backups import BackupInfo, Backups

MB = 1_000_000
CAUSES = {BackupCause.SCHEDULED: later("By the clock"), BackupCause.ASKED: later("By hand")}


def sentence(found: Backups | None) -> str:
    """Return when the next one is made, and how many are kept."""
    if found is None:
        return ""
    kept = ngettext("The newest is kept.", "The newest {n} are kept.", found.kept).format(n=number(found.kept))
    if found.next_at is None:
        return _("None is made by itself: that is switched off in All settings.") + " " + kept
    return _("The next one is made {at}.").format(at=instant(found.next_at)) + " " + kept


def columns() -> list[dict[str, str]]:
    """Return the columns."""
    return [
        {"key": "at", "label": _("When")},
        {"key": "state", "label": _("State")},
        {"key": "size", "label": _("Database"), "align": "right"},
        {"key": "files", "label": _("Files"), "align": "right"},
    ]


def rows(found: Backups | None) -> list[dict[str, Any]]:
    """Return a row for each backup, the newest first."""
    return [_row(one) for one in (() if found is None else found.latest)]


def _row(one: BackupInfo) -> dict[str, Any]:
    is_made = not one.is_running and one.error is None
    files = ngettext("{n} file", "{n} files", one.files).format(n=number(one.files))
    cells = {
        "at": {"text": instant(one.asked_at), "detail": _(CAUSES[one.cause])},
        "state": _state(one),
        "size": _megabytes(one.size_bytes) if is_made else "",
        "files": {"text": _megabytes(one.files_bytes), "detail": files} if is_made else "",
    }
    return {"id": str(one.id), "name": instant(one.asked_at), "cells": cells, "actions": []}


def _state(one: BackupInfo) -> dict[str, str]:
    if one.is_running:
        return {"text": _("Is being made"), "tone": "quiet", "detail": ""}
    if one.error is not None:
        return {"text": _("Failed"), "tone": "error", "detail": _(one.error)}
    return {"text": _("Made"), "tone": "ok", "detail": one.name}


def _megabytes(size: int) -> str:
    return f"{number(size / MB, ',.1f')} MB"
