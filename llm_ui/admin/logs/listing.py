"""The list of the log's lines: its columns and filters."""

import json
import logging
from typing import Any

from llm_ui.admin.listing.listing import Column, Filter, Listing
from llm_ui.admin.system.rows import NAMES
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant, later
from llm_ui.services import logs
from llm_ui.services.logs import LoggedLine

LEVELS = {
    logging.DEBUG: later("Detail"),
    logging.INFO: later("Information"),
    logging.WARNING: later("Warning"),
    logging.ERROR: later("Error"),
}
TONES = {logging.WARNING: "warning", logging.ERROR: "error"}
HOURS = {"1": later("Last hour"), "24": later("Last 24 hours"), "168": later("Last 7 days")}


def _at(line: LoggedLine) -> dict[str, str]:
    return {"text": f"{line.at:%H:%M:%S}", "detail": instant(line.at)}


def _level(line: LoggedLine) -> dict[str, str]:
    return {"text": _(LEVELS.get(line.level, later("Error"))), "tone": TONES.get(line.level, "quiet")}


def _what(line: LoggedLine) -> dict[str, str]:
    return {"text": line.event, "detail": "  ".join(f"{name}={value}" for name, value in line.fields.items())}


def _who(line: LoggedLine) -> Any:
    return {"text": line.user_name or "–", "detail": line.request_id}


LOGS: Listing[LoggedLine] = Listing(
    name="logs",
    caption=later("Logs"),
    searched=later("Event, field, request or person"),
    columns=(
        Column("at", later("When"), _at, lambda line: line.at.isoformat()),
        Column("level", later("Level"), _level, lambda line: logging.getLevelName(line.level).lower()),
        Column("process", later("Process"), lambda line: _(NAMES.get(line.process, line.process)),
               lambda line: line.process),
        Column("event", later("What"), _what, lambda line: line.event),
        Column("fields", "", None, lambda line: json.dumps(line.fields, ensure_ascii=False), is_sorted=False),
        Column("who", later("Person and request"), _who, lambda line: line.user_name, is_sorted=False),
        Column("request", "", None, lambda line: line.request_id, is_sorted=False),
    ),
    rows=logs.rows,
    key=lambda line: line.id,
    newest_by="at",
    empty=later("Nothing was logged yet. Lines come every few seconds."),
    filters=(
        Filter("level", later("Level from"), {str(level): label for level, label in LEVELS.items()}),
        Filter("process", later("Process"), NAMES),
        Filter("hours", later("When"), HOURS),
    ),
    is_faint=lambda line: line.level <= logging.DEBUG,
)  # fmt: skip
