"""The settings as rows of a table, and the form of one."""

from typing import Any
from uuid import UUID, uuid5

from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant, later, number, told
from llm_ui.services.setting_list import DEFAULT, ENVIRONMENT, HERE, SettingInfo

GROUPS = {
    "look": later("Look"),
    "sign_in": later("Sign-in"),
    "features": later("What people may do"),
    "documents": later("Documents"),
    "helper": later("After an answer"),
    "keeping": later("Keeping and backups"),
    "cache": later("Kept answers"),
}
SOURCES = {HERE: later("Set here"), ENVIRONMENT: later("Environment"), DEFAULT: later("Default")}
UNITS = {
    "hours": later("hours"),
    "seconds": later("seconds"),
    "characters": later("characters"),
    "tokens": later("tokens"),
    "MB": "MB",
    "UTC": "UTC",
    "$": "$",
    "%": "%",
    "ms": "ms",
}
_IDS = UUID("5b0f6d6e-6f0c-4f0e-9a51-0a7a6c1d2f11")


def id_of(name: str) -> UUID:
    """Return what stands for a setting in a row."""
    return uuid5(_IDS, name)


def columns() -> list[dict[str, str]]:
    """Return the columns."""
    return [
        {"key": "meaning", "label": _("Setting")},
        {"key": "value", "label": _("Value")},
        {"key": "source", "label": _("Where it comes from")},
    ]


def settings(listed: tuple[SettingInfo, ...], search: str, group: str) -> list[dict[str, Any]]:
    """Return a row for each setting that is in the group and holds the words."""
    return [_row(info) for info in listed if (not group or info.setting.group == group) and _holds(info, search)]


def has_logo(search: str, group: str) -> bool:
    """Return whether the logo is among what is shown."""
    words = f"logo {_('Logo')} {_(GROUPS['look'])}".casefold()
    return group in ("", "look") and all(word in words for word in search.casefold().split())


def _holds(info: SettingInfo, search: str) -> bool:
    words = f"{info.setting.name} {told(info.setting.meaning)} {_(GROUPS[info.setting.group])}".casefold()
    return all(word in words for word in search.casefold().split())


def _row(info: SettingInfo) -> dict[str, Any]:
    actions = [{"action": "edit", "label": _("Change")}]
    if info.source == HERE:
        actions.append({"action": "reset", "label": _("Reset")})
    detail = ""
    if info.changed_at is not None:
        who = info.changed_by or _("the product itself")
        detail = _("by {who}, {at}").format(who=who, at=instant(info.changed_at))
    return {
        "id": str(id_of(info.setting.name)),
        "name": info.setting.name,
        "cells": {
            "meaning": {
                "text": _(info.setting.meaning), "detail": f"{_(GROUPS[info.setting.group])} · {info.setting.name}"
            },
            "value": {"text": shown(info, info.value), "detail": _limits(info)},
            "source": {"text": _(SOURCES[info.source]), "detail": detail},
        },
        "actions": actions,
    }  # fmt: skip


def shown(info: SettingInfo, value: Any) -> str:
    """Return a value as a person reads it."""
    if isinstance(value, bool):
        return _("on") if value else _("off")
    if value == "":
        return _("(nothing)")
    text = number(value) if isinstance(value, int) else str(value)
    return f"{text} {_(UNITS[info.setting.unit])}" if info.setting.unit else text


def _limits(info: SettingInfo) -> str:
    setting = info.setting
    if isinstance(setting.default, bool) or setting.options or not isinstance(setting.default, int):
        return ""
    return _("{least} to {most}").format(least=number(setting.least or 0), most=number(setting.most or 0))


def fields(info: SettingInfo | None) -> list[dict[str, Any]]:
    """Return the one field of the form."""
    if info is None:
        return []
    setting = info.setting
    hint = _("Default: {value}").format(value=shown(info, info.default))
    field: dict[str, Any] = {"name": "value", "label": _("Value"), "hint": hint}
    if isinstance(setting.default, bool):
        options = [{"value": "true", "label": _("on")}, {"value": "false", "label": _("off")}]
        return [{**field, "type": "select", "options": options}]
    if setting.options:
        return [{**field, "type": "select", "options": [{"value": one, "label": one} for one in setting.options]}]
    unit = f", {_(UNITS[setting.unit])}" if setting.unit else ""
    mode = "numeric" if isinstance(setting.default, int) else "text"
    return [{**field, "type": "text", "label": field["label"] + unit, "inputmode": mode}]
