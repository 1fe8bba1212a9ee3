"""The limits of roles as rows of a table."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from llm_ui.admin.users.listing import ROLES
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import number
from llm_ui.models import QuotaKind, Role
from llm_ui.services.quotas import LABELS, RoleLimits

_IDS = UUID("0e1f5a1c-7e54-4f6a-8f2f-6d7b2f0a9c42")


def id_of(role: Role) -> UUID:
    """Return what stands for a role in a row."""
    return uuid5(_IDS, role)


def role_of(row: UUID | None) -> str:
    """Return the role that a row stands for; empty when it stands for none."""
    return next((role.value for role in Role if id_of(role) == row), "")


def title(role: Role | None) -> str:
    """Return what the form is about."""
    return "" if role is None else _("Limits of {name}").format(name=_(ROLES[role.value]))


def columns() -> list[dict[str, str]]:
    """Return the columns: one for each limit."""
    first = {"key": "role", "label": _("Role")}
    return [first, *({"key": kind.value, "label": _(label), "align": "right"} for kind, label in LABELS.items())]


def roles(listed: RoleLimits | None) -> list[dict[str, Any]]:
    """Return what holds for everybody, and a row for each role."""
    if listed is None:
        return []
    everybody = {
        "id": str(_IDS), "name": _("Everybody"), "actions": [],
        "cells": {
            "role": {"text": _("Everybody"), "detail": _("changed under All settings")},
            **{kind.value: _amount(listed.of_everybody[kind]) for kind in LABELS},
        },
    }  # fmt: skip
    return [everybody, *(_row(role, listed.of_roles[role]) for role in Role)]


def _row(role: Role, held: Mapping[QuotaKind, int]) -> dict[str, Any]:
    name = _(ROLES[role.value])
    return {
        "id": str(id_of(role)),
        "name": name,
        "cells": {
            "role": name,
            **{kind.value: _amount(held[kind]) if kind in held else "–" for kind in LABELS},
        },
        "actions": [{"action": "edit", "label": _("Change")}],
    }


def _amount(amount: int) -> str:
    return number(amount) if amount else _("None")
