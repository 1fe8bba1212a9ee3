"""The forms of the users page."""

from typing import Any

from llm_ui.admin.users.listing import ROLES
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import told
from llm_ui.services.user_import import Line

ADD, IMPORT, LINK = "add", "import", "link"
Field = dict[str, Any]
SHOWN_PROBLEMS = 8


def buttons_above() -> list[dict[str, str]]:
    """Return what can be done above the list."""
    return [{"action": ADD, "label": _("Add a person")}, {"action": IMPORT, "label": _("Import"), "tone": "quiet"}]


def title(sheet: str) -> str:
    """Return what the form is about."""
    return {ADD: _("Add a person"), IMPORT: _("Invite many people"), LINK: _("The link")}.get(sheet, "")


def text(sheet: str, link_text: str) -> str:
    """Return the sentence above the fields."""
    match sheet:
        case "add":
            return _("They get a link with which they choose a password. Or set a first password here yourself.")
        case "import":
            return _(
                "A CSV file with the columns name, email and role; only email is needed. "
                "Check it first: nothing is changed by that."
            )
        case _:
            return link_text


def role_field(name: str = "role") -> Field:
    """Return the choice of a role."""
    options = [{"value": value, "label": _(label)} for value, label in reversed(ROLES.items())]
    return {"name": name, "label": _("Role"), "type": "select", "options": options}


def fields(sheet: str) -> list[Field]:
    """Return the fields."""
    match sheet:
        case "add":
            hint = _("Leave it empty to invite them by a link.")
            return [
                {"name": "email", "label": _("E-mail"), "type": "text", "inputmode": "email"},
                {"name": "username", "label": _("Username"), "type": "text", "placeholder": _("As before the @")},
                role_field(),
                {"name": "password", "label": _("First password"), "type": "secret", "hint": hint},
            ]
        case "import":
            return [{"name": "lines", "label": _("CSV"), "type": "file"}]
        case "link":
            return [link_field()]
        case _:
            return []


def link_field() -> Field:
    """Return a link, or several, to be copied."""
    return {"name": "link", "label": _("To be copied and handed on"), "type": "copy"}


def buttons(sheet: str) -> list[dict[str, str]]:
    """Return the buttons; Enter presses the first."""
    match sheet:
        case "add":
            return [{"action": "save", "label": _("Add")}]
        case "import":
            return [{"action": "check", "label": _("Check")}, {"action": "carry_out", "label": _("Invite them")}]
        case _:
            return [{"action": "close", "label": _("Done")}]


def values(**held: str) -> dict[str, str]:
    """Return what the fields hold."""
    return held


def told_plan(lines: tuple[Line, ...]) -> tuple[str, str]:
    """Return what would happen, and what is wrong, line by line."""
    bad = [line for line in lines if line.problem]
    good = _("{count} people would be invited.").format(count=len(lines) - len(bad))
    if not bad:
        return good, ""
    shown = [_("Line {number}: {problem}").format(number=line.number, problem=told(line.problem)) for line in bad]
    more = len(shown) - SHOWN_PROBLEMS
    rest = [_("And {count} more.").format(count=more)] if more > 0 else []
    return good, "\n".join([*shown[:SHOWN_PROBLEMS], *rest])
