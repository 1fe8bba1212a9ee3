"""What is known of a team, as rows of tables."""

from typing import Any

from llm_ui.admin.limits import left_rows
from llm_ui.admin.person.rows import PROJECT_ROLES
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant, later, number
from llm_ui.models import TeamRole
from llm_ui.services.service_accounts import AccountInfo
from llm_ui.services.team_details import TeamDetails
from llm_ui.services.team_members import TeamMemberInfo
from llm_ui.ui import amounts
from llm_ui.ui.names import shown_name

ROLES = {TeamRole.MEMBER.value: later("Member"), TeamRole.OWNER.value: later("Owner")}
Row = dict[str, Any]


def member_columns() -> list[dict[str, str]]:
    """Return the columns of the members."""
    return [{"key": "name", "label": _("Name")}, {"key": "role", "label": _("Role")}]


def members(known: TeamDetails | None) -> list[Row]:
    """Return who is in the team."""
    listed = () if known is None else known.members
    return [
        {
            "id": str(one.user_id),
            "name": one.name,
            "cells": {"name": {"text": one.name, "detail": one.email}, "role": _role(one)},
            "actions": _actions(one, may_manage=known is not None and known.may_manage),
        }
        for one in listed
    ]


def _role(one: TeamMemberInfo) -> dict[str, str]:
    through = _("With a group of {name}").format(name=one.issuer_name) if one.issuer_name else ""
    return {"text": _(ROLES[one.role]), "detail": through}


def _actions(one: TeamMemberInfo, *, may_manage: bool) -> list[dict[str, str]]:
    leave = {"action": "remove", "label": _("Leave") if one.is_me else _("Remove"), "tone": "danger"}
    if not may_manage:
        return [leave] if one.is_me else []
    if one.role is TeamRole.OWNER:
        return [{"action": "member", "label": _("Make a member")}, leave]
    return [{"action": "owner", "label": _("Make an owner")}, leave]


def account_columns() -> list[dict[str, str]]:
    """Return the columns of the service accounts."""
    return [
        {"key": "name", "label": _("Name")},
        {"key": "state", "label": _("State")},
        {"key": "keys", "label": _("Keys"), "align": "right"},
    ]


def accounts(known: TeamDetails | None) -> list[Row]:
    """Return the service accounts of the team; whoever decides on it gets to their keys."""
    listed = () if known is None else known.accounts
    may_manage = known is not None and known.may_manage
    return [
        {
            "id": str(one.id),
            "name": one.name,
            "is_faint": not one.is_active,
            "cells": {
                "name": _account_name(one, may_manage=may_manage),
                "state": {
                    "text": _("In use") if one.is_active else _("Switched off"),
                    "detail": _("never used") if one.last_used_at is None else _("last used {at}").format(
                        at=instant(one.last_used_at)
                    ),
                },
                "keys": number(one.keys),
            },
            "actions": _account_actions(one) if may_manage else [],
        }
        for one in listed
    ]  # fmt: skip


def _account_name(one: AccountInfo, *, may_manage: bool) -> dict[str, str]:
    found = {"text": one.name, "detail": one.purpose}
    return {**found, "href": f"/keys?account={one.id}"} if may_manage else found


def _account_actions(one: AccountInfo) -> list[dict[str, str]]:
    switch = {"action": "off", "label": _("Switch off")} if one.is_active else {"action": "on", "label": _("Switch on")}
    return [switch, {"action": "end_account", "label": _("Delete …"), "tone": "danger"}]


def model_columns() -> list[dict[str, str]]:
    """Return the columns of the models."""
    return [{"key": "model", "label": _("Model")}, {"key": "teams", "label": _("Kept for")}]


def models(known: TeamDetails | None) -> list[Row]:
    """Return the models that are kept for the team."""
    listed = () if known is None else known.models
    return [
        {
            "id": str(one.id),
            "name": one.name,
            "cells": {
                "model": {"text": shown_name(one.name), "detail": one.provider_name}, "teams": ", ".join(one.teams),
            },
            "actions": [],
        }
        for one in listed
    ]  # fmt: skip


def project_columns() -> list[dict[str, str]]:
    """Return the columns of the projects."""
    return [
        {"key": "project", "label": _("Project")},
        {"key": "owner", "label": _("Owner")},
        {"key": "role", "label": _("Role of the team")},
    ]


def projects(known: TeamDetails | None) -> list[Row]:
    """Return the projects that the team takes part in."""
    listed = () if known is None else known.projects
    return [
        {
            "id": str(one.id),
            "name": one.name,
            "cells": {"project": one.name, "owner": one.owner, "role": _(PROJECT_ROLES[one.role])},
            "actions": [],
        }
        for one in listed
    ]


def figures(known: TeamDetails | None) -> list[Row]:
    """Return what was booked to the team this month."""
    if known is None:
        return []
    used = known.this_month
    value = amounts.used(used.tokens, used.requests, used.cost_usd)
    what = _("Used this month")
    return [{"id": what, "name": what, "cells": {"what": what, "value": value}, "actions": []}]


def limits(known: TeamDetails | None) -> list[Row]:
    """Return what the team may spend, and what it lets each member use."""
    return [] if known is None else left_rows.of_team(known.budget, known.quotas)
