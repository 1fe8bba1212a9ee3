"""The small line under an answer, and the sentence of one that did not end well."""

from datetime import datetime
from decimal import Decimal

from llm_ui.contract import CompleteEvent, ErrorEvent, Metrics, StartEvent, Usage
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant, later, number, told
from llm_ui.models import RunStatus, UsageSource
from llm_ui.services.messages import RunSummary
from llm_ui.services.steps import span
from llm_ui.ui.amounts import price
from llm_ui.ui.names import shown_name

REASONS = {
    "length": later("Ended at the length limit."),
    "content_filter": later("Ended by the provider's content filter."),
    "empty": later("The model gave an empty answer."),
    "cap": later("Ended by this server's limit."),
    "rounds": later("Ended because the model wanted to use tools again and again."),
}


WARNINGS = {
    "injection": later("This looks like an attempt to overrule the model's instructions."),
    "pii": later("There is personal data in this."),
    "secrets": later("There is a key, token or password in this."),
    "terms": later("There are terms in this that this workspace does not want."),
    "moderation": later("The provider's moderation has flagged this."),
}


def who(about: RunSummary | StartEvent) -> str:
    """Return the model that answers, after the *Auto* model that has picked it."""
    name = shown_name(about.model_name)
    return f"{about.auto_name} → {name}" if about.auto_name else name


def of_run(run: RunSummary) -> str:
    """Return the figures of a stored run."""
    is_exact = run.usage_source is UsageSource.PROVIDER
    line = _line(
        who(run), run.ttft_ms, run.tokens_per_second, run.input_tokens, run.output_tokens, is_exact, run.cost_usd
    )
    return _with_cache(line, run.cached_at)


def of_metrics(model_name: str, metrics: Metrics, usage: Usage, cost_usd: str | None) -> str:
    """Return the figures of a run that is being made or has just ended."""
    cost = None if cost_usd is None else Decimal(cost_usd)
    is_exact = usage.source == "provider"
    line = _line(
        model_name,
        metrics.ttft_ms,
        metrics.tokens_per_second,
        usage.input_tokens,
        usage.output_tokens,
        is_exact,
        cost,
    )
    return _with_cache(line, metrics.cached_at)


def thought(reasoning_ms: float | None) -> str:
    """Return how long a model reasoned; empty where nothing is known."""
    return "" if reasoning_ms is None else _("Thought for {time}").format(time=span(reasoning_ms))


def remark_of_run(run: RunSummary) -> str:
    """Return what to say about a stored run's end; empty when it simply ended."""
    if run.status is RunStatus.STOPPED:
        return _("Stopped.")
    return told(run.error_message or REASONS.get(run.finish_reason or "", ""))


def remark_of_end(event: CompleteEvent | ErrorEvent) -> str:
    """Return what to say about a run's end; empty when it simply ended."""
    if isinstance(event, ErrorEvent):
        return told(event.error.message)
    return _("Stopped.") if event.status == "stopped" else _(REASONS.get(event.finish_reason, ""))


def note(about: RunSummary | StartEvent, *, has_failed: bool = False) -> str:
    """Return what to say about an answer: who has written it, or tried to, instead of whom; limits; filters."""
    noticed = [_(WARNINGS[kind]) for kind in about.warned.split(",") if kind in WARNINGS]
    return " ".join(filter(None, [_instead(about, has_failed=has_failed), *noticed]))


def means_the_same(given: RunSummary | Metrics) -> str:
    """Return what to say of an answer that was made for a question that means the same; empty for any other."""
    if given.similarity is None:
        return ""
    if not given.similar_to:
        return _("A kept answer to a question that means the same.")
    return _("A kept answer to a question that means the same: {question}").format(question=given.similar_to)


def _instead(about: RunSummary | StartEvent, *, has_failed: bool) -> str:
    limit = told(about.limit_note)
    if not about.instead_of:
        return limit
    if limit and not has_failed:
        words = _("{limit} {last} answered instead of {first}.")
        return words.format(limit=limit, first=shown_name(about.instead_of), last=shown_name(about.model_name))
    words = _("{first} did not answer, nor did {last}.") if has_failed else _("{first} did not answer; {last} did.")
    if about.broke_off:
        words = _("{first} broke off; {last} went on.")
    return words.format(first=shown_name(about.instead_of), last=shown_name(about.model_name))


def _with_cache(line: str, cached_at: datetime | None) -> str:
    """Return the figures with when the answer was made, where one was there already."""
    if cached_at is None:
        return line
    return " · ".join([line, _("from the cache of {when}").format(when=instant(cached_at))])


def _line(
    model_name: str,
    ttft_ms: float | None,
    speed: float | None,
    tokens_in: int | None,
    tokens_out: int | None,
    is_exact: bool,
    cost_usd: Decimal | None,
) -> str:
    about = "" if is_exact else "~"
    parts = [model_name]
    if ttft_ms is not None:
        parts.append(_("{time} to first token").format(time=span(ttft_ms)))
    if speed is not None:
        parts.append(_("{speed} tokens/s").format(speed=number(speed, ".0f")))
    if tokens_out is not None:
        counts = {"sent": f"{about}{number(tokens_in or 0)}", "written": f"{about}{number(tokens_out)}"}
        parts.append(_("{sent} in, {written} out").format(**counts))
    if cost_usd is not None:
        parts.append(price(cost_usd))
    return " · ".join(parts)
