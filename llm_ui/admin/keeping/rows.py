"""What is kept, as rows of tables."""

from typing import Any

from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant, later
from llm_ui.models import HoldScope
from llm_ui.services.holds import HoldInfo

SCOPES = {HoldScope.USER: later("Person"), HoldScope.PROJECT: later("Project")}
Row = dict[str, Any]


def hold_columns() -> list[dict[str, str]]:
    """Return the columns of the holds."""
    return [
        {"key": "name", "label": _("On hold")},
        {"key": "reason", "label": _("Why")},
        {"key": "placed", "label": _("Placed")},
        {"key": "lifted", "label": _("State")},
    ]


def holds(listed: tuple[HoldInfo, ...]) -> list[Row]:
    """Return a row for each hold."""
    return [_hold(one) for one in listed]


def _hold(one: HoldInfo) -> Row:
    name: dict[str, str] = {"text": one.subject_name, "detail": _(SCOPES[one.scope])}
    if one.scope is HoldScope.USER and one.lifted_at is None:
        name["href"] = f"/admin/users/{one.subject_id}"
    state = {"text": _("Lasts"), "tone": "warning"}
    if one.lifted_at is not None:
        state = {"text": _("Lifted"), "tone": "quiet", "detail": f"{instant(one.lifted_at)}, {one.lifted_by}"}
    cells = {
        "name": name,
        "reason": one.reason,
        "placed": {"text": instant(one.placed_at), "detail": one.placed_by},
        "lifted": state,
    }
    actions = [{"action": "lift", "label": _("Lift")}] if one.lifted_at is None else []
    return {"id": str(one.id), "name": one.subject_name, "cells": cells, "actions": actions}
