"""What safety filters are called, do and find, in words."""

from collections.abc import Iterable, Mapping
from typing import Any

from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import later

KINDS = {
    "injection": later("Attempts to overrule instructions"),
    "pii": later("Personal data"),
    "secrets": later("Secrets"),
    "terms": later("Banned terms"),
    "moderation": later("Moderation by a provider"),
}
WHATS = {
    "attempt": later("attempt"),
    "email": later("e-mail address"),
    "phone": later("telephone number"),
    "iban": later("bank account (IBAN)"),
    "card": later("credit card"),
    "tax_id": later("German tax id"),
    "ssn": later("US social security number"),
    "ip": later("IP address"),
    "api_key": later("API key"),
    "private_key": later("private key"),
    "jwt": later("signed token (JWT)"),
    "password": later("password"),
    "token": later("random token"),
    "term": later("term"),
}
ACTIONS = {
    "off": later("Off"),
    "log": later("Count"),
    "warn": later("Warn"),
    "mask": later("Mask"),
    "block": later("Block"),
}


def what(name: str) -> str:
    """Return what was found; a provider's category has its own name."""
    return _(WHATS[name]) if name in WHATS else name


def listed(found: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return what was found in a run, as its manifest has it, a line for each sort."""
    counted: dict[tuple[str, str, bool, str], int] = {}
    for one in found:
        key = str(one["kind"]), str(one["what"]), bool(one["is_output"]), str(one["action"])
        counted[key] = counted.get(key, 0) + int(one["count"])
    return [
        _("{kind}: {what} × {times}, {where} ({action})").format(
            kind=_(KINDS[kind]), what=what(name), times=times, action=_(ACTIONS[action]),
            where=_("in the answer") if is_output else _("in what was sent"),
        )
        for (kind, name, is_output, action), times in counted.items()
    ]  # fmt: skip
