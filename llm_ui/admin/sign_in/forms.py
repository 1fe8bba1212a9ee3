"""The forms of the sign-in page: adding, editing and deleting an issuer; and its rows."""

from typing import Any

from llm_ui.admin.sign_in.state import ADD, ASK_DELETE, ASK_END_TOKEN, ASK_NEW_TOKEN, DIRECTORY, EDIT, NO, YES
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant, ngettext
from llm_ui.services.directories import DirectoryInfo
from llm_ui.services.issuers import IssuerInfo

Field = dict[str, Any]
SHEETS = (ASK_DELETE, DIRECTORY, ASK_NEW_TOKEN, ASK_END_TOKEN)
"""Those that a button leads to."""


def columns() -> list[dict[str, str]]:
    """Return the columns of the issuers."""
    return [
        {"key": "issuer", "label": _("Issuer")},
        {"key": "who", "label": _("Who may sign in")},
        {"key": "state", "label": _("State")},
    ]


def rows(listed: tuple[IssuerInfo, ...]) -> list[dict[str, Any]]:
    """Return a row for each issuer."""
    return [
        {
            "id": str(issuer.id),
            "name": issuer.filled.name,
            "is_faint": not issuer.is_active,
            "cells": {
                "issuer": {"text": issuer.filled.name, "detail": issuer.address},
                "who": _who(issuer),
                "state": {"text": _("On"), "tone": "ok"} if issuer.is_active else {"text": _("Off"), "tone": "quiet"},
            },
            "actions": [
                {"action": "test", "label": _("Test")},
                {"action": "edit", "label": _("Edit")},
                {"action": "directory", "label": _("Directory …")},
                {"action": "disable", "label": _("Switch off")}
                if issuer.is_active
                else {"action": "enable", "label": _("Switch on")},
            ],
        }
        for issuer in listed
    ]


def _who(issuer: IssuerInfo) -> dict[str, str]:
    filled = issuer.filled
    rules = [each for each in (filled.domains, filled.groups) if each]
    is_new = _("New people get an account") if filled.makes_accounts else _("Only those who have connected theirs")
    return {"text": " · ".join(rules) or _("Everybody there"), "detail": is_new}


def whose() -> dict[str, str]:
    """Return who may have to give a second factor, by label."""
    return {_("Nobody"): "nobody", _("Administrators"): "administrators", _("Everybody"): "everybody"}


def title(sheet: str, selected: IssuerInfo | None) -> str:
    """Return what the open form is about."""
    titles = {
        ADD: _("Add issuer"),
        EDIT: _("Edit {name}"),
        ASK_DELETE: _("Delete {name}?"),
        DIRECTORY: _("Directory of {name}"),
        ASK_NEW_TOKEN: _("A new token for {name}?"),
        ASK_END_TOKEN: _("End the token of {name}?"),
    }
    return titles.get(sheet, "").format(name="" if selected is None else selected.filled.name)


def text(sheet: str, directory: DirectoryInfo | None, address: str) -> str:
    """Return the sentence above the fields."""
    match sheet:
        case "directory" if not address:
            return _("This workspace was installed without SCIM. Install it with: pip install llm-ui[scim]")
        case "directory":
            return _directory(directory)
        case "ask_new_token":
            return _("The present one ends at once. The directory goes on when the new one is entered there.")
        case "ask_end_token":
            return _("The directory changes nothing here any more. Its accounts and teams stay as they are now.")
        case "add":
            return _("Register this workspace at the issuer first; it gives out a client id, and mostly a secret.")
        case "ask_delete":
            return _("Nobody signs in with it any more. Accounts stay, but have to be connected anew should it return.")
        case _:
            return ""


def _directory(found: DirectoryInfo | None) -> str:
    if found is None or not found.prefix:
        return _(
            "With a token the issuer makes, changes and disables accounts here by itself, and puts people into teams, "
            "by SCIM 2.0. Nobody has to sign in first, and who leaves is out at once."
        )
    people = ngettext("It keeps {count} account", "It keeps {count} accounts", found.people).format(count=found.people)
    groups = ngettext("and {count} group.", "and {count} groups.", found.groups).format(count=found.groups)
    if found.last_used_at is None:
        return f"{people} {groups} {_('Its token {prefix}… was not used yet.').format(prefix=found.prefix)}"
    seen = _("Its token {prefix}… was used last on {at}.")
    return f"{people} {groups} {seen.format(prefix=found.prefix, at=instant(found.last_used_at))}"


def tone(sheet: str, address: str) -> str:
    """Return how that sentence looks."""
    return (
        "warning"
        if sheet in (ASK_DELETE, ASK_NEW_TOKEN, ASK_END_TOKEN) or (sheet == DIRECTORY and not address)
        else "plain"
    )


def buttons(sheet: str, directory: DirectoryInfo | None, address: str) -> list[dict[str, str]]:
    """Return the buttons; Enter presses the first. Those of `SHEETS` lead to another sheet."""
    saving = [{"action": "save", "label": _("Save")}]
    keeping = {"action": DIRECTORY, "label": _("Keep it")}
    shown: dict[str, list[dict[str, str]]] = {
        ADD: saving,
        EDIT: [*saving, {"action": ASK_DELETE, "label": _("Delete …"), "tone": "quiet danger"}],
        ASK_DELETE: [
            {"action": "close", "label": _("Keep it")},
            {"action": "delete", "label": _("Delete for good"), "tone": "quiet danger"},
        ],
        DIRECTORY: _of_directory(directory, address),
        ASK_NEW_TOKEN: [keeping, {"action": "make_token", "label": _("Make a new token"), "tone": "quiet danger"}],
        ASK_END_TOKEN: [keeping, {"action": "end_token", "label": _("End the token"), "tone": "quiet danger"}],
    }
    return shown.get(sheet, [])


def _of_directory(directory: DirectoryInfo | None, address: str) -> list[dict[str, str]]:
    if directory is None or not directory.prefix:
        return [{"action": "make_token", "label": _("Make a token")}] if address else []
    renewing = {"action": ASK_NEW_TOKEN, "label": _("Make a new token …"), "tone": "quiet"}
    return [
        {"action": "save_directory", "label": _("Save")},
        *([renewing] if address else []),
        {"action": ASK_END_TOKEN, "label": _("End the token …"), "tone": "quiet danger"},
    ]


def values(**held: Any) -> dict[str, Any]:
    """Return what the fields hold."""
    return held


def directory_fields(address: str, token: str) -> list[Field]:
    """Return the fields of the directory's sheet; the token is there once."""
    if not address:
        return []
    made: Field = {"name": "token", "label": _("Token; it is shown this once"), "type": "copy"}
    taking = _choice(
        "takes_over",
        _("Accounts that are here already"),
        _("Are connected by their person first"),
        _("Become the directory's by their e-mail address"),
    )
    return [
        {"name": "directory_address", "label": _("Address; enter it at the issuer"), "type": "copy"},
        *([made] if token else []),
        {**taking, "hint": _("No administrator's by its address.")},
    ]


def fields(sheet: str, selected: IssuerInfo | None, reach: str, token: str) -> list[Field]:
    """Return the fields of the open form."""
    if sheet == DIRECTORY:
        return directory_fields(reach, token)
    if sheet not in (ADD, EDIT):
        return []
    is_new = selected is None
    address = _field("address", _("Address"), _("What it calls itself: its discovery document lies below it."))
    secret = _("Leave it empty where there is none.") if is_new else _("Leave it empty to keep the present one.")
    sent_back = {
        "name": "redirect", "label": _("Where it sends people back to; enter this there"), "type": "copy",
    }  # fmt: skip
    return [
        _field("name", _("Name on the button")),
        sent_back,
        *([address] if is_new else []),
        _field("client_id", _("Client id")),
        {"name": "issuer_secret", "label": _("Client secret"), "type": "secret", "hint": secret},
        _choice("is_private", _("Where it is"), _("On the internet"), _("On the private network, even without TLS")),
        _choice(
            "makes_accounts", _("Who comes for the first time"), _("Has to have an account here"), _("Gets an account")
        ),
        _field(
            "domains", _("Only these e-mail domains"), _("With commas between; the issuer must have verified them.")
        ),
        _field("groups", _("Only these groups"), _("With commas between, as the issuer writes them.")),
        _field("admin_groups", _("Administrators are in"), _("Groups. With these, roles follow at each sign-in.")),
        _field("operator_groups", _("Operators are in"), _("Groups.")),
        _field(
            "team_groups",
            _("Members of teams are in"),
            _("Such as crew = Deck, mates = Bridge: who is in the group is in the team, from the next sign-in on."),
        ),
        _field("scopes", _("Scopes")),
        _field("name_claim", _("Claim of the username")),
        _field("email_claim", _("Claim of the e-mail address")),
        _field("groups_claim", _("Claim of the groups")),
    ]


def _choice(name: str, label: str, no: str, yes: str) -> Field:
    options = [{"value": NO, "label": no}, {"value": YES, "label": yes}]
    return {"name": name, "label": label, "type": "select", "options": options}


def _field(name: str, label: str, hint: str = "") -> Field:
    return {"name": f"issuer_{name}", "label": label, "type": "text", "hint": hint}
