"""Alert rules as rows, and their forms."""

from typing import Any

from llm_ui.admin.alerts import words
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant
from llm_ui.services.alerts import RuleInfo

RULE, MAIL, SECRET, DELETE = "rule", "mail", "secret", "delete"
TLS = {"starttls": "STARTTLS", "tls": "TLS", "none": ""}
Field = dict[str, Any]


def columns() -> list[dict[str, str]]:
    """Return the columns of the rules."""
    return [
        {"key": "kind", "label": _("Rule")},
        {"key": "limit", "label": _("Limit"), "align": "right"},
        {"key": "value", "label": _("Now"), "align": "right"},
        {"key": "state", "label": _("State")},
        {"key": "told", "label": _("Who is told")},
    ]


def rules(listed: tuple[RuleInfo, ...], may_act: bool) -> list[dict[str, Any]]:
    """Return a row for each rule."""
    return [
        {
            "id": str(rule.id),
            "name": _(words.KINDS[rule.kind]),
            "cells": {
                "kind": _(words.KINDS[rule.kind]),
                "limit": words.measured(rule.kind, rule.threshold),
                "value": words.measured(rule.kind, rule.value),
                "state": _state(rule),
                "told": {"text": _(words.CHANNELS[rule.channel]), "detail": rule.address},
            },
            "actions": _actions(rule) if may_act else [],
        }
        for rule in listed
    ]


def _state(rule: RuleInfo) -> dict[str, str]:
    since = "" if rule.changed_at is None else _("since {at}").format(at=instant(rule.changed_at))
    if rule.is_silenced:
        return {"text": _("Silenced"), "tone": "quiet", "detail": _("Fires") if rule.is_firing else ""}
    if rule.is_firing:
        return {"text": _("Fires"), "tone": "error", "detail": since}
    return {"text": _("Fine"), "tone": "ok", "detail": since}


def _actions(rule: RuleInfo) -> list[dict[str, str]]:
    silence = ("unsilence", _("Let it tell")) if rule.is_silenced else ("silence", _("Silence for a day"))
    return [
        {"action": "test", "label": _("Test")},
        {"action": silence[0], "label": silence[1]},
        {"action": "edit", "label": _("Edit")},
    ]


def title(sheet: str) -> str:
    """Return what the open form is about."""
    titles = {RULE: _("Alert rule"), MAIL: _("Server for e-mails"), SECRET: _("Signature"), DELETE: _("Delete rule?")}
    return titles.get(sheet, "")


def text(sheet: str) -> str:
    """Return the sentence above the fields."""
    texts = {
        RULE: _("It tells once when the limit is passed, and once when that is over. Of free disk less is worse."),
        MAIL: _("Alerts are sent through it. An empty name of the server: no e-mails are sent."),
        SECRET: _(
            "Webhooks get a header X-LLM-UI-Signature: sha256= and the hexadecimal HMAC-SHA-256 of the body with this "
            "secret."
        ),
        DELETE: _("Its history goes with it."),
    }
    return texts.get(sheet, "")


def fields(sheet: str) -> list[Field]:
    """Return the fields of the open form."""
    match sheet:
        case "rule":
            return [
                _select("kind", _("What is watched"), {one.value: _(label) for one, label in words.KINDS.items()}),
                {"name": "threshold", "label": _("Limit"), "type": "text", "placeholder": "10",
                 "hint": _("In percent, seconds, dollars or minutes, or a number, as suits what is watched.")},
                _select("channel", _("Who is told"), {one.value: _(label) for one, label in words.CHANNELS.items()}),
                {"name": "address", "label": _("Address"), "type": "text",
                 "hint": _("Of the webhook, or of the e-mail.")},
            ]  # fmt: skip
        case "mail":
            return [
                {"name": "host", "label": _("Server"), "type": "text"},
                {"name": "port", "label": _("Port"), "type": "text", "placeholder": "587"},
                _select("tls", _("Encryption"), {key: label or _("None") for key, label in TLS.items()}),
                {"name": "user", "label": _("Username"), "type": "text"},
                {"name": "password", "label": _("Password"), "type": "secret",
                 "hint": _("Leave it empty to keep the one that is there.")},
                {"name": "sender", "label": _("Sender"), "type": "text"},
            ]  # fmt: skip
        case "secret":
            return [{"name": "secret", "label": _("Secret"), "type": "copy"}]
        case _:
            return []


def _select(name: str, label: str, options: dict[str, str]) -> Field:
    listed = [{"value": value, "label": shown} for value, shown in options.items()]
    return {"name": name, "label": label, "type": "select", "options": listed}


def buttons(sheet: str, is_new: bool) -> list[dict[str, str]]:
    """Return the buttons of the open form; Enter presses the first."""
    save = {"action": f"save_{sheet}", "label": _("Save")}
    removing = [] if is_new else [{"action": "ask_delete", "label": _("Delete …"), "tone": "quiet danger"}]
    shown = {
        RULE: [save, *removing],
        MAIL: [save],
        SECRET: [{"action": "close", "label": _("Close")}],
        DELETE: [
            {"action": "close", "label": _("Keep it")},
            {"action": "delete", "label": _("Delete for good"), "tone": "quiet danger"},
        ],
    }
    return shown.get(sheet, [])


def values(**held: Any) -> dict[str, Any]:
    """Return what the fields hold."""
    return held
