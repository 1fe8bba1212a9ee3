"""What is known of a person, as rows of tables."""

from typing import Any

from llm_ui.admin.limits import left_rows
from llm_ui.admin.users.listing import ROLES, STATES
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant, later, number
from llm_ui.kit.user_agent import described
from llm_ui.models import ProjectRole
from llm_ui.services.user_details import Used, UserDetails
from llm_ui.ui import amounts

MB = 1_000_000
PROJECT_ROLES = {
    ProjectRole.OWNER: later("Owner"),
    ProjectRole.EDITOR: later("Editor"),
    ProjectRole.VIEWER: later("Viewer"),
}
Row = dict[str, Any]


def facts(known: UserDetails | None) -> list[Row]:
    """Return what is known, a fact a row."""
    if known is None:
        return []
    user, has = known.user, known.has
    found = {
        _("E-mail"): user.email,
        _("Role"): _(ROLES[user.role]),
        _("State"): _(STATES[user.state]),
        _("Second step"): _("On") if known.has_second_factor else _("Off"),
        **({_("Kept by"): _("The directory of {name}").format(name=known.keeper)} if known.keeper else {}),
        _("Created"): instant(user.created_at),
        _("Last seen"): "" if user.last_seen_at is None else instant(user.last_seen_at),
        _("Used this month"): _used(known.this_month),
        _("Used in all"): _used(known.ever),
        _("Chats"): number(has.chats),
        _("Messages"): number(has.messages),
        _("Files and documents"): f"{number(known.bytes_kept / MB, ',.1f')} MB",
    }
    return [_row(what, {"what": what, "value": value}) for what, value in found.items()]


def _used(used: Used) -> str:
    return amounts.used(used.tokens, used.calls, used.cost_usd) if used.calls else ""


def limits(known: UserDetails | None) -> list[Row]:
    """Return what the person may use, of whom that is, and what is left."""
    return left_rows.of_person(() if known is None else known.left, _("Only them"))


def session_columns() -> list[dict[str, str]]:
    """Return the columns of the sessions."""
    return [
        {"key": "browser", "label": _("Browser")},
        {"key": "address", "label": _("Address")},
        {"key": "since", "label": _("Since")},
        {"key": "seen", "label": _("Last used")},
    ]


def sessions(known: UserDetails | None) -> list[Row]:
    """Return where the person is signed in."""
    if known is None:
        return []
    return [
        _row(
            str(each.id),
            {
                "browser": described(each.user_agent),
                "address": each.address,
                "since": instant(each.created_at),
                "seen": instant(each.last_seen_at),
            },
            [{"action": "end", "label": _("End")}],
        )
        for each in known.sessions
    ]


def project_columns() -> list[dict[str, str]]:
    """Return the columns of the projects."""
    return [{"key": "project", "label": _("Project")}, {"key": "role", "label": _("Role")}]


def projects(known: UserDetails | None) -> list[Row]:
    """Return the projects that the person is a member of."""
    listed = () if known is None else known.projects
    return [_row(name, {"project": name, "role": _(PROJECT_ROLES[role])}) for name, role in listed]


def entry_columns() -> list[dict[str, str]]:
    """Return the columns of the audit entries."""
    return [
        {"key": "at", "label": _("When")},
        {"key": "by", "label": _("Who")},
        {"key": "action", "label": _("What")},
        {"key": "detail", "label": _("Details")},
    ]


def entries(known: UserDetails | None) -> list[Row]:
    """Return what the audit log says of the person, the latest first."""
    listed = () if known is None else known.entries
    return [
        _row(
            str(index),
            {
                "at": instant(entry.at),
                "by": entry.by,
                "action": entry.action,
                "detail": ", ".join(f"{name}: {value}" for name, value in entry.detail.items()),
            },
        )
        for index, entry in enumerate(listed)
    ]


def _row(key: str, cells: dict[str, Any], actions: list[dict[str, str]] | None = None) -> Row:
    return {"id": key, "name": next(iter(cells.values())), "cells": cells, "actions": actions or []}
