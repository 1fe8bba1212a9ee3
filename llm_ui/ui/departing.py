"""What is said before an account is deleted."""

from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import ngettext, number
from llm_ui.services.departures import Goes


def goes(has: Goes) -> str:
    """Return what goes with an account."""
    parts = [
        ngettext("{n} chat", "{n} chats", has.chats).format(n=number(has.chats)),
        ngettext("{n} message", "{n} messages", has.messages).format(n=number(has.messages)),
        ngettext("{n} file", "{n} files", has.files).format(n=number(has.files)),
        ngettext("{n} memory", "{n} memories", has.memories).format(n=number(has.memories)),
        ngettext("{n} prompt", "{n} prompts", has.prompts).format(n=number(has.prompts)),
        ngettext("{n} agent", "{n} agents", has.agents).format(n=number(has.agents)),
    ]
    told = _("This goes: {what}.").format(what=", ".join(parts))
    if has.projects:
        names = ", ".join(has.project_names) + (" …" if has.projects > len(has.project_names) else "")
        own = ngettext(
            "{n} project has no other owner and goes with {documents} documents, unless it is handed over: {names}.",
            "{n} projects have no other owner and go with {documents} documents, unless they are handed over: {names}.",
            has.projects,
        )
        told += " " + own.format(n=number(has.projects), documents=number(has.documents), names=names)
    if has.shared_projects:
        shared = ngettext(
            "{n} project goes on under another owner.", "{n} projects go on under another owner.", has.shared_projects
        )
        told += " " + shared.format(n=number(has.shared_projects))
    return told
