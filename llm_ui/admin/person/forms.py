"""The forms of a person's page."""

from typing import Any

from llm_ui.admin import quotas
from llm_ui.admin.quotas import LIMITS
from llm_ui.admin.users.forms import link_field, role_field
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant
from llm_ui.services.departures import Fate
from llm_ui.services.holds import HoldInfo
from llm_ui.services.user_details import UserDetails
from llm_ui.services.users import UserState
from llm_ui.ui.departing import goes

ROLE, DELETE, LINK, HOLD = "role", "delete", "link", "hold"
Field = dict[str, Any]


def offers(known: UserDetails | None, hold: HoldInfo | None) -> list[dict[str, str]]:
    """Return what can be done to the account."""
    if known is None:
        return []
    state = known.user.state
    found = [("role", _("Change what they may do."), _("Change role"))]
    if state is UserState.ACTIVE:
        found += [
            ("reset", _("Let them choose a new password by a link; the present one holds until then."), _("Make link")),
            ("disable", _("Keep them out: their sessions end at once, and nothing is deleted."), _("Disable")),
        ]
        if known.has_second_factor:
            lost = _("They have lost the app and the recovery codes: let them sign in without a second step.")
            found.append(("reset_factor", lost, _("Reset second step")))
    elif state is UserState.DISABLED:
        found.append(("enable", _("Let them sign in again."), _("Enable")))
    elif state is UserState.INVITED:
        found.append(("invite", _("Make a new invitation; the link before leads nowhere then."), _("Make link")))
    if hold is None:
        kept = _("Let nothing of theirs be deleted, by anybody or anything, while it lasts.")
        found.append((HOLD, kept, _("Put on legal hold …")))
    else:
        found.append(("lift", _("What was due to be deleted meanwhile goes from then on."), _("Lift the legal hold")))
    found.append((DELETE, _("Delete the account, after a look at what goes with it."), _("Delete …")))
    return [{"id": action, "action": action, "text": text, "button": label} for action, text, label in found]


def held(hold: HoldInfo | None) -> str:
    """Return the sentence about a hold that lasts."""
    if hold is None:
        return ""
    told = _("On legal hold since {at}, placed by {who}: {reason}")
    return told.format(at=instant(hold.placed_at), who=hold.placed_by, reason=hold.reason)


def title(sheet: str, known: UserDetails | None) -> str:
    """Return what the form is about."""
    name = "" if known is None else known.user.name
    return {
        ROLE: _("What {name} may do").format(name=name),
        LIMITS: _("Limits of {name}").format(name=name),
        DELETE: _("Delete {name}").format(name=name),
        HOLD: _("Legal hold on {name}").format(name=name),
        LINK: _("A link for {name}").format(name=name),
    }.get(sheet, "")


def text(sheet: str, known: UserDetails | None, link_text: str) -> str:
    """Return the sentence above the fields."""
    if known is None:
        return ""
    match sheet:
        case "role":
            return _("Operators see figures of the administration, and nobody's content. They have to sign in again.")
        case "limits":
            return _("What is empty is as for their teams, their role or everybody; 0 is no limit.")
        case "delete":
            return goes(known.has)
        case "hold":
            return _("Their chats, files, documents, facts and account stay, also in the bin. It is in the audit log.")
        case _:
            return link_text


def tone(sheet: str) -> str:
    """Return how that sentence looks."""
    return "warning" if sheet == DELETE else "plain"


def fields(sheet: str, known: UserDetails | None) -> list[Field]:
    """Return the fields."""
    match sheet:
        case "role":
            return [role_field()]
        case "limits":
            return quotas.fields()
        case "delete" if known is not None:
            options = [
                {"value": Fate.ANONYMISE.value, "label": _("Texts go; figures stay, without the name")},
                {"value": Fate.HAND_OVER.value, "label": _("The same, but projects are handed over")},
                {"value": Fate.ERASE.value, "label": _("Everything goes, figures too")},
            ]
            confirm = _("Type {name} to confirm").format(name=known.user.name)
            return [
                {"name": "fate", "label": _("Their data"), "type": "select", "options": options},
                {"name": "heir", "label": _("Who takes over the projects"), "type": "text",
                 "placeholder": _("Username, only where projects are handed over")},
                {"name": "typed", "label": confirm, "type": "text"},
            ]  # fmt: skip
        case "hold":
            return [{"name": "reason", "label": _("Why"), "type": "text"}]
        case "link":
            return [link_field()]
        case _:
            return []


def buttons(sheet: str) -> list[dict[str, str]]:
    """Return the buttons; Enter presses the first."""
    match sheet:
        case "limits":
            return [{"action": "save_limits", "label": _("Save")}]
        case "role":
            return [{"action": "save_role", "label": _("Save")}]
        case "hold":
            return [{"action": "hold", "label": _("Put on hold")}]
        case "delete":
            return [
                {"action": "close", "label": _("Keep the account")},
                {"action": "delete", "label": _("Delete for good"), "tone": "quiet danger"},
            ]
        case _:
            return [{"action": "close", "label": _("Done")}]


def values(**held: str) -> dict[str, str]:
    """Return what the fields hold."""
    return held
