"""What another page has narrowed the list of runs to, in words."""

from collections.abc import Mapping

from llm_ui.admin.usage import words
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant
from llm_ui.services.usage.behind import Behind
from llm_ui.services.usage.statements import By


def only(behind: Behind, called: Mapping[By, str]) -> str:
    """Return what is listed; empty: everything."""
    parts = []
    if behind.since is not None:
        parts.append(_("from {at}").format(at=instant(behind.since)))
    if behind.until is not None:
        parts.append(_("until {at}").format(at=instant(behind.until)))
    parts += [f"{_(words.BYS[by])}: {name or _('Gone by now')}" for by, name in called.items()]
    return _("Only these: {what}.").format(what=", ".join(parts)) if parts else ""
