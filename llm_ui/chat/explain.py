"""*What the model saw*: the parts of what was sent, the timings and the price of one answer, for the page."""

from uuid import UUID

from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant, later, number, told
from llm_ui.kit.ids import MessageId
from llm_ui.models import RunStatus
from llm_ui.services.explanations import Explanation, NoAnswer, SentPart, explain_answer
from llm_ui.ui import amounts, auto_words
from llm_ui.ui.names import STRETCHES, shown_name
from llm_ui.ui.page import PageContext

ENDS = {
    RunStatus.QUEUED: later("not begun"),
    RunStatus.RUNNING: later("being written"),
    RunStatus.AWAITING_APPROVAL: later("being written"),
    RunStatus.COMPLETED: later("completed"),
    RunStatus.STOPPED: later("stopped"),
    RunStatus.FAILED: later("failed"),
    RunStatus.INTERRUPTED: later("interrupted"),
}
MAX_CHARS = 4_000
"""Most characters of a message that the page is told; the rest is counted."""


async def explain(context: PageContext, answer_id: UUID) -> dict[str, object]:
    """Return what is known of how an answer came about. Raises `NotFound`, for somebody else's too."""
    actor = await context.actor()
    async with context.backend.database.reading() as session:
        found = await explain_answer(session, actor, MessageId(answer_id))
    return {
        "facts": _facts(found),
        "parts": [_part(part) for part in found.parts],
        "window": found.window,
        "reserved": found.reserved,
        "is_calibrated": found.is_calibrated,
        "cut": ". ".join(map(told, found.cut.split(". "))),
        "left_out": list(found.left_out),
        "times": [
            {"name": _(STRETCHES[timing.stretch]).format(name=shown_name(timing.name)), "ms": timing.ms}
            for timing in found.timings
        ],
    }


def _facts(found: Explanation) -> list[list[str]]:
    about = "{count}" if found.is_exact else _("about {count}")
    price = _("unknown: the model has no price") if found.cost_usd is None else amounts.price(found.cost_usd)
    facts = [
        (_("Model"), f"{shown_name(found.model_name)} · {found.provider_name}"),
        *auto_words.facts(found.choice),
        *((_("Did not answer"), _did_not(one)) for one in found.tries),
        (_("Agent"), found.agent_name),
        (_("Ended"), _ended(found)),
        (_("Tokens in"), _counted(about, found.input_tokens)),
        (_("of these cached"), _counted("{count}", found.cached_tokens or None)),
        (_("Tokens out"), _counted(about, found.output_tokens)),
        (_("of these reasoning"), _counted("{count}", found.reasoning_tokens or None)),
        (_("Cost"), price),
        (_("From the cache of"), "" if found.cached_at is None else instant(found.cached_at)),
        (_("Made for the question"), _shortened(found.similar_to)),
        (_("Nearness of the two"), "" if found.similarity is None else number(found.similarity, ".3f")),
        (_("It would have cost"), "" if found.saved_usd is None else amounts.price(found.saved_usd)),
        (_("Requests"), str(found.requests) if found.requests > 1 else ""),
        (_("Attempts"), str(found.attempts) if found.attempts > 1 else ""),
        (_("Temperature"), "" if found.temperature is None else number(found.temperature, "g")),
        (_("Passages found by"), _found_by(found)),
        (_("Searched for"), _shortened(found.searched_for)),
        (_("Put in order by"), found.reranked_by),
        (_("Not put in order anew"), told(found.not_reranked)),
        (_("Passages around these"), _counted("{count}", found.passed_over.beside or None)),
        (_("Left out: they barely match"), _counted("{count}", found.passed_over.weak or None)),
        (_("Left out: they repeat others"), _counted("{count}", found.passed_over.alike or None)),
        (_("Longest answer"), _counted(_("{count} tokens"), found.max_tokens)),
        (_("Request"), found.request_id),
        (_("Provider's request"), found.provider_request_id),
    ]
    return [[name, value] for name, value in facts if value]


def _did_not(one: NoAnswer) -> str:
    who = f"{shown_name(one.model)} · {one.provider}"
    return f"{who}: {told(one.reason)}" if one.reason else who


def _ended(found: Explanation) -> str:
    status = _(ENDS[found.status])
    return f"{status}: {told(found.reason)}" if found.reason else status


def _found_by(found: Explanation) -> str:
    how = {"lexical": _("their words"), "vector": _("their meaning"), "hybrid": _("their words and their meaning")}
    words = how.get(found.found_by, "")
    return f"{words}: {told(found.words_alone)}" if words and found.words_alone else words


def _counted(words: str, tokens: int | None) -> str:
    return "" if tokens is None else words.format(count=number(tokens))


def _part(part: SentPart) -> dict[str, object]:
    return {
        "origin": part.origin,
        "name": part.name,
        "tokens": part.tokens,
        "files": [{"name": file.name, "tokens": file.tokens, "is_shown": file.is_shown} for file in part.files],
        "texts": [{"role": role, "text": _shortened(text)} for role, text in part.texts],
    }


def _shortened(text: str) -> str:
    more = len(text) - MAX_CHARS
    if more <= 0:
        return text
    return _("{text} … and {count} more characters").format(text=text[:MAX_CHARS], count=number(more))
