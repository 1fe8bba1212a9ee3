"""The forms of a team's page."""

from typing import Any

from llm_ui.admin import filtering, quotas
from llm_ui.admin.filtering import FILTER
from llm_ui.admin.quotas import LIMITS
from llm_ui.admin.team.rows import ROLES
from llm_ui.kit.i18n import gettext as _
from llm_ui.services.service_accounts import AccountInfo
from llm_ui.services.team_details import TeamDetails
from llm_ui.services.team_models import KeptModel
from llm_ui.ui.names import shown_name

ADD, MODELS, BUDGET, RENAME, DELETE = "add", "models", "budget", "rename", "delete"
ACCOUNT, END_ACCOUNT = "account", "end_account"
Field = dict[str, Any]


def offers(known: TeamDetails | None) -> list[dict[str, str]]:
    """Return what an administrator can do to the team."""
    if known is None or not known.may_administer:
        return []
    found = [
        (MODELS, _("Keep models for its members, so that nobody else can ask them."), _("Choose models …")),
        (RENAME, _("Give it another name."), _("Rename …")),
        (DELETE, _("Delete the team. Its members stay, and so does what they wrote."), _("Delete …")),
    ]
    return [{"id": action, "action": action, "text": text, "button": label} for action, text, label in found]


def title(sheet: str, known: TeamDetails | None, kind: str, account: AccountInfo | None) -> str:
    """Return what the form is about."""
    name = "" if known is None else known.team.name
    return {
        ADD: _("Add somebody to {name}").format(name=name),
        ACCOUNT: _("New service account of {name}").format(name=name),
        END_ACCOUNT: _("Delete {name}").format(name="" if account is None else account.full_name),
        MODELS: _("Models that are kept for {name}").format(name=name),
        BUDGET: _("Budget of {name}").format(name=name),
        RENAME: _("Rename {name}").format(name=name),
        LIMITS: _("Limits of {name}").format(name=name),
        DELETE: _("Delete {name}").format(name=name),
        FILTER: filtering.title(kind),
    }.get(sheet, "")


def text(sheet: str, kind: str) -> str:
    """Return the sentence above the fields."""
    return {
        ADD: _("They need an account already. Owners decide on members and instructions."),
        ACCOUNT: _("What scripts of the team act as: it may what members may. Nobody can sign in to it."),
        END_ACCOUNT: _(
            "Its keys end at once, and its chats and its own projects go. What it used stays in the figures."
        ),
        MODELS: _("Only members of the teams that a model is kept for can ask it, and administrators."),
        BUDGET: _("What was booked to the team this month counts. Without an amount it spends as much as it takes."),
        LIMITS: _("For each member. What is empty is as for their role or everybody; 0 is no limit."),
        DELETE: _("What its members have through it ends at once: projects, models and instructions."),
        FILTER: filtering.text(kind),
    }.get(sheet, "")


def tone(sheet: str) -> str:
    """Return how that sentence looks."""
    return "warning" if sheet in (DELETE, END_ACCOUNT) else "plain"


def fields(
    sheet: str, known: TeamDetails | None, offered: tuple[KeptModel, ...], account: AccountInfo | None
) -> list[Field]:
    """Return the fields."""
    match sheet:
        case "add":
            options = [{"value": value, "label": _(label)} for value, label in ROLES.items()]
            return [
                {"name": "email", "label": _("E-mail"), "type": "text", "inputmode": "email"},
                {"name": "role", "label": _("Role"), "type": "select", "options": options},
            ]
        case "account":
            return [
                {"name": "account_name", "label": _("Name"), "type": "text"},
                {"name": "purpose", "label": _("Purpose"), "type": "text"},
            ]
        case "end_account" if account is not None:
            confirm = _("Type {name} to confirm").format(name=account.name)
            return [{"name": "typed", "label": confirm, "type": "text"}]
        case "models":
            return [{"name": "models", "label": _("Models"), "type": "checklist", "options": _options(offered)}]
        case "budget":
            return [{"name": "budget", "label": _("Dollars a month"), "type": "text", "inputmode": "decimal"}]
        case "rename":
            return [{"name": "title", "label": _("Name"), "type": "text"}]
        case "limits":
            return quotas.fields()
        case "delete" if known is not None:
            confirm = _("Type {name} to confirm").format(name=known.team.name)
            return [{"name": "typed", "label": confirm, "type": "text"}]
        case _:
            return []


def _options(offered: tuple[KeptModel, ...]) -> list[dict[str, str]]:
    return [
        {
            "value": str(one.id),
            "label": shown_name(one.name),
            "detail": _("Kept for {teams}").format(teams=", ".join(one.teams)) if one.teams else _("Everybody's"),
        }
        for one in offered
    ]


def buttons(sheet: str) -> list[dict[str, str]]:
    """Return the buttons; Enter presses the first."""
    match sheet:
        case "limits":
            return [{"action": "save_limits", "label": _("Save")}]
        case "filter":
            return [{"action": "save_filter", "label": _("Save")}]
        case "add":
            return [{"action": "add", "label": _("Add")}]
        case "account":
            return [{"action": "add_account", "label": _("Make it")}]
        case "end_account":
            return [
                {"action": "close", "label": _("Keep it")},
                {"action": "end_account", "label": _("Delete for good"), "tone": "quiet danger"},
            ]
        case "models":
            return [{"action": "keep", "label": _("Save")}]
        case "budget":
            return [{"action": "set_budget", "label": _("Save")}]
        case "rename":
            return [{"action": "rename", "label": _("Save")}]
        case _:
            return [
                {"action": "close", "label": _("Keep the team")},
                {"action": "delete", "label": _("Delete for good"), "tone": "quiet danger"},
            ]


def values(**held: str | list[str]) -> dict[str, str | list[str]]:
    """Return what the fields hold."""
    return held
