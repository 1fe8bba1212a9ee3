"""The forms of the page of keeping."""

from typing import Any

from llm_ui.kit.i18n import gettext as _

HOLD = "hold"


def title(sheet: str) -> str:
    """Return what the form is about."""
    return _("Legal hold on a project") if sheet == HOLD else ""


def text(sheet: str) -> str:
    """Return the sentence above the fields."""
    if sheet != HOLD:
        return ""
    return _("Its chats and documents stay, also in the bin. People are put on hold on their page under Users.")


def fields(sheet: str) -> list[dict[str, Any]]:
    """Return the fields."""
    if sheet != HOLD:
        return []
    return [
        {"name": "project", "label": _("Project"), "type": "text", "placeholder": _("Name, exactly as it is, or id")},
        {"name": "reason", "label": _("Why"), "type": "text"},
    ]


def buttons(sheet: str) -> list[dict[str, str]]:
    """Return the buttons; Enter presses the first."""
    return [{"action": "hold", "label": _("Put on hold")}] if sheet == HOLD else []


def values(**held: str) -> dict[str, str]:
    """Return what the fields hold."""
    return held
