"""How long chats are kept, as rows of a table and as what a preview says."""

from typing import Any
from uuid import UUID

from llm_ui.admin.limits.rows import id_of
from llm_ui.admin.users.listing import ROLES
from llm_ui.kit.i18n import day, instant, ngettext, number
from llm_ui.kit.i18n import gettext as _
from llm_ui.services.keeping import Preview, RuleInfo, Subject

Row = dict[str, Any]


def columns() -> list[dict[str, str]]:
    """Return the columns of the rules."""
    return [
        {"key": "name", "label": _("Chats of")},
        {"key": "days", "label": _("How long"), "align": "right"},
        {"key": "set", "label": _("Set")},
    ]


def id_in_list(subject: Subject) -> UUID:
    """Return what stands for a subject in a row."""
    if subject.role is not None:
        return id_of(subject.role)
    found = subject.team_id or subject.project_id
    assert found is not None  # noqa: S101 - a subject names one of the three
    return found


def name_of(rule: RuleInfo) -> str:
    """Return whose chats a rule is for."""
    return _(ROLES[rule.subject.role.value]) if rule.subject.role is not None else rule.name


def rows(listed: tuple[RuleInfo, ...]) -> list[Row]:
    """Return a row for each rule, and for each role."""
    return [_row(one) for one in listed]


def _row(rule: RuleInfo) -> Row:
    subject = rule.subject
    name = name_of(rule)
    who: dict[str, str] = {"text": name, "detail": _("Role")}
    if subject.team_id is not None:
        who |= {"detail": _("Team"), "href": f"/teams/{subject.team_id}"}
    if subject.project_id is not None:
        who["detail"] = _("Project, by its owner")
    kept = _("always") if rule.days is None else days(rule.days)
    told = {"text": instant(rule.set_at), "detail": rule.set_by} if rule.set_at is not None else "–"
    actions = [] if subject.project_id is not None else [{"action": "edit", "label": _("Change")}]
    return {
        "id": str(id_in_list(subject)),
        "name": name,
        "cells": {"name": who, "days": kept, "set": told},
        "actions": actions,
    }


def days(kept: int) -> str:
    """Return how long, in words."""
    return ngettext("{n} day", "{n} days", kept).format(n=number(kept))


def told(found: Preview, kept: int | None) -> str:
    """Return what would go, in sentences."""
    said = [_what_goes(found)]
    if kept is None:
        said.insert(0, _("The rule goes; the others in the list hold on."))
    elif found.first_at is not None:
        said.append(_("By this rule the next one is due on {day}.").format(day=day(found.first_at.date())))
    return " ".join(said)


def _what_goes(found: Preview) -> str:
    if not found.chats:
        return _("With the next clean-up, at 03:17 UTC, no chat goes to the bin.")
    chats = ngettext("{n} chat", "{n} chats", found.chats).format(n=number(found.chats))
    texts = ngettext("{n} message", "{n} messages", found.messages).format(n=number(found.messages))
    files = ngettext("{n} file", "{n} files", found.files).format(n=number(found.files))
    people = ngettext("{n} person", "{n} people", found.people).format(n=number(found.people))
    return _(
        "With the next clean-up, at 03:17 UTC, {chats} of {people} go to the bin, with {messages} and {files}, and "
        "30 days later for good."
    ).format(chats=chats, people=people, messages=texts, files=files)
