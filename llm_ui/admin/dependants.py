"""What would break, in sentences: before a model or a provider is switched off or goes."""

from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import ngettext, number
from llm_ui.services.dependants import Dependants, Some
from llm_ui.ui.names import shown_name


def sentences(found: Dependants) -> list[str]:
    """Return what depends on it, a sentence each; none where nothing does."""
    return [*_chosen(found), *_counted(found), *_used(found)]


def _chosen(found: Dependants) -> list[str]:
    said = (
        (found.is_default, _("The default model goes with it: choose another default, or new chats cannot begin.")),
        (
            found.is_helper,
            _("The helper model goes with it: no titles, tags, suggestions and summaries until another one is chosen."),
        ),
        (found.is_embedder, _("The embedding model goes with it: passages are found by their words alone.")),
        (found.is_reranker, _("The reranking model goes with it: passages stay in the order they were found in.")),
    )
    return [sentence for is_so, sentence in said if is_so]


def _counted(found: Dependants) -> list[str]:
    """Return the sentences of what is counted, the names that may be told in brackets."""
    said = (
        (
            Some(found.documents if found.is_embedder else 0),
            ngettext("It made the vectors of {n} document.", "It made the vectors of {n} documents.", found.documents),
        ),
        (
            found.projects,
            ngettext(
                "New chats of {n} project{names} begin with it.", "New chats of {n} projects{names} begin with it.",
                found.projects.count,
            ),
        ),
        (
            found.agents,
            ngettext("{n} agent{names} answers with it.", "{n} agents{names} answer with it.", found.agents.count),
        ),
        (
            found.helped,
            ngettext(
                "{n} other model{names} has no stand-in in it any more.",
                "{n} other models{names} have no stand-in in it any more.",
                found.helped.count,
            ),
        ),
        (
            found.keys,
            ngettext(
                "{n} key of the API{names} is kept to it, or to it and others.",
                "{n} keys of the API{names} are kept to it, or to it and others.",
                found.keys.count,
            ),
        ),
        (
            found.teams,
            ngettext(
                "It is kept for {n} team{names}.", "It is kept for {n} teams{names}.", found.teams.count
            ),
        ),
        (
            found.experiments,
            ngettext(
                "{n} experiment{names} steps aside: all get what they ask for.",
                "{n} experiments{names} step aside: all get what they ask for.",
                found.experiments.count,
            ),
        ),
    )  # fmt: skip
    return [sentence.format(n=number(some.count), names=_names(some)) for some, sentence in said if some]


def _used(found: Dependants) -> list[str]:
    said = []
    if found.running:
        running = ngettext(
            "{n} answer is on its way, and is finished.", "{n} answers are on their way, and are finished.",
            found.running,
        )  # fmt: skip
        said.append(running.format(n=number(found.running)))
    if found.calls:
        people = ngettext("{n} person", "{n} people", found.people).format(n=number(found.people))
        calls = ngettext(
            "In the last 7 days it was asked once, by {people}.",
            "In the last 7 days it was asked {n} times, by {people}.",
            found.calls,
        )
        said.append(calls.format(n=number(found.calls), people=people))
    return said


def _names(some: Some) -> str:
    if not some.names:
        return ""
    more = ", …" if some.count > len(some.names) else ""
    return f" ({', '.join(map(shown_name, some.names))}{more})"
