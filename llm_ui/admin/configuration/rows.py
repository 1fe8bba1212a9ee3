"""What a file would change, as rows of a table and in words."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import later, ngettext, number, told
from llm_ui.models import QuotaKind
from llm_ui.services.configuration_import import Becomes, Step
from llm_ui.services.quotas import LABELS

SHOWN = 300
"""Rows: what is refused first, then what changes, then what is new."""
MAX_VALUE_CHARS = 80
THINGS = {
    "provider": later("Provider"),
    "model": later("Model"),
    "prompt": later("Instructions"),
    "saved prompt": later("Prompt"),
    "agent": later("Agent"),
    "setting": later("Setting"),
    "deployment": later("Deployment"),
    "team": later("Team"),
    "quotas": later("Limits for each person"),
    "filter": later("Safety filter"),
    "limit": later("Limit"),
    "issuer": later("Sign-in"),
    "auto": later("Auto model"),
}
BECOMES = {
    Becomes.REFUSED: (later("Refused"), "error"),
    Becomes.CHANGED: (later("Changes"), "warning"),
    Becomes.NEW: (later("New"), "ok"),
}
FIELDS = {
    "value": later("Value"),
    "name": later("Name"),
    "kind": later("Type"),
    "base_url": later("Address"),
    "is_enabled": later("Switched on"),
    "display_name": later("Shown name"),
    "context_window": later("Context window"),
    "max_output_tokens": later("Longest answer"),
    "can_see_images": later("Sees images"),
    "can_use_tools": later("Uses tools"),
    "makes_embeddings": later("Makes vectors"),
    "input_usd_per_mtok": later("Price of input"),
    "cached_input_usd_per_mtok": later("Price of cached input"),
    "output_usd_per_mtok": later("Price of output"),
    "reasoning_usd_per_mtok": later("Price of reasoning"),
    "tiers": later("Prices of long prompts"),
    "text": later("Text"),
    "is_default": later("New chats begin with it"),
    "tags": later("Tags"),
    "description": later("Description"),
    "instructions": later("Instructions"),
    "color": later("Colour"),
    "icon": later("Symbol"),
    "provider": later("Provider"),
    "model": later("Model"),
    "auto": later("Auto model"),
    "temperature": later("Temperature"),
    "max_tokens": later("Longest answer"),
    "starters": later("Starters"),
    "serves": later("Serves as"),
    "weight": later("Weight"),
    "balancing": later("Shares questions by"),
    "models": later("Models"),
    "owners": later("Owners"),
    "members": later("Members"),
    "month_usd": later("Dollars a month"),
    "on_input": later("Of what goes to models"),
    "on_output": later("Of what comes from models"),
    "types": later("What counts"),
    "terms": later("Terms"),
    "fails_closed": later("Nothing passes while it does not answer"),
    "amount": later("Amount"),
    "action": later("At the limit"),
    "address": later("Address"),
    "client_id": later("Client id"),
    "is_active": later("Switched on"),
    "scopes": later("Scopes"),
    "name_claim": later("Claim of the name"),
    "email_claim": later("Claim of the e-mail address"),
    "groups_claim": later("Claim of the groups"),
    "domains": later("Domains"),
    "groups": later("Groups that may sign in"),
    "admin_groups": later("Groups of administrators"),
    "operator_groups": later("Groups of operators"),
    "team_groups": later("Groups and their teams"),
    "makes_accounts": later("Makes accounts"),
    "is_private": later("On the private network"),
    "rules": later("Rules"),
    "goodness": later("Weight of ratings"),
    "speed": later("Weight of speed"),
    **{kind.value: label for kind, label in LABELS.items() if kind is not QuotaKind.MONTH_USD},
}
_IDS = UUID("b8b2a4a3-0a0e-4b7e-9d55-3c1e6c0f7d10")


def columns() -> list[dict[str, str]]:
    """Return the columns."""
    return [
        {"key": "name", "label": _("What")},
        {"key": "becomes", "label": _("What happens")},
        {"key": "how", "label": _("How")},
    ]


def changes(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Return a row for each thing that does not stay as it is."""
    order = list(BECOMES)
    found = [one for one in steps if one.becomes is not Becomes.SAME]
    return [_row(one) for one in sorted(found, key=lambda one: order.index(one.becomes))[:SHOWN]]


def _row(step: Step) -> dict[str, Any]:
    label, tone = BECOMES[step.becomes]
    return {
        "id": str(uuid5(_IDS, f"{step.what} {step.name}")),
        "name": step.name,
        "cells": {
            "name": {"text": step.name, "detail": _(THINGS[step.what])},
            "becomes": {"text": _(label), "tone": tone},
            "how": told(step.reason) if step.reason else " · ".join([*_lines(step), *_hints(step)]),
        },
        "actions": [],
    }


def _hints(step: Step) -> list[str]:
    return [told(step.hint)] if step.hint else []


def _lines(step: Step) -> list[str]:
    """Return each field that differs, in words; of what is new those that say anything."""
    lines = []
    for name, (before, after) in step.changes.items():
        label = _(FIELDS[name])
        if step.becomes is Becomes.NEW:
            if after not in (None, "", False, (), []) and name not in ("name", "color", "icon"):
                lines.append(f"{label}: {_shown(after)}")
        else:
            lines.append(f"{label}: {_shown(before)} → {_shown(after)}")
    return lines


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return _("on") if value else _("off")
    if isinstance(value, list | tuple):
        value = ", ".join(map(_item, value))
    text = _("(nothing)") if value is None or value == "" else " ".join(str(value).split())
    return text if len(text) <= MAX_VALUE_CHARS else f"{text[:MAX_VALUE_CHARS]}…"


def _item(one: Any) -> str:
    """Return one of several values; of a price of long prompts, for which ones it holds."""
    is_tier = isinstance(one, Mapping) and "above_tokens" in one
    return _("More than {n} tokens sent").format(n=number(one["above_tokens"])) if is_tier else str(one)


def summary(steps: Sequence[Step]) -> str:
    """Return how much of the file does what."""
    if not steps:
        return ""
    count = {kind: sum(one.becomes is kind for one in steps) for kind in Becomes}
    said = [
        ngettext("{count} thing is new", "{count} things are new", count[Becomes.NEW]),
        ngettext("{count} changes", "{count} change", count[Becomes.CHANGED]),
        ngettext("{count} stays as it is", "{count} stay as they are", count[Becomes.SAME]),
        ngettext("{count} is refused", "{count} are refused", count[Becomes.REFUSED]),
    ]
    parts = zip(said, (Becomes.NEW, Becomes.CHANGED, Becomes.SAME, Becomes.REFUSED), strict=True)
    text = ", ".join(one.format(count=count[kind]) for one, kind in parts if count[kind])
    if count[Becomes.REFUSED]:
        return (
            text + ". " + _("Nothing is applied as long as anything is refused: change the file, and choose it again.")
        )
    return text + ". " + _("Nothing is changed yet.")


def may_apply(steps: Sequence[Step]) -> bool:
    """Return whether the file can be taken in."""
    return bool(steps) and all(one.becomes is not Becomes.REFUSED for one in steps)
