"""What runs now, as rows of tables."""

from datetime import datetime
from typing import Any

from llm_ui.kit.clock import now
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import number
from llm_ui.services.live import Live

Row = dict[str, Any]


def run_columns() -> list[dict[str, str]]:
    """Return the columns of what runs now."""
    return [
        {"key": "who", "label": _("Person")},
        {"key": "model", "label": _("Model")},
        {"key": "status", "label": _("State")},
        {"key": "since", "label": _("For"), "align": "right"},
    ]


def runs(shown: Live | None, may_act: bool) -> list[Row]:
    """Return a row for each run."""
    return [
        {
            "id": str(run.id),
            "name": run.user_name,
            "cells": {
                "who": {"text": run.user_name, "href": f"/admin/runs/{run.id}"},
                "model": {"text": run.model_name, "detail": run.provider_name},
                "status": _("Is being stopped") if run.is_stopping else _("Running"),
                "since": _("{count} s").format(count=number(_seconds_since(run.since))),
            },
            "actions": [{"action": "stop", "label": _("Stop"), "tone": "danger"}] if may_act else [],
        }
        for run in (() if shown is None else shown.runs)
    ]


def _seconds_since(at: datetime) -> int:
    return max(0, int((now() - at).total_seconds()))


def provider_columns() -> list[dict[str, str]]:
    """Return the columns of the providers."""
    return [
        {"key": "name", "label": _("Provider")},
        {"key": "running", "label": _("Running"), "align": "right"},
        {"key": "state", "label": _("State")},
    ]


def providers(shown: Live | None, may_act: bool) -> list[Row]:
    """Return a row for each provider."""
    return [
        {
            "id": str(one.id),
            "name": one.name,
            "cells": {"name": one.name, "running": number(one.running), "state": _state(one.is_draining, one.running)},
            "actions": [_switch(one.is_draining)] if may_act else [],
        }
        for one in (() if shown is None else shown.providers)
    ]


def _state(is_draining: bool, running: int) -> dict[str, str]:
    if not is_draining:
        return {"text": _("Takes calls"), "tone": "ok"}
    return {"text": _("Is being drained") if running else _("Drained"), "tone": "warning"}


def _switch(is_draining: bool) -> dict[str, str]:
    if is_draining:
        return {"action": "undrain", "label": _("Take calls again")}
    return {"action": "drain", "label": _("Drain"), "tone": "danger"}
