"""The list of the audit log: its columns and filters."""

import json
from collections.abc import Sequence
from typing import Any

from llm_ui.admin.listing.listing import Column, Filter, Listing
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant, later
from llm_ui.services import audit_list
from llm_ui.services.audit_list import Entry

NOUNS = {
    "user": later("Accounts"),
    "team": later("Teams"),
    "session": later("Sign-ins"),
    "setting": later("Settings"),
    "provider": later("Providers"),
    "model": later("Models"),
    "prompt": later("Instructions"),
    "agent": later("Agents"),
    "project": later("Projects"),
    "document": later("Documents"),
    "link": later("Links to chats"),
    "retention": later("Clean-up"),
}
DAYS = {"1": later("Last 24 hours"), "7": later("Last 7 days"), "30": later("Last 30 days"), "365": later("Last year")}
VIAS = {
    "page": later("Pages"),
    "api": later("API"),
    "command line": later("Command line"),
    "system": later("The product itself"),
}
SUMMARY_CHARS = 60


def told(value: object) -> str:
    """Return a value of an entry as a person reads it."""
    if value is None or value == "":
        return _("(none)")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value)


def summary(entry: Entry) -> str:
    """Return in one line what was changed, or what else is known of it."""
    changes = (f"{name}: {_short(pair[0])} → {_short(pair[1])}" for name, pair in entry.changes.items())
    details = (f"{name}: {_short(value)}" for name, value in entry.detail.items())
    return ", ".join((*changes, *details))


def _short(value: object) -> str:
    words = " ".join(told(value).split())
    return words if len(words) <= SUMMARY_CHARS else f"{words[: SUMMARY_CHARS - 1]}…"


def _who(entry: Entry) -> dict[str, str]:
    return {"text": entry.who, "detail": entry.address or _(VIAS.get(entry.via, entry.via))}


def _exported(pairs: dict[str, Any] | dict[str, Sequence[Any]]) -> str:
    return json.dumps(pairs, ensure_ascii=False) if pairs else ""


AUDIT = Listing(
    name="audit",
    caption=later("Audit log"),
    searched=later("Who, what, on what, address or request"),
    columns=(
        Column("at", later("When"), lambda entry: instant(entry.at), lambda entry: entry.at.isoformat()),
        Column("who", later("Who"), _who, lambda entry: entry.who),
        Column("what", later("What"), lambda entry: entry.what, lambda entry: entry.what),
        Column("target", later("On what"), lambda entry: entry.target, lambda entry: entry.target),
        Column("changes", later("Change"), summary, lambda entry: _exported(entry.changes), is_sorted=False),
    ),
    rows=audit_list.rows,
    key=lambda entry: entry.id,
    newest_by="at",
    empty=later("Nothing was changed yet."),
    filters=(
        Filter("what", later("What"), NOUNS), Filter("days", later("When"), DAYS), Filter("via", later("From"), VIAS)
    ),
    actions=lambda _entry: [{"action": "open", "label": _("Show")}],
)  # fmt: skip
