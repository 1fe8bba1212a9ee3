"""Figures of ratings as rows of the quality page's tables."""

from collections.abc import Sequence
from typing import Any

from llm_ui.kit.i18n import day
from llm_ui.kit.i18n import gettext as _
from llm_ui.services.ratings import ModelRatings, WeekRatings


def model_rows(models: Sequence[ModelRatings]) -> list[dict[str, Any]]:
    """Return what people think of each model as the page draws it."""
    return [
        {
            "id": one.model, "name": one.model, "actions": [], "is_faint": False,
            "cells": {
                "model": one.model or _("unknown"), "count": str(one.up + one.down), "up": str(one.up),
                "down": str(one.down), "at_least": f"{one.at_least:.0%}" if one.up + one.down else "–",
                "invented": str(one.invented),
            },
        }
        for one in models
    ]  # fmt: skip


def week_rows(weeks: Sequence[WeekRatings]) -> list[dict[str, Any]]:
    """Return what people thought in each week as the page draws it, newest first."""
    return [
        {
            "id": one.begins.isoformat(), "name": one.begins.isoformat(), "actions": [], "is_faint": False,
            "cells": {
                "week": day(one.begins), "up": str(one.up), "down": str(one.down),
                "share": f"{one.up / (one.up + one.down):.0%}",
            },
        }
        for one in reversed(weeks)
        if one.up + one.down
    ]  # fmt: skip
