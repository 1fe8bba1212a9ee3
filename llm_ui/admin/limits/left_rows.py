"""What each person may use, of whom that is, and what is used of it, as rows of a table."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from llm_ui.admin.users.listing import ROLES
from llm_ui.kit.currency import DOLLARS
from llm_ui.kit.i18n import amount, day, number
from llm_ui.kit.i18n import gettext as _
from llm_ui.models import QuotaKind, QuotaScope
from llm_ui.services.budgets import BudgetState
from llm_ui.services.quotas import LABELS, Left
from llm_ui.ui.amounts import money

Row = dict[str, Any]


def columns() -> list[dict[str, str]]:
    """Return the columns."""
    return [
        {"key": "what", "label": _("What")},
        {"key": "source", "label": _("Set for")},
        {"key": "most", "label": _("Limit"), "align": "right"},
        {"key": "used", "label": _("Used"), "align": "right"},
        {"key": "left", "label": _("Left"), "align": "right"},
        {"key": "returns", "label": _("Returns")},
    ]


def of_person(listed: Iterable[Left], own: str) -> list[Row]:
    """Return a row for each limit, and for what has none; `own` says whose the person's own are."""
    return [
        _row(one.kind.value, _(LABELS[one.kind]), {
            "source": _source(one, own),
            "most": _most(one),
            "used": DOLLARS.amount(one.used) if one.kind is QuotaKind.MONTH_USD else amount(one.used),
            "left": _left(one),
            "returns": _returns(one),
        })
        for one in listed
    ]  # fmt: skip


def _source(one: Left, own: str) -> dict[str, str]:
    match one.scope:
        case QuotaScope.USER:
            return {"text": own}
        case QuotaScope.TEAM:
            return {"text": one.whose, "detail": _("Team")}
        case QuotaScope.ROLE:
            return {"text": _(ROLES[one.whose]), "detail": _("Role")}
        case _:
            return {"text": _("Everybody")}


def _most(one: Left) -> str:
    if not one.most:
        return _("None")
    return DOLLARS.amount(Decimal(one.most)) if one.kind is QuotaKind.MONTH_USD else number(one.most)


def _left(one: Left) -> dict[str, str]:
    if not one.most:
        return {"text": ""}
    left = max(Decimal(0), one.most - one.used)
    shown = DOLLARS.amount(left) if one.kind is QuotaKind.MONTH_USD else number(left, ",.0f")
    return {"text": shown, "tone": "" if left else "error"}


def _returns(one: Left) -> str:
    if not one.most:
        return ""
    return _("once some is deleted") if one.returns_at is None else day(one.returns_at)


def of_team(budget: BudgetState | None, held: Mapping[QuotaKind, int]) -> list[Row]:
    """Return the budget of a team, and a row for each limit that it sets its members."""
    found = []
    if budget is not None:
        found.append(_row("budget", _("Budget of each month"), {
            "source": _("The team together"),
            "most": money(budget.amount_usd),
            "used": money(budget.spent_usd + budget.reserved_usd),
            "left": {"text": money(budget.left_usd), "tone": "error" if budget.is_low else ""},
            "returns": day(budget.returns_at),
        }))  # fmt: skip
    for kind, most in held.items():
        shown = DOLLARS.amount(Decimal(most)) if kind is QuotaKind.MONTH_USD else number(most)
        cells = {
            "source": _("Each member"),
            "most": shown if most else _("None"),
            "used": "",
            "left": "",
            "returns": "",
        }
        found.append(_row(kind.value, _(LABELS[kind]), cells))
    return found


def _row(key: str, what: str, cells: dict[str, Any]) -> Row:
    return {"id": key, "name": what, "cells": {"what": what, **cells}, "actions": []}
