"""The forms of the page of keeping."""

from typing import Any

from llm_ui.kit.i18n import gettext as _

HOLD = "hold"
RULE = "rule"
TEAM = "team"
"""The form of a rule, where the team is named."""


def title(sheet: str, name: str) -> str:
    """Return what the form is about."""
    if sheet == HOLD:
        return _("Legal hold on a project")
    if sheet == TEAM:
        return _("How long chats of a team are kept")
    return _("How long chats are kept: {name}").format(name=name) if sheet == RULE else ""


def text(sheet: str, weighed: str) -> str:
    """Return the sentence above the fields."""
    if sheet in (RULE, TEAM):
        return weighed or _(
            "Chats that nobody touches for so many days go to the bin. Empty: they are kept always. Before it is saved "
            "you see what goes."
        )
    if sheet != HOLD:
        return ""
    return _("Its chats and documents stay, also in the bin. People are put on hold on their page under Users.")


def fields(sheet: str) -> list[dict[str, Any]]:
    """Return the fields."""
    if sheet in (RULE, TEAM):
        days = {"name": "days", "label": _("Days"), "type": "text", "inputmode": "numeric", "placeholder": _("always")}
        named = {"name": "team", "label": _("Team"), "type": "text", "placeholder": _("Name, exactly as it is")}
        return [named, days] if sheet == TEAM else [days]
    if sheet != HOLD:
        return []
    return [
        {"name": "project", "label": _("Project"), "type": "text", "placeholder": _("Name, exactly as it is, or id")},
        {"name": "reason", "label": _("Why"), "type": "text"},
    ]


def buttons(sheet: str, weighed: str) -> list[dict[str, str]]:
    """Return the buttons; Enter presses the first."""
    if sheet in (RULE, TEAM):
        save = {"action": "save_rule", "label": _("Save")}
        return [save] if weighed else [{"action": "weigh", "label": _("Show what goes")}]
    return [{"action": "hold", "label": _("Put on hold")}] if sheet == HOLD else []


def values(**held: str) -> dict[str, str]:
    """Return what the fields hold."""
    return held
